/* Goal: a pulled subscription gives its messages in order to who asks, keeps to its
 * limits, says once that it drops and counts what it drops; what ends it waits until
 * all was taken, and not beyond its deadline.
 *
 * Method: the rig's server sends; every message is read back byte by byte; memory is
 * counted, and fails where the test says. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static uint32_t sid;

static void on_ended(void *self, uint32_t of, natlet_status why)
{
    rig_note(self, "ended: %s\n", natlet_status_text(why));
    CHECK(of == sid);
}

static void pull(const char *subject, uint32_t messages_max, uint32_t bytes_max, uint64_t max)
{
    const natlet_subscribe_options options = {
        .pending_messages_max = messages_max, .pending_bytes_max = bytes_max, .max = max};
    const natlet_sink sink = {.self = &r, .ended = on_ended};

    CHECK(natlet_client_subscribe(r.client, &sid, rig_text(subject), &options, &sink) == NATLET_OK);
    rig_run(&r);
    rig_forget_sent(&r);
    (void)rig_log(&r);
}

static void start(uint32_t messages_max, uint32_t bytes_max, uint64_t max)
{
    rig_connected(&r, RIG_WS);
    pull("p", messages_max, bytes_max, max);
}

static void say(const char *payload)
{
    char text[256];

    (void)snprintf(text, sizeof text, "MSG p %u %u\r\n%s\r\n", (unsigned)sid,
                   (unsigned)strlen(payload), payload);
    rig_say(&r, text);
}

static void say_numbers(int from, int to)
{
    char text[16];

    for (int i = from; i <= to; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        say(text);
    }
}

/* Takes one; its payload, or the status that says why there is none. */
static const char *take(void)
{
    static char text[128];
    natlet_msg msg;
    natlet_status st = natlet_client_next(r.client, sid, &msg);

    if (st != NATLET_OK) {
        CHECK_INT(msg.subject.len + msg.payload.len, 0);
        return natlet_status_text(st);
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)msg.payload.len, (const char *)msg.payload.ptr);
    CHECK(natlet_client_release(r.client, sid) == NATLET_OK);
    return text;
}

static natlet_subscription_info info(void)
{
    natlet_subscription_info out;

    CHECK(natlet_client_subscription_info(r.client, sid, &out) == NATLET_OK);
    return out;
}

static void gives_whole_messages_in_order(void)
{
    natlet_msg msg;
    natlet_msg again;
    char text[200];

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        pull("p.*", 0, 0, 0);
        CHECK_TEXT(take(), "nothing is queued");
        (void)snprintf(text, sizeof text,
                       "HMSG p.a %u re.ply 17 20\r\nNATS/1.0\r\nA:1\r\n\r\none\r\n"
                       "MSG p.b %u 0\r\n\r\n",
                       (unsigned)sid, (unsigned)sid);
        rig_say(&r, text);
        CHECK(natlet_client_release(r.client, sid) == NATLET_EMPTY);
        CHECK(natlet_client_next(r.client, sid, &msg) == NATLET_OK);
        rig_say(&r, "PING\r\nPING\r\n"); /* the window is another one by now */
        CHECK_SLICE(msg.subject, "p.a");
        CHECK_SLICE(msg.reply, "re.ply");
        CHECK_SLICE(msg.headers, "NATS/1.0\r\nA:1\r\n\r\n");
        CHECK_SLICE(msg.payload, "one");
        CHECK(natlet_client_next(r.client, sid, &again) == NATLET_OK);
        CHECK(again.payload.ptr == msg.payload.ptr);
        CHECK(natlet_client_release(r.client, sid) == NATLET_OK);
        CHECK(natlet_client_release(r.client, sid) == NATLET_EMPTY);
        CHECK(natlet_client_next(r.client, sid, &msg) == NATLET_OK);
        CHECK_SLICE(msg.subject, "p.b");
        CHECK_SLICE(msg.payload, "");
        CHECK(natlet_client_release(r.client, sid) == NATLET_OK);
        CHECK_TEXT(take(), "nothing is queued");
        CHECK_INT(natlet_client_stats_now(r.client).in_messages, 2);
        rig_end(&r);
    }
}

static void keeps_to_its_limits_and_says_so_once(void)
{
    start(4, 0, 0);
    say_numbers(1, 4);
    CHECK_TEXT(rig_log(&r), "");
    say_numbers(5, 7);
    CHECK_TEXT(rig_log(&r), "slow: no room is left; try again when some was freed sid 1\n");
    CHECK_INT(info().dropped, 3);
    CHECK_INT(info().pending_messages, 4);
    CHECK_INT(info().pending_bytes, 4 * 2);
    CHECK_TEXT(take(), "1");
    say_numbers(8, 9); /* the episode goes on until half is free */
    CHECK_TEXT(rig_log(&r), "");
    CHECK_INT(info().dropped, 4);
    CHECK_TEXT(take(), "2");
    CHECK_TEXT(take(), "3");
    say_numbers(10, 12);
    CHECK_TEXT(rig_log(&r), "slow: no room is left; try again when some was freed sid 1\n");
    CHECK_TEXT(take(), "4");
    CHECK_TEXT(take(), "8");
    CHECK_TEXT(take(), "10");
    CHECK_TEXT(take(), "11");
    CHECK_TEXT(take(), "nothing is queued");
    CHECK_INT(info().dropped, 5);
    CHECK_INT(info().delivered, 7);
    CHECK_INT(info().most_messages, 4);
    CHECK_INT(natlet_client_stats_now(r.client).dropped, 5);
    rig_end(&r);
}

static void bytes_are_a_limit_too(void)
{
    start(0, 20, 0);
    say("12345678");  /* nine with the subject */
    say("123456789"); /* nineteen */
    say("");
    CHECK_TEXT(rig_log(&r), "");
    CHECK_INT(info().pending_bytes, 20);
    say("");
    CHECK_TEXT(rig_log(&r), "slow: no room is left; try again when some was freed sid 1\n");
    CHECK_TEXT(take(), "12345678");
    say("12345678901234567890"); /* larger than all of it */
    CHECK_INT(info().dropped, 2);
    say("12345678");
    CHECK_INT(info().pending_bytes, 20);
    CHECK_INT(info().most_bytes, 20);
    rig_end(&r);
}

static uint32_t told;

static void on_slow(void *self, const natlet_client_event *event)
{
    (void)self;
    if (event->kind == NATLET_CLIENT_EV_SLOW_CONSUMER) {
        told++;
        CHECK(natlet_client_unsubscribe(r.client, event->sid, 0) == NATLET_OK);
    }
}

static void a_callback_may_end_the_slow_one(void)
{
    rig_init(&r, RIG_NATS);
    r.config.on_event = on_slow;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    pull("p", 2, 0, 0);
    say_numbers(1, 4);
    CHECK_INT(told, 1);
    CHECK_TEXT(take(), "there is nothing by that name or number");
    CHECK_INT(natlet_client_stats_now(r.client).dropped, 3);
    CHECK_INT(natlet_client_stats_now(r.client).unrouted, 1);
    rig_end(&r);
}

static void a_maximum_ends_it_when_all_was_taken(void)
{
    start(0, 0, 3);
    say_numbers(1, 4);
    CHECK_TEXT(rig_log(&r), "");
    CHECK_INT(natlet_client_stats_now(r.client).unrouted, 1);
    CHECK_TEXT(take(), "1");
    CHECK_TEXT(take(), "2");
    CHECK_TEXT(rig_log(&r), "");
    CHECK_TEXT(take(), "3");
    CHECK_TEXT(rig_log(&r), "ended: done\n");
    CHECK_TEXT(take(), "there is nothing by that name or number");
    CHECK(natlet_client_release(r.client, sid) == NATLET_E_NOT_FOUND);
    rig_end(&r);
}

/* One that is over but for what it holds is not subscribed again. */
static void what_it_holds_outlives_the_connection(void)
{
    start(0, 0, 2);
    uint32_t over = sid;
    say_numbers(1, 2);
    pull("q", 0, 0, 0);
    uint32_t live = sid;
    say_numbers(3, 3);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n");
    rig_wait_ms(&r, 501);
    rig_accept(&r);
    rig_forget_sent(&r);
    rig_greet(&r);
    const char *sent = rig_sent(&r);
    CHECK(strstr(sent, "SUB q ") != NULL && strstr(sent, "SUB p ") == NULL);
    CHECK_TEXT(take(), "3");
    sid = over;
    CHECK_TEXT(take(), "1");
    CHECK_TEXT(take(), "2");
    CHECK_TEXT(rig_log(&r), "state connected\nended: done\n");
    sid = live;
    CHECK_TEXT(take(), "nothing is queued");
    rig_end(&r);
}

static void ended_at_once_it_drops_what_it_holds(void)
{
    start(0, 0, 0);
    say_numbers(1, 3);
    CHECK(natlet_client_unsubscribe(r.client, sid, 0) == NATLET_OK);
    CHECK_TEXT(rig_log(&r), "ended: done\n");
    CHECK_TEXT(take(), "there is nothing by that name or number");
    CHECK_INT(natlet_client_stats_now(r.client).dropped, 3);
    pull("p", 0, 0, 0);
    say_numbers(1, 2);
    CHECK(natlet_client_unsubscribe(r.client, sid, 2) == NATLET_OK); /* reached: not at once */
    CHECK_TEXT(rig_log(&r), "");
    CHECK_TEXT(take(), "1");
    natlet_client_close(r.client);
    CHECK_TEXT(rig_log(&r), "ended: the connection is gone\nstate closed\n");
    CHECK_INT(natlet_client_stats_now(r.client).dropped, 4);
    rig_end(&r);
}

static void drains_wait_until_all_was_taken(void)
{
    start(0, 0, 0);
    say_numbers(1, 1);
    CHECK(natlet_client_drain_subscription(r.client, sid, 1000, rig_on_done, &r) == NATLET_OK);
    CHECK(natlet_client_drain_subscription(r.client, sid, 1000, rig_on_done, &r) == NATLET_OK);
    rig_run(&r);
    CHECK(info().is_draining);
    CHECK_TEXT(take(), "1"); /* empty, but the server has not said that it was all */
    CHECK_TEXT(rig_log(&r), "");
    say_numbers(2, 3);
    rig_say(&r, "PONG\r\n");
    rig_wait_ms(&r, 100);
    CHECK_TEXT(rig_log(&r), "");
    CHECK_TEXT(take(), "2");
    CHECK_TEXT(rig_log(&r), "");
    CHECK_TEXT(take(), "3");
    CHECK_TEXT(rig_log(&r), "ended: done\ndone: done 100000 us\n");
    rig_say(&r, "PONG\r\n"); /* the other drain */
    CHECK_TEXT(rig_log(&r), "done: done 100000 us\n");
    rig_end(&r);
}

static void drains_have_a_deadline(void)
{
    start(0, 0, 0);
    say_numbers(1, 2);
    CHECK(natlet_client_drain_subscription(r.client, sid, 50, rig_on_done, &r) == NATLET_OK);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(take(), "1");
    rig_wait_ms(&r, 60);
    CHECK_TEXT(rig_log(&r), "ended: done\ndone: the deadline passed 51000 us\n");
    CHECK_TEXT(take(), "there is nothing by that name or number");
    CHECK_INT(natlet_client_stats_now(r.client).dropped, 1);
    rig_end(&r);
}

static void drains_without_a_connection_wait_too(void)
{
    start(0, 0, 0);
    say_numbers(1, 1);
    rig_closed(&r, 0, NATLET_E_IO);
    (void)rig_log(&r);
    CHECK(natlet_client_drain_subscription(r.client, sid, 5000, rig_on_done, &r) == NATLET_OK);
    CHECK_TEXT(rig_log(&r), "");
    CHECK_TEXT(take(), "1");
    CHECK_TEXT(rig_log(&r), "ended: done\ndone: done 0 us\n");
    rig_wait_ms(&r, 501);
    rig_accept(&r);
    rig_forget_sent(&r);
    rig_greet(&r);
    CHECK_TEXT(rig_sent(&r), "");
    rig_end(&r);
}

static void a_drain_of_all_waits_until_all_was_taken(void)
{
    start(0, 0, 0);
    uint32_t first = sid;
    say_numbers(1, 1);
    pull("q", 0, 0, 0);
    uint32_t second = sid;
    say_numbers(2, 2);
    pull("empty", 0, 0, 0);
    CHECK(natlet_client_drain(r.client, 1000, rig_on_done, &r) == NATLET_OK);
    rig_run(&r);
    rig_forget_sent(&r);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "state draining\nended: done\n");
    CHECK_TEXT(rig_sent(&r), "");
    sid = first;
    CHECK_TEXT(take(), "1");
    CHECK(rig_publish(&r, "answer", "x") == NATLET_OK); /* as a callback might */
    sid = second;
    CHECK_TEXT(take(), "2");
    CHECK_TEXT(rig_log(&r), "ended: done\nended: done\n");
    CHECK(rig_publish(&r, "late", "x") == NATLET_E_DRAINING);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "PUB answer 1\r\nx\r\nPING\r\n");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "done: done 0 us\nstate closed\n");
    rig_end(&r);
}

static void a_drain_of_all_has_a_deadline(void)
{
    start(0, 0, 0);
    say_numbers(1, 2);
    CHECK(natlet_client_drain(r.client, 1000, rig_on_done, &r) == NATLET_OK);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(take(), "1");
    rig_wait_ms(&r, 1000);
    CHECK_TEXT(rig_log(&r), "state draining\ndone: the deadline passed 1000000 us\n"
                            "ended: the connection is gone\nstate closed: the deadline passed\n");
    CHECK_INT(natlet_client_stats_now(r.client).dropped, 1);
    rig_end(&r);
}

static void what_is_not_pulled_gives_nothing(void)
{
    natlet_msg msg;

    rig_connected(&r, RIG_NATS);
    sid = rig_subscribe(&r, "p");
    say("x");
    CHECK_TEXT(rig_log(&r), "message 1 p [x]\n");
    CHECK(natlet_client_next(r.client, sid, &msg) == NATLET_E_NOT_FOUND);
    CHECK(natlet_client_release(r.client, sid) == NATLET_E_NOT_FOUND);
    CHECK_INT(info().delivered, 1);
    CHECK_INT(info().pending_messages, 0);
    CHECK(!info().is_draining);
    CHECK(natlet_client_next(r.client, 12345, &msg) == NATLET_E_NOT_FOUND);
    rig_end(&r);
}

static void without_memory_a_message_is_dropped_and_told(void)
{
    start(0, 0, 0);
    say("1");
    r.memory.fail_at = r.memory.requests + 1;
    say("2");
    CHECK_TEXT(rig_log(&r), "slow: the memory budget is used up sid 1\n");
    say("3");
    CHECK_INT(info().dropped, 1);
    CHECK_TEXT(take(), "1");
    CHECK_TEXT(take(), "3");
    rig_end(&r);
}

/* A life of pulling with the n-th allocation failing; returns whether it did. */
static bool live_with_failure(uint32_t n)
{
    const natlet_subscribe_options options = {.pending_messages_max = 8};
    uint32_t got = 0;
    natlet_subscription_info now;

    rig_connected(&r, RIG_NATS);
    r.memory.fail_at = r.memory.requests + n;
    natlet_status st = natlet_client_subscribe(r.client, &sid, rig_text("p"), &options, NULL);
    if (st < 0) {
        CHECK(st == NATLET_E_NO_MEMORY);
        CHECK(natlet_client_subscribe(r.client, &sid, rig_text("p"), &options, NULL) == NATLET_OK);
    }
    say_numbers(1, 4);
    CHECK(natlet_client_subscription_info(r.client, sid, &now) == NATLET_OK);
    st = natlet_client_drain_subscription(r.client, sid, 1000, rig_on_done, &r);
    if (st < 0) {
        CHECK(st == NATLET_E_NO_MEMORY);
        CHECK(natlet_client_drain_subscription(r.client, sid, 1000, rig_on_done, &r) == NATLET_OK);
    }
    say_numbers(5, 6);
    rig_say(&r, "PONG\r\n");
    for (natlet_msg msg; natlet_client_next(r.client, sid, &msg) == NATLET_OK; got++) {
        CHECK(natlet_client_release(r.client, sid) == NATLET_OK);
    }
    CHECK(strstr(rig_log(&r), "done: done 0 us\n") != NULL);
    CHECK_INT(got + natlet_client_stats_now(r.client).dropped, 6);
    bool failed = r.memory.refused > 0;
    rig_end(&r);
    return failed;
}

static void every_allocation_may_fail(void)
{
    uint32_t n = 1;

    while (live_with_failure(n)) {
        n++;
    }
    CHECK(n > 9);
}

int main(void)
{
    RUN(gives_whole_messages_in_order);
    RUN(keeps_to_its_limits_and_says_so_once);
    RUN(bytes_are_a_limit_too);
    RUN(a_callback_may_end_the_slow_one);
    RUN(a_maximum_ends_it_when_all_was_taken);
    RUN(what_it_holds_outlives_the_connection);
    RUN(ended_at_once_it_drops_what_it_holds);
    RUN(drains_wait_until_all_was_taken);
    RUN(drains_have_a_deadline);
    RUN(drains_without_a_connection_wait_too);
    RUN(a_drain_of_all_waits_until_all_was_taken);
    RUN(a_drain_of_all_has_a_deadline);
    RUN(what_is_not_pulled_gives_nothing);
    RUN(without_memory_a_message_is_dropped_and_told);
    RUN(every_allocation_may_fail);
    return test_done();
}
