/* An agent is a state machine with a mailbox: a behaviour, a block of state, and
 * a supervisor that restarts it when it crashes.
 *
 *     typedef struct counter { uint32_t seen; } counter;
 *
 *     static int32_t count(natlet_cell *cell, void *state, natlet_mail *mail)
 *     {
 *         counter *c = state;
 *         c->seen++;
 *         return natlet_agent_reply(cell, mail, mail->payload);
 *     }
 *
 *     static const natlet_behaviour counting = {
 *         .name = "counter", .state_bytes = sizeof(counter), .on_mail = count};
 *
 * Handlers run one at a time, to their end, and never wait.  They may call every
 * function here; whatever that starts runs after they returned. */
#ifndef NATLET_AGENT_H
#define NATLET_AGENT_H

#include "natlet/limits.h"
#include "natlet/mail.h"
#include "natlet/mailbox.h"

typedef struct natlet_cell natlet_cell;

/* Why an agent ended.  NORMAL and SHUTDOWN are ends, the others are crashes. */
#define NATLET_EXIT_MAP(X)                                                                         \
    X(NORMAL, 0, "normal")                                                                         \
    X(SHUTDOWN, 1, "shutdown")                                                                     \
    X(ERROR, 2, "error")                                                                           \
    X(TRAP, 3, "trap")                                                                             \
    X(KILLED, 4, "killed")                                                                         \
    X(OVERFLOW, 5, "overflow")                                                                     \
    X(NO_AGENT, 7, "noproc") /* it was gone before one linked to it or monitored it */             \
    X(MEMORY, 9, "mem")      /* it wanted more memory than it may have (natlet/guest.h) */         \
    X(FUEL, 10, "fuel")      /* it used up the time that one mail may take */

typedef enum natlet_exit_kind {
#define X(name, value, text) NATLET_EXIT_##name = (value),
    NATLET_EXIT_MAP(X)
#undef X
} natlet_exit_kind;

typedef struct natlet_reason {
    natlet_exit_kind kind;
    int32_t code; /* ERROR: what the handler returned; TRAP, KILLED, OVERFLOW, NO_AGENT: E_TRAP,
                     E_CANCELLED, E_FULL, E_NO_AGENT; else 0, or natlet_agent_exit's */
} natlet_reason;

/* What a handler answers; below 0 the agent crashes with ERROR and that code, so
 * `return natlet_agent_reply(...)` crashes it when the reply fails. */
enum {
    NATLET_DONE = 0,
    NATLET_LATER = 16,  /* keep the mail, deliver no other until it is settled */
    NATLET_REJECT = 17, /* the mail goes to the dead letters, the agent goes on */
    NATLET_STOP = 18,   /* the agent ends, NORMAL */
    NATLET_STASH = 19,  /* put the mail aside until natlet_agent_unstash; a dead letter if the
                           stash is full.  In a program that never unstashes: no answer */
    NATLET_RETRY = 20,  /* the mail comes again later, see natlet_retry; USER CALL NATS */
};

/* `state` is zeroed before init, aligned for uint64_t, and the agent's until it
 * ends: what it has allocated elsewhere is its own to free. */
typedef struct natlet_behaviour {
    const char *name; /* for people */
    uint32_t state_bytes;
    /* May be NULL.  DONE, or below 0: it cannot start. */
    int32_t (*init)(natlet_cell *cell, void *state, void *arg);
    int32_t (*on_mail)(natlet_cell *cell, void *state, natlet_mail *mail);
    /* May be NULL.  Not called after it trapped, overflowed, was killed, or used
     * up its memory or time. */
    void (*terminate)(natlet_cell *cell, void *state, natlet_reason why);
} natlet_behaviour;

#define NATLET_AGENT_STATE_MAP(X)                                                                  \
    X(STARTING, 0, "starting")                                                                     \
    X(RUNNING, 1, "running")                                                                       \
    X(BUSY, 2, "busy")             /* answered LATER */                                            \
    X(STOPPING, 3, "stopping")     /* a supervisor that stops its children */                      \
    X(EXITED, 4, "exited")         /* ended; its supervisor acts next */                           \
    X(RESTARTING, 5, "restarting") /* could not start; its supervisor tries again next */          \
    X(DOWN, 6, "down")             /* ended, and not to be restarted */                            \
    X(BACKOFF, 7, "backoff")       /* its restart waits: natlet_backoff */                         \
    X(SUSPENDED, 8, "suspended")   /* running, but takes only the SYS lane */

typedef enum natlet_agent_state {
#define X(name, value, text) NATLET_AGENT_##name = (value),
    NATLET_AGENT_STATE_MAP(X)
#undef X
} natlet_agent_state;

typedef struct natlet_agent_info {
    natlet_pid pid;    /* 0: not running */
    natlet_pid parent; /* 0: none */
    natlet_slice name; /* may be empty; borrowed from the child's specification */
    const char *kind;  /* the behaviour's name, "supervisor" for one */
    natlet_agent_state state;
    uint32_t restarts; /* of this child */
    uint32_t children; /* of a supervisor */
    uint64_t handled;  /* mail */
    natlet_reason last_exit;
    natlet_mailbox_stats mailbox;
    uint16_t parked;         /* mail that comes again later: natlet_retry */
    uint16_t parked_max;     /* most ever */
    uint32_t parked_refused; /* retries that found no place */
} natlet_agent_info;

#ifdef __cplusplus
extern "C" {
#endif

/* The agent whose handler runs now; 0 outside of handlers. */
natlet_pid natlet_agent_self(const natlet_cell *cell);

/* Copies subject, reply, headers, payload, tag, seq and priority of `mail` into
 * the mailbox of `to`; `from` is the running agent.
 *
 * Returns OK (with DROP_NEW also for mail that became a dead letter); E_FULL (the
 * mailbox or the cell's pool: try later, the refusal is counted); E_TOO_LARGE (it will
 * never fit); E_NO_AGENT (it is in the dead letters); E_INVALID (no such priority);
 * E_STATE (outside of a handler, after natlet_cell_shutdown). */
natlet_status natlet_agent_send(natlet_cell *cell, natlet_pid to, const natlet_mail *mail);

/* The same to whoever has that name; a child that is about to be restarted takes
 * mail too.  Returns as natlet_agent_send. */
natlet_status natlet_agent_send_name(natlet_cell *cell, natlet_slice name, const natlet_mail *mail);

/* Sends a CALL.  Its end is one REPLY mail whose tag is *ref: the answer, or a
 * status: E_TIMEOUT; E_NO_AGENT (who was asked crashed on it, rejected it, dropped it
 * or ended);
 * E_FULL or E_TOO_LARGE (the answer's bytes found no room).  The place of that mail
 * is reserved now, so it always comes, unless the caller ends before.
 *
 * It ends with the incarnation that was asked, at once; what that left in its mailbox
 * the next one may still handle, and its answer is late.
 *
 * Returns as natlet_agent_send, and E_FULL (no place in the caller's own SYS lane
 * or in the cell for one more call or timer); E_STATE (outside of a handler). */
natlet_status natlet_agent_call(natlet_cell *cell, natlet_pid to, const natlet_mail *mail,
                                uint32_t timeout_ms, uint32_t *ref);

/* Answers a CALL, or a NATS message with a reply subject.  A mail that asks for
 * nothing takes no answer, and a caller that does not wait any more loses it; both
 * are counted as late.
 *
 * Returns OK; for NATS E_UNSUPPORTED (no network in this cell), or as
 * natlet_client_publish. */
natlet_status natlet_agent_reply(natlet_cell *cell, const natlet_mail *request,
                                 natlet_slice payload);

/* The same with headers and payload of `answer`; to NATS its reply subject goes along.
 * Returns as natlet_agent_reply. */
natlet_status natlet_agent_reply_msg(natlet_cell *cell, const natlet_mail *request,
                                     const natlet_msg *answer);

/* Sends a TIMER mail with `tag` to `to` after `delay_ms`; it dies with that
 * incarnation.  *ref (may be NULL) is for natlet_agent_cancel.
 *
 * Returns OK; E_NO_AGENT; E_FULL (no place in its SYS lane or in the cell for one
 * more call or timer). */
natlet_status natlet_agent_send_after(natlet_cell *cell, natlet_pid to, uint32_t delay_ms,
                                      uint32_t tag, uint32_t *ref);

/* Sends a TIMER mail with `tag` to `to` every `period_ms`, the first in one period.  A
 * tick that comes while the one before it is still queued, or for which there is no
 * place, is skipped; so are all but one of those that are late.  The next mail's `seq`
 * says how many were.  It dies with that incarnation.
 *
 * Returns as natlet_agent_send_after; E_INVALID (`period_ms` is 0).  It takes two places
 * of the SYS lane, one of them while a tick is queued. */
natlet_status natlet_agent_send_every(natlet_cell *cell, natlet_pid to, uint32_t period_ms,
                                      uint32_t tag, uint32_t *ref);

/* Milliseconds, rounded up, until a timer sends or a call is over: ask before
 * natlet_agent_cancel.  Returns OK, or E_NOT_FOUND (*left_ms is 0). */
natlet_status natlet_agent_time_left(const natlet_cell *cell, uint32_t ref, uint32_t *left_ms);

/* Forgets a timer, call, request or monitor: nothing comes of it any more.  Returns OK,
 * or E_NOT_FOUND (its mail is queued or was delivered). */
natlet_status natlet_agent_cancel(natlet_cell *cell, uint32_t ref);

/* Publishes to the network.  Returns E_UNSUPPORTED (no network in this cell), else
 * as natlet_client_publish. */
natlet_status natlet_agent_publish(natlet_cell *cell, const natlet_msg *msg);

/* Publishes a request to the network.  Its end is one REPLY mail whose tag is *ref,
 * with a status as natlet_reply_fn gets it, or E_FULL (the answer found no room).
 *
 * Returns OK; E_STATE (outside of a handler); E_FULL (no place for one more call or
 * timer); E_UNSUPPORTED (no network in this cell); or as natlet_client_request. */
natlet_status natlet_agent_request(natlet_cell *cell, const natlet_msg *msg, uint32_t timeout_ms,
                                   uint32_t *ref);

/* For a handler that cannot say yet: `return natlet_agent_later(cell, &token);`.
 * The mail stays valid until natlet_cell_settle names pid and token, which nobody
 * can guess from another mail's.  Returns NATLET_LATER; E_STATE outside of
 * on_mail. */
int32_t natlet_agent_later(natlet_cell *cell, uint32_t *token);

/* For a handler, or init: what the agent has put aside by NATLET_STASH comes again,
 * before other mail but SYS, in the order in which it was put aside.  A new incarnation
 * gets it without asking, but for answers and timers, which end with the old one.
 *
 *     if (!c->is_open) {
 *         return NATLET_STASH;
 *     }
 *
 * Returns OK, or E_STATE (outside of a handler). */
natlet_status natlet_agent_unstash(natlet_cell *cell);

/* Copies a mail so that it outlives its handler, with all its fields: a call that was
 * kept can be answered later.  The copy is the running agent's, which reads it and never
 * writes to it, until it drops it or its incarnation ends, however that is.
 *
 * Returns OK; E_STATE (outside of a handler); E_FULL (the agent keeps NATLET_KEPT_MAIL_MAX,
 * or as many bytes as its mailbox may hold, or the cell's pool is full; counted).  On
 * failure *kept is NULL. */
natlet_status natlet_mail_keep(natlet_cell *cell, const natlet_mail *mail, natlet_mail **kept);

/* Gives a kept mail back, once; NULL is allowed. */
void natlet_mail_drop(natlet_cell *cell, natlet_mail *kept);

/* Ends an agent, itself or another, for a reason: NORMAL, SHUTDOWN or ERROR with a
 * code of the caller's.  It ends when the handler that runs, or the mail that it keeps
 * by LATER, is done with; its supervisor then acts by its rules.  KILLED does not wait
 * for that mail.  A supervisor is stopped, whatever the reason.  One that traps exits ends
 * as well; for Erlang's exit/2 see natlet_agent_signal.
 *
 * Returns OK; E_NO_AGENT; E_INVALID (another reason). */
natlet_status natlet_agent_exit(natlet_cell *cell, natlet_pid pid, natlet_reason why);

/* Lets an agent take only what its SYS lane brings: answers, timers, signals; other mail
 * waits until natlet_agent_resume, or its next incarnation.  Its supervisor stops it as
 * ever.  Once or twice is the same.
 *
 * Returns OK; E_NO_AGENT; E_INVALID (a supervisor). */
natlet_status natlet_agent_suspend(natlet_cell *cell, natlet_pid pid);
natlet_status natlet_agent_resume(natlet_cell *cell, natlet_pid pid);

/* What is known about an agent.  Returns OK or E_NO_AGENT. */
natlet_status natlet_agent_info_of(const natlet_cell *cell, natlet_pid pid,
                                   natlet_agent_info *info);

/* Static texts: "trap", "running". */
const char *natlet_exit_text(natlet_exit_kind kind);
const char *natlet_agent_state_text(natlet_agent_state state);

#ifdef __cplusplus
}
#endif

#endif
