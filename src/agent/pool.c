#include "agent/pool.h"

#include "base/assert.h"

static size_t round_up(size_t bytes)
{
    return (bytes + (NATLET__POOL_STEP - 1)) & ~(size_t)(NATLET__POOL_STEP - 1);
}

static size_t class_of(size_t bytes)
{
    return (bytes - 1) / NATLET__POOL_STEP;
}

natlet_status natlet__pool_init(natlet__pool *pool, void *mem, size_t mem_len)
{
    natlet_arena *arena;
    natlet_status st = natlet_arena_init(&arena, mem, mem_len, NULL);

    *pool = (natlet__pool){0};
    if (st == NATLET_OK) {
        pool->arena = natlet_arena_allocator(arena);
    }
    return st;
}

static void give_spare_back(natlet__pool *pool)
{
    for (size_t i = 0; i < NATLET__POOL_CLASSES; i++) {
        size_t bytes = (i + 1) * NATLET__POOL_STEP;
        while (pool->spare[i] != NULL) {
            natlet__spare *block = pool->spare[i];
            pool->spare[i] = block->next;
            (void)pool->arena.resize(pool->arena.self, block, bytes, 0);
        }
    }
}

static void *ask_arena(natlet__pool *pool, size_t bytes)
{
    void *block = pool->arena.resize(pool->arena.self, NULL, 0, bytes);

    if (block == NULL) {
        give_spare_back(pool);
        block = pool->arena.resize(pool->arena.self, NULL, 0, bytes);
    }
    if (block == NULL) {
        pool->refused++;
    }
    return block;
}

void *natlet__pool_take(natlet__pool *pool, size_t bytes)
{
    size_t i = class_of(bytes);
    void *block = NULL;

    NATLET_ASSERT(bytes > 0);
    bytes = round_up(bytes);
    if (i < NATLET__POOL_CLASSES && pool->spare[i] != NULL) {
        block = pool->spare[i];
        pool->spare[i] = pool->spare[i]->next;
    } else {
        block = ask_arena(pool, bytes);
    }
    if (block != NULL) {
        pool->used_bytes += bytes;
        pool->used_max = pool->used_bytes > pool->used_max ? pool->used_bytes : pool->used_max;
    }
    return block;
}

void natlet__pool_give_back(natlet__pool *pool, void *block, size_t bytes)
{
    size_t i = class_of(bytes);

    bytes = round_up(bytes);
    NATLET_ASSERT(bytes <= pool->used_bytes);
    pool->used_bytes -= bytes;
    if (i < NATLET__POOL_CLASSES) {
        natlet__spare *spare = block;
        spare->next = pool->spare[i];
        pool->spare[i] = spare;
    } else {
        (void)pool->arena.resize(pool->arena.self, block, bytes, 0);
    }
}
