#!/bin/sh
# Rules of style that a script can see.  Nesting is clang-tidy's (.clang-tidy),
# layout is clang-format's.
set -eu
cd "$(dirname "$0")/../.."
files=$(find . \( -name .git -o -name node_modules -o -path ./build \) -prune -o \
    -type f ! -name LICENSE ! -name package-lock.json ! -name '*.wasm' ! -name '*.png' -print | sort)
code=$(echo "$files" | grep -E '\.([ch]|mjs|js|cjs|sh|ts)$' || true)
c=$(echo "$files" | grep -E '\.[ch]$' || true)
bad=0
fail() { # reason, then the places on stdin
    while read -r place; do
        echo "not ok style  $1: $place"
        bad=1
    done
    return $bad
}

# The words are cut in two here so that this file passes its own test.
grep -nwE "TO""DO|FIX""ME|XX""X" $files | cut -c1-120 | fail "finish it or leave it out" || bad=1
grep -nE '/(work|home|root)/[a-z]' $files | grep -vE 'tests/fresh\.sh|\.md:' | cut -c1-120 |
    fail "a path of one machine" || bad=1
grep -nE '(deb|ftp|security|snapshot)[a-z.]*[.]debian[.]org|registry[.]npmjs|files[.]pythonhosted|[a-z]+[.]pkg[.]dev' $files |
    cut -c1-120 | fail "a registry's host name" || bad=1

for f in $code; do
    lines=$(wc -l <"$f")
    [ "$lines" -le 700 ] || echo "$f has $lines lines"
done | fail "a file of more than 700 lines" || bad=1

# Functions open and close in the first column.
for f in $c; do
    awk -v f="$f" '
        /^\{/ { start = NR }
        /^\}/ && start { if (NR - start - 1 > 60) print f ":" start " has " NR - start - 1 " lines"; start = 0 }' "$f"
done | fail "a function of more than 60 lines" || bad=1

# A declaration without a blank line before it shares the comment of the one above;
# X_stats_now() is explained by the struct X_stats.
for f in $(echo "$c" | grep '^\./include/'); do
    awk -v f="$f" '
        /^\/\*/ { text = ""; open = 1 }
        open { text = text $0 }
        /\*\// { if (open) { open = 0; fresh = 1 } next }
        open { next }
        /^[[:space:]]*$/ { text = ""; fresh = 0; next }
        /^[a-z].*natlet_[a-z0-9_]*\(/ && !/^typedef/ && !/^static/ && !/_now\(/ {
            if (text == "") print f ":" NR " has no comment"
            else if ($0 ~ /^natlet_status / && text !~ /Returns/) print f ":" NR " returns a status and its comment says not which"
        }' "$f"
done | fail "a public function" || bad=1

[ $bad -ne 0 ] || echo "ok style"
exit $bad
