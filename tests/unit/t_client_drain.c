/* Goal: flushes and drains end exactly once, in order, after what they promise
 * has happened; closing ends everything at once.
 *
 * Method: virtual time; the rig's server holds its PONGs back. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

static void flushes_end_in_order(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        CHECK(rig_publish(&r, "a", "1") == NATLET_OK);
        CHECK(natlet_client_flush(r.client, 10, rig_on_done, &r) == NATLET_OK);
        CHECK(natlet_client_flush(r.client, 1000, NULL, NULL) == NATLET_OK);
        CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), "PING\r\nPUB a 1\r\n1\r\nPING\r\nPING\r\nPING\r\n");
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "done: done 0 us\n");
        rig_wait_ms(&r, 20);
        CHECK_TEXT(rig_log(&r), "done: the deadline passed 11000 us\n");
        rig_say(&r, "PONG\r\n"); /* the one that gave up keeps its place */
        CHECK_TEXT(rig_log(&r), "");
        rig_say(&r, "PONG\r\nPONG\r\nPONG\r\nPONG\r\n"); /* two that nobody asked for */
        CHECK_TEXT(rig_log(&r), "done: done 20000 us\n");
        rig_end(&r);
    }
}

static void flushes_end_with_the_connection(void)
{
    rig_connected(&r, RIG_NATS);
    CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n"
                            "done: there is no connection to a server right now 0 us\n");
    CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_E_DISCONNECTED);
    rig_wait_ms(&r, 501);
    rig_accept(&r);
    rig_forget_sent(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
    natlet_client_close(r.client);
    CHECK_TEXT(rig_log(&r), "done: the connection is gone 0 us\nstate closed\n");
    CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_E_CLOSED);
    rig_end(&r);
}

static void flushes_are_bounded(void)
{
    int taken = 0;

    rig_connected(&r, RIG_NATS);
    while (natlet_client_flush(r.client, 1000, NULL, NULL) == NATLET_OK) {
        taken++;
    }
    CHECK_INT(taken, 1024);
    CHECK(natlet_client_flush(r.client, 1000, NULL, NULL) == NATLET_E_FULL);
    rig_say(&r, "PONG\r\n");
    CHECK(natlet_client_flush(r.client, 1000, NULL, NULL) == NATLET_OK);
    rig_end(&r);
}

static void drains_a_subscription(void)
{
    char text[128];

    rig_connected(&r, RIG_FRAMED);
    uint32_t a = rig_subscribe(&r, "a");
    uint32_t b = rig_subscribe(&r, "b");
    rig_run(&r);
    rig_forget_sent(&r);
    CHECK(natlet_client_drain_subscription(r.client, a, 1000, rig_on_done, &r) == NATLET_OK);
    rig_run(&r);
    (void)snprintf(text, sizeof text, "UNSUB %u\r\nPING\r\n", (unsigned)a);
    CHECK_TEXT(rig_sent(&r), text);
    (void)snprintf(text, sizeof text, "MSG a %u 1\r\nx\r\nPONG\r\n", (unsigned)a);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), "message 1 a [x]\nended 1: done\ndone: done 0 us\n");
    CHECK(natlet_client_drain_subscription(r.client, a, 1000, rig_on_done, &r) ==
          NATLET_E_NOT_FOUND);
    /* Without an answer it ends by its deadline. */
    CHECK(natlet_client_drain_subscription(r.client, b, 100, rig_on_done, &r) == NATLET_OK);
    rig_wait_ms(&r, 101);
    CHECK_TEXT(rig_log(&r), "ended 2: done\ndone: the deadline passed 101000 us\n");
    /* A broken connection ends it as well, and it is not subscribed again. */
    uint32_t c = rig_subscribe(&r, "c");
    CHECK(natlet_client_drain_subscription(r.client, c, 100, rig_on_done, &r) == NATLET_OK);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\nended 2: done\n"
                            "done: there is no connection to a server right now 0 us\n");
    /* Without a connection nothing is on the way. */
    uint32_t d = rig_subscribe(&r, "d");
    CHECK(natlet_client_drain_subscription(r.client, d, 100, rig_on_done, &r) == NATLET_OK);
    CHECK_TEXT(rig_log(&r), "ended 2: done\ndone: done 0 us\n");
    rig_wait_ms(&r, 501);
    rig_accept(&r);
    rig_forget_sent(&r);
    rig_greet(&r);
    CHECK_TEXT(rig_sent(&r), "");
    rig_end(&r);
}

/* Answers from the sink, as a service does to its last requests. */
static void answer(void *self, uint32_t sid, const natlet_msg *msg)
{
    (void)sid;
    const natlet_msg reply = {.subject = msg->reply, .payload = NATLET_TEXT("ok")};
    rig_note(self, "answered: %s\n", natlet_status_text(natlet_client_publish(r.client, &reply)));
}

static void drains_the_client(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[128];
        uint32_t a;
        rig_connected(&r, way);
        natlet_sink sink = rig_sink(&r);
        sink.message = answer;
        CHECK(natlet_client_subscribe(r.client, &a, rig_text("a"), NULL, &sink) == NATLET_OK);
        uint32_t b = rig_subscribe(&r, "b");
        rig_run(&r);
        rig_forget_sent(&r);
        CHECK(natlet_client_drain(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        CHECK(natlet_client_drain(r.client, 1000, rig_on_done, &r) == NATLET_E_STATE);
        rig_run(&r);
        (void)snprintf(text, sizeof text, "UNSUB %u\r\nUNSUB %u\r\nPING\r\n", (unsigned)a,
                       (unsigned)b);
        CHECK_TEXT(rig_sent(&r), text);
        natlet_sink unused = rig_sink(&r);
        CHECK(natlet_client_subscribe(r.client, &b, rig_text("c"), NULL, &unused) ==
              NATLET_E_DRAINING);
        const natlet_msg msg = {.subject = NATLET_TEXT("s")};
        CHECK(natlet_client_request(r.client, &msg, 1, rig_on_reply, &r, NULL) ==
              NATLET_E_DRAINING);
        (void)snprintf(text, sizeof text, "MSG a %u box 1\r\nx\r\nPONG\r\n", (unsigned)a);
        rig_say(&r, text);
        CHECK_TEXT(rig_log(&r), "state draining\nanswered: done\nended 1: done\nended 2: done\n");
        CHECK_TEXT(rig_sent(&r), "PUB box 2\r\nok\r\nPING\r\n");
        CHECK(rig_publish(&r, "late", "") == NATLET_E_DRAINING);
        test_host_advance_us(&r.host, 7);
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "done: done 7 us\nstate closed\n");
        CHECK_INT(r.conn->close_code, 1000);
        CHECK(natlet_client_drain(r.client, 1000, rig_on_done, &r) == NATLET_E_CLOSED);
        CHECK(natlet_client_connect(r.client) == NATLET_OK); /* its deadline is forgotten */
        rig_run(&r);
        rig_accept(&r);
        rig_greet(&r);
        rig_wait_ms(&r, 2000);
        CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\n");
        rig_end(&r);
    }
}

static void a_drain_has_a_deadline(void)
{
    rig_connected(&r, RIG_NATS);
    (void)rig_subscribe(&r, "a");
    CHECK(natlet_client_drain(r.client, 0, rig_on_done, &r) == NATLET_OK);
    rig_wait_ms(&r, 29999);
    CHECK_TEXT(rig_log(&r), "state draining\n");
    rig_wait_ms(&r, 2);
    CHECK_TEXT(rig_log(&r), "done: the deadline passed 30000000 us\n"
                            "ended 1: the connection is gone\nstate closed: the deadline passed\n");
    rig_end(&r);
}

static void a_broken_connection_ends_a_drain(void)
{
    rig_connected(&r, RIG_NATS);
    (void)rig_subscribe(&r, "a");
    CHECK(natlet_client_drain(r.client, 0, rig_on_done, &r) == NATLET_OK);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state draining\n"
                            "done: there is no connection to a server right now 0 us\n"
                            "ended 1: done\nstate closed: the network failed\n");
    CHECK(natlet_client_drain(r.client, 0, rig_on_done, &r) == NATLET_E_CLOSED);
    rig_end(&r);
    rig_init(&r, RIG_NATS);
    rig_start(&r);
    CHECK(natlet_client_drain(r.client, 0, rig_on_done, &r) == NATLET_E_STATE);
    rig_end(&r);
}

static void closing_sends_what_waits(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        (void)rig_subscribe(&r, "a");
        CHECK(rig_publish(&r, "b", "last") == NATLET_OK);
        natlet_client_close(r.client);
        CHECK(strstr(rig_sent(&r), "PUB b 4\r\nlast\r\n") != NULL);
        CHECK_TEXT(rig_log(&r), "ended 1: the connection is gone\nstate closed\n");
        natlet_client_close(r.client);
        CHECK_TEXT(rig_log(&r), "");
        natlet_sink sink = rig_sink(&r);
        uint32_t sid;
        CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, &sink) ==
              NATLET_E_CLOSED);
        CHECK(rig_publish(&r, "b", "") == NATLET_E_CLOSED);
        rig_run(&r);
        CHECK(natlet_client_connect(r.client) == NATLET_OK); /* and again */
        rig_run(&r);
        rig_accept(&r);
        rig_greet(&r);
        CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\n");
        rig_end(&r);
    }
}

int main(void)
{
    RUN(flushes_end_in_order);
    RUN(flushes_end_with_the_connection);
    RUN(flushes_are_bounded);
    RUN(drains_a_subscription);
    RUN(drains_the_client);
    RUN(a_drain_has_a_deadline);
    RUN(a_broken_connection_ends_a_drain);
    RUN(closing_sends_what_waits);
    return test_done();
}
