/* What agents wait for: timers, calls, requests, the end of others.
 *
 * A ref is generation << 16 | slot of a fixed table.  A wait ends exactly once:
 * by a mail in the place that was reserved for it, or without one when its agent
 * ends or cancels it. */
#include "agent/kernel.h"

enum { SLOT_BITS = 16 };
#define SLOT_MASK 0xffffu

natlet__wait *natlet__wait_at(const natlet_cell *cell, uint32_t ref)
{
    natlet__wait *wait = natlet__table_at(&cell->waits, ref & SLOT_MASK);

    return wait != NULL && wait->ref == ref ? wait : NULL;
}

natlet__wait *natlet__wait_of(natlet__tie *tie)
{
    void *at = (char *)tie - offsetof(natlet__wait, tie);

    return at;
}

static uint32_t next_ref(natlet_cell *cell)
{
    cell->generation = (uint16_t)(cell->generation % UINT16_MAX + 1); /* never 0 */
    return (uint32_t)cell->generation << SLOT_BITS | cell->waits.free;
}

static natlet__wait *take_wait(natlet_cell *cell, natlet__mailbox *box)
{
    if (cell->waits.free == cell->waits.cap || natlet__mailbox_reserve(box) < 0) {
        return NULL;
    }
    natlet__wait *wait = natlet__pool_take(&cell->pool, sizeof *wait);
    if (wait == NULL) {
        natlet__mailbox_unreserve(box);
    }
    return wait;
}

/* Nobody can find the wait any more.  Its place in the lane is the caller's. */
static void detach(natlet_cell *cell, natlet__wait *wait)
{
    natlet__timers_stop(&cell->timers, &wait->alarm.timer);
    natlet__list_cut(&wait->tie.link);
    natlet__list_cut(&wait->theirs.link);
    natlet__table_remove(&cell->waits, wait->ref & SLOT_MASK);
    wait->agent = NULL;
}

void natlet__wait_forget(natlet_cell *cell, natlet__wait *wait)
{
    natlet__mailbox_unreserve(&wait->agent->mailbox);
    detach(cell, wait);
}

void natlet__wait_drop(natlet_cell *cell, natlet__tie *tie)
{
    natlet__wait *wait = natlet__wait_of(tie);

    natlet__wait_forget(cell, wait);
    natlet__mail_free(cell, &wait->mail);
}

/* Queues `mail`, the wait's own or another, as the end of the wait. */
static void finish(natlet_cell *cell, natlet__wait *wait, natlet_mail *mail)
{
    natlet__agent *agent = wait->agent;

    mail->kind = wait->mail.kind;
    mail->tag = wait->mail.tag;
    detach(cell, wait);
    natlet__post_reserved(cell, agent, mail);
    if (mail != &wait->mail) {
        natlet__mail_free(cell, &wait->mail);
    }
}

static void ring(natlet_cell *cell, natlet__alarm *alarm)
{
    void *at = (char *)alarm - offsetof(natlet__wait, alarm);
    natlet__wait *wait = at;

    finish(cell, wait, &wait->mail);
}

natlet__wait *natlet__wait_new(natlet_cell *cell, natlet__agent *agent, natlet_mail_kind kind)
{
    natlet__wait *wait = take_wait(cell, &agent->mailbox);

    if (wait == NULL) {
        cell->stats.refused++;
        return NULL;
    }
    memset(wait, 0, sizeof *wait);
    wait->cell = cell;
    wait->agent = agent;
    wait->ref = next_ref(cell);
    wait->mail.kind = (uint8_t)kind;
    wait->mail.tag = wait->ref;
    wait->mail.status = kind == NATLET_MAIL_TIMER ? NATLET_OK : NATLET_E_TIMEOUT;
    natlet__table_add(&cell->waits, wait);
    wait->tie.cut = natlet__wait_drop;
    wait->alarm.ring = ring;
    natlet__list_put(agent->waits.next, &wait->tie.link);
    return wait;
}

NATLET__NOINLINE void natlet__wait_end(natlet_cell *cell, natlet__wait *wait, natlet_status status)
{
    wait->mail.status = status;
    wait->alarm.ring(cell, &wait->alarm);
}

/* Whom it asked has ended. */
static void lose(natlet_cell *cell, natlet__tie *theirs)
{
    natlet__wait_end(cell, natlet__wait_of_theirs(theirs), NATLET_E_NO_AGENT);
}

void natlet__wait_hangs_on(natlet__wait *wait, natlet__agent *asked)
{
    wait->theirs.cut = lose;
    natlet__list_put(asked->waits.next, &wait->theirs.link);
}

void natlet__wait_hangs_on_child(const natlet_cell *cell, const natlet_mail *mail,
                                 natlet__agent *asked)
{
    natlet__wait *wait = natlet__wait_of_call(cell, mail);

    if (wait != NULL) {
        natlet__list_cut(&wait->theirs.link);
        natlet__list_put(asked->holds.next, &wait->theirs.link);
    }
}

void natlet__wait_answer(natlet_cell *cell, natlet__wait *wait, const natlet_msg *reply)
{
    const natlet__mailbox *box = &wait->agent->mailbox;
    natlet_mail *mail = NULL;
    natlet_mail draft;

    natlet__mail_draft(&draft, reply);
    uint64_t bytes = natlet__mail_measure(&draft);
    if (bytes <= box->bytes_max - box->bytes) {
        mail = natlet__mail_new(cell, wait->agent->pid, &draft, NATLET_MAIL_REPLY);
    }
    if (mail != NULL) {
        finish(cell, wait, mail);
    } else {
        natlet__wait_end(cell, wait, bytes <= box->bytes_max ? NATLET_E_FULL : NATLET_E_TOO_LARGE);
    }
}

void natlet__wait_outlet_ended(natlet__wait *wait, natlet_status status, const natlet_msg *reply)
{
    natlet_cell *cell = wait->cell;
    uint32_t was = natlet__lock(cell);

    cell->asked--;
    if (wait->agent == NULL) {
        natlet__mail_free(cell, &wait->mail);
    } else if (status == NATLET_OK) {
        natlet__wait_answer(cell, wait, reply);
    } else {
        natlet__wait_end(cell, wait, status);
    }
    natlet__unlock(cell, was);
}

natlet__wait *natlet__wait_of_call(const natlet_cell *cell, const natlet_mail *mail)
{
    natlet__wait *wait = mail->kind == NATLET_MAIL_CALL ? natlet__wait_at(cell, mail->call) : NULL;

    return wait != NULL && wait->asked_id == mail->id_ns ? wait : NULL;
}

static natlet_status send_after(natlet_cell *cell, natlet__agent *agent, uint32_t delay_ms,
                                uint32_t tag, uint32_t *ref)
{
    if (agent == NULL || natlet__is_supervisor(agent)) {
        return NATLET_E_NO_AGENT;
    }
    natlet__wait *wait = natlet__wait_new(cell, agent, NATLET_MAIL_TIMER);
    if (wait == NULL) {
        return NATLET_E_FULL;
    }
    natlet__cell_alarm(cell, &wait->alarm, delay_ms);
    wait->mail.tag = tag;
    *ref = wait->ref;
    return NATLET_OK;
}

natlet_status natlet_agent_send_after(natlet_cell *cell, natlet_pid to, uint32_t delay_ms,
                                      uint32_t tag, uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    uint32_t unwanted;

    ref = ref != NULL ? ref : &unwanted;
    *ref = 0;
    natlet_status st = send_after(cell, natlet__registry_at(cell, to), delay_ms, tag, ref);
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_cancel(natlet_cell *cell, uint32_t ref)
{
    uint32_t was = natlet__lock(cell);
    natlet__wait *wait = natlet__wait_at(cell, ref);

    if (wait != NULL) {
        wait->tie.cut(cell, &wait->tie);
    }
    natlet__unlock(cell, was);
    return wait != NULL ? NATLET_OK : NATLET_E_NOT_FOUND;
}
