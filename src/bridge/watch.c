/* The state of the connection as mail.
 *
 * A watch belongs to an incarnation.  Its mail has a place of the SYS lane that is
 * reserved before there is anything to say; while a mail of it is unread there, news is
 * written into that one, so a watch never takes more than one place and the last state
 * always gets through.  Where pool or lane have no room right now it is tried again. */
#include "bridge/bridge.h"
#include "client/onlooker.h"

enum { AGAIN_MS = 20 };

typedef struct watch {
    natlet__link link; /* first: in the board's watches */
    natlet__tie tie;   /* to the agent's incarnation */
    natlet__alarm alarm;
    struct board *board;
    natlet__agent *agent;
    bool has_place;
} watch;

/* One for a bridge. */
typedef struct board {
    natlet__extra extra; /* first */
    natlet_bridge *bridge;
    natlet__link watches;
    natlet_connection state;
    natlet_status status;
    natlet__onlooker onlooker;
} board;

/* ---- mail ---- */

static natlet_mail *find_unread(const natlet__agent *agent)
{
    const natlet__lane *sys = &agent->mailbox.lanes[NATLET_PRIORITY_SYS];
    natlet__block *block = sys->first;

    for (uint32_t i = 0; i < sys->used; i++) {
        natlet_mail *mail = (natlet_mail *)(block + 1);
        if (mail->kind == NATLET_MAIL_CONNECTION) {
            return mail;
        }
        block = block->next;
    }
    return NULL;
}

static void fill(const board *b, natlet_mail *mail)
{
    mail->tag = (uint32_t)b->state;
    mail->status = b->status;
    mail->seq = natlet_client_stats_now(b->bridge->client).connects;
}

static bool reserve(watch *w)
{
    w->has_place = w->has_place || natlet__mailbox_reserve(&w->agent->mailbox) == NATLET_OK;
    return w->has_place;
}

static void tell(watch *w)
{
    static const natlet_mail draft;
    natlet_cell *cell = w->board->bridge->cell;
    natlet_mail *mail = find_unread(w->agent);

    if (mail != NULL) {
        fill(w->board, mail);
        return;
    }
    mail =
        reserve(w) ? natlet__mail_new(cell, w->agent->pid, &draft, NATLET_MAIL_CONNECTION) : NULL;
    if (mail == NULL) {
        natlet__cell_alarm(cell, &w->alarm, AGAIN_MS);
        return;
    }
    natlet__timers_stop(&cell->timers, &w->alarm.timer);
    mail->from = 0;
    fill(w->board, mail);
    natlet__post_reserved(cell, w->agent, mail);
    w->has_place = false;
    (void)reserve(w); /* for the next one */
}

static void ring(natlet_cell *cell, natlet__alarm *alarm)
{
    void *at = (char *)alarm - offsetof(watch, alarm);

    (void)cell;
    tell(at);
}

/* ---- the client ---- */

static natlet_connection connection_of(natlet_client_state state)
{
    switch (state) {
    case NATLET_CLIENT_CONNECTED:
        return NATLET_CONNECTION_UP;
    case NATLET_CLIENT_DRAINING:
        return NATLET_CONNECTION_LAME_DUCK;
    case NATLET_CLIENT_CLOSED:
        return NATLET_CONNECTION_CLOSED;
    case NATLET_CLIENT_IDLE:
    case NATLET_CLIENT_CONNECTING:
    case NATLET_CLIENT_RECONNECTING:
        break;
    }
    return NATLET_CONNECTION_DOWN;
}

static void note(board *b, natlet_connection state, natlet_status status)
{
    uint32_t was = natlet__lock(b->bridge->cell);

    b->state = state;
    b->status = status;
    for (natlet__link *at = b->watches.next; at != &b->watches; at = at->next) {
        tell((watch *)at);
    }
    natlet__unlock(b->bridge->cell, was);
}

static void see(natlet__onlooker *onlooker, const natlet_client_event *event)
{
    void *at = (char *)onlooker - offsetof(board, onlooker);
    board *b = at;

    if (event->kind == NATLET_CLIENT_EV_STATE) {
        note(b, connection_of(event->state), event->status);
    } else if (event->kind == NATLET_CLIENT_EV_MIGRATED) {
        note(b, NATLET_CONNECTION_UP, NATLET_OK);
    } else if (event->kind == NATLET_CLIENT_EV_LAME_DUCK &&
               event->state == NATLET_CLIENT_CONNECTED) {
        note(b, NATLET_CONNECTION_LAME_DUCK, NATLET_OK);
    }
}

/* ---- life ---- */

static void free_watch(watch *w)
{
    natlet_cell *cell = w->board->bridge->cell;

    natlet__timers_stop(&cell->timers, &w->alarm.timer);
    if (w->has_place) {
        natlet__mailbox_unreserve(&w->agent->mailbox);
    }
    natlet__list_cut(&w->link);
    natlet__list_cut(&w->tie.link);
    natlet__memory_give_back(&cell->rt->memory, w, sizeof *w);
}

/* The incarnation ends. */
static void cut_off(natlet_cell *cell, natlet__tie *tie)
{
    void *at = (char *)tie - offsetof(watch, tie);

    (void)cell;
    free_watch(at);
}

static void end(natlet_bridge *bridge, natlet__extra *extra)
{
    board *b = (board *)extra;

    while (!natlet__list_is_empty(&b->watches)) {
        free_watch((watch *)b->watches.next);
    }
    natlet__onlooker_end(bridge->client, &b->onlooker);
    natlet__memory_give_back(&bridge->cell->rt->memory, b, sizeof *b);
}

static board *make_board(natlet_bridge *bridge)
{
    natlet_client *client = bridge->client;
    board *b = natlet__memory_take(&bridge->cell->rt->memory, sizeof *b);

    if (b == NULL) {
        return NULL;
    }
    natlet__extra_add(bridge, &b->extra, end);
    natlet__list_init(&b->watches);
    b->bridge = bridge;
    b->state = connection_of(natlet_client_state_now(client));
    natlet__onlooker_begin(client, &b->onlooker, see);
    return b;
}

static bool is_watched(const board *b, const natlet__agent *agent)
{
    for (const natlet__link *at = b->watches.next; at != &b->watches; at = at->next) {
        if (((const watch *)at)->agent == agent) {
            return true;
        }
    }
    return false;
}

static natlet_status begin_watch(board *b, natlet__agent *agent)
{
    watch *w = natlet__memory_take(&b->bridge->cell->rt->memory, sizeof *w);

    if (w == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    w->board = b;
    w->agent = agent;
    w->tie.cut = cut_off;
    w->alarm.ring = ring;
    if (!reserve(w)) {
        natlet__memory_give_back(&b->bridge->cell->rt->memory, w, sizeof *w);
        return NATLET_E_FULL;
    }
    natlet__list_put(&b->watches, &w->link);
    natlet__list_put(agent->waits.next, &w->tie.link);
    tell(w);
    return NATLET_OK;
}

natlet_status natlet_bridge_watch(natlet_bridge *bridge, natlet_pid pid)
{
    natlet__agent *agent = natlet__registry_at(bridge->cell, pid);
    board *b = (board *)natlet__extra_find(bridge, end);

    if (agent == NULL || natlet__is_supervisor(agent)) {
        return NATLET_E_NO_AGENT;
    }
    b = b != NULL ? b : make_board(bridge);
    if (b == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    uint32_t was = natlet__lock(bridge->cell);
    natlet_status st = is_watched(b, agent) ? NATLET_OK : begin_watch(b, agent);
    natlet__unlock(bridge->cell, was);
    return st;
}
