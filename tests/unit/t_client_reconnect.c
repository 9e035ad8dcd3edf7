/* Goal: a client finds a server, stays with it, and comes back after any end, at
 * the right time and with all its subscriptions; every end has a typed reason.
 *
 * Method: virtual time; the rig's server accepts, refuses, goes silent or lies. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

/* ---- coming back ---- */

static void resubscribes_with_what_is_left(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[300];
        natlet_sink sink = rig_sink(&r);
        const natlet_subscribe_options three = {.queue = NATLET_TEXT("q"), .max = 3};
        uint32_t a;
        uint32_t b;
        uint32_t c;

        rig_connected(&r, way);
        a = rig_subscribe(&r, "a");
        CHECK(natlet_client_subscribe(r.client, &b, rig_text("b"), &three, &sink) == NATLET_OK);
        c = rig_subscribe(&r, "c");
        CHECK(natlet_client_unsubscribe(r.client, c, 0) == NATLET_OK);
        rig_run(&r);
        (void)snprintf(text, sizeof text,
                       "SUB a %u\r\nSUB b q %u\r\nUNSUB %u 3\r\nSUB c %u\r\nUNSUB %u\r\n",
                       (unsigned)a, (unsigned)b, (unsigned)b, (unsigned)c, (unsigned)c);
        CHECK_TEXT(rig_sent(&r), text);
        (void)snprintf(text, sizeof text,
                       "MSG b %u 1\r\n1\r\nMSG b %u 1\r\n2\r\nMSG b %u 5\r\nhalf", (unsigned)b,
                       (unsigned)b, (unsigned)b);
        rig_say(&r, text);
        (void)rig_log(&r);
        rig_closed(&r, way == RIG_WS ? 1006 : 0, NATLET_E_IO);
        CHECK_TEXT(rig_log(&r), way == RIG_WS ? "state reconnecting: the network failed 1006\n"
                                              : "state reconnecting: the network failed\n");
        CHECK(rig_publish(&r, "x", "") == NATLET_E_DISCONNECTED);
        uint32_t d = rig_subscribe(&r, "d");
        CHECK(rig_wait_for_dial(&r, 501) <= 500);
        rig_come_back(&r);
        CHECK_TEXT(rig_log(&r), "state connected\n");
        (void)snprintf(text, sizeof text, "SUB a %u\r\nSUB b q %u\r\nUNSUB %u 1\r\nSUB d %u\r\n",
                       (unsigned)a, (unsigned)b, (unsigned)b, (unsigned)d);
        CHECK_TEXT(rig_sent(&r), text);
        CHECK(natlet_client_unsubscribe(r.client, b, 5) == NATLET_OK); /* the server counts anew */
        rig_run(&r);
        (void)snprintf(text, sizeof text, "UNSUB %u 3\r\n", (unsigned)b);
        CHECK_TEXT(rig_sent(&r), text);
        for (int i = 0; i < 4; i++) {
            (void)snprintf(text, sizeof text, "MSG b %u 1\r\n%d\r\n", (unsigned)b, i);
            rig_say(&r, text);
        }
        CHECK_TEXT(rig_log(&r),
                   "message 2 b [0]\nmessage 2 b [1]\nmessage 2 b [2]\nended 2: done\n");
        natlet_client_stats stats = natlet_client_stats_now(r.client);
        CHECK_INT(stats.reconnects, 1);
        CHECK_INT(stats.connects, 2);
        rig_end(&r);
    }
}

/* Failing dials: nothing but the wait before each pass counts. */
static void waits_grow_and_are_jittered(void)
{
    uint64_t longest[8] = {0};
    uint64_t shortest[8];

    memset(shortest, 0xff, sizeof shortest);
    for (uint64_t seed = 0; seed < 40; seed++) {
        rig_init(&r, RIG_NATS);
        r.host.random_state = seed;
        rig_start(&r);
        rig_accept(&r);
        rig_greet(&r);
        rig_wait_ms(&r, 20000); /* stable */
        rig_closed(&r, 0, NATLET_E_IO);
        for (size_t i = 0; i < 8; i++) {
            uint64_t ms = rig_wait_for_dial(&r, 40000);
            longest[i] = ms > longest[i] ? ms : longest[i];
            shortest[i] = ms < shortest[i] ? ms : shortest[i];
            r.conn = test_host_last(&r.host);
            rig_closed(&r, 0, NATLET_E_IO);
        }
        rig_end(&r);
    }
    static const uint64_t bounds[] = {500, 500, 1000, 2000, 4000, 8000, 16000, 30000};
    for (size_t i = 0; i < 8; i++) {
        CHECK(longest[i] <= bounds[i] + 2 && longest[i] > bounds[i] * 3 / 4);
        CHECK(shortest[i] < bounds[i] / 4);
    }
}

static void service_must_be_stable_to_reset_the_wait(void)
{
    uint64_t most = 0;

    rig_connected(&r, RIG_NATS);
    for (int i = 0; i < 30; i++) { /* accepts and drops at once, for ever */
        rig_closed(&r, 0, NATLET_OK);
        uint64_t ms = rig_wait_for_dial(&r, 40000);
        most = ms > most ? ms : most;
        rig_come_back(&r);
    }
    CHECK(most > 15000);
    rig_wait_ms(&r, 11000);
    rig_closed(&r, 0, NATLET_OK);
    CHECK(rig_wait_for_dial(&r, 40000) <= 501);
    rig_end(&r);
}

static void shared_ends_spread(void)
{
    uint64_t most = 0;

    for (uint64_t seed = 0; seed < 20; seed++) {
        rig_init(&r, RIG_FRAMED);
        r.host.random_state = seed;
        rig_start(&r);
        rig_accept(&r);
        rig_greet(&r);
        (void)rig_log(&r);
        if (seed % 2 == 0) {
            rig_say(&r, "INFO {\"ldm\":true,\"max_payload\":1048576}\r\n");
            CHECK_TEXT(rig_log(&r), "lame duck\n");
            rig_closed(&r, 0, NATLET_OK);
            CHECK_TEXT(rig_log(&r), "state reconnecting: the connection is gone\n");
        } else {
            rig_say_raw(&r, "\x88\x11\x03\xe9Server Shutdown", 19);
            CHECK_TEXT(rig_log(&r), "state reconnecting: the server reported an error "
                                    "(Server Shutdown) 1001\n");
            rig_forget_sent(&r);
            CHECK_INT(r.close_code, 1001);
        }
        uint64_t ms = rig_wait_for_dial(&r, 40000);
        most = ms > most ? ms : most;
        rig_come_back(&r);
        rig_wait_ms(&r, 10001);
        rig_closed(&r, 0, NATLET_E_IO); /* a lone drop again */
        CHECK(rig_wait_for_dial(&r, 40000) <= 500);
        rig_end(&r);
    }
    CHECK(most > 3500 && most <= 5001);
}

static void fixed_waits_and_limits(void)
{
    rig_init(&r, RIG_NATS);
    r.config.reconnect_ms = 700;
    r.config.reconnects_max = 3;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    rig_closed(&r, 0, NATLET_E_IO);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(rig_wait_for_dial(&r, 2000), 700);
        r.conn = test_host_last(&r.host);
        rig_closed(&r, 0, NATLET_E_TIMEOUT);
    }
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n"
                            "error: the deadline passed\nerror: the deadline passed\n"
                            "state closed: the deadline passed\n");
    CHECK(rig_wait_for_dial(&r, 2000) >= 2000);
    CHECK(natlet_client_connect(r.client) == NATLET_OK); /* from the start, with all servers */
    rig_run(&r);
    rig_come_back(&r);
    CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\n");
    rig_end(&r);
}

static void success_forgives(void)
{
    rig_init(&r, RIG_NATS);
    r.config.reconnects_max = 2;
    rig_start(&r);
    rig_accept(&r);
    for (int i = 0; i < 4; i++) { /* each time one failure, which alone is too few */
        rig_forget_sent(&r);
        rig_greet(&r);
        rig_closed(&r, 0, NATLET_E_IO);
        (void)rig_wait_for_dial(&r, 40000);
        if (i % 2 == 0) {
            rig_fail_attempt(&r);
        } else {
            rig_accept(&r);
            rig_say(&r, RIG_INFO "-ERR 'Authorization Violation'\r\n");
            rig_closed(&r, 0, NATLET_OK);
        }
        (void)rig_wait_for_dial(&r, 40000);
        rig_accept(&r);
    }
    rig_forget_sent(&r);
    rig_greet(&r);
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
    rig_end(&r);
}

static void dropped_servers_do_not_shorten_a_pass(void)
{
    rig_init(&r, RIG_NATS);
    r.config.servers = rig_text("nats://a,nats://b,nats://c");
    r.config.reconnects_max = 1;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    rig_closed(&r, 0, NATLET_OK);
    (void)rig_wait_for_dial(&r, 40000);
    for (uint32_t i = 2; i <= 4; i++) { /* b, c and a, one right after the other */
        CHECK_INT(r.host.conn_count, i);
        rig_fail_attempt(&r);
    }
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CLOSED);
    rig_end(&r);
}

static void closing_ends_the_wait(void)
{
    rig_init(&r, RIG_NATS);
    r.config.retry_first_connect = true;
    rig_start(&r);
    for (int i = 0; i < 8; i++) {
        rig_fail_attempt(&r);
        (void)rig_wait_for_dial(&r, 40000);
    }
    rig_fail_attempt(&r);
    natlet_client_close(r.client);
    CHECK(rig_wait_for_dial(&r, 60000) >= 60000);
    CHECK(natlet_client_connect(r.client) == NATLET_OK); /* the waits begin small again */
    rig_run(&r);
    rig_fail_attempt(&r);
    CHECK(rig_wait_for_dial(&r, 40000) <= 500);
    rig_end(&r);
}

/* The host may say it with recv before it says why. */
static void the_end_waits_for_its_reason(void)
{
    rig_connected(&r, RIG_NATS);
    r.conn->is_closed = true;
    test_host_event(&r.host, r.conn->id, NATLET_EV_READABLE, 0, 0);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "");
    test_host_event(&r.host, r.conn->id, NATLET_EV_CLOSED, 0, (uint32_t)NATLET_E_IO);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n");
    rig_end(&r);
}

static void no_reconnect(void)
{
    rig_init(&r, RIG_NATS);
    r.config.no_reconnect = true;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    (void)rig_subscribe(&r, "a");
    (void)rig_log(&r);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "ended 1: the connection is gone\nstate closed: the network failed\n");
    CHECK(rig_publish(&r, "x", "") == NATLET_E_CLOSED);
    CHECK(rig_wait_for_dial(&r, 60000) >= 60000);
    rig_end(&r);
}

static void reconnects_on_demand(void)
{
    rig_connected(&r, RIG_WS);
    CHECK(natlet_client_reconnect(r.client) == NATLET_OK);
    CHECK_TEXT(rig_log(&r), "state reconnecting\n");
    CHECK_INT(r.conn->closes, 1);
    rig_run(&r);
    CHECK_INT(r.host.conn_count, 2);
    rig_come_back(&r);
    CHECK_TEXT(rig_log(&r), "state connected\n");
    natlet_client_close(r.client);
    CHECK(natlet_client_reconnect(r.client) == NATLET_E_STATE);
    rig_end(&r);
}

/* ---- the pool ---- */

static void tries_each_server_before_it_waits(void)
{
    rig_start_with(&r, RIG_NATS, "nats://a,nats://b,nats://c");
    for (size_t i = 0; i < 3; i++) {
        static const char *const urls[] = {"nats://a:4222", "nats://b:4222", "nats://c:4222"};
        r.conn = test_host_last(&r.host);
        CHECK_TEXT(r.conn->url, urls[i]);
        rig_closed(&r, 0, NATLET_E_IO);
    }
    CHECK_TEXT(rig_log(&r), "error: the network failed\nerror: the network failed\n"
                            "state closed: the network failed\n");
    rig_end(&r);

    rig_start_with(&r, RIG_NATS, "nats://a,nats://b");
    rig_accept(&r);
    rig_greet(&r);
    rig_closed(&r, 0, NATLET_OK);
    CHECK(rig_wait_for_dial(&r, 40000) <= 500);
    CHECK_TEXT(test_host_last(&r.host)->url, "nats://b:4222");
    r.conn = test_host_last(&r.host);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_INT(r.host.conn_count, 3); /* at once */
    CHECK_TEXT(test_host_last(&r.host)->url, "nats://a:4222");
    CHECK_TEXT(rig_log(&r), "state connected\nstate reconnecting: the connection is gone\n"
                            "error: the network failed\n");
    CHECK_SLICE(natlet_client_server(r.client), "nats://a:4222");
    for (uint32_t i = 0; i < 4; i++) { /* and so in every later pass */
        rig_fail_attempt(&r);
        (void)rig_wait_for_dial(&r, 40000);
        CHECK_INT(r.host.conn_count, 4 + 2 * i);
        rig_fail_attempt(&r);
        CHECK_INT(r.host.conn_count, 5 + 2 * i);
    }
    rig_end(&r);
}

static void retries_the_first_connect_when_asked(void)
{
    rig_init(&r, RIG_WS);
    r.config.retry_first_connect = true;
    rig_start(&r);
    for (int i = 0; i < 3; i++) {
        r.conn = test_host_last(&r.host);
        rig_closed(&r, 1006, NATLET_E_IO);
        CHECK(rig_wait_for_dial(&r, 1001) <= 1000);
    }
    rig_come_back(&r);
    CHECK_TEXT(rig_log(&r), "state connecting\nerror: the network failed 1006\n"
                            "error: the network failed 1006\nerror: the network failed 1006\n"
                            "state connected\n");
    rig_end(&r);
}

static void learns_servers(void)
{
    rig_start_with(&r, RIG_FRAMED, "ws://u:p@one:80/path");
    rig_accept(&r);
    rig_say(&r, "INFO {\"max_payload\":1000,\"headers\":true,"
                "\"connect_urls\":[\"one:80\",\"two:81\"]}\r\n");
    const char *sent = rig_sent(&r);
    CHECK(strstr(sent, "\"user\":\"u\"") != NULL && strstr(sent, "\"pass\":\"p\"") != NULL);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "servers\nstate connected\n");
    CHECK_INT(natlet_client_max_payload(r.client), 1000);
    rig_say(&r, "INFO {\"connect_urls\":[\"one:80\",\"two:81\"]}\r\n"); /* nothing new */
    CHECK_TEXT(rig_log(&r), "");
    CHECK_INT(natlet_client_max_payload(r.client), 1000);
    rig_closed(&r, 0, NATLET_E_IO);
    (void)rig_wait_for_dial(&r, 1000);
    CHECK_TEXT(test_host_last(&r.host)->url, "ws://two:81/path");
    rig_end(&r);

    rig_init(&r, RIG_NATS);
    r.config.ignore_discovered = true;
    rig_start(&r);
    rig_accept(&r);
    rig_say(&r, "INFO {\"connect_urls\":[\"two:81\"]}\r\nPONG\r\n");
    CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\n");
    rig_end(&r);
}

int main(void)
{
    RUN(resubscribes_with_what_is_left);
    RUN(waits_grow_and_are_jittered);
    RUN(service_must_be_stable_to_reset_the_wait);
    RUN(shared_ends_spread);
    RUN(fixed_waits_and_limits);
    RUN(success_forgives);
    RUN(dropped_servers_do_not_shorten_a_pass);
    RUN(closing_ends_the_wait);
    RUN(the_end_waits_for_its_reason);
    RUN(no_reconnect);
    RUN(reconnects_on_demand);
    RUN(tries_each_server_before_it_waits);
    RUN(retries_the_first_connect_when_asked);
    RUN(learns_servers);
    return test_done();
}
