/* One connection of the native host, from open to CLOSED.
 *
 * Internal.  It never waits: the host asks what it waits for, polls, and tells it
 * what became ready and how late it is.  What it has to say comes out as events. */
#ifndef NATLET_POSIX_CONN_H
#define NATLET_POSIX_CONN_H

#include "lookup.h"
#include "natlet/host.h"
#include "options.h"

typedef enum natlet__posix_state {
    NATLET__POSIX_FREE,
    NATLET__POSIX_RESOLVING,
    NATLET__POSIX_CONNECTING,
    NATLET__POSIX_OPEN,
    NATLET__POSIX_LINGERING, /* closed by the guest; the peer has not yet */
    NATLET__POSIX_ENDED,     /* over, but perhaps with bytes to fetch and events to tell */
} natlet__posix_state;

typedef struct natlet__posix_conn {
    uint32_t id; /* as the guest named it */
    natlet__posix_state state;
    int fd; /* -1: none */
    natlet__posix_options options;
    natlet__posix_lookup *lookup;
    struct addrinfo *addresses;  /* owned */
    const struct addrinfo *next; /* the one to try next, NULL: no more */
    uint64_t deadline_us;        /* of all that comes before OPEN, or of lingering */
    uint64_t try_until_us;       /* of the present address */
    natlet_status status;        /* what CLOSED will say: the last reason to fail */
    uint8_t pending;             /* bit 1 << NATLET_EV_*: to be told by the next poll */
    bool wants_readable;         /* recv said E_AGAIN, or nothing was asked yet */
    bool wants_writable;         /* a send was short */
    bool is_emptied;             /* the last recv took all that there was */
    bool is_told;                /* CLOSED was told: the slot may be used again */
} natlet__posix_conn;

#define NATLET__POSIX_NEVER_US UINT64_MAX

/* Starts to connect, in a slot that is free or told.  Returns OK, E_LIMIT or
 * E_NO_MEMORY; the slot is then free. */
natlet_status natlet__posix_conn_open(natlet__posix_conn *conn, uint32_t id,
                                      const natlet__posix_options *options,
                                      const natlet__posix_address *address, uint64_t now_us);

/* Takes over options->fd, a connected stream socket, and closes it in the end.
 * Returns OK or E_INVALID (it is none; it stays the caller's). */
natlet_status natlet__posix_conn_adopt(natlet__posix_conn *conn, uint32_t id,
                                       const natlet__posix_options *options);

/* As in natlet/host.h. */
int32_t natlet__posix_conn_recv(natlet__posix_conn *conn, uint8_t *buf, uint32_t cap);
int32_t natlet__posix_conn_send(natlet__posix_conn *conn, const uint8_t *buf, uint32_t len);
void natlet__posix_conn_close(natlet__posix_conn *conn, uint64_t now_us);

/* What to poll for: a descriptor (-1: nothing) and its events. */
int natlet__posix_conn_wants(const natlet__posix_conn *conn, short *events);

/* What poll said about it. */
void natlet__posix_conn_ready(natlet__posix_conn *conn, short events, uint64_t now_us);

/* When it wants to be told the time, and the time. */
uint64_t natlet__posix_conn_due(const natlet__posix_conn *conn);
void natlet__posix_conn_tick(natlet__posix_conn *conn, uint64_t now_us);

/* Takes the next event out; false if there is none. */
bool natlet__posix_conn_event(natlet__posix_conn *conn, natlet_host_event *event);

/* Ends it at once and frees what it holds. */
void natlet__posix_conn_drop(natlet__posix_conn *conn);

#endif
