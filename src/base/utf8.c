/* Well-formed sequences (RFC 3629, 4): one to four bytes, never more than the
 * character needs, no surrogates, nothing beyond U+10FFFF. */
#include "base/utf8.h"

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes that a character with this first byte takes; 0 if none begins with it. */
static size_t character_bytes(uint8_t first)
{
    if (first < 0xc0) {
        return first < 0x80 ? 1 : 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
}

/* Bytes of the well-formed character at the front; 0 if there is none. */
static size_t read_character(const uint8_t *at, size_t left)
{
    static const uint32_t least[] = {1, 0, 0x80, 0x800, 0x10000};
    size_t bytes = character_bytes(at[0]);
    uint32_t rune = at[0];

    if (bytes < 2) {
        return bytes;
    }
    if (bytes > left) {
        return 0;
    }
    rune &= 0x7fu >> bytes;
    for (size_t i = 1; i < bytes; i++) {
        if (!is_continuation(at[i])) {
            return 0;
        }
        rune = rune << 6 | (at[i] & 0x3fu);
    }
    bool is_surrogate = rune >> 11 == 0xd800 >> 11;
    return rune >= least[bytes] && rune <= 0x10ffff && !is_surrogate ? bytes : 0;
}

bool natlet__utf8_valid(natlet_slice text)
{
    size_t bytes = 1;

    for (size_t at = 0; at < text.len && bytes > 0; at += bytes) {
        bytes = read_character(text.ptr + at, text.len - at);
    }
    return bytes > 0;
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
