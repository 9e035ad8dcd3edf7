/* The inside of a bridge, shared by the files of this folder.
 *
 * Internal.  What an agent subscribes is a taker; takers of one subject and queue share
 * a feed, which is one subscription of the client. */
#ifndef NATLET_BRIDGE_BRIDGE_H
#define NATLET_BRIDGE_BRIDGE_H

#include "agent/kernel.h"
#include "natlet/bridge.h"

typedef struct natlet__feed natlet__feed;
typedef struct natlet__taker natlet__taker;
typedef struct natlet__extra natlet__extra;

struct natlet__feed {
    natlet__link link; /* first: in the bridge's feeds, or in no list */
    natlet__link takers;
    natlet_bridge *bridge; /* to be used while there are takers */
    natlet_client *client;
    natlet__memory *memory;
    uint32_t sid;
    uint32_t count; /* of takers, and one while it delivers; 0: it is to end */
    uint32_t left;  /* of a delivery: so many of the first takers have still to get it */
    bool is_queue;  /* one taker gets a message, not all */
    bool is_draining;
};

/* One block: this, subject and queue. */
struct natlet__taker {
    natlet__link link; /* first: in its feed's takers */
    natlet__tie tie;   /* to the agent */
    natlet__feed *feed;
    natlet__agent *agent;
    natlet_slice subject, queue;
    uint32_t number; /* for natlet_bridge_unsubscribe; 0: nobody asked for one */
};

/* A part of a bridge that not every program has: it ends with the bridge, the last one
 * first, for each may stand in front of what was there before it. */
struct natlet__extra {
    natlet__extra *next;
    void (*end)(natlet_bridge *bridge, natlet__extra *extra);
    /* The cell shuts down: nothing new is to come here.  NULL: it does not matter. */
    void (*drain)(natlet_bridge *bridge, natlet__extra *extra);
};

struct natlet_bridge {
    natlet__outlet outlet; /* first, so that an outlet is its bridge */
    natlet_cell *cell;
    natlet_client *client;
    natlet__link feeds;
    natlet__feed stopped; /* takers that wait until their mailbox is half empty, see pause */
    natlet__alarm again;  /* some could not go on */
    natlet__extra *extras;
    bool is_draining;
    uint32_t numbers; /* handed out */
    natlet_bridge_stats stats;
};

/* The extra that ends so, if there is one. */
static inline natlet__extra *natlet__extra_find(const natlet_bridge *bridge,
                                                void (*end)(natlet_bridge *bridge,
                                                            natlet__extra *extra))
{
    natlet__extra *extra = bridge->extras;

    while (extra != NULL && extra->end != end) {
        extra = extra->next;
    }
    return extra;
}

/* Counts what was published, or refused. */
static inline void natlet__bridge_count_out(natlet_bridge *bridge, natlet_status st)
{
    if (st == NATLET_OK) {
        bridge->stats.out_messages++;
    } else {
        bridge->stats.out_refused++;
    }
}

static inline void natlet__extra_add(natlet_bridge *bridge, natlet__extra *extra,
                                     void (*end)(natlet_bridge *bridge, natlet__extra *extra))
{
    *extra = (natlet__extra){.next = bridge->extras, .end = end};
    bridge->extras = extra;
}

#endif
