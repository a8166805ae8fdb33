#!/usr/bin/env bash
# Makes the pages that the browser tests look at, and runs them in a headless Chromium.
#
# Needs chromium (or CHROMIUM=/path/to/it), node 20 or newer, npm, and cargo. `cargo test` does not need this.
# A directory with exact.jsonl, group.jsonl and cpu.jsonl as argument gives the page real records; without one the figures are invented.
set -euo pipefail
records=${1:+$(cd "$1" && pwd)}
cd "$(dirname "$0")"

export CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -x "$CHROMIUM" ] || { echo "missing: chromium (apt-get install chromium, or say CHROMIUM=/path/to/it)"; exit 1; }
for tool in node npm cargo; do
    command -v "$tool" >/dev/null || { echo "missing: $tool"; exit 1; }
done
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-fund --no-audit --ignore-scripts

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
export PAGE="$pages/report.html" RECORDS="$records"
example() { cargo run --quiet --locked -p offerbench-reports --example "$@"; }
if [ -n "$records" ]; then
    example page -- "$PAGE" "$records"/*.jsonl >"$pages/said"
else
    example synthetic -- "$PAGE" 2 both >"$pages/said"
fi
node --test --test-concurrency=1 ./*.test.mjs
