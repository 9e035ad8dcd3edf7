/* Written for size: it runs once a connection, over two blocks. */
#include "ws/sha1.h"

#include <stdbool.h>
#include <string.h>

enum { BLOCK_BYTES = 64, LEN_BYTES = 8, STAGES = 4, STAGE_ROUNDS = 20 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* Section 4: behind the text a one bit, zeros, and its length in bits at the end of the
 * last block. */
static void read_block(uint32_t word[16], natlet_slice text, size_t from, bool is_last)
{
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        size_t at = from + i;
        uint32_t byte = at < text.len ? text.ptr[at] : at == text.len ? 0x80 : 0;
        word[i / 4] = word[i / 4] << 8 | byte;
    }
    if (is_last) {
        word[14] = (uint32_t)((uint64_t)text.len >> 29);
        word[15] = (uint32_t)text.len << 3;
    }
}

/* The function and constant of a stage (RFC 3174, section 5). */
static uint32_t mix(unsigned stage, uint32_t b, uint32_t c, uint32_t d)
{
    static const uint32_t constant[STAGES] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t mixed = b ^ c ^ d;

    if (stage == 0) {
        mixed = d ^ (b & (c ^ d));
    } else if (stage == 2) {
        mixed = (b & c) | (d & (b | c));
    }
    return mixed + constant[stage];
}

/* Section 6.1. */
static void add_block(uint32_t state[5], uint32_t word[STAGES * STAGE_ROUNDS])
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (uint32_t *w = word; w < word + (size_t)STAGES * STAGE_ROUNDS - 16; w++) {
        w[16] = rotate(w[13] ^ w[8] ^ w[2] ^ w[0], 1);
    }
    for (unsigned t = 0; t < STAGES * STAGE_ROUNDS; t++) {
        uint32_t sum = rotate(a, 5) + mix(t / STAGE_ROUNDS, b, c, d) + e + word[t];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = sum;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void natlet__sha1(uint8_t out[NATLET__SHA1_BYTES], natlet_slice bytes)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint32_t word[STAGES * STAGE_ROUNDS] = {0};
    size_t last = (bytes.len + LEN_BYTES) / BLOCK_BYTES * BLOCK_BYTES;

    for (size_t at = 0; at <= last; at += BLOCK_BYTES) {
        read_block(word, bytes, at, at == last);
        add_block(state, word);
    }
    for (size_t i = 0; i < NATLET__SHA1_BYTES; i++) {
        out[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
    }
}
