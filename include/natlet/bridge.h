/* A bridge gives a cell a network: messages of subscriptions become mail, and
 * what agents publish, request and reply goes out through a client.
 *
 * Make it before the agents need it, and free it before the client and the cell:
 * bridge, client, cell. */
#ifndef NATLET_BRIDGE_H
#define NATLET_BRIDGE_H

#include "natlet/cell.h"
#include "natlet/client.h"

typedef struct natlet_bridge natlet_bridge;

typedef struct natlet_bridge_stats {
    uint64_t in_messages;      /* from subscriptions */
    uint64_t in_copies;        /* made of them for mailboxes: one for each agent that gets it */
    uint64_t in_overflow;      /* of these dead letters, because a mailbox or the pool was full */
    uint64_t in_no_agent;      /* of these dead letters, because the agent was down */
    uint64_t out_messages;     /* published, requested and replied */
    uint64_t out_refused;      /* not taken by the client */
    uint64_t priority_unknown; /* Natlet-Priority headers that say nothing we know */
    uint32_t subscriptions;    /* at the server now; what agents share is one */
} natlet_bridge_stats;

/* What a mail of kind CONNECTION says in its tag. */
typedef enum natlet_connection {
    NATLET_CONNECTION_DOWN,      /* not connected: nobody hears what is published now */
    NATLET_CONNECTION_UP,        /* a server serves */
    NATLET_CONNECTION_LAME_DUCK, /* it still does, but not for long: it is about to shut down, or
                                    the client drains */
    NATLET_CONNECTION_CLOSED,    /* for good, or until the program connects anew */
} natlet_connection;

#ifdef __cplusplus
extern "C" {
#endif

/* Connects the two.  Returns OK, E_STATE (the cell has a bridge), or E_NO_MEMORY;
 * on failure *out is NULL. */
natlet_status natlet_bridge_new(natlet_bridge **out, natlet_cell *cell, natlet_client *client);

/* Unsubscribes everything and frees the bridge.  Not from a handler. */
void natlet_bridge_free(natlet_bridge *bridge);

/* Subscribes an agent: each message becomes a mail of kind NATS in the lane that
 * its header Natlet-Priority names (critical, high; medium, normal; low; in small or
 * capital letters), NORMAL without one.  A message that finds no room is a dead letter, as core
 * NATS has no way to refuse it.  The subscription belongs to the child: it survives restarts, and
 * ends when the child is gone for good.
 *
 * Agents that subscribe the same subject, or one agent twice, share one subscription of
 * the client, and each gets a mail of its own.  With the same `queue` too they are
 * members of that group in one place: each message goes to one of them, in turn.
 *
 * `queue` may be empty; *sid (may be NULL) is for natlet_bridge_unsubscribe.
 * Returns E_NO_AGENT, else as natlet_client_subscribe. */
natlet_status natlet_bridge_subscribe(natlet_bridge *bridge, natlet_pid agent, natlet_slice subject,
                                      natlet_slice queue, uint32_t *sid);

/* Ends a subscription at once; the others that share it go on.  Returns OK or
 * E_NOT_FOUND. */
natlet_status natlet_bridge_unsubscribe(natlet_bridge *bridge, uint32_t sid);

/* Tells the agent, best in its init, how the connection is: once now, and then with each
 * change, by a mail of kind CONNECTION: `tag` is a natlet_connection, `status` why (OK, or
 * what the client says), `seq` how often it has connected, so that who finds it grown by
 * more than it saw knows of a gap.  The place of that mail in the SYS lane is reserved:
 * none is refused, and one that is unread says the newest state.  It ends with the
 * incarnation, or with the bridge.  Once or twice is the same.
 *
 * Returns OK; E_NO_AGENT; E_FULL (no place in its SYS lane); E_NO_MEMORY. */
natlet_status natlet_bridge_watch(natlet_bridge *bridge, natlet_pid pid);

natlet_bridge_stats natlet_bridge_stats_now(const natlet_bridge *bridge);

#ifdef __cplusplus
}
#endif

#endif
