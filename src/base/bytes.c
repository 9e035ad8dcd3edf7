#include "base/bytes.h"

bool natlet__equal(natlet_slice a, natlet_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

__attribute__((noinline)) void natlet__skip(natlet_slice *text, size_t n)
{
    NATLET_ASSERT(n <= text->len);
    if (n > 0) { /* an empty slice may have no address */
        text->ptr += n;
        text->len -= n;
    }
}

bool natlet__cut(natlet_slice *text, uint8_t mark, natlet_slice *head)
{
    const uint8_t *at = text->len > 0 ? memchr(text->ptr, mark, text->len) : NULL;

    *head = *text;
    if (at == NULL) {
        return false;
    }
    head->len = (size_t)(at - text->ptr);
    natlet__skip(text, head->len + 1);
    return true;
}

bool natlet__is_clean(natlet_slice text, uint8_t least)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < least || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

__attribute__((noinline)) uint8_t *natlet__put(uint8_t *out, natlet_slice text)
{
    if (text.len > 0) {
        memcpy(out, text.ptr, text.len);
    }
    return out + text.len;
}

uint32_t natlet__word_index(const char *words, natlet_slice word)
{
    uint32_t index = 0;

    for (; *words != '\0'; index++) {
        natlet_slice known = natlet__text(words);
        if (natlet__equal_nocase(word, known)) {
            break;
        }
        words += known.len + 1;
    }
    return index;
}

static bool same_nocase(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (natlet__lower(a[i]) != natlet__lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool natlet__equal_nocase(natlet_slice a, natlet_slice b)
{
    return a.len == b.len && same_nocase(a.ptr, b.ptr, a.len);
}

bool natlet__starts_nocase(natlet_slice text, natlet_slice head)
{
    return text.len >= head.len && same_nocase(text.ptr, head.ptr, head.len);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

natlet_slice natlet__trim(natlet_slice text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

bool natlet__read_decimal(natlet_slice text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t digit = (uint8_t)(text.ptr[i] - '0');
        if (digit > 9 || sum > max / 10 || digit > max - sum * 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

size_t natlet__write_decimal(uint8_t out[NATLET__DECIMAL_MAX], uint64_t value)
{
    uint8_t digits[NATLET__DECIMAL_MAX]; /* filled from its end */
    size_t first = sizeof digits;

    do {
        digits[--first] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(out, digits + first, sizeof digits - first);
    return sizeof digits - first;
}
