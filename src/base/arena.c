/* Memory, in order: the arena; blocks, without gaps; a last head that is always
 * in use, so that nobody looks behind the end.
 *
 *     | bytes, in use? | bytes of the block before | payload ...            in use
 *     | bytes          | bytes of the block before | next | link | ...      free
 *
 * Free blocks stand in a bin by the power of two of their size.  A request looks
 * at the first block of its own bin, then takes the first of the next bin that has
 * any, where every block is large enough: no search grows with the number of
 * blocks, unless memory is nearly used up.  Two neighbours are never both free. */
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "natlet/allocator.h"

enum { ALIGN = 8, BINS = 28, BIN0_BITS = 4 };

/* The lowest bit of `bytes`, which is a multiple of ALIGN. */
#define IN_USE ((size_t)1)

typedef struct block block;

struct block {
    size_t bytes;  /* of the whole block, and IN_USE */
    size_t before; /* bytes of the block before this one, 0 for the first */
    block *next;   /* from here on payload, if the block is in use */
    block **link;  /* the pointer to this block, in its bin or the block before it there */
};

enum { HEAD_BYTES = offsetof(block, next) };

_Static_assert(HEAD_BYTES % ALIGN == 0, "payload is aligned");
_Static_assert(sizeof(block) >= (size_t)1 << BIN0_BITS, "the smallest block has a bin");

struct natlet_arena {
    _Alignas(ALIGN) size_t (*grow)(size_t bytes);
    block *last; /* the head behind the last block */
    uint32_t refused;
    size_t used_bytes;
    size_t used_max;
    size_t total_bytes;
    block *bins[BINS];
};

_Static_assert(sizeof(natlet_arena) % ALIGN == 0, "the first block is aligned");

/* ---- blocks ---- */

static bool is_free(const block *b)
{
    return (b->bytes & IN_USE) == 0;
}

static size_t size_of(const block *b)
{
    return b->bytes & ~IN_USE;
}

static block *block_of(void *payload)
{
    return (block *)((uint8_t *)payload - HEAD_BYTES);
}

static block *block_after(block *b)
{
    return (block *)((uint8_t *)b + size_of(b));
}

static block *block_before(block *b)
{
    return (block *)((uint8_t *)b - b->before);
}

/* A block knows its own size, and the one behind it knows it too. */
NATLET__NOINLINE static void set_size(block *b, size_t bytes, size_t in_use)
{
    b->bytes = bytes | in_use;
    block_after(b)->before = bytes;
}

/* Bytes of the block for a request; 0 if there is no such block. */
static size_t size_for(size_t payload_bytes)
{
    if (payload_bytes > SIZE_MAX - HEAD_BYTES - (ALIGN - 1)) {
        return 0;
    }
    size_t bytes = (payload_bytes + HEAD_BYTES + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
    return bytes < sizeof(block) ? sizeof(block) : bytes;
}

/* ---- bins ---- */

/* Every size of 32 bits has a bin; what is beyond stands in the last one. */
static uint32_t bin_of(size_t bytes)
{
    uint32_t bin = (uint32_t)sizeof(long) * 8 - 1 - BIN0_BITS - (uint32_t)__builtin_clzl(bytes);

    return SIZE_MAX > UINT32_MAX && bin >= BINS ? BINS - 1 : bin;
}

static void put_in_bin(natlet_arena *arena, block *b)
{
    block **bin = &arena->bins[bin_of(b->bytes)];

    b->next = *bin;
    b->link = bin;
    if (b->next != NULL) {
        b->next->link = &b->next;
    }
    *bin = b;
}

NATLET__NOINLINE static void take_from_bin(block *b)
{
    *b->link = b->next;
    if (b->next != NULL) {
        b->next->link = b->link;
    }
}

/* The search in a bin's own list comes last: it alone may be long. */
static block *find(const natlet_arena *arena, size_t bytes)
{
    block *const *own = &arena->bins[bin_of(bytes)];
    block *b;

    for (block *const *bin = own; bin < arena->bins + BINS; bin++) {
        b = *bin;
        if (b != NULL && b->bytes >= bytes) {
            return b;
        }
    }
    for (b = *own; b != NULL && b->bytes < bytes;) {
        b = b->next;
    }
    return b;
}

/* ---- taking and giving back ---- */

/* Makes `b`, which is in use, free and one with its free neighbours. */
static void release(natlet_arena *arena, block *b)
{
    size_t bytes = size_of(b);
    block *after = block_after(b);

    NATLET_ASSERT(!is_free(b) && after->before == bytes && bytes <= arena->used_bytes);
    arena->used_bytes -= bytes;
    if (is_free(after)) {
        take_from_bin(after);
        bytes += after->bytes;
    }
    if (b->before > 0 && is_free(block_before(b))) {
        b = block_before(b);
        take_from_bin(b);
        bytes += b->bytes;
    }
    set_size(b, bytes, 0);
    put_in_bin(arena, b);
}

/* Cuts `b`, which is in use, down to `bytes` if the rest makes a block, and notes
 * how much is in use with it. */
static void settle(natlet_arena *arena, block *b, size_t bytes)
{
    size_t rest = size_of(b) - bytes;

    if (rest >= sizeof(block)) {
        set_size(b, bytes, IN_USE);
        block *behind = block_after(b);
        set_size(behind, rest, IN_USE);
        release(arena, behind);
    }
    if (arena->used_bytes > arena->used_max) {
        arena->used_max = arena->used_bytes;
    }
}

/* Asks for what is missing behind the last block, if that is free, for `bytes`.
 * The last head becomes a block of what comes, with a new last head behind it. */
static bool grow(natlet_arena *arena, size_t bytes)
{
    block *added = arena->last;
    size_t tail = is_free(block_before(added)) ? block_before(added)->bytes : 0;
    size_t missing = bytes - tail < sizeof(block) ? sizeof(block) : bytes - tail;
    size_t got = arena->grow != NULL ? arena->grow(missing) & ~(size_t)(ALIGN - 1) : 0;

    NATLET_ASSERT(tail < bytes);
    if (got < sizeof(block)) {
        return false;
    }
    arena->total_bytes += got;
    arena->used_bytes += got; /* release takes it off again */
    arena->last = (block *)((uint8_t *)added + got);
    arena->last->bytes = IN_USE;
    set_size(added, got, IN_USE);
    release(arena, added);
    return true;
}

static void *take(natlet_arena *arena, size_t payload_bytes)
{
    size_t bytes = size_for(payload_bytes);
    block *b = bytes > 0 ? find(arena, bytes) : NULL;

    if (b == NULL && bytes > 0 && grow(arena, bytes)) {
        b = find(arena, bytes);
    }
    if (b == NULL) {
        arena->refused++;
        return NULL;
    }
    take_from_bin(b);
    arena->used_bytes += b->bytes;
    b->bytes |= IN_USE;
    settle(arena, b, bytes);
    return (uint8_t *)b + HEAD_BYTES;
}

/* Lets `b` grow into a free block behind it if both together have `bytes`. */
static void absorb(natlet_arena *arena, block *b, size_t bytes)
{
    block *after = block_after(b);

    if (is_free(after) && size_of(b) + after->bytes >= bytes) {
        take_from_bin(after);
        arena->used_bytes += after->bytes;
        set_size(b, size_of(b) + after->bytes, IN_USE);
    }
}

static void *resize(natlet_arena *arena, void *ptr, size_t old_bytes, size_t new_bytes)
{
    block *b = block_of(ptr);
    size_t bytes = size_for(new_bytes);

    if (bytes > size_of(b)) {
        absorb(arena, b, bytes);
    }
    if (bytes > 0 && bytes <= size_of(b)) {
        settle(arena, b, bytes);
        return ptr;
    }
    void *moved = take(arena, new_bytes);
    if (moved != NULL) {
        memcpy(moved, ptr, old_bytes);
        release(arena, b);
    }
    return moved;
}

/* ---- the allocator ---- */

static void *arena_resize(void *self, void *ptr, size_t old_bytes, size_t new_bytes)
{
    natlet_arena *arena = self;

    if (ptr == NULL) {
        return new_bytes > 0 ? take(arena, new_bytes) : NULL;
    }
    NATLET_ASSERT(!is_free(block_of(ptr)) && old_bytes <= size_of(block_of(ptr)) - HEAD_BYTES);
    if (new_bytes > 0) {
        return resize(arena, ptr, old_bytes, new_bytes);
    }
    release(arena, block_of(ptr));
    return NULL;
}

natlet_allocator natlet_arena_allocator(natlet_arena *arena)
{
    return (natlet_allocator){.self = arena, .resize = arena_resize};
}

natlet_status natlet_arena_init(natlet_arena **out, void *mem, size_t mem_len,
                                size_t (*grow_hook)(size_t bytes))
{
    size_t len = mem_len & ~(size_t)(ALIGN - 1);
    natlet_arena *arena = mem;

    *out = NULL;
    if (len < sizeof *arena + sizeof(block) + HEAD_BYTES) {
        return NATLET_E_NO_MEMORY;
    }
    NATLET_ASSERT((uintptr_t)mem % ALIGN == 0);
    *arena = (natlet_arena){.grow = grow_hook, .total_bytes = len};

    block *first = (block *)(arena + 1);
    arena->last = (block *)((uint8_t *)mem + len - HEAD_BYTES);
    arena->last->bytes = IN_USE;
    first->before = 0;
    set_size(first, len - sizeof *arena - HEAD_BYTES, 0);
    put_in_bin(arena, first);
    *out = arena;
    return NATLET_OK;
}

natlet_arena_stats natlet_arena_stats_now(const natlet_arena *arena)
{
    return (natlet_arena_stats){.total_bytes = arena->total_bytes,
                                .used_bytes = arena->used_bytes,
                                .used_max = arena->used_max,
                                .refused = arena->refused};
}
