/* A supervisor starts its children in order, stops them in reverse, and restarts
 * the ones that crash, by the rules of Erlang/OTP 25.
 *
 *     static const natlet_child children[] = {
 *         {.name = NATLET_TEXT("counter"), .behaviour = &counting},
 *         {.name = NATLET_TEXT("pool"), .supervisor = &pool},
 *     };
 *     static const natlet_supervisor_spec tree = {.children = children, .count = 2};
 *
 * A specification is copied, what it points to is borrowed: behaviours, names,
 * arguments and nested specifications stay in place as long as the child exists. */
#ifndef NATLET_SUPERVISOR_H
#define NATLET_SUPERVISOR_H

#include "natlet/recovery.h"

typedef struct natlet_supervisor_spec natlet_supervisor_spec;
typedef struct natlet_expiry natlet_expiry;

extern const natlet_expiry natlet_drop_expired; /* lies in the bridge */

typedef enum natlet_restart {
    NATLET_PERMANENT, /* always restarted, even after a NORMAL end */
    NATLET_TRANSIENT, /* restarted after a crash */
    NATLET_TEMPORARY, /* never, and forgotten when it ends */
} natlet_restart;

/* Which children a restart is about.  The others are stopped, the last one first, and
 * started again in order; TEMPORARY ones are forgotten then. */
typedef enum natlet_strategy {
    NATLET_ONE_FOR_ONE,  /* the child that ended */
    NATLET_ONE_FOR_ALL,  /* all */
    NATLET_REST_FOR_ONE, /* it and those behind it */
    NATLET_DYNAMIC,      /* it; all children are added (OTP's simple_one_for_one) */
} natlet_strategy;

/* When a supervisor ends itself, SHUTDOWN, because significant children ended: a
 * TRANSIENT one without a crash, a TEMPORARY one in any way. */
typedef enum natlet_auto_shutdown {
    NATLET_AUTO_SHUTDOWN_NEVER,
    NATLET_AUTO_SHUTDOWN_ANY, /* with the first of them */
    NATLET_AUTO_SHUTDOWN_ALL, /* when none of them is left */
} natlet_auto_shutdown;

/* How long a busy child may take to settle its mail when it is stopped. */
#define NATLET_SHUTDOWN_MS_DEFAULT 5000u
#define NATLET_SHUTDOWN_BRUTAL (UINT32_MAX - 1u) /* not at all, and no terminate */
#define NATLET_SHUTDOWN_NEVER UINT32_MAX         /* as long as it takes */

typedef struct natlet_child {
    natlet_slice name;                 /* unique in the cell; empty: it cannot be found by name */
    const natlet_behaviour *behaviour; /* an agent, or */
    const natlet_supervisor_spec *supervisor; /* a supervisor: one of the two */
    void *arg;                                /* for init */
    natlet_restart restart;
    uint32_t shutdown_ms; /* 0: 5 000, for a supervisor NEVER */
    bool drop_mail;       /* what is queued does not survive a restart */
    bool significant;     /* for auto_shutdown, which then must not be NEVER; not PERMANENT */
    natlet_mailbox_config mailbox;
    const natlet_backoff *backoff; /* of restarts; NULL: they do not wait */
    const natlet_shield *shield;   /* against mail; NULL: none */
    const natlet_retry *retry;     /* of mail; NULL: NATLET_RETRY is no answer */
    const natlet_expiry *expiry;   /* &natlet_drop_expired: NATS mail whose header Natlet-Deadline
                                      has passed is a dead letter, EXPIRED; NULL: it is handled */
} natlet_child;

/* More than `intensity` restarts within `period_ms` are too many: the supervisor
 * stops its children and ends itself, SHUTDOWN. */
struct natlet_supervisor_spec {
    int32_t intensity;  /* 0: 3; NATLET_NO_RESTART: the first is one too many; at most 1 000 */
    uint32_t period_ms; /* 0: 5 000 */
    natlet_strategy strategy;
    natlet_auto_shutdown auto_shutdown;
    const natlet_child *children; /* DYNAMIC: one, the pattern of all that are added */
    uint32_t count;
    uint32_t children_max; /* DYNAMIC: 0: only agents_max */
};

#define NATLET_NO_RESTART (-1)
#define NATLET_INTENSITY_DEFAULT 3
#define NATLET_INTENSITY_MAX 1000
#define NATLET_PERIOD_MS_DEFAULT 5000u

/* Supervisors below each other, at most. */
#define NATLET_SUPERVISOR_DEPTH_MAX 8u

#ifdef __cplusplus
extern "C" {
#endif

/* Starts a tree: every child's init has run when this returns.  The first that
 * fails stops the ones before it, in reverse, and nothing is left.
 *
 * Returns OK; what that init returned; E_CONFIG (a child with neither or both of
 * behaviour and supervisor, a number out of range); E_NAME_TAKEN; E_NO_MEMORY (the
 * cell's pool); E_LIMIT (agents_max, depth); E_STATE (inside a handler, or after
 * natlet_cell_shutdown).  On failure *pid is 0. */
natlet_status natlet_supervisor_start(natlet_cell *cell, const natlet_supervisor_spec *spec,
                                      natlet_pid *pid);

/* Adds a child behind the others and starts it.  Inside a handler init runs later,
 * and a child whose init then fails is gone.  If the supervisor itself is
 * restarted, children that were added are not.  Of a DYNAMIC one's child only name
 * and arg are looked at, the rest is the pattern's; it is forgotten when it ends for
 * good.
 *
 * Returns as natlet_supervisor_start; E_LIMIT (children_max); E_NO_AGENT; E_INVALID
 * (not a supervisor); E_STATE (it is stopping); E_AGAIN (it is stopping children, and
 * will be there again). */
natlet_status natlet_supervisor_add(natlet_cell *cell, natlet_pid supervisor,
                                    const natlet_child *child, natlet_pid *pid);

/* Stops a supervisor and all below it, in the next turn: NATLET_CELL_EXITED tells
 * when it is down.  What its parent then does is the parent's rule.
 *
 * Returns OK, E_NO_AGENT, or E_INVALID (not a supervisor). */
natlet_status natlet_supervisor_stop(natlet_cell *cell, natlet_pid supervisor);

/* Stops one child, in the next turn: NATLET_CELL_EXITED tells when it is down.  It
 * stays DOWN, and a TEMPORARY or DYNAMIC one is forgotten.
 *
 * Returns OK, also if it was down; E_NOT_FOUND (no child of that name); E_NO_AGENT,
 * E_INVALID, E_STATE, E_AGAIN as natlet_supervisor_add. */
natlet_status natlet_supervisor_terminate(natlet_cell *cell, natlet_pid supervisor,
                                          natlet_slice name);

/* Starts a child that is DOWN; inside a handler its init runs later.  One that cannot
 * start stays DOWN.
 *
 * Returns OK; what init returned; E_NOT_FOUND; E_STATE (it runs or is about to, or the
 * supervisor is stopping); E_INVALID (not a supervisor, or a DYNAMIC one); E_NO_AGENT,
 * E_AGAIN as natlet_supervisor_add.  On failure *pid is 0. */
natlet_status natlet_supervisor_restart(natlet_cell *cell, natlet_pid supervisor, natlet_slice name,
                                        natlet_pid *pid);

/* Forgets a child that is DOWN.  Returns as natlet_supervisor_restart. */
natlet_status natlet_supervisor_delete(natlet_cell *cell, natlet_pid supervisor, natlet_slice name);

typedef struct natlet_supervisor_counts {
    uint32_t specs;       /* children that it knows; of a DYNAMIC one 1, the pattern */
    uint32_t active;      /* of them: running */
    uint32_t supervisors; /* of them, running or not */
    uint32_t workers;     /* the others */
} natlet_supervisor_counts;

/* Counts the children.  Returns OK, E_NO_AGENT, or E_INVALID (not a supervisor). */
natlet_status natlet_supervisor_count(const natlet_cell *cell, natlet_pid supervisor,
                                      natlet_supervisor_counts *counts);

#ifdef __cplusplus
}
#endif

#endif
