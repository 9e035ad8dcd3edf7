/* What others can see of an agent. */
#include "agent/kernel.h"

static const char *const state_texts[] = {
#define X(name, value, text) [value] = (text),
    NATLET_AGENT_STATE_MAP(X)
#undef X
};
static const char *const exit_texts[] = {
#define X(name, value, text) [value] = (text),
    NATLET_EXIT_MAP(X)
#undef X
};

static const char *text_at(const char *const *texts, size_t count, uint32_t which)
{
    return which < count && texts[which] != NULL ? texts[which] : "unknown";
}

const char *natlet_agent_state_text(natlet_agent_state state)
{
    return text_at(state_texts, sizeof state_texts / sizeof *state_texts, state);
}

const char *natlet_exit_text(natlet_exit_kind kind)
{
    return text_at(exit_texts, sizeof exit_texts / sizeof *exit_texts, kind);
}

void natlet__agent_describe(const natlet__agent *agent, natlet_agent_info *info)
{
    bool is_supervisor = natlet__is_supervisor(agent);

    *info = (natlet_agent_info){
        .pid = agent->pid,
        .parent = agent->parent->pid,
        .name = agent->child.name,
        .kind = is_supervisor ? "supervisor" : agent->child.behaviour->name,
        .state = agent->is_suspended ? NATLET_AGENT_SUSPENDED : (natlet_agent_state)agent->phase,
        .restarts = agent->restarts,
        .children = is_supervisor ? natlet__supervisor_count(agent) : 0,
        .handled = agent->handled,
        .last_exit = agent->exit,
        .mailbox = natlet__mailbox_stats_now(&agent->mailbox),
    };
    if (agent->care != NULL) {
        info->parked = agent->care->parked_count;
        info->parked_max = agent->care->parked_most;
        info->parked_refused = agent->care->parked_refused;
    }
}

natlet_status natlet_agent_info_of(const natlet_cell *cell, natlet_pid pid, natlet_agent_info *info)
{
    const natlet__agent *agent = natlet__registry_at(cell, pid);

    *info = (natlet_agent_info){0};
    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    natlet__agent_describe(agent, info);
    return NATLET_OK;
}
