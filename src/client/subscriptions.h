/* The table of subscriptions, kept over reconnects.
 *
 * Internal.  A number is the sid on the wire, for as long as the subscription
 * lives; it has 32 bits, so it comes back after 4096 uses of its slot. */
#ifndef NATLET_CLIENT_SUBSCRIPTIONS_H
#define NATLET_CLIENT_SUBSCRIPTIONS_H

#include <stdbool.h>

#include "client/roster.h"
#include "natlet/client.h"

typedef struct natlet__queue natlet__queue;

typedef struct natlet__subscription {
    natlet__member member; /* first */
    natlet_sink sink;
    natlet__queue *queue; /* of a pulled one (queue.h), else NULL */
    uint8_t *text;        /* subject, or subject, blank and queue: as in a SUB */
    uint32_t len;
    uint32_t sid;
    bool is_draining; /* UNSUB was sent: not subscribed again */
    bool is_over;     /* all came, and what is in the queue has still to be taken */
    uint64_t delivered;
    uint64_t last;             /* so many deliveries come before the last; UINT64_MAX: no bound */
    uint64_t delivered_before; /* on earlier connections: the server counts anew */
} natlet__subscription;

/* Makes it empty, as natlet__roster_init. */
static inline void natlet__subscriptions_init(natlet__roster *subs, natlet__memory *memory,
                                              uint32_t max)
{
    natlet__roster_init(subs, memory, sizeof(natlet__subscription), max);
}

void natlet__subscriptions_free(natlet__roster *subs);

/* NULL: natlet__roster_refusal says why. */
natlet__subscription *natlet__subscriptions_add(natlet__roster *subs, natlet_slice subject,
                                                natlet_slice queue);

/* NULL if there is none by that number. */
natlet__subscription *natlet__subscriptions_find(const natlet__roster *subs, uint64_t sid);

/* Frees the member; its number is not given again soon. */
void natlet__subscriptions_remove(natlet__roster *subs, natlet__subscription *sub);

#endif
