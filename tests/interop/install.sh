#!/bin/sh
# Install from Debian the programs that read fom's circuits or check its certificates; those that are there are left alone.
set -u

missing=
for pair in berkeley-abc:berkeley-abc yosys:yosys iverilog:iverilog clasp:clasp coqc:coq; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
test -n "$missing" || exit 0
sudo=
test "$(id -u)" = 0 || sudo=sudo
if ! command -v apt-get >/dev/null; then
    echo "missing:$missing; there is no apt-get here, so install them by hand" >&2
elif ! { $sudo apt-get update -qq && $sudo apt-get install -qq --no-install-recommends $missing; }; then
    echo "missing:$missing; apt-get could not install them" >&2
fi
