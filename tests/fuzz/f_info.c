/* Property: INFO is refused exactly if it is not one object of the right depth, and
 * everything taken from it lies in it. */
/* covers: src/proto/info.c */
#include "proto/info.h"

#include <stdlib.h>

#include "json/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

static int lies_in(natlet_slice part, natlet_slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static int is_object(natlet_slice text)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, text, NATLET_INFO_DEPTH_MAX);
    if (natlet__json_next(&json, &token) < 0 || token.kind != NATLET__JSON_OBJECT) {
        return 0;
    }
    while (natlet__json_next(&json, &token) == NATLET_OK && token.kind != NATLET__JSON_DONE) {
    }
    return json.failed == NATLET_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    natlet_slice text = {data, size};
    natlet__info info;
    natlet_status st = natlet__info_read(&info, text);

    expect(st == (is_object(text) ? NATLET_OK : NATLET_E_JSON));
    expect(info.url_count <= NATLET_SERVERS_MAX);
    for (uint32_t i = 0; i < info.url_count; i++) {
        expect(lies_in(info.urls[i], text));
    }

    natlet__server_error error = natlet__server_error_read(text);
    expect(error.status < 0 && lies_in(error.subject, text));
    expect(error.status == NATLET_E_PERMISSION || (error.subject.len == 0 && !error.to_publish));
    return 0;
}
