/* Who is where: agents by slot, and by name in a table with open addressing.
 *
 * A name belongs to the child as long as that exists, so that a restart cannot
 * lose it and mail by name waits for the next incarnation. */
#include "agent/kernel.h"

/* FNV-1a, 32 bits. */
static uint32_t hash_of(natlet_slice name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ name.ptr[i]) * 16777619u;
    }
    return hash;
}

/* The place of this name, or the empty one where it would go. */
static uint32_t place_of(const natlet_cell *cell, uint32_t hash, natlet_slice name)
{
    uint32_t at = hash & cell->names_mask;

    while (cell->names[at] != 0) {
        const natlet__agent *agent = cell->slots[cell->names[at] - 1].agent;
        if (agent->name_hash == hash && natlet__equal(agent->child.name, name)) {
            break;
        }
        at = (at + 1) & cell->names_mask;
    }
    return at;
}

natlet__agent *natlet__registry_find(const natlet_cell *cell, natlet_slice name)
{
    uint32_t entry = name.len > 0 ? cell->names[place_of(cell, hash_of(name), name)] : 0;

    return entry != 0 ? cell->slots[entry - 1].agent : NULL;
}

natlet_status natlet__registry_add(natlet_cell *cell, natlet__agent *agent)
{
    natlet_slice name = agent->child.name;
    uint32_t slot = cell->free_slot;

    if (slot == NATLET__NONE) {
        return NATLET_E_LIMIT;
    }
    if (name.len > 0) {
        agent->name_hash = hash_of(name);
        uint32_t at = place_of(cell, agent->name_hash, name);
        if (cell->names[at] != 0) {
            return NATLET_E_NAME_TAKEN;
        }
        cell->names[at] = slot + 1;
    }
    cell->free_slot = cell->slots[slot].next_free;
    cell->slots[slot].agent = agent;
    cell->stats.agents++;
    agent->slot = slot;
    return NATLET_OK;
}

/* Empties a place and closes the gap: a name behind it moves up unless it would
 * come to stand before the place where its search begins. */
static void remove_name(natlet_cell *cell, uint32_t gap)
{
    uint32_t mask = cell->names_mask;

    for (uint32_t at = (gap + 1) & mask; cell->names[at] != 0; at = (at + 1) & mask) {
        uint32_t home = cell->slots[cell->names[at] - 1].agent->name_hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            cell->names[gap] = cell->names[at];
            gap = at;
        }
    }
    cell->names[gap] = 0;
}

void natlet__registry_remove(natlet_cell *cell, natlet__agent *agent)
{
    natlet__agent_slot *entry = &cell->slots[agent->slot];

    NATLET_ASSERT(entry->agent == agent);
    if (agent->child.name.len > 0) {
        remove_name(cell, place_of(cell, agent->name_hash, agent->child.name));
    }
    entry->agent = NULL;
    entry->next_free = cell->free_slot;
    cell->free_slot = agent->slot;
    cell->stats.agents--;
}

natlet__agent *natlet__registry_at(const natlet_cell *cell, natlet_pid pid)
{
    uint32_t slot = (uint32_t)pid & NATLET_PID_SLOT_MASK;
    natlet__agent *agent = slot < cell->config.agents_max ? cell->slots[slot].agent : NULL;

    return agent != NULL && pid != 0 && agent->pid == pid ? agent : NULL;
}

natlet_pid natlet_cell_at(const natlet_cell *cell, uint32_t slot)
{
    const natlet__agent *agent = slot < cell->config.agents_max ? cell->slots[slot].agent : NULL;

    return agent != NULL ? agent->pid : 0;
}

natlet_pid natlet_cell_find(const natlet_cell *cell, natlet_slice name)
{
    const natlet__agent *agent = natlet__registry_find(cell, name);

    return agent != NULL ? agent->pid : 0;
}
