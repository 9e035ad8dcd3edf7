#include "agent/table.h"

#include "base/assert.h"

void natlet__table_add(natlet__table *table, void *thing)
{
    natlet__slot *slot = &table->slots[table->free];

    NATLET_ASSERT(table->free < table->cap);
    slot->thing = thing;
    table->free += slot->skip + 1;
    table->used++;
    table->used_max = table->used > table->used_max ? table->used : table->used_max;
}

void natlet__table_remove(natlet__table *table, uint32_t slot)
{
    NATLET_ASSERT(slot < table->cap);
    table->slots[slot] = (natlet__slot){.skip = table->free - slot - 1};
    table->free = slot;
    table->used--;
}
