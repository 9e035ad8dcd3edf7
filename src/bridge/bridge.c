/* A cell's network: the client's messages become mail, the agents' calls become
 * the client's.
 *
 * A subscription belongs to a child of the cell.  The kernel says when that child
 * is gone for good; the client says when the subscription is over, and only then
 * its memory is given back, for until then messages may come. */
#include "natlet/bridge.h"

#include "agent/kernel.h"
#include "natlet/headers.h"

typedef struct subscription subscription;

struct subscription {
    subscription *next, *prev;
    natlet_client *client;
    natlet__memory *memory;
    natlet_bridge *bridge; /* NULL: it went away before the client let go */
    natlet__agent *agent;  /* NULL: gone, and the subscription is to end */
    uint32_t sid;
};

struct natlet_bridge {
    natlet__outlet outlet; /* first, so that an outlet is its bridge */
    natlet_cell *cell;
    natlet_client *client;
    subscription *subscriptions;
    natlet_bridge_stats stats;
};

static natlet_bridge *bridge_of(natlet__outlet *outlet)
{
    return (natlet_bridge *)outlet;
}

/* ---- in ---- */

static const struct {
    natlet_slice text;
    natlet_priority priority;
} priorities[] = {
    {NATLET_TEXT("critical"), NATLET_PRIORITY_HIGH},
    {NATLET_TEXT("high"), NATLET_PRIORITY_HIGH},
    {NATLET_TEXT("medium"), NATLET_PRIORITY_NORMAL},
    {NATLET_TEXT("normal"), NATLET_PRIORITY_NORMAL},
    {NATLET_TEXT("low"), NATLET_PRIORITY_LOW},
};

static natlet_priority priority_of(natlet_bridge *bridge, const natlet_msg *msg)
{
    static const natlet_slice key = NATLET_TEXT("Natlet-Priority");
    natlet_slice value;

    if (msg->headers.len == 0 || !natlet_headers_get(msg->headers, key, &value)) {
        return NATLET_PRIORITY_NORMAL;
    }
    for (size_t i = 0; i < sizeof priorities / sizeof *priorities; i++) {
        if (natlet__equal(priorities[i].text, value)) {
            return priorities[i].priority;
        }
    }
    bridge->stats.priority_unknown++;
    return NATLET_PRIORITY_NORMAL;
}

/* The client may have no room for an UNSUB right now; then the next message asks
 * again. */
static natlet_status end_subscription(const subscription *sub)
{
    return natlet_client_unsubscribe(sub->client, sub->sid, 0);
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    subscription *sub = self;
    natlet_bridge *bridge = sub->bridge;

    (void)sid;
    if (sub->agent == NULL) {
        (void)end_subscription(sub);
        return;
    }
    bridge->stats.in_messages++;
    natlet_status st =
        natlet__post_message(bridge->cell, sub->agent, msg, priority_of(bridge, msg));
    if (st == NATLET_E_NO_AGENT) {
        bridge->stats.in_no_agent++;
    } else if (st < 0) {
        bridge->stats.in_overflow++;
    }
}

static void leave(subscription *sub)
{
    natlet_bridge *bridge = sub->bridge;

    if (bridge == NULL) {
        return;
    }
    if (sub->prev != NULL) {
        sub->prev->next = sub->next;
    } else {
        bridge->subscriptions = sub->next;
    }
    if (sub->next != NULL) {
        sub->next->prev = sub->prev;
    }
    bridge->stats.subscriptions--;
    sub->bridge = NULL;
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    subscription *sub = self;

    (void)sid;
    (void)why;
    leave(sub);
    natlet__memory_give_back(sub->memory, sub, sizeof *sub);
}

static void join(natlet_bridge *bridge, subscription *sub)
{
    sub->bridge = bridge;
    sub->next = bridge->subscriptions;
    if (sub->next != NULL) {
        sub->next->prev = sub;
    }
    bridge->subscriptions = sub;
    bridge->stats.subscriptions++;
}

natlet_status natlet_bridge_subscribe(natlet_bridge *bridge, natlet_pid agent, natlet_slice subject,
                                      natlet_slice queue, uint32_t *sid)
{
    natlet__memory *memory = &bridge->cell->rt->memory;
    natlet__agent *child = natlet__registry_at(bridge->cell, agent);
    const natlet_subscribe_options options = {.queue = queue};

    if (child == NULL || natlet__is_supervisor(child)) {
        return NATLET_E_NO_AGENT;
    }
    subscription *sub = natlet__memory_take(memory, sizeof *sub);
    if (sub == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    sub->client = bridge->client;
    sub->memory = memory;
    sub->agent = child;
    const natlet_sink sink = {sub, on_message, on_ended};
    natlet_status st = natlet_client_subscribe(bridge->client, &sub->sid, subject, &options, &sink);
    if (st < 0) {
        natlet__memory_give_back(memory, sub, sizeof *sub);
        return st;
    }
    join(bridge, sub);
    if (sid != NULL) {
        *sid = sub->sid;
    }
    return NATLET_OK;
}

natlet_status natlet_bridge_unsubscribe(natlet_bridge *bridge, uint32_t sid)
{
    for (const subscription *sub = bridge->subscriptions; sub != NULL; sub = sub->next) {
        if (sub->sid == sid) {
            return end_subscription(sub);
        }
    }
    return NATLET_E_NOT_FOUND;
}

/* ---- out ---- */

static natlet_status count_out(natlet_bridge *bridge, natlet_status st)
{
    if (st == NATLET_OK) {
        bridge->stats.out_messages++;
    } else {
        bridge->stats.out_refused++;
    }
    return st;
}

static natlet_status outlet_publish(natlet__outlet *outlet, const natlet_msg *msg)
{
    natlet_bridge *bridge = bridge_of(outlet);

    return count_out(bridge, natlet_client_publish(bridge->client, msg));
}

static void on_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    natlet__wait_outlet_ended(self, st, reply);
}

static natlet_status outlet_request(natlet__outlet *outlet, natlet__wait *wait,
                                    const natlet_msg *msg, uint32_t timeout_ms)
{
    natlet_bridge *bridge = bridge_of(outlet);

    return count_out(bridge, natlet_client_request(bridge->client, msg, timeout_ms, on_reply, wait,
                                                   &wait->outlet_id));
}

static void outlet_cancel(natlet__outlet *outlet, natlet__wait *wait)
{
    (void)natlet_client_cancel(bridge_of(outlet)->client, wait->outlet_id);
}

/* Ending one may free it, but no other. */
static void outlet_gone(natlet__outlet *outlet, const natlet__agent *agent)
{
    subscription *next;

    for (subscription *sub = bridge_of(outlet)->subscriptions; sub != NULL; sub = next) {
        next = sub->next;
        if (sub->agent == agent) {
            sub->agent = NULL;
            (void)end_subscription(sub);
        }
    }
}

/* ---- life ---- */

natlet_status natlet_bridge_new(natlet_bridge **out, natlet_cell *cell, natlet_client *client)
{
    *out = NULL;
    if (cell->outlet != NULL) {
        return NATLET_E_STATE;
    }
    natlet_bridge *bridge = natlet__memory_take(&cell->rt->memory, sizeof *bridge);
    if (bridge == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    bridge->cell = cell;
    bridge->client = client;
    bridge->outlet = (natlet__outlet){.publish = outlet_publish,
                                      .request = outlet_request,
                                      .cancel = outlet_cancel,
                                      .gone = outlet_gone};
    natlet__cell_set_outlet(cell, &bridge->outlet);
    *out = bridge;
    return NATLET_OK;
}

void natlet_bridge_free(natlet_bridge *bridge)
{
    if (bridge == NULL) {
        return;
    }
    while (bridge->subscriptions != NULL) {
        subscription *sub = bridge->subscriptions;
        sub->agent = NULL;
        leave(sub);
        (void)end_subscription(sub);
    }
    natlet__cell_set_outlet(bridge->cell, NULL);
    natlet__memory_give_back(&bridge->cell->rt->memory, bridge, sizeof *bridge);
}

natlet_bridge_stats natlet_bridge_stats_now(const natlet_bridge *bridge)
{
    return bridge->stats;
}
