#!/bin/bash
# Tries the README's commands in a minimal new Debian that has nothing but make:
#
#   tests/fresh.sh bookworm|trixie [--no-root] [--worktree] [--run 'COMMAND'] [--keep]
#
# --no-root    as an ordinary user, so that every tool comes from a private apt root
# --worktree   the files as they lie here, instead of the last commit
# --run        another command than `make demo && make test`
# --keep       leaves the system where it is, and says where
#
# Needs root (for debootstrap and chroot).  How this machine reaches Debian's
# and npm's registries is taken over from its own configuration: mirror, proxy,
# certificates, npmrc.  The system is removed at the end, also after a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:?which suite: bookworm or trixie}
shift
user=root source=commit keep='' command='make demo && make test'
while [ $# -gt 0 ]; do
    case $1 in
    --no-root) user=tester ;;
    --worktree) source=worktree ;;
    --run) command=$2 && shift ;;
    --keep) keep=1 ;;
    *) echo "fresh: $1 is not an option" >&2 && exit 2 ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || { echo "fresh: needs root, for debootstrap and chroot" >&2 && exit 2; }
sh wasm/setup.sh fresh
tools=$PWD/build/tools
. wasm/debian.sh
debootstrap=$(sed -n 's/^DEBOOTSTRAP=//p' "$tools/env")

dir=$(mktemp -d "${TMPDIR:-/var/tmp}/natlet-fresh.XXXXXX")
chmod 755 "$dir" # it becomes somebody else's root
cleanup() {
    local mounted
    for mounted in $(awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r); do
        umount -l "$mounted"
    done
    if [ -n "$keep" ]; then
        echo "fresh: kept in $dir"
    else
        rm -rf --one-file-system "$dir"
    fi
}
trap cleanup EXIT
child=''
trap '[ -z "$child" ] || kill -- "-$child"; exit 130' INT TERM

step() { printf 'fresh: %4d s  %s\n' "$SECONDS" "$*"; }

# The new system's /etc: the machine's ways out, with the suite's name swapped.
configure() {
    local here uri name file
    here=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    machine_sources | while read -r uri name; do
        case $name in
        "$here" | "$here-updates" | "$here-security") echo "deb $uri ${name/$here/$suite} main" ;;
        esac
    done >"$dir/etc/apt/sources.list"
    for file in $(grep -lsE 'Proxy|Check-Valid-Until|Check-Date|CaInfo' /etc/apt/apt.conf.d/*); do
        cp "$file" "$dir/etc/apt/apt.conf.d/"
    done
    cp -L /etc/resolv.conf /etc/hosts "$dir/etc/"
    mkdir -p "$dir/etc/ssl/certs" "$dir/usr/local/share/ca-certificates"
    cp -L /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/" 2>/dev/null || true
    cp -L /usr/local/share/ca-certificates/*.crt "$dir/usr/local/share/ca-certificates/" 2>/dev/null || true
    home=/root
    if [ "$user" != root ]; then
        chroot "$dir" useradd --create-home --shell /bin/sh "$user"
        home=/home/$user
    fi
    if command -v npm >/dev/null; then
        for file in globalconfig userconfig; do
            cat "$(npm config get $file 2>/dev/null)" 2>/dev/null | grep -vE '^(prefix|nodedir)' || true
        done >"$dir$home/.npmrc"
    fi
}

copy_project() {
    mkdir -p "$dir$home/natlet"
    if [ $source = commit ]; then
        git archive HEAD
    else
        git ls-files -z -co --exclude-standard | while IFS= read -r -d '' f; do
            [ ! -e "$f" ] || printf '%s\0' "$f"
        done | tar -c --null -T -
    fi | tar -x -C "$dir$home/natlet"
    chroot "$dir" chown -R "$user:$user" "$home"
}

# What a shell of this machine would hand on about ways out, and nothing else.
inherited() {
    local name
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS; do
        [ -z "${!name:-}" ] || echo "$name=${!name}"
    done
}

step "debootstrap $suite: a minimal system with make"
"$debootstrap" --variant=minbase --include=make --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    "$suite" "$dir" "$(mirror)" >"$tools/debootstrap.log" 2>&1 || { tail "$tools/debootstrap.log"; exit 1; }
configure
copy_project
mount -t proc proc "$dir/proc"
mkdir -p "$dir/dev/shm" "$dir/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$dir/dev/shm"
mount -t devpts -o ptmxmode=666 devpts "$dir/dev/pts"
sources_before=$(cd "$dir/etc/apt" && find . -type f -exec cksum {} + | sort)

step "as $user: $command"
status=0
setsid env -i HOME="$home" USER="$user" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    $(inherited) chroot --userspec="$user:$user" "$dir" sh -c "cd ~/natlet && $command" </dev/null &
child=$! # a process group of its own, so that an interrupted run leaves nothing behind
wait "$child" || status=$?
child=''
step "done, exit status $status"
if [ "$sources_before" != "$(cd "$dir/etc/apt" && find . -type f -exec cksum {} + | sort)" ]; then
    echo "fresh: /etc/apt was changed"
    status=1
fi
exit $status
