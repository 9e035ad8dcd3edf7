/* A cell is a world of agents on a runtime: its table of agents, the pool that
 * holds their state and mail, their names, timers, and dead letters.
 *
 * All its memory is one block, taken when it is made; nothing after that
 * allocates.  A cell needs no network: natlet/bridge.h gives it one. */
#ifndef NATLET_CELL_H
#define NATLET_CELL_H

#include "natlet/runtime.h"
#include "natlet/supervisor.h"

/* Why mail was not handled. */
#define NATLET_DEAD_MAP(X)                                                                         \
    X(NO_AGENT, 0, "no such agent")                                                                \
    X(STALE_PID, 1, "for an earlier incarnation")                                                  \
    X(OVERFLOW, 2, "mailbox full")                                                                 \
    X(REJECTED, 3, "rejected by the agent")                                                        \
    X(CRASHED, 4, "the agent crashed on it")                                                       \
    X(RESTART, 5, "dropped by a restart")                                                          \
    X(SHUTDOWN, 6, "left over at the end")                                                         \
    X(STASH_FULL, 7, "stash full")                                                                 \
    X(POISON, 8, "the agent crashed on it too often")                                              \
    X(RETRIES, 9, "retried too often")                                                             \
    X(EXPIRED, 10, "its deadline had passed")

typedef enum natlet_dead_reason {
#define X(name, value, text) NATLET_DEAD_##name = (value),
    NATLET_DEAD_MAP(X)
#undef X
} natlet_dead_reason;

#define NATLET_DEAD_REASONS 11
#define NATLET_DEAD_SUBJECT_MAX 40u

/* What is remembered of a dead letter. */
typedef struct natlet_dead_letter {
    uint64_t id_ns;
    natlet_pid from;
    natlet_pid to; /* as it was addressed; 0: by name or subscription */
    natlet_dead_reason reason;
    natlet_reason exit;   /* CRASHED, POISON: how the agent ended */
    uint32_t payload_len; /* bytes */
    uint16_t attempt;     /* 0: it was never delivered */
    uint8_t kind;         /* natlet_mail_kind */
    uint8_t subject_len;
    char subject[NATLET_DEAD_SUBJECT_MAX]; /* cut */
} natlet_dead_letter;

typedef enum natlet_cell_event_kind {
    NATLET_CELL_STARTED,
    NATLET_CELL_START_FAILED,
    NATLET_CELL_EXITED, /* without a parent: a whole tree is gone */
    NATLET_CELL_DEAD_LETTER,
    NATLET_CELL_CLOSED, /* natlet_cell_shutdown is done */
} natlet_cell_event_kind;

typedef struct natlet_cell_event {
    natlet_cell_event_kind kind;
    natlet_pid pid;          /* of the agent; DEAD_LETTER: 0 if there is none */
    natlet_pid parent;       /* 0: none */
    natlet_slice name;       /* may be empty */
    natlet_reason reason;    /* START_FAILED, EXITED; DEAD_LETTER by CRASHED, POISON; CLOSED:
                                SHUTDOWN, or KILLED if time was up before all had stopped */
    natlet_dead_reason dead; /* DEAD_LETTER */
    const natlet_mail *mail; /* DEAD_LETTER: all of it, else NULL */
} natlet_cell_event;

/* Zeroed fields take their defaults. */
typedef struct natlet_cell_config {
    uint32_t size;         /* sizeof(natlet_cell_config) */
    uint32_t bytes;        /* the pool, for all that is below: 262 144 */
    uint32_t agents_max;   /* supervisors included: 256; at most 1 048 575 */
    uint32_t waits_max;    /* calls, timers, monitors and, each twice, links together: 512; at most
                              65 535 */
    uint16_t batch;        /* mail that an agent handles in a row: 16 */
    uint16_t dead_letters; /* how many are remembered: 64 */
    /* Looks on: it may publish, but must not touch agents.  May be NULL. */
    void (*on_event)(void *self, const natlet_cell_event *event);
    void *self;
} natlet_cell_config;

typedef struct natlet_cell_stats {
    uint32_t agents;    /* children that exist now, supervisors included */
    uint32_t waits;     /* calls, requests, timers, monitors and, twice, links under way */
    uint32_t parked;    /* mail that comes again later: natlet_retry */
    uint64_t delivered; /* mail put into mailboxes */
    uint64_t handled;   /* mail that a handler is done with */
    uint64_t refused;   /* E_FULL and E_TOO_LARGE, to senders that heard it */
    uint64_t coalesced; /* delivered mail that newer mail replaced */
    uint64_t late;      /* answers that nobody waited for */
    uint64_t dead[NATLET_DEAD_REASONS];
    uint64_t dead_total;
    uint32_t restarts;
    uint32_t agents_max;   /* most children that ever existed together */
    uint32_t waits_max;    /* most calls, requests and timers ever under way */
    size_t pool_bytes;     /* the pool's size */
    size_t pool_used;      /* taken now */
    size_t pool_max;       /* most ever taken */
    uint32_t pool_refused; /* blocks that it had no room for */
    uint32_t kept;         /* mail that agents keep now */
    uint32_t kept_max;     /* most that one agent kept */
    uint32_t kept_refused;
} natlet_cell_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a cell without agents; it works in the turns of `rt`.
 *
 * Returns OK; E_CONFIG (a number out of range); E_NO_MEMORY (the runtime's budget,
 * or `bytes` do not hold the tables).  On failure *out is NULL. */
natlet_status natlet_cell_new(natlet_cell **out, natlet_runtime *rt,
                              const natlet_cell_config *config);

/* Brings the cell to an orderly end, within `deadline_ms`:
 *
 * - the bridge drains its subscriptions, and what is sent from outside is refused, E_STATE;
 * - agents go on until no mail is left, for half of the time at most;
 * - the trees stop, the last one first; what is then left of mail is a dead letter, SHUTDOWN;
 * - what was published is flushed to the server.
 *
 * When time is up, what still runs is killed.  The event CLOSED, in a later turn, tells
 * when all is done.  Then free the bridge, the client and the cell.
 *
 * Returns OK, or E_STATE (it was called before). */
natlet_status natlet_cell_shutdown(natlet_cell *cell, uint32_t deadline_ms);

/* Frees the cell with all its agents at once: no terminate is called.  For an
 * orderly end call natlet_cell_shutdown first.  Its bridge must have been freed, and
 * then its client, for that ends what was asked of the network.  Not from a handler. */
void natlet_cell_free(natlet_cell *cell);

/* The agent that has this name and runs; 0: none. */
natlet_pid natlet_cell_find(const natlet_cell *cell, natlet_slice name);

/* The agent that runs in this slot; 0: none. */
natlet_pid natlet_cell_at(const natlet_cell *cell, uint32_t slot);

/* Ends a mail that its handler answered LATER, as if the handler had returned
 * `result` now: NATLET_DONE, REJECT, STOP, STASH, RETRY, or below 0.
 *
 * Returns OK; E_NO_AGENT; E_STATE (no mail with that token waits: a restart or an
 * earlier settle ended it); E_INVALID (no such result). */
natlet_status natlet_cell_settle(natlet_cell *cell, natlet_pid pid, uint32_t token, int32_t result);

/* Crashes an agent from outside, for whoever runs its code elsewhere: `why` is a crash
 * (not NORMAL, not SHUTDOWN).  It ends at once, the mail in its hands is a dead letter,
 * and its supervisor acts in the next turn.
 *
 * Returns OK; E_NO_AGENT; E_STATE (inside a handler, or a supervisor); E_INVALID (not a
 * crash). */
natlet_status natlet_cell_crash(natlet_cell *cell, natlet_pid pid, natlet_reason why);

/* Mail that is queued or in hands.  Looks at the table of agents alone, so that it
 * ends, if by a trap, in a poisoned cell too. */
uint32_t natlet_cell_queued(const natlet_cell *cell);

/* natlet_agent_unstash for an agent whose mail is settled from outside.  Returns OK or
 * E_NO_AGENT. */
natlet_status natlet_cell_unstash(natlet_cell *cell, natlet_pid pid);

/* After a trap unwound the stack: crashes the agent whose handler was running,
 * with TRAP.  Its state is gone, the mail in its hands is a dead letter, and its
 * supervisor acts in the next turn.
 *
 * Returns OK, or E_POISONED: the trap was not in a handler, so that the cell's own
 * data may be torn. */
natlet_status natlet_cell_recover(natlet_cell *cell);

natlet_cell_stats natlet_cell_stats_now(const natlet_cell *cell);

/* The children of a supervisor in the order of their start, of the cell itself
 * (its trees) for 0.  Fills at most `cap` of them; returns how many there are. */
uint32_t natlet_cell_children(const natlet_cell *cell, natlet_pid supervisor,
                              natlet_agent_info *out, uint32_t cap);

/* The dead letter `back` before the last one (0: the last), or NULL if it is not
 * remembered; valid until the next turn. */
const natlet_dead_letter *natlet_cell_dead_letter(const natlet_cell *cell, uint32_t back);

/* Static text: "mailbox full". */
const char *natlet_dead_text(natlet_dead_reason reason);

#ifdef __cplusplus
}
#endif

#endif
