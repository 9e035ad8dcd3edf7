#include "json/reader.h"

#include <string.h>

natlet_status natlet_json_text(natlet_slice value, void *mem, size_t cap, natlet_slice *text)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, value, 1);
    if (natlet__json_next(&json, &token) < 0 || token.kind != NATLET__JSON_STRING) {
        return NATLET_E_JSON;
    }
    *text = token.text;
    if (!token.has_escapes) {
        return NATLET_OK;
    }
    if (token.text.len > cap) {
        return NATLET_E_TOO_LARGE;
    }
    *text = (natlet_slice){mem, natlet__json_unescape(mem, token.text)};
    return NATLET_OK;
}
