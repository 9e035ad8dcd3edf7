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

passed=0 failed=0 stage=$log/.stage logs=
now() { date +%s%N; }

# suite NAME COMMAND...
suite() {
    name=$1
    shift
    case "$only" in
    "  " | *" $name "*) ;;
    *) return ;;
    esac
    began=$(now) status=0 logs="$logs $log/$name.log"
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

suite build sh -c "$make test-build && echo ok build"
suite unit-native $make unit-native
suite unit-asan $make asan
suite unit-wasm $make unit-wasm
suite unit-wasm-node24 $make unit-wasm-node24
suite unit-wasm-browser "$NODE" tests/browser/run-wasm-tests.mjs build/wasm/tests
suite checks $make -k gate
suite lab "$NODE" tests/support/lab-selftest.mjs
suite conformance "$NODE" tests/conformance/run.mjs
suite ws "$NODE" tests/conformance/ws/run.mjs
suite ws-peers "$NODE" tests/conformance/ws/peers.mjs
suite oracle "$NODE" tests/oracle/run.mjs
suite proto-dump "$NODE" tests/conformance/proto_dump.mjs
suite hosts "$NODE" tests/conformance/hosts.mjs
suite hosts-node24 env NODE="$NODE24" "$NODE24" tests/conformance/hosts.mjs
suite e2e "$NODE" tests/e2e/run.mjs
suite tls "$NODE" tests/e2e/tls/run.mjs
suite browser "$NODE" tests/browser/run.mjs
suite traps "$NODE" --expose-gc tests/traps/run.mjs
suite cells "$NODE" tests/cells/run.mjs
suite npm "$NODE" tests/npm/run.mjs
suite npm-node24 "$NODE24" tests/npm/run.mjs
suite slate "$NODE" demo/slate/run.mjs --check
suite readme sh tests/arch/readme.sh
suite demo sh -c '"$NODE" demo/run.mjs && echo "ok demo agents" && "$NODE" demo/lunatic/run.mjs && echo "ok demo lunatic"'
# After all that have cases of conformance: the table tells what they said.
suite conformance-table "$NODE" tests/conformance/table.mjs "${TABLE:-check}" tests/conformance/README.md $logs

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
