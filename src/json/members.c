#include "json/members.h"

#include "base/bytes.h"
#include "json/escape.h"
#include "json/reader.h"

/* Whether a string without its quotes says `word`. */
static bool says(natlet_slice string, natlet_slice word)
{
    uint8_t character[4];

    while (string.len > 0) {
        size_t n = natlet__json_take_character(&string, character);
        if (n > word.len || memcmp(word.ptr, character, n) != 0) {
            return false;
        }
        natlet__skip(&word, n);
    }
    return word.len == 0;
}

bool natlet__json_is(natlet_slice value, const char *word)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, value, 1);
    return natlet__json_next(&json, &token) == NATLET_OK && token.kind == NATLET__JSON_STRING &&
           says(token.text, natlet__text(word));
}

/* The place of the name that `key` says; the number of names if it is none of them. */
static uint32_t place_of(natlet_slice key, const char *names)
{
    uint32_t place = 0;

    while (*names != '\0' && !says(key, natlet__text(names))) {
        names += strlen(names) + 1;
        place++;
    }
    return place;
}

/* The raw text of the value that comes next. */
static natlet_slice take_value(natlet__json *json)
{
    natlet__json_token token;

    (void)natlet__json_next(json, &token);
    const uint8_t *start = token.text.ptr - (token.kind == NATLET__JSON_STRING ? 1 : 0);
    if (token.kind == NATLET__JSON_OBJECT || token.kind == NATLET__JSON_ARRAY) {
        (void)natlet__json_skip(json, &token);
    }
    return (natlet_slice){start, (size_t)(json->in.ptr - start)};
}

static uint32_t count_names(const char *names, natlet_slice *values)
{
    uint32_t count = 0;

    for (; *names != '\0'; names += strlen(names) + 1) {
        values[count++] = (natlet_slice){0};
    }
    return count;
}

/* The document is checked first, so that nothing behind that line can fail. */
natlet_status natlet__json_members(natlet_slice text, const char *names, natlet_slice *values,
                                   natlet__json_rest *rest)
{
    natlet__json json;
    natlet__json_token token;
    natlet_slice other;
    uint32_t count = count_names(names, values);

    *rest = (natlet__json_rest){0};
    natlet__json_init(&json, text, NATLET_JSON_DEPTH_MAX);
    if (!natlet__json_valid(text) || natlet__json_next(&json, &token) < 0 ||
        token.kind != NATLET__JSON_OBJECT) {
        return NATLET_E_JSON;
    }
    while (natlet__json_next(&json, &token) == NATLET_OK && token.kind == NATLET__JSON_KEY) {
        uint32_t place = place_of(token.text, names);
        natlet_slice *value = place < count ? &values[place] : &other;
        rest->others += place == count;
        rest->is_twice |= place < count && value->ptr != NULL;
        *value = take_value(&json);
    }
    return NATLET_OK;
}
