#include <string.h>

#include "base/bytes.h"
#include "json/escape.h"
#include "json/reader.h"

static bool is_container(const natlet__json_token *token)
{
    return token->kind == NATLET__JSON_OBJECT || token->kind == NATLET__JSON_ARRAY;
}

/* The next reference token of a pointer, from its '/' on, without it. */
static bool take_reference(natlet_slice *pointer, natlet_slice *reference)
{
    if (pointer->ptr[0] != '/') {
        return false;
    }
    natlet__skip(pointer, 1);
    const uint8_t *slash = pointer->len > 0 ? memchr(pointer->ptr, '/', pointer->len) : NULL;
    size_t len = slash != NULL ? (size_t)(slash - pointer->ptr) : pointer->len;
    *reference = natlet__take(pointer, len);
    return true;
}

/* Takes one byte off a reference token, "~0" for '~' and "~1" for '/'; -1 for none. */
static int take_reference_byte(natlet_slice *reference)
{
    if (reference->len == 0) {
        return -1;
    }
    int c = *natlet__take(reference, 1).ptr;
    if (c != '~') {
        return c;
    }
    c = reference->len > 0 ? *natlet__take(reference, 1).ptr : -1;
    return c == '0' ? '~' : c == '1' ? '/' : -1;
}

/* Whether a key, escapes and all, is what the reference token says. */
static bool is_named(natlet_slice key, natlet_slice reference)
{
    uint8_t character[4];

    while (key.len > 0) {
        size_t n = natlet__json_take_character(&key, character);
        for (size_t i = 0; i < n; i++) {
            if (take_reference_byte(&reference) != character[i]) {
                return false;
            }
        }
    }
    return reference.len == 0;
}

/* A value and what follows it. */
typedef struct place {
    natlet__json json; /* behind `token` */
    natlet__json_token token;
} place;

static bool is_member(const natlet__json_token *token, natlet_slice reference, uint64_t index)
{
    uint64_t wanted;

    if (token->kind == NATLET__JSON_KEY) {
        return is_named(token->text, reference);
    }
    return natlet__read_decimal(reference, UINT32_MAX, &wanted) && wanted == index;
}

/* From a container goes to its member `reference`, the last one of that name. */
static bool enter(place *at, natlet_slice reference)
{
    place found = {.token.kind = NATLET__JSON_DONE};
    natlet__json_token token;
    uint32_t outside = at->token.depth;
    uint64_t index = 0;

    while (natlet__json_next(&at->json, &token) == NATLET_OK && token.depth > outside) {
        bool is_it = is_member(&token, reference, index++);
        if (token.kind == NATLET__JSON_KEY) {
            (void)natlet__json_next(&at->json, &token);
        }
        found = is_it ? (place){at->json, token} : found;
        if (is_container(&token)) {
            (void)natlet__json_skip(&at->json, &token);
        }
    }
    *at = found;
    return found.token.kind != NATLET__JSON_DONE;
}

/* The document is checked first, so that nothing behind that line can fail. */
natlet_status natlet_json_find(natlet_slice text, natlet_slice pointer, natlet_slice *value)
{
    place at;
    natlet_slice reference;

    if (!natlet__json_valid(text)) {
        return NATLET_E_JSON;
    }
    natlet__json_init(&at.json, text, NATLET_JSON_DEPTH_MAX);
    (void)natlet__json_next(&at.json, &at.token);
    while (pointer.len > 0) {
        if (!is_container(&at.token) || !take_reference(&pointer, &reference) ||
            !enter(&at, reference)) {
            return NATLET_E_NOT_FOUND;
        }
    }
    const uint8_t *start = at.token.text.ptr - (at.token.kind == NATLET__JSON_STRING ? 1 : 0);
    if (is_container(&at.token)) {
        (void)natlet__json_skip(&at.json, &at.token);
    }
    *value = (natlet_slice){start, (size_t)(at.json.in.ptr - start)};
    return NATLET_OK;
}
