/* Timers that go on, and how long a timer has left.
 *
 * A wait that goes on keeps its place in the lane and its ref; each tick is a mail of its
 * own, in a place that it takes for that time. */
#include "agent/kernel.h"

enum { US_PER_MS = 1000 };

/* In its wait's mail, which is never sent, `seq` counts the ticks that were skipped, and
 * `call` is the period. */

/* Whether the last tick still lies in the lane. */
static bool is_queued(const natlet__mailbox *box, uint32_t ref)
{
    const natlet__lane *sys = &box->lanes[NATLET_PRIORITY_SYS];
    natlet__block *block = sys->first;

    for (uint32_t left = sys->used; left > 0; left--) {
        const natlet_mail *mail = (const natlet_mail *)(block + 1);
        if (mail->kind == NATLET_MAIL_TIMER && mail->call == ref) {
            return true;
        }
        block = block->next;
    }
    return false;
}

static bool tick(natlet_cell *cell, const natlet__wait *wait)
{
    natlet__mailbox *box = &wait->agent->mailbox;
    const natlet_mail draft = {.tag = wait->mail.tag, .seq = wait->mail.seq, .call = wait->ref};

    if (is_queued(box, wait->ref) || natlet__mailbox_reserve(box) < 0) {
        return false;
    }
    natlet_mail *mail = natlet__mail_new(cell, wait->agent->pid, &draft, NATLET_MAIL_TIMER);
    if (mail == NULL) {
        natlet__mailbox_unreserve(box);
        return false;
    }
    mail->from = 0;
    natlet__post_reserved(cell, wait->agent, mail);
    return true;
}

static void ring(natlet_cell *cell, natlet__alarm *alarm)
{
    void *at = (char *)alarm - offsetof(natlet__wait, alarm);
    natlet__wait *wait = at;
    uint64_t period_us = (uint64_t)wait->mail.call * US_PER_MS;
    uint64_t late_us = natlet_runtime_now_us(cell->rt) - alarm->timer.due_us;
    uint64_t skipped = late_us / period_us;

    wait->mail.seq += skipped;
    if (tick(cell, wait)) {
        wait->mail.seq = 0;
    } else {
        wait->mail.seq++;
    }
    natlet__timers_start(&cell->timers, &alarm->timer,
                         alarm->timer.due_us + (skipped + 1) * period_us);
}

static natlet_status send_every(natlet_cell *cell, natlet__agent *agent, uint32_t period_ms,
                                uint32_t tag, uint32_t *ref)
{
    if (agent == NULL || natlet__is_supervisor(agent)) {
        return NATLET_E_NO_AGENT;
    }
    if (period_ms == 0) {
        return NATLET_E_INVALID;
    }
    natlet__wait *wait = natlet__wait_new(cell, agent, NATLET_MAIL_TIMER);
    if (wait == NULL) {
        return NATLET_E_FULL;
    }
    wait->mail.tag = tag;
    wait->mail.call = period_ms;
    wait->alarm.ring = ring;
    natlet__cell_alarm(cell, &wait->alarm, period_ms);
    *ref = wait->ref;
    return NATLET_OK;
}

natlet_status natlet_agent_send_every(natlet_cell *cell, natlet_pid to, uint32_t period_ms,
                                      uint32_t tag, uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    uint32_t unwanted;

    ref = ref != NULL ? ref : &unwanted;
    *ref = 0;
    natlet_status st = send_every(cell, natlet__registry_at(cell, to), period_ms, tag, ref);
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_time_left(const natlet_cell *cell, uint32_t ref, uint32_t *left_ms)
{
    const natlet__wait *wait = natlet__wait_at(cell, ref);

    *left_ms = 0;
    if (wait == NULL || !wait->alarm.timer.running) {
        return NATLET_E_NOT_FOUND;
    }
    uint64_t now_us = natlet_runtime_now_us(cell->rt);
    uint64_t due_us = wait->alarm.timer.due_us;
    if (due_us > now_us) {
        *left_ms = (uint32_t)((due_us - now_us - 1) / US_PER_MS + 1);
    }
    return NATLET_OK;
}
