/* Bytes that nobody else may learn: how to forget and how to compare them.
 *
 * Internal. */
#ifndef NATLET_CRYPTO_SECRET_H
#define NATLET_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites `len` bytes with zeros, also when nobody reads them afterwards. */
void natlet__wipe(void *mem, size_t len);

/* Overwrites what the functions that the caller has called left on the stack below
 * its own frame, as far as signing reaches.  They must not have been inlined. */
void natlet__wipe_stack(void);

/* Whether `len` bytes are the same; the time it takes depends on `len` only. */
bool natlet__equal_constant_time(const void *a, const void *b, size_t len);

#endif
