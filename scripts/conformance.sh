#!/usr/bin/env bash
# The conformance report of both adapters. Writes docs/reports/conformance.txt; exits 1 when a case fails.
set -euo pipefail
cd "$(dirname "$0")/.."
report=docs/reports/conformance.txt
mkdir -p docs/reports
cargo build --quiet -p fleet-store --features conformance --example conformance
{
  echo "commit $(git rev-parse HEAD)"
  echo "tree of crates/fleet-store $(git rev-parse HEAD:crates/fleet-store)"
  echo "command scripts/conformance.sh $*"
  echo
} > "$report"
cargo run --quiet -p fleet-store --features conformance --example conformance -- "$@" | tee -a "$report"
