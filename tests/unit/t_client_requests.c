/* Goal: every request ends exactly once, with its own answer or a typed reason,
 * and by its deadline.
 *
 * Method: virtual time; the rig's server answers, late, wrongly or not at all. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static char inbox[64]; /* "<prefix>.<22>." */
static unsigned inbox_sid;

static natlet_status ask(const char *subject, uint32_t timeout_ms, uint32_t *id)
{
    const natlet_msg msg = {.subject = rig_text(subject), .payload = NATLET_TEXT("?")};

    return natlet_client_request(r.client, &msg, timeout_ms, rig_on_reply, &r, id);
}

/* Connects and learns the inbox from a first request. */
static void start(void)
{
    unsigned sid;

    rig_connected(&r, RIG_NATS);
    CHECK(ask("first", 1000, NULL) == NATLET_OK);
    rig_run(&r);
    CHECK(sscanf(rig_sent(&r), "SUB %63[^*]* %u\r\n", inbox, &sid) == 2);
    CHECK_INT(strlen(inbox), strlen("_INBOX.") + 22 + 1);
    inbox_sid = sid;
    rig_wait_ms(&r, 1001);
    CHECK_TEXT(rig_log(&r), "reply: the deadline passed\n");
}

/* Sends what waits and returns the token of the last request in it. */
static const char *token(void)
{
    static char text[64];
    rig_run(&r);
    const char *sent = rig_sent(&r);
    const char *last = NULL;

    for (const char *at = strstr(sent, inbox); at != NULL; at = strstr(at + 1, inbox)) {
        last = at;
    }
    CHECK(last != NULL && sscanf(last + strlen(inbox), "%63[0-9A-Za-z] ", text) == 1);
    return text;
}

static void answer(const char *to_token, const char *payload)
{
    char text[256];

    (void)snprintf(text, sizeof text, "MSG %s%s %u %u\r\n%s\r\n", inbox, to_token, inbox_sid,
                   (unsigned)strlen(payload), payload);
    rig_say(&r, text);
}

static void answers_reach_their_request(void)
{
    char tokens[40][16];
    char want[128];

    start();
    for (int i = 0; i < 40; i++) {
        CHECK(ask("s", 1000, NULL) == NATLET_OK);
        (void)snprintf(tokens[i], sizeof tokens[i], "%s", token());
        for (int k = 0; k < i; k++) {
            CHECK(strcmp(tokens[k], tokens[i]) != 0);
        }
    }
    CHECK_INT(natlet_client_stats_now(r.client).requests, 40);
    for (int i = 39; i >= 0; i -= 2) {
        answer(tokens[i], "yes");
        (void)snprintf(want, sizeof want, "reply %s%s [yes]\n", inbox, tokens[i]);
        CHECK_TEXT(rig_log(&r), want);
        answer(tokens[i], "again");
        CHECK_TEXT(rig_log(&r), "");
    }
    CHECK_INT(natlet_client_stats_now(r.client).requests, 20);
    CHECK_INT(natlet_client_stats_now(r.client).late_replies, 20);
    rig_wait_ms(&r, 1001);
    CHECK_INT(natlet_client_stats_now(r.client).requests, 0);
    CHECK_INT(strlen(rig_log(&r)), 20 * strlen("reply: the deadline passed\n"));
    rig_end(&r);
}

static void a_late_answer_is_nobodys(void)
{
    char old[16];

    start();
    CHECK(ask("s", 10, NULL) == NATLET_OK);
    (void)snprintf(old, sizeof old, "%s", token());
    rig_wait_ms(&r, 11);
    CHECK_TEXT(rig_log(&r), "reply: the deadline passed\n");
    for (int i = 0; i < 5000; i++) { /* the same slot, again and again */
        uint32_t id;
        CHECK(ask("s", 1000, &id) == NATLET_OK);
        if (i % 512 == 0) {
            answer(old, "late");
        }
        CHECK(natlet_client_cancel(r.client, id) == NATLET_OK);
        CHECK(natlet_client_cancel(r.client, id) == NATLET_E_NOT_FOUND);
    }
    CHECK_INT(natlet_client_stats_now(r.client).late_replies, 10);
    CHECK(strstr(rig_log(&r), "late") == NULL);
    static const char *const wrong[] = {"", "x", "0", "zzzzzzzzz", "zzzzzzzzzz", "a.b", "\x80"};
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    (void)rig_log(&r);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        answer(wrong[i], "wrong");
    }
    CHECK_TEXT(rig_log(&r), "");
    rig_end(&r);
}

static void deadlines_are_kept(void)
{
    start();
    CHECK(ask("a", 300, NULL) == NATLET_OK);
    CHECK(ask("b", 100, NULL) == NATLET_OK);
    CHECK(ask("c", 200, NULL) == NATLET_OK);
    rig_wait_ms(&r, 99);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 2);
    CHECK_TEXT(rig_log(&r), "reply: the deadline passed\n");
    rig_wait_ms(&r, 200);
    CHECK_TEXT(rig_log(&r), "reply: the deadline passed\nreply: the deadline passed\n");
    /* Between turns the clock moves on: the deadline counts from the call. */
    test_host_advance_ms(&r.host, 5000);
    CHECK(ask("d", 100, NULL) == NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "");
    CHECK(ask("e", 0, NULL) == NATLET_OK);
    rig_wait_ms(&r, 1);
    CHECK_TEXT(rig_log(&r), "reply: the deadline passed\n");
    rig_end(&r);
}

static void no_responders(void)
{
    char text[256];

    start();
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    (void)snprintf(text, sizeof text, "HMSG %s%s %u 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", inbox,
                   token(), inbox_sid);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), "reply: nobody is subscribed to the subject of the request\n");
    CHECK(ask("s", 1000, NULL) == NATLET_OK); /* with a payload it is an answer like others */
    (void)snprintf(text, sizeof text, "HMSG %s%s %u 16 17\r\nNATS/1.0 503\r\n\r\nx\r\n", inbox,
                   token(), inbox_sid);
    rig_say(&r, text);
    CHECK(strstr(rig_log(&r), " h=16 [x]\n") != NULL);
    rig_end(&r);
}

static void a_mapped_subject_with_one_pending(void)
{
    char text[256];

    start();
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    (void)snprintf(text, sizeof text, "MSG mapped %u 2\r\nok\r\n", inbox_sid);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), "reply mapped [ok]\n");
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), ""); /* whose would it be? */
    rig_end(&r);
}

static void the_end_of_the_connection_ends_them(void)
{
    start();
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n"
                            "reply: there is no connection to a server right now\n"
                            "reply: there is no connection to a server right now\n");
    CHECK(ask("s", 1000, NULL) == NATLET_E_DISCONNECTED);
    rig_wait_ms(&r, 501);
    rig_accept(&r);
    rig_forget_sent(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    CHECK(strncmp(rig_sent(&r), "SUB _INBOX.", 11) == 0); /* the same inbox again */
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    answer(token(), "ok");
    CHECK(strstr(rig_log(&r), "[ok]") != NULL);
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    natlet_client_close(r.client);
    CHECK_TEXT(rig_log(&r), "reply: the connection is gone\nstate closed\n");
    rig_end(&r);
}

static void permissions(void)
{
    char text[256];

    start();
    CHECK(ask("a", 1000, NULL) == NATLET_OK);
    CHECK(ask("b", 1000, NULL) == NATLET_OK);
    CHECK(ask("b", 2000, NULL) == NATLET_OK);
    rig_say(&r, "-ERR 'Permissions Violation for Publish to \"b\"'\r\n");
    CHECK_TEXT(rig_log(&r), "error: the server does not permit this subject (Permissions Violation "
                            "for Publish to \"b\")\n"
                            "reply: the server does not permit this subject\n");
    CHECK_INT(natlet_client_stats_now(r.client).requests, 2);
    (void)snprintf(text, sizeof text,
                   "-ERR 'Permissions Violation for Subscription to \"%s*\"'\r\n", inbox);
    rig_say(&r, text);
    const char *log = rig_log(&r);
    CHECK(strstr(log, "reply: the server does not permit this subject\n"
                      "reply: the server does not permit this subject\n") != NULL);
    CHECK(ask("c", 1000, NULL) == NATLET_OK); /* tries a new inbox */
    rig_run(&r);
    CHECK(strstr(rig_sent(&r), "SUB _INBOX.") != NULL);
    rig_end(&r);
}

static void a_prefix_of_ones_own(void)
{
    uint8_t name[64];

    rig_init(&r, RIG_WS);
    r.config.inbox_prefix = rig_text("_INBOX.me");
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    CHECK(ask("s", 1000, NULL) == NATLET_OK);
    rig_run(&r);
    CHECK(strncmp(rig_sent(&r), "SUB _INBOX.me.", 14) == 0);
    CHECK_INT(natlet_client_inbox(r.client, name, sizeof name), 9 + 1 + 22);
    CHECK(memcmp(name, "_INBOX.me.", 10) == 0);
    CHECK_INT(natlet_client_inbox(r.client, name, 31), 0);
    rig_end(&r);
}

static void what_is_refused_leaves_nothing(void)
{
    const natlet_msg bad = {.subject = NATLET_TEXT("a b")};
    static uint8_t big[1048577];
    const natlet_msg large = {.subject = NATLET_TEXT("a"), .payload = {big, sizeof big}};

    start();
    CHECK(natlet_client_request(r.client, &bad, 1, rig_on_reply, &r, NULL) == NATLET_E_SUBJECT);
    CHECK(natlet_client_request(r.client, &large, 1, rig_on_reply, &r, NULL) == NATLET_E_TOO_LARGE);
    rig_wait_ms(&r, 100);
    CHECK_TEXT(rig_log(&r), "");
    CHECK_TEXT(rig_sent(&r), "");
    CHECK_INT(natlet_client_stats_now(r.client).requests, 0);
    rig_end(&r);
}

/* Asks anew from the callback, as a poller would. */
static int asked;

static void ask_again(void *self, natlet_status st, const natlet_msg *reply)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("poll")};

    (void)reply;
    rig_note(self, "%s\n", natlet_status_text(st));
    if (asked++ < 5) {
        natlet_status again = natlet_client_request(r.client, &msg, 0, ask_again, self, NULL);
        rig_note(self, "again: %s\n", natlet_status_text(again));
    }
}

static void ask_for_ever(void *self, natlet_status st, const natlet_msg *reply)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("poll")};

    (void)st;
    (void)reply;
    asked++;
    (void)natlet_client_request(r.client, &msg, 0, ask_for_ever, self, NULL);
}

static void a_callback_that_asks_for_ever_lets_others_live(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("poll")};

    start();
    asked = 0;
    CHECK(natlet_client_request(r.client, &msg, 0, ask_for_ever, &r, NULL) == NATLET_OK);
    test_host_advance_ms(&r.host, 1);
    (void)natlet_runtime_run(r.rt, 1000000, 0);
    CHECK_INT(asked, 1); /* once a turn */
    rig_closed(&r, 0, NATLET_E_IO);
    rig_end(&r);
}

static void ask_twice(void *self, natlet_status st, const natlet_msg *reply)
{
    (void)reply;
    (void)self;
    rig_note(&r, "%s\n", natlet_status_text(st));
    if (asked++ == 0) {
        CHECK(ask("new", 1000, NULL) == NATLET_OK);
        CHECK(ask("new", 1000, NULL) == NATLET_OK);
    }
}

static void what_a_callback_asks_outlives_the_old_inbox(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("old")};
    char text[200];

    start();
    asked = 0;
    CHECK(natlet_client_request(r.client, &msg, 1000, ask_twice, &r, NULL) == NATLET_OK);
    (void)snprintf(text, sizeof text,
                   "-ERR 'Permissions Violation for Subscription to \"%s*\"'\r\n", inbox);
    rig_say(&r, text);
    CHECK(strstr(rig_log(&r), "\nthe server does not permit this subject\n") != NULL);
    CHECK_INT(natlet_client_stats_now(r.client).requests, 2);
    rig_end(&r);
}

static void the_oldest_of_equals_is_refused(void)
{
    uint32_t first;

    start();
    CHECK(ask("b", 1000, &first) == NATLET_OK);
    CHECK(ask("b", 500, NULL) == NATLET_OK);
    CHECK(natlet_client_cancel(r.client, first) == NATLET_OK);
    CHECK(ask("b", 2000, NULL) == NATLET_OK); /* younger, in the slot of the first */
    (void)rig_log(&r);
    rig_say(&r, "-ERR 'Permissions Violation for Publish to \"b\"'\r\n");
    (void)rig_log(&r);
    rig_wait_ms(&r, 600);
    CHECK_TEXT(rig_log(&r), "");
    CHECK_INT(natlet_client_stats_now(r.client).requests, 1);
    rig_end(&r);
}

static void a_callback_may_ask_again(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("poll")};

    start();
    asked = 0;
    CHECK(natlet_client_request(r.client, &msg, 0, ask_again, &r, NULL) == NATLET_OK);
    rig_wait_ms(&r, 10);
    CHECK_INT(asked, 6);
    (void)rig_log(&r);
    asked = 4;
    CHECK(natlet_client_request(r.client, &msg, 100, ask_again, &r, NULL) == NATLET_OK);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\n"
                            "there is no connection to a server right now\n"
                            "again: there is no connection to a server right now\n");
    rig_end(&r);
}

int main(void)
{
    RUN(answers_reach_their_request);
    RUN(a_late_answer_is_nobodys);
    RUN(deadlines_are_kept);
    RUN(no_responders);
    RUN(a_mapped_subject_with_one_pending);
    RUN(the_end_of_the_connection_ends_them);
    RUN(permissions);
    RUN(a_prefix_of_ones_own);
    RUN(what_is_refused_leaves_nothing);
    RUN(a_callback_may_ask_again);
    RUN(a_callback_that_asks_for_ever_lets_others_live);
    RUN(what_a_callback_asks_outlives_the_old_inbox);
    RUN(the_oldest_of_equals_is_refused);
    return test_done();
}
