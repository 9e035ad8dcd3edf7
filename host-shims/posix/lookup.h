/* Turns a name into addresses without making anybody wait.
 *
 * Internal.  getaddrinfo() can take half a minute and cannot be stopped, so each
 * lookup has a thread; one that nobody waits for any more ends on its own. */
#ifndef NATLET_POSIX_LOOKUP_H
#define NATLET_POSIX_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>

#include "address.h"
#include "natlet/status.h"

typedef struct natlet__posix_lookup natlet__posix_lookup;

/* Threads at once in this process, those that nobody waits for included. */
enum { NATLET__POSIX_LOOKUPS_MAX = 32 };

/* The address itself if `address` holds a number: no lookup is needed.  Free it
 * with freeaddrinfo().  NULL: it is a name. */
struct addrinfo *natlet__posix_lookup_number(const natlet__posix_address *address);

/* Starts a thread.  Returns OK, E_NO_MEMORY, or E_LIMIT (too many threads or
 * descriptors); on failure *out is NULL. */
natlet_status natlet__posix_lookup_start(natlet__posix_lookup **out,
                                         const natlet__posix_address *address);

/* Becomes readable when the lookup is done. */
int natlet__posix_lookup_fd(const natlet__posix_lookup *lookup);

/* False as long as it is not done.  Then *list is what was found, yours to free
 * with freeaddrinfo(), or NULL. */
bool natlet__posix_lookup_take(natlet__posix_lookup *lookup, struct addrinfo **list);

/* Forgets the lookup; the thread may go on.  NULL is allowed. */
void natlet__posix_lookup_drop(natlet__posix_lookup *lookup);

#endif
