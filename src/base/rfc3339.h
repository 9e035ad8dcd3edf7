/* Points in time as text (RFC 3339).  Internal. */
#ifndef NATLET_BASE_RFC3339_H
#define NATLET_BASE_RFC3339_H

#include <stddef.h>
#include <stdint.h>

enum { NATLET__RFC3339_BYTES = 30 };

/* Writes nanoseconds since the Unix epoch, before the year 2555, as UTC:
 * "2026-01-31T23:59:59.000000001Z". */
void natlet__rfc3339_write(uint8_t out[NATLET__RFC3339_BYTES], uint64_t unix_ns);

#endif
