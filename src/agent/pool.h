/* The memory of one cell: an arena, and in front of it lists of small blocks that
 * were used before, because most mail is small and short-lived.
 *
 * Internal.  A list takes two instructions where the arena splits and merges.
 * When the arena has no room, the lists are given back to it and it is asked
 * once more, so that small mail of yesterday never stands in the way. */
#ifndef NATLET_AGENT_POOL_H
#define NATLET_AGENT_POOL_H

#include "natlet/allocator.h"

/* Sizes are rounded up to a multiple of STEP; beyond the last class, 2 KiB, the arena
 * serves directly.  Agents must lie below, not only mail: they come and go as well. */
enum { NATLET__POOL_STEP = 32, NATLET__POOL_CLASSES = 64 };

/* The head of a block, in front of what its owner sees. */
typedef struct natlet__block natlet__block;

struct natlet__block {
    _Alignas(8) natlet__block *next; /* the owner's for a list of its own, else of spare blocks */
    size_t bytes;                    /* with this head, rounded up */
};

typedef struct natlet__pool {
    natlet_allocator arena;
    natlet__block *spare[NATLET__POOL_CLASSES];
    size_t used_bytes; /* handed out, heads included */
    size_t used_max;
    uint32_t refused;
} natlet__pool;

/* Gives a zeroed pool its memory, aligned for uint64_t.  Returns OK or E_NO_MEMORY. */
natlet_status natlet__pool_init(natlet__pool *pool, void *mem, size_t mem_len);

/* Takes `bytes`, not zeroed.  Returns NULL when there is no room. */
void *natlet__pool_take(natlet__pool *pool, size_t bytes);
void natlet__pool_give_back(natlet__pool *pool, void *mem);

static inline natlet__block *natlet__block_of(void *mem)
{
    return (natlet__block *)mem - 1;
}

#endif
