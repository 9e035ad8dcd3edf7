/* A cell's network: the client's messages become mail, the agents' calls become
 * the client's.
 *
 * A taker belongs to a child of the cell, and the kernel says when that child is gone
 * for good.  A feed belongs to the client: it says when the subscription is over, and
 * only then the memory is given back, for until then messages may come. */
#include "bridge/bridge.h"
#include "base/optional.h"
#include "bridge/deadline.h"

NATLET__OPTIONAL(natlet_drop_expired)

static natlet_bridge *bridge_of(natlet__outlet *outlet)
{
    return (natlet_bridge *)outlet;
}

/* ---- in ---- */

static uint8_t priority_of(natlet_bridge *bridge, natlet_slice headers)
{
    /* Two for each lane, in the order of the lanes. */
    static const char names[] = "normal\0medium\0high\0critical\0low\0";
    enum { UNKNOWN = 5 };
    natlet_slice name = natlet__field_find(headers, natlet__text("Natlet-Priority"));

    if (name.ptr == NULL) {
        return NATLET_PRIORITY_NORMAL;
    }
    uint32_t which = natlet__word_index(names, name);
    if (which == UNKNOWN) {
        bridge->stats.priority_unknown++;
        return NATLET_PRIORITY_NORMAL;
    }
    return (uint8_t)(which / 2);
}

/* The client may have no room for an UNSUB right now; then the next message asks
 * again. */
static void end_feed(const natlet__feed *feed)
{
    (void)natlet_client_unsubscribe(feed->client, feed->sid, 0);
}

/* Copies the message into the mailbox of whose turn it is. */
static void deliver(natlet__feed *feed, natlet_mail *draft)
{
    natlet_bridge_stats *stats = &feed->bridge->stats;
    natlet_cell *cell = feed->bridge->cell;
    natlet__taker *taker = (natlet__taker *)feed->takers.next;
    natlet__agent *agent = taker->agent;
    const natlet_expiry *expiry = agent->child.expiry;

    natlet__list_cut(&taker->link);
    natlet__list_put(&feed->takers, &taker->link);
    stats->in_copies++;
    draft->call = expiry != NULL && NATLET__IS_LINKED(natlet_drop_expired)
                      ? expiry->deadline(cell, draft->headers)
                      : 0;
    natlet_status st = natlet__post(cell, agent, agent->pid, draft, NATLET_MAIL_NATS, NULL);
    if (st == NATLET_E_NO_AGENT) {
        stats->in_no_agent++;
    } else if (st < 0) {
        stats->in_overflow++;
    }
}

/* To all takers, or to one.  They may leave meanwhile. */
static void hand_out(natlet__feed *feed, const natlet_msg *msg)
{
    natlet_mail draft;

    natlet__mail_draft(&draft, msg);
    feed->bridge->stats.in_messages++;
    draft.priority = priority_of(feed->bridge, msg->headers);
    feed->left = feed->is_queue ? 1 : feed->count;
    feed->count++;
    while (feed->left > 0) {
        feed->left--;
        deliver(feed, &draft);
    }
    feed->count--;
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    natlet__feed *feed = self;

    (void)sid;
    if (feed->count > 0) {
        hand_out(feed, msg);
    }
    if (feed->count == 0) {
        end_feed(feed);
    }
}

/* Takes the taker out of its feed.  If that delivers now, the first `left` takers have
 * still to get the message. */
static natlet__feed *leave(natlet__taker *taker)
{
    natlet__feed *feed = taker->feed;
    const natlet__link *at = feed->takers.next;
    uint32_t before = 0;

    while (at != &taker->link) {
        at = at->next;
        before++;
    }
    feed->left -= before < feed->left;
    feed->count--;
    natlet__list_cut(&taker->link);
    return feed;
}

static void free_taker(natlet__taker *taker)
{
    const natlet__feed *feed = leave(taker);

    natlet__list_cut(&taker->tie.link);
    natlet__memory_give_back(feed->memory, taker,
                             sizeof *taker + taker->subject.len + taker->queue.len);
}

static void end_if_empty(const natlet__feed *feed)
{
    if (feed->count == 0) {
        end_feed(feed);
    }
}

static void end_taker(natlet__taker *taker)
{
    const natlet__feed *feed = taker->feed;

    free_taker(taker);
    end_if_empty(feed);
}

/* The agent is gone. */
static void cut_off(natlet_cell *cell, natlet__tie *tie)
{
    void *at = (char *)tie - offsetof(natlet__taker, tie);

    (void)cell;
    end_taker(at);
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    natlet__feed *feed = self;

    (void)sid;
    (void)why;
    while (feed->count > 0) {
        free_taker((natlet__taker *)feed->takers.next);
    }
    if (feed->link.next != NULL) {
        natlet__list_cut(&feed->link);
        feed->bridge->stats.subscriptions--;
    }
    natlet__memory_give_back(feed->memory, feed, sizeof *feed);
}

/* The feed that such a taker joins, or NULL.  What is to end has no taker to compare
 * with. */
static natlet__feed *find_feed(const natlet_bridge *bridge, const natlet__taker *taker)
{
    const natlet__link *all = &bridge->feeds;

    for (natlet__link *at = all->next; at != all; at = at->next) {
        natlet__feed *feed = (natlet__feed *)at;
        const natlet__taker *other = (natlet__taker *)feed->takers.next;
        if (feed->sid != 0 && feed->count > 0 && natlet__equal(other->subject, taker->subject) &&
            natlet__equal(other->queue, taker->queue)) {
            return feed;
        }
    }
    return NULL;
}

static natlet_status open_feed(natlet_bridge *bridge, const natlet__taker *taker,
                               natlet__feed **out)
{
    natlet__memory *memory = &bridge->cell->rt->memory;
    const natlet_subscribe_options options = {.queue = taker->queue};
    natlet__feed *feed = natlet__memory_take(memory, sizeof *feed);

    if (feed == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    feed->bridge = bridge;
    feed->client = bridge->client;
    feed->memory = memory;
    feed->is_queue = taker->queue.len > 0;
    natlet__list_init(&feed->takers);
    const natlet_sink sink = {feed, on_message, on_ended};
    natlet_status st =
        natlet_client_subscribe(bridge->client, &feed->sid, taker->subject, &options, &sink);
    if (st < 0) {
        natlet__memory_give_back(memory, feed, sizeof *feed);
        return st;
    }
    natlet__list_put(&bridge->feeds, &feed->link);
    bridge->stats.subscriptions++;
    *out = feed;
    return NATLET_OK;
}

static natlet__taker *find_taker(const natlet_bridge *bridge, uint32_t number)
{
    const natlet__link *all = &bridge->feeds;

    for (const natlet__link *at = all->next; at != all; at = at->next) {
        const natlet__link *takers = &((const natlet__feed *)at)->takers;
        for (natlet__link *one = takers->next; one != takers; one = one->next) {
            if (((natlet__taker *)one)->number == number) {
                return (natlet__taker *)one;
            }
        }
    }
    return NULL;
}

/* The first one of a feed has its sid, unless another one has that. */
static uint32_t number_taker(natlet_bridge *bridge, natlet__taker *taker)
{
    uint32_t number = taker->feed->count == 1 ? taker->feed->sid : 0;

    while (number == 0 || find_taker(bridge, number) != NULL) {
        number = ++bridge->numbers;
    }
    taker->number = number;
    return number;
}

/* Gives the taker a place in a feed, which may have to be made. */
static natlet_status join(natlet_bridge *bridge, natlet__taker *taker)
{
    natlet__feed *feed = find_feed(bridge, taker);

    if (feed == NULL) {
        natlet_status st = open_feed(bridge, taker, &feed);
        if (st < 0) {
            return st;
        }
    }
    taker->feed = feed;
    feed->count++;
    natlet__list_put(&feed->takers, &taker->link);
    return NATLET_OK;
}

natlet_status natlet_bridge_subscribe(natlet_bridge *bridge, natlet_pid agent, natlet_slice subject,
                                      natlet_slice queue, uint32_t *sid)
{
    natlet__memory *memory = &bridge->cell->rt->memory;
    natlet__agent *child = natlet__registry_at(bridge->cell, agent);

    if (child == NULL || natlet__is_supervisor(child)) {
        return NATLET_E_NO_AGENT;
    }
    size_t bytes = sizeof(natlet__taker) + subject.len + queue.len;
    natlet__taker *taker = natlet__memory_take(memory, bytes);
    if (taker == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    uint8_t *text = (uint8_t *)(taker + 1);
    taker->agent = child;
    taker->subject = (natlet_slice){text, subject.len};
    taker->queue = (natlet_slice){natlet__put(text, subject), queue.len};
    (void)natlet__put(text + subject.len, queue);
    natlet_status st = join(bridge, taker);
    if (st < 0) {
        natlet__memory_give_back(memory, taker, bytes);
        return st;
    }
    taker->tie.cut = cut_off;
    natlet__list_put(child->holds.next, &taker->tie.link);
    if (sid != NULL) {
        *sid = number_taker(bridge, taker);
    }
    return NATLET_OK;
}

natlet_status natlet_bridge_unsubscribe(natlet_bridge *bridge, uint32_t sid)
{
    natlet__taker *taker = sid != 0 ? find_taker(bridge, sid) : NULL;

    if (taker == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    end_taker(taker);
    return NATLET_OK;
}

/* ---- pause ---- */

static void halt(natlet_bridge *bridge, natlet__taker *taker)
{
    natlet__feed *stopped = &bridge->stopped;

    if (stopped->link.next == NULL) { /* the first time */
        *stopped = (natlet__feed){.bridge = bridge, .client = bridge->client};
        stopped->memory = &bridge->cell->rt->memory;
        natlet__list_init(&stopped->takers);
        natlet__list_put(&bridge->feeds, &stopped->link);
    }
    taker->feed = stopped;
    stopped->count++;
    natlet__list_put(&stopped->takers, &taker->link);
}

static void try_again(natlet_cell *cell, natlet__alarm *alarm);

/* What the client has no room for is tried again; what it never takes any more is over. */
static void go_on(natlet_bridge *bridge, natlet__taker *taker)
{
    enum { AGAIN_MS = 50 };

    end_if_empty(leave(taker));
    natlet_status st = join(bridge, taker);
    if (st < 0) {
        bool is_over = st != NATLET_E_FULL && st != NATLET_E_NO_MEMORY && st != NATLET_E_LIMIT;
        halt(bridge, taker);
        if (is_over) {
            end_taker(taker);
        } else {
            bridge->again.ring = try_again;
            natlet__cell_alarm(bridge->cell, &bridge->again, AGAIN_MS);
        }
    }
}

static void try_again(natlet_cell *cell, natlet__alarm *alarm)
{
    void *at = (char *)alarm - offsetof(natlet_bridge, again);
    natlet_bridge *bridge = at;
    natlet__link *takers = &bridge->stopped.takers;
    uint32_t left = bridge->stopped.count;

    (void)cell;
    for (natlet__link *one = takers->next; left > 0; left--) {
        natlet__taker *taker = (natlet__taker *)one;
        one = one->next;
        if (!taker->agent->mailbox.is_paused) {
            go_on(bridge, taker);
        }
    }
}

void natlet__outlet_flow(natlet__tie *tie, bool stop)
{
    void *at = (char *)tie - offsetof(natlet__taker, tie);
    natlet__taker *taker = at;

    if (tie->cut != cut_off) {
        return;
    }
    natlet_bridge *bridge = taker->feed->bridge;
    bool is_stopped = taker->feed == &bridge->stopped;
    if (stop && !is_stopped) {
        end_if_empty(leave(taker));
        halt(bridge, taker);
    } else if (!stop && is_stopped) {
        go_on(bridge, taker);
    }
}

/* ---- out ---- */

static natlet_status count_out(natlet_bridge *bridge, natlet_status st)
{
    natlet__bridge_count_out(bridge, st);
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

static void drain_feed(natlet__feed *feed, uint32_t timeout_ms)
{
    natlet_cell *cell = feed->bridge->cell;

    feed->is_draining = true;
    natlet_status st =
        natlet_client_drain_subscription(feed->client, feed->sid, timeout_ms, on_drained, cell);
    if (st == NATLET_E_FULL) { /* it is asked again in the next turn */
        feed->is_draining = false;
        on_drained(cell, st, 0);
    }
}

static void drain_extras(natlet_bridge *bridge)
{
    for (natlet__extra *extra = bridge->extras; extra != NULL; extra = extra->next) {
        if (extra->drain != NULL) {
            extra->drain(bridge, extra);
        }
    }
}

/* What is paused is over: nothing comes from it any more. */
bool natlet__outlet_drain(natlet__outlet *outlet, uint32_t timeout_ms)
{
    natlet_bridge *bridge = bridge_of(outlet);
    natlet__feed *stopped = &bridge->stopped;
    const natlet__link *all = &bridge->feeds;
    natlet__link *next;

    if (!bridge->is_draining) {
        bridge->is_draining = true;
        drain_extras(bridge);
    }
    while (stopped->count > 0) {
        free_taker((natlet__taker *)stopped->takers.next);
    }
    for (natlet__link *at = all->next; at != all; at = next) {
        natlet__feed *feed = (natlet__feed *)at;
        next = at->next; /* without a connection it ends at once */
        if (feed != stopped && !feed->is_draining) {
            drain_feed(feed, timeout_ms);
        }
    }
    return bridge->stats.subscriptions == 0;
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
    natlet__list_init(&bridge->feeds);
    cell->outlet = &bridge->outlet;
    *out = bridge;
    return NATLET_OK;
}

void natlet_bridge_free(natlet_bridge *bridge)
{
    if (bridge == NULL) {
        return;
    }
    while (bridge->extras != NULL) {
        natlet__extra *extra = bridge->extras;
        bridge->extras = extra->next;
        extra->end(bridge, extra);
    }
    while (!natlet__list_is_empty(&bridge->feeds)) {
        natlet__feed *feed = (natlet__feed *)bridge->feeds.next;
        natlet__list_cut(&feed->link);
        while (feed->count > 0) {
            free_taker((natlet__taker *)feed->takers.next);
        }
        end_feed(feed);
    }
    natlet__timers_stop(&bridge->cell->timers, &bridge->again.timer);
    bridge->cell->outlet = NULL;
    natlet__memory_give_back(&bridge->cell->rt->memory, bridge, sizeof *bridge);
}

natlet_bridge_stats natlet_bridge_stats_now(const natlet_bridge *bridge)
{
    return bridge->stats;
}
