/* Agents that take only the SYS lane for a while. */
#include "agent/kernel.h"

static natlet_status set(natlet_cell *cell, natlet_pid pid, bool is_suspended)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (natlet__is_supervisor(agent)) {
        return NATLET_E_INVALID;
    }
    uint32_t was = natlet__lock(cell);
    agent->is_suspended = is_suspended;
    if (!is_suspended && agent->phase == NATLET_AGENT_RUNNING) {
        natlet__agent_schedule(cell, agent);
    }
    natlet__unlock(cell, was);
    return NATLET_OK;
}

natlet_status natlet_agent_suspend(natlet_cell *cell, natlet_pid pid)
{
    return set(cell, pid, true);
}

natlet_status natlet_agent_resume(natlet_cell *cell, natlet_pid pid)
{
    return set(cell, pid, false);
}
