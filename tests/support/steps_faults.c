/* Steps of the theme "reconnect" where the network fails: operations with a deadline,
 * begun side by side and judged when all are over; and what only a host can say. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/runtime.h"
#include "support/steps.h"

enum { OPS_MAX = 8, LINGER_MS = 100 };

typedef struct timed {
    steps_client *c;
    const char *name;
    natlet_status st;
    uint32_t times; /* it was told to be over */
    uint64_t begun_us, ended_us;
} timed;

static timed ops[OPS_MAX];
static uint32_t op_count;
static timed *joining; /* a connect or reconnect, which is over with a state */

/* ---- the host's door, with a hint that a test raises ---- */

static int32_t (*poll_behind)(void *self, natlet_host_event *events, uint32_t cap,
                              int32_t timeout_ms);
static bool has_resumed;

static int32_t poll_with_hint(void *self, natlet_host_event *events, uint32_t cap,
                              int32_t timeout_ms)
{
    if (!has_resumed) {
        return poll_behind(self, events, cap, timeout_ms);
    }
    has_resumed = false;
    events[0] = (natlet_host_event){.type = NATLET_EV_HINT, .a = NATLET_HINT_RESUME};
    return 1;
}

const natlet_host *steps_hinting_door(const natlet_host *door)
{
    static natlet_host hinting;

    if (door == NULL) {
        return NULL;
    }
    hinting = *door;
    poll_behind = door->poll;
    hinting.poll = poll_with_hint;
    return &hinting;
}

/* resume: the host says that the program slept */
static void do_resume(steps_client *c, const step *s)
{
    (void)c;
    (void)s;
    has_resumed = true;
}

/* ---- operations ---- */

static void is_over(timed *op, natlet_status st)
{
    op->st = st;
    op->times++;
    op->ended_us = natlet__runtime_clock_us(op->c->rt);
    op->c->door->wake(op->c->door->self);
}

static void note_over(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)elapsed_us;
    is_over(self, st);
}

static void note_answer(void *self, natlet_status st, const natlet_msg *reply)
{
    (void)reply;
    is_over(self, st);
}

void steps_note_joined(const natlet_client_event *event)
{
    if (joining != NULL && event->kind == NATLET_CLIENT_EV_STATE &&
        (event->state == NATLET_CLIENT_CONNECTED || event->state == NATLET_CLIENT_CLOSED)) {
        is_over(joining, event->status);
    }
}

static natlet_status join(steps_client *c, timed *op)
{
    natlet_status st = NATLET_OK;

    if (c->client == NULL) {
        st = natlet_client_new(&c->client, c->rt, &c->config);
        joining = op;
        return st < 0 ? st : natlet_client_connect(c->client);
    }
    joining = op;
    return natlet_client_reconnect(c->client);
}

static natlet_status begin(steps_client *c, const step *s, timed *op)
{
    const natlet_msg msg = {.subject = s->words[3], .payload = s->words[1]};
    uint32_t ms = (uint32_t)steps_number(s, 2, 0);

    if (strcmp(op->name, "flush") == 0) {
        return natlet_client_flush(c->client, ms, note_over, op);
    }
    if (strcmp(op->name, "drain") == 0) {
        return natlet_client_drain(c->client, ms, note_over, op);
    }
    if (strcmp(op->name, "drain-sub") == 0) {
        uint32_t sid = c->subs[steps_number(s, 3, 1) - 1].sid;
        return natlet_client_drain_subscription(c->client, sid, ms, note_over, op);
    }
    if (strcmp(op->name, "request") == 0) {
        return natlet_client_request(c->client, &msg, ms, note_answer, op, NULL);
    }
    return join(c, op);
}

/* begin connect|reconnect, begin flush|drain MS, begin drain-sub MS NUMBER, begin request MS
 * SUBJECT: does not wait.  What is refused is over. */
static void do_begin(steps_client *c, const step *s)
{
    static const char *const names[] = {"connect", "reconnect", "flush",
                                        "drain",   "drain-sub", "request"};
    timed *op = &ops[op_count++];

    (void)natlet_runtime_run(c->rt, STEPS_BUDGET_US, 0); /* for the time of day */
    *op = (timed){.c = c, .begun_us = natlet__runtime_clock_us(c->rt)};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        op->name = steps_is_word(s->words[1], names[i]) ? names[i] : op->name;
    }
    natlet_status st = begin(c, s, op);
    if (st < 0) {
        is_over(op, st);
    }
}

static void linger(steps_client *c, uint64_t ms)
{
    uint64_t end_us = natlet__runtime_clock_us(c->rt) + ms * 1000;
    uint64_t now_us;

    while ((now_us = natlet__runtime_clock_us(c->rt)) < end_us) {
        (void)natlet_runtime_run(c->rt, STEPS_BUDGET_US, (uint32_t)((end_us - now_us) / 1000) + 1);
    }
}

/* linger MS: turns for so long */
static void do_linger(steps_client *c, const step *s)
{
    linger(c, steps_number(s, 1, LINGER_MS));
}

static bool are_over(void)
{
    bool all = true;

    for (uint32_t i = 0; i < op_count; i++) {
        all &= ops[i].times > 0;
    }
    return all;
}

/* ended: until all that was begun is over and might have been told twice; then for each the
 * status, how often it was told, and after how many milliseconds */
static void do_ended(steps_client *c, const step *s)
{
    (void)s;
    while (!are_over()) {
        (void)natlet_runtime_run(c->rt, STEPS_BUDGET_US, LINGER_MS);
    }
    joining = NULL; /* what a state says later is another matter */
    linger(c, LINGER_MS);
    for (uint32_t i = 0; i < op_count; i++) {
        printf("ended-op %s %s %u %u", ops[i].name, natlet_status_name(ops[i].st),
               (unsigned)ops[i].times, (unsigned)((ops[i].ended_us - ops[i].begun_us) / 1000));
        steps_end_line();
    }
    op_count = 0;
}

/* ---- the program's own waits ---- */

static step waits;

static uint32_t own_delay(void *self, uint32_t attempt)
{
    uint32_t last = waits.count - 1;

    (void)self;
    printf("delay %u", (unsigned)attempt);
    steps_end_line();
    return (uint32_t)steps_number(&waits, attempt + 1 < last ? attempt + 1 : last, 0);
}

/* delays MS...: before the passes over the servers; the last one for ever */
static void do_delays(steps_client *c, const step *s)
{
    waits = *s;
    c->config.reconnect_delay = own_delay;
}

/* attempts COUNT: in a row per server */
static void do_attempts(steps_client *c, const step *s)
{
    c->config.reconnects_max = (int32_t)steps_number(s, 1, 0);
}

const steps_entry steps_faults[] = {
    {"resume", do_resume}, {"begin", do_begin},       {"linger", do_linger}, {"ended", do_ended},
    {"delays", do_delays}, {"attempts", do_attempts}, {NULL, NULL},
};
