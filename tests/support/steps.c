#include "support/steps.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

enum { SHOWN_MAX = 60 };

/* ---- printing ---- */

/* Long payloads by length and a sum (FNV-1a), so that a line stays a line. */
void steps_print_bytes(natlet_slice bytes)
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

void steps_end_line(void)
{
    printf("\n");
    (void)fflush(stdout);
}

void steps_print_status(const char *what, natlet_status st)
{
    printf("%s %s", what, natlet_status_name(st));
    steps_end_line();
}

/* ---- what the client calls ---- */

void steps_note_done(steps_client *c, natlet_status st)
{
    c->is_done = true;
    c->outcome = st;
    c->door->wake(c->door->self); /* the turn may be about to sleep */
}

void steps_note_event(void *self, const natlet_client_event *event)
{
    static const char *const kinds[] = {"state", "error",         "servers", "lame_duck",
                                        "slow",  "auth_expiring", "migrated"};
    steps_client *c = self;

    c->state = event->state;
    c->connects += event->kind == NATLET_CLIENT_EV_STATE && event->state == NATLET_CLIENT_CONNECTED;
    printf("%s", kinds[event->kind]);
    if (event->kind == NATLET_CLIENT_EV_STATE) {
        printf(" %s", natlet_client_state_text(event->state));
    }
    printf(" %s close=%u sid=%u", natlet_status_name(event->status), (unsigned)event->close_code,
           (unsigned)event->sid);
    steps_print_bytes(event->text);
    steps_end_line();
    steps_note_joined(event);
    c->door->wake(c->door->self);
}

void steps_note_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    steps_client *c = self;
    steps_subscription *sub = NULL;

    for (uint32_t i = 0; i < c->sub_count; i++) {
        sub = c->subs[i].sid == sid ? &c->subs[i] : sub;
    }
    c->messages++;
    if (sub == NULL) {
        printf("message of an unknown subscription %u", (unsigned)sid);
        steps_end_line();
        return;
    }
    sub->count++;
    if (!sub->is_quiet) {
        printf("msg %u %.*s", (unsigned)(sub - c->subs + 1), (int)msg->subject.len,
               (const char *)msg->subject.ptr);
        steps_print_bytes(msg->headers);
        steps_print_bytes(msg->payload);
        steps_end_line();
    }
    if (sub->answers && msg->reply.len > 0) {
        natlet_msg answer = {.subject = msg->reply, .payload = msg->payload};
        (void)natlet_client_publish(c->client, &answer);
    }
}

void steps_note_ended(void *self, uint32_t sid, natlet_status why)
{
    steps_client *c = self;

    for (uint32_t i = 0; i < c->sub_count; i++) {
        if (c->subs[i].sid == sid) {
            c->subs[i].sid = 0;
            printf("ended %u %s", (unsigned)i + 1, natlet_status_name(why));
            steps_end_line();
        }
    }
}

void steps_note_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    printf("reply %s", natlet_status_name(st));
    if (reply != NULL) {
        steps_print_bytes(reply->headers);
        steps_print_bytes(reply->payload);
    }
    steps_end_line();
    steps_note_done(self, st);
}

void steps_note_flushed(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)elapsed_us;
    steps_note_done(self, st);
}

/* ---- waiting ---- */

/* Turns until `is_over` says so or the client is closed.  A turn that waits comes
 * after one that does not, so that nothing that is due is slept over. */
void steps_run_until(steps_client *c, bool (*is_over)(const steps_client *c, uint64_t arg),
                     uint64_t arg)
{
    uint32_t due_ms = 0;

    while (!is_over(c, arg) && c->state != NATLET_CLIENT_CLOSED) {
        due_ms = natlet_runtime_run(c->rt, STEPS_BUDGET_US, due_ms == 0 ? 0 : NATLET_NEVER_MS);
    }
}

bool steps_is_done(const steps_client *c, uint64_t arg)
{
    (void)arg;
    return c->is_done;
}

bool steps_has_state(const steps_client *c, uint64_t state)
{
    return (uint64_t)c->state == state;
}

bool steps_has_connects(const steps_client *c, uint64_t count)
{
    return c->connects >= count;
}

bool steps_has_messages(const steps_client *c, uint64_t count)
{
    return c->messages >= count;
}

natlet_status steps_wait_done(steps_client *c, natlet_status st)
{
    if (st >= 0) {
        steps_run_until(c, steps_is_done, 0);
        st = c->is_done ? c->outcome : NATLET_E_CLOSED;
    }
    c->is_done = false;
    return st;
}

uint64_t steps_number(const step *s, uint32_t at, uint64_t otherwise)
{
    uint64_t value = otherwise;

    if (at < s->count && !natlet__read_decimal(s->words[at], UINT64_MAX, &value)) {
        printf("not a number: %.*s\n", (int)s->words[at].len, (const char *)s->words[at].ptr);
        exit(EXIT_FAILURE);
    }
    return value;
}

bool steps_is_word(natlet_slice word, const char *text)
{
    return natlet__equal(word, natlet__text(text));
}
