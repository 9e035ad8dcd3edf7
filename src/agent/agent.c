/* The life of one agent.
 *
 * phase       it got here by                     next                          it stands in
 * ---------   --------------------------------   ---------------------------   ------------
 * STARTING    agent_new, a restart               init: RUNNING or DOWN         (run queue)
 * RUNNING     init, or a settled mail            BUSY, EXITED, or STOPPING     run queue
 * STOPPING    a supervisor that stops            EXITED                        run queue
 * BUSY        a handler that said LATER          settled: RUNNING; EXITED      run queue
 * EXITED      a stop, a crash, a normal end      STARTING, DOWN or freed       events
 * RESTARTING  a restart whose init failed        STARTING or DOWN              events
 * DOWN        its supervisor                     STARTING with it, or freed    nothing
 * BACKOFF     a restart that waits               STARTING or DOWN              (events)
 *
 * In the run queue it stands only while there is something to do.  `events` are its
 * supervisor's, which acts on it. */
#include "agent/kernel.h"

#include "base/optional.h"
#include "natlet/link.h"

NATLET__OPTIONAL(natlet__stash_put)
NATLET__OPTIONAL(natlet__stash_pass_on)
NATLET__OPTIONAL(natlet__backoff_put_off)
NATLET__OPTIONAL(natlet__shield_caught)
NATLET__OPTIONAL(natlet__retry_park)
NATLET__OPTIONAL(natlet_agent_signal)
NATLET__OPTIONAL(natlet_agent_suspend)
NATLET__OPTIONAL(natlet_drop_expired)
NATLET__OPTIONAL(natlet_overflow_pause_src)

/* ---- calling handlers ---- */

/* From here to come_back the agent's own code runs. */
static void go_out(natlet_cell *cell, natlet__agent *agent)
{
    cell->running = agent;
    natlet__unlock(cell, 0);
}

static void come_back(natlet_cell *cell)
{
    (void)natlet__lock(cell);
    cell->running = NULL;
}

static int32_t call_init(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_child *child = &agent->child;

    if (child->behaviour->state_bytes > 0) {
        memset(agent->state, 0, child->behaviour->state_bytes);
    }
    if (child->behaviour->init == NULL) {
        return NATLET_DONE;
    }
    go_out(cell, agent);
    int32_t result = child->behaviour->init(cell, agent->state, child->arg);
    come_back(cell);
    return result;
}

/* Whether its state can be trusted at the end. */
static bool is_told(natlet_reason why)
{
    return why.kind != NATLET_EXIT_TRAP && why.kind != NATLET_EXIT_KILLED &&
           why.kind != NATLET_EXIT_OVERFLOW && why.kind != NATLET_EXIT_MEMORY &&
           why.kind != NATLET_EXIT_FUEL;
}

static void call_terminate(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    if (!natlet__is_supervisor(agent) && agent->child.behaviour->terminate != NULL) {
        go_out(cell, agent);
        agent->child.behaviour->terminate(cell, agent->state, why);
        come_back(cell);
    }
}

/* ---- phases ---- */

static void name_incarnation(natlet_cell *cell, natlet__agent *agent)
{
    cell->incarnations += cell->incarnations == UINT32_MAX ? 2 : 1; /* never 0 */
    agent->pid = (natlet_pid)cell->incarnations << NATLET_PID_SLOT_BITS | agent->slot;
}

void natlet__agent_enter(natlet_cell *cell, natlet__agent *agent, natlet_agent_state phase)
{
    natlet__list_cut(&agent->turn);
    if (agent->phase == NATLET_AGENT_BACKOFF && NATLET__IS_LINKED(natlet__backoff_put_off)) {
        natlet__timers_stop(&cell->timers, &agent->care->alarm.timer);
        natlet__supervisor_of(agent->parent)->waiting--;
    }
    agent->phase = (uint8_t)phase;
    if (phase >= NATLET_AGENT_EXITED) {
        agent->pid = 0;
    } else if (agent->pid == 0) {
        name_incarnation(cell, agent);
    }
    if (phase == NATLET_AGENT_EXITED || phase == NATLET_AGENT_RESTARTING) {
        natlet__list_put(&natlet__supervisor_of(agent->parent)->events, &agent->turn);
        natlet__agent_schedule(cell, agent->parent);
    }
}

/* ---- birth ---- */

/* Whether its features are linked: NATLET_WITH_ names them. */
static bool is_whole(const natlet_child *child)
{
    return (child->backoff == NULL || child->backoff->put_off != NULL) &&
           (child->shield == NULL || child->shield->caught != NULL) &&
           (child->retry == NULL || child->retry->park != NULL);
}

/* Whether it has any feature of natlet/recovery.h. */
static bool needs_care(const natlet_child *child)
{
    return (child->backoff != NULL && NATLET__IS_LINKED(natlet__backoff_put_off)) ||
           (child->shield != NULL && NATLET__IS_LINKED(natlet__shield_caught)) ||
           (child->retry != NULL && NATLET__IS_LINKED(natlet__retry_park));
}

static natlet_status check(const natlet_child *child, const natlet__agent *parent,
                           size_t *state_bytes)
{
    bool may_be_significant =
        parent->child.supervisor->auto_shutdown != NATLET_AUTO_SHUTDOWN_NEVER &&
        child->restart != NATLET_PERMANENT;

    if ((child->behaviour == NULL) == (child->supervisor == NULL) ||
        (child->significant && !may_be_significant) || !is_whole(child)) {
        return NATLET_E_CONFIG;
    }
    if (child->behaviour != NULL) {
        *state_bytes = child->behaviour->state_bytes;
        return child->behaviour->on_mail != NULL ? NATLET_OK : NATLET_E_CONFIG;
    }
    if (parent->depth >= NATLET_SUPERVISOR_DEPTH_MAX) {
        return NATLET_E_LIMIT;
    }
    *state_bytes = natlet__supervisor_bytes(child->supervisor);
    return *state_bytes > 0 ? NATLET_OK : NATLET_E_CONFIG;
}

static natlet_status furnish(natlet_cell *cell, natlet__agent *agent)
{
    if (natlet__is_supervisor(agent)) {
        natlet__supervisor_init(agent);
    } else if (natlet__mailbox_init(&agent->mailbox, &agent->child.mailbox) == 0) {
        return NATLET_E_CONFIG;
    }
    return natlet__registry_add(cell, agent);
}

_Static_assert(sizeof(natlet__agent) % sizeof(uint64_t) == 0, "the state behind it is aligned");
_Static_assert(sizeof(natlet__care) % sizeof(uint64_t) == 0, "the state behind it is aligned");

natlet_status natlet__agent_new(natlet_cell *cell, natlet__agent **out, natlet__agent *parent,
                                const natlet_child *child, natlet__link *place)
{
    size_t state_bytes;
    natlet_status st = check(child, parent, &state_bytes);

    if (st < 0) {
        return st;
    }
    size_t care_bytes = needs_care(child) ? sizeof(natlet__care) : 0;
    size_t bytes = sizeof(natlet__agent) + care_bytes + state_bytes;
    natlet__agent *agent =
        state_bytes < cell->pool_bytes ? natlet__pool_take(&cell->pool, bytes) : NULL;
    if (agent == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memset(agent, 0, bytes);
    agent->state = (uint8_t *)(agent + 1) + care_bytes;
    if (care_bytes > 0) {
        agent->care = (natlet__care *)(agent + 1);
        natlet__list_init(&agent->care->parked);
    }
    agent->child = *child;
    agent->parent = parent;
    agent->depth = (uint8_t)(parent->depth + 1);
    natlet__list_init(&agent->waits);
    natlet__list_init(&agent->holds);
    st = furnish(cell, agent);
    if (st < 0) {
        natlet__pool_give_back(&cell->pool, agent);
        return st;
    }
    natlet__list_put(place, &agent->sibling);
    natlet__supervisor_of(parent)->count++;
    natlet__agent_enter(cell, agent, NATLET_AGENT_STARTING);
    *out = agent;
    return NATLET_OK;
}

/* ---- one incarnation ---- */

static void bury(natlet_cell *cell, natlet__agent *agent, natlet_mail *mail,
                 natlet_dead_reason reason)
{
    natlet__dead_letter(cell, mail, reason, agent);
    natlet__mail_free(cell, mail);
}

/* Makes the mail in the agent's hands, if any, a dead letter. */
static void bury_held(natlet_cell *cell, natlet__agent *agent, natlet_dead_reason reason)
{
    natlet_mail *mail = agent->mail;

    if (mail != NULL) {
        agent->mail = NULL;
        bury(cell, agent, mail, reason);
    }
}

static void cut_ties(natlet_cell *cell, natlet__link *ties)
{
    while (!natlet__list_is_empty(ties)) {
        natlet__tie *tie = (natlet__tie *)ties->next;
        natlet__list_cut(&tie->link);
        tie->cut(cell, tie);
    }
}

/* Lets go of what belongs to the incarnation and not to the child. */
static void release(natlet_cell *cell, natlet__agent *agent)
{
    natlet_mail *mail;

    cut_ties(cell, &agent->waits);
    while ((mail = natlet__mailbox_take_sys(&agent->mailbox)) != NULL) {
        bury(cell, agent, mail, NATLET_DEAD_SHUTDOWN);
    }
    bury_held(cell, agent, NATLET_DEAD_SHUTDOWN);
    if (agent->mailbox.stash.used > 0) {
        natlet__stash_pass_on(cell, agent);
    }
    agent->is_asked = false;
    agent->traps_exits = false;
    agent->is_suspended = false;
    agent->is_signalled = false;
    if (natlet__is_supervisor(agent)) {
        natlet__list_cut(&natlet__supervisor_of(agent)->ask);
    }
}

static void tell(natlet_cell *cell, const natlet__agent *agent, natlet_cell_event_kind kind)
{
    natlet_cell_event event = {.kind = kind, .pid = agent->pid};

    if (kind != NATLET_CELL_STARTED) {
        event.reason = agent->exit;
    }
    natlet__cell_show(cell, &event, agent);
}

void natlet__agent_not_started(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    agent->exit = why;
    release(cell, agent);
    tell(cell, agent, NATLET_CELL_START_FAILED);
    natlet__agent_enter(cell, agent, NATLET_AGENT_DOWN);
}

static bool is_paused(const natlet__agent *agent)
{
    return agent->mailbox.is_paused && NATLET__IS_LINKED(natlet_overflow_pause_src);
}

natlet_status natlet__agent_start(natlet_cell *cell, natlet__agent *agent)
{
    natlet__agent_enter(cell, agent, NATLET_AGENT_STARTING);
    if (needs_care(&agent->child)) {
        agent->care->started_us = natlet_runtime_now_us(cell->rt);
        agent->care->is_free = false;
    }
    if (agent->has_run && agent->child.drop_mail) {
        natlet__agent_drain(cell, agent, NATLET_DEAD_RESTART);
    }
    int32_t st = natlet__is_supervisor(agent) ? natlet__supervisor_open(cell, agent)
                                              : call_init(cell, agent);
    if (st < 0) {
        natlet__agent_not_started(cell, agent, (natlet_reason){NATLET_EXIT_ERROR, st});
        return (natlet_status)st;
    }
    natlet__agent_enter(cell, agent, NATLET_AGENT_RUNNING);
    agent->has_run = true;
    tell(cell, agent, NATLET_CELL_STARTED);
    if (agent->mailbox.queued > 0 || is_paused(agent) || agent->is_asked) {
        natlet__agent_schedule(cell, agent);
    }
    return NATLET_OK;
}

void natlet__agent_end(natlet_cell *cell, natlet__agent *agent, natlet_reason why,
                       natlet_agent_state next)
{
    bool has_started = agent->phase != NATLET_AGENT_STARTING && agent->pid != 0;

    if (has_started && is_told(why)) {
        call_terminate(cell, agent, why);
    }
    if (agent->pid != 0) {
        agent->exit = why;
    }
    release(cell, agent);
    if (has_started) {
        tell(cell, agent, NATLET_CELL_EXITED);
    }
    natlet__agent_enter(cell, agent, next);
}

void natlet__agent_crash(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    agent->exit = why;
    if (agent->mail != NULL && agent->child.shield != NULL &&
        NATLET__IS_LINKED(natlet__shield_caught)) {
        agent->child.shield->caught(cell, agent);
    }
    bury_held(cell, agent, NATLET_DEAD_CRASHED);
    natlet__agent_end(cell, agent, why, NATLET_AGENT_EXITED);
}

void natlet__agent_drain(natlet_cell *cell, natlet__agent *agent, natlet_dead_reason reason)
{
    natlet_mail *mail;

    while ((mail = natlet__mailbox_take(&agent->mailbox)) != NULL) {
        bury(cell, agent, mail, reason);
    }
    if (agent->child.retry != NULL && NATLET__IS_LINKED(natlet__retry_park)) {
        agent->child.retry->drain(cell, agent, reason);
    }
}

void natlet__agent_remove(natlet_cell *cell, natlet__agent *agent)
{
    NATLET_ASSERT(agent->phase != NATLET_AGENT_BACKOFF); /* its alarm does not run */
    bool was_stopped =
        agent->exit.kind == NATLET_EXIT_SHUTDOWN || agent->exit.kind == NATLET_EXIT_KILLED;

    if (natlet__is_supervisor(agent)) {
        natlet__link *children = &natlet__supervisor_of(agent)->children;
        while (!natlet__list_is_empty(children)) {
            natlet__agent_remove(cell, natlet__child_at(children->prev));
        }
    }
    natlet__agent_drain(cell, agent, was_stopped ? NATLET_DEAD_SHUTDOWN : NATLET_DEAD_NO_AGENT);
    cut_ties(cell, &agent->holds);
    natlet__list_cut(&agent->turn);
    natlet__list_cut(&agent->sibling);
    natlet__supervisor_of(agent->parent)->count--;
    natlet__registry_remove(cell, agent);
    natlet__pool_give_back(&cell->pool, agent);
}

/* ---- mail ---- */

static void finish_mail(natlet_cell *cell, natlet__agent *agent)
{
    natlet__mail_free(cell, agent->mail);
    agent->mail = NULL;
    agent->handled++;
    cell->stats.handled++;
}

/* Takes a handler's answer about the mail in its hands. */
static void take_result(natlet_cell *cell, natlet__agent *agent, int32_t result)
{
    const natlet_retry *retry = agent->child.retry;

    if (result == NATLET_RETRY && retry != NULL && NATLET__IS_LINKED(natlet__retry_park) &&
        retry->park(cell, agent)) {
        return;
    }
    switch (result) {
    case NATLET_DONE:
        finish_mail(cell, agent);
        break;
    case NATLET_LATER:
        natlet__agent_enter(cell, agent, NATLET_AGENT_BUSY);
        return;
    case NATLET_REJECT:
        bury_held(cell, agent, NATLET_DEAD_REJECTED);
        break;
    case NATLET_STOP:
        finish_mail(cell, agent);
        natlet__agent_end(cell, agent, (natlet_reason){NATLET_EXIT_NORMAL, 0}, NATLET_AGENT_EXITED);
        break;
    default: /* what is no answer at all is a crash as well */
        if (result == NATLET_STASH && NATLET__IS_LINKED(natlet__stash_put)) {
            natlet__stash_put(cell, agent);
            break;
        }
        natlet__agent_crash(
            cell, agent,
            (natlet_reason){NATLET_EXIT_ERROR, result < 0 ? result : NATLET_E_INVALID});
    }
}

void natlet__agent_obey(natlet_cell *cell, natlet__agent *agent, natlet_agent_state next)
{
    if (agent->is_asked && agent->phase == NATLET_AGENT_RUNNING) {
        if (agent->is_signalled && NATLET__IS_LINKED(natlet_agent_signal) &&
            !is_told(agent->asked)) { /* others trapped or were killed */
            call_terminate(cell, agent, agent->asked);
        }
        natlet__agent_end(cell, agent, agent->asked, next);
    }
}

static natlet_mail *next_mail(natlet__agent *agent)
{
    return agent->is_suspended && NATLET__IS_LINKED(natlet_agent_suspend)
               ? natlet__mailbox_take_sys(&agent->mailbox)
               : natlet__mailbox_take(&agent->mailbox);
}

/* Whether it came too late for a child that wants to know. */
static bool is_expired(const natlet_cell *cell, const natlet__agent *agent, const natlet_mail *mail)
{
    const natlet_expiry *expiry = agent->child.expiry;

    return expiry != NULL && NATLET__IS_LINKED(natlet_drop_expired) && expiry->is_over(cell, mail);
}

static inline void obey(natlet_cell *cell, natlet__agent *agent)
{
    if (agent->is_asked) {
        natlet__agent_obey(cell, agent, NATLET_AGENT_EXITED);
    }
}

static uint32_t handle_batch(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_behaviour *behaviour = agent->child.behaviour;
    uint32_t done = 0;

    obey(cell, agent);
    while (done < cell->config.batch && agent->phase == NATLET_AGENT_RUNNING &&
           agent->mailbox.queued > 0) {
        natlet_mail *mail = next_mail(agent);
        if (mail == NULL) {
            return done;
        }
        if (is_expired(cell, agent, mail)) {
            bury(cell, agent, mail, NATLET_DEAD_EXPIRED);
            continue;
        }
        mail->to = agent->pid;
        agent->mail = mail;
        agent->token = ++cell->tokens;
        go_out(cell, agent);
        int32_t result = behaviour->on_mail(cell, agent->state, mail);
        come_back(cell);
        take_result(cell, agent, result);
        obey(cell, agent);
        done++;
    }
    if (agent->phase == NATLET_AGENT_RUNNING && agent->mailbox.queued > 0) {
        natlet__agent_schedule(cell, agent);
    }
    return done;
}

static void settle(natlet_cell *cell, natlet__agent *agent)
{
    natlet__agent_enter(cell, agent, NATLET_AGENT_RUNNING);
    take_result(cell, agent, agent->result);
}

uint32_t natlet__agent_run(natlet_cell *cell, natlet__agent *agent)
{
    if (agent->phase == NATLET_AGENT_STARTING) {
        (void)natlet__supervisor_start_added(cell, agent);
        return 1;
    }
    if (natlet__is_supervisor(agent)) {
        natlet__supervisor_run(cell, agent);
        return 1;
    }
    if (agent->phase == NATLET_AGENT_BUSY) {
        settle(cell, agent);
    }
    uint32_t done = handle_batch(cell, agent);
    if (is_paused(agent)) {
        agent->child.mailbox.overflow->eased(agent);
    }
    return done + 1;
}

void natlet__agent_ask(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    if (agent->is_asked) {
        return;
    }
    agent->is_asked = true;
    agent->asked = why;
    if (agent->phase != NATLET_AGENT_BUSY) { /* its turn comes with the settled mail */
        natlet__agent_schedule(cell, agent);
    }
}

natlet_status natlet_agent_exit(natlet_cell *cell, natlet_pid pid, natlet_reason why)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (why.kind > NATLET_EXIT_ERROR && why.kind != NATLET_EXIT_KILLED) {
        return NATLET_E_INVALID;
    }
    bool is_kill = why.kind == NATLET_EXIT_KILLED;
    uint32_t was = natlet__lock(cell);
    if (natlet__is_supervisor(agent)) {
        natlet__supervisor_ask(cell, agent);
    } else if (is_kill && agent != cell->running && agent->phase != NATLET_AGENT_STARTING) {
        natlet__agent_end(cell, agent, why, NATLET_AGENT_EXITED);
    } else {
        agent->is_asked = agent->is_asked && !is_kill;
        agent->is_signalled = agent->is_signalled && !is_kill;
        natlet__agent_ask(cell, agent, why);
    }
    natlet__unlock(cell, was);
    return NATLET_OK;
}

int32_t natlet_agent_later(natlet_cell *cell, uint32_t *token)
{
    const natlet__agent *agent = cell->running;
    bool has_mail = agent != NULL && agent->mail != NULL;

    *token = has_mail ? agent->token : 0;
    return has_mail ? NATLET_LATER : NATLET_E_STATE;
}

natlet_status natlet_cell_settle(natlet_cell *cell, natlet_pid pid, uint32_t token, int32_t result)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    bool is_settled = agent->turn.next != NULL; /* nothing else gives a busy agent a turn */
    if (agent->phase != NATLET_AGENT_BUSY || agent->token != token || is_settled) {
        return NATLET_E_STATE;
    }
    if (result > 0 && result != NATLET_REJECT && result != NATLET_STOP && result != NATLET_STASH &&
        (result != NATLET_RETRY || agent->child.retry == NULL)) {
        return NATLET_E_INVALID;
    }
    uint32_t was = natlet__lock(cell);
    agent->result = result;
    natlet__agent_schedule(cell, agent);
    natlet__unlock(cell, was);
    return NATLET_OK;
}
