/* From a server that will shut down to another one, without a gap:
 *
 *     JOINING    the old server serves; another one is dialled, up to its PONG
 *     SETTLING   the new one is in place, all is subscribed there; the old one still
 *                delivers, for the others have to learn where we are now
 *     LEAVING    UNSUB for all and PING went to the old one; its PONG comes behind the
 *                last message, then it is closed
 *
 * Only here is there a second line.  Everybody works with the one in place: what
 * happens on the second one puts it in place, and then the first one back.  A
 * callback finds the first one there, always. */
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__ledger_lost)
NATLET__OPTIONAL(natlet__codec_free)
NATLET__OPTIONAL(natlet__subscribe_leave)

enum {
    SETTLE_MAX_US = 5000000, /* the new server has not answered: the old one is left all the same */
    SETTLE_US = 250000,      /* what servers take to tell one another about subscriptions */
    LEAVE_US = 2000000,
    WS_NORMAL = 1000,
    PINGS_OF_LEAVING = 2, /* that the server that is left may still be sent */
};

/* ---- two lines, one place ---- */

natlet_status natlet__line_init(natlet_client *client, natlet__timer *timer)
{
    client->timer = timer;
    client->window.memory = client->outbox.memory = &client->rt->memory;
    client->outbox.random = &client->rt->random;
    natlet_status st = natlet__window_init(&client->window, client->config.rx_bytes);
    if (st == NATLET_OK) {
        st = natlet__outbox_init(&client->outbox, client->config.tx_bytes,
                                 client->config.pending_bytes_max);
    }
    return st;
}

void natlet__line_free(natlet_client *client)
{
    if (natlet__codec_free != NULL && client->outbox.codec != NULL) {
        natlet__codec_free(client);
    }
    natlet__outbox_free(&client->outbox);
    natlet__window_free(&client->window);
    natlet__memory_give_back(&client->rt->memory, client->info, client->info_len);
}

static bool exchange(natlet_client *client)
{
    natlet__move *move = client->move;
    const natlet__line line = client->line;
    uint32_t at = client->servers.at;

    client->line = move->line;
    move->line = line;
    client->servers.at = client->servers.other - 1;
    client->servers.other = at + 1;
    if (client->window.ws != NULL) {
        client->window.ws = &client->link.ws;
    }
    move->is_in_place = !move->is_in_place;
    return true;
}

bool natlet__move_in(natlet_client *client)
{
    return client->move != NULL && !client->move->is_in_place && exchange(client);
}

bool natlet__move_back(natlet_client *client)
{
    return natlet__move_is_in(client) && exchange(client);
}

/* ---- begin and end ---- */

void natlet__move_stop(natlet_client *client)
{
    natlet__move *move = client->move;

    if (move == NULL) {
        return;
    }
    uint64_t copied = client->window.copied_bytes + move->line.window.copied_bytes;
    (void)natlet__move_in(client);
    natlet__link_drop(client, WS_NORMAL);
    natlet__line_free(client);
    (void)natlet__move_back(client);
    client->window.copied_bytes = copied;
    uint32_t other = client->servers.other - 1;
    if (other != client->servers.at && client->servers.list[other].is_retired) {
        natlet__servers_drop(&client->servers, other);
    }
    client->servers.other = 0;
    client->move = NULL;
    natlet__memory_give_back(&client->rt->memory, move, sizeof *move);
}

/* Without memory or another server all goes on as before. */
void natlet__move_begin(natlet_client *client, uint32_t wait_ms)
{
    if (client->move != NULL || client->state != NATLET_CLIENT_CONNECTED ||
        client->config.no_reconnect || client->servers.count < 2) {
        return;
    }
    client->move = natlet__memory_take(&client->rt->memory, sizeof *client->move);
    if (client->move == NULL) {
        return;
    }
    client->servers.other = client->servers.at + 1;
    (void)natlet__move_in(client);
    uint32_t free = client->line_timers == client->move->line.timer;
    if (natlet__line_init(client, &client->line_timers[free]) < 0) {
        natlet__move_stop(client);
        return;
    }
    natlet__client_dial_in(client, natlet__random_below(&client->rt->random, wait_ms));
    (void)natlet__move_back(client);
}

/* The server that was left is gone; what waited for its PONGs, or for its end, is seen
 * to. */
static void end(natlet_client *client)
{
    const natlet__pongs pongs = client->move->line.pongs;

    natlet__move_stop(client);
    if (client->ledger != NULL && pongs.answered != pongs.sent) {
        natlet__ledger_lost(client);
    }
    natlet__pongs_settle(client, pongs.answered, pongs.sent);
}

/* ---- what happens ---- */

/* What was published is the old server's, up to a PING that goes there now. */
natlet_status natlet__move_joined(natlet_client *client)
{
    natlet__move *move = client->move;

    if (!natlet__move_back(client)) {
        return NATLET_OK;
    }
    natlet_status st = natlet__pongs_ask(client, NULL);
    (void)exchange(client);
    if (st < 0) {
        return st;
    }
    move->is_in_place = false; /* the contents stay */
    move->stage = NATLET__MOVE_SETTLING;
    client->pongs.sent = move->line.pongs.sent + PINGS_OF_LEAVING;
    natlet__client_start(client, move->line.timer, SETTLE_MAX_US);
    client->stats.migrations++;
    return NATLET_MORE;
}

bool natlet__move_lost(natlet_client *client, natlet_status why)
{
    natlet__move *move = client->move;

    if (!natlet__move_is_in(client)) {
        return false;
    }
    if (move->stage != NATLET__MOVE_JOINING) {
        (void)natlet__move_back(client);
        end(client);
        return true;
    }
    natlet__servers_now(&client->servers)->failures++;
    natlet__client_dial_in(client, 0);
    (void)natlet__move_back(client);
    const natlet__link *link = &move->line.link;
    const natlet_slice reason = {link->reason, link->reason_len};
    if (!link->is_reported) {
        natlet__client_tell(client, NATLET_CLIENT_EV_ERROR, why, reason, 0);
    }
    return true;
}

/* The first PONG of the new server stands behind our SUBs. */
void natlet__move_answered(natlet_client *client)
{
    natlet__move *move = client->move;

    if (!move->is_in_place && move->stage == NATLET__MOVE_SETTLING &&
        move->line.timer->due_us > natlet__client_now_us(client) + SETTLE_US) {
        natlet__client_start(client, move->line.timer, SETTLE_US);
    } else if (natlet__move_is_in(client) && move->stage == NATLET__MOVE_LEAVING &&
               client->pongs.answered == client->pongs.sent) {
        (void)natlet__move_back(client);
        end(client);
    }
}

/* In place: the old one. */
static natlet_status leave(natlet_client *client)
{
    natlet_status st =
        natlet__subscribe_leave != NULL ? natlet__subscribe_leave(client) : NATLET_OK;

    if (st == NATLET_OK) {
        st = natlet__pongs_ask(client, NULL);
    }
    client->move->stage = NATLET__MOVE_LEAVING;
    natlet__client_start(client, client->timer, LEAVE_US);
    (void)natlet__move_back(client);
    return st;
}

void natlet__move_tick(natlet_client *client)
{
    natlet__move *move = client->move;

    if (move->stage == NATLET__MOVE_JOINING && move->line.link.state == NATLET__LINK_DOWN &&
        ++move->tried >= client->servers.count) {
        natlet__move_stop(client); /* no other one is to be had */
        return;
    }
    (void)natlet__move_in(client);
    if (move->stage == NATLET__MOVE_JOINING) {
        natlet__link_timeout(client);
        (void)natlet__move_back(client);
    } else if (move->stage == NATLET__MOVE_LEAVING || leave(client) < 0) {
        (void)natlet__move_back(client);
        end(client);
    }
}
