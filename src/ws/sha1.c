/* Written for size: it runs once a connection, over two blocks. */
#include "ws/sha1.h"

#include <string.h>

enum { BLOCK_BYTES = 64, LEN_BYTES = 8, ROUNDS = 80 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* The function and constant of a round (RFC 3174, section 5). */
static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) {
        return (d ^ (b & (c ^ d))) + 0x5a827999;
    }
    if (round < 40) {
        return (b ^ c ^ d) + 0x6ed9eba1;
    }
    if (round < 60) {
        return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
    }
    return (b ^ c ^ d) + 0xca62c1d6;
}

/* The schedule is kept in 16 words (section 6.2): word t replaces word t - 16. */
static void add_block(uint32_t state[5], const uint8_t block[BLOCK_BYTES])
{
    uint32_t word[16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (unsigned i = 0; i < 16; i++, block += 4) {
        word[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
                  block[3];
    }
    for (unsigned t = 0; t < ROUNDS; t++) {
        uint32_t *now = &word[t % 16];
        if (t >= 16) {
            *now = rotate(word[(t + 13) % 16] ^ word[(t + 8) % 16] ^ word[(t + 2) % 16] ^ *now, 1);
        }
        uint32_t sum = rotate(a, 5) + mix(t, b, c, d) + e + *now;
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

/* Section 4: a one bit, zeros, and the length in bits at the end of a block. */
static void add_tail(uint32_t state[5], natlet_slice tail, uint64_t bits)
{
    uint8_t block[2 * BLOCK_BYTES] = {0};
    size_t len = tail.len < BLOCK_BYTES - LEN_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;

    if (tail.len > 0) {
        memcpy(block, tail.ptr, tail.len);
    }
    block[tail.len] = 0x80;
    for (size_t i = len; i > len - LEN_BYTES; i--) {
        block[i - 1] = (uint8_t)bits;
        bits >>= 8;
    }
    for (size_t at = 0; at < len; at += BLOCK_BYTES) {
        add_block(state, block + at);
    }
}

void natlet__sha1(uint8_t out[NATLET__SHA1_BYTES], natlet_slice bytes)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint64_t bits = (uint64_t)bytes.len * 8;

    for (; bytes.len >= BLOCK_BYTES; bytes.len -= BLOCK_BYTES, bytes.ptr += BLOCK_BYTES) {
        add_block(state, bytes.ptr);
    }
    add_tail(state, bytes, bits);
    for (size_t i = 0; i < NATLET__SHA1_BYTES; i++) {
        out[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
    }
}
