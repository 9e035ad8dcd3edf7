/* Steps of the themes requests, subscriptions, and flush and statistics. */
#include "support/steps_subs.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static uint32_t sid_of(const steps_client *c, const step *s)
{
    return c->subs[steps_number(s, 1, 1) - 1].sid;
}

/* ---- pulled subscriptions ---- */

/* pull SUBJECT [MESSAGES [MAX]]: a pulled subscription with a limit of pending messages */
static void do_pull(steps_client *c, const step *s)
{
    steps_subscription *sub = &c->subs[c->sub_count++];
    natlet_subscribe_options options = {.pending_messages_max = (uint32_t)steps_number(s, 2, 0),
                                        .max = steps_number(s, 3, 0)};
    natlet_sink sink = {.self = c, .ended = steps_note_ended};

    steps_print_status("pull",
                       natlet_client_subscribe(c->client, &sub->sid, s->words[1], &options, &sink));
}

/* take NUMBER [COUNT]: takes what a pulled subscription holds */
static void do_take(steps_client *c, const step *s)
{
    uint32_t sid = sid_of(c, s);
    natlet_msg msg;
    natlet_status st = NATLET_OK;

    for (uint64_t i = 0; i < steps_number(s, 2, 1) && st == NATLET_OK; i++) {
        st = natlet_client_next(c->client, sid, &msg);
        printf("took");
        if (st == NATLET_OK) {
            steps_print_bytes(msg.payload);
        } else {
            printf(" %s", natlet_status_name(st));
        }
        steps_end_line();
        (void)natlet_client_release(c->client, sid);
    }
}

/* held NUMBER COUNT: until a pulled subscription holds so many; then what is known of it */
static bool holds(const steps_client *c, uint64_t arg)
{
    natlet_subscription_info info;

    return natlet_client_subscription_info(c->client, (uint32_t)arg, &info) < 0 ||
           info.pending_messages + info.dropped >= c->wanted;
}

static void do_held(steps_client *c, const step *s)
{
    natlet_subscription_info info;
    uint32_t sid = sid_of(c, s);

    c->wanted = steps_number(s, 2, 0);
    steps_run_until(c, holds, sid);
    (void)natlet_client_subscription_info(c->client, sid, &info);
    printf("held %u dropped %u delivered %u most %u", (unsigned)info.pending_messages,
           (unsigned)info.dropped, (unsigned)info.delivered, (unsigned)info.most_messages);
    steps_end_line();
}

/* drain-taking NUMBER: drains it, and takes what it holds when the server has answered */
static void do_drain_taking(steps_client *c, const step *s)
{
    uint32_t sid = sid_of(c, s);
    natlet_msg msg;
    unsigned taken = 0;
    natlet_status st =
        natlet_client_drain_subscription(c->client, sid, STEPS_TIMEOUT_MS, steps_note_flushed, c);

    if (st >= 0) { /* its PONG comes before this one */
        c->is_done = false;
        st = natlet_client_flush(c->client, STEPS_TIMEOUT_MS, steps_note_flushed, c);
    }
    st = steps_wait_done(c, st);
    while (natlet_client_next(c->client, sid, &msg) == NATLET_OK) {
        taken++;
        (void)natlet_client_release(c->client, sid);
    }
    printf("taken %u %s %s", taken, natlet_status_name(st), natlet_status_name(c->outcome));
    steps_end_line();
    c->is_done = false;
}

/* ---- requests ---- */

static void note_many(void *self, natlet_status st, const natlet_msg *msg)
{
    if (msg == NULL) {
        steps_print_status("many", st);
        steps_note_done(self, st);
        return;
    }
    printf("more");
    steps_print_bytes(msg->payload);
    steps_end_line();
}

/* many SUBJECT MS [count=N] [stall=MS] [empty] [own]: until it is over */
static void do_many(steps_client *c, const step *s)
{
    natlet_request_options options = {.timeout_ms = (uint32_t)steps_number(s, 2, 1000)};
    natlet_msg msg = {.subject = s->words[1], .payload = NATLET_TEXT("many")};

    options.many = true;
    for (uint32_t i = 3; i < s->count; i++) {
        natlet_slice value = s->words[i];
        natlet_slice name;
        uint64_t number = 0;
        bool has_value =
            natlet__cut(&value, '=', &name) && natlet__read_decimal(value, UINT32_MAX, &number);
        name = has_value ? name : s->words[i];
        if (steps_is_word(name, "count")) {
            options.replies_max = (uint32_t)number;
            options.many = number > 1;
        } else if (steps_is_word(name, "stall")) {
            options.stall_ms = (uint32_t)number;
        }
        options.until_empty |= steps_is_word(name, "empty");
        options.own_inbox |= steps_is_word(name, "own");
    }
    natlet_status st = natlet_client_request_many(c->client, &msg, &options, note_many, c, NULL);
    if (st < 0) {
        steps_print_status("many", st);
    }
    (void)steps_wait_done(c, st);
}

/* burst SUBJECT COUNT: so many requests at once, each answered with what it asked */
enum { BURST_MAX = 1000 };

typedef struct burst {
    steps_client *c;
    uint32_t number;
} burst;

static uint64_t answered, right;

static void note_burst(void *self, natlet_status st, const natlet_msg *reply)
{
    const burst *one = self;

    answered++;
    right += st == NATLET_OK && reply->payload.len == sizeof one->number &&
             memcmp(reply->payload.ptr, &one->number, sizeof one->number) == 0;
    one->c->door->wake(one->c->door->self);
}

static bool is_answered(const steps_client *c, uint64_t count)
{
    (void)c;
    return answered >= count;
}

static void do_burst(steps_client *c, const step *s)
{
    static burst all[BURST_MAX];
    uint64_t count = steps_number(s, 2, 1);

    answered = 0;
    right = 0;
    for (uint32_t i = 0; i < count && i < BURST_MAX; i++) {
        all[i] = (burst){c, i};
        natlet_msg msg = {.subject = s->words[1],
                          .payload = {(uint8_t *)&all[i].number, sizeof all[i].number}};
        if (natlet_client_request(c->client, &msg, STEPS_TIMEOUT_MS, note_burst, &all[i], NULL) <
            0) {
            answered++;
        }
    }
    steps_run_until(c, is_answered, count);
    printf("burst %u", (unsigned)right);
    steps_end_line();
}

/* cancel SUBJECT: asks, flushes, and cancels */
static void do_cancel(steps_client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1]};
    uint32_t id = 0;
    natlet_status st =
        natlet_client_request(c->client, &msg, STEPS_TIMEOUT_MS, steps_note_reply, c, &id);

    c->is_done = false;
    st = st < 0 ? st : natlet_client_flush(c->client, STEPS_TIMEOUT_MS, steps_note_flushed, c);
    (void)steps_wait_done(c, st);
    steps_print_status("cancel", natlet_client_cancel(c->client, id));
    steps_print_status("cancel", natlet_client_cancel(c->client, id));
    c->is_done = false;
}

/* hang SUBJECT [own]: asks and does not wait */
static void do_hang(steps_client *c, const step *s)
{
    natlet_msg msg = {.subject = s->words[1]};
    natlet_request_options options = {.timeout_ms = STEPS_TIMEOUT_MS, .own_inbox = s->count > 2};
    natlet_status st =
        natlet_client_request_many(c->client, &msg, &options, steps_note_reply, c, NULL);

    c->is_done = false;
    if (st < 0) {
        steps_print_status("hang", st);
    }
}

/* ---- flush and state ---- */

static void note_rtt(void *self, natlet_status st, uint64_t elapsed_us)
{
    printf("rtt %s %s", natlet_status_name(st),
           elapsed_us > 0 && elapsed_us < 5000000 ? "measured" : "nonsense");
    steps_end_line();
    steps_note_done(self, st);
}

/* rtt */
static void do_rtt(steps_client *c, const step *s)
{
    (void)s;
    (void)steps_wait_done(c, natlet_client_rtt(c->client, STEPS_TIMEOUT_MS, note_rtt, c));
}

static void flush_in_callback(void *self, uint32_t sid, const natlet_msg *msg)
{
    steps_client *c = self;

    steps_note_message(self, sid, msg);
    (void)natlet_client_flush(c->client, STEPS_TIMEOUT_MS, note_rtt, c);
}

/* sub-flushing SUBJECT: a subscription whose callback flushes */
static void do_sub_flushing(steps_client *c, const step *s)
{
    steps_subscription *sub = &c->subs[c->sub_count++];
    natlet_sink sink = {.self = c, .message = flush_in_callback, .ended = steps_note_ended};

    steps_print_status("sub",
                       natlet_client_subscribe(c->client, &sub->sid, s->words[1], NULL, &sink));
}

/* done: until what a step began is over */
static void do_done(steps_client *c, const step *s)
{
    (void)s;
    (void)steps_wait_done(c, NATLET_OK);
}

/* ready: the state as a WebSocket's */
static void do_ready(steps_client *c, const step *s)
{
    (void)s;
    printf("ready %u %s", (unsigned)natlet_client_ready_state(c->client),
           natlet_client_is_connected(c->client) ? "connected" : "not");
    steps_end_line();
}

/* info: what the server told last */
static void do_info(steps_client *c, const step *s)
{
    natlet_slice info = natlet_client_info(c->client);

    (void)s;
    printf("info %u %.*s", (unsigned)natlet_client_max_payload(c->client), (int)info.len,
           info.len > 0 ? (const char *)info.ptr : "");
    steps_end_line();
}

/* flushing: begins a flush and does not wait */
static void do_flushing(steps_client *c, const step *s)
{
    (void)s;
    (void)natlet_client_flush(c->client, STEPS_TIMEOUT_MS, note_rtt, c);
}

const steps_entry steps_subs[] = {
    {"pull", do_pull},     {"take", do_take},
    {"held", do_held},     {"drain-taking", do_drain_taking},
    {"many", do_many},     {"burst", do_burst},
    {"cancel", do_cancel}, {"hang", do_hang},
    {"rtt", do_rtt},       {"sub-flushing", do_sub_flushing},
    {"done", do_done},     {"ready", do_ready},
    {"info", do_info},     {"flushing", do_flushing},
    {NULL, NULL},
};
