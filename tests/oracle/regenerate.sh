#!/bin/sh
# Writes the random scenarios and lets Erlang/OTP 25 write all traces: sh tests/oracle/regenerate.sh NODE
#
# Takes a few minutes, for Erlang's clock is a real one.  The scenarios are played twice: a trace that
# depends on luck would be worthless.  A busy machine is no luck either: they run before all others.
set -eu
cd "$(dirname "$0")"
command -v erlc >/dev/null || {
    echo "erlc is missing; Debian has it in erlang-base" >&2
    exit 1
}
release=$(erl -noshell -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')
[ "$release" = 25 ] || {
    echo "these are the rules of OTP 25, and this is OTP $release" >&2
    exit 1
}
out=../../build/oracle
mkdir -p $out
erlc -o $out otp.erl otp_signals.erl
"${1:-node}" gen.mjs >random.txt
"${1:-node}" gen.mjs signals >random-signals.txt
for name in hand random signals random-signals; do
    case $name in # what is told to several is told in one order where one thing happens at a time
    *signals) schedulers="+S 1:1" ;;
    *) schedulers= ;;
    esac
    for try in 1 2; do
        nice -n -19 erl $schedulers -noshell -pa $out -run otp main $name.txt >$out/$name.$try
    done
    cmp $out/$name.1 $out/$name.2
    mv $out/$name.1 $name.trace
    echo "  otp   tests/oracle/$name.trace: $(grep -c '^## ' $name.trace) scenarios"
done
