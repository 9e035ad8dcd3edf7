/* How long to wait before the servers of the pool are tried (again).
 *
 * Internal.  Exponential with full jitter: many clients that lost one server
 * must not come back at one moment, nor in step. */
#ifndef NATLET_CLIENT_BACKOFF_H
#define NATLET_CLIENT_BACKOFF_H

#include <stdbool.h>

#include "base/random.h"

typedef struct natlet__backoff {
    uint32_t waits;    /* since the last stable service */
    uint32_t fixed_ms; /* > 0: always this long */
} natlet__backoff;

/* A connection served for `up_us`: if that was long enough, the next waits are
 * short again.  Success alone says nothing: a server that accepts and drops at
 * once would be dialled without end. */
void natlet__backoff_served(natlet__backoff *backoff, uint64_t up_us);

/* The next wait in milliseconds.  `is_shared`: others lost their server too (it
 * shuts down), so spread out even for the first time. */
uint32_t natlet__backoff_next(natlet__backoff *backoff, natlet__random *random, bool is_shared);

#endif
