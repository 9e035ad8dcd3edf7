/* What a pulled subscription has received and nobody has taken yet, copied.
 *
 * Internal.  Linked by who calls natlet_client_next: subscribe.c, subscriptions.c,
 * waiters.c and drain.c reach it only through a subscription's queue. */
#ifndef NATLET_CLIENT_QUEUE_H
#define NATLET_CLIENT_QUEUE_H

#include <stdbool.h>

#include "base/memory.h"
#include "natlet/client.h"

typedef struct natlet__queue_item natlet__queue_item;

typedef struct natlet__queue {
    natlet__queue_item *first;
    natlet__queue_item **end; /* where the next one is put */
    natlet_subscription_info info;
    uint32_t messages_max, bytes_max;
    bool is_lent; /* the first one */
    bool is_slow; /* a limit was reached, and half of it is not yet free again */
} natlet__queue;

#endif
