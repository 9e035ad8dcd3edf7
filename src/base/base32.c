#include "base/base32.h"

enum { NO_DIGIT = 32 };

size_t natlet__base32_write(uint8_t *out, natlet_slice bytes)
{
    uint32_t bits = 0;
    unsigned held = 0; /* the lowest ones of `bits` are not written yet */
    size_t len = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | bytes.ptr[i];
        for (held += 8; held >= 5; held -= 5) {
            out[len++] = (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits >> (held - 5) & 31];
        }
    }
    if (held > 0) {
        out[len++] = (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits << (5 - held) & 31];
    }
    return len;
}

static uint32_t digit_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A' + 0u;
    }
    return c >= '2' && c <= '7' ? c - '2' + 26u : NO_DIGIT;
}

bool natlet__base32_read(uint8_t *out, size_t *len, natlet_slice text)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t written = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint32_t digit = digit_of(text.ptr[i]);
        if (digit == NO_DIGIT) {
            return false;
        }
        bits = bits << 5 | digit;
        held += 5;
        if (held >= 8) {
            held -= 8;
            out[written++] = (uint8_t)(bits >> held);
        }
    }
    *len = written;
    /* What is left over is the padding of the last byte: less than a character, and zero. */
    return held < 5 && (bits & ((1u << held) - 1)) == 0;
}
