/* A supervisor starts its children in order, stops them in reverse, and restarts
 * the ones that crash, by the rules of Erlang/OTP 25 (one_for_one).
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

#include "natlet/agent.h"

typedef struct natlet_supervisor_spec natlet_supervisor_spec;

typedef enum natlet_restart {
    NATLET_PERMANENT, /* always restarted, even after a NORMAL end */
    NATLET_TRANSIENT, /* restarted after a crash */
    NATLET_TEMPORARY, /* never, and forgotten when it ends */
} natlet_restart;

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
    natlet_mailbox_config mailbox;
} natlet_child;

/* More than `intensity` restarts within `period_ms` are too many: the supervisor
 * stops its children and ends itself, SHUTDOWN. */
struct natlet_supervisor_spec {
    int32_t intensity;  /* 0: 3; NATLET_NO_RESTART: the first is one too many; at most 1 000 */
    uint32_t period_ms; /* 0: 5 000 */
    const natlet_child *children;
    uint32_t count;
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
 * cell's pool); E_LIMIT (agents_max, depth); E_STATE (inside a handler).  On
 * failure *pid is 0. */
natlet_status natlet_supervisor_start(natlet_cell *cell, const natlet_supervisor_spec *spec,
                                      natlet_pid *pid);

/* Adds a child behind the others and starts it.  Inside a handler init runs later,
 * and a child whose init then fails is gone.  If the supervisor itself is
 * restarted, children that were added are not.
 *
 * Returns as natlet_supervisor_start; E_NO_AGENT; E_INVALID (not a supervisor);
 * E_STATE (it is stopping). */
natlet_status natlet_supervisor_add(natlet_cell *cell, natlet_pid supervisor,
                                    const natlet_child *child, natlet_pid *pid);

/* Stops a supervisor and all below it, in the next turn: NATLET_CELL_EXITED tells
 * when it is down.  What its parent then does is the parent's rule.
 *
 * Returns OK, E_NO_AGENT, or E_INVALID (not a supervisor). */
natlet_status natlet_supervisor_stop(natlet_cell *cell, natlet_pid supervisor);

#ifdef __cplusplus
}
#endif

#endif
