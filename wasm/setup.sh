#!/bin/sh
# Finds or gets the tools of the build: sh wasm/setup.sh PART...
#
# The Makefile's targets call it with the parts that they need; a part that is
# there costs a few milliseconds.  What a part found stands in
# build/tools/PART.env as KEY=value lines, all parts together in build/tools/env,
# which make can include and sh can source.  How packages come: wasm/debian.sh.
#
#   native    C compiler and binutils          server    nats-server, newest and 2.9
#   clang     clang with its sanitizers        node      Node.js >= 20 and npm
#   lint      clang-format, clang-tidy         node24    Node.js 24
#   cov       llvm-cov, llvm-profdata          npm       packages for the tests
#   wasm      compiler for wasm32-wasip1       browser   Chromium
#   sources   third-party source packages      fresh     debootstrap (root only)
#   pkgconf   pkg-config                       wabt      wasm2c, modules as C
#   proxies   nginx and haproxy
#
# The user's word wins: WASI_SDK_PATH (a wasi-sdk), NATS_SERVER, CHROMIUM.
# NATLET_NO_ROOT=1 keeps it from installing anything into the system.
set -eu
cd "$(dirname "$0")/.."
tools=$PWD/build/tools
wishes="WASI_SDK_PATH=${WASI_SDK_PATH:-} NATS_SERVER=${NATS_SERVER:-} CHROMIUM=${CHROMIUM:-} NO_ROOT=${NATLET_NO_ROOT:-}"

# A part is there if nothing that it was found with has changed, and what it found still exists.
there() {
    ok=$tools/$1.ok
    [ -e "$tools/env" ] || return 1
    [ "$ok" -nt wasm/setup.sh ] && [ "$ok" -nt wasm/debian.sh ] || return 1
    [ "$1" != npm ] || [ "$ok" -nt tests/package-lock.json ] || return 1
    [ "$1" != sources ] || [ "$ok" -nt wasm/sources.txt ] || return 1
    read -r was <"$ok" && [ "$was" = "$wishes" ] || return 1
    while IFS='=' read -r key value; do
        case $value in
        /*) [ -e "$value" ] || return 1 ;;
        esac
    done <"$tools/$1.env"
}

missing=
for part in "$@"; do
    there "$part" 2>/dev/null || missing="$missing $part"
done
[ -n "$missing" ] || exit 0

mkdir -p "$tools"
exec 9>"$tools/lock"
flock 9 # two makes at once: the second waits, then finds everything
. wasm/debian.sh
. wasm/parts.sh
for part in $missing; do
    there "$part" 2>/dev/null && continue
    if ! "find_$part" >"$tools/$part.new"; then
        say "$part: $("why_$part")"
        "get_$part" || die "$part could not be set up"
        "find_$part" >"$tools/$part.new" || die "$part was set up, but is not to be found"
    fi
    # Objects depend on the .env file: it stays untouched if it says the same.
    cmp -s "$tools/$part.new" "$tools/$part.env" || cp "$tools/$part.new" "$tools/$part.env"
    rm -f "$tools/$part.new"
    echo "$wishes" >"$tools/$part.ok"
    cat "$tools"/*.env >"$tools/env.new"
    mv "$tools/env.new" "$tools/env"
done
