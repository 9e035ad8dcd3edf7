/* Assertions are for bugs in this program, never for what a peer sends.
 *
 * Internal.  They stay on in release builds: in WebAssembly a failed one is a
 * single `unreachable`, which the host sees as a trap and the supervisor as a
 * crash. */
#ifndef NATLET_BASE_ASSERT_H
#define NATLET_BASE_ASSERT_H

#ifdef NATLET_NO_ASSERT
#define NATLET_ASSERT(cond) ((void)sizeof(!(cond)))
#else
#define NATLET_ASSERT(cond) ((cond) ? (void)0 : __builtin_trap())
#endif

#endif
