/* RFC 3629.  Internal. */
#ifndef NATLET_BASE_UTF8_H
#define NATLET_BASE_UTF8_H

#include <stdbool.h>

#include "natlet/slice.h"

bool natlet__utf8_valid(natlet_slice text);

/* The longest head of at most `max` bytes that does not cut a character. */
size_t natlet__utf8_cut(natlet_slice text, size_t max);

#endif
