#include "auth/nkey.h"
#include "base/base64.h"
#include "crypto/ed25519.h"

_Static_assert((int)NATLET__KEY_BYTES == (int)NATLET__NKEY_BYTES, "an nkey is a key of the curve");
_Static_assert(NATLET_SIGNATURE_TEXT == (NATLET__SIGNATURE_BYTES * 8 + 5) / 6,
               "base64url without padding");

void natlet_nkey_public(const natlet_nkey *key, uint8_t out[NATLET_NKEY_PUBLIC_TEXT])
{
    uint8_t public_key[NATLET__KEY_BYTES];

    if (!key->is_seed) {
        natlet__nkey_write_public(out, key->kind, key->key);
        return;
    }
    if (key->kind == NATLET_NKEY_CURVE) {
        natlet__x25519_public(public_key, key->key);
    } else {
        natlet__ed25519_public(public_key, key->key);
    }
    natlet__nkey_write_public(out, key->kind, public_key);
}

natlet_status natlet_nkey_sign(const natlet_nkey *key, natlet_slice nonce,
                               uint8_t out[NATLET_SIGNATURE_TEXT])
{
    uint8_t signature[NATLET__SIGNATURE_BYTES];

    if (!key->is_seed || key->kind == NATLET_NKEY_CURVE) {
        return NATLET_E_NKEY_KIND;
    }
    natlet__ed25519_sign(signature, nonce, key->key);
    (void)natlet__base64_write(out, (natlet_slice){signature, sizeof signature},
                               NATLET__BASE64_URL);
    return NATLET_OK;
}
