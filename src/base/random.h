/* Unpredictable bytes: a pool that the host's CSPRNG fills.
 *
 * Internal.  Masking keys (RFC 6455, 10.3), inbox names and jitter come from
 * here, so that the host is asked once for 64 frames and not for each.  What was
 * handed out is overwritten, so earlier bytes cannot be recovered. */
#ifndef NATLET_BASE_RANDOM_H
#define NATLET_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "natlet/host.h"
#include "natlet/status.h"

enum { NATLET__RANDOM_POOL = 256 };

typedef struct natlet__random {
    const natlet_host *host;
    uint32_t left; /* bytes of the pool that were not handed out: its first ones */
    uint8_t pool[NATLET__RANDOM_POOL];
} natlet__random;

/* Fills the pool from `host`, which stays.  Returns OK, or what the host's random
 * answered (< 0): there is no weaker source to fall back to. */
natlet_status natlet__random_init(natlet__random *r, const natlet_host *host);

/* A host that has answered once goes on doing so: one that fails later is a trap, as
 * there is nothing safe that could be done without random bytes. */
void natlet__random_bytes(natlet__random *r, void *out, size_t len);

/* Uniform in 0..bound (both included), without bias. */
uint32_t natlet__random_below(natlet__random *r, uint32_t bound);

/* `len` characters of 0-9A-Za-z, each uniform. */
void natlet__random_base62(natlet__random *r, char *out, size_t len);

/* Overwrites the pool. */
void natlet__random_wipe(natlet__random *r);

#endif
