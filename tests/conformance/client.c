/* A client that does what its arguments say, one step after the other, and
 * prints one line for everything that happens to it.
 *
 *     client STEP...        a step is one argument: "sub a.* 3", "flush"
 *
 * The steps are listed at the end of the file.  A step that waits ends when what
 * it waits for came, or the connection is closed for good; none waits for ever,
 * because the harness that runs this ends it.  Exit status 0 says that every step
 * was taken, whatever its outcome. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/client.h"
#include "natlet/headers.h"
#include "support/hosted.h"

enum { WORDS_MAX = 8, BUDGET_US = 20000, TIMEOUT_MS = 10000, SUBS_MAX = 64, SHOWN_MAX = 60 };

typedef struct subscription {
    uint32_t sid;
    uint64_t count;
    bool answers; /* with the payload */
    bool is_quiet;
} subscription;

typedef struct client {
    natlet_runtime *rt;
    natlet_client *client;
    natlet_client_config config;
    const natlet_host *door;
    natlet_client_state state;
    uint32_t connects;
    uint64_t messages;
    bool is_done; /* what the step waits for came */
    natlet_status outcome;
    subscription subs[SUBS_MAX];
    uint32_t sub_count;
    uint8_t header_mem[1024];
    natlet_headers headers; /* of the next publish or request */
} client;

/* A step, cut at its blanks; `rest` begins at each word and goes to the end. */
typedef struct step {
    natlet_slice words[WORDS_MAX];
    natlet_slice rest[WORDS_MAX];
    uint32_t count;
} step;

/* ---- printing ---- */

static const char *status_name(natlet_status st)
{
    switch (st) {
#define X(name, value, text)                                                                       \
    case NATLET_##name:                                                                            \
        return #name;
        NATLET_STATUS_MAP(X)
#undef X
    }
    return "UNKNOWN";
}

/* Long payloads by length and a sum (FNV-1a), so that a line stays a line. */
static void print_bytes(natlet_slice bytes)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < bytes.len; i++) {
        sum = (sum ^ bytes.ptr[i]) * 16777619u;
    }
    if (bytes.len > SHOWN_MAX) {
        printf(" #%zu:%08x", bytes.len, (unsigned)sum);
        return;
    }
    printf(" \"");
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        bool is_plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
        printf(is_plain ? "%c" : "\\x%02x", c);
    }
    printf("\"");
}

static void end_line(void)
{
    printf("\n");
    (void)fflush(stdout);
}

static void print_status(const char *what, natlet_status st)
{
    printf("%s %s", what, status_name(st));
    end_line();
}

/* ---- what the client calls ---- */

static void note_done(client *c, natlet_status st)
{
    c->is_done = true;
    c->outcome = st;
    c->door->wake(c->door->self); /* the turn may be about to sleep */
}

static void note_event(void *self, const natlet_client_event *event)
{
    static const char *const kinds[] = {"state", "error", "servers", "lame_duck", "slow"};
    client *c = self;

    c->state = event->state;
    c->connects += event->kind == NATLET_CLIENT_EV_STATE && event->state == NATLET_CLIENT_CONNECTED;
    printf("%s", kinds[event->kind]);
    if (event->kind == NATLET_CLIENT_EV_STATE) {
        printf(" %s", natlet_client_state_text(event->state));
    }
    printf(" %s close=%u sid=%u", status_name(event->status), (unsigned)event->close_code,
           (unsigned)event->sid);
    print_bytes(event->text);
    end_line();
    c->door->wake(c->door->self);
}

static void note_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    client *c = self;
    subscription *sub = NULL;

    for (uint32_t i = 0; i < c->sub_count; i++) {
        sub = c->subs[i].sid == sid ? &c->subs[i] : sub;
    }
    c->messages++;
    if (sub == NULL) {
        printf("message of an unknown subscription %u", (unsigned)sid);
        end_line();
        return;
    }
    sub->count++;
    if (!sub->is_quiet) {
        printf("msg %u %.*s", (unsigned)(sub - c->subs + 1), (int)msg->subject.len,
               (const char *)msg->subject.ptr);
        print_bytes(msg->headers);
        print_bytes(msg->payload);
        end_line();
    }
    if (sub->answers && msg->reply.len > 0) {
        natlet_msg answer = {.subject = msg->reply, .payload = msg->payload};
        (void)natlet_client_publish(c->client, &answer);
    }
}

static void note_ended(void *self, uint32_t sid, natlet_status why)
{
    client *c = self;

    for (uint32_t i = 0; i < c->sub_count; i++) {
        if (c->subs[i].sid == sid) {
            c->subs[i].sid = 0;
            printf("ended %u %s", (unsigned)i + 1, status_name(why));
            end_line();
        }
    }
}

static void note_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    printf("reply %s", status_name(st));
    if (reply != NULL) {
        print_bytes(reply->headers);
        print_bytes(reply->payload);
    }
    end_line();
    note_done(self, st);
}

static void note_flushed(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)elapsed_us;
    note_done(self, st);
}

/* ---- waiting ---- */

/* Turns until `is_over` says so or the client is closed.  A turn that waits comes
 * after one that does not, so that nothing that is due is slept over. */
static void run_until(client *c, bool (*is_over)(const client *c, uint64_t arg), uint64_t arg)
{
    uint32_t due_ms = 0;

    while (!is_over(c, arg) && c->state != NATLET_CLIENT_CLOSED) {
        due_ms = natlet_runtime_run(c->rt, BUDGET_US, due_ms == 0 ? 0 : NATLET_NEVER_MS);
    }
}

static bool is_done(const client *c, uint64_t arg)
{
    (void)arg;
    return c->is_done;
}

static bool has_state(const client *c, uint64_t state)
{
    return (uint64_t)c->state == state;
}

static bool has_connects(const client *c, uint64_t count)
{
    return c->connects >= count;
}

static bool has_messages(const client *c, uint64_t count)
{
    return c->messages >= count;
}

static natlet_status wait_done(client *c, natlet_status st)
{
    if (st >= 0) {
        run_until(c, is_done, 0);
        st = c->is_done ? c->outcome : NATLET_E_CLOSED;
    }
    c->is_done = false;
    return st;
}

/* ---- steps ---- */

static uint64_t number(const step *s, uint32_t at, uint64_t otherwise)
{
    uint64_t value = otherwise;

    if (at < s->count && !natlet__read_decimal(s->words[at], UINT64_MAX, &value)) {
        printf("not a number: %.*s\n", (int)s->words[at].len, (const char *)s->words[at].ptr);
        exit(EXIT_FAILURE);
    }
    return value;
}

static bool is_word(natlet_slice word, const char *text)
{
    return natlet__equal(word, natlet__text(text));
}

/* set NAME VALUE, before connect */
static void do_set(client *c, const step *s)
{
    const struct {
        const char *name;
        uint32_t *field;
    } numbers[] = {
        {"connect_ms", &c->config.connect_ms},
        {"ping_ms", &c->config.ping_ms},
        {"reconnect_ms", &c->config.reconnect_ms},
        {"rx_bytes", &c->config.rx_bytes},
        {"tx_bytes", &c->config.tx_bytes},
        {"pending_bytes_max", &c->config.pending_bytes_max},
        {"message_bytes_max", &c->config.message_bytes_max},
    };
    const struct {
        const char *name;
        bool *field;
    } flags[] = {
        {"no_echo", &c->config.no_echo},
        {"no_reconnect", &c->config.no_reconnect},
        {"verbose", &c->config.verbose},
        {"pedantic", &c->config.pedantic},
        {"retry_first_connect", &c->config.retry_first_connect},
        {"ignore_discovered", &c->config.ignore_discovered},
    };
    const struct {
        const char *name;
        natlet_slice *field;
    } texts[] = {
        {"servers", &c->config.servers},           {"user", &c->config.user},
        {"password", &c->config.password},         {"token", &c->config.token},
        {"inbox_prefix", &c->config.inbox_prefix},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (is_word(s->words[1], numbers[i].name)) {
            *numbers[i].field = (uint32_t)number(s, 2, 0);
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (is_word(s->words[1], flags[i].name)) {
            *flags[i].field = number(s, 2, 1) != 0;
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (is_word(s->words[1], texts[i].name)) {
            *texts[i].field = s->rest[2];
        }
    }
}

/* connect: until connected, or closed */
static void do_connect(client *c, const step *s)
{
    (void)s;
    natlet_status st = natlet_client_new(&c->client, c->rt, &c->config);
    if (st >= 0) {
        st = natlet_client_connect(c->client);
    }
    print_status("connect", st);
    if (st < 0) {
        exit(EXIT_FAILURE);
    }
    run_until(c, has_connects, 1);
}

/* sub SUBJECT [MAX [QUEUE]]; the first subscription is number 1 */
static void do_sub(client *c, const step *s)
{
    subscription *sub = &c->subs[c->sub_count++];
    natlet_subscribe_options options = {.max = number(s, 2, 0), .queue = s->words[3]};
    natlet_sink sink = {.self = c, .message = note_message, .ended = note_ended};

    print_status("sub",
                 natlet_client_subscribe(c->client, &sub->sid, s->words[1], &options, &sink));
}

/* quiet: what arrives for the last subscription is counted, not shown */
static void do_quiet(client *c, const step *s)
{
    (void)s;
    c->subs[c->sub_count - 1].is_quiet = true;
}

/* answer: the last subscription answers requests with their payload */
static void do_answer(client *c, const step *s)
{
    (void)s;
    c->subs[c->sub_count - 1].answers = true;
}

/* unsub NUMBER [MAX] */
static void do_unsub(client *c, const step *s)
{
    uint32_t sid = c->subs[number(s, 1, 1) - 1].sid;

    print_status("unsub", natlet_client_unsubscribe(c->client, sid, number(s, 2, 0)));
}

/* drain-sub NUMBER */
static void do_drain_sub(client *c, const step *s)
{
    uint32_t sid = c->subs[number(s, 1, 1) - 1].sid;
    natlet_status st =
        natlet_client_drain_subscription(c->client, sid, TIMEOUT_MS, note_flushed, c);

    print_status("drain-sub", wait_done(c, st));
}

/* header KEY VALUE: for the next pub or request */
static void do_header(client *c, const step *s)
{
    if (c->headers.ptr == NULL) {
        (void)natlet_headers_init(&c->headers, c->header_mem, sizeof c->header_mem);
    }
    natlet_status st = natlet_headers_add(&c->headers, s->words[1], s->rest[2]);
    if (st < 0) {
        print_status("header", st);
    }
}

static natlet_slice take_headers(client *c)
{
    natlet_slice block =
        c->headers.ptr != NULL ? natlet_headers_block(&c->headers) : (natlet_slice){0};
    c->headers = (natlet_headers){0}; /* the block stays in header_mem */
    return block;
}

static natlet_status publish(client *c, const natlet_msg *msg)
{
    natlet_status st = natlet_client_publish(c->client, msg);

    while (st == NATLET_E_FULL && c->state == NATLET_CLIENT_CONNECTED) {
        (void)natlet_runtime_run(c->rt, BUDGET_US, 1);
        st = natlet_client_publish(c->client, msg);
    }
    return st;
}

/* pub SUBJECT PAYLOAD; what fails says so */
static void do_pub(client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1], .payload = s->rest[2], .headers = take_headers(c)};
    natlet_status st = publish(c, &msg);

    if (st < 0) {
        print_status("pub", st);
    }
}

/* flood SUBJECT COUNT BYTES: messages whose bytes tell a lost one from a torn one */
static void do_flood(client *c, const step *s)
{
    size_t bytes = (size_t)number(s, 3, 0);
    uint8_t *payload = malloc(bytes + 1);
    natlet_status st = NATLET_OK;

    for (uint64_t i = 0; i < number(s, 2, 1) && st >= 0; i++) {
        for (size_t at = 0; at < bytes; at++) {
            payload[at] = (uint8_t)(at * 31 + i);
        }
        st = publish(c, &(natlet_msg){.subject = s->words[1], .payload = {payload, bytes}});
    }
    free(payload);
    print_status("flood", st);
}

/* request SUBJECT MS PAYLOAD */
static void do_request(client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1], .payload = s->rest[3], .headers = take_headers(c)};
    natlet_status st = natlet_client_request(c->client, &msg, (uint32_t)number(s, 2, TIMEOUT_MS),
                                             note_reply, c, NULL);

    if (st < 0) {
        print_status("request", st);
    }
    (void)wait_done(c, st);
}

/* flush [MS] */
static void do_flush(client *c, const step *s)
{
    uint32_t ms = (uint32_t)number(s, 1, TIMEOUT_MS);

    print_status("flush", wait_done(c, natlet_client_flush(c->client, ms, note_flushed, c)));
}

/* settle SUBJECT COUNT: publishes and flushes until a flush says that all of it
 * reached the server, then tells how many came back to its own subscription,
 * which by then must be all */
static void do_settle(client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1], .payload = s->words[0]};
    uint64_t count = number(s, 2, 1);
    uint64_t before = 0;
    natlet_status st;

    do {
        run_until(c, has_state, NATLET_CLIENT_CONNECTED);
        if (c->state == NATLET_CLIENT_CLOSED) {
            print_status("settle", NATLET_E_CLOSED);
            return;
        }
        before = c->messages;
        st = NATLET_OK;
        for (uint64_t i = 0; i < count && st >= 0; i++) {
            st = publish(c, &msg);
        }
        st = st < 0 ? st : natlet_client_flush(c->client, TIMEOUT_MS, note_flushed, c);
        st = wait_done(c, st);
    } while (st < 0);
    printf("settled %llu", (unsigned long long)(c->messages - before));
    end_line();
}

/* expect COUNT: until so many messages came in all */
static void do_expect(client *c, const step *s)
{
    run_until(c, has_messages, number(s, 1, 1));
    printf("expect %llu", (unsigned long long)c->messages);
    end_line();
}

/* connects COUNT: until it has connected so often */
static void do_connects(client *c, const step *s)
{
    run_until(c, has_connects, number(s, 1, 1));
}

/* lost: until the connection is */
static void do_lost(client *c, const step *s)
{
    (void)s;
    run_until(c, has_state, NATLET_CLIENT_RECONNECTING);
}

/* reconnect */
static void do_reconnect(client *c, const step *s)
{
    (void)s;
    print_status("reconnect", natlet_client_reconnect(c->client));
}

/* drain: until all is delivered, sent and closed */
static void do_drain(client *c, const step *s)
{
    (void)s;
    natlet_status st = natlet_client_drain(c->client, TIMEOUT_MS, note_flushed, c);
    if (st >= 0) {
        run_until(c, is_done, 0);
        st = c->outcome;
    }
    c->is_done = false;
    print_status("drain", st);
}

/* counts: messages of each subscription */
static void do_counts(client *c, const step *s)
{
    (void)s;
    printf("counts");
    for (uint32_t i = 0; i < c->sub_count; i++) {
        printf(" %llu", (unsigned long long)c->subs[i].count);
    }
    end_line();
}

/* stats: one JSON document */
static void do_stats(client *c, const step *s)
{
    natlet_client_stats n = natlet_client_stats_now(c->client);
    natlet_runtime_stats rt = natlet_runtime_stats_now(c->rt);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"in_messages", n.in_messages},
        {"in_bytes", n.in_bytes},
        {"out_messages", n.out_messages},
        {"out_bytes", n.out_bytes},
        {"received_bytes", n.received_bytes},
        {"sent_bytes", n.sent_bytes},
        {"recv_calls", n.recv_calls},
        {"send_calls", n.send_calls},
        {"copied_bytes", n.copied_bytes},
        {"unrouted", n.unrouted},
        {"late_replies", n.late_replies},
        {"dropped", n.dropped},
        {"refused", n.refused},
        {"reconnects", n.reconnects},
        {"connects", n.connects},
        {"errors", n.errors},
        {"subscriptions", n.subscriptions},
        {"requests", n.requests},
        {"outbox_bytes", n.outbox_bytes},
        {"outbox_max", n.outbox_max},
        {"rx_block_max", n.rx_block_max},
        {"memory_bytes", rt.memory_bytes},
        {"memory_max", rt.memory_max},
    };

    (void)s;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        printf("%s\"%s\":%llu", i == 0 ? "stats {" : ",", fields[i].name,
               (unsigned long long)fields[i].value);
    }
    printf("}");
    end_line();
}

/* mark WORD: only a line, for the harness to act on */
static void do_mark(client *c, const step *s)
{
    (void)c;
    printf("mark %.*s", (int)s->rest[1].len, (const char *)s->rest[1].ptr);
    end_line();
}

/* close */
static void do_close(client *c, const step *s)
{
    (void)s;
    natlet_client_close(c->client);
    print_status("close", NATLET_OK);
}

/* ---- the program ---- */

static const struct {
    const char *name;
    void (*take)(client *c, const step *s);
} steps[] = {
    {"set", do_set},
    {"connect", do_connect},
    {"sub", do_sub},
    {"quiet", do_quiet},
    {"answer", do_answer},
    {"unsub", do_unsub},
    {"drain-sub", do_drain_sub},
    {"header", do_header},
    {"pub", do_pub},
    {"flood", do_flood},
    {"request", do_request},
    {"flush", do_flush},
    {"settle", do_settle},
    {"expect", do_expect},
    {"connects", do_connects},
    {"lost", do_lost},
    {"reconnect", do_reconnect},
    {"drain", do_drain},
    {"counts", do_counts},
    {"stats", do_stats},
    {"mark", do_mark},
    {"close", do_close},
};

static step cut_step(const char *text)
{
    natlet_slice left = natlet__text(text);
    step s = {0};

    while (left.len > 0 && s.count < WORDS_MAX) {
        size_t end = 0;
        while (end < left.len && left.ptr[end] != ' ') {
            end++;
        }
        s.rest[s.count] = left;
        s.words[s.count++] = natlet__take(&left, end);
        if (left.len > 0) {
            natlet__take(&left, 1);
        }
    }
    return s;
}

static bool take_step(client *c, const char *text)
{
    step s = cut_step(text);

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (is_word(s.words[0], steps[i].name)) {
            steps[i].take(c, &s);
            return true;
        }
    }
    printf("no such step: %s\n", text);
    return false;
}

int main(int argc, char **argv)
{
    static client c;
    natlet_allocator libc = hosted_allocator();

    c.door = hosted_door();
    if (c.door == NULL || natlet_runtime_new(&c.rt, c.door, &libc, 0) < 0) {
        printf("no host\n");
        return EXIT_FAILURE;
    }
    natlet_client_config_init(&c.config);
    c.config.on_event = note_event;
    c.config.self = &c;
    for (int i = 1; i < argc; i++) {
        if (!take_step(&c, argv[i])) {
            return EXIT_FAILURE;
        }
    }
    if (c.client != NULL) {
        natlet_client_free(c.client);
    }
    printf("left %zu bytes\n", natlet_runtime_stats_now(c.rt).memory_bytes);
    natlet_runtime_free(c.rt);
    return EXIT_SUCCESS;
}
