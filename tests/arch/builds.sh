#!/bin/sh
# sh tests/arch/builds.sh check|size NATIVE.a POSIX.a WASM.a WASM.o...
# The seed's three builds (builds.c): agents alone, with its client, with all a client
# can do.  `check` lets the first two run natively, without a server, and wants no file of
# client, ws, proto, auth or crypto in the first one, by what the linkers say they took
# (--trace, twice for members), natively and as wasm.  `size` prints the bytes of the modules.
# CC, NODE, and the words of WASM_CC and WASM_OPT compile, link and shrink.
set -eu
cd "$(dirname "$0")/../.."
what=$1 native=$2 posix=$3 wasm=$4
shift 4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

layers() { # every file of the library that belongs to the network, and is not named as one that does not
    for file in src/client/*.c src/ws/*.c src/proto/*.c src/auth/*.c src/crypto/*.c src/bridge/*.c; do
        basename "$file" .c
    done | grep -vxE "$(basename -a src/base/*.c src/json/*.c src/agent/*.c src/seed/*.c src/platform/*.c | sed 's/[.]c$//' | paste -sd '|')"
}

link_native() { # name, flags
    name=$1
    shift
    $CC -std=c11 -O2 -ffunction-sections -D_DEFAULT_SOURCE -Iinclude -Ihost-shims "$@" tests/arch/builds.c \
        "$posix" "$native" -pthread -Wl,--gc-sections -Wl,--trace,--trace -o "$dir/$name" >"$dir/native-$name.trace"
}

link_wasm() { # name, flags
    name=$1
    shift
    $WASM_CC -Iinclude "$@" tests/arch/builds.c $objects "$wasm" $WASM_LIBS -Wl,--trace,--trace \
        -o "$dir/$name.link" >"$dir/wasm-$name.trace"
}

objects="$*"
if [ "$what" = size ]; then
    for build in agents: ws:-DWS nats:-DNATS; do
        name=${build%%:*} flag=${build#*:}
        link_wasm "$name" ${flag:+"$flag"}
        $WASM_OPT "$dir/$name.link" -o "$dir/$name.wasm"
        printf 'seed build %-21s%10s%s%10s\n' "$name" "$(wc -c <"$dir/$name.wasm")" '                    ' \
            "$(gzip -9 <"$dir/$name.wasm" | wc -c)"
    done
    exit 0
fi

link_native agents
link_native ws -DWS
link_native nats -DNATS
link_wasm agents
link_wasm ws -DWS
for build in agents ws; do
    if [ "$("$dir/$build")" != 1000 ]; then
        echo "not ok builds  the agents of $build do not play without a server"
        bad=1
    fi
done
for place in native wasm; do
    for file in $(layers); do
        if grep -q "[()]$file[.]o" "$dir/$place-agents.trace"; then
            echo "not ok builds $place  $file.c is in a program without a network"
            bad=1
        fi
    done
    for file in link window parser frame; do
        if ! grep -q "[()]$file[.]o" "$dir/$place-ws.trace"; then
            echo "not ok builds $place  $file.c is not where it has to be: what is looked at?"
            bad=1
        fi
    done
done
[ $bad -ne 0 ] || echo "ok builds: agents alone are $(wc -c <"$dir/agents.link") bytes of wasm, with a client $(wc -c <"$dir/ws.link")"
exit $bad
