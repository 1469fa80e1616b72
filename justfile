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

# Build the documentation of the code; broken links fail.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# Exactly what CI runs.
ci:
    bash .ci/run

# No server error, and no answer outside the document. What of valid input is refused (an empty parameter, say) is not its business.
fuzz_checks := "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,ignored_auth"

# Fuzz the HTTP API against its own OpenAPI document. Needs Python 3 with venv; most of its time is the build.
fuzz-api examples="50":
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --release --locked
    work=$(mktemp -d)
    trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet schemathesis==4.32.5
    key=fuzz-api-key-0123456789abcdef
    export BAOPHAT__LISTEN=127.0.0.1:0 BAOPHAT__DATABASE="sqlite:$work/fuzz.db" BAOPHAT__API_KEYS="$key" BAOPHAT__LOG__LEVEL=error
    export ZALO_OA_SECRET_KEY=fuzz-zalo FACEBOOK_APP_SECRET=fuzz-facebook FACEBOOK_VERIFY_TOKEN=fuzz-verify ESMS_CALLBACK_TOKEN=fuzz-esms-token-0123456789
    target/release/baophat serve --config config.example.toml >"$work/out" &
    server=$!
    for _ in $(seq 100); do grep -q 'listening on' "$work/out" && break; sleep 0.1; done
    address=$(sed -n 's/^baophat is listening on //p' "$work/out")
    "$work/venv/bin/schemathesis" run "$address/openapi.json" --url "$address" \
        --header "Authorization: Bearer $key" --checks {{ fuzz_checks }} --max-examples {{ examples }} --request-timeout 30
    curl -sf "$address/readyz"
