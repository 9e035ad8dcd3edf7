/* Memory, in order: the arena, then bytes that are free or in use.  A block in use is
 * nothing but its bytes, for who gives it back says how long it is; a free one begins
 * with its length and the way to the next.  Free blocks are listed by address, and no
 * two of them are neighbours.
 *
 *     | end | counts | first | in use ... | bytes | next | ... | in use ... | end
 *
 * The first free block that is large enough is taken from: what is long-lived gathers
 * at the front, and the back stays whole.  A search costs as many steps as there are
 * gaps, so who takes small blocks often keeps lists of its own (agent/pool.h). */
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "natlet/allocator.h"

typedef struct block block;

/* As large as the smallest block. */
struct block {
    _Alignas(8) size_t bytes;
    block *next; /* NULL: the last one */
};

enum { ALIGN = sizeof(block) };

_Static_assert((ALIGN & (ALIGN - 1)) == 0, "sizes are rounded up by a mask");

struct natlet_arena {
    block first; /* of no bytes, before all free blocks */
    uint8_t *end;
    size_t (*grow)(size_t bytes);
    natlet_arena_stats stats;
};

_Static_assert(sizeof(natlet_arena) % 8 == 0, "the first block is aligned");

/* Bytes of the block for a request; 0 if there is no such block. */
static size_t size_for(size_t bytes)
{
    return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static uint8_t *end_of(block *b)
{
    return (uint8_t *)b + b->bytes;
}

/* Makes `b` and the free block behind it one, if they are neighbours. */
NATLET__NOINLINE static void join(block *b)
{
    if (end_of(b) == (uint8_t *)b->next) {
        b->bytes += b->next->bytes;
        b->next = b->next->next;
    }
}

/* The last free block before `at`. */
NATLET__NOINLINE static block *block_before(natlet_arena *arena, const void *at)
{
    block *before = &arena->first;

    while (before->next != NULL && (uintptr_t)before->next < (uintptr_t)at) {
        before = before->next;
    }
    return before;
}

/* Makes free what is not. */
NATLET__NOINLINE static void add(natlet_arena *arena, void *ptr, size_t bytes)
{
    block *before = block_before(arena, ptr);
    block *b = ptr;

    *b = (block){bytes, before->next};
    NATLET_ASSERT(end_of(before) <= (uint8_t *)ptr &&
                  (b->next == NULL || end_of(b) <= (uint8_t *)b->next));
    before->next = b;
    join(b);
    join(before);
}

static void release(natlet_arena *arena, void *ptr, size_t bytes)
{
    NATLET_ASSERT(bytes <= arena->stats.used_bytes);
    arena->stats.used_bytes -= bytes;
    add(arena, ptr, bytes);
}

/* Cuts `bytes` off the front of the free block behind `before`. */
NATLET__NOINLINE static void *cut(natlet_arena *arena, block *before, size_t bytes)
{
    block *b = before->next;
    block *rest = b->next;

    if (b->bytes > bytes) {
        rest = (block *)((uint8_t *)b + bytes);
        *rest = (block){b->bytes - bytes, b->next};
    }
    before->next = rest;
    arena->stats.used_bytes += bytes;
    if (arena->stats.used_bytes > arena->stats.used_max) {
        arena->stats.used_max = arena->stats.used_bytes;
    }
    return b;
}

/* The block before the first that has `bytes`, or before none. */
static block *find(natlet_arena *arena, size_t bytes)
{
    block *before = &arena->first;

    while (before->next != NULL && before->next->bytes < bytes) {
        before = before->next;
    }
    return before;
}

/* Asks for what is missing behind the last block, if that is free, for `bytes`. */
static void grow(natlet_arena *arena, size_t bytes)
{
    block *last = block_before(arena, arena->end);
    size_t tail = end_of(last) == arena->end ? last->bytes : 0;
    size_t got = arena->grow != NULL ? arena->grow(bytes - tail) & ~(size_t)(ALIGN - 1) : 0;

    if (got > 0) {
        add(arena, arena->end, got);
        arena->end += got;
        arena->stats.total_bytes += got;
    }
}

static void *take(natlet_arena *arena, size_t bytes)
{
    block *before = find(arena, bytes);

    if (before->next == NULL && bytes > 0) {
        grow(arena, bytes);
        before = find(arena, bytes);
    }
    if (before->next == NULL || bytes == 0) {
        arena->stats.refused++;
        return NULL;
    }
    return cut(arena, before, bytes);
}

/* Takes `more` bytes right behind a block of `bytes`, if they are free. */
static bool extend(natlet_arena *arena, void *ptr, size_t bytes, size_t more)
{
    block *before = block_before(arena, ptr);
    block *after = before->next;

    if ((uint8_t *)after != (uint8_t *)ptr + bytes || after->bytes < more) {
        return false;
    }
    (void)cut(arena, before, more);
    return true;
}

/* ---- the allocator ---- */

static void *arena_resize(void *self, void *ptr, size_t old_bytes, size_t new_bytes)
{
    natlet_arena *arena = self;
    size_t have = size_for(old_bytes);
    size_t want = size_for(new_bytes);

    if (ptr == NULL) {
        return new_bytes > 0 ? take(arena, want) : NULL;
    }
    if (want < have && (want > 0 || new_bytes == 0)) {
        release(arena, (uint8_t *)ptr + want, have - want);
        return want > 0 ? ptr : NULL;
    }
    if (want == have || (want > 0 && extend(arena, ptr, have, want - have))) {
        return ptr;
    }
    void *moved = take(arena, want);
    if (moved != NULL) {
        memcpy(moved, ptr, old_bytes);
        release(arena, ptr, have);
    }
    return moved;
}

natlet_allocator natlet_arena_allocator(natlet_arena *arena)
{
    return (natlet_allocator){.self = arena, .resize = arena_resize};
}

natlet_status natlet_arena_init(natlet_arena **out, void *mem, size_t mem_len,
                                size_t (*grow_hook)(size_t bytes))
{
    natlet_arena *arena = mem;

    *out = NULL;
    if (mem_len < sizeof *arena + ALIGN) {
        return NATLET_E_NO_MEMORY;
    }
    NATLET_ASSERT((uintptr_t)mem % 8 == 0);
    size_t bytes = (mem_len - sizeof *arena) & ~(size_t)(ALIGN - 1);
    *arena = (natlet_arena){.end = (uint8_t *)(arena + 1) + bytes,
                            .grow = grow_hook,
                            .stats.total_bytes = sizeof *arena + bytes};
    add(arena, arena + 1, bytes);
    *out = arena;
    return NATLET_OK;
}

natlet_arena_stats natlet_arena_stats_now(const natlet_arena *arena)
{
    return arena->stats;
}
