/* Goal: what a server refuses is told to the subscription or request that it is about,
 * in every form in which servers say it; and the state of a client can be read.
 *
 * Method: the rig's server says the texts of real ones. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static char subject[64]; /* of the last error */
static uint32_t sid_told;
static char ended[64]; /* numbers of the subscriptions that ended so, in order */

static void on_event(void *self, const natlet_client_event *event)
{
    (void)self;
    if (event->kind == NATLET_CLIENT_EV_ERROR) {
        (void)snprintf(subject, sizeof subject, "%.*s", (int)event->subject.len,
                       event->subject.len > 0 ? (const char *)event->subject.ptr : "");
        sid_told = event->sid & 0xfffff;
    }
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    size_t len = strlen(ended);

    (void)self;
    (void)snprintf(ended + len, sizeof ended - len, why == NATLET_E_PERMISSION ? "%u " : "(%u) ",
                   (unsigned)(sid & 0xfffff));
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    (void)self;
    (void)sid;
    (void)msg;
}

static uint32_t subscribe(const char *to, const char *queue)
{
    const natlet_subscribe_options options = {.queue = rig_text(queue)};
    const natlet_sink sink = {.self = &r, .message = on_message, .ended = on_ended};
    uint32_t sid = 0;

    CHECK(natlet_client_subscribe(r.client, &sid, rig_text(to), &options, &sink) == NATLET_OK);
    return sid;
}

/* Subscriptions 1: a, 2: a for queue q, 3: a for queue qq, 4: b.c, 5: a again */
static void start(void)
{
    rig_init(&r, RIG_WS);
    r.config.on_event = on_event;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    (void)subscribe("a", "");
    (void)subscribe("a", "q");
    (void)subscribe("a", "qq");
    (void)subscribe("b.c", "");
    (void)subscribe("a", "");
    rig_run(&r);
    ended[0] = '\0';
    subject[0] = '\0';
    sid_told = 0;
}

static void refusals_find_their_subscription(void)
{
    static const struct {
        const char *said, *ended, *subject;
    } cases[] = {
        {"Permissions Violation for Subscription to \"a\"", "1 ", "a"},
        {"permissions violation for subscription to \"b.c\"", "4 ", "b.c"},
        {"Permissions Violation for Subscription to \"a\" using queue \"q\"", "2 ", "a"},
        {"Permissions Violation for Subscription to \"a\" using queue \"qq\"", "3 ", "a"},
        {"Permissions Violation for Subscription to \"a\" using queue \"other\"", "", "a"},
        {"Permissions Violation for Subscription to \"b.c\", too many tokens", "4 ", "b.c"},
        {"Permissions Violation for Subscription to \"a\" (sid \"1048581\")", "5 ", "a"},
        {"Permissions Violation for Subscription to \"a\" (sid \"1048578\")", "2 ", "a"},
        {"Permissions Violation for Subscription to \"a\" (sid \"5\")", "", "a"},
        {"Permissions Violation for Subscription to \"a\" using queue \"q\" (sid \"1048579\")",
         "3 ", "a"},
        {"Permissions Violation for Subscription to \"a\" using queue \"q\" (sid \"7\")", "", "a"},
        {"Permissions Violation for Subscription to \"a\" (sid \"18446744073709551616\")", "", "a"},
        {"Permissions Violation for Subscription to \"c\"", "", "c"},
        {"Permissions Violation for Subscription", "", ""},
        {"Permissions Violation for Subscription to \"a", "", ""},
        {"Permissions Violation for Publish to \"a\"", "", "a"},
        {"Permissions Violation for Publish with Reply of \"a\"", "", "a"},
        {"maximum subscriptions exceeded", "5 ", ""},
        {"Invalid Subject", "", ""},
        {"something new about \"a\"", "", ""},
        {"", "", ""},
    };
    char text[200];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        (void)snprintf(text, sizeof text, "-ERR '%s'\r\n", cases[i].said);
        rig_say(&r, text);
        CHECK_TEXT(ended, cases[i].ended);
        CHECK_TEXT(subject, cases[i].subject);
        CHECK_INT(sid_told, cases[i].ended[0] != '\0' ? cases[i].ended[0] - '0' : 0);
        CHECK_INT(natlet_client_stats_now(r.client).subscriptions,
                  cases[i].ended[0] != '\0' ? 4 : 5);
        CHECK(natlet_client_is_connected(r.client));
        rig_end(&r);
    }
}

/* The server takes SUBs in order until there are too many. */
static void too_many_are_the_last_that_are_not_served(void)
{
    char text[64];

    start();
    (void)snprintf(text, sizeof text, "MSG a %u 0\r\n\r\n", (5u & 0xfffff) | 1u << 20);
    rig_say(&r, text);
    rig_say(&r, "-ERR 'maximum subscriptions exceeded'\r\n"
                "-ERR 'Maximum Subscriptions Exceeded'\r\n");
    CHECK_TEXT(ended, "4 3 ");
    rig_end(&r);
}

static void states_are_those_of_a_websocket(void)
{
    rig_init(&r, RIG_NATS);
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
    CHECK_INT(natlet_client_ready_state(r.client), 3);
    CHECK(natlet_client_connect(r.client) == NATLET_OK);
    CHECK_INT(natlet_client_ready_state(r.client), 0);
    CHECK(!natlet_client_is_connected(r.client));
    rig_run(&r);
    rig_accept(&r);
    rig_greet(&r);
    CHECK_INT(natlet_client_ready_state(r.client), 1);
    CHECK(natlet_client_is_connected(r.client));
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_INT(natlet_client_ready_state(r.client), 0);
    CHECK(!natlet_client_is_connected(r.client));
    rig_wait_ms(&r, 501);
    rig_come_back(&r);
    CHECK(natlet_client_drain(r.client, 100, rig_on_done, &r) == NATLET_OK);
    CHECK_INT(natlet_client_ready_state(r.client), 2);
    CHECK(!natlet_client_is_connected(r.client));
    natlet_client_close(r.client);
    CHECK_INT(natlet_client_ready_state(r.client), 3);
    rig_end(&r);
}

static void the_round_trip_is_measured(void)
{
    rig_connected(&r, RIG_NATS);
    CHECK(natlet_client_rtt(r.client, 1000, rig_on_done, &r) == NATLET_OK);
    rig_wait_ms(&r, 7);
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "done: done 7000 us\n");
    CHECK(natlet_client_rtt(r.client, 10, rig_on_done, &r) == NATLET_OK);
    rig_wait_ms(&r, 12);
    CHECK_TEXT(rig_log(&r), "done: the deadline passed 11000 us\n");
    natlet_client_close(r.client);
    CHECK(natlet_client_rtt(r.client, 1000, rig_on_done, &r) == NATLET_E_CLOSED);
    rig_end(&r);
}

static void most_ever_is_kept(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("s")};
    uint32_t ids[3];

    rig_connected(&r, RIG_NATS);
    uint32_t sid = rig_subscribe(&r, "a");
    (void)rig_subscribe(&r, "b");
    for (int i = 0; i < 3; i++) {
        CHECK(natlet_client_request(r.client, &msg, 1000, rig_on_reply, &r, &ids[i]) == NATLET_OK);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(natlet_client_cancel(r.client, ids[i]) == NATLET_OK);
    }
    CHECK(natlet_client_unsubscribe(r.client, sid, 0) == NATLET_OK);
    CHECK(natlet_client_request(r.client, &msg, 1000, rig_on_reply, &r, NULL) == NATLET_OK);
    natlet_client_stats stats = natlet_client_stats_now(r.client);
    CHECK_INT(stats.subscriptions, 1);
    CHECK_INT(stats.subscriptions_max, 3); /* with the shared inbox */
    CHECK_INT(stats.requests, 1);
    CHECK_INT(stats.requests_max, 3);
    rig_end(&r);
}

int main(void)
{
    RUN(refusals_find_their_subscription);
    RUN(too_many_are_the_last_that_are_not_served);
    RUN(states_are_those_of_a_websocket);
    RUN(the_round_trip_is_measured);
    RUN(most_ever_is_kept);
    return test_done();
}
