/* ChaCha20 (RFC 8439, 2.3) with fast key erasure: each block is made with
 * counter and nonce 0, its first half becomes the next key, its second half is
 * handed out and overwritten as it goes.  As a key makes one block only, counter
 * and nonce never have to differ. */
#include "base/random.h"

#include <string.h>

#include "base/assert.h"

enum { KEY_WORDS = 8, KEY_BYTES = 32, BLOCK_BYTES = 64, ROUNDS = 20 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* RFC 8439, 2.1. */
static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 12);
    *a += *b;
    *d = rotate(*d ^ *a, 8);
    *c += *d;
    *b = rotate(*b ^ *c, 7);
}

/* Columns and diagonals in turn: a diagonal is a column whose rows have moved on
 * by one place each. */
static void mix(uint32_t s[16])
{
    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        unsigned shift = i / 4 % 2;
        quarter_round(&s[i % 4], &s[4 + (i + shift) % 4], &s[8 + (i + 2 * shift) % 4],
                      &s[12 + (i + 3 * shift) % 4]);
    }
}

/* Words lie in memory as this machine has them: what is unpredictable stays so in
 * any order.  On a little-endian one the stream is that of the RFC. */
static void make_block(natlet__random *r)
{
    memcpy(r->block, r->input, BLOCK_BYTES);
    mix(r->block);
    for (unsigned i = 16; i-- > 0;) { /* a word of the input is used before it is replaced */
        r->block[i] += r->input[i];
        if (i < KEY_WORDS) {
            r->input[4 + i] = r->block[i];
        }
    }
    r->used = KEY_BYTES;
}

natlet_status natlet__random_seed(natlet__random *r, const natlet_host *host)
{
    *r = (natlet__random){.input = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574},
                          .used = BLOCK_BYTES};
    int32_t st = host->random(host->self, (uint8_t *)(r->input + 4), KEY_BYTES);
    return st < 0 ? (natlet_status)st : NATLET_OK;
}

static uint8_t take_byte(natlet__random *r)
{
    if (r->used == BLOCK_BYTES) {
        make_block(r);
    }
    NATLET_ASSERT(r->used >= KEY_BYTES && r->used < BLOCK_BYTES);
    uint8_t *at = (uint8_t *)r->block + r->used++;
    uint8_t byte = *at;
    *at = 0;
    return byte;
}

void natlet__random_bytes(natlet__random *r, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = take_byte(r);
    }
}

uint32_t natlet__random_u32(natlet__random *r)
{
    uint32_t word = 0;

    for (int i = 0; i < 4; i++) {
        word = word << 8 | take_byte(r);
    }
    return word;
}

/* As many bits as the bound has, drawn again until they do not exceed it: less than
 * twice on average. */
uint32_t natlet__random_below(natlet__random *r, uint32_t bound)
{
    uint32_t bits = UINT32_MAX >> __builtin_clz(bound | 1);
    uint32_t draw;

    do {
        draw = natlet__random_u32(r) & bits;
    } while (draw > bound);
    return draw;
}

void natlet__random_base62(natlet__random *r, char *out, size_t len)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    while (len > 0) {
        uint8_t draw = take_byte(r) & 63;
        if (draw < 62) { /* 62 and 63 are drawn again: no character is favoured */
            *out++ = alphabet[draw];
            len--;
        }
    }
}

/* What is left has used == 0, which traps when asked for more. */
void natlet__random_wipe(natlet__random *r)
{
    memset(r, 0, sizeof *r);
    __asm__ volatile("" : : "r"(r) : "memory"); /* or the compiler may drop the memset */
}
