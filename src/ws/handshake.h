/* The opening handshake of RFC 6455, section 4.1, client side.
 *
 * Internal.  Writes the request, then judges the answer where it lies in the
 * receive window, line by line, so that a wrong one is refused at its first wrong
 * line and not when the connection has timed out. */
#ifndef NATLET_WS_HANDSHAKE_H
#define NATLET_WS_HANDSHAKE_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

enum {
    NATLET__HANDSHAKE_ANSWER_MAX = 8192, /* all lines together */
    NATLET__HANDSHAKE_LINE_MAX = 4096,   /* with its CRLF */
    NATLET__HANDSHAKE_FIELDS_MAX = 64,
};

enum { NATLET__EXTENSION_NONE, NATLET__EXTENSION_OFFERED, NATLET__EXTENSION_AGREED };

typedef struct natlet__handshake {
    uint8_t key[24];      /* Sec-WebSocket-Key: base64 of 16 random bytes */
    natlet_status failed; /* sticky */
    size_t scanned;       /* bytes of the answer in lines that were judged */
    uint16_t http_status; /* of the answer, 0 before it */
    uint8_t fields;       /* header fields read */
    uint8_t seen;         /* which of those that must be there */
    uint8_t extension;    /* permessage-deflate: NONE, or OFFERED by who adds that to the request */
} natlet__handshake;

typedef struct natlet__handshake_request {
    natlet_slice host; /* name or address as in the URL, brackets included */
    uint16_t port;
    bool is_default_port; /* leaves the port out of Host */
    natlet_slice path;    /* path and query; empty: "/" */
    natlet_slice origin;  /* empty: none */
    natlet_slice headers; /* further "Name: value\r\n" lines, validated by the caller;
                           * a Host among them stands in for ours */
} natlet__handshake_request;

void natlet__handshake_init(natlet__handshake *h, const uint8_t random[16]);

/* Writes the request.  Returns its length, or 0 if it does not fit into `cap`, or
 * host, path or origin hold a blank or a control character. */
size_t natlet__handshake_write(const natlet__handshake *h, uint8_t *out, size_t cap,
                               const natlet__handshake_request *request);

/* Reads the answer from the front of `in`.
 *
 * Returns OK (accepted: `in` was advanced past it, frames follow); MORE (not
 * complete, `in` unchanged: present it again with more behind it); E_UPGRADE (a
 * final HTTP answer other than 101, see http_status); E_HANDSHAKE (not valid:
 * version, Upgrade, Connection, accept key, an extension or subprotocol we did
 * not offer, a duplicate, a body, an interim answer, folding, a control character
 * or bare LF, or beyond a limit).  Failures stick. */
natlet_status natlet__handshake_read(natlet__handshake *h, natlet_slice *in);

/* Sec-WebSocket-Accept for a key: base64(SHA-1(key + GUID)). */
void natlet__handshake_accept(uint8_t out[28], const uint8_t key[24]);

#endif
