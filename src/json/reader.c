/* After a bracket or a comma comes a value, in an object a key first; after a value
 * a comma or the end of its container, or the end of all.  That is the state; what
 * ends each open container is kept, so nothing here calls itself.
 *
 * Behind the end of the text stands, for all that is read here, a NUL, which begins
 * and continues nothing. */
#include "json/reader.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "json/escape.h"

enum expect {
    VALUE,
    MEMBER,        /* behind a comma: a value, in an object a key */
    MEMBER_OR_END, /* behind '{' and '[' */
    COMMA_OR_END,
};

NATLET__NOINLINE void natlet__json_init(natlet__json *json, natlet_slice text, uint32_t depth_max)
{
    NATLET_ASSERT(depth_max <= NATLET_JSON_DEPTH_MAX);
    *json = (natlet__json){.in = text, .depth_max = depth_max, .expect = VALUE};
}

NATLET__NOINLINE static uint32_t peek(const natlet__json *json)
{
    return json->in.len > 0 ? json->in.ptr[0] : 0;
}

static void advance(natlet__json *json)
{
    natlet__skip(&json->in, 1);
}

/* Takes `c` if it comes next; it is not 0. */
static bool take_if(natlet__json *json, uint32_t c)
{
    bool is_next = peek(json) == c;

    if (is_next) {
        advance(json);
    }
    return is_next;
}

/* Returns what stands behind the blanks. */
static uint32_t skip_blanks(natlet__json *json)
{
    uint32_t c = peek(json);

    while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        advance(json);
        c = peek(json);
    }
    return c;
}

static bool read_string(natlet__json *json, natlet__json_token *token)
{
    advance(json);
    while (!take_if(json, '"')) {
        uint32_t c = peek(json);
        if (c < ' ') {
            return false;
        }
        if (c != '\\') {
            advance(json);
            continue;
        }
        token->has_escapes = true;
        if (natlet__json_take_escape(&json->in) == NATLET__JSON_NO_RUNE) {
            return false;
        }
    }
    return true;
}

static bool read_digits(natlet__json *json)
{
    size_t before = json->in.len;

    while (peek(json) - '0' <= 9) {
        advance(json);
    }
    return json->in.len < before;
}

/* A digit behind a leading zero is not part of the number, nor can it follow. */
static bool read_number(natlet__json *json)
{
    (void)take_if(json, '-');
    bool is_right = take_if(json, '0') || read_digits(json);
    if (take_if(json, '.')) {
        is_right &= read_digits(json);
    }
    if (take_if(json, 'e') || take_if(json, 'E')) {
        (void)(take_if(json, '+') || take_if(json, '-'));
        is_right &= read_digits(json);
    }
    return is_right;
}

static bool read_scalar(natlet__json *json, natlet__json_token *token)
{
    static const char words[][6] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (take_if(json, (uint8_t)words[i][0])) {
            const char *rest = words[i] + 1;
            while (*rest != '\0' && take_if(json, (uint8_t)*rest)) {
                rest++;
            }
            return *rest == '\0';
        }
    }
    token->kind = NATLET__JSON_NUMBER;
    return read_number(json);
}

static bool read_value(natlet__json *json, natlet__json_token *token)
{
    json->expect = COMMA_OR_END;
    if (token->kind == NATLET__JSON_STRING) {
        return read_string(json, token);
    }
    if (token->kind != NATLET__JSON_OBJECT && token->kind != NATLET__JSON_ARRAY) {
        return read_scalar(json, token);
    }
    if (json->depth == json->depth_max) {
        return false;
    }
    json->closers[++json->depth] = token->kind == NATLET__JSON_OBJECT ? '}' : ']';
    json->expect = MEMBER_OR_END;
    advance(json);
    return true;
}

static bool end_container(natlet__json *json, natlet__json_token *token)
{
    if (json->depth == 0) {
        return json->in.len == 0;
    }
    token->depth = --json->depth;
    token->text.len = 1;
    json->expect = COMMA_OR_END;
    advance(json);
    return true;
}

/* Takes the quotes off a string, and reads the colon behind a key. */
static bool end_string(natlet__json *json, natlet__json_token *token, bool is_key)
{
    token->text.ptr++;
    token->text.len -= 2;
    if (is_key) {
        token->kind = NATLET__JSON_KEY;
        json->expect = VALUE;
        (void)skip_blanks(json);
        if (!take_if(json, ':')) {
            return false;
        }
    }
    return natlet__utf8_valid(token->text);
}

static bool read_token(natlet__json *json, natlet__json_token *token)
{
    uint32_t closer = json->closers[json->depth];
    uint32_t c = skip_blanks(json);

    if (json->expect == COMMA_OR_END && c != closer) {
        if (json->depth == 0 || !take_if(json, ',')) {
            return false;
        }
        json->expect = MEMBER;
        c = skip_blanks(json);
    }
    token->kind = (natlet__json_kind)c;
    token->text.ptr = json->in.ptr;
    if (json->expect >= MEMBER_OR_END && c == closer) {
        return end_container(json, token);
    }
    bool is_key = json->expect != VALUE && closer == '}';
    if (!read_value(json, token)) {
        return false;
    }
    token->text.len = (size_t)(json->in.ptr - token->text.ptr);
    return c == '"' ? end_string(json, token, is_key) : !is_key;
}

natlet_status natlet__json_next(natlet__json *json, natlet__json_token *token)
{
    *token = (natlet__json_token){.depth = json->depth};
    if (json->failed == NATLET_OK && !read_token(json, token)) {
        json->failed = NATLET_E_JSON;
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
