/* The NATS line protocol, server to client: bytes in, events out.
 *
 * Internal.  Pull style over a linear window: the caller owns the bytes and the
 * loop, and the parser copies nothing.  What is unfinished stays in the window;
 * the caller presents it again, at any address, with more bytes behind it. */
#ifndef NATLET_PROTO_PARSER_H
#define NATLET_PROTO_PARSER_H

#include "natlet/slice.h"
#include "natlet/status.h"

typedef enum natlet__event_kind {
    NATLET__EV_INFO, /* text: the JSON document */
    NATLET__EV_PING,
    NATLET__EV_PONG,
    NATLET__EV_OK,
    NATLET__EV_ERR, /* text: what the server said, quotes included */
    NATLET__EV_MSG, /* msg and sid: one whole message, MSG or HMSG */
} natlet__event_kind;

typedef struct natlet__event {
    natlet__event_kind kind;
    natlet_slice text;
    natlet_msg msg;
    uint64_t sid;
} natlet__event;

typedef struct natlet__parser {
    natlet_status failed; /* sticky: once negative, nothing is parsed */
    uint32_t message_max; /* header block and payload of one message, in bytes */
    size_t scanned; /* bytes of the unfinished operation's line before its LF, if it is known */
    size_t need;    /* bytes of the whole unfinished message; 0 without one */
} natlet__parser;

/* `message_max` is at most NATLET_MESSAGE_BYTES_LIMIT. */
void natlet__parser_init(natlet__parser *p, uint32_t message_max);

/* Reads one operation from the front of `in` and advances `in` past it.
 * Slices in *ev lie in `in` and live as long as its bytes stay in place.
 *
 * Returns EVENT; MORE (`in` holds an unfinished operation or nothing, and was
 * not advanced; natlet__parser_need says how long it will be); or E_PROTOCOL,
 * E_LINE_TOO_LONG, E_TOO_LARGE, which are sticky. */
natlet_status natlet__parser_next(natlet__parser *p, natlet_slice *in, natlet__event *ev);

/* Bytes the unfinished operation takes from its first byte on: exact once its
 * control line was seen, NATLET_INFO_BYTES_MAX for an unfinished INFO line,
 * NATLET_LINE_BYTES_MAX for any other.  Ask after MORE. */
size_t natlet__parser_need(const natlet__parser *p, natlet_slice in);

#endif
