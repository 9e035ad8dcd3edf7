/* Publishes that wait: whole operations, encoded, first in, first out.
 *
 *     first block                         last block
 *     | gone | record | record | - | -->  | record | record | room |
 *
 * Internal.  Blocks are taken as they are needed and given back as they empty;
 * nothing in them moves.  The last one stays, so that a queue which fills and empties
 * takes no memory. */
#ifndef NATLET_CLIENT_OFFLINE_H
#define NATLET_CLIENT_OFFLINE_H

#include "base/memory.h"
#include "natlet/slice.h"

typedef struct natlet__block natlet__block;

/* The operation follows it. */
typedef struct natlet__record {
    uint64_t due_us; /* it waits no longer than that */
    uint32_t len;    /* of the operation */
    uint32_t body;   /* bytes of header block and payload in it */
} natlet__record;

typedef struct natlet__offline {
    natlet__memory *memory;
    natlet__block *first, *last;
    uint32_t bytes_max; /* of memory; 0: keeps nothing */
    uint32_t bytes;     /* of memory, taken now */
    uint32_t bytes_top; /* most ever taken */
} natlet__offline;

void natlet__offline_free(natlet__offline *store);

/* Makes room for an operation of at most `bytes`, to be written at
 * natlet__offline_at.  Returns OK, E_FULL, E_TOO_LARGE (it never fits) or
 * E_NO_MEMORY. */
natlet_status natlet__offline_begin(natlet__offline *store, uint32_t bytes);
uint8_t *natlet__offline_at(const natlet__offline *store);

/* record->len bytes were written there. */
void natlet__offline_wrote(natlet__offline *store, const natlet__record *record);

/* The one that waits longest, or NULL. */
natlet__record *natlet__offline_first(const natlet__offline *store);

/* Takes that one out. */
void natlet__offline_drop(natlet__offline *store);

#endif
