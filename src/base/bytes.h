/* Small work on slices.
 *
 * Internal.  Nothing here allocates; every result borrows from its argument. */
#ifndef NATLET_BASE_BYTES_H
#define NATLET_BASE_BYTES_H

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "natlet/slice.h"

NATLET__INLINE natlet_slice natlet__text(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

bool natlet__equal(natlet_slice a, natlet_slice b);

/* Cuts the first `n` bytes off `from` and returns them. */
NATLET__INLINE natlet_slice natlet__take(natlet_slice *from, size_t n)
{
    NATLET_ASSERT(n <= from->len);
    natlet_slice head = {from->ptr, n};
    if (n > 0) {
        from->ptr += n;
        from->len -= n;
    }
    return head;
}

/* Cuts the first `n` bytes off `text`. */
void natlet__skip(natlet_slice *text, size_t n);

/* Cuts what stands before the first `mark` off `text` into *head, and the mark.
 * Returns false if there is no mark: `text` stays, and *head is all of it. */
bool natlet__cut(natlet_slice *text, uint8_t mark, natlet_slice *head);

/* FNV-1a, 32 bits. */
uint32_t natlet__hash(natlet_slice text);

/* Whether no byte of `text` is below `least`, or DEL. */
bool natlet__is_clean(natlet_slice text, uint8_t least);

/* Copies `text` to `out`; returns the place behind it. */
uint8_t *natlet__put(uint8_t *out, natlet_slice text);

/* The place of `word` in a list of words, each with a NUL behind it, but for the
 * case of ASCII letters; what it returns for a stranger is the number of words. */
uint32_t natlet__word_index(const char *words, natlet_slice word);

uint8_t natlet__lower(uint8_t c);

/* Equal but for the case of ASCII letters. */
bool natlet__equal_nocase(natlet_slice a, natlet_slice b);

/* True if `text` begins with `head`, but for the case of ASCII letters. */
bool natlet__starts_nocase(natlet_slice text, natlet_slice head);

/* Without blanks (space, tab) at both ends. */
natlet_slice natlet__trim(natlet_slice text);

/* A decimal number without sign, blanks or leading zeros, at most `max`, checked
 * while the digits are read.  False leaves *value unchanged. */
bool natlet__read_decimal(natlet_slice text, uint64_t max, uint64_t *value);

enum { NATLET__DECIMAL_MAX = 20 };

/* Writes `value` in decimal, without NUL; returns how many bytes (1..20). */
size_t natlet__write_decimal(uint8_t out[NATLET__DECIMAL_MAX], uint64_t value);

#endif
