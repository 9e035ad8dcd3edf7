/* Well-formed sequences (RFC 3629, 4): one to four bytes, never more than the
 * character needs, no surrogates, nothing beyond U+10FFFF. */
#include "base/utf8.h"

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* The bytes of a character beyond ASCII, read as one number, lie in one of few ranges: two that
 * leave the surrogates out, and one for each other length. */
static bool is_character(uint32_t bytes)
{
    static const uint32_t ranges[][2] = {
        {0xc280, 0xdfbf},
        {0xe0a080, 0xed9fbf},
        {0xee8080, 0xefbfbf},
        {0xf0908080, 0xf48fbfbf},
    };
    bool is_in_one = false;

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        is_in_one |= bytes >= ranges[i][0] && bytes <= ranges[i][1];
    }
    return is_in_one;
}

bool natlet__utf8_valid(natlet_slice text)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t bytes = text.ptr[i++];
        if (bytes < 0x80) {
            continue;
        }
        while (i < text.len && is_continuation(text.ptr[i]) && bytes <= 0xffffff) {
            bytes = bytes << 8 | text.ptr[i++];
        }
        if (!is_character(bytes)) {
            return false;
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
