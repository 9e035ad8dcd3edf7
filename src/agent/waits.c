/* What agents wait for: timers, calls, requests.
 *
 * A ref is generation << 16 | slot of a fixed table.  A wait ends exactly once:
 * by a mail in the place that was reserved for it, or without one when its agent
 * ends or cancels it. */
#include "agent/kernel.h"

enum { SLOT_BITS = 16, US_PER_MS = 1000 };
#define SLOT_MASK 0xffffu

static natlet__wait *wait_at(const natlet_cell *cell, uint32_t ref)
{
    uint32_t slot = ref & SLOT_MASK;
    natlet__wait *wait = slot < cell->config.waits_max ? cell->wait_slots[slot].wait : NULL;

    return wait != NULL && wait->ref == ref ? wait : NULL;
}

static void take_slot(natlet_cell *cell, natlet__wait *wait)
{
    uint32_t slot = cell->free_wait;
    natlet__wait_slot *entry = &cell->wait_slots[slot];

    cell->free_wait = entry->next_free;
    entry->wait = wait;
    entry->generation = (uint16_t)(entry->generation % UINT16_MAX + 1); /* never 0 */
    wait->ref = (uint32_t)entry->generation << SLOT_BITS | slot;
    cell->stats.waits++;
}

static void give_slot_back(natlet_cell *cell, const natlet__wait *wait)
{
    uint16_t slot = (uint16_t)(wait->ref & SLOT_MASK);
    natlet__wait_slot *entry = &cell->wait_slots[slot];

    entry->wait = NULL;
    entry->next_free = cell->free_wait;
    cell->free_wait = slot;
    cell->stats.waits--;
}

static void link_to(natlet__agent *agent, natlet__wait *wait)
{
    wait->agent = agent;
    wait->next = agent->waits;
    if (wait->next != NULL) {
        wait->next->prev = wait;
    }
    agent->waits = wait;
}

static void unlink_from_agent(natlet__wait *wait)
{
    if (wait->prev != NULL) {
        wait->prev->next = wait->next;
    } else {
        wait->agent->waits = wait->next;
    }
    if (wait->next != NULL) {
        wait->next->prev = wait->prev;
    }
    wait->agent = NULL;
}

natlet_status natlet__wait_new(natlet_cell *cell, natlet__wait **out, natlet__agent *agent,
                               natlet__wait_kind kind, uint32_t delay_ms)
{
    natlet_status st = cell->free_wait == NATLET__NO_WAIT
                           ? NATLET_E_FULL
                           : natlet__mailbox_reserve(&agent->mailbox);
    natlet__wait *wait = st == NATLET_OK ? natlet__pool_take(&cell->pool, sizeof *wait) : NULL;

    if (wait == NULL) {
        cell->stats.refused++;
        if (st == NATLET_OK) {
            natlet__mailbox_unreserve(&agent->mailbox);
        }
        return NATLET_E_FULL;
    }
    *wait = (natlet__wait){.cell = cell, .kind = kind};
    wait->mail.block_bytes = sizeof *wait;
    take_slot(cell, wait);
    link_to(agent, wait);
    if (kind != NATLET__WAIT_REQUEST) {
        wait->timer.kind = NATLET__TIMER_WAIT;
        natlet__timers_start(&cell->timers, &wait->timer,
                             natlet_runtime_now_us(cell->rt) + (uint64_t)delay_ms * US_PER_MS);
    }
    *out = wait;
    return NATLET_OK;
}

/* Nobody can find the wait any more.  Its place in the lane is the caller's. */
static void detach(natlet_cell *cell, natlet__wait *wait)
{
    natlet__timers_stop(&cell->timers, &wait->timer);
    unlink_from_agent(wait);
    give_slot_back(cell, wait);
}

void natlet__wait_drop(natlet_cell *cell, natlet__wait *wait)
{
    natlet__mailbox_unreserve(&wait->agent->mailbox);
    detach(cell, wait);
    if (wait->kind != NATLET__WAIT_REQUEST) {
        natlet__mail_free(cell, &wait->mail);
    } else if (cell->outlet != NULL) {
        cell->outlet->cancel(cell->outlet, wait); /* its answer frees the wait */
    }
}

void natlet__wait_drop_all(natlet_cell *cell, natlet__agent *agent)
{
    while (agent->waits != NULL) {
        natlet__wait_drop(cell, agent->waits);
    }
}

/* Queues `mail`, the wait's own or another, as the end of the wait. */
static void finish(natlet_cell *cell, natlet__wait *wait, natlet_mail *mail)
{
    natlet__agent *agent = wait->agent;

    mail->kind = wait->kind == NATLET__WAIT_TIMER ? NATLET_MAIL_TIMER : NATLET_MAIL_REPLY;
    if (wait->kind != NATLET__WAIT_TIMER) {
        mail->tag = wait->ref;
    }
    detach(cell, wait);
    natlet__post_reserved(cell, agent, mail);
    if (mail != &wait->mail) {
        natlet__mail_free(cell, &wait->mail);
    }
}

void natlet__wait_end(natlet_cell *cell, natlet__wait *wait, natlet_status status)
{
    wait->mail.status = status;
    finish(cell, wait, &wait->mail);
}

void natlet__wait_answer(natlet_cell *cell, natlet__wait *wait, natlet_pid from,
                         const natlet_msg *reply)
{
    const natlet__mailbox *box = &wait->agent->mailbox;
    natlet_mail draft = {.subject = reply->subject,
                         .reply = reply->reply,
                         .headers = reply->headers,
                         .payload = reply->payload};
    uint64_t bytes = natlet__mail_measure(&draft);

    if (bytes > box->bytes_max) {
        natlet__wait_end(cell, wait, NATLET_E_TOO_LARGE);
        return;
    }
    natlet_mail *mail =
        bytes <= box->bytes_max - box->bytes ? natlet__mail_new(cell, &draft) : NULL;
    if (mail == NULL) {
        natlet__wait_end(cell, wait, NATLET_E_FULL);
        return;
    }
    mail->from = from;
    finish(cell, wait, mail);
}

void natlet__wait_outlet_ended(natlet__wait *wait, natlet_status status, const natlet_msg *reply)
{
    natlet_cell *cell = wait->cell;
    uint32_t was = natlet__lock(cell);

    cell->asked--;
    if (wait->agent == NULL) {
        natlet__mail_free(cell, &wait->mail);
    } else if (status == NATLET_OK) {
        natlet__wait_answer(cell, wait, 0, reply);
    } else {
        natlet__wait_end(cell, wait, status);
    }
    natlet__unlock(cell, was);
}

void natlet__wait_due(natlet_cell *cell, natlet__timer *timer)
{
    void *at = (char *)timer - offsetof(natlet__wait, timer);
    natlet__wait *wait = at;

    natlet__wait_end(cell, wait, wait->kind == NATLET__WAIT_TIMER ? NATLET_OK : NATLET_E_TIMEOUT);
}

natlet__wait *natlet__wait_of_call(const natlet_cell *cell, const natlet_mail *mail)
{
    natlet__wait *wait = mail->kind == NATLET_MAIL_CALL ? wait_at(cell, mail->call) : NULL;

    return wait != NULL && wait->asked_id == mail->id_ns ? wait : NULL;
}

natlet_status natlet_agent_send_after(natlet_cell *cell, natlet_pid to, uint32_t delay_ms,
                                      uint32_t tag, uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    natlet__agent *agent = natlet__registry_at(cell, to);
    natlet__wait *wait = NULL;
    natlet_status st = NATLET_E_NO_AGENT;

    if (agent != NULL && !natlet__is_supervisor(agent)) {
        st = natlet__wait_new(cell, &wait, agent, NATLET__WAIT_TIMER, delay_ms);
    }
    if (st == NATLET_OK) {
        wait->mail.tag = tag;
    }
    if (ref != NULL) {
        *ref = wait != NULL ? wait->ref : 0;
    }
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_cancel(natlet_cell *cell, uint32_t ref)
{
    uint32_t was = natlet__lock(cell);
    natlet__wait *wait = wait_at(cell, ref);

    if (wait != NULL) {
        natlet__wait_drop(cell, wait);
    }
    natlet__unlock(cell, was);
    return wait != NULL ? NATLET_OK : NATLET_E_NOT_FOUND;
}
