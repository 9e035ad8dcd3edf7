/* RFC 4648 base64, both alphabets.  Internal. */
#ifndef NATLET_BASE_BASE64_H
#define NATLET_BASE_BASE64_H

#include <stdbool.h>

#include "natlet/slice.h"

#define NATLET__BASE64_BYTES(n) (((n) + 2) / 3 * 4)

typedef enum natlet__base64_kind {
    NATLET__BASE64,     /* section 4, with padding */
    NATLET__BASE64_URL, /* section 5, without padding */
} natlet__base64_kind;

/* That of section 4, with a NUL behind it. */
extern const char natlet__base64_alphabet[];

/* Writes at most NATLET__BASE64_BYTES(bytes.len) characters; returns how many. */
size_t natlet__base64_write(uint8_t *out, natlet_slice bytes, natlet__base64_kind kind);

/* Decodes strictly (right alphabet, padding and zero tail bits) into `out`, which
 * has room for text.len / 4 * 3 + 2 bytes.  False if `text` is not well-formed. */
bool natlet__base64_read(uint8_t *out, size_t *len, natlet_slice text, natlet__base64_kind kind);

#endif
