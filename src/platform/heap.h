/* The heap of a module: all linear memory behind its data, and as much more as
 * the engine grants.
 *
 * Internal.  It is for modules without a libc allocator, which would take the
 * same memory; a module that links malloc traps when it asks for this heap. */
#ifndef NATLET_PLATFORM_HEAP_H
#define NATLET_PLATFORM_HEAP_H

#include "natlet/allocator.h"

/* The only one, made when it is first asked for.  NULL if the engine grants no
 * memory even for its bookkeeping. */
natlet_arena *natlet__platform_heap(void);

#endif
