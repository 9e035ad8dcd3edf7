/* bench pub, bench sub, bench request: how fast the way to a server and back is.
 *
 * Once under way nothing here or below allocates for a message: payload, buffers,
 * requests and the histogram are there before the clock starts. */
#include "wasm/cli/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wasm/cli/measure.h"
#include "wasm/cli/session.h"

enum {
    MESSAGES = 100000,
    REQUESTS = 10000,
    BATCH = 512, /* messages of one client between two looks at the others and the host */
    TELL_US = 250000,
    US_PER_MS = 1000,
};

typedef struct bench bench;

/* Sends a request, waits for the answer, and sends the next one. */
typedef struct asker {
    bench *bench;
    uint32_t client;
    bool is_stalled; /* waits for room in the outbox */
    uint64_t begin_ns;
} asker;

struct bench {
    cli_session session; /* first: its alarm hands it back */
    cli_measure measure;
    natlet_msg msg;
    cli_text payload;
    uint64_t left[CLI_CLIENTS_MAX]; /* by client: messages still to send */
    uint64_t tell_us;               /* when to tell people next */
    uint64_t heard_us;              /* sub: when the last message came */
    uint32_t flushes;               /* under way */
    asker *askers;                  /* of requests */
    size_t asker_count;
    bool has_stalled; /* one of them is */
};

/* ---- begin and end ---- */

static uint64_t share(uint64_t all, uint32_t clients, uint32_t client)
{
    return all / clients + (client < all % clients ? 1 : 0);
}

/* Payloads are made of x. */
static void init(bench *b, const cli_options *options, const char *name, uint64_t msgs)
{
    uint32_t clients = options->clients > 0 ? (uint32_t)options->clients : 1;
    size_t size = (size_t)options->size;

    *b = (bench){.session = {.options = options, .link_count = clients, .is_measured = true}};
    b->session.outbox_bytes = NATLET_LINE_BYTES_MAX + size;
    b->measure = (cli_measure){
        .name = name,
        .options = options,
        .subject = natlet__text(options->operands[1]),
        .clients = clients,
        .total = options->msgs > 0 ? options->msgs : msgs,
    };
    for (uint32_t i = 0; i < clients; i++) {
        b->left[i] = share(b->measure.total, clients, i);
    }
    cli_text_room(&b->payload, size + 1); /* so that there is a place, even for none */
    memset(b->payload.ptr, 'x', size);
    b->payload.len = size;
    b->msg = (natlet_msg){
        .subject = b->measure.subject,
        .payload = cli_text_slice(&b->payload),
    };
}

static bool open_all(bench *b)
{
    bool is_open = cli_open(&b->session);

    b->measure.door = b->session.door;
    return is_open;
}

static void print(bench *b)
{
    b->measure.server = natlet_client_server(b->session.client);
    cli_measure_print(&b->measure);
}

/* `what` ends in a blank, where the subject follows. */
static void tell_missing(bench *b, const char *what, natlet_status st)
{
    cli_text line = {0};

    cli_text_puts(&line, "only ");
    cli_text_u64(&line, b->measure.done);
    cli_text_puts(&line, " of ");
    cli_text_u64(&line, b->measure.total);
    cli_text_puts(&line, what);
    cli_text_add(&line, (natlet_slice)NATLET_TEXT("\0"));
    cli_failed(&b->session, (const char *)line.ptr, b->measure.subject, st);
    cli_text_free(&line);
}

static void close_all(bench *b)
{
    cli_close(&b->session);
    cli_text_free(&b->payload);
    free(b->askers); /* only now, for requests under way have ended */
    free(b->measure.trips);
}

/* ---- meanwhile ---- */

static uint64_t tell(cli_session *session, uint64_t now_us)
{
    bench *b = (bench *)session;

    if (now_us >= b->tell_us) {
        cli_measure_tell(&b->measure);
        b->tell_us = now_us + TELL_US;
    }
    return b->tell_us;
}

static void begin(bench *b, uint64_t (*alarm)(cli_session *session, uint64_t now_us))
{
    uint64_t now_us = natlet_runtime_now_us(b->session.rt);

    b->heard_us = now_us;
    b->tell_us = now_us + TELL_US;
    b->session.alarm_us = now_us;
    b->session.alarm = alarm;
    if (b->measure.done == 0) {
        b->measure.begin_ns = cli_measure_now_ns(&b->measure);
    }
}

static void end(bench *b)
{
    b->measure.end_ns = cli_measure_now_ns(&b->measure);
}

/* How what is over went. */
static natlet_status outcome(const cli_session *session)
{
    if (session->terminations > 0) {
        return NATLET_E_CANCELLED;
    }
    return session->status < 0 || !session->is_closed ? session->status : NATLET_E_CLOSED;
}

/* ---- flush ---- */

static void end_flush(void *self, natlet_status st, uint64_t elapsed_us)
{
    bench *b = self;

    (void)elapsed_us;
    b->flushes--;
    if (st < 0 || b->flushes == 0) {
        cli_finish(&b->session, st);
    }
}

/* Waits until the server has read what each client sent. */
static natlet_status flush_all(bench *b)
{
    cli_session *session = &b->session;

    b->flushes = session->link_count;
    for (uint32_t i = 0; i < session->link_count; i++) {
        natlet_status st = natlet_client_flush(session->links[i].client,
                                               session->options->timeout_ms, end_flush, b);
        if (st < 0) {
            return session->status < 0 ? session->status : st;
        }
    }
    return cli_wait(session);
}

/* ---- pub ---- */

/* Publishes until the outbox is full, but not so much that others starve.
 * Returns OK, E_FULL if there was no room at all, or why not. */
static natlet_status publish_batch(bench *b, uint32_t client)
{
    uint64_t most = b->left[client] < BATCH ? b->left[client] : BATCH;
    uint64_t sent = 0;
    natlet_status st = NATLET_OK;

    while (sent < most && st >= 0) {
        st = natlet_client_publish(b->session.links[client].client, &b->msg);
        sent += st >= 0 ? 1 : 0;
    }
    b->left[client] -= sent;
    b->measure.done += sent;
    b->measure.bytes += sent * b->msg.payload.len;
    return st == NATLET_E_FULL && sent > 0 ? NATLET_OK : st;
}

/* One batch of each client.  Returns OK, E_FULL if all that have something to
 * send must wait for room, or why not. */
static natlet_status publish_round(bench *b)
{
    bool is_full = true;

    for (uint32_t i = 0; i < b->session.link_count; i++) {
        if (b->left[i] == 0) {
            continue;
        }
        natlet_status st = publish_batch(b, i);
        if (st < 0 && st != NATLET_E_FULL) {
            return st;
        }
        is_full = is_full && st == NATLET_E_FULL;
    }
    return is_full ? NATLET_E_FULL : NATLET_OK;
}

static natlet_status publish_all(bench *b)
{
    cli_session *session = &b->session;

    begin(b, tell);
    while (b->measure.done < b->measure.total && !cli_is_over(session)) {
        natlet_status st = publish_round(b);
        if (st == NATLET_E_FULL) {
            cli_turn(session);
        } else if (st >= 0) {
            cli_glance(session);
        } else {
            return session->status < 0 ? session->status : st;
        }
    }
    natlet_status st = cli_is_over(session) ? outcome(session) : flush_all(b);
    end(b);
    return st;
}

int cli_bench_pub(const cli_options *options)
{
    bench b;
    int code = EXIT_FAILURE;

    init(&b, options, "pub", MESSAGES);
    if (open_all(&b)) {
        natlet_status st = publish_all(&b);
        if (st < 0) {
            cli_failed(&b.session, "cannot publish to ", b.measure.subject, st);
        } else {
            print(&b);
            code = EXIT_SUCCESS;
        }
    }
    close_all(&b);
    return code;
}

/* ---- sub ---- */

static void take_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    bench *b = self;
    cli_measure *m = &b->measure;

    (void)sid;
    if (m->done == m->total) {
        return;
    }
    if (m->done == 0) {
        m->begin_ns = cli_measure_now_ns(m);
    }
    b->heard_us = natlet_runtime_now_us(b->session.rt);
    m->done++;
    m->bytes += msg->payload.len;
    if (m->done == m->total) {
        end(b);
        cli_finish(&b->session, NATLET_OK);
    }
}

/* When the connection is closed for good, an event follows that says why. */
static void end_subscription(void *self, uint32_t sid, natlet_status why)
{
    bench *b = self;

    (void)sid;
    if (!b->session.is_leaving && why != NATLET_E_CLOSED && b->measure.done < b->measure.total) {
        cli_finish(&b->session, why);
    }
}

/* Several clients would each get every message; as a group they share them. */
static natlet_status subscribe_all(bench *b)
{
    const cli_options *options = b->session.options;
    const natlet_sink sink = {.self = b, .message = take_message, .ended = end_subscription};
    natlet_subscribe_options how = {0};
    natlet_status st = NATLET_OK;
    uint32_t sid;

    if (options->queue != NULL) {
        how.queue = natlet__text(options->queue);
    } else if (b->session.link_count > 1) {
        how.queue = natlet__text("natlet-bench");
    }
    for (uint32_t i = 0; i < b->session.link_count && st >= 0; i++) {
        st = natlet_client_subscribe(b->session.links[i].client, &sid, b->measure.subject, &how,
                                     &sink);
    }
    return st < 0 ? st : flush_all(b);
}

static uint64_t tell_or_end(cli_session *session, uint64_t now_us)
{
    const bench *b = (const bench *)session;
    uint64_t tell_us = tell(session, now_us);
    uint64_t late_us = b->heard_us + (uint64_t)session->options->timeout_ms * US_PER_MS;

    if (now_us >= late_us) {
        cli_finish(session, NATLET_E_TIMEOUT);
        return UINT64_MAX;
    }
    return tell_us < late_us ? tell_us : late_us;
}

static natlet_status receive_all(bench *b)
{
    natlet_status st = subscribe_all(b);

    if (st < 0 || b->measure.done == b->measure.total) {
        return st;
    }
    cli_text line = cli_notice("listening on ");
    cli_text_add(&line, b->measure.subject);
    cli_notice_end(&line);
    begin(b, tell_or_end);
    return cli_wait(&b->session);
}

int cli_bench_sub(const cli_options *options)
{
    bench b;
    int code = EXIT_FAILURE;

    init(&b, options, "sub", MESSAGES);
    if (open_all(&b)) {
        natlet_status st = receive_all(&b);
        if (st < 0) {
            tell_missing(&b, " messages came on ", st);
        } else {
            print(&b);
            code = EXIT_SUCCESS;
        }
    }
    close_all(&b);
    return code;
}

/* ---- request ---- */

static void ask(asker *a);

static void end_request(void *self, natlet_status st, const natlet_msg *reply)
{
    asker *a = self;
    bench *b = a->bench;
    cli_measure *m = &b->measure;

    (void)reply;
    if (st < 0) {
        cli_finish(&b->session, st);
        return;
    }
    cli_histogram_add(m->trips, cli_measure_now_ns(m) - a->begin_ns);
    m->done++;
    m->bytes += b->msg.payload.len;
    if (m->done < m->total) {
        ask(a);
    } else {
        end(b);
        cli_finish(&b->session, NATLET_OK);
    }
}

static void ask(asker *a)
{
    bench *b = a->bench;

    if (b->left[a->client] == 0) {
        return;
    }
    a->begin_ns = cli_measure_now_ns(&b->measure);
    natlet_status st = natlet_client_request(b->session.links[a->client].client, &b->msg,
                                             b->session.options->timeout_ms, end_request, a, NULL);
    a->is_stalled = st == NATLET_E_FULL;
    if (a->is_stalled) {
        b->has_stalled = true;
    } else if (st < 0) {
        cli_finish(&b->session, st);
    } else {
        b->left[a->client]--;
    }
}

static void ask_again(bench *b)
{
    b->has_stalled = false;
    for (size_t i = 0; i < b->asker_count; i++) {
        if (b->askers[i].is_stalled) {
            ask(&b->askers[i]);
        }
    }
}

static natlet_status request_all(bench *b)
{
    cli_session *session = &b->session;

    begin(b, tell);
    for (size_t i = 0; i < b->asker_count; i++) {
        b->askers[i] = (asker){.bench = b, .client = (uint32_t)(i % session->link_count)};
        ask(&b->askers[i]);
    }
    while (!session->is_finished && !cli_is_over(session)) {
        cli_turn(session);
        if (b->has_stalled) {
            ask_again(b);
        }
    }
    return outcome(session);
}

static bool take_memory(bench *b)
{
    uint64_t concurrency = b->session.options->concurrency;

    b->asker_count = b->measure.clients * (size_t)(concurrency > 0 ? concurrency : 1);
    b->askers = calloc(b->asker_count, sizeof *b->askers);
    b->measure.trips = calloc(1, sizeof *b->measure.trips);
    return b->askers != NULL && b->measure.trips != NULL;
}

int cli_bench_request(const cli_options *options)
{
    bench b;
    int code = EXIT_FAILURE;

    init(&b, options, "request", REQUESTS);
    if (open_all(&b)) {
        natlet_status st = take_memory(&b) ? request_all(&b) : NATLET_E_NO_MEMORY;
        if (st < 0) {
            tell_missing(&b, " replies came from ", st);
        } else {
            print(&b);
            code = EXIT_SUCCESS;
        }
    }
    close_all(&b);
    return code;
}
