/* The native Linux host: TCP sockets, poll(2), clocks, random bytes, a log.
 *
 * It gives the core bytes only (TCP, or a descriptor that the program opened):
 * RFC 6455 is the core's, and a server name is resolved in a thread of its own,
 * so that nothing but poll ever waits.  A host is used by one thread; only its
 * wake may be called by others.  A signal ends a wait in poll early. */
#ifndef NATLET_POSIX_H
#define NATLET_POSIX_H

#include <stddef.h>
#include <stdint.h>

#include "natlet/allocator.h"
#include "natlet/host.h"
#include "natlet/status.h"

/* Zeroed fields take their defaults.  The host copies what it keeps. */
typedef struct natlet_posix_config {
    uint32_t size; /* sizeof(natlet_posix_config) */

    /* Which servers may be reached: patterns scheme://host:port, where each of the
     * three may be *, *.example.com stands for every name below example.com, and a
     * port left out is the scheme's own.  NULL allows every server; a list, even
     * an empty one, allows nothing but what it names, and no descriptors. */
    const char *const *allow;
    uint32_t allow_count;

    uint32_t conns_max;     /* open at once, and slots of a connection's name: 64 */
    uint32_t connect_ms;    /* name and all addresses together: 30 000 */
    uint32_t tx_high_bytes; /* unsent, before send answers short: 262 144 */
    uint32_t keepalive_s;   /* idle seconds before TCP asks for a sign of life: 0, never */
    uint32_t log_level;     /* least important level shown: 0, NATLET_LOG_ERROR */
} natlet_posix_config;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a host.  `config` may be NULL.
 *
 * Returns OK; E_CONFIG (a pattern is not well-formed, conns_max is over 65535);
 * E_NO_MEMORY; E_LIMIT (no descriptors left).  On failure *out is NULL. */
natlet_status natlet_posix_new(natlet_host **out, const natlet_posix_config *config);

/* Closes all connections and frees the host.  NULL is allowed. */
void natlet_posix_free(natlet_host *host);

/* malloc, realloc and free.  Valid for ever. */
natlet_allocator natlet_posix_allocator(void);

#ifdef __cplusplus
}
#endif

#endif
