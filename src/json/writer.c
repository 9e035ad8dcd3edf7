#include "natlet/json.h"

#include <string.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "json/escape.h"

void natlet_json_out_init(natlet_json_out *out, void *mem, size_t cap)
{
    *out = (natlet_json_out){.ptr = mem, .cap = cap};
}

/* Where the next `bytes` go, or NULL if they do not fit: they count all the same,
 * so that nothing behind them fits either. */
NATLET__NOINLINE static uint8_t *claim(natlet_json_out *out, size_t bytes)
{
    size_t at = out->len;

    out->len = bytes > SIZE_MAX - at ? SIZE_MAX : at + bytes;
    return out->len <= out->cap ? out->ptr + at : NULL;
}

static void put(natlet_json_out *out, const void *text, size_t len)
{
    uint8_t *at = claim(out, len);

    if (at != NULL) {
        natlet__put(at, (natlet_slice){text, len});
    }
}

static void put_char(natlet_json_out *out, char c)
{
    uint8_t *at = claim(out, 1);

    if (at != NULL) {
        *at = (uint8_t)c;
    }
}

static void start_element(natlet_json_out *out)
{
    if (out->separator) {
        put_char(out, ',');
    }
    out->separator = true;
}

static void put_escape(natlet_json_out *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t letter = natlet__json_letter(c, NATLET__JSON_PLAIN);

    put_char(out, '\\');
    if (letter != 0) {
        put_char(out, (char)letter);
        return;
    }
    put(out, "u00", 3);
    put_char(out, hex[c >> 4]);
    put_char(out, hex[c & 15]);
}

static void put_string(natlet_json_out *out, natlet_slice text)
{
    put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c < ' ' || c == '"' || c == '\\') {
            put_escape(out, c);
        } else {
            put_char(out, (char)c);
        }
    }
    put_char(out, '"');
}

void natlet_json_out_open(natlet_json_out *out, char bracket)
{
    NATLET_ASSERT(bracket == '{' || bracket == '[');
    start_element(out);
    put_char(out, bracket);
    out->separator = false;
}

void natlet_json_out_close(natlet_json_out *out, char bracket)
{
    NATLET_ASSERT(bracket == '}' || bracket == ']');
    put_char(out, bracket);
    out->separator = true;
}

void natlet_json_out_key_text(natlet_json_out *out, natlet_slice key)
{
    start_element(out);
    put_string(out, key);
    put_char(out, ':');
    out->separator = false;
}

void natlet_json_out_key(natlet_json_out *out, const char *key)
{
    natlet_json_out_key_text(out, natlet__text(key));
}

void natlet_json_out_string(natlet_json_out *out, natlet_slice text)
{
    start_element(out);
    put_string(out, text);
}

static void put_decimal(natlet_json_out *out, uint64_t value)
{
    uint8_t digits[NATLET__DECIMAL_MAX];
    put(out, digits, natlet__write_decimal(digits, value));
}

void natlet_json_out_u64(natlet_json_out *out, uint64_t value)
{
    start_element(out);
    put_decimal(out, value);
}

void natlet_json_out_i64(natlet_json_out *out, int64_t value)
{
    start_element(out);
    if (value < 0) {
        put_char(out, '-');
    }
    put_decimal(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void natlet_json_out_bool(natlet_json_out *out, bool value)
{
    natlet_json_out_raw(out, value ? (natlet_slice)NATLET_TEXT("true")
                                   : (natlet_slice)NATLET_TEXT("false"));
}

void natlet_json_out_raw(natlet_json_out *out, natlet_slice json)
{
    start_element(out);
    put(out, json.ptr, json.len);
}

void natlet_json_out_base64(natlet_json_out *out, natlet_slice bytes)
{
    start_element(out);
    put_char(out, '"');
    uint8_t *at = claim(out, NATLET__BASE64_BYTES(bytes.len));
    if (at != NULL) {
        (void)natlet__base64_write(at, bytes, NATLET__BASE64);
    }
    put_char(out, '"');
}

void natlet_json_out_member(natlet_json_out *out, const char *key, natlet_slice text)
{
    natlet_json_out_key(out, key);
    natlet_json_out_string(out, text);
}

void natlet_json_out_member_u64(natlet_json_out *out, const char *key, uint64_t value)
{
    natlet_json_out_key(out, key);
    natlet_json_out_u64(out, value);
}
