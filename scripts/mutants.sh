#!/usr/bin/env bash
# Mutation tests of the reference evaluator and the checker of fleet-query: scripts/mutants.sh [--fresh] [FILTER…]
#
# Copies the crate, without the index and the reverse match (which the evaluator judges and not the other way round), into
# the target folder, makes every test of the evaluator a unit test of that copy, and runs cargo-mutants there one mutant after
# the other, each an incremental build of some seconds. A run that was stopped goes on where it was, and after a change
# of the sources only what was not caught is tried again; --fresh begins anew. FILTERs are file names, such as value.rs.
# Writes docs/reports/mutants.md and exits 1 while a survivor is not explained in scripts/mutants.explained or a mutant is
# not tried.
# Needs cargo-mutants and jq.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=${FLEET_MUTANTS_DIR:-$root/target/mutants}
tree=$work/tree
if [ "${1:-}" = --fresh ]; then rm -rf "$work/out"; shift; fi

files=(eval/mod.rs eval/expression.rs eval/function.rs eval/geo.rs value.rs pattern.rs predicate.rs document/mod.rs
  check/mod.rs check/condition.rs check/functions.rs check/typing.rs check/names.rs check/properties.rs check/fleet_index.rs check/rsql.rs check/lint.rs
  aggregate.rs aggregate/field.rs aggregate/statistics.rs query/mod.rs query/page.rs query/prepared.rs query/rows.rs query/select.rs)
[ $# -eq 0 ] || files=("$@")

# The copy. It is made anew, so that a run that was killed leaves no mutant behind.
rm -rf "$tree"
mkdir -p "$tree/crates"
git rev-parse HEAD >"$work/commit"
cp -r docs "$tree/"
cp -r crates/fleet-query "$tree/crates/"
crate=$tree/crates/fleet-query
rm -rf "$crate/src/index" "$crate/src/matching"
sed -i -e '/^pub mod index;/d' -e '/^pub mod matching;/d' -e '/doctest/,$d' "$crate/src/lib.rs"
sed -i -e '$ { /^\/\/\/ The examples/d }' "$crate/src/lib.rs"
cat >>"$crate/src/lib.rs" <<'RUST'
#[cfg(test)]
extern crate self as fleet_query;
RUST
for test in $(grep -LE 'fleet_generate|fleet_query::(index|matching)' "$crate"/tests/*.rs); do
  printf '#[cfg(test)]\n#[path = "../tests/%s"]\nmod %s_tests;\n' "$(basename "$test")" "$(basename -s .rs "$test")" >>"$crate/src/lib.rs"
done
sed -i -e '/fleet-generate/d' -e 's/^\[features\]/autotests = false\n\n[features]/' "$crate/Cargo.toml"
sed -e 's#^members.*#members = ["crates/fleet-query"]#' -e '/^exclude/d' -e '/^\[profile/,$d' Cargo.toml >"$tree/Cargo.toml"
printf '[profile.dev]\ndebug = false\nincremental = true\n[profile.dev.package."*"]\nopt-level = 1\n' >>"$tree/Cargo.toml"
cp Cargo.lock "$tree/"

export CARGO_TARGET_DIR=$work/target PROPTEST_CASES=16 INSTA_UPDATE=no
# What judges the condition algebra, and the long hostile texts of the parsers, would cost more than all the rest.
skipped=(-- --skip algebra --skip operators_without_end)
cd "$tree"
cargo test --quiet -p fleet-query --lib "${skipped[@]}" >"$work/baseline.log" 2>&1 || { tail -n 30 "$work/baseline.log"; echo "the tests fail without a mutant"; exit 1; }
wanted=()
for file in "${files[@]}"; do wanted+=(-f "**/src/$file"); done
again=(); [ -d "$work/out/mutants.out" ] && again=(--iterate)
cargo mutants --in-place --baseline skip --timeout 30 --build-timeout 300 -p fleet-query --cargo-arg=--lib --no-shuffle --colors never \
  -o "$work/out" "${again[@]}" "${wanted[@]}" -- "${skipped[@]}" >"$work/run.log" 2>&1 || true
cargo mutants --list -p fleet-query "${wanted[@]}" >"$work/all"
cd "$root"
FLEET_MUTANTS_DIR=$work scripts/mutants-report
