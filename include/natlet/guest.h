/* The mailbox door: how an agent in an instance of its own meets the cell that supervises it.
 *
 * A guest is a module in any language.  It imports functions of module `natlet_mailbox1`
 * and nothing else; it has no network, no clock of its own, no files.  A *hub*, an
 * instance of natlet.wasm, owns its mailbox, its subscription and its supervisor, and
 * keeps the state that it saves.  So a guest may loop, trap or ruin its memory: it is
 * replaced, and what it was sent and what it saved is there for the next one.
 *
 *     int32_t natlet_on_mail(int32_t box)
 *     {
 *         natlet_guest_mail mail;
 *         int32_t len = natlet_mailbox_next(box, text, sizeof text, &mail);
 *         if (len < 0) { return len == NATLET_GUEST_E_AGAIN ? 0 : len; }
 *         ...
 *         return natlet_mailbox_settle(box, mail.token, NATLET_GUEST_DONE, 0);
 *     }
 *
 * Nothing but i32 and f64 crosses; numbers in memory are little endian; texts are UTF-8
 * without an end mark.  The guest exports its `memory` and `natlet_on_mail`, and may
 * export `_initialize`, `natlet_on_start` and `natlet_on_stop`.
 *
 * One call of an export is a *turn*.  What a turn asks for, to send, to settle, to save,
 * happens when it has returned 0 or more.  A turn that traps, answers below 0, takes too
 * long or wants too much memory has sent, settled and saved nothing: the agent crashes,
 * the mail in its hands is a dead letter, and its supervisor decides.  Turns do not
 * overlap, and imports never call the guest.
 *
 * A later major version has another module name; a minor one adds kinds of mail and
 * bytes behind natlet_guest_mail, never functions. */
#ifndef NATLET_GUEST_H
#define NATLET_GUEST_H

#include <stdint.h>

/* Answers below 0, as in natlet/status.h.  A guest may answer others of its own. */
enum {
    NATLET_GUEST_E_AGAIN = -1,      /* no mail now: natlet_on_mail is called when there is */
    NATLET_GUEST_E_INVALID = -2,    /* an argument is out of its range */
    NATLET_GUEST_E_NO_MEMORY = -4,  /* from an export: the agent ends for want of memory */
    NATLET_GUEST_E_TOO_LARGE = -7,  /* more bytes than the buffer, or the hub, takes */
    NATLET_GUEST_E_FAULT = -8,      /* an address lies outside of the memory */
    NATLET_GUEST_E_LIMIT = -9,      /* no more boxes, or calls under way */
    NATLET_GUEST_E_FULL = -34,      /* this turn has asked for as much as a turn may */
    NATLET_GUEST_E_SUBJECT = -36,   /* the subject or name is not well-formed */
    NATLET_GUEST_E_NOT_FOUND = -46, /* no such box; nothing was saved */
    NATLET_GUEST_E_STATE = -98,     /* no mail with that token is in its hands */
};

/* Limits of one guest. */
#define NATLET_GUEST_BOXES_MAX 64            /* opened by name; more: E_LIMIT */
#define NATLET_GUEST_CALLS_MAX 64            /* under way; more: E_LIMIT */
#define NATLET_GUEST_EFFECTS_MAX 1024        /* sends and calls of a turn; more: E_FULL */
#define NATLET_GUEST_TURN_BYTES_MAX 4194304  /* bytes of them together; more: E_FULL */
#define NATLET_GUEST_STATE_BYTES_MAX 1048576 /* saved; more: E_TOO_LARGE */
#define NATLET_GUEST_NAME_BYTES_MAX 255      /* of an agent's name; longer: E_SUBJECT */

/* The guest's own mailbox, open from the start. */
#define NATLET_GUEST_OWN 0

typedef struct natlet_guest_mail {
    uint32_t token;       /* for settle; 0: REPLY, which is not settled */
    uint32_t kind;        /* NATLET_GUEST_MESSAGE, NATLET_GUEST_REPLY */
    uint32_t tag;         /* REPLY: what the call returned */
    int32_t status;       /* REPLY: 0, or why there is no answer, natlet_status: E_TIMEOUT ... */
    uint32_t subject_len; /* the four parts lie back to back in the buffer, in this order */
    uint32_t reply_len;   /* 0: nobody waits for an answer */
    uint32_t headers_len; /* a whole "NATS/1.0..." block, or 0 */
    uint32_t payload_len;
    double received_ms; /* wall time at which the hub handed it over, since the Unix epoch */
} natlet_guest_mail;

enum { NATLET_GUEST_MESSAGE = 0, NATLET_GUEST_REPLY = 1 };

/* How a mail is settled. */
enum {
    NATLET_GUEST_DONE = 0,
    NATLET_GUEST_REJECT = 1, /* to the dead letters; the agent goes on */
    NATLET_GUEST_STOP = 2,   /* done, and the agent ends, NORMAL */
    NATLET_GUEST_ERROR = 3,  /* the agent crashes, ERROR with `code`, below 0 */
};

enum { NATLET_GUEST_NORMAL = 0, NATLET_GUEST_HIGH = 1, NATLET_GUEST_LOW = 2 };

enum { NATLET_GUEST_MONOTONIC = 0, NATLET_GUEST_UNIX = 1 };

#if defined(__wasm__)
#define NATLET_MAILBOX(name) __attribute__((import_module("natlet_mailbox1"), import_name(#name)))
#define NATLET_GUEST(name) __attribute__((export_name(#name), used))
#else
#define NATLET_MAILBOX(name)
#define NATLET_GUEST(name)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __cplusplus
_Static_assert(sizeof(natlet_guest_mail) == 40, "guest and host agree on the layout");
#endif

/* ---- imports ---- */

/* A box to send to: of the agent with that name, which need not run, or, without a name,
 * the own one.  The same name is the same box.
 *
 * Returns a box, 0 or more; E_LIMIT; E_SUBJECT (too long); E_FAULT. */
NATLET_MAILBOX(open) int32_t natlet_mailbox_open(const char *name, uint32_t len);

/* Sends: from the own box to the network, to `subject`; to another box as mail of that
 * agent, without a subject.  Who answers a message sends to its reply subject.  What
 * becomes of it is not told: `call` asks.
 *
 * Returns 0; E_NOT_FOUND (box); E_INVALID (priority); E_SUBJECT; E_FULL; E_FAULT. */
NATLET_MAILBOX(send)
int32_t natlet_mailbox_send(int32_t box, const char *subject, uint32_t subject_len,
                            const uint8_t *payload, uint32_t payload_len, int32_t priority);

/* Takes the next mail of the own box: its parts into `buf`, the rest into *mail.  Replies
 * come first.  A message is then in the guest's hands, this turn and later ones, until it
 * is settled, and there is no other before; replies still come.
 *
 * Returns how many bytes `buf` took, 0 or more; E_AGAIN; E_TOO_LARGE (*mail says how much
 * it is; nothing was taken); E_NOT_FOUND (another box); E_FAULT. */
NATLET_MAILBOX(next)
int32_t natlet_mailbox_next(int32_t box, uint8_t *buf, uint32_t cap, natlet_guest_mail *mail);

/* Ends the mail in its hands; `code` is for ERROR.
 *
 * Returns 0; E_STATE; E_INVALID (how, code); E_NOT_FOUND (another box). */
NATLET_MAILBOX(settle)
int32_t natlet_mailbox_settle(int32_t box, uint32_t token, int32_t how, int32_t code);

/* As send, and the answer comes as one mail of kind REPLY, whose tag is what this
 * returns: 1 or more.  It comes in any case, at the latest with E_TIMEOUT after
 * `timeout_ms` (1..3 600 000), unless the guest ends before.
 *
 * Returns as send; E_INVALID (the time); E_LIMIT. */
NATLET_MAILBOX(call)
int32_t natlet_mailbox_call(int32_t box, const char *subject, uint32_t subject_len,
                            const uint8_t *payload, uint32_t payload_len, uint32_t timeout_ms);

/* What was saved last, in this turn too.
 *
 * Returns its length; E_NOT_FOUND (nothing); E_TOO_LARGE (`cap`); E_FAULT. */
NATLET_MAILBOX(state_get) int32_t natlet_mailbox_state_get(uint8_t *buf, uint32_t cap);

/* Saves; what was saved before is gone.  Returns 0, E_TOO_LARGE, or E_FAULT. */
NATLET_MAILBOX(state_put) int32_t natlet_mailbox_state_put(const uint8_t *state, uint32_t len);

/* Milliseconds: NATLET_GUEST_MONOTONIC since some start, NATLET_GUEST_UNIX since 1970. */
NATLET_MAILBOX(now) double natlet_mailbox_now(int32_t which);

/* A line for the operator, level 0 error ... 3 debug; long ones are cut.  Unlike the rest
 * it is told even if the turn then fails. */
NATLET_MAILBOX(log) void natlet_mailbox_log(int32_t level, const char *text, uint32_t len);

/* ---- exports ---- */

/* There is mail in `box`, the own one.  Take what is wanted; what is left is offered again
 * when more comes.  Returns 0, or below 0: the agent crashes, ERROR with that code. */
NATLET_GUEST(natlet_on_mail) int32_t natlet_on_mail(int32_t box);

/* May be missing.  First turn of an instance: restore what was saved.  Returns 0, or below
 * 0: it cannot start. */
NATLET_GUEST(natlet_on_start) int32_t natlet_on_start(void);

/* May be missing.  Last turn of one that ends in order; never after a trap.  May still
 * send and save. */
NATLET_GUEST(natlet_on_stop) void natlet_on_stop(void);

#ifdef __cplusplus
}
#endif

#endif
