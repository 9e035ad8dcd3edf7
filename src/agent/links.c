/* Links and monitors: who hears of an agent's end.
 *
 * Both are made of *watches*.  A watch is a wait of the agent that is to hear, whose second
 * tie is to the one that is watched; a link is two of them, one each way.  When the watched
 * one ends, its ties are cut, and so the watch ends by mail or as a signal; when the other
 * one ends, the watch is forgotten.  So nothing has to be looked for. */
#include "natlet/link.h"

#include "agent/kernel.h"

static const natlet_reason no_agent = {NATLET_EXIT_NO_AGENT, NATLET_E_NO_AGENT};

/* The agent of this pid, if it can have mail. */
static natlet__agent *find(const natlet_cell *cell, natlet_pid pid)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    return agent != NULL && !natlet__is_supervisor(agent) ? agent : NULL;
}

/* ---- signals ---- */

static void be_told(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    if (why.kind != NATLET_EXIT_NORMAL && !agent->is_asked) {
        agent->is_signalled = true;
        natlet__agent_ask(cell, agent, why);
    }
}

/* Ends a watch because whom it watched ended. */
static void hear(natlet_cell *cell, natlet__wait *watch, natlet_reason why)
{
    natlet__agent *agent = watch->agent;

    cell->signals++;
    if (watch->mail.kind == NATLET_MAIL_EXIT && !agent->traps_exits) {
        watch->tie.cut(cell, &watch->tie);
        be_told(cell, agent, why);
        return;
    }
    watch->mail.exit_kind = (uint8_t)why.kind;
    natlet__wait_end(cell, watch, (natlet_status)why.code);
}

/* While ties are cut, an agent still has its pid, and the reason of its end. */
static void tell(natlet_cell *cell, natlet__tie *theirs)
{
    natlet__wait *watch = natlet__wait_of_theirs(theirs);

    hear(cell, watch, natlet__registry_at(cell, watch->mail.from)->exit);
}

/* ---- watches ---- */

/* Marks the ties of watches: not a function of others. */
static void unwatch(natlet_cell *cell, natlet__tie *tie)
{
    natlet__wait_drop(cell, tie);
}

static natlet__wait *watch_new(natlet_cell *cell, natlet__agent *agent, natlet_pid other,
                               natlet_mail_kind kind)
{
    natlet__wait *watch = natlet__wait_new(cell, agent, kind);

    if (watch != NULL) {
        watch->mail.from = other;
        watch->tie.cut = unwatch;
        watch->theirs.cut = tell;
    }
    return watch;
}

/* Half of the link of `agent` with `other`, else NULL. */
static natlet__wait *find_half(const natlet__agent *agent, natlet_pid other)
{
    const natlet__link *ties = &agent->waits;

    for (natlet__link *at = ties->next; at != ties; at = at->next) {
        natlet__tie *tie = (natlet__tie *)at;
        natlet__wait *watch = tie->cut == unwatch ? natlet__wait_of(tie) : NULL;
        if (watch != NULL && watch->mail.kind == NATLET_MAIL_EXIT && watch->mail.from == other) {
            return watch;
        }
    }
    return NULL;
}

static void cut_half(natlet_cell *cell, natlet__wait *half)
{
    if (half != NULL) {
        half->tie.cut(cell, &half->tie);
    }
}

/* ---- links ---- */

static natlet__wait *half_new(natlet_cell *cell, natlet__agent *agent, natlet_pid other)
{
    natlet__wait *half = watch_new(cell, agent, other, NATLET_MAIL_EXIT);

    if (half != NULL) {
        half->mail.tag = 0;
    }
    return half;
}

/* As in Erlang, links are cut before monitors. */
static void watch_end(natlet__wait *half, natlet__agent *other)
{
    natlet__list_put(other->waits.next, &half->theirs.link);
}

static natlet_status link(natlet_cell *cell, natlet__agent *agent, natlet_pid pid)
{
    natlet__agent *other = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (other == agent || find_half(agent, pid) != NULL) {
        return NATLET_OK;
    }
    natlet__wait *half = half_new(cell, agent, pid);
    if (half == NULL) {
        return NATLET_E_FULL;
    }
    if (other == NULL) {
        hear(cell, half, no_agent);
        return NATLET_OK;
    }
    if (!natlet__is_supervisor(other)) {
        natlet__wait *second = half_new(cell, other, agent->pid);
        if (second == NULL) {
            cut_half(cell, half);
            return NATLET_E_FULL;
        }
        watch_end(second, agent);
    }
    watch_end(half, other);
    return NATLET_OK;
}

natlet_status natlet_agent_link(natlet_cell *cell, natlet_pid pid, natlet_pid other)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = link(cell, find(cell, pid), other);

    natlet__unlock(cell, was);
    return st;
}

static natlet_status unlink(natlet_cell *cell, natlet__agent *agent, natlet_pid pid)
{
    const natlet__agent *other = natlet__registry_at(cell, pid);
    natlet__wait *half = agent != NULL ? find_half(agent, pid) : NULL;

    if (half == NULL) {
        return agent == NULL ? NATLET_E_NO_AGENT : NATLET_E_NOT_FOUND;
    }
    cut_half(cell, half);
    cut_half(cell, find_half(other, agent->pid)); /* who is linked is there */
    return NATLET_OK;
}

natlet_status natlet_agent_unlink(natlet_cell *cell, natlet_pid pid, natlet_pid other)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = unlink(cell, find(cell, pid), other);

    natlet__unlock(cell, was);
    return st;
}

/* ---- monitors in order ---- */

/* A DOWN in the NORMAL lane would survive the incarnation: this takes it away. */
typedef struct sweeper {
    natlet__tie tie; /* first, so that a tie is its sweeper */
    natlet__agent *agent;
} sweeper;

static void sweep(natlet_cell *cell, natlet__tie *tie)
{
    sweeper *self = (sweeper *)tie;
    natlet_mail *mail;

    while ((mail = natlet__mailbox_take_kind(&self->agent->mailbox, NATLET_PRIORITY_NORMAL,
                                             NATLET_MAIL_DOWN, 0)) != NULL) {
        natlet__mail_free(cell, mail);
    }
    natlet__pool_give_back(&cell->pool, self);
}

static bool has_sweeper(natlet_cell *cell, natlet__agent *agent)
{
    const natlet__link *ties = &agent->waits;

    for (const natlet__link *at = ties->next; at != ties; at = at->next) {
        if (((const natlet__tie *)at)->cut == sweep) {
            return true;
        }
    }
    sweeper *self = natlet__pool_take(&cell->pool, sizeof *self);
    if (self != NULL) {
        *self = (sweeper){.tie = {.cut = sweep}, .agent = agent};
        natlet__list_put(&agent->waits, &self->tie.link);
    }
    return self != NULL;
}

/* What is queued in NORMAL is bounded as if it still had its place in SYS. */
static bool has_room(const natlet__mailbox *box)
{
    const natlet__lane *normal = &box->lanes[NATLET_PRIORITY_NORMAL];
    const natlet__lane *sys = &box->lanes[NATLET_PRIORITY_SYS];
    uint32_t downs = 0;
    natlet__block *block = normal->first;

    for (uint32_t left = normal->used; left > 0; left--) {
        downs += ((const natlet_mail *)(block + 1))->kind == NATLET_MAIL_DOWN;
        block = block->next;
    }
    return (uint32_t)sys->used + box->reserved + downs < sys->cap;
}

static void tell_in_order(natlet_cell *cell, natlet__tie *theirs)
{
    natlet__wait *watch = natlet__wait_of_theirs(theirs);
    natlet__mailbox *box = &watch->agent->mailbox;
    uint32_t ref = watch->ref;

    tell(cell, theirs);
    natlet_mail *mail = natlet__mailbox_take_kind(box, NATLET_PRIORITY_SYS, NATLET_MAIL_DOWN, ref);
    mail->priority = NATLET_PRIORITY_NORMAL;
    natlet__mailbox_append(box, mail);
}

/* ---- monitors ---- */

static natlet_status monitor(natlet_cell *cell, natlet__agent *agent, natlet_pid pid,
                             uint32_t flags, uint32_t *ref)
{
    natlet__agent *other = natlet__registry_at(cell, pid);
    bool is_in_order = (flags & NATLET_DOWN_IN_ORDER) != 0;

    if (agent == NULL || flags > NATLET_DOWN_IN_ORDER) {
        return agent == NULL ? NATLET_E_NO_AGENT : NATLET_E_INVALID;
    }
    if (is_in_order && !(has_room(&agent->mailbox) && has_sweeper(cell, agent))) {
        cell->stats.refused++;
        return NATLET_E_FULL;
    }
    natlet__wait *watch = watch_new(cell, agent, pid, NATLET_MAIL_DOWN);
    if (watch == NULL) {
        return NATLET_E_FULL;
    }
    watch->theirs.cut = is_in_order ? tell_in_order : tell;
    *ref = watch->ref;
    if (other == NULL) { /* what it sent before is behind it: there is no order to keep */
        hear(cell, watch, no_agent);
    } else { /* behind the watch's own tie: of its own end nobody hears */
        natlet__list_put(&other->waits, &watch->theirs.link);
    }
    return NATLET_OK;
}

natlet_status natlet_agent_monitor(natlet_cell *cell, natlet_pid pid, natlet_pid other,
                                   uint32_t flags, uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    *ref = 0;
    natlet_status st = monitor(cell, find(cell, pid), other, flags, ref);

    natlet__unlock(cell, was);
    return st;
}

/* Takes a DOWN back that is queued. */
static natlet_status take_back(natlet_cell *cell, natlet__mailbox *box, uint32_t ref)
{
    natlet_mail *mail = natlet__mailbox_take_kind(box, NATLET_PRIORITY_SYS, NATLET_MAIL_DOWN, ref);

    if (mail == NULL) {
        mail = natlet__mailbox_take_kind(box, NATLET_PRIORITY_NORMAL, NATLET_MAIL_DOWN, ref);
    }
    if (mail == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    natlet__mail_free(cell, mail);
    return NATLET_OK;
}

static natlet_status demonitor(natlet_cell *cell, natlet__agent *agent, uint32_t ref)
{
    natlet__wait *watch = natlet__wait_at(cell, ref);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (watch == NULL) {
        return ref != 0 ? take_back(cell, &agent->mailbox, ref) : NATLET_E_NOT_FOUND;
    }
    if (watch->agent != agent || watch->mail.kind != NATLET_MAIL_DOWN) {
        return NATLET_E_NOT_FOUND;
    }
    watch->tie.cut(cell, &watch->tie);
    return NATLET_OK;
}

natlet_status natlet_agent_demonitor(natlet_cell *cell, natlet_pid pid, uint32_t ref)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = demonitor(cell, find(cell, pid), ref);

    natlet__unlock(cell, was);
    return st;
}

/* ---- signals from agents ---- */

natlet_status natlet_agent_trap_exits(natlet_cell *cell, natlet_pid pid, bool traps)
{
    natlet__agent *agent = find(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    agent->traps_exits = traps;
    return NATLET_OK;
}

static natlet_status signal(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    if (agent->traps_exits) {
        natlet__wait *watch = half_new(cell, agent, natlet_agent_self(cell));
        if (watch == NULL) {
            return NATLET_E_FULL;
        }
        hear(cell, watch, why);
    } else if (agent == cell->running) { /* of itself it hears NORMAL too */
        natlet__agent_ask(cell, agent, why);
    } else {
        be_told(cell, agent, why);
    }
    return NATLET_OK;
}

natlet_status natlet_agent_signal(natlet_cell *cell, natlet_pid pid, natlet_reason why)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (natlet__is_supervisor(agent)) {
        return NATLET_E_INVALID;
    }
    if (why.kind > NATLET_EXIT_ERROR) {
        return natlet_agent_exit(cell, pid, why);
    }
    uint32_t was = natlet__lock(cell);
    natlet_status st = signal(cell, agent, why);
    natlet__unlock(cell, was);
    return st;
}
