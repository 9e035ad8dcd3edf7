#include "base/base64.h"

#include "base/assert.h"

enum { NO_DIGIT = 64 };

const char natlet__base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t character(uint32_t digit, natlet__base64_kind kind)
{
    if (kind == NATLET__BASE64_URL && digit >= 62) {
        return digit == 62 ? '-' : '_';
    }
    return (uint8_t)natlet__base64_alphabet[digit];
}

size_t natlet__base64_write(uint8_t *out, natlet_slice bytes, natlet__base64_kind kind)
{
    size_t len = 0;

    for (size_t bit = 0; bit < bytes.len * 8; bit += 6) {
        size_t at = bit / 8;
        uint32_t pair = (uint32_t)bytes.ptr[at] << 8;
        pair |= at + 1 < bytes.len ? bytes.ptr[at + 1] : 0;
        out[len++] = character(pair >> (10 - bit % 8) & 63, kind);
    }
    while (kind == NATLET__BASE64 && len % 4 != 0) {
        out[len++] = '=';
    }
    return len;
}

static uint32_t digit_of(uint8_t c, natlet__base64_kind kind)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A' + 0u;
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26u;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52u;
    }
    if (c == (kind == NATLET__BASE64 ? '+' : '-')) {
        return 62;
    }
    return c == (kind == NATLET__BASE64 ? '/' : '_') ? 63 : NO_DIGIT;
}

/* Takes the padding off; false if there is not as much as there must be. */
static bool strip_padding(natlet_slice *text)
{
    if (text->len % 4 != 0) {
        return false;
    }
    for (int i = 0; i < 2 && text->len > 0 && text->ptr[text->len - 1] == '='; i++) {
        text->len--;
    }
    return true;
}

/* Reads 2 to 4 characters as 1 to 3 bytes.  False for a character of no alphabet,
 * or if bits that no byte takes up are not zero. */
static bool read_group(uint8_t *out, const uint8_t *text, size_t len, natlet__base64_kind kind)
{
    uint32_t bits = 0;

    NATLET_ASSERT(len >= 2 && len <= 4);
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = i < len ? digit_of(text[i], kind) : 0;
        if (digit == NO_DIGIT) {
            return false;
        }
        bits = bits << 6 | digit;
    }
    for (size_t i = 0; i + 1 < len; i++) {
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    }
    return (bits & (0xffffffu >> (8 * (len - 1)))) == 0;
}

bool natlet__base64_read(uint8_t *out, size_t *len, natlet_slice text, natlet__base64_kind kind)
{
    size_t written = 0;

    if ((kind == NATLET__BASE64 && !strip_padding(&text)) || text.len % 4 == 1) {
        return false;
    }
    for (size_t at = 0; at < text.len; at += 4) {
        size_t step = text.len - at < 4 ? text.len - at : 4;
        if (!read_group(out + written, text.ptr + at, step, kind)) {
            return false;
        }
        written += step - 1;
    }
    *len = written;
    return true;
}
