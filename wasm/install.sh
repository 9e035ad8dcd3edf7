#!/bin/sh
# sh wasm/install.sh install|uninstall PREFIX BUILD       DESTDIR comes from the environment
#
#   include/natlet.h natlet/*.h natlet_posix.h natlet_files.h
#   bin/natlet   lib/libnatlet.a  libnatlet_posix.a   lib/pkgconfig/natlet.pc  natlet-posix.pc
#   lib/wasm32-wasip1/libnatlet.a                     lib/wasm32-wasip1/pkgconfig/natlet.pc  natlet-reactor.pc
#   lib/cmake/natlet/     share/natlet/wasm/*.wasm    share/doc/natlet/
#
# share/natlet/installed lists what was put there, for uninstall and for the next
# install, which first removes what a version before it left.
set -eu
cd "$(dirname "$0")/.."
what=$1 prefix=$2 build=$3
case $prefix in
/*) ;;
*) echo "install: PREFIX must be absolute, not '$prefix'" >&2 && exit 2 ;;
esac
top=${DESTDIR:-}$prefix
list=share/natlet/installed
version=$(sed -n 's/^#define NATLET_VERSION "\(.*\)"/\1/p' include/natlet/version.h)

remove() {
    [ -f "$top/$list" ] || return 0
    while read -r file; do
        case $file in
        /* | *..*) continue ;; # nothing that we wrote
        esac
        rm -f "$top/$file"
    done <"$top/$list"
    rm -f "$top/$list"
    # Folders of our own, and such as others share if they are empty now.
    for dir in include/natlet lib/cmake/natlet lib/cmake lib/wasm32-wasip1/pkgconfig lib/wasm32-wasip1 lib/pkgconfig \
        share/natlet/wasm share/natlet share/doc/natlet share/doc; do
        [ ! -d "$top/$dir" ] || rmdir "$top/$dir" 2>/dev/null || true
    done
}

# put MODE FILE FOLDER [NAME]
put() {
    mkdir -p "$top/$3"
    install -m "$1" "$2" "$top/$3/${4:-$(basename "$2")}"
    echo "$3/${4:-$(basename "$2")}" >>"$top/$list"
}

# fill FILE FOLDER [NAME]: a file with @VERSION@ in it
fill() {
    mkdir -p "$top/$2"
    sed "s/@VERSION@/$version/g" "wasm/install/$1" >"$top/$2/${3:-$1}"
    chmod 644 "$top/$2/${3:-$1}"
    echo "$2/${3:-$1}" >>"$top/$list"
}

remove
[ "$what" = install ] || exit 0
mkdir -p "$top/share/natlet"
: >"$top/$list"
put 755 "$build/natlet" bin
put 644 include/natlet.h include
for file in include/natlet/*.h; do
    put 644 "$file" include/natlet
done
for file in host-shims/posix/natlet_posix.h host-shims/posix/natlet_files.h; do
    put 644 "$file" include
done
put 644 "$build/libnatlet.a" lib
put 644 "$build/libnatlet_posix.a" lib
put 644 "$build/wasm/portable/libnatlet.a" lib/wasm32-wasip1
for name in natlet natlet-core natlet-cli; do
    put 644 "$build/wasm/$name.wasm" share/natlet/wasm
done
fill natlet.pc lib/pkgconfig
fill natlet-posix.pc lib/pkgconfig
fill natlet-wasm.pc lib/wasm32-wasip1/pkgconfig natlet.pc
fill natlet-reactor.pc lib/wasm32-wasip1/pkgconfig
fill natlet-config.cmake lib/cmake/natlet
fill natlet-config-version.cmake lib/cmake/natlet
for file in LICENSE NOTICE README.md CHANGELOG.md; do
    put 644 "$file" share/doc/natlet
done
echo "installed natlet $version below $top"
