/* The way of a MSG, in one page.
 *
 *   host --recv--> window --[unframe]--> parser --event--> route --> callback
 *         copy 1            in place             borrowed
 *
 * All that is at hand is used up before the next recv.  The cursor is in the
 * window and moves past a message before its callback runs, so a callback that
 * traps loses that message only, and one that ends the connection finds the
 * loops looking at link->conn. */
#include <string.h>

#include "base/assert.h"
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__subscribe_deliver)
NATLET__OPTIONAL(natlet__codec_begin)
NATLET__OPTIONAL(natlet__codec_receive)

enum { WS_PROTOCOL_ERROR = 1002, WS_TOO_BIG = 1009, WS_INTERNAL_ERROR = 1011 };

static bool is_held(const natlet_client *client)
{
    return client->held_turn == client->rt->stats.turns;
}

/* A frame that was refused has said with which code. */
static void fail(natlet_client *client, natlet_status st)
{
    uint16_t code = client->link.ws.close_code;

    if (code == 0) {
        code = st == NATLET_E_TOO_LARGE   ? WS_TOO_BIG
               : st == NATLET_E_NO_MEMORY ? WS_INTERNAL_ERROR
                                          : WS_PROTOCOL_ERROR;
    }
    client->stats.errors++;
    natlet__link_fail(client, st, code);
}

/* ---- events ---- */

static void route(natlet_client *client, const natlet__event *ev)
{
    natlet__link_state state = client->link.state;

    if (state < NATLET__LINK_JOINING && ev->kind != NATLET__EV_INFO && ev->kind != NATLET__EV_ERR &&
        (ev->kind != NATLET__EV_PING || state == NATLET__LINK_GREETING)) {
        fail(client, NATLET_E_PROTOCOL); /* a server introduces itself first */
        return;
    }
    switch (ev->kind) {
    case NATLET__EV_MSG:
        if (natlet__subscribe_deliver != NULL) {
            natlet__subscribe_deliver(client, ev->sid, &ev->msg);
        }
        break;
    case NATLET__EV_PING:
        client->link.pong_is_due = true;
        break;
    case NATLET__EV_PONG:
        natlet__greeting_pong(client);
        break;
    case NATLET__EV_INFO:
        natlet__greeting_info(client, ev->text);
        break;
    case NATLET__EV_ERR:
        natlet__greeting_error(client, ev->text);
        break;
    case NATLET__EV_OK:
        break;
    }
}

/* A large message was handled: its block goes.  False if the program holds it. */
static bool has_left(natlet_client *client)
{
    bool is_over = natlet__window_is_over(&client->window);

    if (is_over && !is_held(client)) {
        natlet__window_leave(&client->window);
        is_over = false;
    }
    return !is_over;
}

/* Parses and routes what is at hand.  Returns OK to go on, < 0 to stop. */
static natlet_status parse(natlet_client *client)
{
    natlet__link *link = &client->link;
    natlet__window *window = &client->window;
    uint32_t conn = link->conn;
    natlet__event ev;

    for (;;) {
        natlet_slice in = natlet__window_bytes(window);
        natlet_status st = natlet__parser_next(&link->parser, &in, &ev);
        if (st == NATLET_MORE) {
            return natlet__window_fit(window, link->parser.need);
        }
        if (st < 0) {
            return st;
        }
        natlet__window_parsed(window, in.len);
        route(client, &ev);
        if (link->conn != conn) {
            return NATLET_E_CLOSED;
        }
        if (!has_left(client)) {
            return NATLET_E_AGAIN;
        }
    }
}

/* ---- frames ---- */

natlet_status natlet__pump_control(natlet_client *client, const natlet__ws_event *ev)
{
    natlet__link *link = &client->link;

    switch (ev->kind) {
    case NATLET__WS_EV_PING:
        link->ws_pong_is_due = true;
        link->ws_pong_len = (uint8_t)ev->bytes.len;
        memcpy(link->ws_pong, ev->bytes.ptr, ev->bytes.len);
        break;
    case NATLET__WS_EV_CLOSE:
        natlet__link_told(client, ev->code, ev->bytes);
        natlet__link_fail(client, link->why, ev->code); /* answers with the same code */
        return NATLET_E_CLOSED;
    case NATLET__WS_EV_PONG:
    case NATLET__WS_EV_DATA:
        break;
    }
    return NATLET_OK;
}

/* Reads frames until protocol bytes came, or nothing is left.  Returns OK or < 0. */
static natlet_status unframe(natlet_client *client)
{
    natlet__ws_event ev;
    natlet_status st = natlet__window_unframe(&client->window, &ev);

    if (st == NATLET_EVENT) {
        return natlet__pump_control(client, &ev);
    }
    return st < 0 ? st : NATLET_OK;
}

/* The answer to the upgrade; frames follow it.  Returns OK, MORE, or < 0 to stop. */
static natlet_status read_answer(natlet_client *client)
{
    natlet_slice in = natlet__window_bytes(&client->window);
    natlet_status st = natlet__link_upgraded(client, &in);

    if (st == NATLET_OK) {
        natlet__window_parsed(&client->window, in.len);
        if (natlet__codec_begin == NULL || client->outbox.codec == NULL ||
            !natlet__codec_begin(client)) {
            natlet__window_frame(&client->window, &client->link.ws);
        }
    }
    return st;
}

/* ---- reading ---- */

/* Uses up all that was received.  Returns OK; E_AGAIN: the rest has to wait;
 * E_CLOSED: the connection has ended, which was dealt with. */
static natlet_status use_up(natlet_client *client)
{
    uint32_t conn = client->link.conn;
    natlet_status st = has_left(client) ? NATLET_OK : NATLET_E_AGAIN;

    if (st == NATLET_OK && client->link.state == NATLET__LINK_UPGRADING) {
        st = read_answer(client);
    }
    while (st == NATLET_OK) {
        st = parse(client);
        if (st < 0 || !natlet__window_has_raw(&client->window)) {
            break;
        }
        st = unframe(client);
    }
    if (st < 0 && st != NATLET_E_AGAIN && client->link.conn == conn) {
        fail(client, st);
        return NATLET_E_CLOSED;
    }
    return st;
}

static size_t line_max(const natlet_client *client)
{
    return client->link.state == NATLET__LINK_UPGRADING
               ? NATLET__HANDSHAKE_ANSWER_MAX
               : natlet__parser_need(&client->link.parser, natlet__window_bytes(&client->window));
}

/* One recv of what compression may be on. */
static natlet_status receive_packed(natlet_client *client, uint8_t *room, uint32_t cap)
{
    natlet_status st = natlet__codec_receive(client, room, cap);

    if (st < 0 && st != NATLET_E_AGAIN && st != NATLET_E_CLOSED) {
        fail(client, st);
        return NATLET_E_CLOSED;
    }
    return st;
}

/* One recv.  Returns OK if it brought bytes, else < 0. */
static natlet_status receive(natlet_client *client)
{
    natlet__link *link = &client->link;
    const natlet_host *host = client->rt->host;
    uint32_t cap;
    uint8_t *room = natlet__window_room(&client->window, line_max(client), &cap);

    if (room == NULL) {
        fail(client, NATLET_E_NO_MEMORY);
        return NATLET_E_CLOSED;
    }
    if (natlet__codec_receive != NULL && client->outbox.codec != NULL && link->is_framed) {
        return receive_packed(client, room, cap);
    }
    int32_t got = host->recv(host->self, link->conn, room, cap);
    client->stats.recv_calls++;
    if (got > 0) {
        NATLET_ASSERT((uint32_t)got <= cap);
        client->stats.received_bytes += (uint32_t)got;
        natlet__window_received(&client->window, (uint32_t)got, ++client->rt->segments);
        return NATLET_OK;
    }
    link->is_readable = false;
    if (got != NATLET_E_AGAIN && link->is_closed) {
        natlet__link_over(client);
    }
    return NATLET_E_AGAIN;
}

bool natlet__pump_run(natlet_client *client, uint64_t until_us)
{
    bool has_read = false; /* one read a turn, however little time there is */

    while (client->link.is_readable) {
        if (use_up(client) < 0 || is_held(client)) {
            return false;
        }
        if (has_read && natlet__runtime_clock_us(client->rt) >= until_us) {
            return true;
        }
        if (receive(client) < 0) {
            return false;
        }
        has_read = true;
    }
    return false;
}
