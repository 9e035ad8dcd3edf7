/* What becomes of every publish, and the ones that wait for a connection.
 *
 *     1 ... reported ... settled ... written ... published (stats.out_messages)
 *     told  |  to be told  |  in flight  |  waits in the store
 *
 * A PONG settles what was written before its PING: sent.  The end of a connection
 * settles all that was written: what no PONG covers is unknown.  At most tx_bytes
 * are in flight, or one larger message; the rest waits, and so do all without a
 * connection.
 *
 * Internal.  Whatever happens only moves these marks; the callback is called at
 * the end of a turn, by natlet__ledger_work. */
#ifndef NATLET_CLIENT_LEDGER_H
#define NATLET_CLIENT_LEDGER_H

#include "base/timers.h"
#include "client/offline.h"
#include "natlet/client.h"

/* A place in the stream of publishes; all wrap around. */
typedef struct natlet__mark {
    uint32_t count; /* publishes up to here */
    uint32_t bytes; /* of their operations */
    uint32_t ping;  /* number of the PING that went after them */
} natlet__mark;

enum { NATLET__MARKS_MAX = 8 };

typedef struct natlet__ledger {
    natlet__offline store; /* first: it is called for most */
    natlet_track_options options;
    uint64_t reported;
    uint32_t sent; /* settled by a PONG up to here, the rest of `settled` by an end */
    natlet__mark settled;
    natlet__mark written;                  /* to the outbox, or out of the store and refused */
    uint32_t asked;                        /* written.bytes at the last PING */
    natlet__timer timer;                   /* the one that waits longest grows too old */
    uint32_t mark_count;                   /* PINGs on the way ... */
    natlet__mark marks[NATLET__MARKS_MAX]; /* ... and what they cover; the newest may stand for
                                            * several */
} natlet__ledger;

/* A PING is sent, and a PONG has come, as pongs.c counts them. */
void natlet__ledger_asked(natlet_client *client);
void natlet__ledger_answered(natlet_client *client);

/* Whether so many publishes are settled. */
bool natlet__ledger_covers(const natlet_client *client, uint32_t published);

/* The connection is gone. */
void natlet__ledger_lost(natlet_client *client);

/* Where a publish of at most `bytes` goes.  Returns OK: into the outbox; MORE: to
 * natlet__offline_at, where there is room; or E_FULL, E_TOO_LARGE, E_NO_MEMORY. */
natlet_status natlet__ledger_place(natlet_client *client, size_t bytes);

/* `len` bytes were written where natlet__ledger_place (`place`) said. */
void natlet__ledger_wrote(natlet_client *client, natlet_status place, size_t len, size_t body);

/* Whether publishes are kept while there is no connection. */
bool natlet__ledger_keeps(const natlet_client *client);

/* Before the last flush of a turn, and at the end of the client: reports, sends what
 * waits, asks for the PONGs that are needed. */
void natlet__ledger_work(natlet_client *client);

void natlet__ledger_stats(const natlet_client *client, natlet_client_stats *stats);
void natlet__ledger_free(natlet_client *client);

#endif
