/* The bytes below the base32:
 *
 *   public key   kind << 3 | 0                      32 of key    CRC-16, low byte first
 *   seed         18 << 3 | kind >> 2, kind << 6     32 of seed   CRC-16, low byte first
 *
 * with the kind as a number of five bits, A = 0: so its letter comes out as the
 * first one of the text, and behind the S (18) of a seed as the second. */
#include <string.h>

#include "auth/nkey.h"
#include "base/assert.h"
#include "base/base32.h"
#include "base/crc16.h"
#include "crypto/secret.h"

enum { SEED = 'S' - 'A', CRC_BYTES = 2, RAW_BYTES_MAX = 2 + NATLET__NKEY_BYTES + CRC_BYTES };

static bool is_kind(uint32_t letter)
{
    switch ((natlet_nkey_kind)letter) {
    case NATLET_NKEY_ACCOUNT:
    case NATLET_NKEY_CLUSTER:
    case NATLET_NKEY_SERVER:
    case NATLET_NKEY_OPERATOR:
    case NATLET_NKEY_USER:
    case NATLET_NKEY_CURVE:
        return true;
    }
    return false;
}

/* `raw` is a checked prefix and key. */
static natlet_status take_key(natlet_nkey *out, const uint8_t *raw, bool is_seed)
{
    uint32_t bits = (uint32_t)raw[0] << 8 | raw[1];
    uint32_t kind = is_seed ? bits >> 6 & 31 : bits >> 11;

    if (is_seed ? bits >> 11 != SEED || (bits & 63) != 0 : (bits >> 8 & 7) != 0) {
        return NATLET_E_NKEY;
    }
    if (!is_kind(kind + 'A')) {
        return NATLET_E_NKEY;
    }
    out->kind = (natlet_nkey_kind)(kind + 'A');
    out->is_seed = is_seed;
    memcpy(out->key, raw + (is_seed ? 2 : 1), NATLET__NKEY_BYTES);
    return NATLET_OK;
}

static natlet_status read_raw(natlet_nkey *out, natlet_slice text, uint8_t raw[RAW_BYTES_MAX])
{
    size_t len;

    if ((text.len != NATLET_NKEY_SEED_TEXT && text.len != NATLET_NKEY_PUBLIC_TEXT) ||
        !natlet__base32_read(raw, &len, text)) {
        return NATLET_E_NKEY;
    }
    len -= CRC_BYTES;
    if (natlet__crc16((natlet_slice){raw, len}) != (raw[len] | raw[len + 1] << 8)) {
        return NATLET_E_NKEY_CHECKSUM;
    }
    return take_key(out, raw, text.len == NATLET_NKEY_SEED_TEXT);
}

natlet_status natlet_nkey_read(natlet_nkey *out, natlet_slice text)
{
    uint8_t raw[RAW_BYTES_MAX];
    natlet_status st = read_raw(out, text, raw);

    natlet__wipe(raw, sizeof raw);
    return st;
}

void natlet__nkey_write_public(uint8_t out[NATLET_NKEY_PUBLIC_TEXT], natlet_nkey_kind kind,
                               const uint8_t key[NATLET__NKEY_BYTES])
{
    uint8_t raw[1 + NATLET__NKEY_BYTES + CRC_BYTES];

    NATLET_ASSERT(is_kind((uint32_t)kind));
    raw[0] = (uint8_t)((kind - 'A') << 3);
    memcpy(raw + 1, key, NATLET__NKEY_BYTES);
    uint16_t crc = natlet__crc16((natlet_slice){raw, sizeof raw - CRC_BYTES});
    raw[sizeof raw - 2] = (uint8_t)crc;
    raw[sizeof raw - 1] = (uint8_t)(crc >> 8);
    (void)natlet__base32_write(out, (natlet_slice){raw, sizeof raw});
}

void natlet_nkey_wipe(natlet_nkey *key)
{
    natlet__wipe(key, sizeof *key);
}
