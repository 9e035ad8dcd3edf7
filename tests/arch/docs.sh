#!/bin/sh
# What src/README.md says of the code is so: every `path/file.c:function` that it
# names is defined there, the way of a MSG has five steps, and it stays within
# 200 lines.
set -eu
cd "$(dirname "$0")/../.."
doc=src/README.md
bad=0
fail() {
    echo "not ok docs  $1"
    bad=1
}

[ "$(wc -l <$doc)" -le 200 ] || fail "$doc has more than 200 lines"

for step in $(grep -oE '`[a-z_/]+\.c:[a-z_]+`' $doc | tr -d '`' | sort -u); do
    file=src/${step%%:*} function=${step##*:}
    if [ ! -f "$file" ]; then
        fail "$step: there is no $file"
    elif ! grep -qE "^[a-z].*[ *]$function\(" "$file"; then
        fail "$step: $file does not define $function"
    fi
done

steps=$(awk '/^### The way of a MSG/ { on = 1; next } /^##/ { on = 0 } on && /^[0-9]\. `/' $doc | wc -l)
[ "$steps" -eq 5 ] || fail "the way of a MSG has $steps steps, not 5"

[ $bad -ne 0 ] || echo "ok docs"
exit $bad
