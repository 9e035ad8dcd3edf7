#include "natlet/headers.h"

#include <string.h>

#include "base/bytes.h"

static const natlet_slice version = NATLET_TEXT("NATS/1.0");
static const natlet_slice empty_block = NATLET_TEXT("NATS/1.0\r\n\r\n");

enum { CRLF_LEN = 2 };

static bool is_key(natlet_slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~' || key.ptr[i] == ':') {
            return false;
        }
    }
    return key.len > 0;
}

static bool is_value(natlet_slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0') {
            return false;
        }
    }
    return true;
}

natlet_status natlet_headers_init(natlet_headers *headers, void *mem, size_t mem_len)
{
    *headers = (natlet_headers){0};
    if (mem_len < empty_block.len) {
        return NATLET_E_NO_MEMORY;
    }
    memcpy(mem, empty_block.ptr, empty_block.len);
    *headers = (natlet_headers){.ptr = mem, .cap = mem_len, .len = empty_block.len};
    return NATLET_OK;
}

natlet_status natlet_headers_add(natlet_headers *headers, natlet_slice key, natlet_slice value)
{
    static const natlet_slice colon = NATLET_TEXT(": ");
    static const natlet_slice end = NATLET_TEXT("\r\n\r\n");

    /* Both below the limit, so that the sum of all cannot wrap. */
    if (key.len > NATLET_HEADER_BYTES_MAX || value.len > NATLET_HEADER_BYTES_MAX ||
        headers->count == NATLET_HEADER_FIELDS_MAX || !is_key(key) || !is_value(value)) {
        return NATLET_E_HEADER;
    }
    size_t len = headers->len + key.len + colon.len + value.len + CRLF_LEN;
    if (len > NATLET_HEADER_BYTES_MAX) {
        return NATLET_E_HEADER;
    }
    if (len > headers->cap) {
        return NATLET_E_FULL;
    }
    uint8_t *out = headers->ptr + headers->len - CRLF_LEN; /* over the blank line */
    out = natlet__put(natlet__put(natlet__put(out, key), colon), value);
    (void)natlet__put(out, end);
    headers->len = len;
    headers->count++;
    return NATLET_OK;
}

natlet_slice natlet_headers_block(const natlet_headers *headers)
{
    return (natlet_slice){headers->ptr, headers->count > 0 ? headers->len : 0};
}

/* What a line is. */
typedef enum line_kind {
    LINE_NONE, /* there is no further line */
    LINE_BAD,  /* it does not end with CRLF */
    LINE_GOOD,
} line_kind;

/* The line at *at without its end. */
static line_kind take_line(natlet_slice block, size_t *at, natlet_slice *line)
{
    natlet_slice rest = block;

    natlet__skip(&rest, *at);
    if (!natlet__cut(&rest, '\n', line)) {
        return LINE_NONE;
    }
    *at = block.len - rest.len;
    if (line->len == 0 || line->ptr[line->len - 1] != '\r') {
        return LINE_BAD;
    }
    line->len--;
    return LINE_GOOD;
}

/* The first line; *rest is what stands behind the version. */
static bool take_first_line(natlet_slice block, size_t *at, natlet_slice *rest)
{
    if (take_line(block, at, rest) != LINE_GOOD || rest->len < version.len ||
        memcmp(rest->ptr, version.ptr, version.len) != 0) {
        return false;
    }
    natlet__skip(rest, version.len);
    return true;
}

static bool read_field(natlet_slice line, natlet_header *out)
{
    if (!natlet__cut(&line, ':', &out->key)) {
        return false;
    }
    out->value = natlet__trim(line);
    return is_key(out->key) && is_value(out->value);
}

bool natlet_headers_next(natlet_slice block, size_t *at, natlet_header *out)
{
    natlet_slice line;
    line_kind kind = *at > 0 || take_first_line(block, at, &line) ? LINE_BAD : LINE_NONE;

    while (kind != LINE_NONE) {
        kind = take_line(block, at, &line);
        if (kind == LINE_GOOD && line.len == 0) {
            break;
        }
        if (kind == LINE_GOOD && read_field(line, out)) {
            return true;
        }
    }
    *at = block.len;
    return false;
}

bool natlet_headers_get(natlet_slice block, natlet_slice key, natlet_slice *value)
{
    natlet_header field;

    for (size_t at = 0; natlet_headers_next(block, &at, &field);) {
        if (natlet__equal(field.key, key)) {
            *value = field.value;
            return true;
        }
    }
    return false;
}

/* Reads " 503" or " 503 No Responders"; 0 if it is anything else. */
static uint32_t read_status(natlet_slice rest, natlet_slice *text)
{
    uint64_t code = 0;
    natlet_slice word = natlet__trim(rest);
    natlet_slice digits = {word.ptr, 3};

    if (word.len < digits.len || word.ptr == rest.ptr ||
        !natlet__read_decimal(digits, 999, &code) || code < 100) {
        return 0;
    }
    natlet_slice behind = {word.ptr + digits.len, word.len - digits.len};
    *text = natlet__trim(behind);
    return behind.len == 0 || text->ptr > behind.ptr ? (uint32_t)code : 0;
}

uint32_t natlet_headers_status(natlet_slice block, natlet_slice *text)
{
    size_t at = 0;
    natlet_slice rest;
    natlet_slice found = {0};
    uint32_t code = take_first_line(block, &at, &rest) ? read_status(rest, &found) : 0;

    if (text != NULL) {
        *text = code != 0 ? found : (natlet_slice){0};
    }
    return code;
}

natlet_status natlet_headers_check(natlet_slice block)
{
    size_t at = 0;
    natlet_slice line;
    natlet_slice text = {0};
    natlet_header field;

    if (block.len > NATLET_HEADER_BYTES_MAX || !take_first_line(block, &at, &line) ||
        (line.len > 0 && read_status(line, &text) == 0) || !is_value(text)) {
        return NATLET_E_HEADER;
    }
    for (uint32_t count = 0; take_line(block, &at, &line) == LINE_GOOD; count++) {
        if (line.len == 0) {
            return at == block.len ? NATLET_OK : NATLET_E_HEADER;
        }
        if (count == NATLET_HEADER_FIELDS_MAX || !read_field(line, &field)) {
            break;
        }
    }
    return NATLET_E_HEADER;
}

bool natlet_headers_came_before(natlet_slice block, size_t end, natlet_slice key)
{
    size_t at = 0;
    natlet_header header;

    while (natlet_headers_next(block, &at, &header) && at < end) {
        if (natlet__equal(header.key, key)) {
            return true;
        }
    }
    return false;
}
