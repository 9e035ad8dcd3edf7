/* Goal: the way through works alike over nats://, the host's WebSocket and our
 * own framing: connect, subscribe, publish, receive, request, flush, close.
 *
 * Method: one scenario, three ways; the server's end is played by the rig. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

static void connects(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_init(&r, way);
        r.config.name = rig_text("my \"name\"");
        r.config.no_echo = way == RIG_WS;
        rig_start(&r);
        CHECK_TEXT(rig_log(&r), "state connecting\n");
        CHECK_TEXT(test_host_last(&r.host)->url,
                   way == RIG_NATS ? "nats://one:4222" : "ws://one:8080/path");
        CHECK_INT(test_host_last(&r.host)->transport,
                  way == RIG_WS ? NATLET_TRANSPORT_WS : NATLET_TRANSPORT_TCP);
        rig_accept(&r);
        CHECK_TEXT(rig_sent(&r), "");
        rig_say(&r, RIG_INFO);
        const char *sent = rig_sent(&r);
        CHECK(strstr(sent, "\"name\":\"my \\\"name\\\"\"") != NULL);
        CHECK(strstr(sent, "\"lang\":\"") != NULL);
        CHECK(strstr(sent, "\"no_responders\":true") != NULL);
        CHECK(strstr(sent, "\"user\"") == NULL);
        CHECK(strstr(sent, way == RIG_WS ? "\"echo\":false" : "\"echo\":true") != NULL);
        CHECK_TEXT(rig_log(&r), "");
        rig_say(&r, "PONG\r\n" RIG_INFO); /* 2.12 says more behind the first PONG */
        CHECK_TEXT(rig_log(&r), "state connected\n");
        natlet_client_close(r.client);
        CHECK_TEXT(rig_log(&r), "state closed\n");
        CHECK_INT(r.conn->closes, 1);
        CHECK_INT(r.conn->close_code, 1000);
        rig_forget_sent(&r);
        CHECK_INT(r.close_code, way == RIG_FRAMED ? 1000 : 0);
        rig_end(&r);
    }
}

static void publishes_and_receives(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        uint32_t sid = rig_subscribe(&r, "a.*");
        CHECK_INT(sid & 0xfffff, 1);
        char text[200];
        CHECK(rig_publish(&r, "b", "hello") == NATLET_OK);
        CHECK_TEXT(rig_sent(&r), "");
        rig_run(&r);
        (void)snprintf(text, sizeof text, "SUB a.* %u\r\nPUB b 5\r\nhello\r\n", (unsigned)sid);
        CHECK_TEXT(rig_sent(&r), text);
        CHECK_INT(way == RIG_FRAMED ? r.frames : 2, 2); /* CONNECT's and this one */
        (void)snprintf(
            text, sizeof text,
            "MSG a.b %u 2\r\nhi\r\nPING\r\nHMSG a.c %u box 12 15\r\nNATS/1.0\r\n\r\nyou\r\n"
            "MSG x 77 0\r\n\r\n",
            (unsigned)sid, (unsigned)sid);
        rig_say(&r, text);
        CHECK_TEXT(rig_log(&r), "message 1 a.b [hi]\nmessage 1 a.c > box h=12 [you]\n");
        CHECK_TEXT(rig_sent(&r), "PONG\r\n");
        natlet_client_stats stats = natlet_client_stats_now(r.client);
        CHECK_INT(stats.in_messages, 3);
        CHECK_INT(stats.in_bytes, 17);
        CHECK_INT(stats.out_messages, 1);
        CHECK_INT(stats.out_bytes, 5);
        CHECK_INT(stats.unrouted, 1);
        CHECK_INT(stats.subscriptions, 1);
        CHECK_INT(stats.copied_bytes, 0);
        CHECK(natlet_client_unsubscribe(r.client, sid, 0) == NATLET_OK);
        CHECK_TEXT(rig_log(&r), "ended 1: done\n");
        CHECK(natlet_client_unsubscribe(r.client, sid, 0) == NATLET_E_NOT_FOUND);
        rig_say(&r, text); /* what was on the way when it ended */
        CHECK_TEXT(rig_log(&r), "");
        (void)snprintf(text, sizeof text, "UNSUB %u\r\nPONG\r\n", (unsigned)sid);
        CHECK_TEXT(rig_sent(&r), text);
        rig_end(&r);
    }
}

static void a_maximum_ends_by_itself(void)
{
    char text[200];

    rig_connected(&r, RIG_NATS);
    uint32_t sid = rig_subscribe(&r, "a");
    (void)snprintf(text, sizeof text, "MSG a %u 1\r\n1\r\n", (unsigned)sid);
    rig_say(&r, text);
    CHECK(natlet_client_unsubscribe(r.client, sid, 5) == NATLET_OK);
    rig_say(&r, text);
    CHECK(natlet_client_unsubscribe(r.client, sid, 3) == NATLET_OK);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), "message 1 a [1]\nmessage 1 a [1]\nmessage 1 a [1]\nended 1: done\n");
    uint32_t other = rig_subscribe(&r, "a");
    (void)snprintf(text, sizeof text, "MSG a %u 1\r\n1\r\nMSG a %u 1\r\n2\r\n", (unsigned)other,
                   (unsigned)other);
    rig_say(&r, text);
    rig_forget_sent(&r);
    CHECK(natlet_client_unsubscribe(r.client, other, 2) == NATLET_OK); /* had them already */
    CHECK_TEXT(rig_log(&r), "message 1 a [1]\nmessage 1 a [2]\nended 1: done\n");
    rig_run(&r);
    (void)snprintf(text, sizeof text, "UNSUB %u\r\n", (unsigned)other);
    CHECK_TEXT(rig_sent(&r), text);
    rig_end(&r);
}

static void the_refused_subscription_ends(void)
{
    natlet_sink sink = rig_sink(&r);
    const natlet_subscribe_options queue = {.queue = NATLET_TEXT("q")};
    uint32_t sid;

    rig_connected(&r, RIG_NATS);
    (void)rig_subscribe(&r, "a.>");
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a.>"), &queue, &sink) == NATLET_OK);
    rig_say(&r, "-ERR 'Permissions Violation for Subscription to \"a.>\" using queue \"q\"'\r\n");
    CHECK(strstr(rig_log(&r), "\nended 2: the server does not permit this subject\n") != NULL);
    rig_say(&r, "-ERR 'Permissions Violation for Subscription to \"b\"'\r\n");
    CHECK(strstr(rig_log(&r), "ended") == NULL);
    rig_say(&r, "-ERR 'Permissions Violation for Subscription to \"a.>\"'\r\n");
    CHECK(strstr(rig_log(&r), " sid 1\nended 1: the server does not permit this subject\n") !=
          NULL);
    rig_say(&r, "-ERR 'Something New'\r\n"); /* and the connection stays */
    CHECK_TEXT(rig_log(&r), "error: the server reported an error (Something New)\n");
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
    rig_end(&r);
}

static void requests_and_flushes(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char inbox[64];
        char text[200];
        unsigned sid;

        rig_connected(&r, way);
        const natlet_msg msg = {.subject = NATLET_TEXT("service"), .payload = NATLET_TEXT("?")};
        CHECK(natlet_client_request(r.client, &msg, 1000, rig_on_reply, &r, NULL) == NATLET_OK);
        rig_run(&r);
        const char *sent = rig_sent(&r);
        CHECK(sscanf(sent, "SUB _INBOX.%*22[0-9A-Za-z].* %u\r\nPUB service %63s 1\r\n?\r\n", &sid,
                     inbox) == 2);
        (void)snprintf(text, sizeof text, "MSG %s %u 2\r\nok\r\n", inbox, sid);
        rig_say(&r, text);
        (void)snprintf(text, sizeof text, "reply %s [ok]\n", inbox);
        CHECK_TEXT(rig_log(&r), text);

        CHECK(natlet_client_flush(r.client, 1000, rig_on_done, &r) == NATLET_OK);
        rig_run(&r);
        CHECK_TEXT(rig_sent(&r), "PING\r\n");
        test_host_advance_us(&r.host, 250);
        rig_say(&r, "PONG\r\n");
        CHECK_TEXT(rig_log(&r), "done: done 250 us\n");
        rig_end(&r);
    }
}

int main(void)
{
    RUN(connects);
    RUN(publishes_and_receives);
    RUN(a_maximum_ends_by_itself);
    RUN(the_refused_subscription_ends);
    RUN(requests_and_flushes);
    return test_done();
}
