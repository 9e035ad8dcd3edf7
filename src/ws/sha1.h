/* SHA-1 (RFC 3174).
 *
 * Internal, and for Sec-WebSocket-Accept only (RFC 6455, 1.3), where it proves
 * that the server understood the upgrade and protects nothing.  It is broken as
 * a hash: nothing that needs one may use it. */
#ifndef NATLET_WS_SHA1_H
#define NATLET_WS_SHA1_H

#include "natlet/slice.h"

enum { NATLET__SHA1_BYTES = 20 };

void natlet__sha1(uint8_t out[NATLET__SHA1_BYTES], natlet_slice bytes);

#endif
