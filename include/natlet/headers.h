/* Message headers (ADR-4): an ordered list of "Key: value" fields, keys with
 * their case kept, a key as often as one likes.
 *
 * On the wire, and in natlet_msg.headers, they are one block: "NATS/1.0", an
 * optional status, CRLF, the fields with CRLF each, CRLF.  Reading walks the
 * block where it lies; writing fills memory that the caller hands over. */
#ifndef NATLET_HEADERS_H
#define NATLET_HEADERS_H

#include <stdbool.h>

#include "natlet/limits.h"
#include "natlet/slice.h"
#include "natlet/status.h"

typedef struct natlet_headers {
    uint8_t *ptr; /* the caller's memory */
    size_t cap;   /* its bytes */
    size_t len;   /* bytes written; ptr[0..len) is always a whole block */
    uint32_t count;
} natlet_headers;

typedef struct natlet_header {
    natlet_slice key;
    natlet_slice value; /* blanks at both ends removed */
} natlet_header;

#ifdef __cplusplus
extern "C" {
#endif

/* Starts an empty block in `mem`.  Returns OK, or E_NO_MEMORY if mem_len is below
 * NATLET_HEADER_BYTES_MIN. */
natlet_status natlet_headers_init(natlet_headers *headers, void *mem, size_t mem_len);

/* Appends a field.  A key is one or more of the characters 33..126 but ':'; a
 * value has no CR, LF or NUL.
 *
 * Returns OK; E_HEADER (key or value not well-formed, or more than
 * NATLET_HEADER_FIELDS_MAX fields); E_FULL (the memory is too small).  On failure
 * the block is unchanged. */
natlet_status natlet_headers_add(natlet_headers *headers, natlet_slice key, natlet_slice value);

/* The block as it goes into natlet_msg.headers; empty when no field was added. */
natlet_slice natlet_headers_block(const natlet_headers *headers);

/* Walks a received block: start with *at = 0.  Lines that are not well-formed
 * are passed over.  Returns false at the end. */
bool natlet_headers_next(natlet_slice block, size_t *at, natlet_header *out);

/* Whether `key` stands in a field that ends before `end`, where natlet_headers_next has come to:
 * for who wants a key's values together. */
bool natlet_headers_came_before(natlet_slice block, size_t end, natlet_slice key);

/* The first value of `key`, case-sensitive.  Returns false if there is none. */
bool natlet_headers_get(natlet_slice block, natlet_slice key, natlet_slice *value);

/* The status code of the first line: 0 if there is none, else 100..999; *text
 * (may be NULL) is the description behind it. */
uint32_t natlet_headers_status(natlet_slice block, natlet_slice *text);

/* Whether `block` may be sent: right first line, CRLF, every field well-formed,
 * within the limits.  Returns OK or E_HEADER. */
natlet_status natlet_headers_check(natlet_slice block);

#ifdef __cplusplus
}
#endif

#endif
