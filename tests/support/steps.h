/* What the steps of tests/conformance/client.c share: the state of the program, how
 * it prints what happens, and how a step waits.
 *
 * A theme with steps of its own has them in a file steps_THEME.c with a table that
 * ends in an entry without a name, and client.c names the table. */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>

#include "natlet/client.h"
#include "natlet/headers.h"
#include "support/hosted.h"

enum {
    STEPS_WORDS_MAX = 8,
    STEPS_SUBS_MAX = 64,
    STEPS_TIMEOUT_MS = 10000,
    STEPS_BUDGET_US = 20000
};

typedef struct steps_subscription {
    uint32_t sid;
    uint64_t count;
    bool answers; /* with the payload */
    bool is_quiet;
} steps_subscription;

typedef struct steps_client {
    natlet_runtime *rt;
    natlet_client *client;
    natlet_client_config config;
    const natlet_host *door;
    natlet_client_state state;
    uint32_t connects;
    uint64_t messages;
    uint64_t wanted;
    bool is_done; /* what the step waits for came */
    natlet_status outcome;
    steps_subscription subs[STEPS_SUBS_MAX];
    uint32_t sub_count;
    uint8_t header_mem[1024];
    natlet_headers headers; /* of the next publish or request */
} steps_client;

/* A step, cut at its blanks; `rest` begins at each word and goes to the end. */
typedef struct step {
    natlet_slice words[STEPS_WORDS_MAX];
    natlet_slice rest[STEPS_WORDS_MAX];
    uint32_t count;
} step;

typedef struct steps_entry {
    const char *name;
    void (*take)(steps_client *c, const step *s);
} steps_entry;

extern const steps_entry steps_servers[], steps_faults[];

/* The host's door, through which the step `resume` raises a hint. */
const natlet_host *steps_hinting_door(const natlet_host *door);
/* Ends a connect or reconnect that `begin` began, if the event says so. */
void steps_note_joined(const natlet_client_event *event);

/* ---- printing: one line for everything that happens ---- */

void steps_print_bytes(natlet_slice bytes);
void steps_end_line(void);
void steps_print_status(const char *what, natlet_status st);

/* ---- what the client calls ---- */

/* What the step waits for came. */
void steps_note_done(steps_client *c, natlet_status st);
void steps_note_event(void *self, const natlet_client_event *event);
void steps_note_message(void *self, uint32_t sid, const natlet_msg *msg);
void steps_note_ended(void *self, uint32_t sid, natlet_status why);
void steps_note_reply(void *self, natlet_status st, const natlet_msg *reply);
void steps_note_flushed(void *self, natlet_status st, uint64_t elapsed_us);

/* ---- waiting ---- */

/* Turns until `is_over` says so or the client is closed. */
void steps_run_until(steps_client *c, bool (*is_over)(const steps_client *c, uint64_t arg),
                     uint64_t arg);
bool steps_is_done(const steps_client *c, uint64_t arg);
bool steps_has_state(const steps_client *c, uint64_t state);
bool steps_has_connects(const steps_client *c, uint64_t count);
bool steps_has_messages(const steps_client *c, uint64_t count);
/* If `st` is no failure, waits for steps_note_done and returns what it was told. */
natlet_status steps_wait_done(steps_client *c, natlet_status st);

/* ---- words of a step ---- */

/* The number that word `at` is, or `otherwise` if there is no such word. */
uint64_t steps_number(const step *s, uint32_t at, uint64_t otherwise);
bool steps_is_word(natlet_slice word, const char *text);

#endif
