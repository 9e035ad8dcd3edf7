#!/bin/sh
# Writes tests/support/serde_goldens.h with real serde_json: sh tests/oracle/serde/regenerate.sh
#
# cargo builds the generator with Debian's crates (librust-serde-json-dev), whose version the header
# names; SERDE_CRATES is another folder of crates.
set -eu
cd "$(dirname "$0")"
crates=${SERDE_CRATES:-/usr/share/cargo/registry}
command -v cargo >/dev/null || {
    echo "cargo is missing; Debian has it in cargo" >&2
    exit 1
}
found=$(ls -d "$crates"/serde_json-* 2>/dev/null) || {
    echo "there is no serde_json in $crates; Debian has it in librust-serde-json-dev" >&2
    exit 1
}
export SERDE_JSON="${found##*-}"
out=../../../build/serde
mkdir -p $out
cp -r Cargo.toml src $out
(cd $out && cargo run --quiet --release --offline \
    --config 'source.crates-io.replace-with="folder"' --config "source.folder.directory=\"$crates\"" >goldens.h)
# No line is continued by an empty one.
sed -e ':all' -e 'N;$!b all' -e 's/ \\\n\n/\n\n/g' $out/goldens.h >../../support/serde_goldens.h
echo "  serde tests/support/serde_goldens.h: serde_json $SERDE_JSON"
