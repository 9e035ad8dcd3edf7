#include "client/offline.h"

#include <string.h>

#include "base/assert.h"
#include "natlet/limits.h"

enum { ALIGN = sizeof(uint64_t) };

struct natlet__block {
    natlet__block *next;
    uint32_t bytes;      /* of memory, this head included */
    uint32_t start, end; /* of the records, from the start of the block */
};

enum { HEAD = (sizeof(natlet__block) + ALIGN - 1) / ALIGN * ALIGN };

static natlet__record *record_at(natlet__block *block, uint32_t at)
{
    return (void *)((uint8_t *)block + at);
}

static uint32_t record_bytes(uint32_t len)
{
    return (uint32_t)sizeof(natlet__record) + (len + ALIGN - 1) / ALIGN * ALIGN;
}

static void give_back_first(natlet__offline *store)
{
    natlet__block *block = store->first;

    store->first = block->next;
    store->bytes -= block->bytes;
    natlet__memory_give_back(store->memory, block, block->bytes);
}

void natlet__offline_free(natlet__offline *store)
{
    while (store->first != NULL) {
        give_back_first(store);
    }
}

/* A new last block, with `bytes` at least. */
static natlet_status add_block(natlet__offline *store, uint32_t bytes)
{
    uint32_t left = store->bytes_max - store->bytes;

    if (bytes > left) {
        return NATLET_E_FULL;
    }
    left = left < NATLET_OFFLINE_BLOCK_BYTES ? left : NATLET_OFFLINE_BLOCK_BYTES;
    bytes = bytes > left ? bytes : left;
    natlet__block *block = natlet__memory_resize(store->memory, NULL, 0, bytes);
    if (block == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    *block = (natlet__block){.bytes = bytes, .start = HEAD, .end = HEAD};
    if (store->first == NULL) {
        store->first = block;
    } else {
        store->last->next = block;
    }
    store->last = block;
    store->bytes += bytes;
    store->bytes_top = store->bytes > store->bytes_top ? store->bytes : store->bytes_top;
    return NATLET_OK;
}

natlet_status natlet__offline_begin(natlet__offline *store, uint32_t bytes)
{
    uint32_t need = record_bytes(bytes);

    if (HEAD + need > store->bytes_max) {
        return NATLET_E_TOO_LARGE;
    }
    if (store->first != NULL) {
        if (store->last->bytes - store->last->end >= need) {
            return NATLET_OK;
        }
        if (store->first->start == store->first->end) {
            give_back_first(store); /* empty, and too small */
        }
    }
    return add_block(store, HEAD + need);
}

uint8_t *natlet__offline_at(const natlet__offline *store)
{
    return (uint8_t *)(record_at(store->last, store->last->end) + 1);
}

void natlet__offline_wrote(natlet__offline *store, const natlet__record *record)
{
    natlet__block *last = store->last;

    *record_at(last, last->end) = *record;
    last->end += record_bytes(record->len);
    NATLET_ASSERT(last->end <= last->bytes);
}

natlet__record *natlet__offline_first(const natlet__offline *store)
{
    natlet__block *block = store->first;

    return block != NULL && block->start < block->end ? record_at(block, block->start) : NULL;
}

void natlet__offline_drop(natlet__offline *store)
{
    natlet__block *block = store->first;

    block->start += record_bytes(record_at(block, block->start)->len);
    if (block->start < block->end) {
        return;
    }
    if (block->next != NULL || block->bytes > NATLET_OFFLINE_BLOCK_BYTES) {
        give_back_first(store);
    } else {
        block->start = block->end = HEAD;
    }
}
