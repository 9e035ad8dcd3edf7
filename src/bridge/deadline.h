/* The header Natlet-Deadline: until when the sender of a request waits.
 *
 * Internal.  Unix time in milliseconds.  A request says it; a child that wants to know
 * (natlet_drop_expired) is not bothered with what comes later. */
#ifndef NATLET_BRIDGE_DEADLINE_H
#define NATLET_BRIDGE_DEADLINE_H

#include "agent/kernel.h"

/* "NATS/1.0\r\nNatlet-Deadline: \r\n\r\n" and the digits. */
enum { NATLET__DEADLINE_BYTES_MAX = 32 + NATLET__DECIMAL_MAX };

typedef struct natlet__deadline_headers {
    uint8_t small[NATLET__DEADLINE_BYTES_MAX];
    uint8_t *large; /* NULL, or a block of the cell's pool */
} natlet__deadline_headers;

/* The headers with the deadline, valid until forget; if they are no block of headers or the
 * pool has no room for them, as they are. */
natlet_slice natlet__deadline_write(natlet_cell *cell, natlet_slice headers, uint32_t timeout_ms,
                                    natlet__deadline_headers *whole);
void natlet__deadline_forget(natlet_cell *cell, natlet__deadline_headers *whole);

#endif
