/* RFC 6455 frames, client side.
 *
 * Internal.  Reading: bytes in, events out, any cut; payload of data frames is
 * handed on in place, piece by piece, and only control frames (<= 125 bytes) are
 * collected.  Writing: a head before, a mask over, bytes that the caller holds.
 * Nothing here allocates: a message's length is a number that is counted down. */
#ifndef NATLET_WS_FRAME_H
#define NATLET_WS_FRAME_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

enum {
    NATLET__WS_CONTINUE = 0x0,
    NATLET__WS_TEXT = 0x1,
    NATLET__WS_BINARY = 0x2,
    NATLET__WS_CLOSE = 0x8,
    NATLET__WS_PING = 0x9,
    NATLET__WS_PONG = 0xA,
    NATLET__WS_COMPRESSED = 0x40, /* RSV1 beside the opcode: the message is (RFC 7692, 6) */
};

enum {
    NATLET__WS_HEAD_MAX = 14, /* 2 fixed + 8 length + 4 mask (RFC 6455, 5.2) */
    NATLET__WS_CONTROL_MAX = 125,
    NATLET__WS_CONTROL_FRAME_MAX = 2 + 4 + NATLET__WS_CONTROL_MAX,
    NATLET__WS_EMPTY_FRAMES_MAX = 64, /* of one message, its last one apart */
};

typedef enum natlet__ws_kind {
    NATLET__WS_EV_DATA, /* bytes: the next piece of a binary message, never empty but for a
                         * last frame without payload where has_deflate */
    NATLET__WS_EV_PING, /* bytes: to be echoed in a pong */
    NATLET__WS_EV_PONG,
    NATLET__WS_EV_CLOSE, /* code (1005: none given) and bytes: the reason */
} natlet__ws_kind;

typedef struct natlet__ws_event {
    natlet__ws_kind kind;
    natlet_slice bytes; /* valid until the reader is called again or the input moves */
    uint16_t code;
} natlet__ws_event;

typedef struct natlet__ws {
    natlet_status failed;   /* sticky */
    uint16_t close_code;    /* what to tell the peer after a failure: 1002, 1003, 1007..1009 */
    uint64_t message_max;   /* bytes of one message over all its frames */
    uint64_t message_bytes; /* of the message now arriving, the present frame included */
    uint64_t payload_left;  /* of the frame now arriving; 0: between frames or in a head */
    uint32_t empty_frames;  /* zero-length fragments of this message: bounded */
    uint8_t head_len;
    bool in_message;                          /* further frames of a data message are due */
    bool closed;                              /* a close frame was read: the rest is ignored */
    bool has_deflate;                         /* permessage-deflate was agreed on (deflate.h) */
    bool is_compressed;                       /* this message is: RSV1 of its first frame */
    uint8_t head[2 + NATLET__WS_CONTROL_MAX]; /* of the present frame, or all of a control frame */
} natlet__ws;

/* `message_max` bounds the peer, not our memory: nats-server puts all that is
 * pending for a client, up to its max_pending, into one message. */
void natlet__ws_init(natlet__ws *ws, uint64_t message_max);

/* Reads on and advances `in` past what was used, up to one event.
 *
 * Returns EVENT; MORE (all of `in` was used); or E_FRAME or E_TOO_LARGE, sticky,
 * with close_code set: reserved bits, unknown opcode, masked frame, length not
 * minimal or beyond message_max, control frame fragmented or too long, message
 * order, close payload, too many empty fragments, text message (1003). */
natlet_status natlet__ws_next(natlet__ws *ws, natlet_slice *in, natlet__ws_event *ev);

/* Bytes of the head of a masked frame with `len` bytes of payload: 6, 8 or 14. */
size_t natlet__ws_head_bytes(uint64_t len);

/* Writes the head of a final, masked frame; returns its length. */
size_t natlet__ws_write_head(uint8_t out[NATLET__WS_HEAD_MAX], uint8_t opcode, uint64_t len,
                             const uint8_t key[4]);

/* Writes a whole ping or pong; `payload` has at most NATLET__WS_CONTROL_MAX bytes.
 * Returns its length. */
size_t natlet__ws_write_control(uint8_t out[NATLET__WS_CONTROL_FRAME_MAX], uint8_t opcode,
                                natlet_slice payload, const uint8_t key[4]);

/* Writes a whole close frame.  `reason` is cut to what fits, never inside a
 * character; code 1005 stands for "none" and leaves both out (RFC 6455, 7.4.1).
 * Returns its length. */
size_t natlet__ws_write_close(uint8_t out[NATLET__WS_CONTROL_FRAME_MAX], uint16_t code,
                              natlet_slice reason, const uint8_t key[4]);

/* Masks `len` bytes in place (RFC 6455, 5.3), beginning with key[0]. */
void natlet__ws_mask(uint8_t *bytes, size_t len, const uint8_t key[4]);

/* Whether a close frame may carry `code` (RFC 6455, 7.4): the registered codes
 * but those that stand for the lack of a close frame, and 3000 to 4999. */
bool natlet__ws_close_code_valid(uint32_t code);

#endif
