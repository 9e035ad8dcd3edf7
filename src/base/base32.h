/* RFC 4648 base32 (section 6), without padding.  Internal. */
#ifndef NATLET_BASE_BASE32_H
#define NATLET_BASE_BASE32_H

#include <stdbool.h>

#include "natlet/slice.h"

#define NATLET__BASE32_LEN(n) (((n) * 8 + 4) / 5)

/* Writes NATLET__BASE32_LEN(bytes.len) characters; returns how many. */
size_t natlet__base32_write(uint8_t *out, natlet_slice bytes);

/* Decodes strictly (capitals only, a length that bytes can have, zero tail bits)
 * into `out`, which has room for text.len * 5 / 8 bytes.  False if `text` is not
 * well-formed; `out` may then be written to. */
bool natlet__base32_read(uint8_t *out, size_t *len, natlet_slice text);

#endif
