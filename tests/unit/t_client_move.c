/* Goal: a client leaves a server that will shut down before it goes: nothing is lost,
 * nothing is subscribed twice at the end, everything ends in time.
 *
 * Method: virtual time; the rig's server has two connections, `was` and the new one. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static test_conn *was;

#define TWO "nats://one:4222,nats://two:4222"
#define LAME "INFO {\"headers\":true,\"ldm\":true,\"max_payload\":1048576}\r\n"

static const char *servers_of(rig_way way)
{
    return way == RIG_NATS ? TWO : "ws://one:8080/p,ws://two:8080/p";
}

/* Connected to `one`, which says that it will shut down. */
static void warned(rig_way way, const char *servers)
{
    rig_start_with(&r, way, servers);
    rig_accept(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    was = r.conn;
}

/* What it says and what we sent there, while the rig's is the other one. */
static void say_on(test_conn *conn, const char *text)
{
    test_conn *now = r.conn;

    r.conn = conn;
    rig_say(&r, text);
    r.conn = now;
}

static const char *sent_on(test_conn *conn)
{
    test_conn *now = r.conn;

    r.conn = conn;
    const char *sent = rig_sent(&r);
    r.conn = now;
    return sent;
}

static void dials_the_other(void)
{
    (void)rig_sent(&r);
    (void)rig_log(&r);
    rig_say(&r, LAME);
    CHECK_TEXT(rig_log(&r), "lame duck\n");
    CHECK(rig_wait_for_dial(&r, 6000) <= 5001);
    CHECK(strstr(test_host_last(&r.host)->url, "two") != NULL);
    CHECK_INT(was->closes, 0);
}

static void moves_without_a_gap(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[200];

        warned(way, servers_of(way));
        uint32_t sid = rig_subscribe(&r, "a");
        rig_run(&r);
        dials_the_other();
        (void)snprintf(text, sizeof text, "MSG a %u 1\r\n1\r\n", (unsigned)sid);
        rig_say(&r, text); /* it serves on */
        CHECK_TEXT(rig_log(&r), "message 1 a [1]\n");
        CHECK(natlet_client_flush(r.client, 60000, rig_on_done, &r) == NATLET_OK);
        rig_accept(&r);
        CHECK(rig_publish(&r, "p", "to one") == NATLET_OK);
        rig_say(&r, RIG_INFO);
        rig_forget_sent(&r);
        CHECK_TEXT(sent_on(was), "PING\r\nPUB p 6\r\nto one\r\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), way == RIG_NATS ? "migrated (nats://two:4222)\n"
                                                : "migrated (ws://two:8080/p)\n");
        (void)snprintf(text, sizeof text, "SUB a %u\r\nPING\r\n", (unsigned)sid);
        CHECK_TEXT(rig_sent(&r), text);
        CHECK_TEXT(sent_on(was), "PING\r\n");
        CHECK(rig_publish(&r, "p", "to two") == NATLET_OK);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), "PUB p 6\r\nto two\r\n");
        say_on(was, "PONG\r\n"); /* of the flush that it was asked */
        CHECK(strncmp(rig_log(&r), "done: done", 10) == 0);
        rig_say(&r, "PONG\r\n");
        (void)snprintf(text, sizeof text, "MSG a %u 1\r\n2\r\nPING\r\n", (unsigned)sid);
        say_on(was, text);
        CHECK_TEXT(rig_log(&r), "message 1 a [2]\n");
        CHECK_TEXT(sent_on(was), "PONG\r\n");
        rig_wait_ms(&r, 300);
        (void)snprintf(text, sizeof text, "UNSUB %u\r\nPING\r\n", (unsigned)sid);
        CHECK_TEXT(sent_on(was), text);
        CHECK(natlet_client_flush(r.client, 60000, rig_on_done, &r) == NATLET_OK);
        rig_run(&r);
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), ""); /* the old one may still hold some of it */
        (void)snprintf(text, sizeof text, "PONG\r\nMSG a %u 1\r\n3\r\nPONG\r\n", (unsigned)sid);
        rig_forget_sent(&r);
        say_on(was, text);
        CHECK_TEXT(rig_log(&r), "message 1 a [3]\n");
        CHECK_INT(was->closes, 1);
        CHECK_TEXT(rig_sent(&r), "PING\r\nPING\r\n");
        rig_say(&r, "PONG\r\n");
        CHECK(strncmp(rig_log(&r), "done: done", 10) == 0);
        natlet_client_stats stats = natlet_client_stats_now(r.client);
        CHECK_INT(stats.migrations, 1);
        CHECK_INT(stats.reconnects, 0);
        rig_end(&r);
    }
}

/* The last message of a limited subscription comes through the server that is left. */
static void counts_what_both_deliver(void)
{
    char text[200];
    uint32_t sid;
    natlet_sink sink = rig_sink(&r);
    const natlet_subscribe_options four = {.max = 4};

    warned(RIG_NATS, TWO);
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), &four, &sink) == NATLET_OK);
    rig_run(&r);
    (void)snprintf(text, sizeof text, "MSG a %u 1\r\n1\r\n", (unsigned)sid);
    rig_say(&r, text);
    dials_the_other();
    rig_come_back(&r);
    char want[200];
    (void)snprintf(want, sizeof want, "SUB a %u\r\nUNSUB %u 3\r\nPING\r\n", (unsigned)sid,
                   (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), want);
    rig_say(&r, text);
    say_on(was, text);
    (void)snprintf(want, sizeof want, "UNSUB %u 2\r\n", (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), want);
    (void)rig_log(&r);
    say_on(was, text);
    CHECK_TEXT(rig_log(&r), "message 1 a [1]\nended 1: done\n");
    (void)snprintf(want, sizeof want, "UNSUB %u 1\r\n", (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), want);
    rig_end(&r);
}

static void a_server_that_fails_is_passed_over(void)
{
    warned(RIG_NATS, TWO ",nats://three:4222");
    dials_the_other();
    rig_fail_attempt(&r);
    CHECK(strncmp(rig_log(&r), "error: the network failed", 25) == 0);
    rig_wait_ms(&r, 1);
    CHECK(strstr(test_host_last(&r.host)->url, "three") != NULL);
    rig_wait_ms(&r, 20000); /* never opens */
    CHECK_INT(r.host.conn_count, 3);
    CHECK_INT(natlet_client_state_now(r.client), NATLET_CLIENT_CONNECTED);
    (void)rig_log(&r);
    r.conn = was;
    rig_closed(&r, 0, NATLET_OK);
    CHECK(strncmp(rig_log(&r), "state reconnecting", 18) == 0);
    CHECK(rig_wait_for_dial(&r, 6000) <= 5001);
    rig_come_back(&r);
    CHECK_TEXT(rig_log(&r), "state connected\n");
    CHECK_INT(natlet_client_stats_now(r.client).migrations, 0);
    rig_end(&r);
}

static void alone_it_stays(void)
{
    warned(RIG_NATS, NULL);
    rig_say(&r, LAME);
    rig_wait_ms(&r, 10000);
    CHECK_INT(r.host.conn_count, 1);
    rig_end(&r);
}

/* Either connection may end at any stage; `cut` counts them. */
static void any_end_is_survived(void)
{
    for (int cut = 0; cut < 8; cut++) {
        warned(RIG_FRAMED, servers_of(RIG_FRAMED));
        uint32_t sid = rig_subscribe(&r, "a");
        rig_run(&r);
        dials_the_other();
        if (cut >= 2) {
            rig_accept(&r);
            rig_greet(&r);
        }
        if (cut >= 4) {
            rig_say(&r, "PONG\r\n");
            CHECK(natlet_client_flush(r.client, 3000, rig_on_done, &r) == NATLET_OK);
        }
        if (cut >= 6) {
            rig_wait_ms(&r, 300);
        }
        (void)rig_log(&r);
        test_conn *newest = test_host_last(&r.host);
        r.conn = cut % 2 == 0 ? was : newest;
        rig_closed(&r, 0, NATLET_E_IO);
        rig_wait_ms(&r, 1);
        CHECK_INT(natlet_client_state_now(r.client), cut == 0 || cut == 3 || cut == 5 || cut == 7
                                                         ? NATLET_CLIENT_RECONNECTING
                                                         : NATLET_CLIENT_CONNECTED);
        if (natlet_client_state_now(r.client) == NATLET_CLIENT_RECONNECTING) {
            CHECK(rig_wait_for_dial(&r, 6000) <= 5001);
            CHECK(was->is_closed || was->closes == 1);
            rig_come_back(&r);
            CHECK(strstr(rig_sent(&r), "SUB a") != NULL);
        }
        (void)sid;
        rig_wait_ms(&r, 5000);
        rig_end(&r);
    }
}

/* Closed, drained or reconnected at any stage. */
static void any_call_is_right(void)
{
    for (int n = 0; n < 12; n++) {
        warned(RIG_NATS, TWO);
        (void)rig_subscribe(&r, "a");
        rig_say(&r, LAME);
        if (n >= 3) {
            (void)rig_wait_for_dial(&r, 6000);
        }
        if (n >= 6) {
            rig_come_back(&r);
        }
        if (n >= 9) {
            rig_say(&r, "PONG\r\n");
            rig_wait_ms(&r, 300);
        }
        (void)rig_log(&r);
        if (n % 3 == 0) {
            natlet_client_close(r.client);
            CHECK(strstr(rig_log(&r), "state closed") != NULL);
        } else if (n % 3 == 1) {
            CHECK(natlet_client_drain(r.client, 4000, rig_on_done, &r) == NATLET_OK);
            r.conn = n < 6 ? was : r.conn;
            for (int i = 0; i < 4; i++) {
                rig_run(&r);
                rig_say(&r, "PONG\r\n");
            }
            rig_wait_ms(&r, 3900);
            for (int i = 0; i < 4 && natlet_client_state_now(r.client) != NATLET_CLIENT_CLOSED;
                 i++) {
                rig_say(&r, "PONG\r\n");
            }
            CHECK(strstr(rig_log(&r), "done: done") != NULL);
        } else {
            CHECK(natlet_client_reconnect(r.client) == NATLET_OK);
            rig_run(&r);
            rig_come_back(&r);
            CHECK(strstr(rig_log(&r), "state connected") != NULL);
        }
        CHECK_INT(was->closes, 1);
        rig_end(&r);
    }
}

/* The n-th allocation fails: it moves, or stays and comes back later. */
static bool moves_with_failure(uint32_t n)
{
    warned(RIG_FRAMED, servers_of(RIG_FRAMED));
    (void)rig_subscribe(&r, "a");
    rig_run(&r);
    r.memory.fail_at = r.memory.requests + n;
    rig_say(&r, LAME);
    if (rig_wait_for_dial(&r, 6000) < 5500) {
        rig_accept(&r);
        rig_say(&r, RIG_INFO);
        rig_say(&r, "PONG\r\n");
        rig_forget_sent(&r);
        rig_say(&r, "PONG\r\n");
        rig_wait_ms(&r, 6000);
    }
    CHECK_INT(natlet_client_state_now(r.client), NATLET_CLIENT_CONNECTED);
    bool failed = r.memory.refused > 0;
    rig_end(&r);
    return failed;
}

static void every_allocation_may_fail(void)
{
    uint32_t n = 1;

    while (moves_with_failure(n)) {
        n++;
    }
    CHECK(n > 4);
}

int main(void)
{
    RUN(moves_without_a_gap);
    RUN(counts_what_both_deliver);
    RUN(a_server_that_fails_is_passed_over);
    RUN(alone_it_stays);
    RUN(any_end_is_survived);
    RUN(any_call_is_right);
    RUN(every_allocation_may_fail);
    return test_done();
}
