#!/bin/sh
# sh host-shims/wasm2c/build.sh MODULE.wasm PROGRAM       a program that is the module, in its sandbox
#
# WASM2C, NATIVE_CC, and B, where libnatlet_posix.a and libnatlet.a are, from the environment.  The C
# of the module and of wabt's runtime is compiled without our warnings.  Accesses are checked by code,
# not by SIGSEGV: so a fault of the host stays a fault of the host.
set -eu
module=$1 program=$2
here=$(dirname "$0")
build=${B:-build}
impl=${WASM_RT_DIR:?where wasm-rt-impl.c is}
mkdir -p "$program.c"
work=$(cd "$program.c" && pwd)
rm -f "$work"/*.o
"$WASM2C" -n guest "$module" -o "$work/guest.c"

if grep -q 'Z_guest_instantiate' "$work/guest.h"; then
    checks="-DNATLET_WASM2C_1_0_32 -DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0 -DWASM_RT_USE_STACK_DEPTH_COUNT=1"
else
    checks="-DWASM_RT_USE_MMAP=0 -DWASM_RT_MEMCHECK_BOUNDS_CHECK=1 -DWASM_RT_STACK_DEPTH_COUNT=1"
fi
checks="$checks -DWASM_RT_MAX_CALL_STACK_DEPTH=2000 -DWASM_RT_TRAP_HANDLER=natlet__wasm2c_trap -include $here/trap.h -I$impl"
kind=
if grep -q 'wasi.*snapshot.*preview1' "$work/guest.h"; then
    kind=-DMODULE_IS_COMMAND
fi
strict="-std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -Wshadow -Wconversion -I$here/../../include -I$here/.."
for file in "$work/guest.c" "$impl"/wasm-rt-*impl.c; do
    case $file in
    *exceptions*) continue ;; # none of our modules throws
    esac
    "$NATIVE_CC" -O2 -w $checks -c "$file" -o "$work/$(basename "$file").o" &
done
for file in door wasi run; do
    "$NATIVE_CC" -O2 $strict $checks $kind "-DMODULE_H=\"$work/guest.h\"" -c "$here/$file.c" -o "$work/$file.o"
done
wait
"$NATIVE_CC" "$work"/*.o "$build/libnatlet_posix.a" "$build/libnatlet.a" -pthread -lm -o "$program"
