/* Permessage-deflate (RFC 7692) without context takeover: one message in, one out.
 *
 * Internal.  Both ends work in memory that their owner hands over, once, and never ask for
 * more.  The inflater gives as much as there is room for, so no input makes it grow; the
 * deflater gives up on what does not get shorter. */
#ifndef NATLET_WS_DEFLATE_H
#define NATLET_WS_DEFLATE_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

/* What an upgrade request offers: the words that nats-server answers with. */
#define NATLET__DEFLATE_OFFER                                                                      \
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

/* Judges the value of Sec-WebSocket-Extensions in the answer to that offer.  The server
 * must forget its context, too, and may name its own window (RFC 7692, 7.1); whatever
 * else it says, it was not offered. */
bool natlet__deflate_is_agreed(natlet_slice value);

/* ---- the server's messages ---- */

typedef struct natlet__inflater natlet__inflater;

/* Memory for one: 32 KiB window and tables. */
size_t natlet__inflater_bytes(void);

/* Makes one in zeroed memory of that size, aligned for pointers and uint64_t, which stays where it
 * is as long as it is used.  NULL: zlib refused, as it does if it was not built for this. */
natlet__inflater *natlet__inflater_init(void *mem);

/* A message begins, which must not become longer than `bytes_max`. */
void natlet__inflater_start(natlet__inflater *z, uint64_t bytes_max);

/* Reads compressed bytes and advances `in` past what was used; `is_last`: the message ends
 * with them.  Writes *len bytes to `out`, `cap` (> 0) at most.
 *
 * Returns OK (the message is complete); MORE (all of `in` was used); EVENT (`out` is full:
 * call again with room, even if nothing is left in `in`); E_FRAME (no deflate stream, or it
 * does not end with the message); E_TOO_LARGE.  After a failure a new message must begin. */
natlet_status natlet__inflater_read(natlet__inflater *z, natlet_slice *in, bool is_last,
                                    uint8_t *out, size_t cap, size_t *len);

/* ---- ours ---- */

typedef struct natlet__deflater natlet__deflater;

/* How zlib compresses: bits of its window 9..15, memory for codes 1..9, level 1..9. */
typedef struct natlet__deflate_shape {
    uint8_t window_bits, memory_level, level;
} natlet__deflate_shape;

size_t natlet__deflater_bytes(const natlet__deflate_shape *shape);

/* As natlet__inflater_init. */
natlet__deflater *natlet__deflater_init(void *mem, const natlet__deflate_shape *shape);

/* The most that a message of `bytes` may need in `out`. */
enum { NATLET__DEFLATE_TAIL = 4 };

/* Compresses one message into `out`, which has room for in.len + NATLET__DEFLATE_TAIL.
 * Returns the length, less than in.len; or 0: it does not get shorter. */
size_t natlet__deflater_message(natlet__deflater *z, natlet_slice in, uint8_t *out);

#endif
