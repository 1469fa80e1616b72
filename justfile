# The one door to everyday commands. `just` lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# Show the live system with made-up providers.
demo:
    cargo run --release --locked -- demo

# Run every test.
test:
    cargo test --locked

# Kill it so many times at random moments under load, and ask for everything it acknowledged.
crash rounds="200":
    BAOPHAT_CRASH_ROUNDS={{ rounds }} cargo test --locked --test it -- --nocapture --exact crash::nothing_acknowledged_is_lost_however_often_and_whenever_it_is_killed

# Format the sources.
fmt:
    cargo fmt

# Check format and lints, as CI does.
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# Only the house rules and the documents.
tidy:
    cargo test --locked --test tidy

# Run the simulation with many seeds; one that fails is printed with the command that replays it.
sim seeds="20000":
    BAOPHAT_SIM_SEEDS={{ seeds }} cargo test --locked --test sim every_seed -- --nocapture

# Build the documentation of the code; broken links fail.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# Exactly what CI runs.
ci:
    bash .ci/run

# Fuzz the API against its OpenAPI document with schemathesis (needs Python 3.11 or newer).
fuzz-api examples="50" seed="1":
    cargo build --locked
    scripts/fuzz-api.sh {{ examples }} {{ seed }}

# Verify the signatures of webhooks that go out with the official library (needs Python 3.11 or newer).
standard-webhooks:
    cargo build --locked
    scripts/standard-webhooks.sh

# Fuzz a target (verify, parse or edge) from the kept corpus; runs without cargo-fuzz and nightly.
fuzz target seconds="60":
    scripts/fuzz.sh {{ target }} {{ seconds }}

# Measure what it takes on this machine, against a bare handler, and ask for everything acknowledged.
bench length="10s" rounds="2":
    cargo run --release --locked -- bench --length {{ length }} --rounds {{ rounds }} --bare --audit --kill

# Measure every promise as one table: what, bar, reached, holds. Takes about an hour and 20 GB of disk; a first look: just bench-proof --quick
bench-proof *options:
    cargo run --release --locked -- bench --proof {{ options }}

# What one callback costs in verify, parse, fold and projection (criterion).
bench-micro *filter:
    cargo bench --locked --bench micro -- {{ filter }}
