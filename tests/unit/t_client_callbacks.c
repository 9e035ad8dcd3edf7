/* Goal: a callback may do anything at any moment: end its subscription, the
 * connection or the client, ask, publish, reconnect, or trap; and what it was
 * shown is where it is said to be.
 *
 * Method: a script runs inside a chosen callback.  A trap is played by a longjmp
 * out of the turn (natively only: wasm has none without exceptions). */
#include "client/origin.h"

#include "support/client_rig.h"
#include "support/test.h"

#ifndef __wasm__
#include <setjmp.h>
static jmp_buf trap;
#endif

typedef enum deed {
    NOTHING,
    UNSUBSCRIBE,
    CLOSE,
    RECONNECT,
    CLOSE_AND_CONNECT,
    SUBSCRIBE_MANY,
    DRAIN,
    TRAP,
} deed;

static rig r;
static deed what;
static uint32_t sid;

static void act(void)
{
    deed now = what;

    what = NOTHING;
    switch (now) {
    case NOTHING:
        return;
    case UNSUBSCRIBE:
        CHECK(natlet_client_unsubscribe(r.client, sid, 0) == NATLET_OK);
        break;
    case CLOSE:
        natlet_client_close(r.client);
        break;
    case RECONNECT:
        CHECK(natlet_client_reconnect(r.client) == NATLET_OK);
        break;
    case CLOSE_AND_CONNECT:
        natlet_client_close(r.client);
        CHECK(natlet_client_connect(r.client) == NATLET_OK);
        break;
    case SUBSCRIBE_MANY: /* the table moves */
        for (int i = 0; i < 100; i++) {
            (void)rig_subscribe(&r, "more");
        }
        break;
    case DRAIN:
        CHECK(natlet_client_drain(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        break;
    case TRAP:
#ifndef __wasm__
        longjmp(trap, 1);
#endif
        break;
    }
}

static void message(void *self, uint32_t of, const natlet_msg *msg)
{
    (void)self;
    rig_sink(&r).message(&r, of, msg);
    act();
    /* Whatever was done, the message can still be read. */
    CHECK(msg->payload.len > 0 && msg->payload.ptr[0] >= '0');
}

static void ended(void *self, uint32_t of, natlet_status why)
{
    (void)self;
    rig_sink(&r).ended(&r, of, why);
    act();
}

static void reply(void *self, natlet_status st, const natlet_msg *msg)
{
    rig_on_reply(self, st, msg);
    act();
}

static void start(rig_way way)
{
    const natlet_sink sink = {&r, message, ended};

    rig_connected(&r, way);
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, &sink) == NATLET_OK);
    rig_run(&r);
    rig_forget_sent(&r);
}

/* Three messages in one read; the deed happens in the first. */
static void say_three(void)
{
    char text[200];

    (void)snprintf(text, sizeof text, "MSG a %u 1\r\n1\r\nMSG a %u 1\r\n2\r\nMSG a %u 1\r\n3\r\n",
                   (unsigned)sid, (unsigned)sid, (unsigned)sid);
    rig_say(&r, text);
}

static void deeds_in_a_message(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        start(way);
        what = UNSUBSCRIBE;
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nended 1: done\n");
        CHECK_INT(natlet_client_stats_now(r.client).unrouted, 2);
        rig_end(&r);

        start(way);
        what = CLOSE;
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nended 1: the connection is gone\nstate closed\n");
        rig_end(&r);

        start(way);
        what = RECONNECT;
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nstate reconnecting\n");
        rig_accept(&r);
        rig_forget_sent(&r);
        rig_greet(&r);
        say_three();
        CHECK_TEXT(rig_log(&r), "state connected\nmessage 1 a [1]\nmessage 1 a [2]\n"
                                "message 1 a [3]\n");
        rig_end(&r);

        start(way);
        what = CLOSE_AND_CONNECT;
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nended 1: the connection is gone\nstate closed\n"
                                "state connecting\n");
        rig_accept(&r);
        rig_greet(&r);
        CHECK_TEXT(rig_log(&r), "state connected\n");
        rig_end(&r);

        start(way);
        what = SUBSCRIBE_MANY;
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nmessage 1 a [2]\nmessage 1 a [3]\n");
        rig_end(&r);

        start(way);
        what = DRAIN;
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nstate draining\nmessage 1 a [2]\n"
                                "message 1 a [3]\n");
        rig_end(&r);
    }
}

static void deeds_in_an_end(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("s")};

    start(RIG_NATS);
    CHECK(natlet_client_request(r.client, &msg, 1000, reply, &r, NULL) == NATLET_OK);
    CHECK(natlet_client_request(r.client, &msg, 1000, reply, &r, NULL) == NATLET_OK);
    what = CLOSE;
    rig_closed(&r, 0, NATLET_E_IO); /* closes in the first of two replies */
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n"
                            "reply: there is no connection to a server right now\n"
                            "reply: the connection is gone\n"
                            "ended 1: the connection is gone\nstate closed\n");
    rig_end(&r);

    start(RIG_NATS);
    what = CLOSE; /* in the callback of the unsubscribe that close brings */
    CHECK(natlet_client_unsubscribe(r.client, sid, 0) == NATLET_OK);
    CHECK_TEXT(rig_log(&r), "ended 1: done\nstate closed\n");
    rig_end(&r);
}

static void close_and_connect(void *self, const natlet_client_event *event)
{
    rig_note(self, "event %s\n", natlet_client_state_text(event->state));
    if (event->kind == NATLET_CLIENT_EV_STATE && event->state == NATLET_CLIENT_RECONNECTING) {
        natlet_client_close(r.client);
    } else if (event->kind == NATLET_CLIENT_EV_STATE && event->state == NATLET_CLIENT_CLOSED) {
        CHECK(natlet_client_connect(r.client) == NATLET_OK);
    }
}

static void deeds_in_an_event(void)
{
    rig_init(&r, RIG_NATS);
    r.config.on_event = close_and_connect;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    rig_closed(&r, 0, NATLET_E_IO); /* closed at once, and connected anew at once */
    CHECK_TEXT(rig_log(&r), "event reconnecting\nevent closed\nevent connecting\n");
    rig_accept(&r);
    rig_greet(&r);
    CHECK_TEXT(rig_log(&r), "event connected\n");
    natlet_client_close(r.client);
    CHECK_TEXT(rig_log(&r), "event closed\nevent connecting\n");
    rig_end(&r);
}

/* ---- traps ---- */

#ifndef __wasm__
/* A turn that may be left by a longjmp, as an instance is left by a trap. */
static bool say_and_trap(const char *text)
{
    if (setjmp(trap) == 0) {
        rig_say(&r, text);
        return false;
    }
    natlet__runtime_recover(r.rt);
    return true;
}

static void a_trap_loses_one_message(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[200];
        start(way);
        what = TRAP;
        (void)snprintf(text, sizeof text,
                       "MSG a %u 1\r\n1\r\nMSG a %u 1\r\n2\r\nMSG a %u 1\r\n3\r\n", (unsigned)sid,
                       (unsigned)sid, (unsigned)sid);
        CHECK(say_and_trap(text));
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\n");
        rig_run(&r);
        CHECK_TEXT(rig_log(&r), "message 1 a [2]\nmessage 1 a [3]\n");
        say_three();
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\nmessage 1 a [2]\nmessage 1 a [3]\n");
        rig_end(&r);
    }
}

static void a_trap_in_a_large_message_gives_its_block_back(void)
{
    static char text[50000];

    start(RIG_NATS);
    size_t before = r.memory.live_blocks;
    what = TRAP;
    size_t head = (size_t)snprintf(text, sizeof text, "MSG a %u 40000\r\n", (unsigned)sid);
    memset(text + head, '9', 40000);
    text[head + 40000] = '\r';
    text[head + 40001] = '\n';
    text[head + 40002] = '\0';
    CHECK(say_and_trap(text));
    CHECK_INT(r.memory.live_blocks, before + 1);
    rig_run(&r);
    CHECK_INT(r.memory.live_blocks, before);
    CHECK_TEXT(rig_log(&r), "message 1 a (40000)\n");
    say_three();
    CHECK_TEXT(rig_log(&r), "message 1 a [1]\nmessage 1 a [2]\nmessage 1 a [3]\n");
    rig_end(&r);
}

static void a_trap_in_an_end_does_not_stop_it(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("s")};
    char text[64];

    start(RIG_NATS);
    (void)rig_subscribe(&r, "b");
    CHECK(natlet_client_request(r.client, &msg, 1000, reply, &r, NULL) == NATLET_OK);
    CHECK(natlet_client_request(r.client, &msg, 1000, reply, &r, NULL) == NATLET_OK);
    what = TRAP;
    if (setjmp(trap) == 0) {
        natlet_client_close(r.client);
        test_fail(__FILE__, __LINE__, "no trap", "");
    }
    CHECK_TEXT(rig_log(&r), "reply: the connection is gone\n");
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "reply: the connection is gone\nended 1: the connection is gone\n"
                            "ended 2: the connection is gone\nstate closed\n");
    rig_end(&r);

    start(RIG_NATS); /* the last message of a maximum */
    CHECK(natlet_client_unsubscribe(r.client, sid, 1) == NATLET_OK);
    what = TRAP;
    (void)snprintf(text, sizeof text, "MSG a %u 1\r\n1\r\n", (unsigned)sid);
    CHECK(say_and_trap(text));
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), "message 1 a [1]\n");
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nended 1: done\n");
    rig_end(&r);
}
#endif

/* ---- where it lies ---- */

static char read_bytes[100000]; /* all that was received, by segment */
static size_t segment_at[4096]; /* where segment i begins */
static uint32_t in_place, joined;

static void locate(void *self, uint32_t of, const natlet_msg *msg)
{
    natlet__origin origin;
    size_t len = (size_t)(msg->payload.ptr + msg->payload.len - msg->subject.ptr);

    (void)self;
    (void)of;
    if (natlet__client_origin(r.client, msg->subject.ptr, len, &origin)) {
        in_place++;
        CHECK(memcmp(read_bytes + segment_at[origin.segment] + origin.offset, msg->subject.ptr,
                     len) == 0);
    } else {
        joined++;
    }
}

/* Feeds `len` bytes in reads of `chop`, noting where each segment begins; on the
 * framed way each read is one frame. */
static void feed_segments(const char *bytes, size_t len, size_t chop)
{
    uint32_t segment = r.rt->segments;
    size_t out = 0;

    for (size_t at = 0; at < len; at += chop) {
        size_t n = len - at < chop ? len - at : chop;
        size_t start_at = out;
        if (r.way == RIG_FRAMED) {
            read_bytes[out++] = (char)0x82;
            if (n > 125) {
                read_bytes[out++] = 126;
                read_bytes[out++] = (char)(n >> 8);
            }
            read_bytes[out++] = (char)n;
        }
        memcpy(read_bytes + out, bytes + at, n);
        out += n;
        segment_at[++segment] = start_at;
        test_conn_feed(&r.host, r.conn, read_bytes + start_at, out - start_at);
    }
    rig_run(&r);
}

static void locate_all(rig_way way, size_t chop)
{
    static char text[40000];
    const natlet_sink sink = {&r, locate, NULL};
    size_t len = 0;

    rig_connected(&r, way);
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, &sink) == NATLET_OK);
    for (int i = 0; i < 300; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "MSG a.%d %u 10\r\n%010d\r\n", i,
                                (unsigned)sid, i);
    }
    in_place = joined = 0;
    feed_segments(text, len, chop);
    CHECK_INT(in_place + joined, 300);
    CHECK(joined <= (len - 1) / chop); /* at most one a cut */
    rig_end(&r);
}

static void origins_are_right(void)
{
    static const size_t chops[] = {7, 40, 100, 1000, 20000};

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (size_t c = 0; c < sizeof chops / sizeof chops[0]; c++) {
            locate_all(way, chops[c]);
        }
    }
}

static natlet_msg kept[64];
static int kept_count;

static void keep(void *self, uint32_t of, const natlet_msg *msg)
{
    (void)self;
    (void)of;
    kept[kept_count++] = *msg;
    natlet__client_hold(r.client);
}

static size_t held_len(int number)
{
    return number % 20 == 10 ? 40000 : 500;
}

/* Sixty messages, some of them beyond the window, in reads and frames of 30 000. */
static void feed_held(void)
{
    static char text[200000];
    size_t len = 0;

    for (int i = 0; i < 60; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "MSG a %u %u\r\n", (unsigned)sid,
                                (unsigned)held_len(i));
        memset(text + len, 'A' + i, held_len(i));
        len += held_len(i);
        text[len++] = '\r';
        text[len++] = '\n';
    }
    for (size_t at = 0; at < len; at += 30000) {
        size_t n = len - at < 30000 ? len - at : 30000;
        const uint8_t head[4] = {0x82, 126, (uint8_t)(n >> 8), (uint8_t)n};
        if (r.way == RIG_FRAMED) {
            test_conn_feed(&r.host, r.conn, head, sizeof head);
        }
        test_conn_feed(&r.host, r.conn, text + at, n);
    }
}

static void a_held_window_stays(void)
{
    const natlet_sink sink = {&r, keep, NULL};

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        int seen = 0;
        rig_connected(&r, way);
        CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, &sink) == NATLET_OK);
        feed_held();
        for (int turns = 0; seen < 60 && turns < 200; turns++) {
            kept_count = 0;
            uint32_t wait = natlet_runtime_run(r.rt, 1000000, 0);
            for (int k = 0; k < kept_count; k++, seen++) {
                const natlet_slice *payload = &kept[k].payload;
                CHECK(payload->len == held_len(seen) && payload->ptr[0] == 'A' + seen &&
                      payload->ptr[payload->len - 1] == 'A' + seen);
            }
            CHECK(wait <= 1 || seen == 60);
            test_host_advance_us(&r.host, 1);
        }
        CHECK_INT(seen, 60);
        rig_run(&r);
        CHECK(natlet_client_stats_now(r.client).rx_block_max > 40000);
        rig_end(&r);
    }
}

/* A server that keeps on saying that it closes is given up all the same. */
static void saying_it_closes_gains_nothing(void)
{
    rig_init(&r, RIG_NATS);
    rig_start(&r);
    rig_accept(&r);
    for (int i = 0; i < 3; i++) {
        rig_say(&r, "-ERR 'Authorization Violation'\r\n");
        rig_wait_ms(&r, 1900);
    }
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CLOSED);
    rig_end(&r);
    rig_connected(&r, RIG_NATS);
    for (int i = 0; i < 3; i++) {
        rig_say(&r, "-ERR 'Stale Connection'\r\n");
        rig_wait_ms(&r, 900);
    }
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_RECONNECTING);
    rig_end(&r);
}

static natlet_status anew;

static void start_anew(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)elapsed_us;
    rig_note(self, "drained: %s\n", natlet_status_text(st));
    natlet_client_close(r.client);
    anew = natlet_client_connect(r.client);
}

/* The end of a failed drain is part of the client's end: nothing starts inside it. */
static void a_failed_drain_ends_once(void)
{
    rig_connected(&r, RIG_NATS);
    (void)rig_log(&r);
    CHECK(natlet_client_drain(r.client, 1000, start_anew, &r) == NATLET_OK);
    rig_run(&r);
    rig_closed(&r, 0, NATLET_OK);
    CHECK(anew == NATLET_E_STATE);
    const char *log = rig_log(&r);
    CHECK(strstr(log, "drained: there is no connection to a server right now\n") != NULL);
    CHECK(strstr(log, "state closed") != NULL && strstr(log, "connecting") == NULL);
    CHECK(natlet_client_connect(r.client) == NATLET_OK);
    rig_end(&r);
}

int main(void)
{
    RUN(deeds_in_a_message);
    RUN(deeds_in_an_end);
    RUN(deeds_in_an_event);
#ifndef __wasm__
    RUN(a_trap_loses_one_message);
    RUN(a_trap_in_a_large_message_gives_its_block_back);
    RUN(a_trap_in_an_end_does_not_stop_it);
#endif
    RUN(origins_are_right);
    RUN(a_held_window_stays);
    RUN(saying_it_closes_gains_nothing);
    RUN(a_failed_drain_ends_once);
    return test_done();
}
