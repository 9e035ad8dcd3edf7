# How wasm/setup.sh gets Debian packages.  Sourced, not run; expects $tools.
#
#   need PKG...               the machine's own suite: installed as root or with sudo,
#                             else unpacked, with what they depend on, under $tools/root
#   fetch DIR SUITE PKG...    these packages of another suite, unpacked under DIR, never installed
#   upstream PKG SUITE...     a source package's upstream tarball, one of those in wasm/sources.txt,
#                             unpacked under $tools/sources
#   use NAME [PATH...]        prints the program's path: the system's, or a wrapper for the one in $tools/root
#
# The system's apt sources are read and never written: another suite gets a
# private apt state of its own, with the machine's mirror and another suite name.

root=$tools/root
arch=$(dpkg --print-architecture 2>/dev/null || echo none)

say() {
    printf 'setup: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Prints the prefix of a root command: nothing, or sudo.  Fails without rights.
# NATLET_NO_ROOT=1 plays an ordinary user.
as_root() {
    [ -z "${NATLET_NO_ROOT:-}" ] || return 1
    [ "$(id -u)" -ne 0 ] || return 0
    sudo -n true 2>/dev/null && echo "sudo -n"
}

# apt's words go to a log, which is shown only when it failed.
quietly() {
    if ! "$@" </dev/null >"$tools/log" 2>&1; then
        tail -n 30 "$tools/log" >&2
        return 1
    fi
}

# "URI suite" of every enabled package source of the machine, old and new style.
machine_sources() {
    local list
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } |
        sed -n 's/^[[:space:]]*deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\)[[:space:]]\{1,\}\([^[:space:]]*\).*/\2 \3/p'
    for list in /etc/apt/sources.list.d/*.sources; do
        [ -r "$list" ] || continue
        awk '
            function flush(  i, n, s) {
                n = off ? 0 : split(suites, s, " ")
                for (i = 1; i <= n; i++) print uri, s[i]
                uri = suites = off = ""
            }
            /^[[:space:]]*$/ { flush() }
            /^URIs:/ { uri = $2 }
            /^Suites:/ { $1 = ""; suites = $0 }
            /^Enabled:[[:space:]]*no/ { off = 1 }
            /^Types:/ && !/deb([[:space:]]|$)/ { off = 1 }
            END { flush() }' "$list"
    done
}

# The machine's Debian mirror: the one that serves the suite that runs here.
mirror() {
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    machine_sources | awk -v name="$codename" \
        '$2 == name || $2 ~ /^(old)?stable$|^testing$|^unstable$|^sid$/ { print $1; exit }'
}

# private_apt SUITE ARG...: apt-get with its own lists and cache.  SUITE "own" means the machine's sources.
private_apt() {
    local state=$tools/apt/$1
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    set -- "$@" -q -y -o Dir::State="$state" -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$state/cache" -o APT::Sandbox::User= -o Acquire::Languages=none \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Debug::NoLocking=true
    if [ "$1" != own ]; then
        set -- "$@" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
            -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    fi
    shift
    quietly apt-get "$@"
}

# Fetches a suite's package list, at most once an hour; SUITE.src is its list of source packages.
update() {
    local state=$tools/apt/$1
    [ -z "$(find "$state/updated" -mmin -60 2>/dev/null)" ] || return 0
    mkdir -p "$state"
    if [ "$1" != own ]; then
        local uri kind=deb
        uri=$(mirror)
        [ -n "$uri" ] || die "no Debian mirror found in the machine's apt sources (for suite $1)"
        [ "$1" = "${1%.src}" ] || kind=deb-src
        # A suite's Release file may be older than the machine's clock allows.
        echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no] $uri ${1%.src} main" \
            >"$state/sources.list"
    fi
    # A source of somebody else's may be down; what matters is whether the packages are found.
    private_apt "$1" update || say "(going on with the package lists that could be read)"
    touch "$state/updated"
}

# unpack DIR DEB...  Keeps the symlinks of a merged /usr, which dpkg -x would not.
unpack() {
    local into=$1
    shift
    mkdir -p "$into"
    for deb in "$@"; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$into" -f -
    done
}

fetch() {
    local into=$1 suite=$2
    shift 2
    say "  unpacking into build/tools, from $suite: $*"
    update "$suite"
    rm -rf "$tools/debs" "$into.new"
    mkdir -p "$tools/debs"
    (cd "$tools/debs" && private_apt "$suite" download "$@") && unpack "$into.new" "$tools/debs"/*.deb || return 1
    rm -rf "$tools/debs" "$into"
    mv "$into.new" "$into"
}

# What is not in the list of accepted tarballs is passed over, for another suite may have one that is.
upstream() {
    local package=$1 suite tarball version
    shift
    for suite in "$@"; do
        say "  the upstream source of $package, from $suite"
        update "$suite.src"
        rm -rf "$tools/tarballs"
        mkdir -p "$tools/tarballs"
        # Only the download: unpacking is what apt would want dpkg-dev for.
        (cd "$tools/tarballs" && private_apt "$suite.src" source --download-only --tar-only "$package") || continue
        for tarball in "$tools/tarballs/$package"_*.orig.tar.*; do
            version=$(accepted_tarball "$package" "$tarball") || continue
            unpack_tarball "$tools/sources/$package-$version" "$tarball" || return 1
            rm -rf "$tools/tarballs"
            return 0
        done
    done
    return 1
}

# Prints the version of a tarball that wasm/sources.txt lists.
accepted_tarball() {
    local hash
    hash=$(sha256sum "$2" | cut -d' ' -f1)
    awk -v name="$1" -v hash="$hash" '$1 == name && $3 == hash { print $2; found = 1 } END { exit !found }' \
        wasm/sources.txt && return 0
    say "  $(basename "$2") is not in wasm/sources.txt, so it is not used (SHA-256 $hash)"
    return 1
}

# unpack_tarball DIR FILE: what lies in the tarball's only folder.  DIR is complete or not there.
unpack_tarball() {
    local program=gzip
    case $2 in
    *.bz2) program=bzip2 ;;
    *.xz) program=xz ;;
    esac
    use $program >/dev/null || need "$(echo $program | sed 's/^xz$/xz-utils/')"
    rm -rf "$1.new" "$1"
    mkdir -p "$1.new"
    "$(use $program)" -dc "$2" | tar -x --no-same-owner --strip-components=1 -C "$1.new" -f - && mv "$1.new" "$1"
}

need() {
    local sudo
    if sudo=$(as_root); then
        say "  apt-get install $*"
        # The first try fails where there are no package lists yet, or old ones.
        install "$@" 2>/dev/null && return 0
        $sudo apt-get update -q </dev/null >/dev/null 2>&1 || true
        install "$@" || die "apt-get could not install $*"
    else
        say "  no root: unpacking into build/tools/root: $*"
        update own
        private_apt own install --download-only --no-install-recommends "$@" || die "apt-get could not download $*"
        private_root
    fi
}
install() {
    quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@"
}

# Unpacks what apt just downloaded and gives the linker and the loader what they look for.
private_root() {
    local lib dir so deb name
    lib=usr/lib/$(triplet)
    if [ ! -d "$root" ]; then
        mkdir -p "$root/$lib" "$root/usr/lib64" "$root/usr/bin"
        for dir in bin lib lib64; do
            ln -s "usr/$dir" "$root/$dir"
        done
        # libc is the one that runs here: a second version next to it would not start.
        for so in libc.so.6 libm.so.6 libmvec.so.1 libpthread.so.0 libdl.so.2 librt.so.1 libgcc_s.so.1; do
            [ ! -e "/$lib/$so" ] || ln -s "/$lib/$so" "$root/$lib/$so"
        done
        for ld in /lib64/ld-linux*; do
            [ ! -e "$ld" ] || ln -s "$ld" "$root/lib64/"
        done
    fi
    for deb in "$tools"/apt/own/cache/archives/*.deb; do
        [ -e "$deb" ] || continue
        # An upgrade of something that the system has: the system's one will do.
        name=$(dpkg-deb -f "$deb" Package)
        if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed'; then
            unpack "$root" "$deb"
        fi
        rm -f "$deb"
    done
    # The loader gets a directory of its own, without libc (see above).
    mkdir -p "$tools/lib"
    find "$root/usr/lib" -name '*.so*' ! -lname '/*' ! -type d ! -path '*/chromium/*' ! -path '*/gcc-cross/*' |
        while read -r so; do
            ln -sf "$so" "$tools/lib/"
        done
}

triplet() {
    case $arch in
    amd64) echo x86_64-linux-gnu ;;
    arm64) echo aarch64-linux-gnu ;;
    *) die "no tools are known for the architecture $arch: set WASI_SDK_PATH, NATS_SERVER, CHROMIUM and CC" ;;
    esac
}

# wrap NAME FILE [ARG...]: a program of the private root, with its libraries and ARGs first.
wrap() {
    local name=$1
    shift
    mkdir -p "$tools/bin"
    {
        echo '#!/bin/sh'
        echo "PATH=$root/usr/bin:\$PATH LD_LIBRARY_PATH=$tools/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
        echo "export PATH LD_LIBRARY_PATH ${wrap_env:-}"
        echo "exec $* \"\$@\""
    } >"$tools/bin/$name.new"
    chmod +x "$tools/bin/$name.new"
    mv "$tools/bin/$name.new" "$tools/bin/$name"
    echo "$tools/bin/$name"
}

# use NAME...: the first of these programs that is there.
use() {
    local name
    for name in "$@"; do
        command -v "$name" 2>/dev/null && return 0
    done
    for name in "$@"; do
        [ -e "$root/usr/bin/$name" ] || continue
        case $name in
        *gcc* | clang-[0-9]*) wrap "$name" "$root/usr/bin/$name" "--sysroot=$root" ;;
        *) wrap "$name" "$root/usr/bin/$name" ;;
        esac
        return 0
    done
    return 1
}
