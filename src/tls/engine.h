/* One TLS connection, client side, and what it trusts: the doors to Mbed TLS.
 *
 * Internal.  An engine takes records from the host and gives records to it; it keeps what
 * the host does not take, so each call may be repeated when the host has bytes or room
 * again.  Its first failure stays. */
#ifndef NATLET_TLS_ENGINE_H
#define NATLET_TLS_ENGINE_H

#include <stdbool.h>

#include "base/runtime.h"
#include "natlet/slice.h"
#include "natlet/status.h"

/* ---- profile.c: what a client trusts and who it is; and its last session ---- */

typedef struct natlet__tls_profile natlet__tls_profile;

/* Parsed at once; the slices may die afterwards. */
typedef struct natlet__tls_trust {
    natlet_slice ca, certificate, key;
    const uint8_t (*pins)[32];
    uint32_t pin_count;
} natlet__tls_trust;

/* Returns OK, E_NO_MEMORY or E_CERTIFICATE (something cannot be parsed, or does not
 * fit). */
natlet_status natlet__tls_profile_new(natlet__tls_profile **out, natlet_runtime *rt,
                                      const natlet__tls_trust *trust);
void natlet__tls_profile_free(natlet__tls_profile *profile);

/* Trusts these certificates too.  Returns as natlet__tls_profile_new. */
natlet_status natlet__tls_profile_trust(natlet__tls_profile *profile, natlet_slice ca);

/* ---- engine.c ---- */

typedef struct natlet__tls_engine natlet__tls_engine;

/* For a connection of the door `host`.  `name` is the server's, without brackets.  Returns
 * OK, E_NO_MEMORY or E_URL (a name that no certificate can have). */
natlet_status natlet__tls_engine_new(natlet__tls_engine **out, const natlet_host *host,
                                     uint32_t conn, natlet__tls_profile *profile,
                                     natlet_slice name);
void natlet__tls_engine_free(natlet__tls_engine *engine);

/* Goes on with the handshake.  Returns OK (the server is verified), MORE, or < 0: E_TLS,
 * E_CLOCK, E_NO_MEMORY. */
natlet_status natlet__tls_engine_shake(natlet__tls_engine *engine);

/* Bytes from the server, as recv of the door: > 0, E_AGAIN, E_CLOSED (the server said that
 * it is over), E_IO (it ended without saying so), or why it failed. */
int32_t natlet__tls_engine_read(natlet__tls_engine *engine, uint8_t *buf, uint32_t cap);

/* Takes bytes for the server, as send of the door: how many, 0 as long as the host takes
 * nothing, or why it failed. */
int32_t natlet__tls_engine_write(natlet__tls_engine *engine, const uint8_t *buf, uint32_t len);

/* Sends on what the host did not take before. */
void natlet__tls_engine_flush(natlet__tls_engine *engine);

/* Says that it is over, if the host takes that. */
void natlet__tls_engine_end(natlet__tls_engine *engine);

/* Why it failed, or what it speaks, for people. */
natlet_slice natlet__tls_engine_text(const natlet__tls_engine *engine);

#endif
