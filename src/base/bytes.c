#include "base/bytes.h"

bool natlet__equal(natlet_slice a, natlet_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

NATLET__NOINLINE void natlet__skip(natlet_slice *text, size_t n)
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

NATLET__NOINLINE uint32_t natlet__hash(natlet_slice text)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ text.ptr[i]) * 16777619u;
    }
    return hash;
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

NATLET__NOINLINE uint8_t *natlet__put(uint8_t *out, natlet_slice text)
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

NATLET__NOINLINE uint8_t natlet__lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool natlet__starts_nocase(natlet_slice text, natlet_slice head)
{
    if (text.len < head.len) {
        return false;
    }
    for (size_t i = 0; i < head.len; i++) {
        if (natlet__lower(text.ptr[i]) != natlet__lower(head.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool natlet__equal_nocase(natlet_slice a, natlet_slice b)
{
    return a.len == b.len && natlet__starts_nocase(a, b);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

natlet_slice natlet__trim(natlet_slice text)
{
    const uint8_t *at = text.ptr;
    const uint8_t *end = at + text.len;

    while (at < end && is_blank(*at)) {
        at++;
    }
    while (at < end && is_blank(end[-1])) {
        end--;
    }
    return (natlet_slice){at, (size_t)(end - at)};
}

bool natlet__read_decimal(natlet_slice text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t digit = (uint8_t)(text.ptr[i] - '0');
        uint64_t next = sum * 10 + digit;
        if (digit > 9 || next / 10 != sum || next > max) {
            return false;
        }
        sum = next;
    }
    *value = sum;
    return true;
}

size_t natlet__write_decimal(uint8_t out[NATLET__DECIMAL_MAX], uint64_t value)
{
    size_t len = 1;

    for (uint64_t power = 10; value >= power && len < NATLET__DECIMAL_MAX; power *= 10) {
        len++;
    }
    for (size_t i = len; i > 0; value /= 10) {
        out[--i] = (uint8_t)('0' + value % 10);
    }
    return len;
}
