#!/bin/sh
# sh tests/fuzz.sh TARGET SECONDS: fuzzes build/fuzz/…/f_TARGET, then says how
# often it ran and which share of the lines it reached.  The files it is about
# stand in tests/fuzz/f_TARGET.c, on as many lines as it takes:
#     /* covers: src/proto/parser.c src/ws/frame.c */
# Seeds: tests/fuzz/seeds/TARGET/; what was found new stays in build/corpus/TARGET.
set -eu
cd "$(dirname "$0")/.."
. build/tools/env
target=$1 seconds=$2
corpus=build/corpus/$target
seeds=tests/fuzz/seeds/$target
log=build/fuzz/$target.log
mkdir -p "$corpus" build/fuzz/found
[ -d "$seeds" ] || seeds=
dict=tests/fuzz/$target.dict
status=0
ASAN_SYMBOLIZER_PATH=$LLVM_SYMBOLIZER build/fuzz/tests/fuzz/f_$target -max_total_time="$seconds" -timeout=10 \
    -print_final_stats=1 -artifact_prefix=build/fuzz/found/$target- $([ ! -e "$dict" ] || echo "-dict=$dict") \
    "$corpus" $seeds >"$log" 2>&1 || status=$?
if [ $status -ne 0 ]; then
    grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD)' "$log" | tail -n 60
    echo "not ok fuzz $target  found something, see $log and build/fuzz/found/"
    exit 1
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")

# Coverage comes from a second build without sanitizers, which runs the corpus once.
profile=build/cov/$target
LLVM_PROFILE_FILE=$profile.raw build/cov/tests/fuzz/f_$target -runs=0 "$corpus" $seeds >/dev/null 2>&1
"$LLVM_PROFDATA" merge -o "$profile.data" "$profile.raw"
covers=$(awk '/covers:/ { in_it = 1 } in_it { print } in_it && /\*\// { exit }' "tests/fuzz/f_$target.c" |
    sed 's|^[ /]*\*||; s|\*/.*||; s|covers:||')
[ -n "$(echo $covers)" ] || { echo "not ok fuzz $target  tests/fuzz/f_$target.c does not say what it covers" && exit 1; }
"$LLVM_COV" report "build/cov/tests/fuzz/f_$target" -instr-profile="$profile.data" $covers |
    awk '/^-+$/ || NF < 10 || $1 == "Filename" { next } { printf "%-32s %5d lines  %s covered\n", $1, $8, $10 }'
"$LLVM_COV" show "build/cov/tests/fuzz/f_$target" -instr-profile="$profile.data" $covers >"$profile.txt"
echo "ok fuzz $target  $runs executions in $seconds s, $(ls "$corpus" | wc -l) inputs; line by line: $profile.txt"
