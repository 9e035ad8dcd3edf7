# The parts of wasm/setup.sh: why_PART says what for, find_PART prints KEY=value
# lines or fails, get_PART gets what find_PART misses.  Sourced after debian.sh.

# Newest first would change code size and layout from machine to machine: 19 is in Debian 12 and 13.
llvm_versions="19 20 21 22"
node20=20.20.2
node24=24.21.0
npm10=10.9.9

# llvm NAME: a program of the first LLVM version that is there.
llvm() {
    local v names=""
    for v in $llvm_versions; do
        names="$names $1-$v"
    done
    use $names
}

# Prints KEY=path, or fails.  A plain `echo "K=$(cmd)"` would hide the failure.
key() {
    local path
    local name=$1
    shift
    path=$("$@") || return 1
    echo "$name=$path"
}

# ---- native

why_native() { echo "a C compiler for the library and the CLI"; }
find_native() {
    local cc
    cc=$(use gcc cc) || return 1
    # A compiler of the system whose libc6-dev had to be unpacked beside it.
    compiles "$cc" || { cc=$(wrap gcc "$cc" "--sysroot=$root") && compiles "$cc"; } || return 1
    echo "NATIVE_CC=$cc"
    key AR use ar && key NM use nm
}
compiles() {
    echo '#include <stdio.h>
int main(void) { return puts("") < 0; }' | "$1" -x c - -o "$tools/probe" 2>/dev/null && rm -f "$tools/probe"
}
get_native() { need gcc libc6-dev binutils; }

# ---- clang, lint, cov

why_clang() { echo "clang, for the sanitized build and the fuzzers"; }
find_clang() {
    local clang
    key CLANG llvm clang && key LLVM_SYMBOLIZER llvm llvm-symbolizer || return 1
    clang=$(llvm clang)
    ls "$("$clang" -print-resource-dir)"/lib/linux/libclang_rt.asan-*.a >/dev/null 2>&1
}
get_clang() { need clang-19 libclang-rt-19-dev llvm-19 libc6-dev; }

why_lint() { echo "clang-format and clang-tidy 19, for make check (their output differs between releases)"; }
find_lint() { key CLANG_FORMAT use clang-format-19 && key CLANG_TIDY use clang-tidy-19; }
get_lint() { need clang-format-19 clang-tidy-19; }

why_cov() { echo "llvm-cov, for the line coverage that make fuzz prints"; }
find_cov() { key LLVM_COV llvm llvm-cov && key LLVM_PROFDATA llvm llvm-profdata; }
get_cov() { need llvm-19; }

# ---- wasm

why_wasm() { echo "clang, lld, wasi-libc, builtins and wasm-opt, for WebAssembly (set WASI_SDK_PATH to use a wasi-sdk)"; }
find_wasm() {
    local cc ar nm dump sysroot opt target rt
    if [ -n "${WASI_SDK_PATH:-}" ]; then
        cc=$WASI_SDK_PATH/bin/clang ar=$WASI_SDK_PATH/bin/llvm-ar sysroot=$WASI_SDK_PATH/share/wasi-sysroot
        [ -x "$cc" ] || die "WASI_SDK_PATH has no bin/clang"
        nm=$WASI_SDK_PATH/bin/llvm-nm dump=$WASI_SDK_PATH/bin/llvm-objdump
    else
        cc=$(llvm clang) && ar=$(llvm llvm-ar) && nm=$(llvm llvm-nm) && dump=$(llvm llvm-objdump) || return 1
        llvm wasm-ld >/dev/null || return 1
        sysroot=$(wasi_sysroot) || return 1
    fi
    opt=$(use wasm-opt) || return 1
    target=wasm32-wasip1
    rt=$("$cc" --target=$target -print-libgcc-file-name)
    # Debian ships the builtins under lib/wasi only; clang 19 to 21 look for wasip1 elsewhere.
    [ -e "$rt" ] || rt=$("$cc" -Wno-deprecated --target=wasm32-wasi -print-libgcc-file-name)
    [ -e "$rt" ] || return 1
    printf '%s\n' "WASM_CC=$cc" "WASM_SYSROOT=$sysroot" "WASM_TARGET=$target" "WASM_RT=$rt" \
        "LLVM_AR=$ar" "LLVM_NM=$nm" "WASM_OBJDUMP=$dump" "WASM_OPT=$opt"
}
# wasi-libc knows wasip1 since 2024: Debian 12 has that only in its backports.
wasi_sysroot() {
    local dir
    for dir in /usr "$tools/wasi-libc/usr" "$root/usr"; do
        [ ! -e "$dir/include/wasm32-wasip1/stdio.h" ] || { echo "$dir" && return 0; }
    done
    return 1
}
get_wasm() {
    if [ -z "${WASI_SDK_PATH:-}" ]; then
        llvm clang >/dev/null && llvm wasm-ld >/dev/null && llvm llvm-ar >/dev/null &&
            ls "$(dirname "$("$(llvm clang)" --target=wasm32-wasi -print-libgcc-file-name)")" >/dev/null 2>&1 ||
            need clang-19 lld-19 llvm-19 libclang-rt-19-dev-wasm32
        if ! wasi_sysroot >/dev/null; then
            case $(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release) in
            bookworm) fetch "$tools/wasi-libc" bookworm-backports wasi-libc ;;
            *) need wasi-libc ;;
            esac
        fi
    fi
    use wasm-opt >/dev/null || need binaryen
}

# ---- sources

why_sources() { echo "sources of Mbed TLS (SHA-512), dropbear (Ed25519) and zlib (deflate), which become part of the library (see NOTICE)"; }
find_sources() {
    key MBEDTLS source_of mbedtls library/sha512.c && key DROPBEAR source_of dropbear src/curve25519.c &&
        key ZLIB source_of zlib deflate.c
}
# source_of PKG FILE: where the first accepted version lies that is there.
source_of() {
    local dir
    for dir in $(sed -n "s|^$1 \([^ ]*\) .*|$tools/sources/$1-\1|p" wasm/sources.txt); do
        [ ! -e "$dir/$2" ] || { echo "$dir" && return 0; }
    done
    return 1
}
get_sources() {
    source_of mbedtls library/sha512.c >/dev/null || upstream mbedtls trixie testing || return 1
    source_of dropbear src/curve25519.c >/dev/null || upstream dropbear trixie testing || return 1
    source_of zlib deflate.c >/dev/null || upstream zlib trixie testing
}

# ---- server

why_server() { echo "nats-server, the newest one and 2.9, for the demo and the tests (set NATS_SERVER to use your own)"; }
find_server() {
    local new old
    new=${NATS_SERVER:-}
    if [ -z "$new" ]; then
        for new in "$tools/nats-testing/usr/sbin/nats-server" "$tools/nats-trixie/usr/sbin/nats-server" ""; do
            runs "$new" && break
        done
    fi
    new=$(command -v "${new:-/missing}") || { [ -z "${NATS_SERVER:-}" ] || die "NATS_SERVER=$NATS_SERVER is not a program"; return 1; }
    old=$tools/nats-bookworm/usr/sbin/nats-server
    runs "$old" || return 1
    printf '%s\n' "NATS_SERVER=$new" "NATS_SERVER_OLD=$old"
}
runs() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1; }
# Unpacked, never installed: the package would start a server on this machine.
get_server() {
    runs "$tools/nats-bookworm/usr/sbin/nats-server" || fetch "$tools/nats-bookworm" bookworm nats-server
    [ -z "${NATS_SERVER:-}" ] || return 0
    fetch "$tools/nats-testing" testing nats-server && runs "$tools/nats-testing/usr/sbin/nats-server" ||
        fetch "$tools/nats-trixie" trixie nats-server
}

# ---- node, node24, npm

why_node() { echo "Node.js 20 or newer, to run modules and tests"; }
find_node() {
    local npm node
    npm=$(find_npm_program) || return 1
    for node in "$(command -v node)" "$(npm_binary node20)"; do
        [ -x "$node" ] && "$node" -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' && break
        node=
    done
    [ -n "$node" ] && printf '%s\n' "NODE=$node" "NPM=$npm"
}
find_npm_program() {
    command -v npm && return 0
    [ -e "$tools/node20/node_modules/npm/bin/npm-cli.js" ] || return 1
    wrap npm "$(npm_binary node20)" "$tools/node20/node_modules/npm/bin/npm-cli.js"
}
get_node() {
    if ! find_npm_program >/dev/null; then
        need nodejs npm ca-certificates
        as_root >/dev/null || first_npm || return 1
    fi
    find_node >/dev/null || npm_node node20 "$node20"
}
# Without root, Debian's Node is used once, to fetch a Node and an npm that work
# from any place.  It has /usr/share/nodejs compiled in and does not start
# without the files there, so those bytes become a path below its current folder.
first_npm() {
    LC_ALL=C sed -i 's|/usr/share/nodejs/|.//////////nodejs/|g' "$root"/usr/lib/*/libnode.so.*
    if [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then
        cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$tools/ca.crt"
        export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$tools/ca.crt}"
    fi
    say "  npm install npm@$npm10 node-linux-$(npm_arch)@$node20"
    mkdir -p "$tools/node20"
    (
        cd "$root/usr/share" || exit 1
        export NODE_PATH="$PWD/nodejs" LD_LIBRARY_PATH="$tools/lib"
        quietly "$root/usr/bin/node" nodejs/npm/bin/npm-cli.js install --prefix "$tools/node20" --no-save --no-audit \
            --no-fund --ignore-scripts "npm@$npm10" "node-linux-$(npm_arch)@$node20"
    )
}

why_node24() { echo "Node.js 24, to run the tests on it as well"; }
find_node24() {
    local node
    for node in "$(command -v node)" "$(npm_binary node24)"; do
        [ -x "$node" ] && "$node" -e 'process.exit(parseInt(process.versions.node) < 24 ? 1 : 0)' || continue
        echo "NODE24=$node"
        return 0
    done
    return 1
}
get_node24() {
    find_npm_program >/dev/null || get_node
    npm_node node24 "$node24"
}
npm_binary() { echo "$tools/$1/node_modules/node-linux-$(npm_arch)/bin/node"; }
npm_arch() {
    case $arch in
    amd64) echo x64 ;;
    *) echo "$arch" ;;
    esac
}
# npm's package `node` only picks one of these by an install script.
npm_node() {
    say "  npm install node-linux-$(npm_arch)@$2"
    mkdir -p "$tools/$1"
    quietly "$(find_npm_program)" install --prefix "$tools/$1" --no-save --no-audit --no-fund --ignore-scripts \
        "node-linux-$(npm_arch)@$2"
}

why_npm() { echo "nats.js and what builds on it, ws, react, esbuild, TypeScript and playwright-core from npm, as peers and tools of the tests"; }
find_npm() {
    [ "$tools/npm/node_modules/.package-lock.json" -nt tests/package-lock.json ] &&
        echo "NPM_DIR=$tools/npm/node_modules"
}
get_npm() {
    find_node >/dev/null || get_node
    mkdir -p "$tools/npm"
    cp tests/package.json tests/package-lock.json "$tools/npm/"
    say "  npm ci"
    quietly "$(find_npm_program)" ci --prefix "$tools/npm" --no-audit --no-fund --ignore-scripts || return 1
    touch "$tools/npm/node_modules/.package-lock.json"
    # So that a plain import works in everything below tests/.
    ln -sfn ../build/tools/npm/node_modules tests/node_modules
}

# ---- browser

why_browser() { echo "Chromium, for the tests in a browser (set CHROMIUM to use your own)"; }
find_browser() {
    if [ -n "${CHROMIUM:-}" ]; then
        echo "CHROMIUM=$CHROMIUM"
    elif [ -x "$root/usr/lib/chromium/chromium" ]; then
        echo "CHROMIUM=$(wrap_env="FONTCONFIG_SYSROOT=$root" wrap chromium "$root/usr/lib/chromium/chromium")"
    else
        key CHROMIUM use chromium chromium-browser google-chrome
    fi
}
get_browser() { need chromium; }

# ---- pkgconf, wabt: what single suites need

why_pkgconf() { echo "pkg-config, for the test of what make install installs"; }
find_pkgconf() { key PKG_CONFIG use pkgconf pkg-config; }
get_pkgconf() { need pkgconf; }

why_wabt() { echo "wasm2c, for the host that turns modules into C"; }
# The sources of wabt's runtime become part of what wasm2c makes.
find_wabt() {
    local dir
    key WASM2C use wasm2c || return 1
    for dir in /usr/src/wasm2c "$root/usr/src/wasm2c"; do
        [ ! -e "$dir/wasm-rt-impl.c" ] || { echo "WASM_RT_DIR=$dir" && return 0; }
    done
    return 1
}
get_wabt() { need wabt; }

# ---- proxies

why_proxies() { echo "nginx and haproxy, for the tests through a proxy that ends TLS (set NGINX and HAPROXY to use your own)"; }
find_proxies() {
    local name key count=0
    for name in nginx haproxy; do
        key=$(echo $name | tr a-z A-Z)
        PATH=$PATH:/usr/sbin key "$key" proxy $name && count=$((count + 1))
    done
    # The tests pass over one that cannot be had.
    [ $count -eq 2 ] || [ -n "${proxies_tried:-}" ]
}
proxy() {
    command -v "$1" && return 0
    [ -x "$root/usr/sbin/$1" ] && wrap "$1" "$root/usr/sbin/$1"
}
# Unpacked for root as well, never installed: the packages would start services on this machine.
get_proxies() {
    local name
    proxies_tried=1
    for name in nginx haproxy; do
        PATH=$PATH:/usr/sbin proxy $name >/dev/null || (NATLET_NO_ROOT=1 && need $name) ||
            say "  going on without $name (to try again: rm build/tools/proxies.ok)"
    done
}

# ---- fresh

why_fresh() { echo "debootstrap, to try everything in a new system"; }
find_fresh() { PATH=$PATH:/usr/sbin key DEBOOTSTRAP command -v debootstrap; }
get_fresh() { need debootstrap; }
