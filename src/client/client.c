#include "client/client.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "client/optional.h"
#include "client/origin.h"

NATLET__OPTIONAL(natlet__ledger_work)
NATLET__OPTIONAL(natlet__ledger_stats)
NATLET__OPTIONAL(natlet__ledger_free)
NATLET__OPTIONAL(natlet__secure_free)
NATLET__OPTIONAL(natlet__compress_free)
NATLET__OPTIONAL(natlet__subscribe_end_all)
NATLET__OPTIONAL(natlet__subscriptions_free)

/* ---- saying what happened ---- */

uint64_t natlet__client_now_us(natlet_client *client)
{
    return client->rt->in_turn ? client->rt->now_us : natlet__runtime_clock_us(client->rt);
}

void natlet__client_start(natlet_client *client, natlet__timer *timer, uint64_t wait_us)
{
    natlet__timers_start(&client->timers, timer, natlet__client_now_us(client) + wait_us);
}

void natlet__client_tell_event(natlet_client *client, natlet_client_event *event)
{
    (void)natlet__move_back(client);
    event->state = client->state;
    event->close_code = client->link.close_code;
    if (client->config.on_event != NULL) {
        client->config.on_event(client->config.self, event);
    }
}

void natlet__client_tell(natlet_client *client, natlet_client_event_kind kind, natlet_status st,
                         natlet_slice text, uint32_t sid)
{
    natlet_client_event event = {.kind = kind, .status = st, .text = text, .sid = sid};

    natlet__client_tell_event(client, &event);
}

void natlet__client_tell_reason(natlet_client *client, natlet_client_event_kind kind,
                                natlet_status st)
{
    natlet_slice reason = {client->link.reason, st < 0 ? client->link.reason_len : 0};

    natlet__client_tell(client, kind, st, reason, 0);
}

void natlet__client_enter(natlet_client *client, natlet_client_state state, natlet_status why)
{
    client->state = state;
    natlet__client_tell_reason(client, NATLET_CLIENT_EV_STATE, why);
}

const char *natlet_client_state_text(natlet_client_state state)
{
    switch (state) {
#define X(name, value, text)                                                                       \
    case NATLET_CLIENT_##name:                                                                     \
        return text;
        NATLET_CLIENT_STATE_MAP(X)
#undef X
    }
    return "unknown";
}

/* ---- the end ---- */

static void end_subscriptions(natlet_client *client, natlet_status why)
{
    if (natlet__subscribe_end_all != NULL) {
        natlet__subscribe_end_all(client, why);
    }
}

void natlet__client_fail_waiting(natlet_client *client, natlet_status why)
{
    natlet__waiter_end_all(client, &client->requests.waiters, why);
    natlet__waiter_end_all(client, &client->pong_waiters, why);
    if (why == NATLET_E_DISCONNECTED) {
        end_subscriptions(client, NATLET_OK);
    }
}

static void work_ledger(natlet_client *client)
{
    if (client->ledger != NULL) {
        natlet__ledger_work(client);
    }
}

/* Every step takes out what it ends before it calls back, so that this can go on
 * where a callback trapped. */
static void finish_end(natlet_client *client)
{
    natlet__client_fail_waiting(client, client->end.waiting);
    end_subscriptions(client, NATLET_E_CLOSED);
    work_ledger(client);
    client->is_ending = false;
    natlet__client_enter(client, NATLET_CLIENT_CLOSED, client->end.why);
}

void natlet__client_end(natlet_client *client, natlet_status why, natlet_status drain,
                        natlet_status waiting)
{
    if (client->state == NATLET_CLIENT_CLOSED) {
        return;
    }
    client->state = NATLET_CLIENT_CLOSED;
    client->is_ending = true;
    client->end = (natlet__end){.why = why, .drain = drain, .waiting = waiting};
    natlet__link_drop(client, 1000);
    finish_end(client);
}

/* ---- the part of the runtime ---- */

static natlet_client *of_part(natlet__part *part)
{
    return (natlet_client *)part;
}

static void part_event(natlet__part *part, const natlet_host_event *event)
{
    natlet_client *client = of_part(part);

    if (event->conn != 0) {
        if (client->move != NULL && event->conn == client->move->line.link.conn) {
            (void)natlet__move_in(client);
        }
        natlet__link_event(client, event);
        (void)natlet__move_back(client);
    } else if (event->type == NATLET_EV_HINT &&
               (event->a == NATLET_HINT_RESUME || event->a == NATLET_HINT_ONLINE)) {
        natlet__pongs_probe(client);
    }
}

void natlet__link_timeout(natlet_client *client)
{
    if (client->link.state == NATLET__LINK_DOWN) {
        natlet__client_dial(client);
    } else if (client->link.state == NATLET__LINK_UP && !client->link.is_reported) {
        natlet__pongs_tick(client);
    } else {
        natlet__link_fail(client, NATLET_E_TIMEOUT, 1000);
    }
}

/* A message puts the first line back, so each comes in a run of its own. */
static bool pump_second(natlet_client *client, uint64_t until_us)
{
    while (client->move != NULL && client->move->line.link.is_readable &&
           client->held_turn != client->rt->stats.turns) {
        (void)natlet__move_in(client);
        (void)natlet__pump_run(client, until_us);
        (void)natlet__move_back(client);
        if (natlet__runtime_clock_us(client->rt) >= until_us) {
            return true;
        }
    }
    return false;
}

static bool part_turn(natlet__part *part, uint64_t until_us)
{
    natlet_client *client = of_part(part);
    natlet__timer *timer;

    if (client->is_ending) {
        finish_end(client);
    }
    while ((timer = natlet__timers_take(&client->timers, client->rt->now_us)) != NULL) {
        if (timer == client->timer) {
            natlet__link_timeout(client);
        } else if (client->move != NULL && timer == client->move->line.timer) {
            natlet__move_tick(client);
        } else if (timer == &client->identity.timer) {
            natlet__identity_expires(client);
        } else if (client->ledger == NULL || timer != &client->ledger->timer) {
            natlet__waiter_timeout(client, timer);
        }
    }
    bool has_more = pump_second(client, until_us);
    return natlet__pump_run(client, until_us) || has_more;
}

static void part_flush(natlet__part *part)
{
    natlet_client *client = of_part(part);

    work_ledger(client);
    natlet__link_flush(client);
    if (natlet__move_in(client)) {
        natlet__link_flush(client);
        (void)natlet__move_back(client);
    }
}

/* A held client has work, but not in this turn of the runtime. */
static uint64_t part_due_us(natlet__part *part)
{
    const natlet_client *client = of_part(part);
    uint64_t due = natlet__timers_due(&client->timers);
    uint64_t next = client->rt->now_us + 1;

    if (client->held_turn == client->rt->stats.turns) {
        return due < next ? due : next;
    }
    bool is_readable =
        client->link.is_readable || (client->move != NULL && client->move->line.link.is_readable);
    return is_readable ? 0 : due;
}

/* ---- life ---- */

static natlet_status set_up(natlet_client *client, const natlet_client_config *config)
{
    natlet__memory *memory = &client->rt->memory;
    natlet_status st = natlet__config_take(client, config);

    client->servers.memory = memory;
    natlet__subscriptions_init(&client->subs, memory, client->config.subscriptions_max);
    natlet__roster_init(&client->requests.waiters, memory, sizeof(natlet__waiter),
                        NATLET__ROSTER_MAX);
    natlet__roster_init(&client->pong_waiters, memory, sizeof(natlet__waiter), NATLET__ROSTER_MAX);
    client->backoff.fixed_ms = client->config.reconnect_ms;
    if (st == NATLET_OK) {
        st = natlet__servers_fill(&client->servers, client->config.servers, NULL);
    }
    if (st == NATLET_OK) {
        st = natlet__line_init(client, client->line_timers);
    }
    return st;
}

static void give_back(natlet_client *client)
{
    natlet__memory *memory = &client->rt->memory;

    natlet__roster_free(&client->requests.waiters);
    natlet__roster_free(&client->pong_waiters);
    if (client->ledger != NULL) {
        natlet__ledger_free(client);
    }
    if (natlet__secure_free != NULL && client->secure != NULL) {
        natlet__secure_free(client);
    }
    if (natlet__subscriptions_free != NULL) {
        natlet__subscriptions_free(&client->subs);
    }
    natlet__servers_clear(&client->servers);
    natlet__line_free(client);
    if (natlet__compress_free != NULL && client->compress != NULL) {
        natlet__compress_free(client);
    }
    natlet__config_give_back(client);
    natlet__memory_give_back(memory, client, sizeof *client);
}

natlet_status natlet_client_new(natlet_client **out, natlet_runtime *rt,
                                const natlet_client_config *config)
{
    natlet_client *client = natlet__memory_take(&rt->memory, sizeof *client);

    *out = NULL;
    if (client == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    client->rt = rt;
    client->part = (natlet__part){
        .event = part_event, .turn = part_turn, .flush = part_flush, .due_us = part_due_us};
    client->held_turn = UINT64_MAX;
    natlet_status st = set_up(client, config);
    if (st < 0) {
        give_back(client);
        return st;
    }
    natlet__runtime_add(rt, &client->part);
    *out = client;
    return NATLET_OK;
}

void natlet_client_free(natlet_client *client)
{
    if (client == NULL) {
        return;
    }
    natlet_client_close(client);
    natlet__runtime_remove(client->rt, &client->part);
    give_back(client);
}

natlet_status natlet_client_connect(natlet_client *client)
{
    if ((client->state != NATLET_CLIENT_IDLE && client->state != NATLET_CLIENT_CLOSED) ||
        client->is_ending) {
        return NATLET_E_STATE;
    }
    if (!client->has_own_servers) { /* back to what the configuration names */
        natlet__servers_clear(&client->servers);
        natlet_status st =
            natlet__servers_fill(&client->servers, client->config.servers,
                                 client->config.keep_order ? NULL : &client->rt->random);
        if (st < 0) {
            return st;
        }
    }
    client->servers.tried = 0;
    client->servers.at = UINT32_MAX; /* the first one is next */
    client->backoff.waits = 0;
    natlet__client_dial_in(client, 0);
    natlet__client_enter(client, NATLET_CLIENT_CONNECTING, NATLET_OK);
    return NATLET_OK;
}

void natlet_client_close(natlet_client *client)
{
    natlet__client_end(client, NATLET_OK, NATLET_E_CLOSED, NATLET_E_CLOSED);
}

/* ---- looking at it ---- */

bool natlet__client_origin(const natlet_client *client, const uint8_t *at, size_t len,
                           natlet__origin *origin)
{
    if (natlet__secure_free != NULL && client->link.is_sealed) {
        return false; /* they came out of a record */
    }
    origin->segment = client->window.segment_number;
    return natlet__window_offset(&client->window, at, len, &origin->offset);
}

void natlet__client_hold(natlet_client *client)
{
    client->held_turn = client->rt->stats.turns;
}

size_t natlet_client_inbox(natlet_client *client, uint8_t *out, size_t cap)
{
    natlet_slice prefix = client->config.inbox_prefix;
    size_t len = prefix.len + 1 + NATLET__INBOX_RANDOM;

    if (cap < len) {
        return 0;
    }
    out = natlet__put(out, prefix);
    *out = '.';
    natlet__random_base62(&client->rt->random, (char *)out + 1, NATLET__INBOX_RANDOM);
    return len;
}

natlet_client_state natlet_client_state_now(const natlet_client *client)
{
    return client->state;
}

uint32_t natlet_client_ready_state(const natlet_client *client)
{
    static const uint8_t states[] = {
        [NATLET_CLIENT_IDLE] = 3,      [NATLET_CLIENT_CONNECTING] = 0,
        [NATLET_CLIENT_CONNECTED] = 1, [NATLET_CLIENT_RECONNECTING] = 0,
        [NATLET_CLIENT_DRAINING] = 2,  [NATLET_CLIENT_CLOSED] = 3,
    };

    return states[client->state];
}

bool natlet_client_is_connected(const natlet_client *client)
{
    return client->state == NATLET_CLIENT_CONNECTED;
}

natlet_client_stats natlet_client_stats_now(const natlet_client *client)
{
    natlet_client_stats stats = client->stats;

    stats.subscriptions =
        natlet__roster_used(&client->subs) - (client->requests.inbox_sid != 0 ? 1 : 0);
    stats.reconnects = stats.connects > 0 ? stats.connects - 1 - stats.migrations : 0;
    stats.requests = natlet__roster_used(&client->requests.waiters);
    stats.subscriptions_max = client->subs.count;
    stats.requests_max = client->requests.waiters.count;
    stats.outbox_bytes = (uint32_t)natlet__outbox_used(&client->outbox);
    stats.outbox_max = (uint32_t)client->outbox.used_max;
    stats.copied_bytes = client->window.copied_bytes;
    stats.rx_block_max = (uint32_t)client->window.block_max;
    if (client->ledger != NULL) {
        natlet__ledger_stats(client, &stats);
    }
    return stats;
}

uint64_t natlet_client_published(const natlet_client *client)
{
    return client->stats.out_messages;
}

natlet_slice natlet_client_info(const natlet_client *client)
{
    return (natlet_slice){client->info, client->info_len};
}

natlet_slice natlet_client_server(const natlet_client *client)
{
    const natlet__servers *servers = &client->servers;
    uint32_t at = servers->at < servers->count ? servers->at : 0; /* none yet: the next one */

    return servers->count > 0 ? natlet__server_url(&servers->list[at]) : (natlet_slice){0};
}

uint32_t natlet_client_max_payload(const natlet_client *client)
{
    return client->max_payload != 0 ? client->max_payload : client->config.message_bytes_max;
}
