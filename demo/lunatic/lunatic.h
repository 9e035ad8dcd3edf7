/* The agents of this demo, in the vocabulary of natlet/seed.h.
 *
 * Each of them answers actions on its state, which lies in one backend beside the cell
 * and outlives every restart, and gets envelopes on agent.<id>. */
#ifndef NATLET_DEMO_LUNATIC_H
#define NATLET_DEMO_LUNATIC_H

#include "natlet.h"

enum {
    AGENTS_MAX = 8,
    ID_BYTES_MAX = 32,
    TEXT_BYTES_MAX = 160, /* what a collector finds, and its summary */
};

/* What the agents share: they live in one cell and run one at a time. */
typedef struct lunatic {
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_client *client;
    natlet_bridge *bridge;
    natlet_memory_backend *memory;
    natlet_backend backend;
    natlet_breaker breaker;  /* in front of the model; outlives the summariser */
    uint32_t seed;           /* of the model's bad luck */
    uint32_t silent_percent; /* calls that it does not answer */
} lunatic;

/* An agent's arg. */
typedef struct member {
    lunatic *of;
    natlet_seed_agent_type type;
    bool nats_enabled;
    char id[ID_BYTES_MAX];
    size_t id_len;
} member;

extern const natlet_behaviour collector;   /* fetches what scraping_task names */
extern const natlet_behaviour summariser;  /* has the model sum it up: results.summaries */
extern const natlet_behaviour coordinator; /* plans the tasks and counts the results */
extern const natlet_behaviour model;       /* answers late, or never */

/* How an agent of this demo meets its mail. */
natlet_seed_agent seed_agent(const member *self,
                             int32_t (*on_message)(natlet_cell *, void *, natlet_mail *,
                                                   const natlet_seed_message *));

/* A number in the state of an agent; 0 if it is not there. */
uint32_t recall(const member *self, const char *key);
void remember(const member *self, const char *key, uint32_t value);

/* Removes a key from the state; false if it was not there. */
bool forget(const member *self, const char *key);

/* A member of a message's payload: a whole number, 0 without one; a text, in `mem`. */
uint32_t number_in(const natlet_seed_message *message, const char *pointer);
natlet_slice text_in(const natlet_seed_message *message, const char *pointer,
                     uint8_t mem[TEXT_BYTES_MAX]);

natlet_slice slice_of(const char *text);

/* What a publish that found no server or no room leads to: the mail comes again. */
int32_t done_or_retry(natlet_status st);

#endif
