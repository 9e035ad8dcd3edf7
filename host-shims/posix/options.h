/* The options of `open`.  Internal. */
#ifndef NATLET_POSIX_OPTIONS_H
#define NATLET_POSIX_OPTIONS_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

typedef struct natlet__posix_options {
    uint32_t connect_ms;
    uint32_t tx_high_bytes;
    uint32_t keepalive_s; /* 0: off */
    bool is_delayed;      /* Nagle's algorithm, RFC 896 */
    int fd;               /* to adopt; -1: none */
} natlet__posix_options;

/* Overwrites the defaults in *options with what `tlv` says.
 *
 * Returns OK, E_INVALID (cut short, or a value of the wrong size), or
 * E_UNSUPPORTED (a critical option that this host does not know). */
natlet_status natlet__posix_options_read(natlet__posix_options *options, natlet_slice tlv);

#endif
