/* The memory of one cell: an arena, and in front of it lists of small blocks that
 * were used before, because most mail is small and short-lived.
 *
 * Internal.  A list takes two instructions where the arena splits and merges.
 * When the arena has no room, the lists are given back to it and it is asked
 * once more, so that small mail of yesterday never stands in the way. */
#ifndef NATLET_AGENT_POOL_H
#define NATLET_AGENT_POOL_H

#include "natlet/allocator.h"

/* Sizes are rounded up to a multiple of STEP; beyond the last class the arena
 * serves directly. */
enum { NATLET__POOL_STEP = 32, NATLET__POOL_CLASSES = 16 };

typedef struct natlet__spare natlet__spare;

struct natlet__spare {
    natlet__spare *next;
};

typedef struct natlet__pool {
    natlet_allocator arena;
    natlet__spare *spare[NATLET__POOL_CLASSES];
    size_t used_bytes; /* handed out, rounded up */
    size_t used_max;
    uint32_t refused;
} natlet__pool;

/* Builds a pool at the start of `mem`, aligned for uint64_t.  Returns OK or
 * E_NO_MEMORY. */
natlet_status natlet__pool_init(natlet__pool *pool, void *mem, size_t mem_len);

/* Takes `bytes` (> 0), not zeroed.  Returns NULL when there is no room. */
void *natlet__pool_take(natlet__pool *pool, size_t bytes);

/* Gives back a block that was taken with `bytes`. */
void natlet__pool_give_back(natlet__pool *pool, void *block, size_t bytes);

#endif
