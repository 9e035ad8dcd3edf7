/* What waits: a request for its reply, a flush or a drain for a PONG, all of them
 * for their deadline.  Each ends once, here. */
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__subscribe_end)
NATLET__OPTIONAL(natlet__queue_clear)
NATLET__OPTIONAL(natlet__many_over)

static natlet__roster *roster_of(natlet_client *client, natlet__waiter_kind kind)
{
    return kind == NATLET__WAITER_REPLY ? &client->requests.waiters : &client->pong_waiters;
}

/* But for a drain, which ends once, it is never due in this very turn: a callback
 * that asks again would not end. */
natlet__waiter *natlet__waiter_begin(natlet_client *client, natlet__waiter_kind kind,
                                     uint32_t wait_ms, void *self)
{
    uint64_t wait_us = (uint64_t)wait_ms * NATLET__US_PER_MS + (kind != NATLET__WAITER_DRAIN);
    natlet__waiter *waiter = (natlet__waiter *)natlet__roster_take(roster_of(client, kind));

    if (waiter != NULL) {
        waiter->kind = kind;
        waiter->self = self;
        waiter->sid = 0;
        waiter->answers = 0;
        natlet__client_start(client, &waiter->timer, wait_us);
    }
    return waiter;
}

natlet__waiter *natlet__waiter_find(const natlet__roster *waiters, uint32_t key)
{
    for (natlet__member *at = waiters->circle.next; at != &waiters->circle; at = at->next) {
        if (((natlet__waiter *)at)->key == key) {
            return (natlet__waiter *)at;
        }
    }
    return NULL;
}

natlet__waiter *natlet__waiter_held(const natlet__roster *waiters, uint32_t sid)
{
    for (natlet__member *at = waiters->circle.next; at != &waiters->circle; at = at->next) {
        natlet__waiter *waiter = (natlet__waiter *)at;
        if (waiter->key == 0 && waiter->sid == sid) {
            return waiter;
        }
    }
    return NULL;
}

void natlet__waiter_drop(natlet_client *client, natlet__waiter *waiter)
{
    natlet__timers_stop(&client->timers, &waiter->timer);
    natlet__roster_give_back(roster_of(client, waiter->kind), &waiter->member);
}

/* It is free before the callbacks run, which may wait anew. */
void natlet__waiter_end(natlet_client *client, natlet__waiter *waiter, natlet_status st,
                        const natlet_msg *reply)
{
    const natlet__waiter was = *waiter;

    natlet__waiter_drop(client, waiter);
    (void)natlet__move_back(client);
    if (was.kind == NATLET__WAITER_REPLY) {
        if (was.sid != 0) {
            natlet__many_over(client, was.sid);
        }
        was.fn.reply(was.self, st, reply);
        return;
    }
    if (was.sid != 0) {
        natlet__subscribe_end(client, was.sid, NATLET_OK);
    }
    if (was.fn.done != NULL) {
        was.fn.done(was.self, st, natlet__runtime_clock_us(client->rt) - was.asked_us);
    }
}

void natlet__waiter_end_all(natlet_client *client, const natlet__roster *waiters, natlet_status why)
{
    uint64_t now = client->timers.started; /* later ones are of a callback, and live on */
    natlet__waiter *waiter;

    while ((waiter = (natlet__waiter *)natlet__roster_oldest(waiters)) != NULL &&
           waiter->timer.order < now) {
        natlet__waiter_end(client, waiter,
                           waiter->kind == NATLET__WAITER_DRAIN ? client->end.drain : why, NULL);
    }
}

void natlet__waiter_timeout(natlet_client *client, natlet__timer *timer)
{
    natlet__waiter *waiter = (void *)((uint8_t *)timer - offsetof(natlet__waiter, timer));

    if (waiter->kind == NATLET__WAITER_DRAIN) {
        natlet__client_end(client, NATLET_E_TIMEOUT, NATLET_E_TIMEOUT, NATLET_E_CLOSED);
        return;
    }
    if (waiter->sid != 0 && natlet__queue_clear != NULL) {
        natlet__queue_clear(client, waiter->sid);
    }
    natlet__waiter_end(client, waiter, waiter->answers > 0 ? NATLET_OK : NATLET_E_TIMEOUT, NULL);
}
