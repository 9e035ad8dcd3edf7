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
static const natlet_reason killed = {NATLET_EXIT_KILLED, 0};

static natlet__supervisor *state_of(const natlet__agent *agent)
{
    return agent->state;
}

natlet__family *natlet__siblings(natlet_cell *cell, const natlet__agent *agent)
{
    return agent->parent != NULL ? &state_of(agent->parent)->children : &cell->roots;
}

/* ---- restarts in a period ---- */

/* Restarts allowed, or -1 if the specification is out of range. */
static int32_t intensity_of(const natlet_supervisor_spec *spec)
{
    switch (spec->intensity) {
    case 0:
        return NATLET_INTENSITY_DEFAULT;
    case NATLET_NO_RESTART:
        return 0;
    default:
        return spec->intensity > 0 && spec->intensity <= NATLET_INTENSITY_MAX ? spec->intensity
                                                                              : -1;
    }
}

size_t natlet__supervisor_bytes(const natlet_supervisor_spec *spec)
{
    int32_t intensity = intensity_of(spec);

    return intensity < 0 ? 0
                         : sizeof(natlet__supervisor) + ((size_t)intensity + 1) * sizeof(uint64_t);
}

/* Notes a restart.  With the times of the last intensity + 1 in a ring, the oldest
 * of them tells whether they all fell within the period: O(1), however large the
 * intensity. */
static bool may_restart(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);
    const natlet_supervisor_spec *spec = agent->child.supervisor;
    uint64_t period_ms = spec->period_ms > 0 ? spec->period_ms : NATLET_PERIOD_MS_DEFAULT;
    uint64_t now_us = natlet_runtime_now_us(cell->rt);
    uint64_t places = (uint64_t)sup->intensity + 1;

    sup->restarts_us[sup->counted % places] = now_us;
    sup->counted++;
    return sup->counted < places ||
           now_us - sup->restarts_us[sup->counted % places] > period_ms * US_PER_MS;
}

/* ---- events ---- */

void natlet__supervisor_post(natlet_cell *cell, natlet__agent *parent, natlet__agent *child)
{
    natlet__supervisor *sup = state_of(parent);

    natlet__agent_schedule(cell, parent);
    if (child->is_posted) {
        return;
    }
    child->is_posted = true;
    child->event_next = NULL;
    if (sup->events_last != NULL) {
        sup->events_last->event_next = child;
    } else {
        sup->events = child;
    }
    sup->events_last = child;
}

static natlet__agent *next_event(natlet__supervisor *sup)
{
    natlet__agent *child = sup->events;

    if (child != NULL) {
        child->is_posted = false;
        sup->events = child->event_next;
        sup->events_last = sup->events != NULL ? sup->events_last : NULL;
    }
    return child;
}

/* What its children's ends meant is decided otherwise; they may be freed now. */
static void forget_events(natlet__supervisor *sup)
{
    while (next_event(sup) != NULL) {
    }
}

/* ---- stopping ---- */

/* Ends a child and all below it at once. */
static void kill(natlet_cell *cell, natlet__agent *agent)
{
    if (natlet__is_supervisor(agent)) {
        natlet__supervisor *sup = state_of(agent);
        for (natlet__agent *child = sup->children.last; child != NULL; child = child->older) {
            kill(cell, child);
        }
        forget_events(sup);
        natlet__timers_stop(&cell->timers, &sup->patience);
    }
    if (agent->phase == NATLET_AGENT_STARTING) {
        natlet__agent_reset(cell, agent);
    } else if (agent->pid != 0) {
        natlet__agent_end(cell, agent, killed);
    }
    agent->phase = NATLET_AGENT_DOWN;
}

static void halt(natlet_cell *cell, natlet__agent *agent, natlet_reason outcome);

/* Asks a child to stop, as often as one likes.  True: it is down. */
static bool stop_child(natlet_cell *cell, natlet__agent *child)
{
    bool is_alive = child->phase == NATLET_AGENT_RUNNING || child->phase == NATLET_AGENT_BUSY ||
                    child->phase == NATLET_AGENT_STOPPING;

    if (child->phase == NATLET_AGENT_STARTING) {
        natlet__agent_reset(cell, child);
    } else if (is_alive && child->child.shutdown_ms == NATLET_SHUTDOWN_BRUTAL) {
        kill(cell, child);
    } else if (is_alive && natlet__is_supervisor(child)) {
        halt(cell, child, shutdown);
    } else if (child->phase == NATLET_AGENT_BUSY) {
        child->is_asked = true;
    } else if (is_alive) {
        natlet__agent_end(cell, child, shutdown);
    }
    if (child->pid == 0) {
        child->phase = NATLET_AGENT_DOWN;
    }
    return child->pid == 0;
}

/* Lets `stopping` have its time. */
static void be_patient(natlet_cell *cell, natlet__supervisor *sup)
{
    const natlet__agent *child = sup->stopping;
    uint64_t ms = child->child.shutdown_ms;

    if (ms == 0) {
        ms = natlet__is_supervisor(child) ? NATLET_SHUTDOWN_NEVER : NATLET_SHUTDOWN_MS_DEFAULT;
    }
    if (ms != NATLET_SHUTDOWN_NEVER && !sup->patience.running) {
        sup->patience.kind = NATLET__TIMER_PATIENCE;
        natlet__timers_start(&cell->timers, &sup->patience,
                             natlet_runtime_now_us(cell->rt) + ms * US_PER_MS);
    }
}

/* All children are down, and so is the supervisor then. */
static void finish_stopping(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    forget_events(sup);
    natlet__agent_exit(cell, agent, sup->outcome);
    if (agent->parent == NULL) {
        natlet__agent_remove(cell, agent);
    }
}

/* Stops one child after the other until one wants time. */
static void go_on_stopping(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    while (sup->stopping != NULL) {
        if (!stop_child(cell, sup->stopping)) {
            be_patient(cell, sup);
            return;
        }
        natlet__timers_stop(&cell->timers, &sup->patience);
        sup->stopping = sup->stopping->older;
    }
    finish_stopping(cell, agent);
}

/* Stops all children, then the supervisor, which may be freed by that. */
static void halt(natlet_cell *cell, natlet__agent *agent, natlet_reason outcome)
{
    natlet__supervisor *sup = state_of(agent);

    if (agent->phase == NATLET_AGENT_RUNNING) {
        agent->phase = NATLET_AGENT_STOPPING;
        sup->outcome = outcome;
        sup->stopping = sup->children.last;
        go_on_stopping(cell, agent);
    }
}

void natlet__supervisor_impatient(natlet_cell *cell, natlet__timer *patience)
{
    void *at = (char *)patience - offsetof(natlet__supervisor, patience);
    natlet__supervisor *sup = at;

    kill(cell, sup->stopping);
    natlet__agent_schedule(cell, sup->agent);
}

void natlet__supervisor_empty(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    while (sup->children.last != NULL) {
        natlet__agent_remove(cell, sup->children.last);
    }
}

/* ---- starting ---- */

/* Makes the children of the specification that do not exist: all of them at first,
 * later the temporary ones that were forgotten. */
static natlet_status make_children(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_supervisor_spec *spec = agent->child.supervisor;
    natlet__agent *next = state_of(agent)->children.first;

    for (uint32_t i = 0; i < spec->count; i++) {
        if (next != NULL && next->index == i) {
            next->phase = NATLET_AGENT_STARTING; /* takes mail from here on */
            next = next->younger;
            continue;
        }
        natlet__agent *child;
        natlet_status st = natlet__agent_new(cell, &child, agent, &spec->children[i], next);
        if (st < 0) {
            return st;
        }
        child->index = i;
    }
    return NATLET_OK;
}

/* Stops what was started, in reverse.  Nobody has had mail yet, so nobody is busy. */
static void undo_start(natlet_cell *cell, natlet__agent *agent)
{
    for (natlet__agent *child = state_of(agent)->children.last; child != NULL;
         child = child->older) {
        bool is_down = stop_child(cell, child);
        NATLET_ASSERT(is_down);
    }
}

natlet_status natlet__supervisor_open(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    sup->agent = agent;
    sup->intensity = (uint32_t)intensity_of(agent->child.supervisor);
    sup->counted = 0;
    forget_events(sup); /* of an earlier life, as the added children are */
    while (sup->children.last != NULL && sup->children.last->index == ADDED) {
        natlet__agent_remove(cell, sup->children.last);
    }
    natlet_status st = make_children(cell, agent);
    for (natlet__agent *child = sup->children.first; child != NULL && st == NATLET_OK;
         child = child->younger) {
        st = natlet__agent_start(cell, child);
    }
    if (st < 0) {
        undo_start(cell, agent);
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
    while (agent->parent != NULL && agent->parent->phase == NATLET_AGENT_STARTING) {
        agent = agent->parent;
        undo_start(cell, agent);
        natlet__agent_not_started(cell, agent, trap);
    }
    if (agent->has_run && agent->parent != NULL) {
        agent->phase = NATLET_AGENT_RESTARTING;
        natlet__supervisor_post(cell, agent->parent, agent);
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
    child->phase = NATLET_AGENT_DOWN;
    natlet__agent_drain(cell, child, NATLET_DEAD_NO_AGENT);
}

static void restart(natlet_cell *cell, natlet__agent *agent, natlet__agent *child)
{
    child->restarts++;
    cell->stats.restarts++;
    if (natlet__agent_start(cell, child) < 0) {
        child->phase = NATLET_AGENT_RESTARTING;
        natlet__supervisor_post(cell, agent, child);
    }
}

/* What the supervisor does about a child that ended or could not be restarted.  It
 * may have been freed when this returns, unless the answer is true. */
static bool act_on(natlet_cell *cell, natlet__agent *agent, natlet__agent *child)
{
    if (child->phase != NATLET_AGENT_EXITED && child->phase != NATLET_AGENT_RESTARTING) {
        return true;
    }
    if (child->phase == NATLET_AGENT_EXITED && !is_to_be_restarted(child)) {
        give_up(cell, child);
        return true;
    }
    if (may_restart(cell, agent)) {
        restart(cell, agent, child);
        return true;
    }
    halt(cell, agent, shutdown);
    return false;
}

void natlet__supervisor_run(natlet_cell *cell, natlet__agent *agent)
{
    natlet__agent *child = NULL;

    if (agent->phase == NATLET_AGENT_STOPPING) {
        go_on_stopping(cell, agent);
        return;
    }
    if (agent->phase != NATLET_AGENT_RUNNING) {
        return;
    }
    if (agent->is_asked) {
        halt(cell, agent, shutdown);
        return;
    }
    do {
        child = next_event(state_of(agent));
    } while (child != NULL && act_on(cell, agent, child));
}

/* ---- for the program ---- */

natlet_status natlet_supervisor_start(natlet_cell *cell, const natlet_supervisor_spec *spec,
                                      natlet_pid *pid)
{
    const natlet_child root = {.supervisor = spec};
    natlet__agent *agent;

    *pid = 0;
    if (cell->running != NULL) {
        return NATLET_E_STATE;
    }
    natlet_status st = natlet__agent_new(cell, &agent, NULL, &root, NULL);
    if (st == NATLET_OK) {
        agent->index = ADDED;
        st = natlet__supervisor_start_added(cell, agent);
    }
    if (st == NATLET_OK) {
        *pid = agent->pid;
    }
    return st;
}

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
    natlet_status st = natlet__agent_new(cell, &added, agent, child, NULL);
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
