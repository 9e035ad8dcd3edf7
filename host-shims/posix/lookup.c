/* A lookup has two owners, the caller and its thread; the last one frees it.  The
 * thread writes `list`, then `is_done`, then rings; the caller reads them in the
 * other order. */
#include "lookup.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* The resolver's plug-ins (nsswitch) need some; the default is 8 MiB. */
#define STACK_BYTES ((size_t)512 * 1024)

enum { PORT_TEXT_BYTES = 6 };

struct natlet__posix_lookup {
    char host[NATLET__POSIX_HOST_MAX + 1];
    char port[PORT_TEXT_BYTES];
    int bell;
    struct addrinfo *list;
    atomic_bool is_done;
    atomic_int owners;
};

static atomic_int lookups;

static void write_port(char text[PORT_TEXT_BYTES], uint16_t port)
{
    (void)snprintf(text, PORT_TEXT_BYTES, "%u", (unsigned)port);
}

static struct addrinfo *resolve(const char *host, const char *port, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;

    return getaddrinfo(host, port, &hints, &list) == 0 ? list : NULL;
}

struct addrinfo *natlet__posix_lookup_number(const natlet__posix_address *address)
{
    char port[PORT_TEXT_BYTES];

    write_port(port, address->port);
    return resolve(address->host, port, AI_NUMERICHOST);
}

void natlet__posix_lookup_drop(natlet__posix_lookup *lookup)
{
    if (lookup == NULL || atomic_fetch_sub(&lookup->owners, 1) > 1) {
        return;
    }
    if (lookup->list != NULL) {
        freeaddrinfo(lookup->list);
    }
    (void)close(lookup->bell);
    free(lookup);
    (void)atomic_fetch_sub(&lookups, 1);
}

static void *run(void *arg)
{
    natlet__posix_lookup *lookup = arg;
    const uint64_t one = 1;

    lookup->list = resolve(lookup->host, lookup->port, 0);
    atomic_store(&lookup->is_done, true);
    ssize_t written = write(lookup->bell, &one, sizeof one); /* cannot fail: the count is 0 */
    (void)written;
    natlet__posix_lookup_drop(lookup);
    return NULL;
}

/* The program's signal handlers run in its own threads, never in this one. */
static bool start_thread(natlet__posix_lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;

    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attr, run, lookup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return failed == 0;
}

natlet_status natlet__posix_lookup_start(natlet__posix_lookup **out,
                                         const natlet__posix_address *address)
{
    natlet__posix_lookup *lookup;

    *out = NULL;
    if (atomic_fetch_add(&lookups, 1) >= NATLET__POSIX_LOOKUPS_MAX) {
        (void)atomic_fetch_sub(&lookups, 1);
        return NATLET_E_LIMIT;
    }
    lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        (void)atomic_fetch_sub(&lookups, 1);
        return NATLET_E_NO_MEMORY;
    }
    memcpy(lookup->host, address->host, sizeof lookup->host);
    write_port(lookup->port, address->port);
    atomic_init(&lookup->owners, 2);
    lookup->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->bell < 0 || !start_thread(lookup)) {
        atomic_store(&lookup->owners, 1); /* there is no thread */
        natlet__posix_lookup_drop(lookup);
        return NATLET_E_LIMIT;
    }
    *out = lookup;
    return NATLET_OK;
}

int natlet__posix_lookup_fd(const natlet__posix_lookup *lookup)
{
    return lookup->bell;
}

bool natlet__posix_lookup_take(natlet__posix_lookup *lookup, struct addrinfo **list)
{
    if (!atomic_load(&lookup->is_done)) {
        return false;
    }
    *list = lookup->list;
    lookup->list = NULL;
    return true;
}
