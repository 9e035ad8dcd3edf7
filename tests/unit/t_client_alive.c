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

int main(void)
{
    RUN(a_silent_server_is_found_out);
    RUN(what_is_heard_counts_as_life);
    RUN(suspicion_is_probed);
    return test_done();
}
