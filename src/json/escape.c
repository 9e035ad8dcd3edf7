#include "json/escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "json/reader.h"

uint8_t natlet__json_letter(uint8_t c, natlet__json_side side)
{
    static const uint8_t pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    for (const uint8_t *pair = pairs; *pair != '\0'; pair += 2) {
        if (pair[side] == c) {
            return pair[1 - side];
        }
    }
    return 0;
}

/* Takes "\uXXXX" off the front of `text`; what is not one is NO_RUNE. */
static uint32_t take_unit(natlet_slice *text)
{
    uint32_t unit = 0;

    if (text->len < 6 || text->ptr[0] != '\\' || text->ptr[1] != 'u') {
        return NATLET__JSON_NO_RUNE;
    }
    for (int i = 2; i < 6; i++) {
        uint32_t digit = text->ptr[i] - '0' + 0u;
        uint32_t letter = (text->ptr[i] | 0x20u) - 'a';
        if (digit > 9 && letter > 5) {
            return NATLET__JSON_NO_RUNE;
        }
        unit = unit << 4 | (digit <= 9 ? digit : letter + 10);
    }
    natlet__skip(text, 6);
    return unit;
}

/* Of the two surrogates of a pair each stands for ten bits. */
uint32_t natlet__json_take_escape(natlet_slice *text)
{
    uint8_t plain = text->len > 1 ? natlet__json_letter(text->ptr[1], NATLET__JSON_ESCAPED) : 0;

    if (plain != 0) {
        natlet__skip(text, 2);
        return plain;
    }
    uint32_t high = take_unit(text) - 0xd800;
    if (high > 0x7ff) {
        return high + 0xd800;
    }
    uint32_t low = high < 0x400 ? take_unit(text) - 0xdc00 : NATLET__JSON_NO_RUNE;
    return low < 0x400 ? 0x10000 + (high << 10 | low) : NATLET__JSON_NO_RUNE;
}

static size_t write_utf8(uint8_t *out, uint32_t rune)
{
    size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (rune & 0x3f));
        rune >>= 6;
    }
    out[0] = (uint8_t)(first[len] | rune);
    return len;
}

size_t natlet__json_take_character(natlet_slice *text, uint8_t out[4])
{
    natlet_slice rest = *text;
    uint32_t rune = rest.ptr[0] == '\\' ? natlet__json_take_escape(&rest) : NATLET__JSON_NO_RUNE;

    if (rune != NATLET__JSON_NO_RUNE) {
        *text = rest;
        return write_utf8(out, rune);
    }
    out[0] = *natlet__take(text, 1).ptr;
    return 1;
}

size_t natlet__json_unescape(uint8_t *out, natlet_slice text)
{
    size_t len = 0;

    while (text.len > 0) {
        len += natlet__json_take_character(&text, out + len); /* never more than it takes */
    }
    return len;
}
