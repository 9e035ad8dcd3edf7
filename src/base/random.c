/* ChaCha20 (RFC 8439, 2.3) with fast key erasure: each block is made with
 * counter and nonce 0, its first half becomes the next key, its second half is
 * handed out and overwritten as it goes.  As a key makes one block only, counter
 * and nonce never have to differ. */
#include "base/random.h"

#include <string.h>

#include "base/assert.h"

enum { KEY_BYTES = 32, BLOCK_BYTES = 64, DOUBLE_ROUNDS = 10 };

/* The compiler may drop a memset before an object's end of life, but not this. */
static void wipe(void *mem, size_t len)
{
    volatile uint8_t *at = mem;

    while (len-- > 0) {
        *at++ = 0;
    }
}

static uint32_t load_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void store_le32(uint8_t *at, uint32_t word)
{
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
    at[2] = (uint8_t)(word >> 16);
    at[3] = (uint8_t)(word >> 24);
}

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* RFC 8439, 2.1. */
static void quarter_round(uint32_t s[16], unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate(s[b] ^ s[c], 7);
}

static void double_round(uint32_t s[16])
{
    for (unsigned i = 0; i < 4; i++) { /* the columns */
        quarter_round(s, i, i + 4, i + 8, i + 12);
    }
    for (unsigned i = 0; i < 4; i++) { /* the diagonals */
        quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
}

static void make_block(uint8_t block[BLOCK_BYTES], const uint32_t key[8])
{
    static const uint32_t expand_32_byte_k[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t start[16] = {0}; /* the last four: counter and nonce */
    uint32_t s[16];

    memcpy(start, expand_32_byte_k, sizeof expand_32_byte_k);
    memcpy(start + 4, key, KEY_BYTES);
    memcpy(s, start, sizeof s);
    for (int i = 0; i < DOUBLE_ROUNDS; i++) {
        double_round(s);
    }
    for (unsigned i = 0; i < 16; i++) {
        store_le32(block + (size_t)i * 4, s[i] + start[i]);
    }
    wipe(start, sizeof start);
    wipe(s, sizeof s);
}

static void load_key(natlet__random *r, const uint8_t bytes[KEY_BYTES])
{
    for (unsigned i = 0; i < 8; i++) {
        r->key[i] = load_le32(bytes + (size_t)i * 4);
    }
}

static void refill(natlet__random *r)
{
    make_block(r->block, r->key);
    load_key(r, r->block);
    memset(r->block, 0, KEY_BYTES);
    r->used = KEY_BYTES;
}

natlet_status natlet__random_seed(natlet__random *r, const natlet_host *host)
{
    uint8_t seed[KEY_BYTES];
    int32_t st = host->random(host->self, seed, sizeof seed);

    if (st < 0) {
        return (natlet_status)st;
    }
    load_key(r, seed);
    wipe(seed, sizeof seed);
    r->used = BLOCK_BYTES;
    return NATLET_OK;
}

void natlet__random_bytes(natlet__random *r, uint8_t *out, size_t len)
{
    while (len > 0) {
        if (r->used == BLOCK_BYTES) {
            refill(r);
        }
        NATLET_ASSERT(r->used >= KEY_BYTES && r->used < BLOCK_BYTES);
        size_t step = BLOCK_BYTES - r->used;
        step = len < step ? len : step;
        memcpy(out, r->block + r->used, step);
        memset(r->block + r->used, 0, step);
        r->used += (uint32_t)step;
        out += step;
        len -= step;
    }
}

uint32_t natlet__random_u32(natlet__random *r)
{
    uint8_t bytes[4];

    natlet__random_bytes(r, bytes, sizeof bytes);
    return load_le32(bytes);
}

/* A product of a word and the range has the result in its upper half.  Words
 * whose lower half falls below 2^32 mod range are drawn again: they are what
 * some results would have more of than others. */
uint32_t natlet__random_below(natlet__random *r, uint32_t bound)
{
    if (bound == UINT32_MAX) {
        return natlet__random_u32(r);
    }
    uint32_t range = bound + 1;
    uint32_t surplus = (UINT32_MAX - range + 1) % range;
    uint64_t product;

    do {
        product = (uint64_t)natlet__random_u32(r) * range;
    } while ((uint32_t)product < surplus);
    return (uint32_t)(product >> 32);
}

void natlet__random_base62(natlet__random *r, char *out, size_t len)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    while (len > 0) {
        uint8_t draw;
        natlet__random_bytes(r, &draw, 1);
        draw &= 63;
        if (draw < 62) { /* 62 and 63 are drawn again: no character is favoured */
            *out++ = alphabet[draw];
            len--;
        }
    }
}

/* What is left has used == 0, which traps when asked for more. */
void natlet__random_wipe(natlet__random *r)
{
    wipe(r, sizeof *r);
}
