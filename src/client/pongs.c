/* PINGs of ours and their PONGs.  The server answers in order, so both are counted:
 * the PONG with the number of a PING is its answer. */
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__ledger_asked)
NATLET__OPTIONAL(natlet__ledger_answered)
NATLET__OPTIONAL(natlet__ledger_covers)
NATLET__OPTIONAL(natlet__drain_answered)

/* No PING has it until they wrap: the key of a waiter that asks when a move is over. */
enum { PARKED = 0 };

enum { ON_THE_WAY_MAX = 1024, PROBE_US = 5000000, AWAIT_US = 10000000, WS_NORMAL = 1000 };

natlet_status natlet__pongs_ask(natlet_client *client, natlet__waiter *waiter)
{
    natlet__pongs *pongs = &client->pongs;

    if (pongs->sent - pongs->answered == ON_THE_WAY_MAX) {
        return NATLET_E_FULL;
    }
    natlet_status st = natlet__client_write_line(client, (natlet_slice)NATLET_TEXT("PING\r\n"));
    if (st == NATLET_OK) {
        pongs->sent++;
        if (waiter != NULL) {
            waiter->key = pongs->sent;
        }
        if (client->ledger != NULL && !natlet__move_is_in(client)) {
            natlet__ledger_asked(client);
        }
    }
    return st;
}

void natlet__pongs_answered(natlet_client *client)
{
    natlet__pongs *pongs = &client->pongs;

    pongs->silent = 0;
    if (pongs->answered == pongs->sent) {
        return; /* a PONG that nobody asked for says nothing */
    }
    natlet__waiter *waiter = natlet__waiter_find(&client->pong_waiters, ++pongs->answered);
    bool is_early = natlet__move_is_late(client) && !client->move->is_in_place;
    if (client->ledger != NULL && !is_early) {
        natlet__ledger_answered(client);
    }
    if (waiter == NULL) { /* only to know that the server lives, or it gave up */
        if (client->move != NULL) {
            natlet__move_answered(client);
        }
        return;
    }
    bool is_covered = client->ledger == NULL || natlet__ledger_covers(client, waiter->published);
    if (is_early || (natlet__move_is_late(client) && !is_covered)) {
        waiter->key = PARKED;
    } else if (!is_covered) {
        (void)natlet__pongs_ask(client, waiter); /* some of them waited, and left behind it */
    } else if (waiter->kind == NATLET__WAITER_DRAIN || waiter->sid != 0) {
        natlet__drain_answered(client, waiter);
    } else {
        natlet__waiter_end(client, waiter, NATLET_OK, NULL);
    }
}

void natlet__pongs_settle(natlet_client *client, uint32_t answered, uint32_t sent)
{
    const natlet__roster *waiters = &client->pong_waiters;
    natlet__waiter *waiter;

    while ((waiter = natlet__waiter_find(waiters, PARKED)) != NULL) {
        waiter->key = sent;
        if (natlet__pongs_ask(client, waiter) < 0) {
            break;
        }
    }
    (void)natlet__pongs_ask(client, NULL); /* those of the new server were passed over so far */
    while (answered != sent) {
        waiter = natlet__waiter_find(waiters, ++answered);
        if (waiter != NULL) {
            natlet__waiter_end(client, waiter, NATLET_E_DISCONNECTED, NULL);
        }
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

/* How far the wall clock is ahead: it goes on where the other one stands still. */
static uint64_t wall_ahead_us(natlet_client *client)
{
    uint64_t wall_us = natlet_runtime_wall_ns(client->rt) / NATLET__US_PER_MS;

    return wall_us > 0 ? wall_us - natlet__runtime_clock_us(client->rt) : 0;
}

static void look_in(natlet_client *client, uint64_t wait_us)
{
    client->link.received_at_look = client->stats.received_bytes;
    client->link.sent_at_look = client->stats.sent_bytes;
    client->link.wall_ahead_us = wall_ahead_us(client);
    natlet__client_start(client, client->timer, wait_us);
}

/* A PING that finds no room counts too: nothing has left for a whole interval. */
static void ask_alive(natlet_client *client, uint64_t wait_us)
{
    (void)natlet__pongs_ask(client, NULL);
    client->pongs.silent++;
    look_in(client, wait_us);
}

void natlet__pongs_start(natlet_client *client)
{
    client->pongs.answered = client->pongs.sent;
    client->pongs.silent = 0;
    look_in(client, ping_us(client));
}

static void look_soon(natlet_client *client, uint64_t wait_us)
{
    if (client->link.state == NATLET__LINK_UP && !client->link.is_reported &&
        client->timer->due_us > natlet__client_now_us(client) + wait_us) {
        look_in(client, wait_us);
    }
}

void natlet__pongs_blocked(natlet_client *client)
{
    look_soon(client, PROBE_US);
}

void natlet__pongs_awaited(natlet_client *client)
{
    look_soon(client, AWAIT_US);
}

void natlet__pongs_probe(natlet_client *client)
{
    if (client->link.state == NATLET__LINK_UP) {
        client->stats.probes++;
        ask_alive(client, PROBE_US);
        client->pongs.silent = client->config.pings_out_max;
    } else if (client->link.state == NATLET__LINK_DOWN && client->timer->running) {
        natlet__client_dial_in(client, 0);
    }
}

/* A timer that fires far too late, or a wall clock that went ahead, means that the program
 * slept: what it heard last says nothing then, neither good nor bad.  A peer that reads slowly is
 * alive; one that has read nothing since the last look may not be. */
void natlet__pongs_tick(natlet_client *client)
{
    const natlet__link *link = &client->link;
    uint64_t wait_us = ping_us(client);
    bool is_blocked = link->is_blocked && wait_us > PROBE_US;
    bool is_stuck = is_blocked && client->stats.sent_bytes == link->sent_at_look;
    bool is_silent = client->stats.received_bytes == link->received_at_look;
    bool is_awaited =
        wait_us > AWAIT_US && natlet__roster_oldest(&client->requests.waiters) != NULL;
    uint64_t jump_us = wall_ahead_us(client) - link->wall_ahead_us + PROBE_US;

    if (!is_silent || is_blocked != is_stuck) {
        client->pongs.silent = 0;
    }
    bool has_slept = natlet__client_now_us(client) - client->timer->due_us > PROBE_US ||
                     jump_us > (uint64_t)2 * PROBE_US;
    if (!has_slept && client->pongs.silent >= client->config.pings_out_max) {
        natlet__link_fail(client, NATLET_E_STALE, WS_NORMAL);
    } else if (has_slept || is_stuck || (is_awaited && is_silent)) {
        natlet__pongs_probe(client);
    } else if (is_blocked) {
        look_in(client, PROBE_US);
    } else if (is_awaited) {
        look_in(client, AWAIT_US);
    } else {
        ask_alive(client, wait_us);
    }
}

/* ---- what waits for a PONG ---- */

natlet_status natlet__pongs_wait(natlet_client *client, natlet__waiter_kind kind, uint32_t wait_ms,
                                 natlet_done_fn done, void *self, uint32_t sid)
{
    natlet__waiter *waiter = natlet__waiter_begin(client, kind, wait_ms, self);

    if (waiter == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    waiter->fn.done = done;
    waiter->sid = sid;
    waiter->published = (uint32_t)client->stats.out_messages;
    waiter->asked_us = natlet__runtime_clock_us(client->rt);
    waiter->key = 0;
    natlet_status st =
        client->link.state == NATLET__LINK_UP ? natlet__pongs_ask(client, waiter) : NATLET_OK;
    if (st < 0) {
        natlet__waiter_drop(client, waiter);
    }
    return st;
}

natlet_status natlet_client_flush(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                  void *self)
{
    if (client->link.state != NATLET__LINK_UP) {
        return client->state == NATLET_CLIENT_CLOSED ? NATLET_E_CLOSED : NATLET_E_DISCONNECTED;
    }
    return natlet__pongs_wait(client, NATLET__WAITER_PONG, timeout_ms, done, self, 0);
}

natlet_status natlet_client_rtt(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                void *self)
{
    return natlet_client_flush(client, timeout_ms, done, self);
}
