/* Escapes in JSON strings (RFC 8259, 7).  Internal. */
#ifndef NATLET_JSON_ESCAPE_H
#define NATLET_JSON_ESCAPE_H

#include "natlet/slice.h"

/* What stands behind the backslash of an escape of two characters, and what it
 * stands for. */
typedef enum natlet__json_side {
    NATLET__JSON_ESCAPED,
    NATLET__JSON_PLAIN,
} natlet__json_side;

/* The partner of `c`, which is of this side; 0 if it has none. */
uint8_t natlet__json_letter(uint8_t c, natlet__json_side side);

#define NATLET__JSON_NO_RUNE UINT32_MAX

/* Takes an escape off the front of `text`, backslash first: returns its character,
 * or NO_RUNE if it is not well-formed.  Surrogates must come as a pair. */
uint32_t natlet__json_take_escape(natlet_slice *text);

/* Takes a byte or a whole escape off the front of `text`, which is not empty, and
 * writes what it stands for; returns how many bytes that is. */
size_t natlet__json_take_character(natlet_slice *text, uint8_t out[4]);

#endif
