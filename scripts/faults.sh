#!/usr/bin/env bash
# The fault loops in their long form (short with --short). Writes docs/reports/faults.txt and exits 1 when anything
# acknowledged was lost or a control survived. Root and loop devices are needed for disk and power.
set -euo pipefail
cd "$(dirname "$0")/.."
report=docs/reports/faults.txt
mkdir -p docs/reports
cargo build --quiet -p fleet-faultfs --example faults
{
  echo "commit $(git rev-parse HEAD)"
  echo "tree of crates/fleet-store $(git rev-parse HEAD:crates/fleet-store)"
  echo "command scripts/faults.sh $*, $(date -u +%Y-%m-%d)"
  echo
} > "$report"
# Files in memory where there are such: a kill loses nothing that the kernel holds, wherever the file is, and the power
# is cut at the file system inside an image.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
form=(--long)
if [ "${1:-}" = --short ]; then
  form=()
  shift
fi
cargo run --quiet -p fleet-faultfs --example faults -- "${form[@]}" "$@" | tee -a "$report"
