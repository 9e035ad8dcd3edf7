/* Property: the reader accepts what a slow recursive one accepts; what it read can be
 * written again and reads the same; a pointer finds a document in the document. */
/* covers: src/json/reader.c src/json/escape.c src/json/find.c */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "natlet/json.h"
#include "json/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- the slow reader: at[0] is the next byte, `end` holds a NUL */

typedef struct slow {
    const char *at;
    const char *end;
    int depth;
} slow;

static int slow_value(slow *s);

/* strchr() would find a NUL, too. */
static int is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static void slow_blanks(slow *s)
{
    while (s->at < s->end && is_one_of(*s->at, " \t\r\n")) {
        s->at++;
    }
}

static int slow_char(slow *s, char c)
{
    int is_there = s->at < s->end && *s->at == c;
    s->at += is_there;
    return is_there;
}

static int slow_hex(slow *s)
{
    char digits[5] = "";
    size_t n = 0;

    while (n < 4 && s->at < s->end && is_one_of(*s->at, "0123456789abcdefABCDEF")) {
        digits[n++] = *s->at++;
    }
    return n == 4 ? (int)strtol(digits, NULL, 16) : -1;
}

static int slow_escape(slow *s)
{
    if (s->at == s->end) {
        return 0;
    }
    char kind = *s->at++;
    if (kind != 'u') {
        return is_one_of(kind, "\"\\/bfnrt");
    }
    int high = slow_hex(s);
    if (high < 0xd800 || high > 0xdfff) {
        return high >= 0;
    }
    int has_low = high < 0xdc00 && slow_char(s, '\\') && slow_char(s, 'u');
    int low = has_low ? slow_hex(s) : 0;
    return low >= 0xdc00 && low <= 0xdfff;
}

static int slow_string(slow *s)
{
    if (!slow_char(s, '"')) {
        return 0;
    }
    const char *start = s->at;
    while (!slow_char(s, '"')) {
        if (s->at == s->end || (unsigned char)*s->at < 0x20) {
            return 0;
        }
        if (*s->at++ == '\\' && !slow_escape(s)) {
            return 0;
        }
    }
    return natlet__utf8_valid((natlet_slice){(const uint8_t *)start, (size_t)(s->at - 1 - start)});
}

static int slow_digits(slow *s)
{
    const char *start = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') {
        s->at++;
    }
    return (int)(s->at - start);
}

/* 2 for a number so near the largest double that the readers may differ. */
static int slow_number(slow *s)
{
    const char *start = s->at;

    (void)slow_char(s, '-');
    if (!slow_char(s, '0') && slow_digits(s) == 0) {
        return 0;
    }
    if (slow_char(s, '.') && slow_digits(s) == 0) {
        return 0;
    }
    if (slow_char(s, 'e') || slow_char(s, 'E')) {
        (void)(slow_char(s, '+') || slow_char(s, '-'));
        if (slow_digits(s) == 0) {
            return 0;
        }
    }
    size_t len = (size_t)(s->at - start);
    char *copy = memcpy(calloc(1, len + 1), start, len);
    double value = strtod(copy, NULL);
    free(copy);
    value = value < 0 ? -value : value;
    if (value >= 1.79769313486231e308 && value <= 1.7976931348623157e308) {
        return 2;
    }
    return value <= 1.7976931348623157e308;
}

static int slow_members(slow *s, char end)
{
    int sure = 1;

    slow_blanks(s);
    if (slow_char(s, end)) {
        return 1;
    }
    do {
        if (end == '}') {
            slow_blanks(s);
            if (!slow_string(s)) {
                return 0;
            }
            slow_blanks(s);
            if (!slow_char(s, ':')) {
                return 0;
            }
        }
        int is_value = slow_value(s);
        if (is_value == 0) {
            return 0;
        }
        sure = is_value == 2 ? 2 : sure;
        slow_blanks(s);
    } while (slow_char(s, ','));
    return slow_char(s, end) ? sure : 0;
}

static int slow_word(slow *s, const char *word)
{
    size_t len = strlen(word);
    int is_there = (size_t)(s->end - s->at) >= len && memcmp(s->at, word, len) == 0;
    s->at += is_there ? len : 0;
    return is_there;
}

static int slow_value(slow *s)
{
    slow_blanks(s);
    if (slow_char(s, '{') || slow_char(s, '[')) {
        char end = s->at[-1] == '{' ? '}' : ']';
        int result = s->depth < 127 ? (s->depth++, slow_members(s, end)) : 0;
        s->depth--;
        return result;
    }
    if (s->at < s->end && *s->at == '"') {
        return slow_string(s);
    }
    return slow_word(s, "true") || slow_word(s, "false") || slow_word(s, "null") ? 1
                                                                                 : slow_number(s);
}

/* ---- what is checked */

static int slow_document(const char *text, size_t len)
{
    slow s = {text, text + len, 0};
    int result = slow_value(&s);

    slow_blanks(&s);
    return s.at == s.end ? result : 0;
}

/* Writes what the reader says of a valid document. */
static void copy(natlet_json_out *out, natlet_slice text)
{
    natlet__json json;
    natlet__json_token token = {.kind = NATLET__JSON_NULL};
    uint8_t *plain = malloc(text.len + 1);

    natlet__json_init(&json, text, NATLET_JSON_DEPTH_MAX);
    while (natlet__json_next(&json, &token) == NATLET_OK && token.kind != NATLET__JSON_DONE) {
        natlet_slice string = {plain, 0};
        uint64_t number;
        switch (token.kind) {
        case NATLET__JSON_OBJECT:
        case NATLET__JSON_ARRAY:
            natlet_json_out_open(out, (char)token.text.ptr[0]);
            break;
        case NATLET__JSON_OBJECT_END:
        case NATLET__JSON_ARRAY_END:
            natlet_json_out_close(out, (char)token.text.ptr[0]);
            break;
        case NATLET__JSON_KEY:
        case NATLET__JSON_STRING:
            string.len = natlet__json_unescape(plain, token.text);
            expect(string.len <= token.text.len && natlet__utf8_valid(string));
            if (token.kind == NATLET__JSON_KEY) {
                natlet_json_out_key_text(out, string);
            } else {
                natlet_json_out_string(out, string);
            }
            break;
        case NATLET__JSON_NUMBER:
            if (natlet_json_u64(token.text, UINT64_MAX, &number)) {
                natlet_json_out_u64(out, number);
            } else {
                natlet_json_out_raw(out, token.text);
            }
            break;
        case NATLET__JSON_TRUE:
        case NATLET__JSON_FALSE:
            natlet_json_out_bool(out, token.kind == NATLET__JSON_TRUE);
            break;
        case NATLET__JSON_NULL:
        case NATLET__JSON_DONE:
            natlet_json_out_raw(out, token.text);
            break;
        }
    }
    free(plain);
}

/* A copy of a copy is the same text. */
static void check_copies(natlet_slice text)
{
    size_t cap = text.len * 6 + 16;
    uint8_t *mem = malloc(2 * cap);
    natlet_json_out first;
    natlet_json_out second;

    natlet_json_out_init(&first, mem, cap);
    copy(&first, text);
    expect(first.len <= cap);
    natlet_json_out_init(&second, mem + cap, cap);
    copy(&second, (natlet_slice){mem, first.len});
    expect(second.len == first.len && memcmp(mem, mem + cap, first.len) == 0);
    free(mem);
}

/* The bytes behind the first NUL are a document, those before it a pointer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    natlet_slice pointer = {data, nul != NULL ? (size_t)(nul - data) : 0};
    size_t head = nul != NULL ? pointer.len + 1 : 0;
    natlet_slice text = {data + head, size - head};
    natlet_slice value;
    char *terminated = calloc(1, text.len + 1);

    memcpy(terminated, text.ptr, text.len);
    int want = slow_document(terminated, text.len);
    free(terminated);
    int valid = natlet__json_valid(text);
    expect(valid == want || want == 2);
    natlet_status st = natlet_json_find(text, pointer, &value);
    expect(valid ? st == NATLET_OK || st == NATLET_E_NOT_FOUND : st == NATLET_E_JSON);
    if (st == NATLET_OK) {
        expect(value.ptr >= text.ptr && value.ptr + value.len <= text.ptr + text.len);
        expect(natlet__json_valid(value) && !is_one_of((char)value.ptr[0], " \t\r\n"));
    }
    if (valid) {
        check_copies(text);
    }
    return 0;
}
