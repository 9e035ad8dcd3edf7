/* A mailbox is a bounded queue of mail that exactly one agent reads: four lanes,
 * bounded by count each and by bytes together.
 *
 * A full one refuses, and the sender hears of it (E_FULL): nothing is dropped
 * from a mailbox to make room.  It belongs to the child and not to its present
 * incarnation, so what is queued survives a restart. */
#ifndef NATLET_MAILBOX_H
#define NATLET_MAILBOX_H

#include "natlet/mail.h"

#define NATLET_MAILBOX_SYS_DEFAULT 8u
#define NATLET_MAILBOX_NORMAL_DEFAULT 16u
#define NATLET_MAILBOX_BYTES_DEFAULT 65536u

/* Zero is the default.  A place costs one pointer, its mail comes from the cell's
 * pool.  Mail for a lane without places goes to NORMAL. */
typedef struct natlet_mailbox_config {
    uint16_t sys;       /* timers, calls, links and monitors that it can have under way: 8 */
    uint16_t high;      /* 0: no such lane */
    uint16_t normal;    /* 16 */
    uint16_t low;       /* 0: no such lane */
    uint32_t bytes_max; /* subject, reply, headers and payload of all queued mail: 65 536;
                           at most NATLET_MESSAGE_BYTES_LIMIT */
} natlet_mailbox_config;

typedef struct natlet_mailbox_stats {
    uint16_t used[NATLET_PRIORITIES];     /* queued now, by natlet_priority */
    uint16_t free_min[NATLET_PRIORITIES]; /* fewest places ever free: 0 says "make it larger" */
    uint32_t bytes;                       /* queued now */
    uint32_t refused;                     /* mail that found no room */
} natlet_mailbox_stats;

#endif
