/* Unpredictable bytes: a ChaCha20 block stream, keyed by the host's CSPRNG.
 *
 * Internal.  Masking keys (RFC 6455, 10.3), inbox names and jitter come from
 * here, so that the host is asked once and not per frame.  The key is replaced
 * from its own output after each block, so earlier output cannot be recovered. */
#ifndef NATLET_BASE_RANDOM_H
#define NATLET_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "natlet/host.h"
#include "natlet/status.h"

typedef struct natlet__random {
    uint32_t used;      /* bytes of `block` that are gone */
    uint32_t input[16]; /* RFC 8439, 2.3: constants, key, counter and nonce */
    uint32_t block[16]; /* of this input: the next key, then what is handed out */
} natlet__random;

/* Takes 32 bytes from the host.  Returns OK, or what the host's random answered
 * (< 0): there is no weaker source to fall back to. */
natlet_status natlet__random_seed(natlet__random *r, const natlet_host *host);

void natlet__random_bytes(natlet__random *r, uint8_t *out, size_t len);
uint32_t natlet__random_u32(natlet__random *r);

/* Uniform in 0..bound (both included), without bias. */
uint32_t natlet__random_below(natlet__random *r, uint32_t bound);

/* `len` characters of 0-9A-Za-z, each uniform. */
void natlet__random_base62(natlet__random *r, char *out, size_t len);

/* Overwrites the key and what is left of the block. */
void natlet__random_wipe(natlet__random *r);

#endif
