/* JSON (RFC 8259) without a tree and without memory: find a value where it lies,
 * and write a document into memory that the caller hands over. */
#ifndef NATLET_JSON_H
#define NATLET_JSON_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

/* Writes a document from its beginning to its end.  Commas and colons are put by
 * the writer; what does not fit is counted but not written, so a first run with
 * cap 0 measures. */
typedef struct natlet_json_out {
    uint8_t *ptr;
    size_t cap;
    size_t len;     /* bytes the document takes so far; beyond cap it was cut */
    bool separator; /* a comma is due before the next element */
} natlet_json_out;

#ifdef __cplusplus
extern "C" {
#endif

/* Starts a document in `mem`, which stays the caller's. */
void natlet_json_out_init(natlet_json_out *out, void *mem, size_t cap);

/* Opens with '{' or '[', closes with '}' or ']'. */
void natlet_json_out_open(natlet_json_out *out, char bracket);
void natlet_json_out_close(natlet_json_out *out, char bracket);

/* A member's name, as a C string or as a slice; its value follows. */
void natlet_json_out_key(natlet_json_out *out, const char *key);
void natlet_json_out_key_text(natlet_json_out *out, natlet_slice key);

/* A string: '"', '\\' and bytes below 0x20 are escaped (\b \f \n \r \t, else
 * \u00xx), the rest stands as it is. */
void natlet_json_out_string(natlet_json_out *out, natlet_slice text);

/* Numbers and truth values. */
void natlet_json_out_u64(natlet_json_out *out, uint64_t value);

/* A key and its value: a string, a number. */
void natlet_json_out_member(natlet_json_out *out, const char *key, natlet_slice text);
void natlet_json_out_member_u64(natlet_json_out *out, const char *key, uint64_t value);
void natlet_json_out_i64(natlet_json_out *out, int64_t value);
void natlet_json_out_bool(natlet_json_out *out, bool value);

/* Text that is JSON already, as it stands. */
void natlet_json_out_raw(natlet_json_out *out, natlet_slice json);

/* Bytes as a string of RFC 4648 base64, with padding. */
void natlet_json_out_base64(natlet_json_out *out, natlet_slice bytes);

/* Finds the value at `pointer` (RFC 6901, e.g. "/a/0/b") in a document and lends
 * its raw text, quotes included.  Of members with one name the last counts.
 *
 * Returns OK, E_NOT_FOUND, or E_JSON (`text` is not one JSON document). */
natlet_status natlet_json_find(natlet_slice text, natlet_slice pointer, natlet_slice *value);

/* The text of a string as natlet_json_find lends it: lent too where it lies, but
 * written to `mem` (then at least value.len bytes) if it has escapes.
 *
 * Returns OK, E_JSON (`value` is no string), or E_TOO_LARGE (`cap` is too small). */
natlet_status natlet_json_text(natlet_slice value, void *mem, size_t cap, natlet_slice *text);

/* Reads a whole number 0..max; false for anything else, also "1.0" and "1e2". */
bool natlet_json_u64(natlet_slice number, uint64_t max, uint64_t *value);

#ifdef __cplusplus
}
#endif

#endif
