/* The stack in linear memory, and how to get it back after a trap.
 *
 * Internal.  A trap unwinds the engine's stack, but the global that points into
 * the module's own stack stays where the trapped function had moved it.  Without
 * a reset every trap would lose that much stack for ever.
 *
 * A function with a stack frame puts the pointer back to its own value when it
 * returns.  So the exported function that calls one of these must have no frame:
 * no locals whose address is taken, and the work in a callee, after the reset. */
#ifndef NATLET_PLATFORM_STACK_H
#define NATLET_PLATFORM_STACK_H

/* Remembers where the stack pointer is: in natlet_init, before all else. */
void natlet__stack_mark(void);

/* Puts it back there: in natlet_recover, before all else. */
void natlet__stack_reset(void);

#endif
