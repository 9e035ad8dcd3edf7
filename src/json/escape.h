/* Escapes in JSON strings (RFC 8259, 7).  Internal. */
#ifndef NATLET_JSON_ESCAPE_H
#define NATLET_JSON_ESCAPE_H

#include "natlet/slice.h"

/* The escape at the front of `text`, backslash first: returns its length, 0 if it
 * is not well-formed, and its character in *rune.  Surrogates must come as a pair. */
size_t natlet__json_escape(natlet_slice text, uint32_t *rune);

/* Takes a byte or a whole escape off the front of `text`, which is not empty, and
 * writes what it stands for; returns how many bytes that is. */
size_t natlet__json_take_character(natlet_slice *text, uint8_t out[4]);

#endif
