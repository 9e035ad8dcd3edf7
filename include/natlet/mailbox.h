/* A mailbox is a bounded queue of mail that exactly one agent reads: four lanes,
 * bounded by count each and by bytes together, and a stash for what the agent
 * cannot handle yet.
 *
 * What becomes of mail that finds no room is a policy, REJECT unless another is named:
 *
 *     .mailbox = {.normal = 64, .overflow = &natlet_overflow_drop_old}
 *
 * Whatever does not stay in the mailbox is counted, and is a dead letter unless its
 * sender was told or newer mail stands for it.  A program is linked with the policies
 * that it names.
 *
 * A mailbox belongs to the child and not to its present incarnation, so what is queued
 * survives a restart. */
#ifndef NATLET_MAILBOX_H
#define NATLET_MAILBOX_H

#include "natlet/mail.h"

#define NATLET_MAILBOX_SYS_DEFAULT 8u
#define NATLET_MAILBOX_NORMAL_DEFAULT 16u
#define NATLET_MAILBOX_STASH_DEFAULT 16u
#define NATLET_MAILBOX_BYTES_DEFAULT 65536u

/* The policies by number.  No policy but DROP_NEW keeps from a sender that its own mail
 * was not taken: E_FULL.  What comes from the network and is not taken is a dead letter,
 * and so is what makes room for other mail: OVERFLOW. */
typedef enum natlet_overflow {
    NATLET_OVERFLOW_REJECT,    /* nothing else happens */
    NATLET_OVERFLOW_DROP_NEW,  /* the sender hears OK, the mail is a dead letter; a CALL is
                                  refused, so that its caller knows */
    NATLET_OVERFLOW_DROP_OLD,  /* the oldest mail of the lane makes room */
    NATLET_OVERFLOW_COALESCE,  /* a lane holds the newest mail of each key, in the place of the
                                  older one, also while there is room; mail without a key, or
                                  that asks for an answer, is queued as with REJECT.  A send
                                  looks at all mail of the lane */
    NATLET_OVERFLOW_PAUSE_SRC, /* subscriptions pause when a lane is full, and go on when all
                                  are half empty */
    NATLET_OVERFLOW_FAIL,      /* the agent ends at once, OVERFLOW, as if it was killed; its
                                  mailbox stays full, unless its child says drop_mail */
} natlet_overflow;

typedef struct natlet_overflow_policy natlet_overflow_policy;

extern const natlet_overflow_policy natlet_overflow_drop_new;
extern const natlet_overflow_policy natlet_overflow_drop_old;
extern const natlet_overflow_policy natlet_overflow_coalesce;
extern const natlet_overflow_policy natlet_overflow_pause_src;
extern const natlet_overflow_policy natlet_overflow_fail;

/* Zero is the default.  A place costs one pointer, its mail comes from the cell's
 * pool.  Mail for a lane without places goes to NORMAL. */
typedef struct natlet_mailbox_config {
    uint16_t sys;       /* timers, calls, links and monitors that it can have under way: 8 */
    uint16_t high;      /* 0: no such lane */
    uint16_t normal;    /* 16 */
    uint16_t low;       /* 0: no such lane */
    uint16_t stash;     /* mail that NATLET_STASH can put aside: 16 */
    uint32_t bytes_max; /* subject, reply, headers and payload of all mail in it: 65 536;
                           at most NATLET_MESSAGE_BYTES_LIMIT */
    const natlet_overflow_policy *overflow; /* NULL: REJECT */
    natlet_slice key; /* COALESCE: the header whose value is the key, case-sensitive and
                         borrowed; empty: the subject is */
} natlet_mailbox_config;

typedef struct natlet_mailbox_stats {
    uint16_t used[NATLET_PRIORITIES];     /* queued now, by natlet_priority */
    uint16_t free_min[NATLET_PRIORITIES]; /* fewest places ever free: 0 says "make it larger" */
    uint16_t stash_used;                  /* put aside, or returned and not yet handled */
    uint16_t stash_free_min;              /* fewest places ever free */
    uint32_t bytes;                       /* in it now */
    uint32_t bytes_free_min;              /* fewest ever free */
    uint32_t refused;       /* not taken: E_FULL, E_TOO_LARGE, or a dead letter (DROP_NEW, NATS) */
    uint32_t dropped;       /* taken, and then a dead letter: DROP_OLD */
    uint32_t coalesced;     /* taken, and then replaced: COALESCE */
    uint32_t stash_refused; /* dead letters because the stash was full */
    uint32_t pauses;        /* how often subscriptions were stopped: PAUSE_SRC */
    bool is_paused;         /* they are now */
} natlet_mailbox_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* The policy of a number, for programs that learn it when they run; links them all.
 * NULL: REJECT, or no such number. */
const natlet_overflow_policy *natlet_overflow_of(uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
