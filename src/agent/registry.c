/* Who is where: agents by slot, and by name in a table of chains.
 *
 * A name belongs to the child as long as that exists, so that a restart cannot
 * lose it and mail by name waits for the next incarnation. */
#include "agent/kernel.h"

/* The place in its chain that leads to the agent of this name, or to none. */
static natlet__agent **place_of(const natlet_cell *cell, natlet_slice name)
{
    natlet__agent **at = &cell->names[natlet__hash(name) % (cell->agents.cap * 2)];

    while (*at != NULL && !natlet__equal((*at)->child.name, name)) {
        at = &(*at)->name_next;
    }
    return at;
}

/* Nobody with an empty name is in a chain. */
natlet__agent *natlet__registry_find(const natlet_cell *cell, natlet_slice name)
{
    return *place_of(cell, name);
}

/* Forgets one that has ended for good, ahead of its supervisor's turn, so that who hears
 * of its end can already give its name away. */
static bool forget(natlet_cell *cell, natlet__agent *agent)
{
    bool is_over = agent->phase == NATLET_AGENT_EXITED &&
                   agent->child.restart == NATLET_TEMPORARY && !agent->child.significant &&
                   natlet__supervisor_of(agent->parent)->stopping == NULL;

    if (is_over) {
        natlet__agent_remove(cell, agent);
    }
    return is_over;
}

natlet_status natlet__registry_add(natlet_cell *cell, natlet__agent *agent)
{
    natlet_slice name = agent->child.name;

    if (name.len > 0) {
        natlet__agent *holder = natlet__registry_find(cell, name);
        if (holder != NULL && !forget(cell, holder)) {
            return NATLET_E_NAME_TAKEN;
        }
    }
    if (cell->agents.free == cell->agents.cap) {
        return NATLET_E_LIMIT;
    }
    if (name.len > 0) {
        *place_of(cell, name) = agent;
    }
    agent->slot = cell->agents.free;
    natlet__table_add(&cell->agents, agent);
    return NATLET_OK;
}

void natlet__registry_remove(natlet_cell *cell, natlet__agent *agent)
{
    if (agent->child.name.len > 0) {
        *place_of(cell, agent->child.name) = agent->name_next;
    }
    natlet__table_remove(&cell->agents, agent->slot);
}

natlet_pid natlet_cell_at(const natlet_cell *cell, uint32_t slot)
{
    const natlet__agent *agent = natlet__table_at(&cell->agents, slot);

    return agent != NULL ? agent->pid : 0;
}

natlet_pid natlet_cell_find(const natlet_cell *cell, natlet_slice name)
{
    const natlet__agent *agent = natlet__registry_find(cell, name);

    return agent != NULL ? agent->pid : 0;
}
