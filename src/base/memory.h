/* The allocator with a budget and a count.
 *
 * Internal.  Every layer above the engines takes memory through one of these, so
 * that a limit holds for all of them together and a test can fail the n-th
 * request. */
#ifndef NATLET_BASE_MEMORY_H
#define NATLET_BASE_MEMORY_H

#include "natlet/allocator.h"

typedef struct natlet__memory {
    natlet_allocator allocator;
    size_t budget_bytes; /* 0: no bound */
    size_t used_bytes;
    size_t used_max;
    uint32_t refused;
} natlet__memory;

/* Takes `bytes` (> 0) of zeroed memory.  Returns NULL when there are none. */
void *natlet__memory_take(natlet__memory *mem, size_t bytes);

/* Makes the block `new_bytes` (> 0) long; what is new is not zeroed.  Returns
 * NULL when there is no memory; the block then stays as it was. */
void *natlet__memory_resize(natlet__memory *mem, void *ptr, size_t old_bytes, size_t new_bytes);

/* Gives a block back.  NULL is allowed. */
void natlet__memory_give_back(natlet__memory *mem, void *ptr, size_t bytes);

#endif
