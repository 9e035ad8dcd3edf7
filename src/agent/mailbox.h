/* Four bounded lanes of mail, and a stash.
 *
 * Internal.  All of them are threaded through the heads of the blocks in which the
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
    natlet__lane stash;    /* its first `unstashed` mails can be taken, the others are put aside */
    natlet_mail *returned; /* by put_back: in no lane, and not in `bytes` */
    uint16_t unstashed;
    uint16_t reserved; /* free places of the SYS lane that are promised */
    uint32_t queued;   /* mail that can be taken */
    uint32_t bytes;    /* of all mail in it */
    uint32_t bytes_max;
    uint32_t bytes_used_max;
    uint32_t refused;
    uint32_t dropped;
    uint32_t coalesced;
    uint32_t stash_refused;
    uint32_t pauses;
    bool is_paused; /* no mail comes from subscriptions: see natlet__tie */
} natlet__mailbox;

/* Makes a mailbox of a zeroed one.  Returns how many places it has; 0 if the
 * configuration is out of range. */
uint32_t natlet__mailbox_init(natlet__mailbox *box, const natlet_mailbox_config *config);

/* The lane for mail with this priority. */
natlet__lane *natlet__mailbox_lane(natlet__mailbox *box, uint8_t priority);

/* Whether `bytes` with `priority` (not SYS) find room now.  Returns OK, E_FULL, or
 * E_TOO_LARGE (never). */
natlet_status natlet__mailbox_fits(natlet__mailbox *box, uint8_t priority, uint64_t bytes);

/* The same for mail that is refused otherwise: that is counted. */
natlet_status natlet__mailbox_room(natlet__mailbox *box, uint8_t priority, uint64_t bytes);

/* Appends mail for which there is room. */
void natlet__mailbox_push(natlet__mailbox *box, natlet_mail *mail);

/* Promises a place of the SYS lane to a mail that comes later.  Each promise ends
 * by unreserve or push_reserved.  Returns OK or E_FULL, which is counted. */
natlet_status natlet__mailbox_reserve(natlet__mailbox *box);
void natlet__mailbox_unreserve(natlet__mailbox *box);
void natlet__mailbox_push_reserved(natlet__mailbox *box, natlet_mail *mail);

/* Puts `mail` in the place of `old`, which stands behind `before` in the lane, or first
 * (NULL); `old` is out then. */
void natlet__mailbox_replace(natlet__mailbox *box, natlet__lane *lane, natlet__block *before,
                             natlet_mail *old, natlet_mail *mail);

/* Puts mail that was taken out aside.  False: the stash is full, which is counted. */
bool natlet__mailbox_stash(natlet__mailbox *box, natlet_mail *mail);

/* Lets all that was put aside be taken. */
void natlet__mailbox_unstash(natlet__mailbox *box);

/* Puts the mail that was taken out last, not of SYS, before all other mail but SYS; there
 * is always room for it. */
void natlet__mailbox_put_back(natlet__mailbox *box, natlet_mail *mail);

/* Takes the next mail out: SYS first, then what was put back, then what was unstashed, the
 * other lanes 4 : 2 : 1.  NULL if there is none. */
natlet_mail *natlet__mailbox_take(natlet__mailbox *box);

/* The same of the SYS lane only. */
natlet_mail *natlet__mailbox_take_sys(natlet__mailbox *box);

/* Takes the first mail of a lane that is not empty, or of what was unstashed. */
natlet_mail *natlet__mailbox_take_first(natlet__mailbox *box, natlet__lane *lane);

/* Appends mail for which something else is the bound. */
void natlet__mailbox_append(natlet__mailbox *box, natlet_mail *mail);

/* Takes the first mail of this kind and tag (0: any) out of a lane; NULL: there is none. */
natlet_mail *natlet__mailbox_take_kind(natlet__mailbox *box, natlet_priority lane,
                                       natlet_mail_kind kind, uint32_t tag);

natlet_mailbox_stats natlet__mailbox_stats_now(const natlet__mailbox *box);

#endif
