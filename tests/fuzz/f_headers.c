/* Property: what is read from a received block can be written again and reads the same;
 * a block that may be sent loses nothing by that. */
/* covers: src/proto/headers.c */
#include "natlet/headers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

static int same(natlet_slice a, natlet_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static int lies_in(natlet_slice part, natlet_slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

/* Copies the fields of `block`; false if they do not all fit into one. */
static int copy(natlet_headers *headers, natlet_slice block)
{
    natlet_header field;
    natlet_slice first;

    for (size_t at = 0; natlet_headers_next(block, &at, &field);) {
        expect(lies_in(field.key, block) && lies_in(field.value, block));
        expect(natlet_headers_get(block, field.key, &first));
        natlet_status st = natlet_headers_add(headers, field.key, field.value);
        if (st != NATLET_OK) {
            expect(headers->count == NATLET_HEADER_FIELDS_MAX || st == NATLET_E_FULL);
            return 0;
        }
    }
    return 1;
}

static void check_same_fields(natlet_slice a, natlet_slice b)
{
    natlet_header x;
    natlet_header y;
    size_t at_a = 0;
    size_t at_b = 0;

    while (natlet_headers_next(a, &at_a, &x)) {
        expect(natlet_headers_next(b, &at_b, &y) && same(x.key, y.key) && same(x.value, y.value));
    }
    expect(!natlet_headers_next(b, &at_b, &y));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t mem[16384];
    natlet_slice block = {data, size};
    natlet_slice text;
    natlet_headers headers;
    uint32_t code = natlet_headers_status(block, &text);
    int may_be_sent = natlet_headers_check(block) == NATLET_OK;

    expect(code == 0 ? text.len == 0 : code >= 100 && code <= 999 && lies_in(text, block));
    expect(natlet_headers_init(&headers, mem, sizeof mem) == NATLET_OK);
    if (!copy(&headers, block)) {
        return 0;
    }
    natlet_slice copied = natlet_headers_block(&headers);
    expect(copied.len == 0 || natlet_headers_check(copied) == NATLET_OK);
    check_same_fields(block, copied);
    if (may_be_sent) {
        uint32_t lines = 0;
        for (size_t i = 0; i < size; i++) {
            lines += data[i] == '\n';
        }
        expect(lines == headers.count + 2);
    }
    return 0;
}
