/* A table of things with numbers: agents, waits.
 *
 * Internal.  Free slots are linked by number; a zeroed table is a whole one in
 * which each free slot leads to the one behind it. */
#ifndef NATLET_AGENT_TABLE_H
#define NATLET_AGENT_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct natlet__slot {
    void *thing;   /* NULL: free */
    uint32_t skip; /* free: slots between this one and the next free one */
} natlet__slot;

typedef struct natlet__table {
    natlet__slot *slots;
    uint32_t cap;
    uint32_t free; /* the next one to take; cap: none */
    uint32_t used;
    uint32_t used_max;
} natlet__table;

/* Gives `thing` the slot `free`, which must not be cap. */
void natlet__table_add(natlet__table *table, void *thing);
void natlet__table_remove(natlet__table *table, uint32_t slot);

/* What is in the slot; NULL if there is none, or no such slot. */
static inline void *natlet__table_at(const natlet__table *table, uint32_t slot)
{
    return slot < table->cap ? table->slots[slot].thing : NULL;
}

#endif
