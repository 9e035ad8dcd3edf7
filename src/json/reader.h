/* A strict JSON reader (RFC 8259) over one slice: pull, no tree, no memory.
 *
 * Internal.  Accepts exactly what serde_json's from_slice::<Value> accepts with its
 * default features: UTF-8 only, no control bytes in strings, paired surrogates,
 * numbers that fit a double, at most `depth_max` levels, nothing but white space
 * behind. */
#ifndef NATLET_JSON_READER_H
#define NATLET_JSON_READER_H

#include <stdbool.h>

#include "natlet/json.h"
#include "natlet/limits.h"
#include "natlet/slice.h"
#include "natlet/status.h"

/* A token is known by its first character. */
typedef enum natlet__json_kind {
    NATLET__JSON_DONE = 0,     /* the document was read to its end */
    NATLET__JSON_OBJECT = '{', /* its members follow, key and value each */
    NATLET__JSON_OBJECT_END = '}',
    NATLET__JSON_ARRAY = '[',
    NATLET__JSON_ARRAY_END = ']',
    NATLET__JSON_KEY = ':',    /* text: between the quotes, escapes as they stand */
    NATLET__JSON_STRING = '"', /* text: as for KEY; of every other token its characters */
    NATLET__JSON_NUMBER = '0',
    NATLET__JSON_TRUE = 't',
    NATLET__JSON_FALSE = 'f',
    NATLET__JSON_NULL = 'n',
} natlet__json_kind;

typedef struct natlet__json_token {
    natlet__json_kind kind;
    natlet_slice text;
    bool has_escapes; /* KEY, STRING */
    uint32_t depth;   /* containers open around it */
} natlet__json_token;

typedef struct natlet__json {
    natlet_slice in;      /* what is left */
    natlet_status failed; /* sticky */
    uint32_t depth;
    uint32_t depth_max; /* <= NATLET_JSON_DEPTH_MAX */
    uint32_t expect;    /* state, in reader.c */
    /* What ends the container of each depth; 0, the end of the text, the document. */
    uint8_t closers[NATLET_JSON_DEPTH_MAX + 1];
} natlet__json;

void natlet__json_init(natlet__json *json, natlet_slice text, uint32_t depth_max);

/* Reads the next token.  Returns OK or E_JSON, which is sticky. */
natlet_status natlet__json_next(natlet__json *json, natlet__json_token *token);

/* After the OBJECT, ARRAY or KEY token `token`: reads on to the end of that
 * container, or of that key's value.  Returns OK or E_JSON. */
natlet_status natlet__json_skip(natlet__json *json, const natlet__json_token *token);

/* Whether `text` is one JSON document of at most NATLET_JSON_DEPTH_MAX levels. */
bool natlet__json_valid(natlet_slice text);

/* Resolves the escapes of a KEY or STRING into `out` (at least text.len bytes);
 * returns the length. */
size_t natlet__json_unescape(uint8_t *out, natlet_slice text);

#endif
