/* Agents whose code runs elsewhere: in another instance, in a worker, in a host language.
 * Their crashes are reported, not caught. */
#include "agent/kernel.h"

static bool is_crash(natlet_exit_kind kind)
{
    return kind > NATLET_EXIT_SHUTDOWN && kind <= NATLET_EXIT_FUEL;
}

natlet_status natlet_cell_crash(natlet_cell *cell, natlet_pid pid, natlet_reason why)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (cell->running != NULL || natlet__is_supervisor(agent)) {
        return NATLET_E_STATE;
    }
    if (!is_crash(why.kind)) {
        return NATLET_E_INVALID;
    }
    uint32_t was = natlet__lock(cell);
    natlet__agent_crash(cell, agent, why);
    natlet__unlock(cell, was);
    return NATLET_OK;
}

uint32_t natlet_cell_queued(const natlet_cell *cell)
{
    uint32_t queued = 0;

    for (uint32_t slot = 0; slot < cell->agents.cap; slot++) {
        const natlet__agent *agent = natlet__table_at(&cell->agents, slot);
        if (agent != NULL) {
            queued += agent->mailbox.queued + (agent->mail != NULL);
        }
    }
    return queued;
}
