/* A client that does what its arguments say, one step after the other, and
 * prints one line for everything that happens to it.
 *
 *     client STEP...        a step is one argument: "sub a.* 3", "flush"
 *
 * The steps are listed at the end of the file.  A step that waits ends when what
 * it waits for came, or the connection is closed for good; none waits for ever,
 * because the harness that runs this ends it.  Exit status 0 says that every step
 * was taken, whatever its outcome. */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "support/steps.h"
#include "support/steps_auth.h"
#include "support/steps_subs.h"

/* set NAME VALUE, before connect */
static void do_set(steps_client *c, const step *s)
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
        {"retry_auth_errors", &c->config.retry_auth_errors},
        {"ignore_discovered", &c->config.ignore_discovered},
    };
    const struct {
        const char *name;
        natlet_slice *field;
    } texts[] = {
        {"headers", &c->config.headers}, {"servers", &c->config.servers},
        {"user", &c->config.user},       {"password", &c->config.password},
        {"token", &c->config.token},     {"inbox_prefix", &c->config.inbox_prefix},
        {"name", &c->config.name},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (steps_is_word(s->words[1], numbers[i].name)) {
            *numbers[i].field = (uint32_t)steps_number(s, 2, 0);
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (steps_is_word(s->words[1], flags[i].name)) {
            *flags[i].field = steps_number(s, 2, 1) != 0;
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (steps_is_word(s->words[1], texts[i].name)) {
            *texts[i].field = s->rest[2];
        }
    }
}

/* connect: until connected, or closed */
static void do_connect(steps_client *c, const step *s)
{
    (void)s;
    natlet_status st = natlet_client_new(&c->client, c->rt, &c->config);
    if (st >= 0) {
        st = natlet_client_connect(c->client);
    }
    steps_print_status("connect", st);
    if (st < 0) {
        exit(EXIT_FAILURE);
    }
    steps_run_until(c, steps_has_connects, 1);
}

/* sub SUBJECT [MAX [QUEUE]]; the first subscription is number 1 */
static void do_sub(steps_client *c, const step *s)
{
    steps_subscription *sub = &c->subs[c->sub_count++];
    natlet_subscribe_options options = {.max = steps_number(s, 2, 0), .queue = s->words[3]};
    natlet_sink sink = {.self = c, .message = steps_note_message, .ended = steps_note_ended};

    steps_print_status("sub",
                       natlet_client_subscribe(c->client, &sub->sid, s->words[1], &options, &sink));
}

/* quiet: what arrives for the last subscription is counted, not shown */
static void do_quiet(steps_client *c, const step *s)
{
    (void)s;
    c->subs[c->sub_count - 1].is_quiet = true;
}

/* answer: the last subscription answers requests with their payload */
static void do_answer(steps_client *c, const step *s)
{
    (void)s;
    c->subs[c->sub_count - 1].answers = true;
}

/* unsub NUMBER [MAX] */
static void do_unsub(steps_client *c, const step *s)
{
    uint32_t sid = c->subs[steps_number(s, 1, 1) - 1].sid;

    steps_print_status("unsub", natlet_client_unsubscribe(c->client, sid, steps_number(s, 2, 0)));
}

/* drain-sub NUMBER */
static void do_drain_sub(steps_client *c, const step *s)
{
    uint32_t sid = c->subs[steps_number(s, 1, 1) - 1].sid;
    natlet_status st =
        natlet_client_drain_subscription(c->client, sid, STEPS_TIMEOUT_MS, steps_note_flushed, c);

    steps_print_status("drain-sub", steps_wait_done(c, st));
}

/* header KEY VALUE: for the next pub or request */
static void do_header(steps_client *c, const step *s)
{
    if (c->headers.ptr == NULL) {
        (void)natlet_headers_init(&c->headers, c->header_mem, sizeof c->header_mem);
    }
    natlet_status st = natlet_headers_add(&c->headers, s->words[1], s->rest[2]);
    if (st < 0) {
        steps_print_status("header", st);
    }
}

static natlet_slice take_headers(steps_client *c)
{
    natlet_slice block =
        c->headers.ptr != NULL ? natlet_headers_block(&c->headers) : (natlet_slice){0};
    c->headers = (natlet_headers){0}; /* the block stays in header_mem */
    return block;
}

static natlet_status publish(steps_client *c, const natlet_msg *msg)
{
    natlet_status st = natlet_client_publish(c->client, msg);

    while (st == NATLET_E_FULL && c->state == NATLET_CLIENT_CONNECTED) {
        (void)natlet_runtime_run(c->rt, STEPS_BUDGET_US, 1);
        st = natlet_client_publish(c->client, msg);
    }
    return st;
}

/* pub SUBJECT PAYLOAD; what fails says so */
static void do_pub(steps_client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1], .payload = s->rest[2], .headers = take_headers(c)};
    natlet_status st = publish(c, &msg);

    if (st < 0) {
        steps_print_status("pub", st);
    }
}

/* flood SUBJECT COUNT BYTES: messages whose bytes tell a lost one from a torn one */
static void do_flood(steps_client *c, const step *s)
{
    size_t bytes = (size_t)steps_number(s, 3, 0);
    uint8_t *payload = malloc(bytes + 1);
    natlet_status st = NATLET_OK;

    for (uint64_t i = 0; i < steps_number(s, 2, 1) && st >= 0; i++) {
        for (size_t at = 0; at < bytes; at++) {
            payload[at] = (uint8_t)(at * 31 + i);
        }
        st = publish(c, &(natlet_msg){.subject = s->words[1], .payload = {payload, bytes}});
    }
    free(payload);
    steps_print_status("flood", st);
}

/* request SUBJECT MS PAYLOAD */
static void do_request(steps_client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1], .payload = s->rest[3], .headers = take_headers(c)};
    natlet_status st = natlet_client_request(
        c->client, &msg, (uint32_t)steps_number(s, 2, STEPS_TIMEOUT_MS), steps_note_reply, c, NULL);

    if (st < 0) {
        steps_print_status("request", st);
    }
    (void)steps_wait_done(c, st);
}

/* flush [MS] */
static void do_flush(steps_client *c, const step *s)
{
    uint32_t ms = (uint32_t)steps_number(s, 1, STEPS_TIMEOUT_MS);

    steps_print_status(
        "flush", steps_wait_done(c, natlet_client_flush(c->client, ms, steps_note_flushed, c)));
}

/* settle SUBJECT COUNT: publishes and flushes until a flush says that all of it
 * reached the server, then tells how many came back to its own subscription,
 * which by then must be all */
static void do_settle(steps_client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1], .payload = s->words[0]};
    uint64_t count = steps_number(s, 2, 1);
    uint64_t before = 0;
    natlet_status st;

    do {
        steps_run_until(c, steps_has_state, NATLET_CLIENT_CONNECTED);
        if (c->state == NATLET_CLIENT_CLOSED) {
            steps_print_status("settle", NATLET_E_CLOSED);
            return;
        }
        before = c->messages;
        st = NATLET_OK;
        for (uint64_t i = 0; i < count && st >= 0; i++) {
            st = publish(c, &msg);
        }
        st = st < 0 ? st : natlet_client_flush(c->client, STEPS_TIMEOUT_MS, steps_note_flushed, c);
        st = steps_wait_done(c, st);
    } while (st < 0);
    printf("settled %llu", (unsigned long long)(c->messages - before));
    steps_end_line();
}

/* expect COUNT: until so many messages came in all */
static void do_expect(steps_client *c, const step *s)
{
    steps_run_until(c, steps_has_messages, steps_number(s, 1, 1));
    printf("expect %llu", (unsigned long long)c->messages);
    steps_end_line();
}

/* connects COUNT: until it has connected so often */
static void do_connects(steps_client *c, const step *s)
{
    steps_run_until(c, steps_has_connects, steps_number(s, 1, 1));
}

/* lost: until the connection is */
static void do_lost(steps_client *c, const step *s)
{
    (void)s;
    steps_run_until(c, steps_has_state, NATLET_CLIENT_RECONNECTING);
}

/* reconnect */
static void do_reconnect(steps_client *c, const step *s)
{
    (void)s;
    steps_print_status("reconnect", natlet_client_reconnect(c->client));
}

/* drain [MS]: until all is delivered, sent and closed */
static void do_drain(steps_client *c, const step *s)
{
    uint32_t ms = (uint32_t)steps_number(s, 1, STEPS_TIMEOUT_MS);
    natlet_status st = natlet_client_drain(c->client, ms, steps_note_flushed, c);
    if (st >= 0) {
        steps_run_until(c, steps_is_done, 0);
        st = c->outcome;
    }
    c->is_done = false;
    steps_print_status("drain", st);
}

/* counts: messages of each subscription */
static void do_counts(steps_client *c, const step *s)
{
    (void)s;
    printf("counts");
    for (uint32_t i = 0; i < c->sub_count; i++) {
        printf(" %llu", (unsigned long long)c->subs[i].count);
    }
    steps_end_line();
}

/* stats: one JSON document */
static void do_stats(steps_client *c, const step *s)
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
        {"migrations", n.migrations},
        {"probes", n.probes},
        {"connects", n.connects},
        {"errors", n.errors},
        {"subscriptions", n.subscriptions},
        {"subscriptions_max", n.subscriptions_max},
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
    steps_end_line();
}

/* mark WORD: only a line, for the harness to act on */
static void do_mark(steps_client *c, const step *s)
{
    (void)c;
    printf("mark %.*s", (int)s->rest[1].len, (const char *)s->rest[1].ptr);
    steps_end_line();
}

/* close */
static void do_close(steps_client *c, const step *s)
{
    (void)s;
    natlet_client_close(c->client);
    steps_print_status("close", NATLET_OK);
}

/* ---- the program ---- */

static const steps_entry steps[] = {
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
    {NULL, NULL},
};

/* Themes with steps of their own stand behind these. */
static const steps_entry *const themes[] = {steps,      steps_auth,   steps_servers,
                                            steps_subs, steps_inject, steps_faults};

static step cut_step(const char *text)
{
    natlet_slice left = natlet__text(text);
    step s = {0};

    while (left.len > 0 && s.count < STEPS_WORDS_MAX) {
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

static bool take_step(steps_client *c, const char *text)
{
    step s = cut_step(text);

    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++) {
        for (const steps_entry *entry = themes[i]; entry->name != NULL; entry++) {
            if (steps_is_word(s.words[0], entry->name)) {
                entry->take(c, &s);
                return true;
            }
        }
    }
    printf("no such step: %s\n", text);
    return false;
}

int main(int argc, char **argv)
{
    static steps_client c;
    natlet_allocator libc = hosted_allocator();

    c.door = steps_hinting_door(hosted_door());
    if (c.door == NULL || natlet_runtime_new(&c.rt, c.door, &libc, 0) < 0) {
        printf("no host\n");
        return EXIT_FAILURE;
    }
    natlet_client_config_init(&c.config);
    c.config.on_event = steps_note_event;
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
