/* One supervisor and its children, by the rules of OTP 25:
 *
 * S1   children start in order; the first that cannot stops the others, in reverse
 * S2   stopping goes in reverse order, one at a time, and waits for each
 * S3   a child gets `shutdown_ms` to stop, then it is killed
 * S4   permanent: always restarted; transient: after a crash; temporary: forgotten
 * S5   a restart counts before it is tried; too many in a period stop everything
 * S6   only the child that ended is started again
 * S10  a restart that fails is tried again after what else is to be done, and counts
 * S12  a supervisor is a child like others; it ends with SHUTDOWN
 * S15  what ends while the supervisor stops its children is only noted
 *
 * What is to be done stands in `events`, in the order in which it came.  Stopping
 * goes on where `stopping` points whenever the supervisor has its turn, so that it
 * can wait for a child, and survive a trap in a terminate. */
#include "agent/kernel.h"

enum { US_PER_MS = 1000 };

/* natlet__agent.index of a child that is not in the specification. */
#define ADDED UINT32_MAX

static const natlet_reason shutdown = {NATLET_EXIT_SHUTDOWN, 0};
static const natlet_reason killed = {NATLET_EXIT_KILLED, NATLET_E_CANCELLED};

static natlet__supervisor *state_of(const natlet__agent *agent)
{
    return natlet__supervisor_of(agent);
}

/* ---- restarts in a period ---- */

static uint64_t *ring_of(natlet__supervisor *sup)
{
    return (uint64_t *)(sup + 1);
}

/* Places for the times of restarts, one more than are allowed; 0 if the
 * specification is out of range. */
static uint32_t places_of(const natlet_supervisor_spec *spec)
{
    int32_t intensity = spec->intensity == 0 ? NATLET_INTENSITY_DEFAULT : spec->intensity;

    if (intensity == NATLET_NO_RESTART) {
        return 1;
    }
    return intensity > 0 && intensity <= NATLET_INTENSITY_MAX ? (uint32_t)intensity + 1 : 0;
}

size_t natlet__supervisor_bytes(const natlet_supervisor_spec *spec)
{
    uint32_t places = places_of(spec);

    return places > 0 ? sizeof(natlet__supervisor) + places * sizeof(uint64_t) : 0;
}

uint32_t natlet__supervisor_count(const natlet__agent *agent)
{
    const natlet__link *children = &state_of(agent)->children;
    uint32_t count = 0;

    for (const natlet__link *at = children->next; at != children; at = at->next) {
        count++;
    }
    return count;
}

/* Notes a restart: until when it counts.  With the last ones in a ring, the oldest
 * of them tells whether they all count: O(1), however many are allowed. */
static bool may_restart(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);
    const natlet_supervisor_spec *spec = agent->child.supervisor;
    uint64_t *until_us = ring_of(sup);
    uint64_t period_ms = spec->period_ms > 0 ? spec->period_ms : NATLET_PERIOD_MS_DEFAULT;
    uint64_t now_us = natlet_runtime_now_us(cell->rt);

    until_us[sup->place] = now_us + period_ms * US_PER_MS + 1;
    sup->place = (sup->place + 1) % sup->places;
    return until_us[sup->place] <= now_us;
}

/* ---- stopping ---- */

/* Ends an agent and all below it at once, the last child first. */
static void end_tree(natlet_cell *cell, natlet__agent *agent, natlet_reason why);

static void end_children(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    const natlet__link *children = &state_of(agent)->children;

    for (natlet__link *at = children->prev; at != children; at = at->prev) {
        end_tree(cell, natlet__child_at(at), why);
    }
}

static void end_tree(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    why = agent->child.shutdown_ms == NATLET_SHUTDOWN_BRUTAL ? killed : why;
    if (natlet__is_supervisor(agent)) {
        end_children(cell, agent, why);
        natlet__timers_stop(&cell->timers, &state_of(agent)->patience.timer);
    }
    natlet__agent_end(cell, agent, why, NATLET_AGENT_DOWN);
}

static void halt(natlet_cell *cell, natlet__agent *agent, natlet_reason outcome);

/* Asks a child to stop, as often as one likes.  True: that takes time. */
static bool ask_to_stop(natlet_cell *cell, natlet__agent *child)
{
    if (child->pid == 0 || child->phase == NATLET_AGENT_STARTING ||
        child->child.shutdown_ms == NATLET_SHUTDOWN_BRUTAL) {
        return false;
    }
    if (natlet__is_supervisor(child)) {
        halt(cell, child, shutdown);
        return child->pid != 0;
    }
    child->is_asked = true;
    return child->phase == NATLET_AGENT_BUSY;
}

/* Lets `stopping` have its time. */
static void be_patient(natlet_cell *cell, natlet__supervisor *sup)
{
    const natlet__agent *child = natlet__child_at(sup->stopping);
    uint32_t ms = child->child.shutdown_ms;

    if (ms == 0) {
        ms = natlet__is_supervisor(child) ? NATLET_SHUTDOWN_NEVER : NATLET_SHUTDOWN_MS_DEFAULT;
    }
    if (ms != NATLET_SHUTDOWN_NEVER && !sup->patience.timer.running) {
        natlet__cell_alarm(cell, &sup->patience, ms);
    }
}

/* Stops one child after the other until one wants time. */
static void go_on_stopping(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    while (sup->stopping != &sup->children) {
        natlet__agent *child = natlet__child_at(sup->stopping);
        if (ask_to_stop(cell, child)) {
            be_patient(cell, sup);
            return;
        }
        end_tree(cell, child, shutdown);
        natlet__timers_stop(&cell->timers, &sup->patience.timer);
        sup->stopping = sup->stopping->prev;
    }
    natlet__agent_end(cell, agent, sup->outcome, NATLET_AGENT_EXITED);
}

/* Stops all children, then the supervisor. */
static void halt(natlet_cell *cell, natlet__agent *agent, natlet_reason outcome)
{
    natlet__supervisor *sup = state_of(agent);

    if (agent->phase == NATLET_AGENT_RUNNING) {
        natlet__agent_enter(cell, agent, NATLET_AGENT_STOPPING);
        sup->outcome = outcome;
        sup->stopping = sup->children.prev;
        go_on_stopping(cell, agent);
    }
}

/* The child that is being stopped had its time. */
static void lose_patience(natlet_cell *cell, natlet__alarm *patience)
{
    void *at = (char *)patience - offsetof(natlet__supervisor, patience);
    natlet__supervisor *sup = at;

    end_tree(cell, natlet__child_at(sup->stopping), killed);
    natlet__agent_schedule(cell, sup->agent);
}

/* ---- starting ---- */

void natlet__supervisor_init(natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    sup->agent = agent;
    sup->places = places_of(agent->child.supervisor);
    sup->patience.ring = lose_patience;
    natlet__list_init(&sup->children);
    natlet__list_init(&sup->events);
}

/* Makes the children of the specification that do not exist: all of them at first,
 * later the temporary ones that were forgotten. */
static natlet_status make_children(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_supervisor_spec *spec = agent->child.supervisor;
    natlet__link *children = &state_of(agent)->children;
    natlet__link *at = children->next;

    for (uint32_t i = 0; i < spec->count; i++) {
        natlet__agent *child = natlet__child_at(at);
        if (at != children && child->index == i) {
            natlet__agent_enter(cell, child, NATLET_AGENT_STARTING); /* takes mail from here on */
            at = at->next;
            continue;
        }
        natlet_status st = natlet__agent_new(cell, &child, agent, &spec->children[i], at);
        if (st < 0) {
            return st;
        }
        child->index = i;
    }
    return NATLET_OK;
}

natlet_status natlet__supervisor_open(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);
    natlet__link *children = &sup->children;

    memset(ring_of(sup), 0, sup->places * sizeof(uint64_t));
    while (!natlet__list_is_empty(children) && natlet__child_at(children->prev)->index == ADDED) {
        natlet__agent_remove(cell, natlet__child_at(children->prev)); /* of its last life */
    }
    natlet_status st = make_children(cell, agent);
    for (natlet__link *at = children->next; at != children && st == NATLET_OK; at = at->next) {
        st = natlet__agent_start(cell, natlet__child_at(at));
    }
    if (st < 0) {
        end_children(cell, agent, shutdown); /* nobody has had mail, so nobody is busy */
    }
    return st;
}

natlet_status natlet__supervisor_start_added(natlet_cell *cell, natlet__agent *agent)
{
    natlet_status st = natlet__agent_start(cell, agent);

    if (st < 0) {
        natlet__agent_remove(cell, agent);
    }
    return st;
}

void natlet__supervisor_start_trapped(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_reason trap = {NATLET_EXIT_TRAP, NATLET_E_TRAP};

    natlet__agent_not_started(cell, agent, trap);
    while (agent->parent->phase == NATLET_AGENT_STARTING) {
        agent = agent->parent;
        end_children(cell, agent, shutdown);
        natlet__agent_not_started(cell, agent, trap);
    }
    if (agent->has_run) {
        natlet__agent_enter(cell, agent, NATLET_AGENT_RESTARTING);
    } else {
        natlet__agent_remove(cell, agent);
    }
}

/* ---- children that ended ---- */

static bool is_to_be_restarted(const natlet__agent *child)
{
    bool is_crash =
        child->exit.kind != NATLET_EXIT_NORMAL && child->exit.kind != NATLET_EXIT_SHUTDOWN;

    return child->child.restart == NATLET_PERMANENT ||
           (child->child.restart == NATLET_TRANSIENT && is_crash);
}

static void give_up(natlet_cell *cell, natlet__agent *child)
{
    if (child->child.restart == NATLET_TEMPORARY) {
        natlet__agent_remove(cell, child);
        return;
    }
    natlet__agent_enter(cell, child, NATLET_AGENT_DOWN);
    natlet__agent_drain(cell, child, NATLET_DEAD_NO_AGENT);
}

static void restart(natlet_cell *cell, natlet__agent *child)
{
    child->restarts++;
    cell->stats.restarts++;
    if (natlet__agent_start(cell, child) < 0) {
        natlet__agent_enter(cell, child, NATLET_AGENT_RESTARTING);
    }
}

/* Acts on the children that ended or could not be restarted, until there is none or
 * the supervisor gives up. */
static void act(natlet_cell *cell, natlet__agent *agent)
{
    const natlet__link *events = &state_of(agent)->events;

    while (agent->phase == NATLET_AGENT_RUNNING && !natlet__list_is_empty(events)) {
        natlet__agent *child = (natlet__agent *)events->next;
        if (child->phase == NATLET_AGENT_EXITED && !is_to_be_restarted(child)) {
            give_up(cell, child);
        } else if (may_restart(cell, agent)) {
            restart(cell, child);
        } else {
            halt(cell, agent, shutdown);
        }
    }
}

void natlet__supervisor_run(natlet_cell *cell, natlet__agent *agent)
{
    if (agent->phase == NATLET_AGENT_STOPPING) {
        go_on_stopping(cell, agent);
    } else if (agent->is_asked) {
        halt(cell, agent, shutdown);
    } else {
        act(cell, agent);
    }
}

/* ---- for the program ---- */

static natlet_status add(natlet_cell *cell, natlet__agent *agent, const natlet_child *child,
                         natlet_pid *pid)
{
    natlet__agent *added;

    if (agent == NULL || !natlet__is_supervisor(agent)) {
        return agent == NULL ? NATLET_E_NO_AGENT : NATLET_E_INVALID;
    }
    if (agent->phase != NATLET_AGENT_RUNNING) {
        return NATLET_E_STATE;
    }
    natlet_status st = natlet__agent_new(cell, &added, agent, child, &state_of(agent)->children);
    if (st < 0) {
        return st;
    }
    added->index = ADDED;
    if (cell->running != NULL) { /* no handler runs inside another */
        natlet__agent_schedule(cell, added);
    } else {
        st = natlet__supervisor_start_added(cell, added);
    }
    *pid = st == NATLET_OK ? added->pid : 0;
    return st;
}

natlet_status natlet_supervisor_start(natlet_cell *cell, const natlet_supervisor_spec *spec,
                                      natlet_pid *pid)
{
    const natlet_child tree = {.supervisor = spec, .restart = NATLET_TEMPORARY};

    *pid = 0;
    return cell->running == NULL ? add(cell, &cell->root, &tree, pid) : NATLET_E_STATE;
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
    uint32_t was = natlet__lock(cell);
    natlet__agent *agent = natlet__registry_at(cell, supervisor);

    if (agent != NULL && natlet__is_supervisor(agent)) {
        agent->is_asked = true;
        natlet__agent_schedule(cell, agent);
    }
    natlet__unlock(cell, was);
    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    return natlet__is_supervisor(agent) ? NATLET_OK : NATLET_E_INVALID;
}
