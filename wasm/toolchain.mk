# How C becomes a WebAssembly module: settings with their reasons.  The tools come from wasm/setup.sh.

WASM_CC    = $(call tool,WASM_CC)
WASM_OPT   = $(call tool,WASM_OPT)

# What LLVM does for speed and costs bytes here, when it compiles and when it links: a load that one of two ways
# has made is kept at hand for both; loops count what is not asked for; a branch is copied to where it is known.
WASM_LLVM = -enable-load-pre=false -disable-lftr -jump-threading-threshold=2

# -nostdlibinc: clang searches /usr/include for wasm too, and a missing header would silently be glibc's.
# -mcpu=mvp and two features: what every runtime of today has; -Oz because bytes travel.
# -flto: what one file calls of another is inlined, specialized or dropped; 8 % smaller.
# experimental-mv: a slice goes to a function as two numbers and not through memory; 2 % smaller.  No code of
# others is called with a structure, so nobody else has to agree.
# One section a function, so that the linker can leave out what a module does not use.
WASM_CFLAGS = --target=$(call tool,WASM_TARGET) --sysroot=$(call tool,WASM_SYSROOT) -nostdlibinc \
              -isystem $(call tool,WASM_SYSROOT)/include/$(call tool,WASM_TARGET) \
              -mcpu=mvp -msign-ext -mbulk-memory -Oz -ffunction-sections -fdata-sections \
              -flto -Xclang -target-abi -Xclang experimental-mv $(WASM_LLVM:%=-mllvm %)

# No -O here: with it clang runs a wasm-opt that it finds, without the flags that ours needs.
# Builtins by path: Debian has them where clang 19 to 21 do not look.
# --stack-first: an overflow runs below address 0 and traps, instead of eating data.
# No loop strength reduction: it keeps pointers beside indexes, 0.5 % larger here.
# Inlining only where it does not grow the code: -Oz allows a little, 1.3 % larger here.
# Nothing undefined is allowed: an import exists by its attribute, or the link fails.
WASM_LINK  = --target=$(call tool,WASM_TARGET) --sysroot=$(call tool,WASM_SYSROOT) -nodefaultlibs -Wl,--gc-sections \
             -Wl,--stack-first -Wl,--max-memory=1073741824 -Wl,-mllvm,-disable-lsr -Wl,-mllvm,-inline-threshold=0 \
             $(WASM_LLVM:%=-Wl,-mllvm,%)
WASM_LIBS  = -lc $(call tool,WASM_RT)

# A reactor is entered by its exports (export_name attributes) and needs no start code of libc.
# 16 KiB of stack: the whole client is meant to fit in one 64 KiB page.
REACTOR = -nostartfiles -Wl,--no-entry -Wl,-z,stack-size=16384
# A command has main(), WASI and printf.
COMMAND = -Wl,-z,stack-size=65536

# wasm-opt as a step of its own, and again: the second time finds what the first has made way for, 0.3 %.
# In between branches are arranged anew (rereloop, which wants flat code), 0.4 %; at the end what is called most
# gets the shortest numbers, 0.5 %.
# Debug sections go last, for the names in them help it.
# --low-memory-unused: offsets move into loads and stores, as no object ends and begins again around address 0.
# --ignore-implicit-traps: a load that nobody needs may go, as none of ours is there to trap; asserts stay.
# Features are spelled out: Debian 12's wasm-opt knows them from nowhere else once they are stripped.
WASM_OPT_FLAGS = -Oz --flatten --rereloop -Oz -Oz --converge --always-inline-max-function-size=3 \
                 --reorder-functions --low-memory-unused --ignore-implicit-traps \
                 --mvp-features --enable-sign-ext --enable-bulk-memory --enable-mutable-globals \
                 --strip-debug --strip-producers --strip-target-features
