/* The NATS line protocol, client to server: control lines.
 *
 * Internal.  The caller has validated every part (proto/subject.h) and owns the
 * memory; each function writes one line with its CRLF and returns its length.
 * Header block, payload and the CRLF behind them are the caller's to append. */
#ifndef NATLET_PROTO_WRITER_H
#define NATLET_PROTO_WRITER_H

#include <stdbool.h>

#include "natlet/slice.h"

/* "HPUB " + two numbers of 20 digits + three blanks + CRLF: what a line adds to its
 * subject and reply at most. */
enum { NATLET__PUB_EXTRA_MAX = 50 };

/* PUB, or HPUB when msg->headers is not empty.  `out` has room for subject +
 * reply + NATLET__PUB_EXTRA_MAX bytes. */
size_t natlet__write_pub(uint8_t *out, const natlet_msg *msg);

/* SUB subject [queue] sid.  Room: subject + queue + NATLET__PUB_EXTRA_MAX. */
size_t natlet__write_sub(uint8_t *out, natlet_slice subject, natlet_slice queue, uint64_t sid);

/* UNSUB sid [max]; max 0: at once.  Room: NATLET__PUB_EXTRA_MAX. */
size_t natlet__write_unsub(uint8_t *out, uint64_t sid, uint64_t max);

/* What CONNECT says.  A slice with len 0 leaves its field out. */
typedef struct natlet__connect {
    natlet_slice name, user, pass, auth_token, nkey, jwt, sig;
    bool verbose, pedantic, echo, tls_required, headers, no_responders;
} natlet__connect;

/* CONNECT {json}.  Strings are escaped.  Returns the length, or 0 if it does not
 * fit into `cap` bytes.  A server with its default limit takes a line of
 * NATLET_LINE_BYTES_MAX bytes at most. */
size_t natlet__write_connect(uint8_t *out, size_t cap, const natlet__connect *connect);

#endif
