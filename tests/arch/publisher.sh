#!/bin/sh
# sh tests/arch/publisher.sh NATIVE.a WASM.a
# What a program does not use it does not carry (src/client/optional.h): publisher.c,
# linked as a publisher and with all there is, natively and as wasm.  The linkers say
# which files of the library they took (--trace, twice for members), and both sizes are held against each
# other.  CC, SIZE, and the words of WASM_CC compile and link.
set -eu
cd "$(dirname "$0")/../.."
optional="compress deflate subscribe subscriptions requests many queue drain ledger offline secure"
least=6000 # bytes that a publisher must be smaller
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

link() { # place, name, more flags: what was linked to $dir/NAME, what was taken to NAME.trace
    place=$1 name=$2
    shift 2
    if [ "$place" = native ]; then
        $CC -std=c11 -O2 -ffunction-sections -Iinclude "$@" tests/arch/publisher.c "$native" \
            -Wl,--gc-sections -Wl,--strip-all -Wl,--trace,--trace -o "$dir/$name" >"$dir/$name.trace"
    else
        $WASM_CC -Iinclude "$@" tests/arch/publisher.c "$wasm" $WASM_LIBS \
            -Wl,--strip-all -Wl,--trace,--trace -o "$dir/$name" >"$dir/$name.trace"
    fi
}

native=$1 wasm=$2
for place in native wasm; do
    link $place $place-publisher
    link $place $place-full -DFULL
    for file in $optional; do
        if grep -q "[()]$file[.]o" "$dir/$place-publisher.trace"; then
            echo "not ok publisher $place  $file.c is in a program that never asked for it"
            bad=1
        fi
        if ! grep -q "[()]$file[.]o" "$dir/$place-full.trace"; then
            echo "not ok publisher $place  $file.c is not where it has to be: what is compared?"
            bad=1
        fi
    done
    less=$(wc -c <"$dir/$place-publisher")
    full=$(wc -c <"$dir/$place-full")
    if [ $((full - less)) -lt $least ]; then
        echo "not ok publisher $place  $less bytes, with all there is $full"
        bad=1
    else
        echo "ok publisher $place: $less bytes, with all there is $full"
    fi
done
exit $bad
