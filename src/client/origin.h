/* Where the bytes of the message now being delivered came from.
 *
 * Internal, for the embedding areas: valid only inside a sink's `message` or a
 * reply callback. */
#ifndef NATLET_CLIENT_ORIGIN_H
#define NATLET_CLIENT_ORIGIN_H

#include <stdbool.h>

#include "natlet/client.h"

typedef struct natlet__origin {
    uint32_t segment; /* number of the recv with bytes, counted over the runtime, from 1 */
    uint32_t offset;  /* of `at` in what that recv delivered */
} natlet__origin;

/* If the run of bytes at `at` lies as one recv delivered it, unmoved, fills
 * *origin and returns true; false if it was joined, unmasked or decrypted. */
bool natlet__client_origin(const natlet_client *client, const uint8_t *at, size_t len,
                           natlet__origin *origin);

/* Ends reading for this turn: the window stays as it is until the next one, so
 * that slices given to a callback stay valid until then. */
void natlet__client_hold(natlet_client *client);

#endif
