/* Goal: a dead link is found out in time, and a live one is left alone.
 *
 * Method: virtual time; the rig's server goes silent. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

static void a_silent_server_is_found_out(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        uint64_t interval = way == RIG_NATS ? 60000 : 50000;
        rig_connected(&r, way);
        rig_forget_sent(&r);
        rig_wait_ms(&r, interval + 10);
        CHECK_TEXT(rig_sent(&r), "PING\r\n");
        rig_say(&r, "PONG\r\n");
        rig_wait_ms(&r, 2 * interval);
        CHECK_TEXT(rig_sent(&r), "PING\r\nPING\r\n");
        CHECK_TEXT(rig_log(&r), "");
        rig_wait_ms(&r, interval);
        CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
        CHECK_INT(r.conn->closes, 1);
        rig_end(&r);
    }
}

static void what_is_heard_counts_as_life(void)
{
    rig_connected(&r, RIG_NATS);
    for (int i = 0; i < 10; i++) { /* PONGs are behind other data, say */
        rig_wait_ms(&r, 60000);
        rig_say(&r, "+OK\r\n");
    }
    CHECK_TEXT(rig_log(&r), "");
    rig_end(&r);
}

static void suspicion_is_probed(void)
{
    rig_connected(&r, RIG_WS);
    test_host_hint(&r.host, NATLET_HINT_RESUME);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "PING\r\n");
    rig_say(&r, "PONG\r\n");
    rig_wait_ms(&r, 30000);
    CHECK_TEXT(rig_log(&r), "");
    test_host_hint(&r.host, NATLET_HINT_ONLINE);
    rig_run(&r);
    rig_wait_ms(&r, 5100);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
    rig_end(&r);

    rig_connected(&r, RIG_WS); /* the program slept: the timer is late */
    test_host_advance_ms(&r.host, 3600000);
    rig_run(&r);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 5100);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
    rig_wait_ms(&r, 500);
    r.conn = test_host_last(&r.host);
    rig_closed(&r, 0, NATLET_E_IO);
    uint32_t before = r.host.conn_count;
    CHECK_INT(before, 2);
    test_host_hint(&r.host, NATLET_HINT_ONLINE); /* no reason to wait on */
    rig_run(&r);
    CHECK_INT(r.host.conn_count, before + 1);
    rig_end(&r);
}

static void block_and_publish(void)
{
    rig_forget_sent(&r);
    test_conn_congest(r.conn, 3);
    CHECK(rig_publish(&r, "a", "x") == NATLET_OK);
    rig_run(&r);
}

static void a_blocked_send_is_probed(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way); /* for ever */
        block_and_publish();
        rig_wait_ms(&r, 9900);
        CHECK_TEXT(rig_log(&r), "");
        rig_wait_ms(&r, 200);
        CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
        rig_end(&r);

        rig_connected(&r, way); /* too long, but the server lives */
        block_and_publish();
        rig_wait_ms(&r, 5100);
        test_conn_relieve(&r.host, r.conn);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), "PUB a 1\r\nx\r\nPING\r\n");
        rig_say(&r, "PONG\r\n");
        rig_wait_ms(&r, 49000);
        CHECK_TEXT(rig_log(&r), "");
        CHECK_TEXT(rig_sent(&r), "PING\r\n"); /* one: then at the usual pace */
        rig_end(&r);

        rig_connected(&r, way); /* not for long: nobody is asked */
        block_and_publish();
        rig_wait_ms(&r, 4000);
        test_conn_relieve(&r.host, r.conn);
        rig_wait_ms(&r, 500);
        CHECK_TEXT(rig_sent(&r), "PUB a 1\r\nx\r\n");
        rig_end(&r);
    }
}

/* Who asks more often than that has an answer sooner. */
static void a_short_interval_stays(void)
{
    rig_init(&r, RIG_NATS);
    r.config.ping_ms = 1000;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    block_and_publish();
    rig_wait_ms(&r, 2900);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 200);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
    rig_end(&r);
}

/* A server that reads a little now and then is slow, not dead. */
static void a_slow_reader_is_left_alone(void)
{
    static uint8_t payload[10000];
    const natlet_msg msg = {.subject = NATLET_TEXT("a"), .payload = {payload, sizeof payload}};

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        test_conn_congest(r.conn, 0);
        CHECK(natlet_client_publish(r.client, &msg) == NATLET_OK);
        for (int i = 0; i < 40; i++) {
            rig_wait_ms(&r, 3000);
            test_conn_relieve(&r.host, r.conn);
            test_conn_congest(r.conn, 100);
            rig_run(&r);
        }
        CHECK_TEXT(rig_log(&r), "");
        test_conn_congest(r.conn, 0);
        rig_wait_ms(&r, 15100);
        CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
        rig_end(&r);
    }
}

static void a_clock_that_jumps_is_probed(void)
{
    rig_connected(&r, RIG_NATS);
    r.host.unix_us += 4000000; /* set right by the system */
    rig_wait_ms(&r, 60010);
    CHECK_INT(natlet_client_stats_now(r.client).probes, 0);
    rig_say(&r, "PONG\r\n");
    r.host.unix_us += 3600000000; /* it slept, and its clock with it */
    rig_wait_ms(&r, 60010);
    CHECK_INT(natlet_client_stats_now(r.client).probes, 1);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 5010);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the server stopped answering\n");
    rig_end(&r);
}

static void a_request_in_silence_is_probed(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("s")};

    rig_connected(&r, RIG_WS);
    rig_wait_ms(&r, 20000);
    CHECK(natlet_client_request(r.client, &msg, 60000, rig_on_reply, &r, NULL) == NATLET_OK);
    rig_wait_ms(&r, 9900);
    rig_forget_sent(&r);
    rig_wait_ms(&r, 200);
    CHECK_TEXT(rig_sent(&r), "PING\r\n");
    rig_say(&r, "PONG\r\n"); /* the server lives */
    rig_wait_ms(&r, 4900);
    CHECK_TEXT(rig_sent(&r), "");
    rig_wait_ms(&r, 15100);
    CHECK(strstr(rig_log(&r), "state reconnecting: the server stopped answering") != NULL);
    CHECK_INT(natlet_client_stats_now(r.client).probes, 2);
    rig_end(&r);
}

int main(void)
{
    RUN(a_silent_server_is_found_out);
    RUN(what_is_heard_counts_as_life);
    RUN(suspicion_is_probed);
    RUN(a_blocked_send_is_probed);
    RUN(a_short_interval_stays);
    RUN(a_slow_reader_is_left_alone);
    RUN(a_clock_that_jumps_is_probed);
    RUN(a_request_in_silence_is_probed);
    return test_done();
}
