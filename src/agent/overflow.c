/* What becomes of mail that finds no room: one policy a mailbox.
 *
 * A policy is a constant that the child's configuration points to, so that a program is
 * linked with the ones that it names; without one the kernel refuses, and calls nothing
 * here. */
#include "agent/kernel.h"
#include "base/optional.h"

NATLET__OPTIONAL(natlet__outlet_flow)

/* Whether only the mailbox is in the way: there would be room if it was empty. */
static bool is_full(natlet__agent *agent, const natlet_mail *draft)
{
    return natlet__mailbox_fits(&agent->mailbox, draft->priority, natlet__mail_measure(draft)) ==
           NATLET_E_FULL;
}

/* ---- DROP_NEW ---- */

/* A CALL is refused, and mail of the network is a dead letter of itself. */
static natlet_status drop_new(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                              natlet_mail_kind kind, natlet_mail **copy)
{
    natlet_status st = natlet__post_copy(cell, agent, draft, kind, copy);

    if (st == NATLET_E_FULL && kind == NATLET_MAIL_USER) {
        natlet__post_bury(cell, agent, agent->pid, draft, kind, NATLET_DEAD_OVERFLOW);
        return NATLET_EMPTY;
    }
    return st;
}

const natlet_overflow_policy natlet_overflow_drop_new = {.post = drop_new};

/* ---- DROP_OLD ---- */

/* How many mails of the lane, the oldest first, must go for `bytes` to find room; 0: not
 * all of them are enough. */
static uint32_t count_old(const natlet__mailbox *box, const natlet__lane *lane, uint64_t bytes)
{
    const natlet__block *at = lane->first;
    uint64_t free_bytes = box->bytes_max - box->bytes;

    for (uint32_t count = 1; count <= lane->used; count++) {
        free_bytes += ((const natlet_mail *)(at + 1))->bytes;
        if (free_bytes >= bytes && lane->used - count < lane->cap) {
            return count;
        }
        at = at->next;
    }
    return 0;
}

/* A DOWN in order is nothing that could be dropped: with nothing left before it, its place
 * is in SYS. */
static void drop_first(natlet_cell *cell, natlet__agent *agent, natlet__lane *lane)
{
    natlet__mailbox *box = &agent->mailbox;
    natlet_mail *mail = natlet__mailbox_take_first(box, lane);

    if (mail->kind >= NATLET_MAIL_REPLY) {
        mail->priority = NATLET_PRIORITY_SYS;
        natlet__mailbox_append(box, mail);
        return;
    }
    box->dropped++;
    natlet__dead_letter(cell, mail, NATLET_DEAD_OVERFLOW, agent);
    natlet__mail_free(cell, mail);
}

static natlet_status drop_old(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                              natlet_mail_kind kind, natlet_mail **copy)
{
    natlet__mailbox *box = &agent->mailbox;
    natlet__lane *lane = natlet__mailbox_lane(box, draft->priority);
    uint32_t count = is_full(agent, draft) ? count_old(box, lane, natlet__mail_measure(draft)) : 0;

    for (; count > 0; count--) {
        drop_first(cell, agent, lane);
    }
    return natlet__post_copy(cell, agent, draft, kind, copy);
}

const natlet_overflow_policy natlet_overflow_drop_old = {.post = drop_old};

/* ---- COALESCE ---- */

/* What mail of one key has in common; empty: it has none.  Whoever asks waits for an
 * answer to just this mail. */
static natlet_slice key_of(const natlet__agent *agent, const natlet_mail *mail,
                           natlet_mail_kind kind)
{
    natlet_slice name = agent->child.mailbox.key;

    if (kind == NATLET_MAIL_CALL || mail->reply.len > 0) {
        return (natlet_slice){0};
    }
    return name.len > 0 ? natlet__field_find(mail->headers, name) : mail->subject;
}

/* 16 bits of FNV-1a; 0: no key. */
static uint16_t hash_of(natlet_slice key)
{
    return key.len > 0 ? (uint16_t)(natlet__hash(key) | 1) : 0;
}

/* The queued mail of this key, and the block *before it (NULL: it is the first); NULL:
 * none.  The hash spares the comparison of most keys; at worst all bytes of the lane are
 * read, which bytes_max bounds. */
static natlet_mail *find_older(const natlet__agent *agent, const natlet__lane *lane,
                               natlet_slice key, natlet__block **before)
{
    uint16_t hash = hash_of(key);
    natlet__block *at = lane->first;

    *before = NULL;
    for (uint32_t left = key.len > 0 ? lane->used : 0; left > 0; left--) {
        natlet_mail *older = (natlet_mail *)(at + 1);
        if (older->key == hash &&
            natlet__equal(key_of(agent, older, (natlet_mail_kind)older->kind), key)) {
            return older;
        }
        *before = at;
        at = at->next;
    }
    return NULL;
}

static natlet_status coalesce(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                              natlet_mail_kind kind, natlet_mail **copy)
{
    natlet__mailbox *box = &agent->mailbox;
    natlet__lane *lane = natlet__mailbox_lane(box, draft->priority);
    natlet_slice key = key_of(agent, draft, kind);
    natlet__block *before;
    natlet_mail *older = find_older(agent, lane, key, &before);
    uint64_t bytes_max = (uint64_t)box->bytes_max - box->bytes + (older != NULL ? older->bytes : 0);

    if (older == NULL || natlet__mail_measure(draft) > bytes_max) {
        natlet_status st = natlet__post_copy(cell, agent, draft, kind, copy);
        if (st == NATLET_OK) {
            (*copy)->key = hash_of(key);
        }
        return st;
    }
    *copy = natlet__mail_new(cell, agent->pid, draft, kind);
    if (*copy == NULL) {
        return NATLET_E_FULL;
    }
    (*copy)->key = older->key;
    natlet__mailbox_replace(box, lane, before, older, *copy);
    natlet__mail_free(cell, older);
    box->coalesced++;
    cell->stats.coalesced++;
    return NATLET_OK;
}

const natlet_overflow_policy natlet_overflow_coalesce = {.post = coalesce};

/* ---- PAUSE_SRC ---- */

static void tell_sources(natlet__agent *agent, bool stop)
{
    natlet__link *holds = &agent->holds;
    natlet__link *next;

    for (natlet__link *at = holds->next; at != holds; at = next) {
        natlet__tie *tie = (natlet__tie *)at;
        next = at->next;
        if (tie->flow != NULL) {
            tie->flow(tie, stop);
        } else if (natlet__outlet_flow != NULL) {
            natlet__outlet_flow(tie, stop);
        }
    }
}

static void stop_sources(natlet__agent *agent)
{
    natlet__mailbox *box = &agent->mailbox;

    box->pauses += !box->is_paused;
    box->is_paused = true;
    tell_sources(agent, true);
}

/* Sources are stopped with the last place, for what came next would find none.  An agent
 * without mail has no turn in which they could go on. */
static natlet_status pause_src(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                               natlet_mail_kind kind, natlet_mail **copy)
{
    const natlet__lane *lane = natlet__mailbox_lane(&agent->mailbox, draft->priority);
    bool was_full = is_full(agent, draft);
    natlet_status st = natlet__post_copy(cell, agent, draft, kind, copy);

    if ((was_full || lane->used == lane->cap) && agent->mailbox.queued > 0) {
        stop_sources(agent);
    }
    return st;
}

/* An agent that has nothing left to do gets new mail whatever its stash holds: it may be
 * what the stash waits for. */
static bool is_half_empty(const natlet__mailbox *box)
{
    bool is_low = box->queued == 0 || box->bytes <= box->bytes_max / 2;

    for (uint32_t i = 0; i < NATLET_PRIORITY_SYS; i++) {
        is_low = is_low && box->lanes[i].used <= box->lanes[i].cap / 2;
    }
    return is_low;
}

static void ease(natlet__agent *agent)
{
    if (is_half_empty(&agent->mailbox)) {
        agent->mailbox.is_paused = false;
        tell_sources(agent, false);
    }
}

const natlet_overflow_policy natlet_overflow_pause_src = {.post = pause_src, .eased = ease};

/* ---- FAIL ---- */

/* An agent whose handler runs ends when that returns. */
static void end(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_reason why = {NATLET_EXIT_OVERFLOW, NATLET_E_FULL};

    if (agent != cell->running) {
        natlet__agent_end(cell, agent, why, NATLET_AGENT_EXITED);
    } else if (!agent->is_asked) {
        agent->is_asked = true;
        agent->asked = why;
    }
}

static natlet_status fail(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                          natlet_mail_kind kind, natlet_mail **copy)
{
    bool is_up = agent->phase == NATLET_AGENT_RUNNING || agent->phase == NATLET_AGENT_BUSY;
    bool was_full = is_full(agent, draft);
    natlet_status st = natlet__post_copy(cell, agent, draft, kind, copy);

    if (is_up && was_full) {
        end(cell, agent);
    }
    return st;
}

const natlet_overflow_policy natlet_overflow_fail = {.post = fail};

/* ---- by number ---- */

const natlet_overflow_policy *natlet_overflow_of(uint32_t number)
{
    static const natlet_overflow_policy *const policies[] = {
        [NATLET_OVERFLOW_REJECT] = NULL,
        [NATLET_OVERFLOW_DROP_NEW] = &natlet_overflow_drop_new,
        [NATLET_OVERFLOW_DROP_OLD] = &natlet_overflow_drop_old,
        [NATLET_OVERFLOW_COALESCE] = &natlet_overflow_coalesce,
        [NATLET_OVERFLOW_PAUSE_SRC] = &natlet_overflow_pause_src,
        [NATLET_OVERFLOW_FAIL] = &natlet_overflow_fail,
    };

    return number < sizeof policies / sizeof *policies ? policies[number] : NULL;
}
