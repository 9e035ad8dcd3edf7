#!/bin/sh
# The layers of src/, as a test.  A file may include its own layer, the ones
# listed for it, and public headers whose layer it may know; no libc header but
# four, Mbed TLS in crypto and tls, zlib in ws and tls; no allocation, clock or I/O by name.  Every public
# four, Mbed TLS in crypto and tls, zlib in ws; no allocation, clock or I/O by name.  Every public
set -eu
cd "$(dirname "$0")/../.."

may() { # layer -> layers that it may include beside itself
    case $1 in
    base) ;;
    json | crypto | ws) echo base ;;
    proto) echo base json ;; # INFO and CONNECT are JSON
    tls | auth) echo base json crypto proto ws ;;
    client) echo base json crypto proto ws tls auth ;;
    service | jetstream) echo base json crypto proto ws tls auth client ;;
    kv | object) echo base json crypto proto ws tls auth client jetstream ;;
    agent) echo base json ;;
    bridge) echo base json client agent service jetstream ;;
    seed) echo base json client agent ;;
    platform) echo base ;;
    *) echo "?" ;;
    esac
}

public_layer() { # public header -> the layer that it speaks for; the others are everybody's
    case $1 in
    agent | mailbox | mail | supervisor | cell | registry | breaker | inspect | envelope | backend) echo agent ;;
    auth | client) echo "$1" ;;
    tls) echo client ;;
    service | jetstream | kv | object) echo "$1" ;;
    presence) echo service ;;
    bridge | deadletters | introspect) echo bridge ;;
    seed) echo seed ;;
    *) echo base ;;
    esac
}

bad=0
fail() {
    echo "not ok arrows  $*"
    bad=1
}

check_layer() { # file, layer, included layer
    [ "$2" = "$3" ] && return
    case " $(may "$2") " in
    *" $3 "*) ;;
    *) fail "$1: layer '$2' may not include layer '$3'" ;;
    esac
}

for f in $(find src -name '*.[ch]' | sort); do
    layer=$(echo "$f" | cut -d/ -f2)
    [ "$(may "$layer")" != "?" ] || fail "$f: '$layer' is not a layer"
    for inc in $(sed -n 's/^#[[:space:]]*include "\([^"]*\)".*/\1/p' "$f"); do
        case $inc in
        natlet.h | ../* | ./*) fail "$f: include \"$inc\": name the header from its root" ;;
        natlet/*) check_layer "$f" "$layer" "$(public_layer "$(basename "$inc" .h)")" ;;
        */*) check_layer "$f" "$layer" "${inc%%/*}" ;;
        *) fail "$f: include \"$inc\": name the header with its layer" ;;
        esac
    done
    [ "$layer" != platform ] || continue
    for sys in $(sed -n 's/^#[[:space:]]*include <\(.*\)>.*/\1/p' "$f"); do
        case $sys in
        stdbool.h | stddef.h | stdint.h | string.h) ;;
        mbedtls/* | psa/*)
            [ "$layer" = crypto ] || [ "$layer" = tls ] || fail "$f: <$sys> is for the layers crypto and tls only"
            ;;
        zlib.h) [ "$layer" = ws ] || fail "$f: <$sys> is for the layer ws only" ;;
        *) fail "$f: <$sys> is not for the core; ask the host instead" ;;
        esac
    done
    called=$(grep -noE '(^|[^_a-zA-Z0-9.>])(malloc|calloc|realloc|free|s?n?printf|fopen|time|clock|rand|abort|exit)\(' "$f" || true)
    [ -z "$called" ] || fail "$f: the core neither allocates nor does I/O by name: $called"
done

compile() { # header, language, standard
    printf '#include "%s"\nextern int one_declaration;\n' "${1#include/}" |
        ${CC:-cc} -x "$2" -std="$3" -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only - ||
        fail "$1 does not stand alone as $3"
}
for h in $(find include -name '*.h' | sort); do
    compile "$h" c c11
    compile "$h" c++ c++17
done
[ $bad -ne 0 ] || echo "ok arrows"
exit $bad
