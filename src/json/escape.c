#include "json/escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "json/reader.h"

static bool read_hex4(const uint8_t *s, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t digit = (uint32_t)s[i] - '0';
        uint32_t letter = (uint32_t)natlet__lower(s[i]) - 'a';
        if (digit > 9 && letter > 5) {
            return false;
        }
        *value = *value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    return true;
}

size_t natlet__json_escape(natlet_slice text, uint32_t *rune)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char plain[] = "\"\\/\b\f\n\r\t";
    uint32_t low;

    if (text.len < 2) {
        return 0;
    }
    const char *letter = memchr(letters, text.ptr[1], sizeof letters - 1);
    if (letter != NULL) {
        *rune = (uint8_t)plain[letter - letters];
        return 2;
    }
    if (text.ptr[1] != 'u' || text.len < 6 || !read_hex4(text.ptr + 2, rune)) {
        return 0;
    }
    if (*rune < 0xd800 || *rune > 0xdfff) {
        return 6;
    }
    if (*rune > 0xdbff || text.len < 12 || text.ptr[6] != '\\' || text.ptr[7] != 'u' ||
        !read_hex4(text.ptr + 8, &low) || low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *rune = 0x10000 + ((*rune - 0xd800) << 10) + (low - 0xdc00);
    return 12;
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
    uint32_t rune;
    size_t escape = text->ptr[0] == '\\' ? natlet__json_escape(*text, &rune) : 0;

    if (escape > 0) {
        natlet__skip(text, escape);
        return write_utf8(out, rune);
    }
    out[0] = *natlet__take(text, 1).ptr;
    return 1;
}

size_t natlet__json_unescape(uint8_t *out, natlet_slice text)
{
    uint8_t character[4];
    size_t len = 0;

    while (text.len > 0) {
        size_t n = natlet__json_take_character(&text, character);
        memcpy(out + len, character, n);
        len += n;
    }
    return len;
}
