#!/bin/sh
# One trained network from file to proof. `make demo` puts fom on the path.
set -eu
cd "$(dirname "$0")/.."

step() {
    printf '\n\033[1m%s\033[0m\n$ %s\n\n' "$1" "$2"
    sh -c "$2"
}

step "1. Translate: a trained transformer that tells whether at least half of the letters are b" \
    "fom translate examples/majority/model.onnx -o out/"
step "2. Verify: network, circuit and sentence agree" \
    "fom verify out/ --max-length 8"
step "3. Show: what was built" \
    "fom show out/"
