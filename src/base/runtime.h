/* What clients and cells see of the runtime.
 *
 * Internal.  A part is a piece of work with its own timers: a client, a cell.
 * The runtime calls the parts in the order in which they were added; it never
 * knows what they are. */
#ifndef NATLET_BASE_RUNTIME_H
#define NATLET_BASE_RUNTIME_H

#include <stdbool.h>

#include "base/memory.h"
#include "base/random.h"
#include "natlet/runtime.h"
#include "natlet/slice.h"

typedef struct natlet__part natlet__part;

struct natlet__part {
    natlet__part *next;
    /* One event of a connection that this part opened, or a hint (conn 0). */
    void (*event)(natlet__part *part, const natlet_host_event *event);
    /* Fires due timers and works until nothing is left or the clock passes
     * `until_us` (natlet__runtime_clock_us).  Returns true if work is left. */
    bool (*turn)(natlet__part *part, uint64_t until_us);
    /* Hands what the turn produced to the host: last, once per turn. */
    void (*flush)(natlet__part *part);
    /* When the part's next timer is due; UINT64_MAX for never; 0 if something
     * became ready since its last turn, e.g. by the work of another part.  After a
     * turn that left no work it must not be 0. */
    uint64_t (*due_us)(natlet__part *part);
};

enum { NATLET__CONNS_MAX = 64, NATLET__EVENTS_MAX = 32 };

typedef struct natlet__conn {
    natlet__part *owner; /* NULL: nobody wants its events */
    uint32_t name;       /* of the last connection in this slot; 0: none yet */
    bool taken;          /* from open until CLOSED, even if the owner went away */
} natlet__conn;

/* What is large stands last: a field in the first 128 bytes is shorter to name. */
struct natlet_runtime {
    const natlet_host *host;
    natlet__part *parts;
    natlet__memory memory;
    uint64_t now_us;  /* read at the start of a turn */
    uint64_t wall_ns; /* last one handed out: strictly increasing */
    bool in_turn;
    bool work_left;     /* when the last turn ended */
    uint32_t next_slot; /* where the search for a free slot begins */
    uint32_t event_at, event_count;
    uint32_t segments; /* recvs of clients that brought bytes, for natlet/embed.h */
    natlet_runtime_stats stats;
    natlet__random random;
    natlet_host_info info;
    /* The batch being handed out lives here and not on the stack, so that a trap
     * in one event's handler does not lose the ones behind it. */
    natlet_host_event events[NATLET__EVENTS_MAX];
    natlet__conn conns[NATLET__CONNS_MAX];
};

void natlet__runtime_add(natlet_runtime *rt, natlet__part *part);

/* Not during a turn.  The part has told the host to close its connections. */
void natlet__runtime_remove(natlet_runtime *rt, natlet__part *part);

/* After a trap unwound a turn: the next one may start. */
void natlet__runtime_recover(natlet_runtime *rt);

/* The host's clock now, for a budget; natlet_runtime_now_us is the turn's. */
uint64_t natlet__runtime_clock_us(natlet_runtime *rt);

/* Opens a connection for `part`; *conn names it in every call to the host.  The
 * slot is free again after the CLOSED event, which the runtime notices itself.
 *
 * Returns OK, E_LIMIT (no free slot), or what the host's open answered. */
natlet_status natlet__runtime_open(natlet_runtime *rt, natlet__part *part, uint32_t transport,
                                   natlet_slice url, natlet_slice options, uint32_t *conn);

/* Strictly increasing wall time in nanoseconds: max(clock, last + 1). */
uint64_t natlet__runtime_stamp_ns(natlet_runtime *rt);

#endif
