/* Well-formed sequences (RFC 3629, 4): one to four bytes, never more than the
 * character needs, no surrogates, nothing beyond U+10FFFF. */
#include "base/utf8.h"

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Whether `rune` needs the bytes it came in: one that fits fewer is not well-formed. */
static bool is_character(uint32_t rune, uint32_t continuations)
{
    static const uint8_t bits_of_fewer[] = {7, 11, 16};
    bool is_surrogate = rune >> 11 == 0xd800 >> 11;

    return rune >> bits_of_fewer[continuations - 1] != 0 && rune <= 0x10ffff && !is_surrogate;
}

/* A first byte begins with as many ones as its character has bytes. */
bool natlet__utf8_valid(natlet_slice text)
{
    uint32_t rune = 0;
    uint32_t all = 0; /* continuations of this character */
    uint32_t due = 0; /* those to come */

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (due > 0) {
            rune = rune << 6 | (c & 0x3fu);
            due--;
            if (!is_continuation(c) || (due == 0 && !is_character(rune, all))) {
                return false;
            }
        } else if (c >= 0x80) {
            all = (uint32_t)__builtin_clz(~((uint32_t)c << 24)) - 1;
            due = all;
            rune = c & 0x3fu >> all;
            if (all < 1 || all > 3) {
                return false;
            }
        }
    }
    return due == 0;
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
