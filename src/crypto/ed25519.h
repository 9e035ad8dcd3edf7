/* Public keys and signatures from a seed: Ed25519 (RFC 8032) and X25519 (RFC 7748).
 *
 * Internal; the work is TweetNaCl's, as dropbear has it: small, constant in time,
 * and slow, a few milliseconds a call.  Nothing of the seed stays on the stack.
 * They need 6 KiB of it. */
#ifndef NATLET_CRYPTO_ED25519_H
#define NATLET_CRYPTO_ED25519_H

#include "natlet/slice.h"

enum { NATLET__KEY_BYTES = 32, NATLET__SIGNATURE_BYTES = 64 };

/* The public key of an Ed25519 seed. */
void natlet__ed25519_public(uint8_t out[NATLET__KEY_BYTES], const uint8_t seed[NATLET__KEY_BYTES]);

/* The signature of `text` by the key of `seed`. */
void natlet__ed25519_sign(uint8_t out[NATLET__SIGNATURE_BYTES], natlet_slice text,
                          const uint8_t seed[NATLET__KEY_BYTES]);

/* The public key of an X25519 secret. */
void natlet__x25519_public(uint8_t out[NATLET__KEY_BYTES], const uint8_t secret[NATLET__KEY_BYTES]);

#endif
