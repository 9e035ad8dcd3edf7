#!/bin/sh
# sh tests/arch/symbols.sh build/libnatlet.a
# Every symbol that the library defines for others starts with its prefix, and
# it asks the outside for nothing but functions on memory and strings: no allocator, no
# clock, no I/O, and nothing of src/platform.
set -eu
nm=${NM:-nm}
defined=$("$nm" -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u)
wanted=$("$nm" -u "$1" | awk '$1 == "U" { print $2 }' | sort -u)
bad=0
for s in $(echo "$defined" | grep -v '^natlet_'); do
    echo "not ok symbols  $s: a global symbol without the prefix natlet_"
    bad=1
done
for s in $wanted; do
    case $s in
    memcpy | memmove | memset | memcmp | memchr | strlen | strcmp | strchr | strstr | _GLOBAL_OFFSET_TABLE_) continue ;;
    esac
    if ! echo "$defined" | grep -qx "$s"; then
        echo "not ok symbols  $s: not the core's to call"
        bad=1
    fi
done
[ $bad -ne 0 ] || echo "ok symbols"
exit $bad
