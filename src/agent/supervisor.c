/* One supervisor and its children, by the rules of OTP 25:
 *
 * S1   children start in order; the first that cannot stops the others, in reverse
 * S2   stopping goes in reverse order, one at a time, and waits for each
 * S3   a child gets `shutdown_ms` to stop, then it is killed
 * S4   permanent: always restarted; transient: after a crash; temporary: forgotten
 * S5   a restart counts before it is tried; too many in a period stop everything
 * S6   one_for_one: only the child that ended is started again
 * S7   one_for_all: all others are stopped, then all are started
 * S8   rest_for_one: the same from that child on
 * S9   then temporary children are forgotten, and what had ended is started too
 * S10  a restart that fails is tried again after what else is to be done, and counts
 * S11  the end of significant children can be its own
 * S12  a supervisor is a child like others; it ends with SHUTDOWN
 * S13  dynamic: children are added by a pattern, and stop together
 * S15  what ends while the supervisor stops its children is only noted
 *
 * What is to be done stands in `events`, in the order in which it came, and waits
 * while children are stopped.  Stopping goes on where `stopping` points whenever the
 * supervisor has its turn, so that it can wait for a child, and survive a trap in a
 * terminate. */
#include "agent/kernel.h"

#include "base/optional.h"
#include "natlet/link.h"

NATLET__OPTIONAL(natlet_agent_signal)
NATLET__OPTIONAL(natlet__backoff_put_off)
NATLET__OPTIONAL(natlet__shield_caught)

enum {
    US_PER_MS = 1000,
    FORGOTTEN_MAX = 256, /* in one turn: about as long as 64 mails take */
};

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

    if (spec->strategy > NATLET_DYNAMIC || spec->auto_shutdown > NATLET_AUTO_SHUTDOWN_ALL ||
        (spec->strategy == NATLET_DYNAMIC && spec->count != 1)) {
        return 0;
    }
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
    return state_of(agent)->count;
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

static bool is_signalled(const natlet__agent *agent)
{
    return agent->is_signalled && NATLET__IS_LINKED(natlet_agent_signal);
}

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
    if (is_signalled(agent) && why.kind != NATLET_EXIT_KILLED) {
        natlet__agent_obey(cell, agent, NATLET_AGENT_DOWN); /* the signal was first */
    }
    if (natlet__is_supervisor(agent)) {
        end_children(cell, agent, why);
        natlet__timers_stop(&cell->timers, &state_of(agent)->patience.timer);
    }
    natlet__agent_end(cell, agent, why, NATLET_AGENT_DOWN);
}

void natlet__supervisor_ask(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    if (sup->ask.next == NULL) {
        natlet__list_put(&sup->events, &sup->ask);
    }
    agent->is_asked = true;
    natlet__agent_schedule(cell, agent);
}

/* Asks a child to stop, as often as one likes.  True: that takes time. */
static bool ask_to_stop(natlet_cell *cell, natlet__agent *child)
{
    if (child->pid == 0 || child->phase == NATLET_AGENT_STARTING ||
        child->child.shutdown_ms == NATLET_SHUTDOWN_BRUTAL) {
        return false;
    }
    if (natlet__is_supervisor(child)) {
        natlet__supervisor_ask(cell, child);
        return true;
    }
    if (!is_signalled(child)) {
        child->is_asked = true;
        child->asked = shutdown;
    }
    return child->phase == NATLET_AGENT_BUSY;
}

/* Lets what stops now have its time. */
static void be_patient(natlet_cell *cell, natlet__supervisor *sup, const natlet__agent *child)
{
    uint32_t ms = child->child.shutdown_ms;

    if (ms == 0) {
        ms = natlet__is_supervisor(child) ? NATLET_SHUTDOWN_NEVER : NATLET_SHUTDOWN_MS_DEFAULT;
    }
    if (ms != NATLET_SHUTDOWN_NEVER && !sup->patience.timer.running) {
        natlet__cell_alarm(cell, &sup->patience, ms);
    }
}

NATLET__SMALL bool is_forgotten(const natlet__agent *child)
{
    return child->child.restart == NATLET_TEMPORARY || natlet__is_dynamic(child->parent);
}

/* All children of a dynamic supervisor that ends are stopped at once. */
static bool stops_together(const natlet__agent *agent)
{
    return agent->phase == NATLET_AGENT_STOPPING && natlet__is_dynamic(agent);
}

static void start_again(natlet_cell *cell, natlet__agent *agent);

/* There is nothing left to stop. */
static void have_stopped(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    natlet__timers_stop(&cell->timers, &sup->patience.timer);
    sup->stopping = NULL;
    if (agent->phase == NATLET_AGENT_STOPPING) {
        natlet__agent_end(cell, agent, shutdown, NATLET_AGENT_EXITED);
    } else if (sup->restarts) {
        start_again(cell, agent);
    }
}

/* Stops a child and sees to what then becomes of it.  False: it wants time. */
static bool stop(natlet_cell *cell, natlet__agent *agent, natlet__agent *child)
{
    natlet__supervisor *sup = state_of(agent);

    if (ask_to_stop(cell, child)) {
        be_patient(cell, sup, child);
        return false;
    }
    end_tree(cell, child, shutdown);
    if (stops_together(agent) || (agent->phase == NATLET_AGENT_RUNNING && is_forgotten(child))) {
        natlet__agent_remove(cell, child);
    } else if (sup->restarts) {
        natlet__agent_enter(cell, child, NATLET_AGENT_EXITED); /* takes mail */
    } else if (agent->phase == NATLET_AGENT_RUNNING) {
        natlet__agent_drain(cell, child, NATLET_DEAD_SHUTDOWN);
    }
    return true;
}

/* Stops one child after the other until one wants time, or asks all of them. */
static void go_on_stopping(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);
    natlet__link *children = &sup->children;
    bool together = stops_together(agent);
    bool waits = false;
    uint32_t signals = cell->signals;
    natlet__link *at = together ? children->prev : sup->stopping;

    while (at != children) {
        natlet__link *before = at == sup->last ? children : at->prev;
        sup->stopping = at;
        if (!stop(cell, agent, natlet__child_at(at))) {
            waits = true;
            before = together ? before : children;
        } else if (!together) {
            natlet__timers_stop(&cell->timers, &sup->patience.timer);
        }
        at = before;
        if (cell->signals != signals && NATLET__IS_LINKED(natlet_agent_signal) && at != children &&
            !together) {
            sup->stopping = at; /* who heard of that end has its turn before the next */
            natlet__agent_schedule(cell, agent);
            return;
        }
    }
    if (!waits) {
        have_stopped(cell, agent);
    }
}

/* Stops the children from `from` back to `last`. */
static void stop_some(natlet_cell *cell, natlet__agent *agent, natlet__link *from,
                      natlet__link *last, bool restarts)
{
    natlet__supervisor *sup = state_of(agent);

    sup->stopping = from;
    sup->last = last;
    sup->restarts = restarts;
    go_on_stopping(cell, agent);
}

/* Stops all children, then the supervisor. */
static void halt(natlet_cell *cell, natlet__agent *agent)
{
    natlet__link *children = &state_of(agent)->children;

    natlet__agent_enter(cell, agent, NATLET_AGENT_STOPPING);
    stop_some(cell, agent, children->prev, children, false);
}

/* What is being stopped had its time. */
static void lose_patience(natlet_cell *cell, natlet__alarm *patience)
{
    void *at = (char *)patience - offsetof(natlet__supervisor, patience);
    natlet__supervisor *sup = at;

    if (stops_together(sup->agent)) {
        end_children(cell, sup->agent, killed);
    } else {
        end_tree(cell, natlet__child_at(sup->stopping), killed);
    }
    natlet__agent_schedule(cell, sup->agent);
}

void natlet__supervisor_kill(natlet_cell *cell, natlet__agent *tree)
{
    end_tree(cell, tree, killed);
    natlet__agent_remove(cell, tree);
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

    for (uint32_t i = 0; i < spec->count && spec->strategy != NATLET_DYNAMIC; i++) {
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
    sup->stopping = NULL;
    while (!natlet__list_is_empty(children) &&
           natlet__child_at(children->prev)->index == NATLET__ADDED) {
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
        natlet__agent_drain(cell, agent, NATLET_DEAD_NO_AGENT);
    }
    if (st < 0 && !agent->has_run) {
        natlet__agent_remove(cell, agent);
    }
    return st;
}

static void could_not_start(natlet_cell *cell, natlet__agent *child);

void natlet__supervisor_start_trapped(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_reason trap = {NATLET_EXIT_TRAP, NATLET_E_TRAP};

    natlet__agent_not_started(cell, agent, trap);
    while (agent->parent->phase == NATLET_AGENT_STARTING) {
        agent = agent->parent;
        end_children(cell, agent, shutdown);
        natlet__agent_not_started(cell, agent, trap);
    }
    could_not_start(cell, agent);
    if (!agent->has_run) {
        natlet__agent_remove(cell, agent);
    }
}

/* ---- children that ended ---- */

NATLET__SMALL bool is_to_be_restarted(const natlet__agent *child)
{
    bool is_crash =
        child->exit.kind != NATLET_EXIT_NORMAL && child->exit.kind != NATLET_EXIT_SHUTDOWN;

    return child->child.restart == NATLET_PERMANENT ||
           (child->child.restart == NATLET_TRANSIENT && is_crash);
}

static bool has_significant(const natlet__agent *agent)
{
    const natlet__link *children = &state_of(agent)->children;

    for (const natlet__link *at = children->next; at != children; at = at->next) {
        const natlet__agent *child = (const natlet__agent *)(at - 1);
        if (child->child.significant && child->phase != NATLET_AGENT_DOWN) {
            return true;
        }
    }
    return false;
}

static void give_up(natlet_cell *cell, natlet__agent *child)
{
    natlet__agent *agent = child->parent;
    bool is_all = agent->child.supervisor->auto_shutdown == NATLET_AUTO_SHUTDOWN_ALL;
    bool was_significant = child->child.significant;

    if (is_forgotten(child)) {
        natlet__agent_remove(cell, child);
    } else {
        natlet__agent_enter(cell, child, NATLET_AGENT_DOWN);
        natlet__agent_drain(cell, child, NATLET_DEAD_NO_AGENT);
    }
    if (was_significant && !(is_all && has_significant(agent))) {
        halt(cell, agent);
    }
}

/* It stays RESTARTING, and those that were to start behind it stay down. */
static void could_not_start(natlet_cell *cell, natlet__agent *child)
{
    const natlet__link *children = &state_of(child->parent)->children;

    natlet__agent_enter(cell, child, NATLET_AGENT_RESTARTING);
    for (natlet__link *at = child->sibling.next; at != children; at = at->next) {
        natlet__agent *next = natlet__child_at(at);
        if (next->phase == NATLET_AGENT_STARTING && next->turn.next == NULL) {
            natlet__agent_enter(cell, next, NATLET_AGENT_DOWN);
        }
    }
}

static bool restart(natlet_cell *cell, natlet__agent *child)
{
    child->restarts++;
    cell->stats.restarts++;
    if (natlet__agent_start(cell, child) < 0) {
        could_not_start(cell, child);
        return false;
    }
    return true;
}

/* Starts those that were stopped for it.  What an init adds meanwhile has a turn of
 * its own. */
static void start_again(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);
    natlet__link *children = &sup->children;
    natlet__link *first = sup->last == children ? children->next : sup->last;

    for (natlet__link *at = first; at != children; at = at->next) {
        natlet__agent_enter(cell, natlet__child_at(at), NATLET_AGENT_STARTING);
    }
    for (natlet__link *at = first; at != children; at = at->next) {
        natlet__agent *child = natlet__child_at(at);
        bool is_new = child->turn.next != NULL && !child->has_run;
        if (!is_new && !restart(cell, child)) {
            return;
        }
    }
}

static void restart_by_strategy(natlet_cell *cell, natlet__agent *agent, natlet__agent *child)
{
    natlet__link *children = &state_of(agent)->children;
    natlet_strategy strategy = agent->child.supervisor->strategy;

    if (strategy == NATLET_ONE_FOR_ALL || strategy == NATLET_REST_FOR_ONE) {
        natlet__link *last = strategy == NATLET_ONE_FOR_ALL ? children : &child->sibling;
        stop_some(cell, agent, children->prev, last, true);
    } else {
        (void)restart(cell, child);
    }
}

/* Whether a child that is to be restarted is so now: else it waits, or that is given up. */
static bool is_due(natlet_cell *cell, natlet__agent *child)
{
    const natlet_backoff *backoff = child->child.backoff;

    if (backoff == NULL || child->phase == NATLET_AGENT_BACKOFF ||
        !NATLET__IS_LINKED(natlet__backoff_put_off)) {
        return true;
    }
    int32_t what = backoff->put_off(cell, child);
    if (what == NATLET__PARK) {
        give_up(cell, child);
    } else if (what == NATLET__EXIT) {
        halt(cell, child->parent);
    }
    return what == NATLET__RESTART;
}

/* Restarts a child, unless that were too many restarts. */
static void try_restart(natlet_cell *cell, natlet__agent *agent, natlet__agent *child)
{
    if (may_restart(cell, agent)) {
        restart_by_strategy(cell, agent, child);
    } else {
        halt(cell, agent);
    }
}

/* Acts on what came in first.  Answers whether that was no more than to forget a child. */
static bool act(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);
    natlet__agent *child = (natlet__agent *)sup->events.next;
    bool is_ask = sup->events.next == &sup->ask;

    if (is_ask) {
        halt(cell, agent);
    } else if (child->phase == NATLET_AGENT_EXITED && !is_to_be_restarted(child)) {
        bool is_quick = is_forgotten(child) && !child->child.significant;
        give_up(cell, child);
        return is_quick;
    } else if (child->care != NULL && NATLET__IS_LINKED(natlet__shield_caught) &&
               child->care->is_free) {
        restart_by_strategy(cell, agent, child);
    } else if (is_due(cell, child)) {
        try_restart(cell, agent, child);
    }
    return false;
}

/* One step a turn: what was started meanwhile has its turn before the next.  To forget
 * starts nobody, and what is short-lived must go as fast as it comes. */
void natlet__supervisor_run(natlet_cell *cell, natlet__agent *agent)
{
    natlet__supervisor *sup = state_of(agent);

    if (sup->stopping != NULL) {
        go_on_stopping(cell, agent);
    } else {
        uint32_t count = 0;
        while (count < FORGOTTEN_MAX && !natlet__list_is_empty(&sup->events) && act(cell, agent)) {
            count++;
        }
    }
    bool has_more = sup->stopping == NULL && !natlet__list_is_empty(&sup->events);
    if (agent->phase == NATLET_AGENT_RUNNING && (has_more || agent->turn.next != NULL)) {
        natlet__list_cut(&agent->turn);
        natlet__agent_schedule(cell, agent);
    }
}
