/* The runtime turns a host into turns of work: it polls events, runs timers,
 * and lets clients and cells do what became possible.
 *
 * It owns nothing but its bookkeeping; clients and cells register themselves
 * when they are made.  Nothing here blocks unless the caller says so and the
 * host can. */
#ifndef NATLET_RUNTIME_H
#define NATLET_RUNTIME_H

#include "natlet/allocator.h"
#include "natlet/host.h"
#include "natlet/status.h"

typedef struct natlet_runtime natlet_runtime;

#define NATLET_NEVER_MS UINT32_MAX

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a runtime on `host`, which must outlive it.  `budget_bytes` bounds all
 * memory taken through `allocator` by the runtime and what is made on it; 0 is
 * no bound.
 *
 * Returns OK; E_NO_MEMORY; E_UNSUPPORTED (the host speaks another ABI, or has no
 * random source).  On failure *out is NULL. */
natlet_status natlet_runtime_new(natlet_runtime **out, const natlet_host *host,
                                 const natlet_allocator *allocator, size_t budget_bytes);

/* Frees the runtime.  Clients and cells on it must have been freed before. */
void natlet_runtime_free(natlet_runtime *rt);

/* One turn: events, timers, everything that is ready, then one flush per client.
 *
 * `budget_us` is when to stop even if work is left (0: flush only).  `wait_ms`
 * is how long poll may wait when there is nothing to do: 0 in a reactor, up to
 * the next timer in command mode (NATLET_NEVER_MS: as long as it takes).
 *
 * Returns the milliseconds until the next call is due, 0 if work is left,
 * NATLET_NEVER_MS if only an event can bring new work. */
uint32_t natlet_runtime_run(natlet_runtime *rt, uint32_t budget_us, uint32_t wait_ms);

/* Monotonic time, read once at the start of each turn, in microseconds. */
uint64_t natlet_runtime_now_us(const natlet_runtime *rt);

/* Wall time now, nanoseconds since the Unix epoch. */
uint64_t natlet_runtime_wall_ns(natlet_runtime *rt);

typedef struct natlet_runtime_stats {
    size_t memory_bytes; /* taken now */
    size_t memory_max;   /* most ever taken */
    uint32_t refused;    /* allocations refused by the budget or the allocator */
    uint64_t turns;
    uint64_t polls;       /* calls of host->poll */
    uint64_t events;      /* events received, stale ones included */
    uint64_t late_us_max; /* a timer's greatest lateness */
} natlet_runtime_stats;

natlet_runtime_stats natlet_runtime_stats_now(const natlet_runtime *rt);

#ifdef __cplusplus
}
#endif

#endif
