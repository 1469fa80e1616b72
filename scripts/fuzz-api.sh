#!/usr/bin/env bash
# Fuzzes the HTTP API against its own OpenAPI document, with schemathesis: no server error, and no answer outside the document.
#
#   scripts/fuzz-api.sh [EXAMPLES [SEED]]     examples for each operation, 30 if not said; seed 1 if not said
#
# Needs a built program (target/debug/baophat; BAOPHAT_BIN names another), Python 3.11 or newer, and PyPI at the first run. Starts
# a server of its own on a free port with a store of its own, fills it with the fixtures as signed traffic, and stops it at the
# end. Exit code 0: nothing found. What the fuzzer may expect stands in scripts/fuzz-api/.
set -euo pipefail

examples=${1:-30}
seed=${2:-1}
schemathesis=4.32.5
validator=0.9.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/fuzz-api" && pwd)
program=$(realpath "${BAOPHAT_BIN:-$here/../../target/debug/baophat}")
venv=${TMPDIR:-/tmp}/baophat-fuzz-$(id -u)-$schemathesis-$validator
work=$(mktemp -d "${TMPDIR:-/tmp}/baophat-fuzz.XXXXXX")
server=

stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap stop EXIT

fail() {
    echo "fuzz-api: $1" >&2
    exit 1
}

[ -x "$program" ] || fail "there is no $program; build it first: cargo build"

# The marker is written last, so that a broken install is made anew.
if [ ! -e "$venv/ready" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$schemathesis" "openapi-spec-validator==$validator"
    touch "$venv/ready"
fi

for name in $(compgen -e BAOPHAT__ || true); do
    unset "$name"
done
export BAOPHAT__LISTEN=127.0.0.1:0 BAOPHAT__DATABASE="sqlite:$work/fuzz.db"
"$program" serve --config "$here/baophat.toml" >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    grep -q 'listening on' "$work/out" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; fail "the server did not start"; }
    sleep 0.1
done
address=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$work/out" | head -n 1)
[ -n "$address" ] || fail "the server did not say where it listens"

export BAOPHAT_ADDRESS=$address PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
python=$venv/bin/python
"$python" -c 'import sys, urllib.request as r; sys.stdout.buffer.write(r.urlopen(sys.argv[1]).read())' "$address/openapi.json" \
    >"$work/openapi.json"
"$python" "$here/check.py" "$work/openapi.json"
"$python" "$here/seed.py" "$address"
key=$("$python" -c 'import sign; print(sign.KEY)')

found=0
cd "$work"
# A stream has no end that a fuzzer could wait for; tests/it/stream.rs plays with it.
"$venv/bin/st" --config-file "$here/schemathesis.toml" --no-color run "$address/openapi.json" \
    --header "Authorization: Bearer $key" --checks all --max-examples "$examples" --seed "$seed" \
    --exclude-path /v1/stream --generation-database none --request-timeout 20 --continue-on-failure || found=1

# Whatever came in, the server is still well, stops when told, and never panicked.
"$python" -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1])' "$address/readyz" || fail "the server is not ready any more"
kill "$server"
wait "$server" || fail "the server did not end well"
server=
if grep -i 'panicked' "$work/log"; then fail "the server panicked"; fi
exit "$found"
