/* A circuit breaker stands between an agent and something it depends on, which may be
 * down: calls are asked for, their outcomes reported, and after too many failures it
 * says no for a while instead of letting each call fail for itself.
 *
 *     uint32_t pass;
 *     natlet_status st = natlet_breaker_allow(cell, &store, &pass);
 *     if (st < 0) {
 *         return NATLET_RETRY;
 *     }
 *     ...
 *     natlet_breaker_report(cell, &store, pass, is_answered);
 *
 * state       leaves when                                                    to
 * ---------   ------------------------------------------------------------   ---------
 * CLOSED      `failures` failures in a row, or `percent` of at least
 *             `calls_min` outcomes of the last `window_ms` failed            OPEN
 * OPEN        its time is over and a call is asked for, or somebody looks    HALF_OPEN
 * HALF_OPEN   `successes` calls in a row succeeded                           CLOSED
 *             one failed, or was not reported within `probe_ms`              OPEN
 *
 * OPEN lasts open_ms, twice that after the next probe that fails, and so on up to
 * open_max_ms; HALF_OPEN lets one call through at a time.
 *
 * It is plain memory of fixed size and the caller's: nothing else knows of it, and every
 * step takes the same short time. */
#ifndef NATLET_BREAKER_H
#define NATLET_BREAKER_H

#include "natlet/agent.h"

typedef struct natlet_breaker natlet_breaker;

typedef enum natlet_breaker_state {
    NATLET_BREAKER_CLOSED,
    NATLET_BREAKER_OPEN,
    NATLET_BREAKER_HALF_OPEN,
} natlet_breaker_state;

#define NATLET_BREAKER_NO_JITTER 255u

/* Zeroed fields take their defaults. */
typedef struct natlet_breaker_config {
    natlet_slice name;      /* of the dependency, for people; borrowed */
    uint32_t failures;      /* in a row: 5 */
    uint32_t window_ms;     /* at least 10: 30 000; judged in tenths */
    uint32_t calls_min;     /* outcomes in the window before the share counts: 20 */
    uint8_t percent;        /* of failures in the window, 1..100: 50 */
    uint8_t jitter_percent; /* what OPEN may be shorter, at random, 1..100: 20; or NO_JITTER */
    uint8_t successes;      /* of probes in a row: 2 */
    uint32_t open_ms;       /* 30 000 */
    uint32_t open_max_ms;   /* 300 000 */
    uint32_t probe_ms;      /* 30 000 */
    /* A new state, which it has then already.  It must not call the breaker.  May be NULL. */
    void (*on_change)(void *self, natlet_breaker *breaker, natlet_breaker_state was);
    void *self;
} natlet_breaker_config;

#define NATLET_BREAKER_BUCKETS 10

typedef struct natlet_breaker_bucket {
    uint32_t calls, failures;
} natlet_breaker_bucket;

/* Yours to keep, its fields are not. */
struct natlet_breaker {
    natlet_breaker_config config;
    natlet_breaker_state state;
    uint32_t pass;          /* what an outcome must name to count */
    uint32_t in_a_row;      /* CLOSED: failures, HALF_OPEN: successes */
    uint32_t opened;        /* how often in a row without CLOSED between */
    bool is_probing;        /* HALF_OPEN: a call is under way */
    uint64_t until_us;      /* OPEN: to its end; a probe's deadline */
    uint64_t tenth;         /* of the window, since the clock's zero: the newest bucket's */
    uint32_t refused, late; /* see natlet_breaker_stats */
    natlet_breaker_bucket sum;
    natlet_breaker_bucket buckets[NATLET_BREAKER_BUCKETS];
};

typedef struct natlet_breaker_stats {
    natlet_breaker_state state;
    uint32_t calls;    /* outcomes in the window */
    uint32_t failures; /* of them */
    uint32_t refused;  /* calls answered with E_OPEN */
    uint32_t late;     /* outcomes of an earlier state, which do not count */
    uint32_t wait_ms;  /* OPEN: until a call is let through */
} natlet_breaker_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a CLOSED breaker.  Returns OK, or E_CONFIG (a number out of range; *breaker is
 * unchanged). */
natlet_status natlet_breaker_init(natlet_breaker *breaker, const natlet_breaker_config *config);

/* Asks whether a call may be made now.  If so, report its outcome with *pass; one that is
 * never reported does not count, but for a probe, which has then failed.
 *
 * Returns OK or E_OPEN (*pass is 0). */
natlet_status natlet_breaker_allow(natlet_cell *cell, natlet_breaker *breaker, uint32_t *pass);

/* Takes the outcome of a call.  One that was allowed in an earlier state is only counted,
 * as late. */
void natlet_breaker_report(natlet_cell *cell, natlet_breaker *breaker, uint32_t pass, bool is_ok);

/* The state now: sees to it that OPEN ends, and a lost probe, when nobody asks for calls.
 * For whoever stopped asking, as a suspended agent has: call it after stats' wait_ms. */
natlet_breaker_state natlet_breaker_look(natlet_cell *cell, natlet_breaker *breaker);

/* Opens it, whatever the outcomes were, or makes OPEN last longer. */
void natlet_breaker_trip(natlet_cell *cell, natlet_breaker *breaker);

natlet_breaker_stats natlet_breaker_stats_now(const natlet_cell *cell,
                                              const natlet_breaker *breaker);

/* What makes a breaker rule an agent.  Yours to keep, its fields are not. */
typedef struct natlet_guard {
    uint64_t alarm[8];
    natlet_cell *cell;
    natlet_breaker *breaker;
    natlet_slice agent;
    void (*on_change)(void *self, natlet_breaker *breaker, natlet_breaker_state was);
    void *self;
} natlet_guard;

/* From now on the child `agent` (a name, borrowed) is suspended while the breaker is OPEN:
 * it takes only SYS mail, and with NATLET_OVERFLOW_PAUSE_SRC nothing more comes once its
 * mailbox is full.  When the time is over it goes on, and what it asks for is the probe.
 * An incarnation that begins meanwhile is not suspended.  The configuration's on_change is
 * called as before. */
void natlet_guard_begin(natlet_guard *guard, natlet_cell *cell, natlet_breaker *breaker,
                        natlet_slice agent);

/* Ends that, and lets the agent go on; before breaker or cell go away. */
void natlet_guard_end(natlet_guard *guard);

/* Static text: "half open". */
const char *natlet_breaker_state_text(natlet_breaker_state state);

#ifdef __cplusplus
}
#endif

#endif
