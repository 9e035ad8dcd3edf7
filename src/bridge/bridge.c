/* A cell's network: the client's messages become mail, the agents' calls become
 * the client's.
 *
 * A subscription belongs to a child of the cell.  The kernel says when that child
 * is gone for good; the client says when the subscription is over, and only then
 * its memory is given back, for until then messages may come. */
#include "natlet/bridge.h"

#include "agent/kernel.h"
#include "bridge/deadline.h"

typedef struct subscription subscription;

struct subscription {
    natlet__link link; /* first: in the bridge's subscriptions, or in no list */
    natlet__tie tie;   /* to the agent */
    natlet_client *client;
    natlet__memory *memory;
    natlet_bridge *bridge; /* not to be used after it went away: `agent` is NULL then */
    natlet__agent *agent;  /* NULL: gone, and the subscription is to end */
    uint32_t sid;
    bool is_draining;
};

struct natlet_bridge {
    natlet__outlet outlet; /* first, so that an outlet is its bridge */
    natlet_cell *cell;
    natlet_client *client;
    natlet__link subscriptions;
    natlet_bridge_stats stats;
};

static natlet_bridge *bridge_of(natlet__outlet *outlet)
{
    return (natlet_bridge *)outlet;
}

/* ---- in ---- */

static uint8_t priority_of(natlet_bridge *bridge, natlet_slice headers)
{
    static const char names[] = "critical\0high\0medium\0normal\0low\0";
    static const uint8_t lanes[] = {NATLET_PRIORITY_HIGH,   NATLET_PRIORITY_HIGH,
                                    NATLET_PRIORITY_NORMAL, NATLET_PRIORITY_NORMAL,
                                    NATLET_PRIORITY_LOW,    NATLET_PRIORITY_NORMAL};
    enum { UNKNOWN = sizeof lanes - 1 };
    natlet_slice name = natlet__field_find(headers, natlet__text("Natlet-Priority"));

    if (name.ptr == NULL) {
        return NATLET_PRIORITY_NORMAL;
    }
    uint32_t which = natlet__word_index(names, name);
    bridge->stats.priority_unknown += which == UNKNOWN;
    return lanes[which];
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
    natlet_mail draft = natlet__mail_of(msg);
    draft.priority = priority_of(bridge, msg->headers);
    draft.call = natlet__deadline_read(bridge->cell, sub->agent, msg->headers);
    natlet_status st =
        natlet__post(bridge->cell, sub->agent, sub->agent->pid, &draft, NATLET_MAIL_NATS, NULL);
    if (st == NATLET_E_NO_AGENT) {
        bridge->stats.in_no_agent++;
    } else if (st < 0) {
        bridge->stats.in_overflow++;
    }
}

/* The agent is gone. */
static void cut_off(natlet_cell *cell, natlet__tie *tie)
{
    void *at = (char *)tie - offsetof(subscription, tie);
    subscription *sub = at;

    (void)cell;
    sub->agent = NULL;
    (void)end_subscription(sub);
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    subscription *sub = self;

    (void)sid;
    (void)why;
    natlet__list_cut(&sub->tie.link);
    if (sub->link.next != NULL) {
        natlet__list_cut(&sub->link);
        sub->bridge->stats.subscriptions--;
    }
    natlet__memory_give_back(sub->memory, sub, sizeof *sub);
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
    sub->bridge = bridge;
    sub->client = bridge->client;
    sub->memory = memory;
    sub->agent = child;
    const natlet_sink sink = {sub, on_message, on_ended};
    natlet_status st = natlet_client_subscribe(bridge->client, &sub->sid, subject, &options, &sink);
    if (st < 0) {
        natlet__memory_give_back(memory, sub, sizeof *sub);
        return st;
    }
    sub->tie.cut = cut_off;
    natlet__list_put(child->holds.next, &sub->tie.link);
    natlet__list_put(bridge->subscriptions.next, &sub->link);
    bridge->stats.subscriptions++;
    if (sid != NULL) {
        *sid = sub->sid;
    }
    return NATLET_OK;
}

natlet_status natlet_bridge_unsubscribe(natlet_bridge *bridge, uint32_t sid)
{
    const natlet__link *all = &bridge->subscriptions;

    for (const natlet__link *at = all->next; at != all; at = at->next) {
        const subscription *sub = (const subscription *)at;
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

/* ---- the end ---- */

static void on_drained(void *self, natlet_status st, uint64_t elapsed_us)
{
    natlet_cell *cell = self;

    (void)st;
    (void)elapsed_us;
    natlet__cell_alarm(cell, &cell->closing.again, 0);
}

/* The client calls back before it is freed, and the cell outlives it. */
static void on_flushed(void *self, natlet_status st, uint64_t elapsed_us)
{
    natlet_cell *cell = self;

    cell->closing.flush = 2;
    on_drained(self, st, elapsed_us);
}

bool natlet__outlet_drain(natlet__outlet *outlet, uint32_t timeout_ms)
{
    natlet_bridge *bridge = bridge_of(outlet);
    const natlet__link *all = &bridge->subscriptions;
    natlet__link *next;

    for (natlet__link *at = all->next; at != all; at = next) {
        subscription *sub = (subscription *)at;
        next = at->next; /* without a connection it ends at once */
        if (!sub->is_draining) {
            sub->is_draining = true;
            natlet_status st = natlet_client_drain_subscription(
                bridge->client, sub->sid, timeout_ms, on_drained, bridge->cell);
            if (st == NATLET_E_FULL) { /* it is asked again in the next turn */
                sub->is_draining = false;
                on_drained(bridge->cell, st, 0);
            }
        }
    }
    return natlet__list_is_empty(all);
}

bool natlet__outlet_flush(natlet__outlet *outlet, uint32_t timeout_ms)
{
    natlet_cell *cell = bridge_of(outlet)->cell;

    if (cell->closing.flush == 0) {
        cell->closing.flush = 1;
        natlet_status st =
            natlet_client_flush(bridge_of(outlet)->client, timeout_ms, on_flushed, cell);
        cell->closing.flush = st < 0 ? 2 : cell->closing.flush;
    }
    return cell->closing.flush == 2;
}

/* ---- requests ---- */

static void on_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    natlet__wait_outlet_ended(self, st, reply);
}

/* Without a bridge the client ends what it still knows. */
static void cancel(natlet_cell *cell, natlet__tie *tie)
{
    natlet__wait *wait = natlet__wait_of(tie);

    natlet__wait_forget(cell, wait);
    if (cell->outlet != NULL) { /* the answer to this frees the wait */
        (void)natlet_client_cancel(bridge_of(cell->outlet)->client, wait->outlet_id);
    }
}

static natlet_status request(natlet_cell *cell, const natlet_msg *msg, uint32_t timeout_ms,
                             uint32_t *ref)
{
    if (cell->running == NULL) {
        return NATLET_E_STATE;
    }
    if (cell->outlet == NULL) {
        return NATLET_E_UNSUPPORTED;
    }
    natlet_bridge *bridge = bridge_of(cell->outlet);
    natlet__wait *wait = natlet__wait_new(cell, cell->running, NATLET_MAIL_REPLY);
    if (wait == NULL) {
        return NATLET_E_FULL;
    }
    void (*drop)(natlet_cell *, natlet__tie *) = wait->tie.cut;
    *ref = wait->ref;
    wait->tie.cut = cancel;
    cell->asked++;
    natlet__deadline_headers whole;
    natlet_msg dated = *msg;
    dated.headers = natlet__deadline_write(cell, msg->headers, timeout_ms, &whole);
    natlet_status st =
        natlet_client_request(bridge->client, &dated, timeout_ms, on_reply, wait, &wait->outlet_id);
    if (st == NATLET_E_HEADERS_UNSUPPORTED && msg->headers.len == 0) {
        st = natlet_client_request(bridge->client, msg, timeout_ms, on_reply, wait,
                                   &wait->outlet_id);
    }
    natlet__deadline_forget(cell, &whole);
    st = count_out(bridge, st);
    if (st < 0) { /* the client does not know it: nothing to cancel there */
        *ref = 0;
        cell->asked--;
        drop(cell, &wait->tie);
    }
    return st;
}

natlet_status natlet_agent_request(natlet_cell *cell, const natlet_msg *msg, uint32_t timeout_ms,
                                   uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    *ref = 0;
    natlet_status st = request(cell, msg, timeout_ms, ref);

    natlet__unlock(cell, was);
    return st;
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
    bridge->outlet = (natlet__outlet){.publish = outlet_publish};
    natlet__list_init(&bridge->subscriptions);
    cell->outlet = &bridge->outlet;
    *out = bridge;
    return NATLET_OK;
}

void natlet_bridge_free(natlet_bridge *bridge)
{
    if (bridge == NULL) {
        return;
    }
    while (!natlet__list_is_empty(&bridge->subscriptions)) {
        subscription *sub = (subscription *)bridge->subscriptions.next;
        natlet__list_cut(&sub->link);
        natlet__list_cut(&sub->tie.link);
        cut_off(bridge->cell, &sub->tie);
    }
    bridge->cell->outlet = NULL;
    natlet__memory_give_back(&bridge->cell->rt->memory, bridge, sizeof *bridge);
}

natlet_bridge_stats natlet_bridge_stats_now(const natlet_bridge *bridge)
{
    return bridge->stats;
}
