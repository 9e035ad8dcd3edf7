/* Well-formed sequences (RFC 3629, 4).  What the second byte may be keeps out
 * overlong forms, surrogates and what lies beyond U+10FFFF:
 *
 *     first    second   bytes          first    second   bytes
 *     00..7F            1              ED       80..9F   3
 *     C2..DF   80..BF   2              F0       90..BF   4
 *     E0       A0..BF   3              F1..F3   80..BF   4
 *     E1..EC   80..BF   3              F4       80..8F   4
 *     EE..EF   80..BF   3 */
#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

static bool second_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

/* Bytes that a character with this first byte takes; 0 if none begins with it. */
static size_t character_bytes(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes of the well-formed character at the front; 0 if there is none. */
static size_t read_character(const uint8_t *at, size_t left)
{
    size_t bytes = character_bytes(at[0]);

    if (bytes > left || (bytes > 1 && !second_fits(at[0], at[1]))) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if (!is_continuation(at[i])) {
            return 0;
        }
    }
    return bytes;
}

/* Most text is ASCII: eight bytes at a time. */
static size_t skip_ascii(const uint8_t *at, size_t left)
{
    size_t n = 0;
    uint64_t word;

    while (left - n >= sizeof word) {
        memcpy(&word, at + n, sizeof word);
        if ((word & HIGH_BITS) != 0) {
            break;
        }
        n += sizeof word;
    }
    return n;
}

bool natlet__utf8_valid(natlet_slice text)
{
    size_t at = 0;

    while (at < text.len) {
        at += skip_ascii(text.ptr + at, text.len - at);
        if (at < text.len) {
            size_t bytes = read_character(text.ptr + at, text.len - at);
            if (bytes == 0) {
                return false;
            }
            at += bytes;
        }
    }
    return true;
}

size_t natlet__utf8_cut(natlet_slice text, size_t max)
{
    if (text.len <= max) {
        return text.len;
    }
    size_t at = max;
    while (at > 0 && max - at < 3 && is_continuation(text.ptr[at])) {
        at--;
    }
    return is_continuation(text.ptr[at]) ? max : at; /* not UTF-8: there is nothing to spare */
}
