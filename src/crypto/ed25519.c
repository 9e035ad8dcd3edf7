/* Each public function is two: the inner one has a frame and calls that know the
 * secret, the outer one wipes the stack where they were. */
#include "crypto/ed25519.h"

#include <string.h>

#include "crypto/dropbear.h"
#include "crypto/secret.h"

#define APART __attribute__((noinline)) static

APART void ed25519_public(uint8_t *out, const uint8_t *seed)
{
    uint8_t own_seed[NATLET__KEY_BYTES]; /* make_key takes it as not const */

    memcpy(own_seed, seed, sizeof own_seed);
    dropbear_ed25519_make_key(out, own_seed);
}

APART void ed25519_sign(uint8_t *out, natlet_slice text, const uint8_t *seed)
{
    uint8_t key[NATLET__KEY_BYTES];
    unsigned long len = NATLET__SIGNATURE_BYTES;

    ed25519_public(key, seed);
    dropbear_ed25519_sign(text.ptr, (unsigned long)text.len, out, &len, seed, key);
}

APART void x25519_public(uint8_t *out, const uint8_t *secret)
{
    static const uint8_t base_point[NATLET__KEY_BYTES] = {9};

    dropbear_curve25519_scalarmult(out, secret, base_point);
}

void natlet__ed25519_public(uint8_t out[NATLET__KEY_BYTES], const uint8_t seed[NATLET__KEY_BYTES])
{
    ed25519_public(out, seed);
    natlet__wipe_stack();
}

void natlet__ed25519_sign(uint8_t out[NATLET__SIGNATURE_BYTES], natlet_slice text,
                          const uint8_t seed[NATLET__KEY_BYTES])
{
    ed25519_sign(out, text, seed);
    natlet__wipe_stack();
}

void natlet__x25519_public(uint8_t out[NATLET__KEY_BYTES], const uint8_t secret[NATLET__KEY_BYTES])
{
    x25519_public(out, secret);
    natlet__wipe_stack();
}
