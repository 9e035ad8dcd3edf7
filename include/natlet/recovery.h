/* What a child may have beside its supervisor's rules: restarts that wait, a shield
 * against mail that crashes it, and mail that comes again later.
 *
 *     static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 250};
 *     static const natlet_shield shield = {NATLET_WITH_SHIELD, .poison_after = 3};
 *     static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 1000, .tries = 10};
 *
 *     {.name = NATLET_TEXT("worker"), .behaviour = &working,
 *      .backoff = &backoff, .shield = &shield, .retry = &retry},
 *
 * Each is borrowed as long as the child exists.  The NATLET_WITH_ macros stand first:
 * they link the feature, which a program that does not name them goes without.
 *
 * The n-th delay in a row is min(cap, base * 2^(n-1)), less up to `jitter_percent` of
 * that, at random. */
#ifndef NATLET_RECOVERY_H
#define NATLET_RECOVERY_H

#include "natlet/agent.h"
#include "natlet/breaker.h"

struct natlet__agent;

#define NATLET_DELAY_CAP_MS_DEFAULT 300000u
#define NATLET_STABLE_MS_MIN 10000u
#define NATLET_PARKED_DEFAULT 256u

/* What is done when a child has failed more often than it may. */
typedef enum natlet_give_up {
    NATLET_GIVE_UP_EXIT, /* the supervisor stops its children and ends, SHUTDOWN */
    NATLET_GIVE_UP_PARK, /* the child stays DOWN; a DYNAMIC one is forgotten */
} natlet_give_up;

/* Restarts that wait.  Meanwhile the child is in BACKOFF and takes mail, and its
 * supervisor, all others and their restarts go on; natlet_supervisor_terminate and
 * the end of the supervisor stop the waiting.  A restart counts towards the intensity
 * when it is tried.  With ONE_FOR_ALL and REST_FOR_ONE the others run on until then, and
 * are stopped and started again with it.
 *
 * While more than a quarter of a supervisor's children wait, new delays are the cap:
 * what they all need is down.
 *
 * As a rule `intensity` should be at least 1 + log2(period_ms / base_ms), or the first
 * quick failures are too many. */
typedef struct natlet_backoff {
    int32_t (*put_off)(natlet_cell *cell, struct natlet__agent *child); /* NATLET_WITH_BACKOFF */
    uint32_t base_ms;                                                   /* 0: no restart waits */
    uint32_t cap_ms;                                                    /* 0: 300 000 */
    uint32_t stable_ms;     /* having run this long it begins with base_ms again;
                               0: 10 000, or twice its last delay if that is more */
    uint32_t tries_max;     /* restarts in a row, then it gives up; 0: it never does */
    uint8_t jitter_percent; /* 0..100 */
    natlet_give_up give_up;
    natlet_breaker *breaker; /* opened when the child is parked; may be NULL */
} natlet_backoff;

/* A crash is charged to the mail first.  Mail on which the agent crashed comes back, with
 * attempt + 1, before all other mail but SYS.  With the `poison_after`-th crash on mail of
 * this kind it is a dead letter, POISON, and the restart neither waits nor counts.  Mail is
 * of one kind if it has the same `seq` in a stream, or else the same subject and payload;
 * four kinds are remembered, and one that was handled after all is forgotten.
 *
 * It is about USER, CALL and NATS mail, and not about TEMPORARY children. */
typedef struct natlet_shield {
    void (*caught)(natlet_cell *cell, struct natlet__agent *agent); /* NATLET_WITH_SHIELD */
    uint16_t poison_after; /* 0: mail is a dead letter at once, CRASHED */
} natlet_shield;

/* NATLET_RETRY parks a mail, which comes again after a delay, with attempt + 1, behind what
 * is queued then; if it finds the mailbox full it waits as long once more.  Parked mail is
 * the child's, lies in the cell's pool, and survives restarts as queued mail does.  After `tries`
 * retries it is a dead letter, RETRIES; one that finds no place is one at once, OVERFLOW. */
typedef struct natlet_retry {
    bool (*park)(natlet_cell *cell, struct natlet__agent *agent); /* NATLET_WITH_RETRY */
    void (*drain)(natlet_cell *cell, struct natlet__agent *agent, uint32_t reason);
    uint32_t base_ms;       /* 0: 1 */
    uint32_t cap_ms;        /* 0: 300 000 */
    uint16_t tries;         /* 0: none; at most 65 534 */
    uint16_t parked_max;    /* mail that waits together: 256 */
    uint8_t jitter_percent; /* 0..100 */
} natlet_retry;

#define NATLET_WITH_BACKOFF .put_off = natlet__backoff_put_off
#define NATLET_WITH_SHIELD .caught = natlet__shield_caught
#define NATLET_WITH_RETRY .park = natlet__retry_park, .drain = natlet__retry_drain

#ifdef __cplusplus
extern "C" {
#endif

/* Not to be called: the macros name them. */
int32_t natlet__backoff_put_off(natlet_cell *cell, struct natlet__agent *child);
void natlet__shield_caught(natlet_cell *cell, struct natlet__agent *agent);
bool natlet__retry_park(natlet_cell *cell, struct natlet__agent *agent);
void natlet__retry_drain(natlet_cell *cell, struct natlet__agent *agent, uint32_t reason);

#ifdef __cplusplus
}
#endif

#endif
