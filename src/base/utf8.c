/* Well-formed sequences (RFC 3629, 4): one to four bytes, never more than the
 * character needs, no surrogates, nothing beyond U+10FFFF. */
#include "base/utf8.h"

#include "base/bytes.h"

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the well-formed character at the front; 0 if there is none.  The first
 * byte begins with as many ones as the character has bytes. */
static size_t read_character(const uint8_t *at, size_t left)
{
    static const uint8_t bits_min[] = {8, 12, 17}; /* of a character of 2, 3 and 4 bytes */
    size_t bytes = (size_t)__builtin_clz(~((uint32_t)at[0] << 24));
    uint32_t rune = at[0] & 0x7fu >> bytes;

    if (bytes == 0) {
        return 1;
    }
    if (bytes < 2 || bytes > 4 || bytes > left) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if (!is_continuation(at[i])) {
            return 0;
        }
        rune = rune << 6 | (at[i] & 0x3fu);
    }
    bool is_surrogate = rune >> 11 == 0xd800 >> 11;
    bool is_shortest = rune >> (bits_min[bytes - 2] - 1) != 0;
    return is_shortest && rune <= 0x10ffff && !is_surrogate ? bytes : 0;
}

bool natlet__utf8_valid(natlet_slice text)
{
    while (text.len > 0) {
        size_t bytes = read_character(text.ptr, text.len);
        if (bytes == 0) {
            return false;
        }
        natlet__skip(&text, bytes);
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
