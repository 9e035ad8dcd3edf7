/* The inside of a cell, shared by the files of this folder.
 *
 * Internal.  Three rules hold everywhere:
 *
 * A handler runs only from the run queue or from a supervisor that acts, never
 * inside another handler: what a handler asks for is queued.
 *
 * `locked` is 0 exactly while a handler's own code runs.  A trap then leaves the
 * cell whole; at any other time its data may be torn.
 *
 * Whatever must go on after a trap lies in these structs, not on the C stack. */
#ifndef NATLET_AGENT_KERNEL_H
#define NATLET_AGENT_KERNEL_H

#include "agent/list.h"
#include "agent/mailbox.h"
#include "agent/pool.h"
#include "agent/table.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/runtime.h"
#include "base/timers.h"
#include "natlet/cell.h"

typedef struct natlet__agent natlet__agent;
typedef struct natlet__care natlet__care;
typedef struct natlet__supervisor natlet__supervisor;
typedef struct natlet__wait natlet__wait;
typedef struct natlet__outlet natlet__outlet;
typedef struct natlet__tie natlet__tie;

/* What must not outlive an agent: its owner says how that is ended. */
struct natlet__tie {
    natlet__link link; /* first: in the agent's `waits` or `holds`; no more when `cut` is called */
    void (*cut)(natlet_cell *cell, natlet__tie *tie);
    /* Of `holds`, NULL if mail does not come this way.  With PAUSE_SRC: stop, when a lane of
     * the mailbox is full, and again for whatever finds it full later; go on, once, when the
     * lanes are half empty.  It may cut its own tie, no other, and must send no mail. */
    void (*flow)(natlet__tie *tie, bool stop);
};

/* What becomes of mail for a full mailbox; the public constants are these. */
struct natlet_overflow_policy {
    /* In place of natlet__post_copy, which does the work when there is room.  EMPTY: there
     * is nothing in the mailbox, and the sender hears OK. */
    natlet_status (*post)(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                          natlet_mail_kind kind, natlet_mail **copy);
    /* The agent had a turn while its mailbox was paused. */
    void (*eased)(natlet__agent *agent);
};

/* What heeds the deadlines of requests; the public constant is this. */
struct natlet_expiry {
    /* What a mail with these headers is to have as `call`. */
    uint32_t (*deadline)(natlet_cell *cell, natlet_slice headers);
    bool (*is_over)(const natlet_cell *cell, const natlet_mail *mail);
};

/* A point in time, and what then happens. */
typedef struct natlet__alarm {
    natlet__timer timer; /* first */
    void (*ring)(natlet_cell *cell, struct natlet__alarm *alarm);
} natlet__alarm;

/* What put_off answers (natlet_backoff). */
enum {
    NATLET__RESTART, /* now */
    NATLET__WAIT,    /* it entered BACKOFF */
    NATLET__PARK,    /* never again */
    NATLET__EXIT,    /* the supervisor is to end */
};

typedef struct natlet__suspect {
    uint64_t print; /* of mail */
    uint32_t count; /* of crashes on it; 0: no suspect */
} natlet__suspect;

enum { NATLET__SUSPECTS = 4 };

/* What belongs to a child that has anything of natlet/recovery.h.  It lies behind the
 * agent's struct, and outlives the incarnations too. */
struct natlet__care {
    natlet__alarm alarm; /* BACKOFF: its end */
    uint64_t started_us; /* the last start that was tried */
    uint32_t tries;      /* restarts in a row that waited */
    uint32_t delay_ms;   /* of the last one */
    bool is_free;        /* the next restart neither waits nor counts: a mail is to blame */
    natlet__suspect suspects[NATLET__SUSPECTS];
    natlet__link parked; /* mail, see retry.c */
    uint16_t parked_count;
    uint16_t parked_most;
    uint32_t parked_refused;
};

/* A child: it outlives its incarnations, and its mailbox with it.  One block of
 * the pool holds this struct and the state. */
struct natlet__agent {
    natlet__link turn;        /* first: in the run queue or in the parent's events, see agent.c */
    natlet__link sibling;     /* in the parent's children */
    natlet__link waits;       /* ties of the incarnation: what it waits for, and who waits for it */
    natlet__link holds;       /* ties of the child: subscriptions; one that joins while the
                                 mailbox is paused starts stopped */
    natlet__agent *parent;    /* NULL: the root */
    natlet__agent *name_next; /* with the same hash of the name */
    void *state;              /* of a supervisor: natlet__supervisor */
    natlet__care *care;       /* NULL: its child asks for nothing that needs it */
    natlet_mail *mail;        /* in the handler's hands, or kept by LATER */
    natlet_pid pid;           /* of the present incarnation; 0: none */
    uint32_t slot;
    uint32_t token; /* of that mail */
    int32_t result; /* BUSY, with a turn: what settle said */
    uint8_t phase;  /* natlet_agent_state; natlet__agent_enter sets it */
    uint8_t depth;  /* supervisors above it */
    bool has_run;   /* init succeeded once */
    /* Of the incarnation: */
    bool is_asked; /* to end, for the reason `asked` */
    bool traps_exits;
    bool is_suspended;
    bool is_signalled; /* asked to end by a signal, which leaves its state whole */
    natlet_child child;
    natlet_reason exit; /* the last one */
    natlet_reason asked;
    uint32_t index; /* in the supervisor's specification, or NATLET__ADDED */
    uint32_t restarts;
    uint64_t handled;
    uint32_t kept;       /* mail that it keeps */
    uint32_t kept_bytes; /* of their four parts */
    natlet__mailbox mailbox;
};

struct natlet__supervisor {
    natlet__agent *agent;   /* whose state this is */
    natlet__link children;  /* in the order of their start */
    natlet__link events;    /* children to act on, in the order in which they ended */
    natlet__link ask;       /* in `events` if it is to stop: what came before comes first */
    natlet__link *stopping; /* the next child to stop; NULL: it stops none */
    natlet__link *last;     /* the last one to stop; `children`: all are */
    natlet__alarm patience; /* for what stops now */
    bool restarts;          /* what it stops is started again */
    uint32_t count;         /* of children */
    uint32_t waiting;       /* of them: in BACKOFF */
    uint32_t places;        /* in the ring of restarts behind this struct */
    uint32_t place;         /* the oldest of them */
};

/* What an agent waits for.  A place of its SYS lane is reserved, and the struct
 * itself becomes the mail that ends the wait if that carries no bytes: the end of
 * a wait needs nothing that could be missing. */
struct natlet__wait {
    natlet_mail mail;    /* first, so that a mail is its wait; its status is how time ends it */
    natlet__tie tie;     /* cut: the wait ends without mail */
    natlet__tie theirs;  /* CALL, EXIT, DOWN: to the agent whose end would end the wait */
    natlet__alarm alarm; /* rings: the wait ends by its own mail */
    natlet_cell *cell;
    natlet__agent *agent; /* NULL: it does not wait any more, but the network knows this */
    uint64_t asked_id;    /* CALL: id_ns of the mail that asks */
    uint32_t outlet_id;   /* of a request: the client's */
    uint32_t ref;
};

/* The network as the kernel sees it; the bridge is one. */
struct natlet__outlet {
    natlet_status (*publish)(natlet__outlet *outlet, const natlet_msg *msg);
};

/* The bridge's, for a shutdown, as often as one likes.  True: there is nothing to wait for;
 * else the cell's alarm `again` rings when there may be.  Only shutdown.c calls them, and
 * they are weak there: a program has them if it has a bridge and shuts cells down. */
bool natlet__outlet_drain(natlet__outlet *outlet, uint32_t timeout_ms);
bool natlet__outlet_flush(natlet__outlet *outlet, uint32_t timeout_ms);

/* The end of a cell, see shutdown.c. */
typedef struct natlet__closing {
    void (*step)(natlet_cell *cell); /* NULL: nobody asked for it */
    natlet__alarm limit;             /* of the present stage */
    natlet__alarm again;             /* look at it in the next turn */
    uint64_t until_us;
    uint32_t stage;
    uint32_t flush; /* the outlet's: 0 not begun, 1 under way, 2 over */
    natlet_reason how;
} natlet__closing;
/* flow of a tie that is the bridge's; any other is left alone.  Only programs with
 * PAUSE_SRC call it, so that only they have it. */
void natlet__outlet_flow(natlet__tie *tie, bool stop);

struct natlet_cell {
    natlet__part part; /* first, so that a part is its cell */
    natlet_runtime *rt;
    uint32_t locked;        /* the kernel-lock word */
    natlet__agent *running; /* the blame word: whose handler runs; its `mail` is the other half */
    natlet__link ready;     /* the run queue */
    natlet__outlet *outlet; /* NULL: no network */
    natlet__timers timers;
    uint64_t stamped_us; /* turn in which the clock was read for the ids of mail */
    uint32_t incarnations;
    uint32_t tokens;
    uint16_t generation; /* of the last wait, 1..65535 */
    natlet__table agents;
    natlet__table waits;
    natlet__agent **names; /* by hash, twice as many as agents */
    natlet_dead_letter *dead;
    uint32_t asked;   /* requests that the network has not answered */
    uint32_t signals; /* exits that were heard of */
    natlet_cell_stats stats;
    natlet_cell_config config;
    natlet__closing closing;
    natlet__pool pool;
    size_t pool_bytes;
    size_t block_bytes; /* of the cell's own memory, the pool included */
    natlet__agent root; /* supervises the trees, which are its temporary children */
    natlet__supervisor root_state;
};

/* ---- the lock ---- */

/* Marks the kernel's code as running; the answer is for natlet__unlock.  Every
 * function that a handler may call is between these two. */
static inline uint32_t natlet__lock(natlet_cell *cell)
{
    uint32_t was = cell->locked;

    cell->locked = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* what follows stays behind it */
    return was;
}

static inline void natlet__unlock(natlet_cell *cell, uint32_t was)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    cell->locked = was;
}

/* ---- registry.c: slots and names ---- */

/* Gives the agent a slot and its name.  Returns OK, E_LIMIT or E_NAME_TAKEN. */
natlet_status natlet__registry_add(natlet_cell *cell, natlet__agent *agent);
void natlet__registry_remove(natlet_cell *cell, natlet__agent *agent);
natlet__agent *natlet__registry_find(const natlet_cell *cell, natlet_slice name);

/* The agent of which this is the present pid, else NULL. */
NATLET__SMALL natlet__agent *natlet__registry_at(const natlet_cell *cell, natlet_pid pid)
{
    natlet__agent *agent = natlet__table_at(&cell->agents, (uint32_t)pid & NATLET_PID_SLOT_MASK);

    return agent != NULL && pid != 0 && agent->pid == pid ? agent : NULL;
}

/* ---- waits.c ---- */

/* Starts a wait of `agent` that ends by a mail of `kind`, TIMER, REPLY, EXIT or DOWN: when
 * its time is over, or earlier by an answer.  NULL: there is no place for one more. */
natlet__wait *natlet__wait_new(natlet_cell *cell, natlet__agent *agent, natlet_mail_kind kind);

/* Ends a wait without mail.  The network may still know the struct of a request. */
void natlet__wait_forget(natlet_cell *cell, natlet__wait *wait);

/* The wait whose tie this is. */
natlet__wait *natlet__wait_of(natlet__tie *tie);

/* The same of the tie to the other agent. */
static inline natlet__wait *natlet__wait_of_theirs(natlet__tie *theirs)
{
    return natlet__wait_of(theirs - 1);
}

_Static_assert(offsetof(natlet__wait, theirs) - offsetof(natlet__wait, tie) == sizeof(natlet__tie),
               "as wait_of_theirs has it");

/* The wait of this ref, if it goes on, else NULL. */
natlet__wait *natlet__wait_at(const natlet_cell *cell, uint32_t ref);

/* Ends a wait that the network does not know without mail, and frees it. */
void natlet__wait_drop(natlet_cell *cell, natlet__tie *tie);

/* Lets the wait end with E_NO_AGENT when this incarnation does. */
void natlet__wait_hangs_on(natlet__wait *wait, natlet__agent *asked);

/* If `mail`, which comes again, is a call, its caller waits on when this incarnation ends. */
void natlet__wait_hangs_on_child(const natlet_cell *cell, const natlet_mail *mail,
                                 natlet__agent *asked);

/* Ends a wait by a mail with `status` and no bytes. */
void natlet__wait_end(natlet_cell *cell, natlet__wait *wait, natlet_status status);

/* Ends a CALL or REQUEST by a mail with the answer, or with E_FULL or E_TOO_LARGE if
 * there is no room for its bytes. */
void natlet__wait_answer(natlet_cell *cell, natlet__wait *wait, const natlet_msg *reply);

/* The network's one call for a request; `reply` is NULL unless `status` is OK. */
void natlet__wait_outlet_ended(natlet__wait *wait, natlet_status status, const natlet_msg *reply);

/* The call that `mail` asks and that still waits, else NULL. */
natlet__wait *natlet__wait_of_call(const natlet_cell *cell, const natlet_mail *mail);

/* ---- post.c: mail comes and goes ---- */

/* Makes a draft with the parts of a message. */
void natlet__mail_draft(natlet_mail *draft, const natlet_msg *msg);

/* Bytes of subject, reply, headers and payload. */
NATLET__SMALL uint64_t natlet__mail_measure(const natlet_mail *draft)
{
    return (uint64_t)draft->subject.len + draft->reply.len + draft->headers.len +
           draft->payload.len;
}

/* A copy of the draft's four parts, tag, seq and priority in the pool, with an id of
 * its own, from the running agent; NULL: no room. */
natlet_mail *natlet__mail_new(natlet_cell *cell, natlet_pid to, const natlet_mail *draft,
                              natlet_mail_kind kind);
void natlet__mail_free(natlet_cell *cell, natlet_mail *mail);

/* Counts one more delivery. */
static inline void natlet__mail_comes_again(natlet_mail *mail)
{
    if (mail->attempt < UINT16_MAX) {
        mail->attempt++;
    }
}

/* Queues the mail that ends a wait of `agent`. */
void natlet__post_reserved(natlet_cell *cell, natlet__agent *agent, natlet_mail *mail);

/* Copies the draft into the mailbox of `agent` as a mail of `kind`, *copy, if there is
 * room.  A refusal is counted in the mailbox.  Returns OK, E_FULL or E_TOO_LARGE. */
natlet_status natlet__post_copy(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                                natlet_mail_kind kind, natlet_mail **copy);

/* Makes a dead letter of a draft for `agent` that was not delivered. */
void natlet__post_bury(natlet_cell *cell, natlet__agent *agent, natlet_pid to,
                       const natlet_mail *draft, natlet_mail_kind kind, natlet_dead_reason reason);

/* Copies the draft into the mailbox of `agent` (NULL: nobody), whom the sender means by
 * `to` (0: by name), as a mail of `kind`; with `call` that its sender waits with, a CALL.
 *
 * Returns OK; E_NO_AGENT (a dead letter); E_FULL or E_TOO_LARGE (a dead letter if it is
 * NATS, else counted); E_INVALID (the priority). */
natlet_status natlet__post(natlet_cell *cell, natlet__agent *agent, natlet_pid to,
                           const natlet_mail *draft, natlet_mail_kind kind, natlet__wait *call);

/* ---- field.c ---- */

/* The first value of a field in a block of headers, its name being case-sensitive; empty:
 * there is none. */
natlet_slice natlet__field_find(natlet_slice headers, natlet_slice name);

/* ---- dead.c ---- */

/* Notes that `mail`, for `agent` (NULL: nobody), will not be handled; its bytes stay
 * the caller's.  For CRASHED the agent's `exit` is the reason.  If it is a call, the
 * caller hears E_NO_AGENT. */
void natlet__dead_letter(natlet_cell *cell, const natlet_mail *mail, natlet_dead_reason reason,
                         const natlet__agent *agent);

/* Keeps what is to be known of it, before it is counted.  Lies in dead_last.c. */
void natlet__dead_remember(natlet_cell *cell, const natlet_cell_event *event);

/* ---- agent.c: the life of one agent ---- */

/* Makes a child of `parent`, not started, in front of the sibling `place`.  Returns as
 * natlet_supervisor_start. */
natlet_status natlet__agent_new(natlet_cell *cell, natlet__agent **out, natlet__agent *parent,
                                const natlet_child *child, natlet__link *place);

/* Moves it to another phase, and to the queue in which that is dealt with. */
void natlet__agent_enter(natlet_cell *cell, natlet__agent *agent, natlet_agent_state phase);

/* Starts an incarnation: RUNNING, or DOWN and a status below 0. */
natlet_status natlet__agent_start(natlet_cell *cell, natlet__agent *agent);

/* What is left to do when a start failed: DOWN. */
void natlet__agent_not_started(natlet_cell *cell, natlet__agent *agent, natlet_reason why);

/* Ends the incarnation, if there is one that has started, and goes to `next`: EXITED,
 * the supervisor is to act on it, or DOWN. */
void natlet__agent_end(natlet_cell *cell, natlet__agent *agent, natlet_reason why,
                       natlet_agent_state next);

/* Ends one that failed: EXITED, and the mail in its hands is a dead letter. */
void natlet__agent_crash(natlet_cell *cell, natlet__agent *agent, natlet_reason why);

/* Makes the queued mail dead letters. */
void natlet__agent_drain(natlet_cell *cell, natlet__agent *agent, natlet_dead_reason reason);

/* Frees a child that is not running, and for a supervisor all below it. */
void natlet__agent_remove(natlet_cell *cell, natlet__agent *agent);

/* The agent's turn.  Answers how much work it was: mails handled, and one. */
uint32_t natlet__agent_run(natlet_cell *cell, natlet__agent *agent);

/* Lets an agent that is no supervisor end for this reason as soon as it is done with the
 * mail in its hands, unless it was asked before. */
void natlet__agent_ask(natlet_cell *cell, natlet__agent *agent, natlet_reason why);

/* Ends an agent that was asked to and goes to `next`, unless it ended otherwise or is busy. */
void natlet__agent_obey(natlet_cell *cell, natlet__agent *agent, natlet_agent_state next);

/* Puts it at the end of the run queue, if it is not in it. */
NATLET__SMALL void natlet__agent_schedule(natlet_cell *cell, natlet__agent *agent)
{
    if (agent->turn.next == NULL) {
        natlet__list_put(&cell->ready, &agent->turn);
    }
}

/* ---- info.c ---- */

void natlet__agent_describe(const natlet__agent *agent, natlet_agent_info *info);

/* ---- supervisor.c ---- */

static inline bool natlet__is_supervisor(const natlet__agent *agent)
{
    return agent->child.supervisor != NULL;
}

static inline natlet__supervisor *natlet__supervisor_of(const natlet__agent *agent)
{
    return agent->state;
}

static inline bool natlet__is_dynamic(const natlet__agent *supervisor)
{
    return supervisor->child.supervisor->strategy == NATLET_DYNAMIC;
}

/* The child whose `sibling` this is. */
static inline natlet__agent *natlet__child_at(natlet__link *sibling)
{
    return (natlet__agent *)(sibling - 1);
}

_Static_assert(offsetof(natlet__agent, sibling) == sizeof(natlet__link), "as child_at has it");

#define NATLET__ADDED UINT32_MAX /* it is not in the specification */

/* Bytes of its state; 0 if a number in the specification is out of range. */
size_t natlet__supervisor_bytes(const natlet_supervisor_spec *spec);

/* How many children there are. */
uint32_t natlet__supervisor_count(const natlet__agent *agent);

/* Makes the state of a supervisor without children. */
void natlet__supervisor_init(natlet__agent *agent);

/* Makes the children if need be, and starts them in order.  On failure they are
 * stopped in reverse. */
natlet_status natlet__supervisor_open(natlet_cell *cell, natlet__agent *agent);

/* The supervisor's turn. */
void natlet__supervisor_run(natlet_cell *cell, natlet__agent *agent);

/* After a trap in the init of `agent`: what the unwound code would have done. */
void natlet__supervisor_start_trapped(natlet_cell *cell, natlet__agent *agent);

/* Asks a supervisor to stop, after what is to be done before. */
void natlet__supervisor_ask(natlet_cell *cell, natlet__agent *agent);

/* Ends one tree of the cell and all below it at once, and frees it. */
void natlet__supervisor_kill(natlet_cell *cell, natlet__agent *tree);

/* A start that natlet_supervisor_add or _restart had left for later. */
natlet_status natlet__supervisor_start_added(natlet_cell *cell, natlet__agent *agent);

/* ---- stash.c, which only programs that unstash are linked with ---- */

/* Puts the mail in the agent's hands aside; a dead letter if there is no room. */
void natlet__stash_put(natlet_cell *cell, natlet__agent *agent);

/* The incarnation ends: what it put aside is the next one's, but for SYS mail. */
void natlet__stash_pass_on(natlet_cell *cell, natlet__agent *agent);

/* ---- cell.c ---- */

/* Lets an alarm that does not run ring in `delay_ms`. */
void natlet__cell_alarm(natlet_cell *cell, natlet__alarm *alarm, uint64_t delay_ms);

/* Shows an event to the program, `agent` (NULL: nobody) being whom it is about. */
void natlet__cell_show(natlet_cell *cell, natlet_cell_event *event, const natlet__agent *agent);

#endif
