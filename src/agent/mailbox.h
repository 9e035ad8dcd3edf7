/* Four bounded lanes of mail.
 *
 * Internal.  The lanes are threaded through the heads of the blocks in which the
 * mail lies; both are the cell's.  Nothing here allocates or copies mail. */
#ifndef NATLET_AGENT_MAILBOX_H
#define NATLET_AGENT_MAILBOX_H

#include "agent/pool.h"
#include "natlet/mailbox.h"

typedef struct natlet__lane {
    natlet__block *first, *last; /* of `used`; the head of a block of mail */
    uint16_t cap;
    uint16_t used;
    uint16_t used_max; /* promised places included */
    uint8_t credit;    /* mail that it may still give in this round */
} natlet__lane;

typedef struct natlet__mailbox {
    natlet__lane lanes[NATLET_PRIORITIES];
    natlet_mail *returned; /* by put_back: in no lane, and not in `bytes` */
    uint16_t reserved;     /* free places of the SYS lane that are promised */
    uint32_t queued;       /* mail in all lanes, and `returned` */
    uint32_t bytes;
    uint32_t bytes_max;
    uint32_t refused;
} natlet__mailbox;

/* Makes a mailbox of a zeroed one.  Returns how many places it has; 0 if the
 * configuration is out of range. */
uint32_t natlet__mailbox_init(natlet__mailbox *box, const natlet_mailbox_config *config);

/* Whether `bytes` with `priority` (not SYS) find room now; a refusal is counted.
 * Returns OK, E_FULL, or E_TOO_LARGE (never). */
natlet_status natlet__mailbox_room(natlet__mailbox *box, uint8_t priority, uint64_t bytes);

/* Appends mail for which there is room. */
void natlet__mailbox_push(natlet__mailbox *box, natlet_mail *mail);

/* Promises a place of the SYS lane to a mail that comes later.  Each promise ends
 * by unreserve or push_reserved.  Returns OK or E_FULL, which is counted. */
natlet_status natlet__mailbox_reserve(natlet__mailbox *box);
void natlet__mailbox_unreserve(natlet__mailbox *box);
void natlet__mailbox_push_reserved(natlet__mailbox *box, natlet_mail *mail);

/* Puts the mail that was taken out last, not of SYS, before all other mail but SYS; there
 * is always room for it. */
void natlet__mailbox_put_back(natlet__mailbox *box, natlet_mail *mail);

/* Takes the next mail out: SYS first, then what was put back, the other lanes 4 : 2 : 1.
 * NULL if there is none. */
natlet_mail *natlet__mailbox_take(natlet__mailbox *box);

/* The same of the SYS lane only. */
natlet_mail *natlet__mailbox_take_sys(natlet__mailbox *box);

natlet_mailbox_stats natlet__mailbox_stats_now(const natlet__mailbox *box);

#endif
