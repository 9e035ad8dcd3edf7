/* Goal: a request with several answers gives each of them and then ends once, for the
 * reason that comes first: number, sentinel, stall, time, a status, or a failure; and
 * an inbox of its own is left by nobody.
 *
 * Method: virtual time; every case runs over the shared inbox and over one of its own,
 * and must write the same log. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static char reply_to[80];
static unsigned inbox_sid;
static uint32_t id;
static bool is_own; /* the case runs with an inbox of its own */
static bool cancels;

static void on_reply(void *self, natlet_status st, const natlet_msg *msg)
{
    CHECK((msg != NULL) == (st == NATLET_MORE));
    if (msg != NULL) {
        rig_note(self, "[%.*s] ", (int)msg->payload.len,
                 msg->payload.len > 0 ? (const char *)msg->payload.ptr : "");
    } else {
        rig_note(self, "%s\n", natlet_status_text(st));
    }
    if (cancels && msg != NULL) {
        CHECK(natlet_client_cancel(r.client, id) == NATLET_OK);
    }
}

static natlet_status ask(natlet_request_options options)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("s"), .payload = NATLET_TEXT("?")};

    options.own_inbox = is_own;
    return natlet_client_request_many(r.client, &msg, &options, on_reply, &r, &id);
}

/* Asks, and learns from what was sent where the answers go. */
static void start_on(natlet_request_options options)
{
    unsigned sid;
    char inbox[80];

    CHECK(ask(options) == NATLET_OK);
    rig_run(&r);
    const char *sent = rig_sent(&r);
    if (strncmp(sent, "SUB ", 4) == 0) {
        CHECK(sscanf(sent, "SUB %79s %u\r\n", inbox, &sid) == 2);
        inbox_sid = sid;
        CHECK(is_own == (strchr(inbox, '*') == NULL));
    }
    const char *pub = strstr(sent, "PUB s ");
    CHECK(pub != NULL && sscanf(pub, "PUB s %79s 1\r\n", reply_to) == 1);
    CHECK(!is_own || strcmp(inbox, reply_to) == 0);
}

static void start(natlet_request_options options)
{
    rig_connected(&r, RIG_NATS);
    cancels = false;
    rig_forget_sent(&r);
    start_on(options);
}

static void answer(const char *payload)
{
    char text[256];

    (void)snprintf(text, sizeof text, "MSG %s %u %u\r\n%s\r\n", reply_to, inbox_sid,
                   (unsigned)strlen(payload), payload);
    rig_say(&r, text);
}

static void answer_status(const char *status)
{
    char text[256];

    (void)snprintf(text, sizeof text, "HMSG %s %u 16 16\r\nNATS/1.0 %s\r\n\r\n\r\n", reply_to,
                   inbox_sid, status);
    rig_say(&r, text);
}

/* Over: an own inbox was given up, and what still comes is nobody's. */
static void end(void)
{
    natlet_client_stats before = natlet_client_stats_now(r.client);
    char unsub[32];

    CHECK_INT(before.requests, 0);
    CHECK_INT(before.subscriptions, 0);
    if (natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED) {
        rig_run(&r);
        (void)snprintf(unsub, sizeof unsub, "UNSUB %u\r\n", inbox_sid);
        CHECK_TEXT(rig_sent(&r), is_own ? unsub : "");
        answer("late");
        natlet_client_stats after = natlet_client_stats_now(r.client);
        CHECK_INT(after.late_replies - before.late_replies, !is_own);
        CHECK_INT(after.unrouted - before.unrouted, is_own);
    }
    CHECK_TEXT(rig_log(&r), "");
    rig_end(&r);
}

static void ends_with_the_number_of_answers(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .replies_max = 3});
    answer("1");
    answer("");
    CHECK_TEXT(rig_log(&r), "[1] [] ");
    answer("3");
    CHECK_TEXT(rig_log(&r), "[3] done\n");
    end();
}

static void ends_with_the_sentinel(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true, .until_empty = true});
    answer("1");
    answer("2");
    answer("");
    CHECK_TEXT(rig_log(&r), "[1] [2] done\n");
    end();
}

static void a_sentinel_may_come_first(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true, .until_empty = true});
    answer("");
    CHECK_TEXT(rig_log(&r), "done\n");
    end();
}

static void ends_when_the_answers_stall(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true, .stall_ms = 50});
    rig_wait_ms(&r, 300); /* a stall begins with the first answer */
    answer("1");
    rig_wait_ms(&r, 49);
    answer("2");
    rig_wait_ms(&r, 49);
    CHECK_TEXT(rig_log(&r), "[1] [2] ");
    rig_wait_ms(&r, 2);
    CHECK_TEXT(rig_log(&r), "done\n");
    end();
}

static void ends_when_the_time_is_up(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true, .stall_ms = 600});
    rig_wait_ms(&r, 400);
    answer("1");
    rig_wait_ms(&r, 500);
    answer("2");
    rig_wait_ms(&r, 99);
    CHECK_TEXT(rig_log(&r), "[1] [2] ");
    rig_wait_ms(&r, 2);
    CHECK_TEXT(rig_log(&r), "done\n");
    end();
}

static void without_an_answer_it_is_a_timeout(void)
{
    start((natlet_request_options){.timeout_ms = 100, .many = true, .stall_ms = 10});
    rig_wait_ms(&r, 99);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 2);
    CHECK_TEXT(rig_log(&r), "the deadline passed\n");
    end();
}

static void a_status_ends_it(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    answer_status("503");
    CHECK_TEXT(rig_log(&r), "nobody is subscribed to the subject of the request\n");
    end();
    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    answer("1");
    answer_status("408");
    CHECK_TEXT(rig_log(&r), "[1] done\n");
    end();
}

static void may_be_cancelled(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    answer("1");
    CHECK(natlet_client_cancel(r.client, id) == NATLET_OK);
    CHECK_TEXT(rig_log(&r), "[1] ended by the caller before it was done\n");
    end();
    start((natlet_request_options){.timeout_ms = 1000, .replies_max = 2});
    cancels = true;
    answer("1");
    CHECK_TEXT(rig_log(&r), "[1] ended by the caller before it was done\n");
    end();
}

static void one_answer_is_a_request(void)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("s")};
    const natlet_request_options options = {.timeout_ms = 100, .own_inbox = is_own};

    start((natlet_request_options){.timeout_ms = 100, .replies_max = 2});
    answer("1");
    answer("2");
    (void)rig_log(&r);
    rig_run(&r);
    rig_forget_sent(&r);
    CHECK(natlet_client_request_many(r.client, &msg, &options, rig_on_reply, &r, NULL) ==
          NATLET_OK);
    rig_run(&r);
    const char *sent = rig_sent(&r);
    CHECK(!is_own || sscanf(sent, "SUB %*s %u", &inbox_sid) == 1);
    const char *pub = strstr(sent, "PUB s ");
    CHECK(pub != NULL && sscanf(pub, "PUB s %79s 0\r\n", reply_to) == 1);
    answer("one");
    CHECK(strstr(rig_log(&r), " [one]\n") != NULL);
    end();
}

static void the_end_of_the_connection_ends_it(void)
{
    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    answer("1");
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "[1] state reconnecting: the network failed\n"
                            "there is no connection to a server right now\n");
    end();
    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    natlet_client_close(r.client);
    CHECK_TEXT(rig_log(&r), "the connection is gone\nstate closed\n");
    end();
}

static void a_refused_inbox_ends_it(void)
{
    char text[200];

    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    (void)snprintf(text, sizeof text, "-ERR 'Permissions Violation for Subscription to \"%s\"'\r\n",
                   reply_to);
    if (!is_own) { /* the server names what was subscribed */
        char *star = strrchr(text, '.');
        (void)snprintf(star, 8, ".*\"'\r\n");
    }
    rig_say(&r, text);
    CHECK(strstr(rig_log(&r), "\nthe server does not permit this subject\n") != NULL);
    CHECK_INT(natlet_client_stats_now(r.client).requests, 0);
    CHECK_INT(natlet_client_stats_now(r.client).subscriptions, 0);
    rig_end(&r);
}

static void a_refused_publish_ends_it(void)
{
    char text[200];

    start((natlet_request_options){.timeout_ms = 1000, .many = true});
    rig_say(&r, "-ERR 'Permissions Violation for Publish to \"s\"'\r\n");
    CHECK(strstr(rig_log(&r), "\nthe server does not permit this subject\n") != NULL);
    end();
    if (!is_own) { /* the number in the reply says which one it was */
        start((natlet_request_options){.timeout_ms = 1000, .many = true});
        char first[80];
        (void)snprintf(first, sizeof first, "%s", reply_to);
        start_on((natlet_request_options){.timeout_ms = 1000, .many = true});
        (void)snprintf(text, sizeof text,
                       "-ERR 'Permissions Violation for Publish with Reply of \"%s\"'\r\n", first);
        rig_say(&r, text);
        CHECK(strstr(rig_log(&r), "\nthe server does not permit this subject\n") != NULL);
        CHECK_INT(natlet_client_stats_now(r.client).requests, 1);
        answer("x");
        CHECK_TEXT(rig_log(&r), "[x] ");
        rig_end(&r);
    }
}

/* With an inbox of its own the subject of an answer does not matter; in the shared one
 * it must be told from others. */
static void mapped_answers(void)
{
    char text[128];

    start((natlet_request_options){.timeout_ms = 1000, .replies_max = 2});
    (void)snprintf(text, sizeof text, "MSG mapped %u 1\r\nx\r\n", inbox_sid);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), "[x] ");
    unsigned first = inbox_sid;
    start_on((natlet_request_options){.timeout_ms = 1000, .replies_max = 2});
    (void)snprintf(text, sizeof text, "MSG mapped %u 1\r\ny\r\n", first);
    rig_say(&r, text);
    CHECK_TEXT(rig_log(&r), is_own ? "[y] done\n" : "");
    CHECK_INT(natlet_client_stats_now(r.client).late_replies, !is_own);
    rig_end(&r);
}

/* The server reads SUB before PUB, and no UNSUB is sent where a SUB could not be. */
static void what_is_refused_leaves_nothing(void)
{
    const natlet_msg bad = {.subject = NATLET_TEXT("a b")};
    const natlet_request_options options = {.timeout_ms = 100, .many = true, .own_inbox = is_own};

    rig_init(&r, RIG_NATS);
    r.config.tx_bytes = 1024;
    r.config.pending_bytes_max = 20000;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    rig_forget_sent(&r);
    CHECK(natlet_client_request_many(r.client, &bad, &options, on_reply, &r, NULL) ==
          NATLET_E_SUBJECT);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "");
    test_conn_congest(r.conn, 0);
    natlet_status st;
    int asked = 0;
    while ((st = ask((natlet_request_options){.timeout_ms = 100, .many = true})) == NATLET_OK &&
           asked < 1000) {
        asked++;
    }
    CHECK(st == NATLET_E_FULL);
    CHECK_INT(natlet_client_stats_now(r.client).requests, asked);
    CHECK_INT(natlet_client_stats_now(r.client).subscriptions, is_own ? asked : 0);
    rig_end(&r);
}

static bool live_with_failure(uint32_t n)
{
    rig_connected(&r, RIG_NATS);
    cancels = false;
    rig_forget_sent(&r);
    r.memory.fail_at = r.memory.requests + n;
    natlet_status st = ask((natlet_request_options){.timeout_ms = 100, .replies_max = 2});
    if (st < 0) {
        CHECK(st == NATLET_E_NO_MEMORY);
        CHECK_INT(natlet_client_stats_now(r.client).requests, 0);
        CHECK_INT(natlet_client_stats_now(r.client).subscriptions, 0);
        rig_run(&r);
        CHECK(!is_own || strstr(rig_sent(&r), "PUB") == NULL);
    } else {
        CHECK(natlet_client_cancel(r.client, id) == NATLET_OK);
        rig_run(&r);
        rig_forget_sent(&r);
    }
    (void)rig_log(&r);
    bool failed = r.memory.refused > 0;
    r.memory.fail_at = 0;
    start_on((natlet_request_options){.timeout_ms = 100, .replies_max = 2});
    answer("1");
    answer("2");
    CHECK_TEXT(rig_log(&r), "[1] [2] done\n");
    rig_end(&r);
    return failed;
}

static void every_allocation_may_fail(void)
{
    uint32_t n = 1;

    while (live_with_failure(n)) {
        n++;
    }
    CHECK(n > 3);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        is_own = i == 1;
        RUN(ends_with_the_number_of_answers);
        RUN(ends_with_the_sentinel);
        RUN(a_sentinel_may_come_first);
        RUN(ends_when_the_answers_stall);
        RUN(ends_when_the_time_is_up);
        RUN(without_an_answer_it_is_a_timeout);
        RUN(a_status_ends_it);
        RUN(may_be_cancelled);
        RUN(one_answer_is_a_request);
        RUN(the_end_of_the_connection_ends_it);
        RUN(a_refused_inbox_ends_it);
        RUN(a_refused_publish_ends_it);
        RUN(mapped_answers);
        RUN(what_is_refused_leaves_nothing);
        RUN(every_allocation_may_fail);
    }
    return test_done();
}
