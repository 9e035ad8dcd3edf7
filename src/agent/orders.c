/* What a program asks of a supervisor: children to start, to stop and to forget (S14).
 *
 * A supervisor that stops children takes no orders until it has; what an order stops is
 * stopped in the supervisor's turn, as no handler runs inside another. */
#include "agent/kernel.h"

/* Whether this is a supervisor that can take orders now. */
static natlet_status check(const natlet__agent *agent)
{
    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (!natlet__is_supervisor(agent)) {
        return NATLET_E_INVALID;
    }
    if (agent->phase != NATLET_AGENT_RUNNING) {
        return NATLET_E_STATE;
    }
    return natlet__supervisor_of(agent)->stopping == NULL ? NATLET_OK : NATLET_E_AGAIN;
}

/* Starts a child now, or, as no handler runs inside another, soon. */
static natlet_status start(natlet_cell *cell, natlet__agent *child, natlet_pid *pid)
{
    natlet_status st = NATLET_OK;

    if (cell->running != NULL) {
        natlet__agent_enter(cell, child, NATLET_AGENT_STARTING);
        natlet__agent_schedule(cell, child);
    } else {
        st = natlet__supervisor_start_added(cell, child);
    }
    *pid = st == NATLET_OK ? child->pid : 0;
    return st;
}

static natlet_status add(natlet_cell *cell, natlet__agent *agent, const natlet_child *child,
                         natlet_pid *pid)
{
    natlet__agent *added;
    natlet_child whole = *child;
    natlet_status st = check(agent);

    if (st < 0) {
        return st;
    }
    const natlet_supervisor_spec *spec = agent->child.supervisor;
    if (spec->strategy == NATLET_DYNAMIC) {
        if (spec->children_max > 0 && natlet__supervisor_count(agent) >= spec->children_max) {
            return NATLET_E_LIMIT;
        }
        whole = spec->children[0];
        whole.name = child->name;
        whole.arg = child->arg;
    }
    st = natlet__agent_new(cell, &added, agent, &whole, &natlet__supervisor_of(agent)->children);
    if (st < 0) {
        return st;
    }
    added->index = NATLET__ADDED;
    return start(cell, added, pid);
}

natlet_status natlet_supervisor_start(natlet_cell *cell, const natlet_supervisor_spec *spec,
                                      natlet_pid *pid)
{
    const natlet_child tree = {.supervisor = spec, .restart = NATLET_TEMPORARY};

    bool is_open = cell->running == NULL && cell->closing.step == NULL;

    *pid = 0;
    return is_open ? add(cell, &cell->root, &tree, pid) : NATLET_E_STATE;
}

natlet_status natlet_supervisor_add(natlet_cell *cell, natlet_pid supervisor,
                                    const natlet_child *child, natlet_pid *pid)
{
    uint32_t was = natlet__lock(cell);
    *pid = 0;
    natlet_status st = add(cell, natlet__registry_at(cell, supervisor), child, pid);

    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_supervisor_stop(natlet_cell *cell, natlet_pid supervisor)
{
    natlet__agent *agent = natlet__registry_at(cell, supervisor);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (!natlet__is_supervisor(agent)) {
        return NATLET_E_INVALID;
    }
    uint32_t was = natlet__lock(cell);
    natlet__supervisor_ask(cell, agent);
    natlet__unlock(cell, was);
    return NATLET_OK;
}

static natlet_status find_child(const natlet_cell *cell, natlet_pid supervisor, natlet_slice name,
                                natlet__agent **child)
{
    const natlet__agent *agent = natlet__registry_at(cell, supervisor);
    natlet_status st = check(agent);

    *child = natlet__registry_find(cell, name);
    if (st < 0) {
        return st;
    }
    return *child != NULL && (*child)->parent == agent ? NATLET_OK : NATLET_E_NOT_FOUND;
}

natlet_status natlet_supervisor_terminate(natlet_cell *cell, natlet_pid supervisor,
                                          natlet_slice name)
{
    uint32_t was = natlet__lock(cell);
    natlet__agent *child;
    natlet_status st = find_child(cell, supervisor, name, &child);

    if (st == NATLET_OK) {
        natlet__supervisor *sup = natlet__supervisor_of(child->parent);
        sup->stopping = &child->sibling;
        sup->last = &child->sibling;
        sup->restarts = false;
        natlet__agent_schedule(cell, child->parent);
    }
    natlet__unlock(cell, was);
    return st;
}

/* A child that is DOWN. */
static natlet_status find_down(const natlet_cell *cell, natlet_pid supervisor, natlet_slice name,
                               natlet__agent **child)
{
    const natlet__agent *agent = natlet__registry_at(cell, supervisor);

    if (agent != NULL && natlet__is_supervisor(agent) && natlet__is_dynamic(agent)) {
        return NATLET_E_INVALID;
    }
    natlet_status st = find_child(cell, supervisor, name, child);
    return st == NATLET_OK && (*child)->phase != NATLET_AGENT_DOWN ? NATLET_E_STATE : st;
}

natlet_status natlet_supervisor_restart(natlet_cell *cell, natlet_pid supervisor, natlet_slice name,
                                        natlet_pid *pid)
{
    uint32_t was = natlet__lock(cell);
    natlet__agent *child;
    natlet_status st = find_down(cell, supervisor, name, &child);

    *pid = 0;
    if (st == NATLET_OK) {
        st = start(cell, child, pid);
    }
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_supervisor_delete(natlet_cell *cell, natlet_pid supervisor, natlet_slice name)
{
    uint32_t was = natlet__lock(cell);
    natlet__agent *child;
    natlet_status st = find_down(cell, supervisor, name, &child);

    if (st == NATLET_OK) {
        natlet__agent_remove(cell, child);
    }
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_supervisor_count(const natlet_cell *cell, natlet_pid supervisor,
                                      natlet_supervisor_counts *counts)
{
    const natlet__agent *agent = natlet__registry_at(cell, supervisor);

    *counts = (natlet_supervisor_counts){0};
    if (agent == NULL || !natlet__is_supervisor(agent)) {
        return agent == NULL ? NATLET_E_NO_AGENT : NATLET_E_INVALID;
    }
    natlet__link *children = &natlet__supervisor_of(agent)->children;
    for (natlet__link *at = children->next; at != children; at = at->next) {
        const natlet__agent *child = natlet__child_at(at);
        counts->specs++;
        counts->active += child->pid != 0 ? 1 : 0;
        counts->supervisors += natlet__is_supervisor(child) ? 1 : 0;
    }
    counts->workers = counts->specs - counts->supervisors;
    counts->specs = natlet__is_dynamic(agent) ? 1 : counts->specs;
    return NATLET_OK;
}
