/* The orderly end, in two round trips:
 *
 *     UNSUB all, PING    the PONG comes behind the last message: all is delivered,
 *                        and callbacks may still have published answers
 *     PING               the PONG says that the server read those as well
 *     close */
#include "client/client.h"

void natlet__drain_end(natlet_client *client, natlet_status why)
{
    natlet__drain drain = client->drain;

    if (!drain.is_active) {
        return;
    }
    client->drain = (natlet__drain){0};
    natlet__timers_stop(&client->timers, &client->drain_timer);
    if (drain.done != NULL) {
        drain.done(drain.self, why, natlet__runtime_clock_us(client->rt) - drain.asked_us);
    }
}

static void finish(natlet_client *client, natlet_status why)
{
    natlet__client_end(client, why, why, NATLET_E_CLOSED);
}

void natlet__drain_answered(natlet_client *client)
{
    natlet__pong *pong;

    if (!client->drain.is_active) {
        return;
    }
    if (client->drain.is_flushing) {
        finish(client, NATLET_OK);
        return;
    }
    client->drain.is_flushing = true;
    natlet__subscribe_end_finished(client);
    if (client->drain.is_active) {
        natlet_status st = natlet__pongs_ask(client, NATLET__PONG_DRAIN, &pong);
        if (st < 0) {
            finish(client, st);
        }
    }
}

static natlet_status begin(natlet_client *client)
{
    natlet__subscription *sub;
    natlet__pong *pong;
    uint32_t sid = 0;

    while ((sub = natlet__subscriptions_next(&client->subs, sid)) != NULL) {
        sid = sub->sid;
        natlet_status st =
            sid == client->requests.inbox_sid ? NATLET_OK : natlet__subscribe_drain(client, sub);
        if (st < 0) {
            return st;
        }
    }
    return natlet__pongs_ask(client, NATLET__PONG_DRAIN, &pong);
}

natlet_status natlet_client_drain(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                  void *self)
{
    if (client->state != NATLET_CLIENT_CONNECTED) {
        return client->state == NATLET_CLIENT_CLOSED ? NATLET_E_CLOSED : NATLET_E_STATE;
    }
    natlet_status st = begin(client);
    if (st < 0) {
        return st;
    }
    timeout_ms = timeout_ms != 0 ? timeout_ms : client->config.drain_ms;
    client->drain = (natlet__drain){.done = done,
                                    .self = self,
                                    .asked_us = natlet__runtime_clock_us(client->rt),
                                    .is_active = true};
    natlet__client_start(client, &client->drain_timer, (uint64_t)timeout_ms * NATLET__US_PER_MS);
    natlet__client_enter(client, NATLET_CLIENT_DRAINING, NATLET_OK);
    return NATLET_OK;
}
