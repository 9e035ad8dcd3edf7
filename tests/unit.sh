#!/bin/sh
# Runs unit test programs side by side: sh tests/unit.sh DIR RUNNER PROGRAM...
#
# A program prints "ok NAME" or "not ok NAME  reason" for each case and exits
# with 0 if all went well.  One that prints neither counts as one case; one that
# fails without saying so is a failure.  Logs stand in DIR/log.
set -eu
dir=$1 runner=$2
shift 2
mkdir -p "$dir/log"
one='
    name=$(basename "$3" .wasm) log=$1/log/$name.log st=0
    timeout -k 5 120 $2 "$3" >"$log" 2>&1 || st=$?
    grep -E "^(not )?ok " "$log" | sed "s/ok /ok $name /" >"$log.cases" || true
    if [ $st -ne 0 ] && ! grep -q "^not ok" "$log.cases"; then
        echo "not ok $name  exit status $st" >>"$log.cases"
    elif [ ! -s "$log.cases" ]; then
        echo "ok $name" >"$log.cases"
    fi
    if grep -q "^not ok" "$log.cases"; then
        sed "s/^/    /" "$log" >>"$log.cases"
    fi
    cat "$log.cases"
'
export UBSAN_OPTIONS=print_stacktrace=1
ASAN_SYMBOLIZER_PATH=$(sed -n 's/^LLVM_SYMBOLIZER=//p' build/tools/env)
[ -z "$ASAN_SYMBOLIZER_PATH" ] || export ASAN_SYMBOLIZER_PATH
out=$(printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' sh -c "$one" - "$dir" "$runner" '{}')
# The runner wants every line; a person wants what failed.
if [ -n "${TAP:-}" ]; then
    echo "$out"
else
    echo "$out" | grep -v '^ok ' || true
    echo "$dir: $(echo "$out" | grep -c '^ok ') ok, $(echo "$out" | grep -c '^not ok ') not ok"
fi
! echo "$out" | grep -q '^not ok '
