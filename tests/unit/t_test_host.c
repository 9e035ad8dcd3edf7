/* Goal: the fake host keeps the rules of the host door as strictly as it says,
 * and notices a guest that does not: other tests rest on it. */
#include "natlet/status.h"
#include "support/test.h"
#include "support/test_host.h"

enum { NAME = 1 << 16 };

static test_host t;
static test_conn *conn;

static void begin(void)
{
    test_host_init(&t, 1);
    CHECK_INT(t.host.open(&t, NAME, NATLET_TRANSPORT_TCP, "nats://a:1", 10, NULL, 0), NATLET_OK);
    conn = test_host_last(&t);
}

static void end(uint32_t violations)
{
    CHECK_INT(t.violations, violations);
    test_host_free(&t);
}

/* Polls all events and writes them as "type type ...". */
static const char *events(void)
{
    static char text[64];
    natlet_host_event event;

    text[0] = '\0';
    while (t.host.poll(&t, &event, 1, 0) == 1) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "%s%u", len > 0 ? " " : "", event.type);
    }
    return text;
}

static int32_t receive(uint32_t cap)
{
    uint8_t buf[64];
    return t.host.recv(&t, NAME, buf, cap);
}

static int32_t send(const char *text)
{
    return t.host.send(&t, NAME, (const uint8_t *)text, (uint32_t)strlen(text));
}

static void a_recv_never_crosses_a_segment(void)
{
    begin();
    test_conn_opened(&t, conn);
    test_conn_feed_text(&t, conn, "hello");
    test_conn_feed_text(&t, conn, "you");
    CHECK_INT(receive(64), 5);
    CHECK_INT(receive(2), 2);
    CHECK_INT(receive(64), 1);
    CHECK_INT(receive(64), NATLET_E_AGAIN);
    conn->recv_max = 2;
    test_conn_feed_text(&t, conn, "abc");
    CHECK_INT(receive(64), 2);
    CHECK_INT(test_conn_unread(conn), 1);
    end(0);
}

static void readable_is_raised_again_only_after_again(void)
{
    begin();
    test_conn_feed_text(&t, conn, "early");
    CHECK_TEXT(events(), ""); /* nothing before OPEN */
    test_conn_opened(&t, conn);
    CHECK_TEXT(events(), "1 2");
    CHECK_INT(receive(64), 5);
    test_conn_feed_text(&t, conn, "more");
    CHECK_TEXT(events(), "");
    CHECK_INT(receive(64), 4);
    CHECK_INT(receive(64), NATLET_E_AGAIN);
    test_conn_feed_text(&t, conn, "more");
    CHECK_TEXT(events(), "2");
    end(0);
}

static void what_came_before_the_close_stays_readable(void)
{
    begin();
    test_conn_opened(&t, conn);
    test_conn_feed_text(&t, conn, "last words");
    test_conn_closed(&t, conn, 1001, NATLET_OK);
    CHECK_TEXT(events(), "1 2 4");
    CHECK_INT(send("x"), NATLET_E_CLOSED);
    CHECK_INT(receive(64), 10);
    CHECK_INT(receive(64), NATLET_E_CLOSED);
    end(0);
}

static void a_congested_connection_takes_what_it_was_told(void)
{
    begin();
    CHECK_INT(send("early"), 0);
    test_conn_opened(&t, conn);
    CHECK_TEXT(events(), "1 3");
    test_conn_congest(conn, 7);
    CHECK_INT(send("hello"), 5);
    CHECK_INT(send("hello"), 2);
    CHECK_INT(send("hello"), 0);
    CHECK_TEXT(events(), "");
    test_conn_relieve(&t, conn);
    CHECK_TEXT(events(), "3");
    conn->send_max = 3;
    CHECK_INT(send("four"), 3);
    CHECK_TEXT(events(), "3");
    CHECK_SLICE(test_conn_sent(conn), "hellohefou");
    test_conn_take_sent(conn, 7);
    CHECK_SLICE(test_conn_sent(conn), "fou");
    end(0);
}

static void close_is_followed_by_closed_once(void)
{
    begin();
    test_conn_opened(&t, conn);
    CHECK_INT(t.host.close(&t, NAME, 1000, "bye", 3), NATLET_OK);
    CHECK_INT(t.host.close(&t, NAME, 1000, "bye", 3), NATLET_OK);
    CHECK_TEXT(events(), "1 4");
    CHECK_INT(conn->closes, 2);
    CHECK_TEXT(conn->close_why, "bye");
    CHECK_INT(receive(64), NATLET_E_CLOSED);
    end(0);
}

static void what_a_guest_must_not_do_is_counted(void)
{
    natlet_host_event event;

    begin();
    t.host.open(&t, NAME, 1, "", 0, NULL, 0);     /* the name again: two rules at once */
    t.host.open(&t, 2 * NAME, 1, "", 0, NULL, 0); /* its slot, not closed: by either of two */
    CHECK_INT(t.violations, 4);
    CHECK_INT(t.host.recv(&t, 7, NULL, 1), NATLET_E_INVALID);
    CHECK_INT(t.host.poll(&t, &event, 1, 5), NATLET_E_INVALID);
    end(6);
}

static void only_a_wait_lets_time_pass(void)
{
    natlet_host_event event;

    begin();
    t.info.caps |= NATLET_CAP_BLOCK;
    double before = t.host.clock(&t, NATLET_CLOCK_MONOTONIC);
    test_conn_opened(&t, conn);
    CHECK_INT(t.host.poll(&t, &event, 1, 50), 1);
    CHECK(t.host.clock(&t, NATLET_CLOCK_MONOTONIC) == before);
    CHECK_INT(t.host.poll(&t, &event, 1, 50), 0);
    CHECK(t.host.clock(&t, NATLET_CLOCK_MONOTONIC) == before + 50);
    CHECK_INT(t.host.poll(&t, &event, 1, -1), 0);
    CHECK_INT(t.waits_for_ever, 1);
    end(0);
}

static void the_test_allocator_fails_when_told(void)
{
    test_memory m;

    test_memory_init(&m);
    m.fail_at = 2;
    void *a = m.allocator.resize(&m, NULL, 0, 10);
    CHECK(a != NULL);
    CHECK(m.allocator.resize(&m, a, 10, 20) == NULL);
    void *b = m.allocator.resize(&m, a, 10, 20);
    CHECK(b != NULL && m.live_bytes == 20 && m.live_blocks == 1);
    m.fails_on = true;
    CHECK(m.allocator.resize(&m, NULL, 0, 1) == NULL);
    CHECK(m.allocator.resize(&m, b, 19, 0) == NULL); /* it was 20 */
    CHECK_INT(m.errors, 1);
    CHECK_INT(m.live_bytes + m.live_blocks, 0);
    CHECK_INT(m.refused, 2);
}

int main(void)
{
    RUN(a_recv_never_crosses_a_segment);
    RUN(readable_is_raised_again_only_after_again);
    RUN(what_came_before_the_close_stays_readable);
    RUN(a_congested_connection_takes_what_it_was_told);
    RUN(close_is_followed_by_closed_once);
    RUN(what_a_guest_must_not_do_is_counted);
    RUN(only_a_wait_lets_time_pass);
    RUN(the_test_allocator_fails_when_told);
    return test_done();
}
