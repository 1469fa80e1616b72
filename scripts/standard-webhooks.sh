#!/usr/bin/env bash
# Verifies the signatures of webhooks that go out with the official library of the Standard Webhooks specification (Python).
#
#   scripts/standard-webhooks.sh
#
# Needs a built program (target/debug/baophat; BAOPHAT_BIN names another), Python 3.11 or newer, and PyPI at the first run. Takes
# webhooks in on a free port of this machine; nothing leaves it. Exit code 0: every signature holds.
set -euo pipefail

library=1.1.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${BAOPHAT_BIN:-$here/../target/debug/baophat}")
venv=${TMPDIR:-/tmp}/baophat-webhooks-$(id -u)-$library

[ -x "$program" ] || { echo "standard-webhooks: there is no $program; build it first: cargo build" >&2; exit 1; }

# The marker is written last, so that a broken install is made anew.
if [ ! -e "$venv/ready" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "standardwebhooks==$library"
    touch "$venv/ready"
fi

for name in $(compgen -e BAOPHAT || true); do
    [ "$name" = BAOPHAT_BIN ] || unset "$name"
done
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/standard-webhooks/verify.py" "$program"
