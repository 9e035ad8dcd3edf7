/* Where a URL leads, and whether the operator allows it.
 *
 * Internal.  Only scheme, host and port are read; whatever is doubtful in them is
 * refused, for two readers of one URL must not come to different hosts. */
#ifndef NATLET_POSIX_ADDRESS_H
#define NATLET_POSIX_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "natlet/slice.h"
#include "natlet/status.h"

enum {
    NATLET__POSIX_SCHEME_MAX = 15,
    NATLET__POSIX_HOST_MAX = 255, /* RFC 1035, 2.3.4 */
};

typedef struct natlet__posix_address {
    char scheme[NATLET__POSIX_SCHEME_MAX + 1]; /* in small letters */
    char host[NATLET__POSIX_HOST_MAX + 1];     /* in small letters, without brackets */
    uint16_t port;
} natlet__posix_address;

/* Reads scheme://[user@]host[:port][/...].  The port may be left out for ws, wss,
 * nats and tls.
 *
 * Returns OK or E_INVALID. */
natlet_status natlet__posix_address_read(natlet__posix_address *address, natlet_slice url);

/* As an address, but a scheme or host of "*" stands for any, a host "*.x" for all
 * below x, and port 0 for any. */
typedef struct natlet__posix_pattern {
    natlet__posix_address address;
    bool is_default_port; /* none was given: the one of the scheme that is asked for */
} natlet__posix_pattern;

/* Returns OK or E_CONFIG. */
natlet_status natlet__posix_pattern_read(natlet__posix_pattern *pattern, natlet_slice text);

bool natlet__posix_pattern_matches(const natlet__posix_pattern *pattern,
                                   const natlet__posix_address *address);

#endif
