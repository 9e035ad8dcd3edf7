#!/bin/sh
# Everything that `make test` runs: sh tests/run.sh MAKE [SUITE...]
#
# A suite is a command that prints "ok NAME" or "not ok NAME  reason" for each
# test and exits with 0 if all went well.  One that fails without saying so, or
# says nothing at all, counts as one failure.  Each gets a line with its time;
# the last line of all is "N passed, N failed".  Logs: build/log/SUITE.log.
set -u
cd "$(dirname "$0")/.."
make=$1
shift
only=" $* "
log=build/log
mkdir -p $log
set -a
. build/tools/env
set +a
case " ${MAKEFLAGS:-} " in
*" -j"* | *jobserver*) jobs= ;;
*) jobs=-j$(nproc) ;;
esac
make="$make -s $jobs"
export TAP=1 # every case by name, also from tests/unit.sh

# Suites that may be missing because nobody has written them yet.  In the end: none.
unwritten="unit-wasm-browser conformance hosts hosts-node24 e2e browser readme"

passed=0 failed=0 stage=$log/.stage
now() { date +%s%N; }

# suite NAME FILE COMMAND...: FILE is what the suite is made of.
suite() {
    name=$1 file=$2
    shift 2
    case "$only" in
    "  " | *" $name "*) ;;
    *) return ;;
    esac
    if [ ! -e "$file" ]; then
        case " $unwritten " in
        *" $name "*) return ;;
        esac
    fi
    began=$(now) status=0
    timeout -k 10 "${SUITE_SECONDS:-900}" "$@" >"$log/$name.log" 2>&1 </dev/null || status=$?
    grep '^ok ' "$log/$name.log" >"$stage.ok"
    grep '^not ok ' "$log/$name.log" >"$stage.bad"
    if [ $status -ne 0 ] && [ ! -s "$stage.bad" ]; then
        echo "not ok $name  exit status $status" >"$stage.bad"
    elif [ ! -s "$stage.ok" ] && [ ! -s "$stage.bad" ]; then
        echo "not ok $name  it ran no test" >"$stage.bad"
    fi
    good=$(wc -l <"$stage.ok") bad=$(wc -l <"$stage.bad")
    passed=$((passed + good)) failed=$((failed + bad))
    ms=$((($(now) - began) / 1000000))
    printf '%4d.%d s  %-24s %5d passed %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$name" "$good" \
        "$([ "$bad" -eq 0 ] || echo "$bad FAILED, see $log/$name.log")"
    if [ "$bad" -ne 0 ]; then
        sed 's/^/          /' "$stage.bad"
        [ "$(wc -l <"$log/$name.log")" -gt 40 ] || sed 's/^/          | /' "$log/$name.log"
    fi
}

suite build Makefile sh -c "$make test-build && echo ok build"
suite unit-native Makefile $make unit-native
suite unit-asan Makefile $make asan
suite unit-wasm Makefile $make unit-wasm
suite unit-wasm-node24 Makefile $make unit-wasm-node24
suite unit-wasm-browser tests/browser/run-wasm-tests.mjs "$NODE" tests/browser/run-wasm-tests.mjs build/wasm/tests
suite checks Makefile $make -k gate
suite conformance tests/conformance/run.mjs "$NODE" tests/conformance/run.mjs
suite proto-dump tests/conformance/proto_dump.mjs "$NODE" tests/conformance/proto_dump.mjs
suite hosts tests/conformance/hosts.mjs "$NODE" tests/conformance/hosts.mjs
suite hosts-node24 tests/conformance/hosts.mjs env NODE="$NODE24" "$NODE24" tests/conformance/hosts.mjs
suite e2e tests/e2e/run.mjs "$NODE" tests/e2e/run.mjs
suite browser tests/browser/run.mjs "$NODE" tests/browser/run.mjs
suite readme README.md sh tests/arch/readme.sh

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
