/* What waits for a PONG.  The server answers PINGs in order, so the waiting ones
 * form a queue; one that gives up stays in it as a place holder. */
#include "client/client.h"

enum { WAITING_MAX = 1024, PROBE_US = 5000000, WS_NORMAL = 1000 };

/* ---- the queue ---- */

static natlet__pong *take_pong(natlet_client *client)
{
    natlet__pongs *pongs = &client->pongs;
    natlet__pong *pong = pongs->spare;

    if (pong == NULL) {
        return natlet__memory_take(&client->rt->memory, sizeof *pong);
    }
    pongs->spare = pong->next;
    *pong = (natlet__pong){0};
    return pong;
}

static void keep_spare(natlet__pongs *pongs, natlet__pong *pong)
{
    pong->next = pongs->spare;
    pongs->spare = pong;
}

natlet_status natlet__pongs_ask(natlet_client *client, natlet__pong_use use, natlet__pong **out)
{
    natlet__pongs *pongs = &client->pongs;

    if (pongs->count == WAITING_MAX) {
        return NATLET_E_FULL;
    }
    natlet__pong *pong = take_pong(client);
    if (pong == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = natlet__client_write_line(client, (natlet_slice)NATLET_TEXT("PING\r\n"));
    if (st < 0) {
        keep_spare(pongs, pong);
        return st;
    }
    pong->use = use;
    pong->timer.kind = NATLET__TIMER_PONG;
    pong->asked_us = natlet__runtime_clock_us(client->rt);
    if (pongs->last != NULL) {
        pongs->last->next = pong;
    } else {
        pongs->first = pong;
    }
    pongs->last = pong;
    pongs->count++;
    *out = pong;
    return NATLET_OK;
}

static natlet__pong *take_first(natlet__pongs *pongs)
{
    natlet__pong *pong = pongs->first;

    if (pong != NULL) {
        pongs->first = pong->next;
        pongs->last = pong->next != NULL ? pongs->last : NULL;
        pongs->count--;
    }
    return pong;
}

/* ---- answers ---- */

/* Takes out of `pong` what waits; its place in the queue is another matter. */
static natlet__pong take_waiting(natlet_client *client, natlet__pong *pong)
{
    natlet__pong waiting = *pong;

    natlet__timers_stop(&client->timers, &pong->timer);
    pong->use = NATLET__PONG_NOTHING;
    return waiting;
}

static void tell(natlet_client *client, const natlet__pong *waiting, natlet_status st)
{
    uint64_t elapsed_us = natlet__runtime_clock_us(client->rt) - waiting->asked_us;

    switch (waiting->use) {
    case NATLET__PONG_NOTHING:
        return;
    case NATLET__PONG_FLUSH:
        break;
    case NATLET__PONG_DRAIN_SUB:
        natlet__subscribe_end(client, waiting->sid, NATLET_OK);
        break;
    case NATLET__PONG_DRAIN:
        if (st == NATLET_OK) {
            natlet__drain_answered(client);
        }
        return;
    }
    if (waiting->done != NULL) {
        waiting->done(waiting->self, st, elapsed_us);
    }
}

void natlet__pongs_answered(natlet_client *client)
{
    natlet__pong *pong = take_first(&client->pongs);

    client->pongs.silent = 0;
    if (pong != NULL) { /* a PONG that nobody asked for says nothing */
        natlet__pong waiting = take_waiting(client, pong);
        keep_spare(&client->pongs, pong);
        tell(client, &waiting, NATLET_OK);
    }
}

void natlet__pongs_timeout(natlet_client *client, natlet__timer *timer)
{
    natlet__pong waiting = take_waiting(client, (natlet__pong *)timer);

    tell(client, &waiting, NATLET_E_TIMEOUT);
}

void natlet__pongs_end_all(natlet_client *client, natlet_status why)
{
    natlet__pong *pong;

    while ((pong = take_first(&client->pongs)) != NULL) {
        natlet__pong waiting = take_waiting(client, pong);
        keep_spare(&client->pongs, pong);
        tell(client, &waiting, why);
    }
    client->pongs.silent = 0;
}

void natlet__pongs_free(natlet_client *client)
{
    natlet__pong *pong;

    while ((pong = client->pongs.spare) != NULL) {
        client->pongs.spare = pong->next;
        natlet__memory_give_back(&client->rt->memory, pong, sizeof *pong);
    }
}

/* ---- liveness ---- */

static uint64_t ping_us(const natlet_client *client)
{
    bool is_ws = client->link.transport == NATLET_TRANSPORT_WS || client->link.is_framed;
    uint32_t ms = is_ws ? NATLET_PING_WS_MS_DEFAULT : NATLET_PING_TCP_MS_DEFAULT;

    ms = client->config.ping_ms != 0 ? client->config.ping_ms : ms;
    return (uint64_t)ms * NATLET__US_PER_MS;
}

/* A PING that finds no room counts too: nothing has left for a whole interval. */
static void ask_alive(natlet_client *client, uint64_t wait_us)
{
    natlet__pong *unused;

    (void)natlet__pongs_ask(client, NATLET__PONG_NOTHING, &unused);
    client->pongs.silent++;
    client->link.received_at_ping = client->stats.received_bytes;
    natlet__client_start(client, &client->ping_timer, wait_us);
}

void natlet__pongs_start(natlet_client *client)
{
    natlet__client_start(client, &client->ping_timer, ping_us(client));
}

void natlet__pongs_probe(natlet_client *client)
{
    if (client->link.state == NATLET__LINK_UP) {
        ask_alive(client, PROBE_US);
        client->pongs.silent = client->config.pings_out_max;
    } else if (client->dial_timer.running) {
        natlet__client_dial_in(client, 0);
    }
}

/* A timer that fires far too late means that the program slept: what it heard
 * last says nothing then, neither good nor bad. */
void natlet__pongs_tick(natlet_client *client, uint64_t due_us)
{
    if (client->stats.received_bytes != client->link.received_at_ping) {
        client->pongs.silent = 0;
    }
    if (natlet__client_now_us(client) - due_us > PROBE_US) {
        natlet__pongs_probe(client);
    } else if (client->pongs.silent >= client->config.pings_out_max) {
        natlet__link_fail(client, NATLET_E_STALE, WS_NORMAL);
    } else {
        ask_alive(client, ping_us(client));
    }
}

/* ---- public ---- */

static void wait_for(natlet_client *client, natlet__pong *pong, uint32_t timeout_ms,
                     natlet_done_fn done, void *self)
{
    pong->done = done;
    pong->self = self;
    natlet__client_start(client, &pong->timer, (uint64_t)timeout_ms * NATLET__US_PER_MS + 1);
}

natlet_status natlet_client_flush(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                  void *self)
{
    natlet__pong *pong;

    if (client->link.state != NATLET__LINK_UP) {
        return client->state == NATLET_CLIENT_CLOSED ? NATLET_E_CLOSED : NATLET_E_DISCONNECTED;
    }
    natlet_status st = natlet__pongs_ask(client, NATLET__PONG_FLUSH, &pong);
    if (st == NATLET_OK) {
        wait_for(client, pong, timeout_ms, done, self);
    }
    return st;
}

natlet_status natlet_client_drain_subscription(natlet_client *client, uint32_t sid,
                                               uint32_t timeout_ms, natlet_done_fn done, void *self)
{
    natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);
    natlet__pong *pong;

    if (sub == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    if (client->link.state != NATLET__LINK_UP) { /* nothing is on the way */
        const natlet__pong waiting = {.use = NATLET__PONG_DRAIN_SUB,
                                      .sid = sid,
                                      .done = done,
                                      .self = self,
                                      .asked_us = natlet__runtime_clock_us(client->rt)};
        tell(client, &waiting, NATLET_OK);
        return NATLET_OK;
    }
    natlet_status st = natlet__subscribe_drain(client, sub);
    if (st == NATLET_OK) {
        st = natlet__pongs_ask(client, NATLET__PONG_DRAIN_SUB, &pong);
    }
    if (st == NATLET_OK) {
        pong->sid = sid;
        wait_for(client, pong, timeout_ms != 0 ? timeout_ms : client->config.drain_ms, done, self);
    }
    return st;
}
