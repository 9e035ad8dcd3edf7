#include "agent/pool.h"

#include <stdbool.h>

#include "base/assert.h"

natlet_status natlet__pool_init(natlet__pool *pool, void *mem, size_t mem_len)
{
    natlet_arena *arena;
    natlet_status st = natlet_arena_init(&arena, mem, mem_len, NULL);

    if (st == NATLET_OK) {
        pool->arena = natlet_arena_allocator(arena);
    }
    return st;
}

/* The list for blocks of this size; NULL if they are too large for one. */
static natlet__block **list_for(natlet__pool *pool, size_t bytes)
{
    size_t i = bytes / NATLET__POOL_STEP - 1;

    return i < NATLET__POOL_CLASSES ? &pool->spare[i] : NULL;
}

static natlet__block *pop(natlet__block **list)
{
    natlet__block *block = *list;

    if (block != NULL) {
        *list = block->next;
    }
    return block;
}

static void free_block(natlet__pool *pool, natlet__block *block)
{
    (void)pool->arena.resize(pool->arena.self, block, block->bytes, 0);
}

/* Answers whether there was anything to give. */
static bool give_spare_back(natlet__pool *pool)
{
    natlet__block *block = NULL;
    bool gave = false;

    for (size_t i = 0; i < NATLET__POOL_CLASSES; i++) {
        while ((block = pop(&pool->spare[i])) != NULL) {
            free_block(pool, block);
            gave = true;
        }
    }
    return gave;
}

static natlet__block *ask_arena(natlet__pool *pool, size_t bytes)
{
    natlet__block *block;

    do {
        block = pool->arena.resize(pool->arena.self, NULL, 0, bytes);
    } while (block == NULL && give_spare_back(pool));
    return block;
}

void *natlet__pool_take(natlet__pool *pool, size_t bytes)
{
    bytes = (bytes + sizeof(natlet__block) + NATLET__POOL_STEP - 1) / NATLET__POOL_STEP *
            NATLET__POOL_STEP;
    natlet__block **list = list_for(pool, bytes);
    natlet__block *block = list != NULL ? pop(list) : NULL;

    if (block == NULL) {
        block = ask_arena(pool, bytes);
    }
    if (block == NULL) {
        pool->refused++;
        return NULL;
    }
    block->bytes = bytes;
    pool->used_bytes += bytes;
    pool->used_max = pool->used_bytes > pool->used_max ? pool->used_bytes : pool->used_max;
    return block + 1;
}

void natlet__pool_give_back(natlet__pool *pool, void *mem)
{
    natlet__block *block = natlet__block_of(mem);
    natlet__block **list = list_for(pool, block->bytes);

    NATLET_ASSERT(block->bytes <= pool->used_bytes);
    pool->used_bytes -= block->bytes;
    if (list == NULL) {
        free_block(pool, block);
        return;
    }
    block->next = *list;
    *list = block;
}
