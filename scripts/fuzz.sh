#!/usr/bin/env bash
# Fuzzes one target for some seconds: verify, parse or edge. Needs the ordinary compiler and a C++ compiler, no cargo-fuzz and no nightly:
# the flags are those of cargo-fuzz without a sanitizer (the code has no `unsafe` to sanitize).
# Usage: scripts/fuzz.sh TARGET [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

target=${1:?"usage: scripts/fuzz.sh verify|parse|edge [seconds]"}
seconds=${2:-60}
host=$(rustc -vV | sed -n 's/^host: //p')

# The versions that the program itself is built with.
[ -e Cargo.lock ] || cp ../Cargo.lock Cargo.lock
export CARGO_PROFILE_DEV_OPT_LEVEL=1
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
# Named, so that the flags are not those of build scripts as well.
cargo build --target "$host" --bin "$target"

# New inputs go to the first folder, which is not kept; what breaks something lands in `artifacts`.
mkdir -p "found/$target" artifacts
exec "target/$host/debug/$target" -max_total_time="$seconds" -max_len=6000 -timeout=20 -artifact_prefix="artifacts/$target-" \
  "found/$target" corpus
