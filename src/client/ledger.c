#include "client/ledger.h"

#include <string.h>

#include "base/bytes.h"
#include "client/client.h"

enum { PINGS_PER_WINDOW = 4 };

/* ---- marks ---- */

void natlet__ledger_asked(natlet_client *client)
{
    natlet__ledger *ledger = client->ledger;

    ledger->mark_count += ledger->mark_count < NATLET__MARKS_MAX;
    ledger->written.ping = client->pongs.sent;
    ledger->marks[ledger->mark_count - 1] = ledger->written;
    ledger->asked = ledger->written.bytes;
}

/* After a turn that trapped, what a lost connection left may still have to be told as
 * unknown: then this PONG is passed over, and a later one covers what it did. */
void natlet__ledger_answered(natlet_client *client)
{
    natlet__ledger *ledger = client->ledger;

    while (ledger->mark_count > 0 &&
           (int32_t)(ledger->marks[0].ping - client->pongs.answered) <= 0 &&
           ledger->sent == ledger->settled.count) {
        ledger->settled = ledger->marks[0];
        ledger->sent = ledger->settled.count;
        ledger->mark_count--;
        memmove(ledger->marks, ledger->marks + 1, sizeof ledger->marks - sizeof *ledger->marks);
    }
}

bool natlet__ledger_covers(const natlet_client *client, uint32_t published)
{
    return (int32_t)(client->ledger->settled.count - published) >= 0;
}

void natlet__ledger_lost(natlet_client *client)
{
    natlet__ledger *ledger = client->ledger;

    ledger->settled = ledger->written;
    ledger->asked = ledger->written.bytes;
    ledger->mark_count = 0;
}

static bool is_up(const natlet_client *client)
{
    return client->link.state == NATLET__LINK_UP;
}

/* Asks when `bytes` are not covered by a PING. */
static void ask(natlet_client *client, uint32_t bytes)
{
    const natlet__ledger *ledger = client->ledger;

    if (is_up(client) && ledger->written.bytes - ledger->asked >= bytes) {
        (void)natlet__pongs_ask(client, NULL);
    }
}

/* ---- from a message to outbox or store ---- */

bool natlet__ledger_keeps(const natlet_client *client)
{
    return client->ledger->store.bytes_max > 0;
}

/* A link that takes no more now would only make more of them unknown. */
static bool has_window(const natlet_client *client, size_t bytes)
{
    const natlet__ledger *ledger = client->ledger;
    uint32_t in_flight = ledger->written.bytes - ledger->settled.bytes;

    return is_up(client) && (in_flight == 0 || in_flight + bytes <= client->config.tx_bytes) &&
           !(client->link.is_blocked && natlet__ledger_keeps(client));
}

natlet_status natlet__ledger_place(natlet_client *client, size_t bytes)
{
    natlet__ledger *ledger = client->ledger;
    natlet_status st = NATLET_E_FULL;

    if (natlet__offline_first(&ledger->store) == NULL && has_window(client, bytes)) {
        return NATLET_OK;
    }
    if (bytes > client->config.pending_bytes_max) {
        return NATLET_E_TOO_LARGE;
    }
    if (natlet__ledger_keeps(client)) {
        st = natlet__offline_begin(&ledger->store, (uint32_t)bytes);
    }
    client->stats.refused += st == NATLET_E_FULL ? 1 : 0;
    return st == NATLET_OK ? NATLET_MORE : st;
}

static void count_written(natlet_client *client, size_t len)
{
    client->ledger->written.count++;
    client->ledger->written.bytes += (uint32_t)len;
    ask(client, client->config.tx_bytes / PINGS_PER_WINDOW);
}

void natlet__ledger_wrote(natlet_client *client, natlet_status place, size_t len, size_t body)
{
    uint64_t wait_us = (uint64_t)client->ledger->options.offline_ms * NATLET__US_PER_MS;
    natlet__record record = {.len = (uint32_t)len, .body = (uint32_t)body};

    if (place == NATLET_OK) {
        count_written(client, len);
        return;
    }
    record.due_us = wait_us != 0 ? natlet__client_now_us(client) + wait_us : NATLET__NEVER_US;
    natlet__offline_wrote(&client->ledger->store, &record);
}

/* ---- what waits ---- */

static natlet_slice operation(const natlet__record *record)
{
    return (natlet_slice){(const uint8_t *)(record + 1), record->len};
}

static bool is_old(natlet_client *client, const natlet__record *record)
{
    return natlet__client_now_us(client) >= record->due_us;
}

/* Why it will never be sent, or OK.  The server may be another one than that for
 * which it was checked. */
static natlet_status verdict(natlet_client *client, const natlet__record *record)
{
    if (client->state == NATLET_CLIENT_CLOSED) {
        return NATLET_E_CLOSED;
    }
    if (is_old(client, record)) {
        return NATLET_E_TIMEOUT;
    }
    if (!is_up(client)) {
        return NATLET_OK;
    }
    if (operation(record).ptr[0] == 'H' && !client->headers) {
        return NATLET_E_HEADERS_UNSUPPORTED;
    }
    return record->body <= natlet_client_max_payload(client) ? NATLET_OK : NATLET_E_TOO_LARGE;
}

/* Returns OK, or < 0: it has to wait on. */
static natlet_status send_first(natlet_client *client, const natlet__record *record)
{
    natlet_slice op = operation(record);

    if (!has_window(client, op.len)) {
        return NATLET_E_FULL;
    }
    natlet_status st = natlet__outbox_begin(&client->outbox, op.len, true);
    if (st == NATLET_OK) {
        (void)natlet__put(natlet__outbox_at(&client->outbox), op);
        natlet__outbox_wrote(&client->outbox, op.len);
        natlet__offline_drop(&client->ledger->store);
        count_written(client, op.len);
    }
    return st;
}

/* ---- reports ---- */

static void report(natlet_client *client, uint32_t last, natlet_status st)
{
    natlet__ledger *ledger = client->ledger;
    int32_t count = (int32_t)(last - (uint32_t)ledger->reported);
    uint64_t first = ledger->reported + 1;

    if (count <= 0) {
        return;
    }
    ledger->reported += (uint32_t)count;
    if (st == NATLET_E_DISCONNECTED) {
        client->stats.unknown += (uint32_t)count;
    } else if (st == NATLET_E_TIMEOUT) {
        client->stats.expired += (uint32_t)count;
    }
    if (ledger->options.on_published != NULL) {
        ledger->options.on_published(ledger->options.self, first, ledger->reported, st);
    }
}

/* The first one, and all behind it that have the same verdict. */
static void refuse(natlet_client *client, natlet_status why)
{
    natlet__ledger *ledger = client->ledger;
    const natlet__record *record;

    do {
        natlet__offline_drop(&ledger->store);
        ledger->written.count++;
        record = natlet__offline_first(&ledger->store);
    } while (record != NULL && verdict(client, record) == why);
    report(client, ledger->written.count, why);
}

/* What is refused is told in order: when all before it has been. */
static void empty_store(natlet_client *client)
{
    const natlet__ledger *ledger = client->ledger;
    const natlet__record *record;

    while ((record = natlet__offline_first(&ledger->store)) != NULL) {
        natlet_status why = verdict(client, record);
        if (why == NATLET_OK ? send_first(client, record) < 0
                             : (uint32_t)ledger->reported != ledger->written.count) {
            return;
        }
        if (why < 0) {
            refuse(client, why);
        }
    }
}

/* The next turn comes by itself when the first one is too old; if that is so already,
 * a PONG comes before. */
static void start_timer(natlet_client *client)
{
    natlet__ledger *ledger = client->ledger;
    const natlet__record *record = natlet__offline_first(&ledger->store);

    natlet__timers_stop(&client->timers, &ledger->timer);
    if (record != NULL && !is_old(client, record)) {
        natlet__timers_start(&client->timers, &ledger->timer, record->due_us);
    }
}

void natlet__ledger_work(natlet_client *client)
{
    natlet__ledger *ledger = client->ledger;

    report(client, ledger->sent, NATLET_OK);
    report(client, ledger->settled.count, NATLET_E_DISCONNECTED);
    ledger->sent = ledger->settled.count;
    empty_store(client);
    start_timer(client);
    if (ledger->asked == ledger->settled.bytes) {
        ask(client, 1);
    }
}

/* ---- public, and life ---- */

void natlet__ledger_stats(const natlet_client *client, natlet_client_stats *stats)
{
    const natlet__ledger *ledger = client->ledger;

    stats->offline_messages = (uint32_t)stats->out_messages - ledger->written.count;
    stats->offline_bytes = ledger->store.bytes;
    stats->offline_max = ledger->store.bytes_top;
}

void natlet__ledger_free(natlet_client *client)
{
    natlet__offline_free(&client->ledger->store);
    natlet__memory_give_back(&client->rt->memory, client->ledger, sizeof *client->ledger);
}

natlet_status natlet_client_track(natlet_client *client, const natlet_track_options *options)
{
    if (client->state != NATLET_CLIENT_IDLE || client->ledger != NULL) {
        return NATLET_E_STATE;
    }
    natlet__ledger *ledger = natlet__memory_take(&client->rt->memory, sizeof *ledger);
    if (ledger == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    ledger->options = *options;
    ledger->store.memory = &client->rt->memory;
    ledger->store.bytes_max = options->offline_bytes_max;
    client->ledger = ledger;
    return NATLET_OK;
}
