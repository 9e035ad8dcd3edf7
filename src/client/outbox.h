/* What waits to be sent: whole operations, encoded once into one buffer.
 *
 *     | front, sent | start ... sealed: for the host | operations ... end | room |
 *
 * Internal.  With in-module WebSocket a frame is made when the one before it was
 * taken: so much of what waits as fits is masked in place, and its head written over
 * what was sent, or into the front.  Without frames all up to `end` may be sent.  An
 * operation is written whole or not at all.
 *
 * Until a connection is open, secrets go through: header lines, CONNECT.  So the buffer is
 * wiped each time it has sent all. */
#ifndef NATLET_CLIENT_OUTBOX_H
#define NATLET_CLIENT_OUTBOX_H

#include <stdbool.h>

#include "base/memory.h"
#include "base/random.h"
#include "natlet/slice.h"
#include "ws/frame.h"

/* Before what waits there is always room for a control frame, or a head. */
enum { NATLET__OUTBOX_FRONT = NATLET__WS_CONTROL_FRAME_MAX };

/* Frames that are full have a head of this size (RFC 6455, 5.2): smaller ones of a
 * peer's choice would only cost. */
enum { NATLET__FRAME_MIN = 126 };

typedef struct natlet__outbox {
    natlet__memory *memory;
    natlet__random *random;
    uint8_t *ptr;
    size_t cap;     /* with its front */
    size_t cap_min; /* what it shrinks to when it is empty */
    size_t cap_max; /* what it may grow to; then E_FULL */
    size_t start, sealed, end;
    size_t frame_max; /* payload bytes of one frame; 0: no frames */
    size_t used_max;
    bool is_open;                /* secrets are behind us */
    struct natlet__codec *codec; /* compress.h; NULL: nothing is compressed */
} natlet__outbox;

/* Takes `bytes`; the owner has set memory and random.  Returns OK or E_NO_MEMORY. */
natlet_status natlet__outbox_init(natlet__outbox *box, uint32_t bytes, uint32_t bytes_max);
void natlet__outbox_free(natlet__outbox *box);

/* Forgets everything, and frames: the connection is gone, and half an operation
 * must never be sent on another one. */
void natlet__outbox_clear(natlet__outbox *box);

/* What is appended from here on goes into frames of at most `frame_max` bytes of
 * payload, or NATLET__FRAME_MIN if that is more. */
void natlet__outbox_frame(natlet__outbox *box, size_t frame_max);

/* The server has let us in: what follows is no secret. */
static inline void natlet__outbox_open(natlet__outbox *box)
{
    box->is_open = box->start == box->end;
}

/* Starts an operation of at most `bytes`, which may then be written at
 * natlet__outbox_at in one piece.
 *
 * Returns OK; E_FULL (it will fit when enough was sent; without `may_grow`: or
 * when the buffer grows); E_TOO_LARGE (it never fits); E_NO_MEMORY (the outbox is
 * empty and there is no memory). */
natlet_status natlet__outbox_begin(natlet__outbox *box, size_t bytes, bool may_grow);

static inline uint8_t *natlet__outbox_at(const natlet__outbox *box)
{
    return box->ptr + box->end;
}

/* `n` bytes (> 0) were written there. */
void natlet__outbox_wrote(natlet__outbox *box, size_t n);

/* Bytes that the host may be given now: with frames, the next one or what is left
 * of it. */
natlet_slice natlet__outbox_ready(natlet__outbox *box);

/* Puts a WebSocket control frame before all that waits.  False while a part of a frame
 * does. */
bool natlet__outbox_put_control(natlet__outbox *box, uint8_t opcode, natlet_slice payload);

/* The host took `n` bytes from the front. */
void natlet__outbox_taken(natlet__outbox *box, size_t n);

static inline size_t natlet__outbox_used(const natlet__outbox *box)
{
    return box->end - box->start;
}

#endif
