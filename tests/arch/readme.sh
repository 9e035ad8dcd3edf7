#!/bin/sh
# What README.md and that of the npm package show is real: every block marked ```c that has a main() is
# compiled as a user would and run against a nats-server of its own; every block
# marked ```js is run in Node with the package of this tree; every command of a
# block marked ```sh that begins with build/natlet is run, sub and reply in the
# background until the others have ended.  The server's address in the text is
# replaced by the one that is up.  The page on writing agents names its files: they are
# put where it says, and each of its ```sh blocks is run as it stands.
set -eu
cd "$(dirname "$0")/../.."
. build/tools/env
dir=$(mktemp -d)
server=
waiting=
cleanup() {
    for pid in $waiting; do
        kill "$pid" 2>/dev/null || true
    done
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# extract LANGUAGE: writes block N to $dir/N.LANGUAGE
extract() {
    awk -v lang="$1" -v dir="$dir" '
        $0 == "```" lang { n++; file = dir "/" n "." lang; next }
        /^```/ { file = "" }
        file { print > file }' README.md host-shims/js/README.md
}
extract c
extract js
cat README.md | awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on && /^build\/natlet / { print }' >"$dir/commands"

# Port -1: the server takes free ones and writes them down.
cat >"$dir/server.conf" <<CONF
host: 127.0.0.1
port: -1
ports_file_dir: "$dir"
websocket { host: 127.0.0.1, port: -1, no_tls: true }
CONF
"$NATS_SERVER" -c "$dir/server.conf" >"$dir/server.log" 2>&1 &
server=$!
ports=
for _ in $(seq 100); do
    ports=$(ls "$dir"/*.ports 2>/dev/null) && [ -s "$ports" ] && break
    sleep 0.05
done
[ -n "$ports" ] || { echo "not ok readme  no nats-server: $(tail -n 1 "$dir/server.log")" && exit 1; }
url() { grep -oE "\"$1://[^\"]*\"" "$ports" | head -n 1 | tr -d '"'; }
tcp=$(url nats) ws=$(url ws)

bad=0
try() { # name, command...
    name=$1
    shift
    if NATS_URL=$tcp timeout 20 "$@" >"$dir/out" 2>&1; then
        echo "ok readme $name"
    else
        echo "not ok readme $name  $(head -n 3 "$dir/out" | tr '\n' ' ')"
        bad=1
    fi
}
here() { sed -E "s#ws://(127\.0\.0\.1|localhost):[0-9]+#$ws#g; s#nats://(127\.0\.0\.1|localhost):[0-9]+#$tcp#g" "$1"; }
n=0
here "$dir/commands" >"$dir/run"
while read -r line; do
    n=$((n + 1))
    case $line in
    "build/natlet sub "* | "build/natlet reply "*)
        timeout 20 sh -c "exec $line" >"$dir/waiting.$n" 2>&1 &
        waiting="$waiting $!"
        for _ in $(seq 100); do
            grep -q listening "$dir/waiting.$n" && break
            sleep 0.05
        done
        ;;
    *) try "command $n" sh -c "$line" ;;
    esac
done <"$dir/run"
for pid in $waiting; do
    if wait "$pid"; then
        echo "ok readme waiting command"
    else
        echo "not ok readme waiting command  $(cat "$dir"/waiting.* | head -n 3 | tr '\n' ' ')"
        bad=1
    fi
done
waiting=

for program in "$dir"/*.c "$dir"/*.js; do
    [ -e "$program" ] || continue
    here "$program" >"$program.here" && mv "$program.here" "$program"
    block="$(basename "$program")"
    case $program in
    *.c)
        grep -q 'int main(' "$program" || continue
        if "$NATIVE_CC" -std=c11 -Wall -Wextra -Werror -Iinclude -I. "$program" build/libnatlet_posix.a build/libnatlet.a \
            -pthread -o "$program.bin" 2>"$dir/out"; then
            try "$block" "$program.bin"
        else
            echo "not ok readme $block  $(grep -m 1 error "$dir/out")"
            bad=1
        fi
        ;;
    *.js)
        mkdir -p "$dir/node_modules"
        ln -sfn "$PWD/build/package/natlet" "$dir/node_modules/natlet"
        mv "$program" "${program%.js}.mjs"
        try "$block" "$NODE" "${program%.js}.mjs"
        ;;
    esac
done

# ---- demo/writing-agents.md

page=demo/writing-agents.md
my=build/my
rm -rf $my && mkdir -p $my/node_modules "$dir/bin"
ln -sfn ../../package/natlet $my/node_modules/natlet
awk -v my="$my" -v dir="$dir" '
    /^```[a-z]+ [a-z]+\.[a-z]+$/ { file = my "/" $2; next }
    $0 == "```sh" { n++; file = dir "/page." n ".sh"; next }
    /^```/ { file = "" }
    file { print > file }' $page
printf '#!/bin/sh\nexec %s -Wall -Wextra -Werror "$@"\n' "$NATIVE_CC" >"$dir/bin/cc"
printf '#!/bin/sh\nexec %s "$@"\n' "$NODE" >"$dir/bin/node"
chmod +x "$dir/bin/cc" "$dir/bin/node"
for block in "$dir"/page.*.sh; do
    name="agents $(basename "$block" .sh)"
    try "$name" env PATH="$dir/bin:$PATH" sh -ec 'trap "kill \$! 2>/dev/null || true" EXIT; . "$1"' sh "$block"
done
exit $bad
