/* Goal: every publish is told once, in order, and truthfully: sent only after the
 * server said so, refused only if no byte of it left, unknown no more than a window.
 * What waits goes out whole and in order.
 *
 * Method: virtual time; the rig's server holds its PONGs back, goes away, comes back
 * smaller.  Reports are lines of the log: "sent 1-3".  A trap is played by a longjmp out
 * of the turn (natively only: wasm has none without exceptions). */
#include "support/client_rig.h"
#include "support/test.h"

#ifndef __wasm__
#include <setjmp.h>
static jmp_buf trap;
#endif

static rig r;
static const char *script; /* what the next report does */

static void run_script(void)
{
    const char *now = script;

    script = "";
    if (strcmp(now, "publish") == 0) {
        CHECK(rig_publish(&r, "again", "x") == NATLET_OK);
    } else if (strcmp(now, "close") == 0) {
        natlet_client_close(r.client);
#ifndef __wasm__
    } else if (strcmp(now, "trap") == 0) {
        longjmp(trap, 1);
#endif
    }
}

static void on_published(void *self, uint64_t first, uint64_t last, natlet_status st)
{
    const char *word = st == NATLET_OK               ? "sent"
                       : st == NATLET_E_DISCONNECTED ? "unknown"
                                                     : natlet_status_text(st);

    rig_note(self, "%s %u-%u\n", word, (unsigned)first, (unsigned)last);
    run_script();
}

/* An idle client that keeps account. */
static void begin(rig_way way, uint32_t tx_bytes, uint32_t bytes_max, uint32_t ms)
{
    const natlet_track_options options = {
        .offline_bytes_max = bytes_max, .offline_ms = ms, .on_published = on_published, .self = &r};

    script = "";
    rig_init(&r, way);
    r.config.tx_bytes = tx_bytes;
    r.config.reconnect_ms = 100;
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
    CHECK(natlet_client_track(r.client, &options) == NATLET_OK);
    CHECK(natlet_client_track(r.client, &options) == NATLET_E_STATE);
}

static void dial(void)
{
    CHECK(natlet_client_connect(r.client) == NATLET_OK);
    rig_run(&r);
}

static void begin_connected(rig_way way, uint32_t tx_bytes, uint32_t bytes_max)
{
    begin(way, tx_bytes, bytes_max, 0);
    dial();
    rig_come_back(&r);
    (void)rig_log(&r);
}

static void lose(void)
{
    rig_closed(&r, 0, NATLET_E_IO);
}

static void come_back_with(const char *info)
{
    rig_wait_ms(&r, 101);
    rig_accept(&r);
    rig_say(&r, info);
    rig_forget_sent(&r);
    rig_say(&r, "PONG\r\n");
}

static void publish(const char *payload)
{
    CHECK(rig_publish(&r, "a", payload) == NATLET_OK);
}

static void publish_some(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        publish("x");
    }
}

static natlet_status publish_bytes(size_t len)
{
    static uint8_t payload[1000000];
    memset(payload, '.', len);
    const natlet_msg msg = {.subject = NATLET_TEXT("big"), .payload = {payload, len}};

    return natlet_client_publish(r.client, &msg);
}

#define PUB(payload) "PUB a 1\r\n" payload "\r\n"

/* ---- what is told ---- */

static void publishes_are_numbered(void)
{
    rig_connected(&r, RIG_NATS);
    CHECK_INT(natlet_client_published(r.client), 0);
    publish("x");
    CHECK(rig_publish(&r, "a b", "x") == NATLET_E_SUBJECT);
    const natlet_msg msg = {.subject = NATLET_TEXT("ask")};
    CHECK(natlet_client_request(r.client, &msg, 10, rig_on_reply, &r, NULL) == NATLET_OK);
    CHECK_INT(natlet_client_published(r.client), 2);
    rig_forget_sent(&r);
    rig_run(&r);
    CHECK(strstr(rig_sent(&r), "PING") == NULL); /* who does not ask does not pay */
    rig_end(&r);
}

static void sent_is_what_a_pong_covers(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin_connected(way, 1024, 0);
        publish_some(3);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), PUB("x") PUB("x") PUB("x") "PING\r\n");
        CHECK_TEXT(rig_log(&r), "");
        publish_some(2); /* one PING at a time, while the window is not filled */
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), PUB("x") PUB("x"));
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "sent 1-3\n");
        CHECK_TEXT(rig_sent(&r), "PING\r\n");
        rig_say(&r, "PONG\r\nPONG\r\n"); /* one that nobody asked for says nothing */
        CHECK_TEXT(rig_log(&r), "sent 4-5\n");
        publish("x");
        CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), PUB("x") "PING\r\n"); /* any PING will do */
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "done: done 0 us\nsent 6-6\n");
        rig_end(&r);
    }
}

static void what_no_pong_covers_is_unknown(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin_connected(way, 1024, 0);
        publish_some(2);
        rig_run(&r);
        publish_some(3);
        rig_run(&r);
        test_conn_feed_text(&r.host, r.conn, way == RIG_FRAMED ? "\x82\x06PONG\r\n" : "PONG\r\n");
        lose();
        CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nsent 1-2\nunknown 3-5\n");
        CHECK_INT(natlet_client_stats_now(r.client).unknown, 3);
        CHECK(rig_publish(&r, "a", "x") == NATLET_E_DISCONNECTED);
        come_back_with(RIG_INFO);
        CHECK_TEXT(rig_sent(&r), ""); /* never again */
        publish("y");
        rig_run(&r);
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "state connected\nsent 6-6\n");
        CHECK(natlet_client_reconnect(r.client) == NATLET_OK);
        publish_some(0);
        rig_run(&r);
        CHECK_TEXT(rig_log(&r), "state reconnecting\n");
        rig_end(&r);
    }
}

static void closing_tells_the_rest(void)
{
    begin_connected(RIG_WS, 1024, 5000);
    publish_some(2);
    CHECK(publish_bytes(1500) == NATLET_OK);
    publish("x");
    natlet_client_close(r.client);
    CHECK_TEXT(rig_log(&r), "unknown 1-2\nthe connection is gone 3-4\nstate closed\n");
    CHECK(rig_publish(&r, "a", "x") == NATLET_E_CLOSED);
    dial();
    rig_come_back(&r);
    (void)rig_log(&r);
    publish("x"); /* the numbers go on */
    rig_run(&r);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "sent 5-5\n");
    rig_end(&r);
    begin(RIG_WS, 1024, 5000, 0);
    publish("x");
    natlet_client_free(r.client); /* closes */
    r.client = NULL;
    CHECK_TEXT(rig_log(&r), "the connection is gone 1-1\nstate closed\n");
    rig_end(&r);
}

/* ---- what waits ---- */

static void it_waits_for_a_connection_in_order(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin(way, 1024, 5000, 0);
        publish("1");
        (void)rig_subscribe(&r, "s");
        dial();
        publish("2");
        rig_come_back(&r);
        CHECK_TEXT(rig_sent(&r), "SUB s 1048577\r\n" PUB("1") PUB("2") "PING\r\n");
        publish("3");
        rig_run(&r);
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_sent(&r), PUB("3") "PING\r\n");
        CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\nsent 1-2\n");
        lose();
        publish("4");
        CHECK_INT(natlet_client_stats_now(r.client).offline_messages, 1);
        come_back_with(RIG_INFO);
        CHECK_TEXT(rig_sent(&r), "SUB s 1048577\r\n" PUB("4") "PING\r\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nunknown 3-3\n"
                                "state connected\nsent 4-4\n");
        CHECK_INT(natlet_client_stats_now(r.client).offline_messages, 0);
        rig_end(&r);
    }
}

static void requests_wait_too(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("ask"), .payload = NATLET_TEXT("?")};

    begin(RIG_NATS, 1024, 5000, 0);
    CHECK(natlet_client_request(r.client, &msg, 500, rig_on_reply, &r, NULL) == NATLET_OK);
    CHECK_INT(natlet_client_published(r.client), 1);
    dial();
    rig_come_back(&r);
    const char *sent = rig_sent(&r);
    CHECK(strncmp(sent, "SUB _INBOX.", 11) == 0 && strstr(sent, "PUB ask _INBOX.") != NULL);
    rig_say(&r, "PONG\r\n");
    (void)rig_log(&r);
    rig_wait_ms(&r, 501);
    CHECK_TEXT(rig_log(&r), "reply: the deadline passed\n");
    rig_end(&r);
}

static void a_window_is_in_flight_at_most(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[16];
        size_t in_flight = 0;
        uint32_t seen = 0;
        begin_connected(way, 1024, 100000);
        for (int i = 0; i < 500; i++) {
            (void)snprintf(text, sizeof text, "%06d", i);
            CHECK(rig_publish(&r, "n", text) == NATLET_OK);
        }
        rig_run(&r);
        while (seen < 500) {
            for (const char *at = rig_sent(&r); *at != '\0';) {
                bool is_ping = strncmp(at, "PING\r\n", 6) == 0;
                in_flight += is_ping ? 0 : 17;
                CHECK(is_ping || (uint32_t)atoi(at + 9) == seen++);
                at += is_ping ? 6 : 17;
            }
            CHECK(in_flight <= 1024);
            uint32_t first;
            uint32_t last;
            rig_say(&r, "PONG\r\n");
            CHECK(sscanf(rig_log(&r), "sent %u-%u", &first, &last) == 2);
            in_flight -= (last - first + 1) * 17;
        }
        rig_end(&r);
    }
}

static void without_waiting_a_full_window_says_so(void)
{
    begin_connected(RIG_NATS, 1024, 0);
    int taken = 0;
    while (rig_publish(&r, "a", "x") == NATLET_OK) {
        taken++;
    }
    CHECK(taken > 60 && taken * 12 <= 1024);
    CHECK(rig_publish(&r, "a", "x") == NATLET_E_FULL);
    CHECK_INT(natlet_client_stats_now(r.client).refused, 2);
    rig_run(&r);
    rig_say(&r, "PONG\r\n");
    publish("x");
    rig_say(&r, "PONG\r\nPONG\r\nPONG\r\nPONG\r\nPONG\r\n");
    rig_say(&r, "PONG\r\n");
    CHECK(publish_bytes(5000) == NATLET_OK); /* larger than the window: alone */
    CHECK(rig_publish(&r, "a", "x") == NATLET_E_FULL);
    rig_end(&r);
}

/* A link that takes nothing gets no more than a window's worth, and what it did not
 * get is not unknown. */
static void a_blocked_link_makes_it_wait(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin_connected(way, 8192, 5000);
        test_conn_congest(r.conn, 5);
        publish("1");
        rig_run(&r);
        publish_some(5);
        rig_run(&r);
        CHECK_INT(natlet_client_stats_now(r.client).offline_messages, 5);
        lose();
        CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nunknown 1-1\n");
        come_back_with(RIG_INFO);
        CHECK_TEXT(rig_sent(&r), PUB("x") PUB("x") PUB("x") PUB("x") PUB("x") "PING\r\n");
        test_conn_congest(r.conn, 0);
        rig_say(&r, "PONG\r\n");
        publish("2");
        rig_run(&r);
        publish("3");
        rig_run(&r);
        test_conn_relieve(&r.host, r.conn);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), PUB("2") "PING\r\n" PUB("3"));
        rig_end(&r);
    }
}

static void the_store_has_its_bound(void)
{
    enum { BOUND = 50000 };
    begin(RIG_NATS, 1024, BOUND, 0);
    size_t before = r.memory.live_bytes;
    uint32_t taken = 0;

    CHECK(publish_bytes(60000) == NATLET_E_TOO_LARGE);
    while (publish_bytes(taken % 4 == 3 ? 900 : 100) == NATLET_OK) {
        taken++;
    }
    CHECK(publish_bytes(900) == NATLET_E_FULL);
    natlet_client_stats stats = natlet_client_stats_now(r.client);
    CHECK_INT(stats.offline_messages, taken);
    CHECK(stats.offline_bytes <= BOUND && stats.offline_bytes > BOUND - 1200);
    CHECK_INT(stats.offline_bytes, r.memory.live_bytes - before);
    CHECK(stats.out_bytes > BOUND * 3 / 4);
    CHECK(stats.refused >= 2);
    dial();
    rig_come_back(&r);
    for (int i = 0; natlet_client_stats_now(r.client).offline_messages > 0 && i < 1000; i++) {
        rig_say(&r, "PONG\r\n");
    }
    for (int i = 0; i < 5; i++) {
        rig_say(&r, "PONG\r\n");
    }
    const char *at = rig_sent(&r);
    uint32_t count = 0;
    while (*at != '\0') {
        if (*at++ == 'P' && strncmp(at, "UB big ", 7) == 0) {
            CHECK_INT(atoi(at + 7), count % 4 == 3 ? 900 : 100);
            count++;
        }
    }
    CHECK_INT(count, taken);
    stats = natlet_client_stats_now(r.client);
    CHECK(stats.offline_bytes <= NATLET_OFFLINE_BLOCK_BYTES); /* one is kept */
    CHECK(stats.offline_max > BOUND - 1200);
    rig_end(&r);
}

static void what_waits_grows_old(void)
{
    begin(RIG_NATS, 1024, 5000, 1000);
    publish("1");
    rig_wait_ms(&r, 600);
    publish_some(2);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 399);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 1);
    CHECK_TEXT(rig_log(&r), "the deadline passed 1-1\n");
    rig_wait_ms(&r, 1000);
    CHECK_TEXT(rig_log(&r), "the deadline passed 2-3\n");
    CHECK_INT(natlet_client_stats_now(r.client).expired, 3);
    publish("4");
    dial();
    rig_come_back(&r);
    CHECK_TEXT(rig_sent(&r), PUB("4") "PING\r\n");
    rig_say(&r, "PONG\r\n");
    (void)rig_log(&r);
    rig_wait_ms(&r, 3000);
    CHECK_TEXT(rig_log(&r), "");
    CHECK(natlet_runtime_run(r.rt, 1000, 0) > 1000); /* no timer of ours is left */
    rig_end(&r);
}

/* With a window that is full, what waits may grow old behind what is in flight. */
static void what_grew_old_is_told_in_order(void)
{
    begin(RIG_NATS, 512, 5000, 1000);
    dial();
    rig_come_back(&r);
    CHECK(publish_bytes(600) == NATLET_OK);
    publish("2");
    rig_run(&r);
    (void)rig_log(&r);
    rig_wait_ms(&r, 1500);
    CHECK_TEXT(rig_log(&r), "");
    publish("3");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "sent 1-1\nthe deadline passed 2-2\n");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "sent 3-3\n");
    rig_end(&r);
}

static void a_smaller_server_refuses_some(void)
{
    const natlet_msg with_headers = {.subject = NATLET_TEXT("h"),
                                     .headers = NATLET_TEXT("NATS/1.0\r\n\r\n")};

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin(way, 1024, 5000, 0);
        publish("1");
        CHECK(publish_bytes(101) == NATLET_OK);
        CHECK(publish_bytes(102) == NATLET_OK);
        publish("4");
        CHECK(natlet_client_publish(r.client, &with_headers) == NATLET_OK);
        CHECK(rig_publish(&r, "b", "6") == NATLET_OK);
        dial();
        come_back_with("INFO {\"max_payload\":100,\"headers\":false}\r\n");
        CHECK_TEXT(rig_sent(&r), PUB("1") "PING\r\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_sent(&r), PUB("4") "PING\r\n");
        CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\nsent 1-1\n"
                                "a message exceeds the size limit 2-3\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_sent(&r), "PUB b 1\r\n6\r\nPING\r\n");
        CHECK_TEXT(rig_log(&r), "sent 4-4\nthe server does not support headers 5-5\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "sent 6-6\n");
        rig_end(&r);
    }
}

static void the_outbox_bounds_what_waits(void)
{
    const natlet_track_options options = {
        .offline_bytes_max = 2000000, .on_published = on_published, .self = &r};

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin(way, 1024, 0, 0);
        natlet_client_free(r.client);
        r.config.pending_bytes_max = 1000000;
        CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
        CHECK(natlet_client_track(r.client, &options) == NATLET_OK);
        CHECK(publish_bytes(1000000) == NATLET_E_TOO_LARGE);
        CHECK(publish_bytes(1000000 - 2 - 3 - 50) == NATLET_OK);
        publish("x");
        dial();
        (void)rig_log(&r);
        rig_come_back(&r);
        rig_say(&r, "PONG\r\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "state connected\nsent 1-1\nsent 2-2\n");
        rig_end(&r);
    }
}

/* ---- flush and drain ---- */

static void a_flush_includes_what_waits(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        begin_connected(way, 512, 5000);
        for (int i = 0; i < 4; i++) {
            CHECK(publish_bytes(600) == NATLET_OK);
        }
        CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        rig_run(&r);
        int pongs = 0;
        while (strstr(rig_log(&r), "done") == NULL && pongs < 50) {
            CHECK(natlet_client_stats_now(r.client).unknown == 0);
            rig_say(&r, "PONG\r\n");
            pongs++;
        }
        CHECK(pongs >= 4 && pongs < 50);
        CHECK_INT(natlet_client_stats_now(r.client).offline_messages, 0);
        for (int i = 0; i < 4; i++) {
            CHECK(publish_bytes(600) == NATLET_OK);
        }
        CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        rig_say(&r, "PONG\r\n");
        rig_wait_ms(&r, 1002);
        CHECK(strstr(rig_log(&r), "done: the deadline passed") != NULL);
        rig_end(&r);
    }
}

static void a_drain_includes_what_waits(void)
{
    begin_connected(RIG_NATS, 512, 5000);
    for (int i = 0; i < 4; i++) {
        CHECK(publish_bytes(600) == NATLET_OK);
    }
    CHECK(natlet_client_drain(r.client, 10000, rig_on_done, &r) == NATLET_OK);
    rig_run(&r);
    for (int i = 0; i < 50 && natlet_client_state_now(r.client) == NATLET_CLIENT_DRAINING; i++) {
        rig_say(&r, "PONG\r\n");
    }
    const char *log = rig_log(&r);
    CHECK(strncmp(log, "state draining\nsent 1-1\n", 24) == 0);
    CHECK(strstr(log, "unknown") == NULL && strstr(log, "done: done") != NULL);
    CHECK(strstr(log, "4\n") != NULL && strstr(log, "gone") == NULL);
    rig_end(&r);
}

/* ---- callbacks ---- */

static void reports_may_call_back(void)
{
    begin_connected(RIG_NATS, 1024, 5000);
    publish("1");
    rig_run(&r);
    script = "publish";
    rig_say(&r, "PONG\r\n");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "sent 1-1\nsent 2-2\n");
    publish("3");
    rig_run(&r);
    script = "publish";
    lose();
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nunknown 3-3\n");
    script = "close";
    come_back_with(RIG_INFO);
    publish("5");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "state connected\nsent 4-4\nunknown 5-5\nstate closed\n");
    rig_end(&r);
}

#ifndef __wasm__
/* A turn that is left from within a report goes on where it was. */
static void reports_may_trap(void)
{
    begin_connected(RIG_NATS, 1024, 5000);
    publish("1");
    rig_run(&r);
    script = "trap";
    if (setjmp(trap) == 0) {
        lose();
    }
    natlet__runtime_recover(r.rt);
    publish("2");
    come_back_with(RIG_INFO);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nunknown 1-1\n"
                            "state connected\nsent 2-2\n");
    script = "trap";
    publish("3");
    if (setjmp(trap) == 0) {
        natlet_client_close(r.client);
    }
    rig_run(&r); /* the end goes on, too */
    CHECK_TEXT(rig_log(&r), "unknown 3-3\nstate closed\n");
    rig_end(&r);
}
#endif

/* ---- memory ---- */

/* Bursts that fill the window and some of a block, with a report for each. */
static void the_steady_state_takes_no_memory(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        uint32_t requests = 0;
        begin_connected(way, 4096, 100000);
        for (int i = 0; i < 200; i++) {
            requests = i == 100 ? r.memory.requests : requests;
            for (int n = 0; n < 10; n++) {
                CHECK(publish_bytes(1000) == NATLET_OK);
            }
            rig_run(&r);
            for (int n = 0; natlet_client_stats_now(r.client).offline_messages > 0 && n < 50; n++) {
                rig_say(&r, "PONG\r\n");
            }
            rig_say(&r, "PONG\r\nPONG\r\nPONG\r\nPONG\r\n");
            rig_say(&r, "PONG\r\nPONG\r\nPONG\r\nPONG\r\n");
            rig_forget_sent(&r);
            (void)rig_log(&r);
        }
        CHECK_INT(r.memory.requests - requests, 0);
        rig_end(&r);
    }
}

/* A life with the n-th allocation failing: what was accepted is told, all the same. */
static bool live_with_failure(uint32_t n, rig_way way)
{
    const natlet_track_options options = {
        .offline_bytes_max = 100000, .on_published = on_published, .self = &r};
    uint32_t first;
    uint32_t last;
    uint32_t told = 0;
    int used;

    script = "";
    rig_init(&r, way);
    r.memory.fail_at = n;
    r.config.tx_bytes = 512;
    r.config.retry_first_connect = true;
    if (natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK &&
        natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK &&
        natlet_client_track(r.client, &options) == NATLET_OK) {
        for (size_t i = 0; i < 5; i++) {
            natlet_status st = publish_bytes(i * 5000);
            CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
        }
        if (natlet_client_connect(r.client) == NATLET_OK) {
            rig_run(&r);
            (void)rig_wait_for_dial(&r, 1000);
            r.conn = test_host_last(&r.host);
            if (r.conn != NULL && !r.conn->is_open && !r.conn->is_closed) {
                rig_accept(&r);
                rig_say(&r, RIG_INFO);
                rig_say(&r, "PONG\r\n");
            }
            for (int i = 0; i < 12 && r.conn != NULL && !r.conn->is_closed; i++) {
                rig_say(&r, "PONG\r\n");
            }
            (void)publish_bytes(10);
        }
        natlet_client_close(r.client);
        char *log = strdup(rig_log(&r));
        for (char *at = log; at != NULL; at = strchr(at, '\n')) {
            at += *at == '\n' ? 1 : 0;
            const char *dash = strpbrk(at, "-\n");
            if (dash != NULL && *dash == '-') {
                while (dash > at && dash[-1] >= '0' && dash[-1] <= '9') {
                    dash--;
                }
                if (sscanf(dash, "%u-%u%n", &first, &last, &used) == 2) {
                    CHECK_INT(first, told + 1);
                    told = last;
                }
            }
        }
        free(log);
        CHECK_INT(told, natlet_client_published(r.client));
    }
    bool failed = r.memory.refused > 0;
    rig_end(&r);
    return failed;
}

static void every_allocation_may_fail(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        uint32_t n = 1;
        while (live_with_failure(n, way)) {
            n++;
        }
        CHECK(n > 10);
    }
}

int main(void)
{
    RUN(publishes_are_numbered);
    RUN(sent_is_what_a_pong_covers);
    RUN(what_no_pong_covers_is_unknown);
    RUN(closing_tells_the_rest);
    RUN(it_waits_for_a_connection_in_order);
    RUN(requests_wait_too);
    RUN(a_window_is_in_flight_at_most);
    RUN(without_waiting_a_full_window_says_so);
    RUN(a_blocked_link_makes_it_wait);
    RUN(the_store_has_its_bound);
    RUN(what_waits_grows_old);
    RUN(what_grew_old_is_told_in_order);
    RUN(a_smaller_server_refuses_some);
    RUN(the_outbox_bounds_what_waits);
    RUN(a_flush_includes_what_waits);
    RUN(a_drain_includes_what_waits);
    RUN(reports_may_call_back);
#ifndef __wasm__
    RUN(reports_may_trap);
#endif
    RUN(the_steady_state_takes_no_memory);
    RUN(every_allocation_may_fail);
    return test_done();
}
