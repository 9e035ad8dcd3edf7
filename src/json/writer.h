/* An append-only JSON writer into memory that the caller hands over.
 *
 * Internal.  Commas and colons are put by the writer; what does not fit is
 * counted but not written, so a first run with cap 0 measures. */
#ifndef NATLET_JSON_WRITER_H
#define NATLET_JSON_WRITER_H

#include <stdbool.h>

#include "natlet/slice.h"

typedef struct natlet__json_out {
    uint8_t *ptr;
    size_t cap;
    size_t len;     /* bytes the document takes so far; beyond cap it was cut */
    bool separator; /* a comma is due before the next element */
} natlet__json_out;

void natlet__json_out_init(natlet__json_out *out, void *mem, size_t cap);
void natlet__json_out_open(natlet__json_out *out, char bracket);  /* '{' or '[' */
void natlet__json_out_close(natlet__json_out *out, char bracket); /* '}' or ']' */
void natlet__json_out_key(natlet__json_out *out, const char *key);
void natlet__json_out_key_text(natlet__json_out *out, natlet_slice key);
/* Escapes '"', '\\' and bytes below 0x20 (\b \f \n \r \t, else \u00xx); the rest as it is. */
void natlet__json_out_string(natlet__json_out *out, natlet_slice text);
void natlet__json_out_u64(natlet__json_out *out, uint64_t value);
void natlet__json_out_i64(natlet__json_out *out, int64_t value);
void natlet__json_out_bool(natlet__json_out *out, bool value);
/* Text that is JSON already. */
void natlet__json_out_raw(natlet__json_out *out, natlet_slice json);
/* Quoted RFC 4648 base64 with padding. */
void natlet__json_out_base64(natlet__json_out *out, natlet_slice bytes);

#endif
