/* What the compiler is told about functions whose size in a module it misjudges.
 * Internal. */
#ifndef NATLET_BASE_COMPILER_H
#define NATLET_BASE_COMPILER_H

/* So many places use it that a call is fewer bytes than its body. */
#define NATLET__NOINLINE __attribute__((noinline))

/* A structure that is returned costs memory on the stack, which vanishes where the
 * function does. */
#define NATLET__INLINE __attribute__((always_inline)) static inline

/* Natively a few instructions in place of a call; in a module the call, of which there are
 * too many for that. */
#ifdef __wasm__
#define NATLET__SMALL NATLET__NOINLINE static inline
#else
#define NATLET__SMALL static inline
#endif

#endif
