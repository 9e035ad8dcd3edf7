/* The orderly end, in two round trips:
 *
 *     UNSUB all, PING    the PONG comes behind the last message: all is delivered,
 *                        and callbacks may still have published answers; what is
 *                        pulled is waited for
 *     PING               the PONG says that the server read those as well
 *     close */
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__queue_waits)

/* Whether subscription `sid`, or 0 for any, is over but for what it holds. */
static bool is_held(natlet_client *client, uint32_t sid)
{
    return natlet__queue_waits != NULL && natlet__queue_waits(client, sid);
}

void natlet__drain_answered(natlet_client *client, natlet__waiter *waiter)
{
    natlet_status st = NATLET_OK;

    if (waiter->sid != 0) {
        if (is_held(client, waiter->sid)) {
            waiter->key = 0;
        } else {
            natlet__waiter_end(client, waiter, NATLET_OK, NULL);
        }
        return;
    }
    if (!client->drain.is_flushing) {
        client->drain.is_flushing = true;
        natlet__subscribe_end_all(client, NATLET_OK);
        if (client->state != NATLET_CLIENT_DRAINING) {
            return; /* a callback closed it */
        }
        if (is_held(client, 0)) {
            client->drain.is_flushing = false;
            waiter->key = 0;
            return;
        }
        waiter->published = (uint32_t)client->stats.out_messages;
        st = natlet__pongs_ask(client, waiter);
        if (st == NATLET_OK) {
            return;
        }
    }
    natlet__client_end(client, st, st, NATLET_E_CLOSED);
}

static natlet_status unsubscribe_all(natlet_client *client)
{
    const natlet__member *circle = &client->subs.circle;
    natlet_status st = NATLET_OK;

    for (natlet__member *at = circle->next; st == NATLET_OK && at != circle; at = at->next) {
        natlet__subscription *sub = (natlet__subscription *)at;
        if (sub->sid != client->requests.inbox_sid) {
            st = natlet__subscribe_drain(client, sub);
        }
    }
    return st;
}

natlet_status natlet_client_drain(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                  void *self)
{
    if (client->state != NATLET_CLIENT_CONNECTED) {
        return client->state == NATLET_CLIENT_CLOSED ? NATLET_E_CLOSED : NATLET_E_STATE;
    }
    if (!natlet__move_is_late(client)) {
        natlet__move_stop(client); /* what was not begun is not worth it any more */
    }
    natlet_status st = unsubscribe_all(client);
    timeout_ms = timeout_ms != 0 ? timeout_ms : client->config.drain_ms;
    if (st == NATLET_OK) {
        st = natlet__pongs_wait(client, NATLET__WAITER_DRAIN, timeout_ms, done, self, 0);
    }
    if (st == NATLET_OK) {
        client->drain.is_flushing = false;
        natlet__client_enter(client, NATLET_CLIENT_DRAINING, NATLET_OK);
    }
    return st;
}

natlet_status natlet_client_drain_subscription(natlet_client *client, uint32_t sid,
                                               uint32_t timeout_ms, natlet_done_fn done, void *self)
{
    natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);

    if (sub == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    bool is_up = client->link.state == NATLET__LINK_UP;
    if (!is_up && !is_held(client, sid)) { /* nothing is on the way */
        natlet__subscribe_end(client, sid, NATLET_OK);
        if (done != NULL) {
            done(self, NATLET_OK, 0);
        }
        return NATLET_OK;
    }
    natlet_status st = is_up ? natlet__subscribe_drain(client, sub) : NATLET_OK;
    timeout_ms = timeout_ms != 0 ? timeout_ms : client->config.drain_ms;
    return st < 0 ? st
                  : natlet__pongs_wait(client, NATLET__WAITER_PONG, timeout_ms, done, self, sid);
}
