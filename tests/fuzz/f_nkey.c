/* Property: what is read as an nkey is, written again, the same text, so no other text
 * means that key; a refusal changes nothing. */
/* covers: src/auth/nkey.c src/base/base32.c src/base/crc16.c */
#include "auth/nkey.h"

#include <stdlib.h>
#include <string.h>

#include "base/base32.h"
#include "base/crc16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

/* The text of a seed, spelled out from its bytes. */
static void write_seed(uint8_t out[NATLET_NKEY_SEED_TEXT], const natlet_nkey *key)
{
    uint8_t raw[2 + NATLET__NKEY_BYTES + 2] = {(uint8_t)(18 << 3 | (key->kind - 'A') >> 2),
                                               (uint8_t)((key->kind - 'A') << 6)};

    memcpy(raw + 2, key->key, NATLET__NKEY_BYTES);
    uint16_t crc = natlet__crc16((natlet_slice){raw, sizeof raw - 2});
    raw[sizeof raw - 2] = (uint8_t)crc;
    raw[sizeof raw - 1] = (uint8_t)(crc >> 8);
    expect(natlet__base32_write(out, (natlet_slice){raw, sizeof raw}) == NATLET_NKEY_SEED_TEXT);
}

static void check(natlet_slice text)
{
    natlet_nkey key;
    natlet_nkey before;
    uint8_t again[NATLET_NKEY_SEED_TEXT];

    memset(&key, 0x5a, sizeof key);
    memcpy(&before, &key, sizeof key);
    natlet_status st = natlet_nkey_read(&key, text);
    if (st != NATLET_OK) {
        expect(st == NATLET_E_NKEY || st == NATLET_E_NKEY_CHECKSUM);
        expect(memcmp(&key, &before, sizeof key) == 0);
        return;
    }
    if (key.is_seed) {
        write_seed(again, &key);
    } else {
        natlet__nkey_write_public(again, key.kind, key.key);
    }
    expect(text.len == (key.is_seed ? NATLET_NKEY_SEED_TEXT : NATLET_NKEY_PUBLIC_TEXT));
    expect(memcmp(again, text.ptr, text.len) == 0);
}

/* As text; then as the bytes below it, with the checksum put right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[36] = {0};
    uint8_t text[NATLET_NKEY_SEED_TEXT];

    check((natlet_slice){data, size});
    memcpy(raw, data, size < sizeof raw ? size : sizeof raw);
    for (size_t len = 35; len <= 36; len++) {
        uint16_t crc = natlet__crc16((natlet_slice){raw, len - 2});
        raw[len - 2] = (uint8_t)crc;
        raw[len - 1] = (uint8_t)(crc >> 8);
        check((natlet_slice){text, natlet__base32_write(text, (natlet_slice){raw, len})});
    }
    return 0;
}
