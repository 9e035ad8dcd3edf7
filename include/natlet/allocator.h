/* Memory comes from one function that the program hands in, and never from
 * anywhere else. */
#ifndef NATLET_ALLOCATOR_H
#define NATLET_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

#include "natlet/status.h"

/* Allocates (ptr NULL), resizes, and frees (new_bytes 0) in one.  `old_bytes` is
 * what the block was asked for with; 0 for NULL.  Blocks are aligned for
 * uint64_t.  Returns NULL when there is no memory (the old block stays as it
 * was) and after a free. */
typedef struct natlet_allocator {
    void *self;
    void *(*resize)(void *self, void *ptr, size_t old_bytes, size_t new_bytes);
} natlet_allocator;

/* A heap inside one block that the caller hands over, for builds without an
 * allocator.  `grow` (may be NULL) is asked for a further block directly behind
 * the last one: it returns the bytes added, 0 for none. */
typedef struct natlet_arena natlet_arena;

#ifdef __cplusplus
extern "C" {
#endif

/* Builds an arena at the start of `mem`, which must be aligned for uint64_t and
 * stays the caller's.
 *
 * Returns OK, or E_NO_MEMORY when mem_len does not hold the bookkeeping and one
 * small block (512 bytes always do); then *out is NULL. */
natlet_status natlet_arena_init(natlet_arena **out, void *mem, size_t mem_len,
                                size_t (*grow)(size_t bytes));

/* The arena as an allocator; valid as long as the arena. */
natlet_allocator natlet_arena_allocator(natlet_arena *arena);

typedef struct natlet_arena_stats {
    size_t total_bytes; /* of the block, bookkeeping included */
    size_t used_bytes;  /* in live blocks, their headers included */
    size_t used_max;    /* most ever used */
    uint32_t refused;   /* requests answered with NULL */
} natlet_arena_stats;

natlet_arena_stats natlet_arena_stats_now(const natlet_arena *arena);

#ifdef __cplusplus
}
#endif

#endif
