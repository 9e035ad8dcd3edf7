/* A slice is a borrowed run of bytes: it owns nothing, is not NUL-terminated,
 * and is valid as long as the function that hands it out says. */
#ifndef NATLET_SLICE_H
#define NATLET_SLICE_H

#include <stddef.h>
#include <stdint.h>

typedef struct natlet_slice {
    const uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;         /* bytes */
} natlet_slice;

/* A message of the wire as its parts.  All four slices borrow from one owner. */
typedef struct natlet_msg {
    natlet_slice subject;
    natlet_slice reply;   /* len 0: no reply was asked for */
    natlet_slice headers; /* raw "NATS/1.0\r\n...\r\n\r\n" block; len 0: none */
    natlet_slice payload;
} natlet_msg;

/* A slice over a string literal or array: natlet_slice s = NATLET_TEXT("a.b"); */
#define NATLET_TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

#endif
