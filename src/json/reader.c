/* After a bracket or a comma comes a value, in an object a key first; after a value
 * a comma or the end of its container, or the end of all.  That is the state; which
 * containers are open is one bit a level, so nothing here calls itself. */
#include "json/reader.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "json/escape.h"

enum expect {
    VALUE,
    VALUE_OR_END, /* behind '[' */
    KEY,
    KEY_OR_END, /* behind '{' */
    COMMA_OR_END,
    NOTHING, /* behind the document */
};

void natlet__json_init(natlet__json *json, natlet_slice text, uint32_t depth_max)
{
    NATLET_ASSERT(depth_max <= NATLET_JSON_DEPTH_MAX);
    _Static_assert(NATLET_JSON_DEPTH_MAX <= sizeof json->open * 8, "one bit a level");
    *json = (natlet__json){.in = text, .depth_max = depth_max, .expect = VALUE};
}

static void skip_blanks(natlet_slice *in)
{
    while (in->len > 0 &&
           (in->ptr[0] == ' ' || in->ptr[0] == '\n' || in->ptr[0] == '\r' || in->ptr[0] == '\t')) {
        in->ptr++;
        in->len--;
    }
}

static bool in_object(const natlet__json *json)
{
    uint32_t level = json->depth - 1;
    return (json->open[level / 32] >> level % 32 & 1) != 0;
}

static natlet_status open_container(natlet__json *json, natlet__json_token *token)
{
    bool is_object = json->in.ptr[0] == '{';

    if (json->depth == json->depth_max) {
        return NATLET_E_JSON;
    }
    uint32_t *levels = &json->open[json->depth / 32];
    uint32_t bit = (uint32_t)1 << json->depth % 32;
    *levels = is_object ? *levels | bit : *levels & ~bit;
    json->depth++;
    json->expect = is_object ? KEY_OR_END : VALUE_OR_END;
    token->kind = is_object ? NATLET__JSON_OBJECT : NATLET__JSON_ARRAY;
    token->text = natlet__take(&json->in, 1);
    return NATLET_OK;
}

static natlet_status end_value(natlet__json *json)
{
    json->expect = json->depth > 0 ? COMMA_OR_END : NOTHING;
    return NATLET_OK;
}

static natlet_status close_container(natlet__json *json, natlet__json_token *token)
{
    bool is_object = in_object(json);

    if (json->in.ptr[0] != (is_object ? '}' : ']')) {
        return NATLET_E_JSON;
    }
    token->kind = is_object ? NATLET__JSON_OBJECT_END : NATLET__JSON_ARRAY_END;
    token->text = natlet__take(&json->in, 1);
    token->depth = --json->depth;
    return end_value(json);
}

/* The length of what stands between quotes, from behind the first one on; sets
 * has_escapes.  Returns `in`.len if there is no end or a byte that must not be. */
static size_t scan_string(natlet_slice in, natlet__json_token *token)
{
    uint32_t rune;
    size_t at = 0;

    while (at < in.len && in.ptr[at] >= ' ' && in.ptr[at] != '"') {
        size_t step = 1;
        if (in.ptr[at] == '\\') {
            step = natlet__json_escape((natlet_slice){in.ptr + at, in.len - at}, &rune);
            token->has_escapes = true;
        }
        if (step == 0) {
            return in.len;
        }
        at += step;
    }
    return at < in.len && in.ptr[at] == '"' ? at : in.len;
}

static natlet_status read_string(natlet__json *json, natlet__json_token *token)
{
    natlet__skip(&json->in, 1);
    size_t len = scan_string(json->in, token);
    if (len == json->in.len) {
        return NATLET_E_JSON;
    }
    token->text = natlet__take(&json->in, len);
    natlet__skip(&json->in, 1);
    return natlet__utf8_valid(token->text) ? NATLET_OK : NATLET_E_JSON;
}

static natlet_status read_key(natlet__json *json, natlet__json_token *token)
{
    token->kind = NATLET__JSON_KEY;
    if (json->in.ptr[0] != '"' || read_string(json, token) < 0) {
        return NATLET_E_JSON;
    }
    skip_blanks(&json->in);
    if (json->in.len == 0 || json->in.ptr[0] != ':') {
        return NATLET_E_JSON;
    }
    natlet__skip(&json->in, 1);
    json->expect = VALUE;
    return NATLET_OK;
}

static natlet_status read_literal(natlet__json *json, natlet__json_token *token, const char *word,
                                  natlet__json_kind kind)
{
    size_t len = strlen(word);

    if (json->in.len < len || memcmp(json->in.ptr, word, len) != 0) {
        return NATLET_E_JSON;
    }
    token->kind = kind;
    token->text = natlet__take(&json->in, len);
    return end_value(json);
}

static size_t digits_end(natlet_slice in, size_t at)
{
    while (at < in.len && in.ptr[at] >= '0' && in.ptr[at] <= '9') {
        at++;
    }
    return at;
}

/* The length of the number at the front of `in`; 0 if there is none. */
static size_t scan_number(natlet_slice in)
{
    size_t at = in.ptr[0] == '-' ? 1 : 0;
    size_t end = digits_end(in, at);

    if (end == at || (in.ptr[at] == '0' && end > at + 1)) {
        return 0;
    }
    if (end < in.len && in.ptr[end] == '.') {
        at = end + 1;
        end = digits_end(in, at);
    }
    if (end > at && end < in.len && (in.ptr[end] | 0x20) == 'e') {
        at = end + 1;
        at += at < in.len && (in.ptr[at] == '+' || in.ptr[at] == '-') ? 1 : 0;
        end = digits_end(in, at);
    }
    return end > at ? end : 0;
}

static natlet_status read_number(natlet__json *json, natlet__json_token *token)
{
    size_t len = scan_number(json->in);

    if (len == 0) {
        return NATLET_E_JSON;
    }
    token->kind = NATLET__JSON_NUMBER;
    token->text = natlet__take(&json->in, len);
    return end_value(json);
}

static natlet_status read_value(natlet__json *json, natlet__json_token *token)
{
    switch (json->in.ptr[0]) {
    case '{':
    case '[':
        return open_container(json, token);
    case '"':
        token->kind = NATLET__JSON_STRING;
        return read_string(json, token) < 0 ? NATLET_E_JSON : end_value(json);
    case 't':
        return read_literal(json, token, "true", NATLET__JSON_TRUE);
    case 'f':
        return read_literal(json, token, "false", NATLET__JSON_FALSE);
    case 'n':
        return read_literal(json, token, "null", NATLET__JSON_NULL);
    default:
        return read_number(json, token);
    }
}

static natlet_status read_token(natlet__json *json, natlet__json_token *token)
{
    skip_blanks(&json->in);
    if (json->expect == NOTHING) {
        token->kind = NATLET__JSON_DONE;
        return json->in.len == 0 ? NATLET_OK : NATLET_E_JSON;
    }
    if (json->expect == COMMA_OR_END && json->in.len > 0 && json->in.ptr[0] == ',') {
        natlet__skip(&json->in, 1);
        skip_blanks(&json->in);
        json->expect = in_object(json) ? KEY : VALUE;
    }
    if (json->in.len == 0) {
        return NATLET_E_JSON;
    }
    uint8_t c = json->in.ptr[0];
    if (json->expect == COMMA_OR_END || (json->expect == KEY_OR_END && c == '}') ||
        (json->expect == VALUE_OR_END && c == ']')) {
        return close_container(json, token);
    }
    bool is_key = json->expect == KEY || json->expect == KEY_OR_END;
    return is_key ? read_key(json, token) : read_value(json, token);
}

natlet_status natlet__json_next(natlet__json *json, natlet__json_token *token)
{
    *token = (natlet__json_token){.depth = json->depth};
    if (json->failed == NATLET_OK) {
        json->failed = read_token(json, token);
    }
    return json->failed;
}

static bool opens(const natlet__json_token *token)
{
    return token->kind == NATLET__JSON_OBJECT || token->kind == NATLET__JSON_ARRAY;
}

natlet_status natlet__json_skip(natlet__json *json, const natlet__json_token *token)
{
    natlet__json_token next;
    natlet_status st;

    do {
        st = natlet__json_next(json, &next);
    } while (st == NATLET_OK && (next.depth > token->depth || opens(&next)));
    return st;
}

/* The exponent that stands at number.ptr[at], 'e' first; 0 if none does.  What is
 * too large for any document's digits to make up for is cut. */
static int64_t read_exponent(natlet_slice number, size_t at)
{
    const int64_t enough = 100000000000;
    bool is_negative = at + 1 < number.len && number.ptr[at + 1] == '-';
    int64_t sum = 0;

    for (; at < number.len && sum < enough; at++) {
        uint8_t digit = (uint8_t)(number.ptr[at] - '0');
        sum = digit <= 9 ? sum * 10 + digit : sum;
    }
    return is_negative ? -sum : sum;
}

/* Whether a well-formed number is finite as serde_json computes it: the digits that
 * 64 bits hold, as a double, times a power of ten.  That is within a few units of
 * the last place, so 1.7976931348623158e308 is too much already. */
static bool fits_double(natlet_slice number)
{
    static const double power[] = {1e289, 1e290, 1e291, 1e292, 1e293, 1e294, 1e295,
                                   1e296, 1e297, 1e298, 1e299, 1e300, 1e301, 1e302,
                                   1e303, 1e304, 1e305, 1e306, 1e307, 1e308};
    uint64_t head = 0;
    int64_t exponent = 0; /* the number is head * 10^exponent */
    bool is_full = false; /* further digits do not fit into head */
    bool is_fraction = false;
    size_t at = 0;

    for (; at < number.len && (number.ptr[at] | 0x20) != 'e'; at++) {
        uint8_t digit = (uint8_t)(number.ptr[at] - '0');
        if (digit > 9) {
            is_fraction = number.ptr[at] == '.';
            continue;
        }
        is_full = is_full || head > (UINT64_MAX - digit) / 10;
        head = is_full ? head : head * 10 + digit;
        exponent += (int)is_full - (int)is_fraction;
    }
    exponent += read_exponent(number, at);
    int64_t top = exponent; /* the power of ten of the first digit */
    for (uint64_t rest = head; rest >= 10; rest /= 10) {
        top++;
    }
    if (head == 0 ||
        top != 308) { /* with 308, exponent is 289 at least: head has 20 digits at most */
        return head == 0 || top < 308;
    }
    return (double)head * power[exponent - 289] <= 1.7976931348623157e308;
}

bool natlet__json_valid(natlet_slice text)
{
    natlet__json json;
    natlet__json_token token;
    natlet_status st;

    natlet__json_init(&json, text, NATLET_JSON_DEPTH_MAX);
    do {
        st = natlet__json_next(&json, &token);
        if (token.kind == NATLET__JSON_NUMBER && !fits_double(token.text)) {
            return false;
        }
    } while (st == NATLET_OK && token.kind != NATLET__JSON_DONE);
    return st == NATLET_OK;
}

bool natlet_json_u64(natlet_slice number, uint64_t max, uint64_t *value)
{
    return natlet__read_decimal(number, max, value);
}
