/* Goal: memory may run out at any moment of a client's life: what needed it ends with a
 * typed reason, nothing leaks, and the same thing asked again succeeds.
 *
 * Method: whole scenarios, from the runtime on, with the n-th allocation failing, for
 * every n until one run needs fewer.  Whatever failed is asked once more; if the
 * connection was lost over it, the rig's server takes the client back. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static uint32_t sid;
static natlet_status outcome; /* of the last wait */
static uint32_t outcomes;
static uint32_t answers, messages;
static uint8_t large[3000];

static void on_done(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)self;
    (void)elapsed_us;
    outcome = st;
    outcomes++;
}

static void on_reply(void *self, natlet_status st, const natlet_msg *msg)
{
    (void)self;
    if (st == NATLET_MORE) {
        answers++;
        CHECK(msg != NULL);
        return;
    }
    outcome = st;
    outcomes++;
}

static void on_message(void *self, uint32_t of, const natlet_msg *msg)
{
    (void)self;
    (void)msg;
    messages += of == sid;
}

/* Connected, or will be with the next look of the server at what was dialled. */
static void serve(void)
{
    if (r.client == NULL) {
        return;
    }
    for (int i = 0; i < 8 && !natlet_client_is_connected(r.client); i++) {
        if (natlet_client_state_now(r.client) == NATLET_CLIENT_CLOSED) {
            CHECK(natlet_client_connect(r.client) == NATLET_OK);
        }
        rig_wait_ms(&r, 2000);
        r.conn = test_host_last(&r.host);
        if (r.conn != NULL && !r.conn->is_open && !r.conn->is_closed) {
            rig_accept(&r);
            rig_say(&r, "INFO {\"headers\":true,\"connect_urls\":[\"b:1\",\"c:2\"]}\r\n");
            rig_say(&r, "PONG\r\n");
        }
    }
    CHECK(natlet_client_is_connected(r.client));
}

/* Asks, and if there was no memory for it once more. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        natlet_status tried = (call);                                                              \
        if (tried < 0) {                                                                           \
            CHECK_INT(tried, NATLET_E_NO_MEMORY);                                                  \
            CHECK(r.memory.refused == 1);                                                          \
            CHECK_INT(call, NATLET_OK);                                                            \
        }                                                                                          \
    } while (0)

static void set_up(uint32_t n, rig_way way)
{
    rig_init(&r, way);
    r.memory.fail_at = n;
    r.config.rx_bytes = 512;
    r.config.tx_bytes = 512;
    r.config.retry_first_connect = true;
    outcomes = 0;
    answers = 0;
    messages = 0;
    outcome = NATLET_OK;
    TRY(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0));
    TRY(natlet_client_new(&r.client, r.rt, &r.config));
    TRY(natlet_client_connect(r.client));
    serve();
    rig_forget_sent(&r);
}

/* Says what the client's own PINGs are answered with, so often that none is left. */
static void pong(void)
{
    rig_run(&r);
    for (int i = 0; i < 3; i++) {
        rig_say(&r, "PONG\r\n");
    }
}

/* What the server sends `of` a subscription. */
static void say(uint32_t of, const char *subject, size_t bytes)
{
    char line[128];

    (void)snprintf(line, sizeof line, "MSG %s %u %u\r\n", subject, (unsigned)of, (unsigned)bytes);
    rig_say(&r, line);
    if (r.conn->closes == 0) {
        rig_say_bytes(&r, large, bytes);
    }
    if (r.conn->closes == 0) {
        rig_say(&r, "\r\n");
    }
    serve();
}

/* The reply subject and the inbox of the last request that was sent. */
static const char *reply_to(uint32_t *inbox)
{
    static char reply[80];
    unsigned number = 0;
    static unsigned shared;

    rig_run(&r);
    const char *sent = rig_sent(&r);
    for (const char *at = strstr(sent, "SUB _INBOX"); at != NULL;
         at = strstr(at + 1, "SUB _INBOX")) {
        if ((at == sent || at[-1] == '\n') && sscanf(at, "SUB %*s %u", &number) == 1) {
            shared = number;
        }
    }
    const char *pub = strstr(sent, "PUB ask ");
    CHECK(pub != NULL && sscanf(pub, "PUB ask %79s ", reply) == 1);
    *inbox = shared;
    return reply;
}

static natlet_status ask(bool many, bool own)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("ask"), .payload = {large, sizeof large}};
    const natlet_request_options options = {
        .timeout_ms = 1000, .replies_max = many ? 2 : 1, .own_inbox = own};

    return natlet_client_request_many(r.client, &msg, &options, on_reply, &r, NULL);
}

/* A request and its answers, which need memory of their own: lost with the connection
 * it is asked again. */
static void request(bool many, bool own)
{
    uint32_t inbox;

    for (int i = 0; i < 2; i++) {
        uint32_t before = outcomes;
        answers = 0;
        TRY(ask(many, own));
        const char *reply = reply_to(&inbox);
        for (int k = 0; k < 1 + many && outcomes == before; k++) {
            say(inbox, reply, 2000);
        }
        CHECK_INT(outcomes, before + 1);
        if (outcome == NATLET_OK) {
            CHECK_INT(answers, many ? 2 : 0);
            return;
        }
        CHECK_INT(outcome, NATLET_E_DISCONNECTED);
        CHECK(r.memory.refused == 1);
        rig_forget_sent(&r);
    }
    CHECK_INT(outcome, NATLET_OK);
}

static natlet_status publish(void)
{
    return natlet_client_publish(
        r.client, &(natlet_msg){.subject = NATLET_TEXT("p"), .payload = {large, sizeof large}});
}

static void drain(void)
{
    uint32_t before = outcomes;

    TRY(natlet_client_drain(r.client, 1000, on_done, &r));
    pong();
    pong();
    CHECK_INT(outcomes, before + 1);
    CHECK_INT(outcome, NATLET_OK);
    CHECK_INT(natlet_client_state_now(r.client), NATLET_CLIENT_CLOSED);
}

/* ---- the scenarios ---- */

static void whole_life(void)
{
    const natlet_sink sink = {.self = &r, .message = on_message};

    TRY(natlet_client_subscribe(r.client, &sid, rig_text("a.*"), NULL, &sink));
    TRY(publish());
    say(sid, "a.b", 2500);
    if (messages == 0) { /* lost with the connection */
        CHECK(r.memory.refused == 1);
        say(sid, "a.b", 2500);
    }
    CHECK_INT(messages, 1);
    request(false, false);
    TRY(natlet_client_flush(r.client, 1000, on_done, &r));
    pong();
    CHECK_INT(outcome, NATLET_OK);
    drain();
}

static void reconnect(void)
{
    const natlet_subscribe_options queue = {.queue = NATLET_TEXT("q"), .max = 5};
    const natlet_sink sink = {.self = &r, .message = on_message};

    TRY(natlet_client_subscribe(r.client, &sid, rig_text("a"), &queue, &sink));
    for (int i = 0; i < 40; i++) {
        uint32_t other;
        TRY(natlet_client_subscribe(r.client, &other, rig_text("many.more"), NULL, &sink));
    }
    say(sid, "a", 10);
    for (int i = 0; i < 2; i++) {
        rig_closed(&r, 0, NATLET_E_IO);
        serve();
    }
    say(sid, "a", 10);
    CHECK_INT(messages, 2);
    CHECK_INT(natlet_client_stats_now(r.client).subscriptions, 41);
    drain();
}

static void request_many(void)
{
    request(true, false);
    request(true, true);
    request(false, true);
    CHECK_INT(natlet_client_stats_now(r.client).subscriptions, 0);
    CHECK_INT(natlet_client_stats_now(r.client).requests, 0);
    drain();
}

static void pull_queue(void)
{
    natlet_subscription_info info;
    natlet_msg msg;
    uint32_t taken = 0;
    uint32_t before;

    TRY(natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, NULL));
    for (int i = 0; i < 4; i++) {
        say(sid, "a", 700 * (size_t)i);
    }
    CHECK(natlet_client_subscription_info(r.client, sid, &info) == NATLET_OK);
    CHECK(info.pending_messages + r.memory.refused >= 4);
    before = outcomes;
    TRY(natlet_client_drain_subscription(r.client, sid, 1000, on_done, &r));
    pong();
    while (natlet_client_next(r.client, sid, &msg) == NATLET_OK) {
        taken++;
        CHECK(natlet_client_release(r.client, sid) == NATLET_OK);
    }
    CHECK_INT(taken, info.pending_messages);
    CHECK_INT(outcomes, before + 1);
    CHECK_INT(outcome, NATLET_OK);
    drain();
}

static void climb(void (*scenario)(void), uint32_t least)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        bool has_failed = true;
        for (uint32_t n = 1; has_failed; n++) {
            set_up(n, way);
            scenario();
            has_failed = r.memory.refused > 0;
            rig_end(&r); /* nothing leaks */
            CHECK(has_failed || n > least);
        }
    }
}

static void every_allocation_of_a_life_may_fail(void)
{
    climb(whole_life, 15);
}

static void every_allocation_of_a_reconnect_may_fail(void)
{
    climb(reconnect, 60);
}

static void every_allocation_of_request_many_may_fail(void)
{
    climb(request_many, 15);
}

static void every_allocation_of_a_pull_queue_may_fail(void)
{
    climb(pull_queue, 15);
}

int main(void)
{
    memset(large, 'x', sizeof large);
    RUN(every_allocation_of_a_life_may_fail);
    RUN(every_allocation_of_a_reconnect_may_fail);
    RUN(every_allocation_of_request_many_may_fail);
    RUN(every_allocation_of_a_pull_queue_may_fail);
    return test_done();
}
