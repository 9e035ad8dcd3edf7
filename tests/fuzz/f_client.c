/* covers: src/client/pump.c src/client/window.c src/client/link.c src/client/greeting.c
 * src/client/reconnect.c src/client/subscribe.c src/client/requests.c src/client/pongs.c
 * src/client/roster.c src/client/waiters.c
 * src/client/drain.c src/client/outbox.c src/client/publish.c src/client/ledger.c
 * src/client/offline.c */
/* Properties: whatever a server says and whenever it falls silent, the client
 * neither traps nor hangs, stays within its memory, breaks no rule of the host,
 * ends every wait once, tells of every publish once, and leaves nothing behind.
 *
 * The input is a script: a byte says what happens next, e.g. that so many bytes of
 * the input arrive, that time passes, or what the program does meanwhile. */
#include "client/client.h"
#include "client/origin.h"
#include "support/client_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WAITS_MAX = 256, MEMORY_MAX = 1 << 20, DIALS_MAX = 40 };

static rig r;
static natlet_slice in;
static uint32_t sids[4];
static uint8_t waits[WAITS_MAX]; /* 1: begun, 2: ended */
static uint32_t wait_count;
static uint64_t told; /* of publishes */

static uint32_t next_byte(void)
{
    if (in.len == 0) {
        return 0;
    }
    in.len--;
    return *in.ptr++;
}

static void end_wait(void *self)
{
    uint8_t *wait = self;

    if (*wait != 1) {
        abort(); /* ended twice, or never begun */
    }
    *wait = 2;
}

static void on_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    if ((st == NATLET_OK) != (reply != NULL)) {
        abort();
    }
    end_wait(self);
}

static void on_done(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)st;
    (void)elapsed_us;
    end_wait(self);
}

static void on_published(void *self, uint64_t first, uint64_t last, natlet_status st)
{
    (void)self;
    (void)st;
    if (first != told + 1 || last < first || last > natlet_client_published(r.client)) {
        abort();
    }
    told = last;
}

static uint8_t sum;

/* Reads all of it, so that a sanitizer sees a slice that leads astray. */
static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    const natlet_slice parts[] = {msg->subject, msg->reply, msg->headers, msg->payload};

    (void)self;
    for (size_t p = 0; p < 4; p++) {
        for (size_t i = 0; i < parts[p].len; i++) {
            sum = (uint8_t)(sum + parts[p].ptr[i]);
        }
    }
    if (msg->reply.len > 0) {
        const natlet_msg answer = {.subject = msg->reply, .payload = msg->payload};
        (void)natlet_client_publish(r.client, &answer);
    }
    if (msg->payload.len == 3) {
        (void)natlet_client_unsubscribe(r.client, sid, 0);
    } else if (msg->payload.len % 16 == 4) {
        natlet__client_hold(r.client);
    } else if (msg->payload.len % 16 == 5) {
        natlet__origin origin;
        (void)natlet__client_origin(r.client, msg->subject.ptr, msg->subject.len, &origin);
    }
}

/* What the program does, not the server. */
static void act(uint32_t deed)
{
    static const natlet_sink sink = {NULL, on_message, NULL};
    static const natlet_msg msg = {.subject = NATLET_TEXT("s"), .payload = NATLET_TEXT("payload")};
    uint8_t *wait = &waits[wait_count < WAITS_MAX ? wait_count : 0];
    natlet_status st = NATLET_E_FULL;
    bool is_free = wait_count < WAITS_MAX;

    *wait = is_free ? 1 : *wait;
    switch (deed % 10) {
    case 0:
        (void)natlet_client_publish(r.client, &msg);
        break;
    case 1:
        (void)natlet_client_subscribe(r.client, &sids[deed / 10 % 4], rig_text("a.>"), NULL, &sink);
        break;
    case 2:
        (void)natlet_client_unsubscribe(r.client, sids[deed / 10 % 4], deed / 40);
        break;
    case 3:
        st = is_free ? natlet_client_request(r.client, &msg, deed, on_reply, wait, NULL) : st;
        break;
    case 4:
        st = is_free ? natlet_client_flush(r.client, deed, on_done, wait) : st;
        break;
    case 5:
        st = is_free ? natlet_client_drain_subscription(r.client, sids[deed / 10 % 4], deed,
                                                        on_done, wait)
                     : st;
        break;
    case 6:
        st = is_free && deed > 200 ? natlet_client_drain(r.client, deed, on_done, wait) : st;
        break;
    case 7:
        if (deed > 200) {
            natlet_client_close(r.client);
        }
        break;
    case 8:
        (void)natlet_client_connect(r.client);
        break;
    default:
        (void)natlet_client_reconnect(r.client);
        break;
    }
    if (st == NATLET_OK) {
        wait_count++;
    } else if (is_free) {
        *wait = 0;
    }
}

static bool is_alive(void)
{
    return r.conn != NULL && !r.conn->is_closed && r.conn->closes == 0;
}

/* A good server as far as INFO or PONG, so that the script starts behind it. */
static void serve(uint32_t how)
{
    test_conn *last = test_host_last(&r.host);

    if (last == NULL || last->is_open || last->is_closed) {
        return;
    }
    r.conn = last;
    if (how % 4 == 0) {
        test_conn_opened(&r.host, last);
        rig_run(&r);
        return;
    }
    rig_accept(&r);
    if (how % 4 > 1) {
        rig_say(&r, RIG_INFO);
    }
    if (how % 4 > 2 && is_alive()) {
        rig_say(&r, "PONG\r\n");
    }
    rig_forget_sent(&r);
}

static void say(uint32_t len, bool is_framed)
{
    size_t n = len < in.len ? len : in.len;
    const uint8_t *bytes = in.ptr;

    in.ptr += n;
    in.len -= n;
    r.chop = next_byte() % 32;
    r.frame_bytes = next_byte();
    if (n == 0 || !is_alive()) {
        return;
    }
    if (is_framed) {
        rig_say_bytes(&r, bytes, n);
    } else {
        rig_say_raw(&r, bytes, n);
    }
}

/* What a good server could say now, so that the script comes far. */
static void say_sense(uint32_t value)
{
    const natlet__requests *requests = &r.client->requests;
    unsigned sid = sids[value / 16 % 4];
    unsigned len = next_byte();
    char text[1024];

    switch (value % 12) {
    case 0:
        (void)snprintf(text, sizeof text, "MSG a.b %u %u\r\n%0*d\r\n", sid, len, (int)len, 0);
        break;
    case 1:
        (void)snprintf(text, sizeof text,
                       "HMSG a.b %u box 24 27\r\nNATS/1.0\r\nKey: value\r\n\r\nabc\r\n", sid);
        break;
    case 2:
        (void)snprintf(text, sizeof text, "PONG\r\nPING\r\n");
        break;
    case 3:
        (void)snprintf(text, sizeof text,
                       "-ERR 'Permissions Violation for Subscription to \"a.>\"'\r\n");
        break;
    case 4:
        (void)snprintf(text, sizeof text, "-ERR 'Permissions Violation for Publish to \"s\"'\r\n");
        break;
    case 5:
        (void)snprintf(text, sizeof text,
                       "INFO {\"ldm\":%s,\"headers\":true,\"max_payload\":%u,"
                       "\"connect_urls\":[\"h%u:1\",\"h%u:2\"]}\r\n",
                       len & 1 ? "true" : "false", 100 + len * 300, len % 4, len % 3);
        break;
    case 6:
        (void)snprintf(text, sizeof text, "HMSG %s %u 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
                       (const char *)requests->inbox, (unsigned)requests->inbox_sid);
        break;
    case 7:
        (void)snprintf(text, sizeof text, "MSG %s %u 2\r\nok\r\n",
                       len & 1 ? "mapped" : (const char *)requests->inbox,
                       (unsigned)requests->inbox_sid);
        break;
    case 8: /* the rest of it is what comes next */
        (void)snprintf(text, sizeof text, "MSG a.b %u %u\r\n", sid, len * 64);
        break;
    case 9:
        (void)snprintf(text, sizeof text, "-ERR 'Authorization Violation'\r\n");
        break;
    case 10:
        (void)snprintf(text, sizeof text, "-ERR 'Stale Connection'\r\n");
        break;
    default:
        (void)snprintf(text, sizeof text, RIG_INFO "PONG\r\n");
        break;
    }
    if (is_alive()) {
        rig_say(&r, text);
    }
}

static void step(void)
{
    uint32_t kind = next_byte();
    uint32_t value = next_byte();

    switch (kind % 12) {
    case 0:
    case 1:
        say(value * 4, true);
        break;
    case 2:
        say(value * 4, false);
        break;
    case 3:
        act(value);
        break;
    case 4:
        rig_wait_ms(&r, (uint64_t)value * value);
        break;
    case 5:
        serve(value);
        break;
    case 6:
        if (is_alive()) {
            rig_closed(&r, value % 2 == 0 ? 0 : 1000 + value % 16, -(natlet_status)(value % 15));
        }
        break;
    case 7:
    case 8:
    case 9:
        say_sense(value);
        break;
    case 10:
        test_host_hint(&r.host, value % 8);
        break;
    default:
        if (r.conn != NULL) {
            test_conn_congest(r.conn, value);
        }
        if (value % 4 != 0 && r.conn != NULL) {
            test_conn_relieve(&r.host, r.conn);
        }
        break;
    }
    rig_run(&r);
}

static void start_tracked(uint32_t how)
{
    const natlet_track_options options = {.offline_bytes_max = how % 4 * 5000,
                                          .offline_ms = how % 16 / 4 * 1000,
                                          .on_published = on_published};

    if (natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) < 0 ||
        natlet_client_new(&r.client, r.rt, &r.config) < 0 ||
        natlet_client_track(r.client, &options) < 0) {
        abort();
    }
    act(0);
    (void)natlet_client_connect(r.client);
    rig_run(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    in = (natlet_slice){data, size};
    wait_count = 0;
    told = 0;
    memset(waits, 0, sizeof waits);
    memset(sids, 0, sizeof sids);
    uint32_t shape = next_byte();
    rig_init(&r, (rig_way)(shape % RIG_WAYS));
    r.config.servers =
        rig_text(shape & 8 ? "nats://u:p@one,ws://two/x" : (const char *)r.config.servers.ptr);
    if (shape & 8) {
        r.way = RIG_NATS; /* read raw: the second server's frames are not looked at */
    }
    r.config.rx_bytes = shape & 16 ? 512 : 4096;
    r.config.tx_bytes = shape & 32 ? 512 : 4096;
    r.config.pending_bytes_max = 65536;
    r.config.message_bytes_max = 100000;
    r.config.reconnect_ms = shape & 64 ? 1 : 0;
    r.config.retry_first_connect = true;
    bool is_tracked = (shape & 4) != 0;
    if (is_tracked) {
        start_tracked(next_byte());
    } else {
        rig_start(&r);
    }
    r.memory.fail_at = shape & 128 ? r.memory.requests + next_byte() : 0;
    serve(3);
    while (in.len > 0 && r.host.conn_count < DIALS_MAX) {
        step();
        if (r.memory.bytes_max > MEMORY_MAX) {
            abort();
        }
    }
    natlet_client_close(r.client);
    if (is_tracked && told != natlet_client_published(r.client)) {
        abort();
    }
    rig_end(&r);
    for (uint32_t i = 0; i < wait_count; i++) {
        if (waits[i] != 2) {
            abort();
        }
    }
    return 0;
}
