/* The table of subscriptions: number to sink in O(1), kept over reconnects.
 *
 *     sid = generation << 20 | slot      slots from 1, so no sid is 0
 *
 * Internal.  The same number is the sid on the wire, for as long as the
 * subscription lives.  The table may move whenever a callback ran: an entry is
 * looked up again after each. */
#ifndef NATLET_CLIENT_SUBSCRIPTIONS_H
#define NATLET_CLIENT_SUBSCRIPTIONS_H

#include <stdbool.h>

#include "base/memory.h"
#include "natlet/client.h"

typedef struct natlet__subscription {
    natlet_sink sink;
    uint8_t *text; /* subject, then queue; NULL: the entry is free */
    uint64_t max;  /* deliveries after which it ends; 0: no bound */
    uint64_t delivered;
    uint64_t delivered_before; /* on earlier connections: the server counts anew */
    uint32_t sid;              /* kept when free, for the generation */
    uint32_t next_free;        /* slot; 0: none */
    uint16_t subject_len, queue_len;
    bool is_draining; /* UNSUB was sent: not subscribed again */
} natlet__subscription;

typedef struct natlet__subscriptions {
    natlet__memory *memory;
    natlet__subscription *list; /* slot s is list[s - 1] */
    uint32_t count, cap, cap_max;
    uint32_t free_slot; /* 0: none */
    uint32_t live;
} natlet__subscriptions;

void natlet__subscriptions_free(natlet__subscriptions *subs);

/* Returns OK, E_LIMIT or E_NO_MEMORY. */
natlet_status natlet__subscriptions_add(natlet__subscriptions *subs, natlet_slice subject,
                                        natlet_slice queue, natlet__subscription **out);

/* NULL if there is none by that number. */
natlet__subscription *natlet__subscriptions_find(const natlet__subscriptions *subs, uint64_t sid);

/* The first live one in a slot behind that of `sid` (0: from the start), or NULL:
 * safe to go on with after any change. */
natlet__subscription *natlet__subscriptions_next(const natlet__subscriptions *subs, uint32_t sid);

/* Frees the entry; its number is not given again soon. */
void natlet__subscriptions_remove(natlet__subscriptions *subs, natlet__subscription *sub);

natlet_slice natlet__subscription_subject(const natlet__subscription *sub);
natlet_slice natlet__subscription_queue(const natlet__subscription *sub);

#endif
