#!/bin/sh
# One trained network from file to proof. `make demo` puts fom on the path.
set -eu
cd "$(dirname "$0")/.."

bold='' plain=''
if [ -t 1 ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

step() {
    printf '\n%s%s%s\n$ %s\n\n' "$bold" "$1" "$plain" "$2"
    sh -c "$2"
}

step "1. Translate: a trained transformer that tells whether at least half of the letters are b" \
    "fom translate examples/majority/model.onnx -o out/"
step "2. Verify: network, circuit and sentence agree" \
    "fom verify out/ --max-length 8"
step "3. Show: what was built" \
    "fom show out/"
step "4. One definition: the highest bit of a hidden unit, with what it means" \
    "fom show out/ 'blocks0.relu[3].4' && fom run out/ --as sentence --word 'a b b a b'"
step "5. For comparison: one solver query for n <= 2 (step 2 proved every length, from lemmas)" \
    "fom verify out/ --method monolithic --max-length 2 --timeout 90 || test \$? -eq 3"
