/* The guest of the host conformance test: a program that keeps to the rules of
 * the host door and watches whether the host does.
 *
 * Each rule is a function that the guest calls once per turn until it says
 * pass, fail or skip.  Between the calls it keeps its place in `step`.  The same
 * code runs natively, as a wasm command and as a wasm reactor. */
#ifndef TEST_HOSTS_GUEST_H
#define TEST_HOSTS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "natlet/host.h"
#include "natlet/status.h"

/* More than a page of wasm memory, and than some random sources give at once. */
enum { SCRATCH_BYTES = 98304 };

enum { LINKS_MAX = 4, TEXT_BYTES = 512, EVENTS_MAX = 16 };

/* A connection and all that was heard of it. */
typedef struct link {
    uint32_t id;
    const char *command; /* sent when it opens; the peer acts on it */
    uint32_t opens, readables, writables, closes;
    uint32_t events; /* all of them */
    uint32_t close_code;
    int32_t close_status;
    uint64_t got;  /* bytes received */
    bool is_wrong; /* they were not the pattern */
    bool is_ended; /* recv said E_CLOSED */
    uint64_t sent;
} link;

typedef struct guest guest;

typedef struct rule {
    const char *name; /* "H7 bytes before the close stay readable" */
    void (*run)(guest *g);
} rule;

struct guest {
    const natlet_host *host;
    natlet_host_info info;
    void (*say)(guest *g, const char *line, uint32_t len);
    bool is_reactor;

    /* From the harness: "transport url refused-url denied-url". */
    char config[TEXT_BYTES];
    uint32_t transport;
    const char *url, *refused_url, *denied_url;

    uint32_t rule;    /* the one that runs now */
    bool is_clearing; /* ... or will run, when the last one's connections are closed */
    uint32_t step;    /* its place; 0 when it starts */
    double step_ms;
    double now_ms;
    uint32_t wait_ms; /* how long this turn's poll may wait, or when to call again */
    bool is_done;
    uint32_t failed;

    link links[LINKS_MAX];
    uint32_t generation;
    uint32_t hints, wakes, strays; /* strays: events of no connection that we know */
    bool is_inside;                /* a function of the host runs: nobody may call us */
    bool is_running;
    bool was_entered_inside, was_nested;
    const char *broken; /* what the host did wrong in any connection so far */

    natlet_host_event *events; /* EVENTS_MAX, where poll writes */
    uint8_t *scratch;          /* SCRATCH_BYTES, wiped after each use */
};

extern const rule guest_rules[];
extern const uint32_t guest_rule_count;

/* `config` is copied.  False if it is not of the form above. */
bool guest_init(guest *g, const natlet_host *host, const char *config, uint32_t len);

/* One turn, waiting up to `timeout_ms` in poll.  Afterwards `wait_ms` says when
 * the next one should come. */
void guest_turn(guest *g, int32_t timeout_ms);

/* Verdicts; the next turn starts the next rule. */
void pass(guest *g);
void fail(guest *g, const char *why);
void skip(guest *g, const char *why);

/* pass or fail. */
void settle(guest *g, bool has_held, const char *why);

/* Goes to the next step; the time since then is since(g). */
void next_step(guest *g);
double since(const guest *g);

/* Opens link `i` (slot i + 1, a new generation) to the peer, which is sent
 * `command` when the link opens.  The buffers given to the host are wiped. */
int32_t dial(guest *g, uint32_t i, const char *command);
int32_t dial_with(guest *g, uint32_t i, const char *url, const uint8_t *options, uint32_t len);

/* recv until it says E_AGAIN or E_CLOSED; each byte is compared with the pattern. */
void read_all(guest *g, link *c);

/* Sends up to `len` bytes of the pattern from where the link stands, from a
 * buffer that is wiped afterwards.  Returns what send said. */
int32_t send_pattern(guest *g, link *c, uint32_t len);

uint8_t pattern_at(uint64_t at);

/* The rules that need memory of wasm (memory.c); the others are in rules.c. */
void memory_may_grow(guest *g);
void addresses_are_checked(guest *g);

link *first(guest *g);

/* For rules with an echoing peer as the first link: dials in step 0, and is true
 * from the moment it is open, which is step 2. */
bool have_echo(guest *g);

int32_t host_recv(guest *g, uint32_t conn, uint8_t *buf, uint32_t cap);
int32_t host_send(guest *g, uint32_t conn, const uint8_t *buf, uint32_t len);
int32_t host_close(guest *g, uint32_t conn, uint32_t code, const char *why, uint32_t len);
int32_t host_poll(guest *g, natlet_host_event *events, uint32_t cap, int32_t timeout_ms);
int32_t host_random(guest *g, uint8_t *buf, uint32_t len);
int32_t host_hello(guest *g, natlet_host_info *info);

#endif
