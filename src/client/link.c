/* One connection, from dialling to its end. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/utf8.h"
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__ledger_lost)
NATLET__OPTIONAL(natlet__codec_offer)
NATLET__OPTIONAL(natlet__secure_choose)
NATLET__OPTIONAL(natlet__secure_opened)

enum {
    REQUEST_EXTRA = 384, /* what an upgrade request adds to host, path and headers */
    WS_NORMAL = 1000,    /* RFC 6455, 7.4.1 */
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_STATUS = 1005,
    WS_INVALID_DATA = 1007,
    WS_POLICY_VIOLATION = 1008,
    WS_TOO_BIG = 1009,
};

/* ---- dialling ---- */

/* How to reach a server, if it is not with TLS of the client's own (secure.c). */
static natlet_status choose_transport(natlet__link *link, uint32_t caps)
{
    natlet__scheme scheme = link->url.scheme;
    bool is_ws = scheme == NATLET__SCHEME_WS || scheme == NATLET__SCHEME_WSS;
    bool is_secure = scheme == NATLET__SCHEME_WSS || scheme == NATLET__SCHEME_TLS;
    uint32_t stream_cap = is_secure ? NATLET_CAP_TLS : NATLET_CAP_TCP;

    if (is_ws && (caps & NATLET_CAP_WS) != 0) {
        link->transport = NATLET_TRANSPORT_WS;
        return NATLET_OK;
    }
    link->transport = is_secure ? NATLET_TRANSPORT_TLS : NATLET_TRANSPORT_TCP;
    link->is_framed = is_ws;
    if (scheme != NATLET__SCHEME_TLS && (caps & stream_cap) != 0) {
        return NATLET_OK;
    }
    static const natlet_slice reasons[] = {
        NATLET_TEXT("this host or build cannot: use ws:// or wss://"),
        NATLET_TEXT("this host offers no WebSocket"),
    };
    natlet__link_blame(link, NATLET_E_UNSUPPORTED, reasons[is_ws]);
    return NATLET_E_UNSUPPORTED;
}

static natlet_status choose_way(natlet_client *client)
{
    natlet_status st = NATLET_MORE;

    if (natlet__secure_choose != NULL && client->secure != NULL) {
        st = natlet__secure_choose(client);
    }
    return st == NATLET_MORE ? choose_transport(&client->link, client->rt->info.caps) : st;
}

/* Writes the configured header lines as options of `open`, into the outbox, which
 * is empty and whose bytes nobody borrows. */
static natlet_status write_options(natlet_client *client, natlet_slice *options)
{
    natlet_slice lines = client->config.headers;
    natlet_slice line;

    *options = (natlet_slice){0};
    if (client->link.transport != NATLET_TRANSPORT_WS || lines.len == 0) {
        return NATLET_OK;
    }
    natlet_status st = natlet__outbox_begin(&client->outbox, lines.len * 2, true);
    if (st < 0) {
        return st;
    }
    uint8_t *out = natlet__outbox_at(&client->outbox);
    options->ptr = out;
    while (natlet__cut(&lines, '\n', &line)) {
        line.len--; /* the CR */
        *out++ = NATLET_OPT_HEADER;
        *out++ = 0;
        *out++ = (uint8_t)line.len;
        *out++ = (uint8_t)(line.len >> 8);
        out = natlet__put(out, line);
    }
    options->len = (size_t)(out - options->ptr);
    return NATLET_OK;
}

natlet_status natlet__link_dial(natlet_client *client)
{
    natlet__link *link = &client->link;
    natlet_slice text = natlet__server_url(natlet__servers_now(&client->servers));
    natlet_slice options;

    NATLET_ASSERT(link->conn == 0);
    *link = (natlet__link){.state = NATLET__LINK_DOWN};
    natlet_status st = natlet__url_read(&link->url, text);
    if (st == NATLET_OK) {
        st = choose_way(client);
    }
    if (st == NATLET_OK) {
        st = write_options(client, &options);
    }
    if (st == NATLET_OK) {
        st = natlet__runtime_open(client->rt, &client->part, link->transport, text, options,
                                  &link->conn);
    }
    natlet__outbox_clear(&client->outbox);
    if (natlet__secure_opened != NULL && client->secure != NULL && st == NATLET_OK) {
        st = natlet__secure_opened(client);
    }
    if (st < 0) {
        return st;
    }
    link->state = NATLET__LINK_OPENING;
    natlet__parser_init(&link->parser, client->config.message_bytes_max);
    natlet__client_start(client, client->timer,
                         (uint64_t)client->config.connect_ms * NATLET__US_PER_MS);
    return NATLET_OK;
}

/* ---- upgrade ---- */

static void ask_upgrade(natlet_client *client)
{
    const natlet__url *url = &client->link.url;
    const natlet__handshake_request request = {
        .host = url->host,
        .port = url->port,
        .is_default_port = url->is_default_port,
        .path = url->path,
        .headers = client->config.headers,
    };
    size_t room = REQUEST_EXTRA + url->host.len + url->path.len + request.headers.len;
    uint8_t random[16];

    natlet__random_bytes(&client->rt->random, random, sizeof random);
    natlet__handshake_init(&client->link.handshake, random);
    natlet_status st = natlet__outbox_begin(&client->outbox, room, true);
    size_t len = 0;
    if (st == NATLET_OK) {
        len = natlet__handshake_write(&client->link.handshake, natlet__outbox_at(&client->outbox),
                                      room, &request);
        st = len > 0 ? NATLET_OK : NATLET_E_URL;
    }
    if (natlet__codec_offer != NULL && client->compress != NULL && st == NATLET_OK) {
        len = natlet__codec_offer(client, natlet__outbox_at(&client->outbox), room, len);
        st = len > 0 ? NATLET_OK : NATLET_E_NO_MEMORY;
    }
    if (st < 0) {
        natlet__link_fail(client, st, WS_NORMAL);
        return;
    }
    natlet__outbox_wrote(&client->outbox, len);
    client->link.state = NATLET__LINK_UPGRADING;
}

/* ---- events of the host ---- */

void natlet__link_event(natlet_client *client, const natlet_host_event *event)
{
    natlet__link *link = &client->link;

    if (event->conn != link->conn) {
        return; /* of a connection that was given up */
    }
    switch (event->type) {
    case NATLET_EV_OPEN:
        if (link->state == NATLET__LINK_OPENING && link->is_framed) {
            ask_upgrade(client);
        } else if (link->state == NATLET__LINK_OPENING) {
            link->state = NATLET__LINK_GREETING;
        }
        break;
    case NATLET_EV_READABLE:
        link->is_readable = true;
        break;
    case NATLET_EV_WRITABLE:
        link->is_blocked = false;
        break;
    case NATLET_EV_SIGNED:
        natlet__identity_told(client, (natlet_status)(int32_t)event->b);
        break;
    case NATLET_EV_CLOSED:
        link->is_closed = true;
        link->is_readable = true; /* what came before it is read first */
        link->is_blocked = true;
        link->close_code = event->a;
        link->closed_status = (natlet_status)(int32_t)event->b;
        break;
    default:
        break;
    }
}

/* ---- why ---- */

void natlet__link_blame(natlet__link *link, natlet_status why, natlet_slice text)
{
    if (link->why != NATLET_OK) {
        return;
    }
    link->why = why;
    link->reason_len = (uint8_t)natlet__utf8_cut(text, sizeof link->reason);
    if (text.len > 0) {
        memcpy(link->reason, text.ptr, link->reason_len);
    }
}

/* What a close code means where no -ERR came before it. */
static natlet_status status_of_code(uint32_t code, natlet_slice text)
{
    static const natlet_slice authentication = NATLET_TEXT("authentication");
    static const natlet_slice stale = NATLET_TEXT("stale");

    switch (code) {
    case WS_PROTOCOL_ERROR:
    case WS_INVALID_DATA:
        return NATLET_E_PROTOCOL;
    case WS_TOO_BIG:
        return NATLET_E_TOO_LARGE;
    case WS_GOING_AWAY:
    case WS_POLICY_VIOLATION:
        if (natlet__starts_nocase(text, authentication)) {
            return NATLET_E_AUTH;
        }
        return natlet__starts_nocase(text, stale) ? NATLET_E_STALE : NATLET_E_SERVER;
    default:
        return NATLET_E_CLOSED;
    }
}

void natlet__link_told(natlet_client *client, uint32_t code, natlet_slice text)
{
    client->link.close_code = code;
    client->is_shared_end |= code == WS_GOING_AWAY;
    natlet__link_blame(&client->link, status_of_code(code, text), text);
}

static void blame_http(natlet__link *link, uint32_t status)
{
    uint8_t text[16 + NATLET__DECIMAL_MAX] = "HTTP status ";
    size_t len = strlen("HTTP status ");

    len += natlet__write_decimal(text + len, status);
    natlet__link_blame(link, NATLET_E_UPGRADE, (natlet_slice){text, len});
}

void natlet__link_over(natlet_client *client)
{
    natlet__link *link = &client->link;
    const natlet_host *host = client->rt->host;
    uint8_t text[NATLET__WS_CONTROL_MAX];
    int32_t len = host->ctl(host->self, NATLET_CTL_CLOSE_REASON, link->conn, text, sizeof text);
    natlet_slice reason = {text, len > 0 && len <= (int32_t)sizeof text ? (size_t)len : 0};

    if (link->closed_status == NATLET_E_UPGRADE) {
        int32_t status = host->ctl(host->self, NATLET_CTL_UPGRADE_STATUS, link->conn, NULL, 0);
        if (status > 0) {
            blame_http(link, (uint32_t)status);
        }
    }
    if (link->closed_status < 0 && link->closed_status != NATLET_E_CLOSED) {
        natlet__link_blame(link, link->closed_status, reason);
    }
    natlet__link_told(client, link->close_code, reason);
    natlet__link_fail(client, link->why, WS_NORMAL);
}

natlet_status natlet__link_upgraded(natlet_client *client, natlet_slice *in)
{
    natlet__link *link = &client->link;
    natlet_status st = natlet__handshake_read(&link->handshake, in);

    if (st == NATLET_OK) {
        natlet__ws_init(&link->ws, NATLET_MESSAGE_BYTES_LIMIT);
        link->state = NATLET__LINK_GREETING;
    } else if (st == NATLET_E_UPGRADE) {
        blame_http(link, link->handshake.http_status);
    }
    return st;
}

/* ---- the end ---- */

/* Our close frame, behind all that waits; the host may not take it, which changes
 * nothing.  Without a code there is no payload (RFC 6455, 7.4.1). */
static void say_goodbye(natlet_client *client, uint16_t code)
{
    const uint8_t payload[] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = code == WS_NO_STATUS ? 0 : sizeof payload;

    if (!client->link.is_blocked && natlet__outbox_put_control(&client->outbox, NATLET__WS_CLOSE,
                                                               (natlet_slice){payload, len})) {
        natlet__link_send(client);
    }
}

void natlet__link_drop(natlet_client *client, uint16_t close_code)
{
    natlet__link *link = &client->link;
    const natlet_host *host = client->rt->host;

    if (!natlet__move_is_in(client)) {
        natlet__move_stop(client);
    }
    if (link->conn != 0 && !link->is_closed) {
        natlet__link_send(client);
        if (link->is_framed && link->state >= NATLET__LINK_GREETING) {
            say_goodbye(client, close_code);
        }
        (void)host->close(host->self, link->conn,
                          close_code == WS_NO_STATUS ? WS_NORMAL : close_code, NULL, 0);
    }
    link->conn = 0;
    link->state = NATLET__LINK_DOWN;
    link->is_readable = false;
    natlet__timers_stop(&client->timers, client->timer);
    if (!natlet__move_is_in(client)) {
        natlet__timers_stop(&client->timers, &client->identity.timer);
    }
    natlet__window_reset(&client->window);
    natlet__outbox_clear(&client->outbox);
    if (client->ledger != NULL && !natlet__move_is_in(client)) {
        natlet__ledger_lost(client);
    }
}

void natlet__link_fail(natlet_client *client, natlet_status st, uint16_t close_code)
{
    natlet__link_state was = client->link.state;

    natlet__link_blame(&client->link, st, (natlet_slice){0});
    natlet__link_drop(client, close_code);
    natlet__client_lost(client, was, client->link.why);
}

/* ---- sending ---- */

uint32_t natlet__link_message_max(const natlet_client *client)
{
    uint32_t max = natlet_client_max_payload(client);

    return max < NATLET_FRAME_PAYLOAD_MAX ? max : NATLET_FRAME_PAYLOAD_MAX;
}

static size_t send_max(const natlet_client *client)
{
    size_t max = client->link.transport == NATLET_TRANSPORT_WS ? natlet__link_message_max(client)
                                                               : INT32_MAX;
    uint32_t host_max = client->rt->info.send_bytes_max;

    return host_max > 0 && host_max < max ? host_max : max;
}

/* What the host may be given next.  A WebSocket pong goes before a frame of ours. */
static natlet_slice next_bytes(natlet_client *client)
{
    natlet__link *link = &client->link;
    const natlet_slice pong = {link->ws_pong, link->ws_pong_len};

    if (link->ws_pong_is_due &&
        natlet__outbox_put_control(&client->outbox, NATLET__WS_PONG, pong)) {
        link->ws_pong_is_due = false;
    }
    return natlet__outbox_ready(&client->outbox);
}

void natlet__link_send(natlet_client *client)
{
    natlet__link *link = &client->link;
    natlet__outbox *box = &client->outbox;
    const natlet_host *host = client->rt->host;
    size_t used = natlet__outbox_used(box);
    natlet_slice ready;

    box->used_max = used > box->used_max ? used : box->used_max;
    if (link->state <= NATLET__LINK_OPENING) {
        return;
    }
    while (!link->is_blocked && (ready = next_bytes(client)).len > 0) {
        size_t max = send_max(client);
        size_t len = ready.len < max ? ready.len : max;
        int32_t taken = host->send(host->self, link->conn, ready.ptr, (uint32_t)len);
        client->stats.send_calls++;
        if (taken > 0) {
            client->stats.sent_bytes += (uint32_t)taken;
            natlet__outbox_taken(box, (size_t)taken);
        }
        /* After a failure CLOSED comes, and nothing is sent until then. */
        link->is_blocked = taken < (int32_t)len;
        if (link->is_blocked) {
            natlet__pongs_blocked(client);
        }
    }
}

/* A peer that asks without reading gets one answer when it reads again: what it
 * can make us keep does not grow. */
void natlet__link_flush(natlet_client *client)
{
    natlet__link *link = &client->link;

    if (link->conn == 0) {
        return;
    }
    /* Before CONNECT a server takes nothing. */
    if (!link->is_blocked && link->pong_is_due && link->state >= NATLET__LINK_JOINING) {
        link->pong_is_due =
            natlet__client_write_line(client, (natlet_slice)NATLET_TEXT("PONG\r\n")) < 0;
    }
    natlet__link_send(client);
}
