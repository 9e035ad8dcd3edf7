/* Goal: blocks never overlap and keep their bytes, free neighbours become one,
 * and what is refused is counted and harms nothing.
 * Method: random requests, each block filled with a pattern of its own that is
 * checked whenever the block is touched; when all is given back, the largest
 * request that fits is the same as at the start. */
#include "natlet/allocator.h"

#include <stdbool.h>

#include "support/test.h"

enum { MEM_BYTES = 40000, BLOCKS = 64 };

typedef struct held {
    uint8_t *ptr;
    size_t bytes;
    uint8_t pattern;
} held;

static void *take(natlet_arena *arena, size_t bytes)
{
    natlet_allocator a = natlet_arena_allocator(arena);
    return a.resize(a.self, NULL, 0, bytes);
}

static void *resize(natlet_arena *arena, void *ptr, size_t old_bytes, size_t new_bytes)
{
    natlet_allocator a = natlet_arena_allocator(arena);
    return a.resize(a.self, ptr, old_bytes, new_bytes);
}

static void give_back(natlet_arena *arena, void *ptr, size_t bytes)
{
    CHECK(resize(arena, ptr, bytes, 0) == NULL);
}

static natlet_arena *make(void *mem, size_t bytes)
{
    natlet_arena *arena = NULL;
    CHECK(natlet_arena_init(&arena, mem, bytes, NULL) == NATLET_OK);
    return arena;
}

/* The largest request that fits now. */
static size_t largest(natlet_arena *arena)
{
    size_t fits = 0;

    for (size_t step = (size_t)1 << 20; step > 0; step /= 2) {
        void *ptr = take(arena, fits + step);
        if (ptr != NULL) {
            give_back(arena, ptr, fits + step);
            fits += step;
        }
    }
    return fits;
}

static void fill(held *h, size_t from)
{
    if (h->bytes > from) {
        memset(h->ptr + from, h->pattern, h->bytes - from);
    }
}

static void check_pattern(const held *h, size_t bytes)
{
    size_t wrong = 0;

    for (size_t i = 0; i < bytes; i++) {
        wrong += h->ptr[i] != h->pattern;
    }
    CHECK_INT(wrong, 0);
}

/* Takes, resizes or gives back one block. */
static void touch(natlet_arena *arena, held *h, uint64_t dice)
{
    size_t bytes = dice >> 8 & ((dice >> 32 & 1) != 0 ? 63 : 2047);

    if (h->ptr == NULL) {
        h->ptr = take(arena, bytes);
        h->bytes = h->ptr != NULL ? bytes : 0;
        h->pattern = (uint8_t)(dice >> 40);
        CHECK((uintptr_t)h->ptr % 8 == 0);
        fill(h, 0);
        return;
    }
    check_pattern(h, h->bytes);
    void *moved = resize(arena, h->ptr, h->bytes, dice % 2 == 0 ? 0 : bytes);
    if (moved == NULL && dice % 2 != 0 && bytes > 0) {
        check_pattern(h, h->bytes); /* refused: as it was */
        return;
    }
    size_t kept = bytes < h->bytes ? bytes : h->bytes;
    h->ptr = moved;
    h->bytes = moved != NULL ? bytes : 0;
    if (moved != NULL) {
        check_pattern(h, kept);
        fill(h, kept);
    }
}

static void random_requests_keep_their_bytes(void)
{
    void *mem = malloc(MEM_BYTES);
    natlet_arena *arena = make(mem, MEM_BYTES);
    held blocks[BLOCKS] = {{NULL, 0, 0}};
    size_t fits = largest(arena);
    uint64_t seed = 11;

    for (int i = 0; i < 30000; i++) {
        uint64_t dice = test_random(&seed);
        touch(arena, &blocks[(dice >> 48) % BLOCKS], dice);
        natlet_arena_stats now = natlet_arena_stats_now(arena);
        CHECK(now.used_bytes <= now.used_max && now.used_max <= now.total_bytes);
    }
    CHECK(natlet_arena_stats_now(arena).used_max > MEM_BYTES / 2);
    for (int i = 0; i < BLOCKS; i++) {
        check_pattern(&blocks[i], blocks[i].bytes);
        if (blocks[i].ptr != NULL) {
            give_back(arena, blocks[i].ptr, blocks[i].bytes);
        }
    }
    CHECK_INT(natlet_arena_stats_now(arena).used_bytes, 0);
    CHECK_INT(largest(arena), fits);
    free(mem);
}

static void every_length_of_memory(void)
{
    bool worked_before = false;

    for (size_t len = 0; len <= 600; len++) {
        void *mem = malloc(len + 1);
        natlet_arena *arena = mem;
        natlet_status st = natlet_arena_init(&arena, mem, len, NULL);
        CHECK(st == NATLET_OK || (st == NATLET_E_NO_MEMORY && arena == NULL));
        CHECK(st == NATLET_OK || (!worked_before && len < 512));
        if (st == NATLET_OK) {
            worked_before = true;
            void *ptr = take(arena, 1);
            CHECK(ptr != NULL);
            give_back(arena, ptr, 1);
        }
        free(mem);
    }
}

static void exhaustion_is_counted_and_harmless(void)
{
    static uint64_t mem[512];
    natlet_arena *arena = make(mem, sizeof mem);
    held blocks[200] = {{NULL, 0, 0}};
    size_t fits = largest(arena);
    uint32_t refused = natlet_arena_stats_now(arena).refused;
    int count = 0;

    while ((blocks[count].ptr = take(arena, 20)) != NULL) {
        blocks[count].bytes = 20;
        blocks[count].pattern = (uint8_t)count;
        fill(&blocks[count], 0);
        count++;
    }
    CHECK(count > 50);
    CHECK_INT(natlet_arena_stats_now(arena).refused, refused + 1);
    CHECK(resize(arena, blocks[0].ptr, 20, 2000) == NULL);
    CHECK(take(arena, SIZE_MAX) == NULL);
    CHECK(take(arena, SIZE_MAX - 20) == NULL);
    CHECK(resize(arena, blocks[0].ptr, 20, SIZE_MAX) == NULL);
    CHECK_INT(natlet_arena_stats_now(arena).refused, refused + 5);
    for (int i = 0; i < count; i++) { /* the even ones first: no two neighbours */
        int k = i * 2 < count ? i * 2 : (i - (count + 1) / 2) * 2 + 1;
        check_pattern(&blocks[k], 20);
        give_back(arena, blocks[k].ptr, 20);
    }
    CHECK_INT(largest(arena), fits);
}

static void neighbours_become_one(void)
{
    static uint64_t mem[200];
    natlet_arena *arena = make(mem, sizeof mem);
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (int i = 0; i < 6; i++) {
        uint8_t *block[3];
        for (int k = 0; k < 3; k++) {
            block[k] = take(arena, 100);
        }
        void *wall = take(arena, 8);
        for (int k = 0; k < 3; k++) {
            give_back(arena, block[orders[i][k]], 100);
        }
        CHECK(take(arena, 300) == block[0]); /* fits only into all three together */
        give_back(arena, block[0], 300);
        give_back(arena, wall, 8);
    }
}

/* Blocks of one bin that are too small stand before the only one that is not. */
static void the_last_block_that_fits_is_found(void)
{
    static uint64_t mem[600];
    natlet_arena *arena = make(mem, sizeof mem);
    uint8_t *small[20];

    uint8_t *fits = take(arena, 104);
    take(arena, 8);
    for (int i = 0; i < 20; i++) {
        small[i] = take(arena, 56);
        take(arena, 8); /* a wall */
    }
    while (take(arena, 8) != NULL) {
    }
    give_back(arena, fits, 104);
    for (int i = 0; i < 20; i++) {
        give_back(arena, small[i], 56);
    }
    CHECK(take(arena, 104) == fits);
    CHECK(take(arena, 104) == NULL);
}

static void resize_stays_in_place_where_it_can(void)
{
    static uint64_t mem[300];
    natlet_arena *arena = make(mem, sizeof mem);

    uint8_t *a = take(arena, 100);
    uint8_t *b = take(arena, 100);
    uint8_t *wall = take(arena, 8);
    memset(a, 1, 100);
    give_back(arena, b, 100);
    CHECK(resize(arena, a, 100, 190) == a); /* into what b left */
    CHECK(resize(arena, a, 190, 40) == a);
    CHECK(take(arena, 100) > (void *)a); /* the tail came back */
    uint8_t *moved = resize(arena, a, 40, 400);
    CHECK(moved != NULL && moved > wall && moved[39] == 1);
    CHECK(take(arena, 40) == a); /* and where it was is free */
}

/* ---- growth ---- */

static struct {
    uint64_t mem[4096];
    size_t used; /* bytes of mem that the arena has */
    size_t most; /* bytes one call adds at most */
    size_t asked;
    uint32_t calls;
} land;

static size_t grow(size_t bytes)
{
    size_t left = sizeof land.mem - land.used;
    size_t added = bytes < land.most ? bytes : land.most;

    added = added < left ? added : left;
    land.used += added;
    land.asked = bytes;
    land.calls++;
    return added;
}

static natlet_arena *make_growing(size_t most)
{
    natlet_arena *arena = NULL;

    memset(&land, 0, sizeof land);
    land.used = 1024;
    land.most = most;
    CHECK(natlet_arena_init(&arena, land.mem, land.used, grow) == NATLET_OK);
    return arena;
}

static void it_grows_when_it_is_full(void)
{
    natlet_arena *arena = make_growing(SIZE_MAX);
    size_t fits = 0;

    uint8_t *big = take(arena, 5000);
    CHECK(big != NULL && land.calls == 1);
    CHECK(land.asked < 5000); /* what was free at the end counts */
    memset(big, 9, 5000);
    uint8_t *small = take(arena, 2000);
    CHECK(small != NULL && small > big);
    memset(small, 8, 2000);
    CHECK(big[4999] == 9);
    CHECK_INT(natlet_arena_stats_now(arena).total_bytes, land.used);
    CHECK(take(arena, sizeof land.mem) == NULL);
    give_back(arena, big, 5000);
    give_back(arena, small, 2000);
    CHECK_INT(natlet_arena_stats_now(arena).used_bytes, 0);
    fits = largest(arena);
    CHECK(fits > land.used - 1024);
}

/* A hook that adds little, or nothing, or an odd number of bytes. */
static void a_poor_hook_is_no_harm(void)
{
    for (size_t most = 0; most < 300; most++) {
        natlet_arena *arena = make_growing(most);
        held blocks[16] = {{NULL, 0, 0}};
        for (int i = 0; i < 16; i++) {
            blocks[i].ptr = take(arena, 200);
            blocks[i].bytes = blocks[i].ptr != NULL ? 200 : 0;
            blocks[i].pattern = (uint8_t)(i + 1);
            fill(&blocks[i], 0);
        }
        CHECK(most >= 216 ? blocks[15].ptr != NULL : land.calls > 0);
        for (int i = 0; i < 16; i++) {
            check_pattern(&blocks[i], blocks[i].bytes);
            if (blocks[i].ptr != NULL) {
                give_back(arena, blocks[i].ptr, 200);
            }
        }
        CHECK_INT(natlet_arena_stats_now(arena).used_bytes, 0);
    }
}

int main(void)
{
    RUN(random_requests_keep_their_bytes);
    RUN(every_length_of_memory);
    RUN(exhaustion_is_counted_and_harmless);
    RUN(neighbours_become_one);
    RUN(the_last_block_that_fits_is_found);
    RUN(resize_stays_in_place_where_it_can);
    RUN(it_grows_when_it_is_full);
    RUN(a_poor_hook_is_no_harm);
    return test_done();
}
