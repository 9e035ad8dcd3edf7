/* A client with TLS of its own on the test host, and a NATS server behind the peer's TLS.
 *
 * Bytes go to and fro in pieces that the test chooses; what the client reports is in a log. */
#ifndef TESTS_PEER_WORLD_H
#define TESTS_PEER_WORLD_H

#include "natlet/tls.h"
#include "support/test.h"
#include "support/test_host.h"
#include "tests/peer/peer.h"
#include "tests/peer/texts.h"

#define TLS_INFO                                                                                   \
    "INFO "                                                                                        \
    "{\"server_id\":\"S\",\"headers\":true,\"max_payload\":1048576,\"tls_required\":true}\r\n"

/* What the log says of a connect that went well. */
#define TLS_CONNECTING "0 connecting: OK []\n"
#define TLS_CONNECTED "0 connected: OK []\n"

enum { TLS_LOG_MAX = 2048 };

typedef struct tls_world {
    test_host host;
    test_memory memory;
    natlet_runtime *rt;
    natlet_client *client;
    natlet_client_config config;
    natlet_tls_config tls;
    tls_peer_config server;
    tls_peer *peer; /* NULL: bytes of the client go nowhere */
    test_conn *conn;
    size_t chop;   /* > 0: bytes for the client come in pieces of this size ... */
    size_t cut;    /* > 0: ... or once cut here, counted from the first one */
    size_t passed; /* bytes for the client so far */
    bool has_connected, has_greeted;
    char log[TLS_LOG_MAX];
    char payload[64];
    uint32_t messages, sid;
} tls_world;

static inline natlet_slice tls_text(const char *chars)
{
    return (natlet_slice){(const uint8_t *)chars, strlen(chars)};
}

static inline void note_event(void *self, const natlet_client_event *event)
{
    tls_world *w = self;
    size_t len = strlen(w->log);

    (void)snprintf(w->log + len, sizeof w->log - len, "%d %s: %s [%.*s]\n", (int)event->kind,
                   natlet_client_state_text(event->state), natlet_status_name(event->status),
                   (int)event->text.len, event->text.len > 0 ? (const char *)event->text.ptr : "");
}

static inline void note_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    tls_world *w = self;
    size_t len = msg->payload.len < sizeof w->payload ? msg->payload.len : sizeof w->payload - 1;

    (void)sid;
    w->messages++;
    memcpy(w->payload, msg->payload.ptr, len);
    w->payload[len] = '\0';
}

/* ---- begin and end ---- */

/* For tls://localhost with the server's certificate; all may then be changed. */
static inline void tls_world_prepare(tls_world *w)
{
    *w = (tls_world){0};
    test_host_init(&w->host, 1);
    test_memory_init(&w->memory);
    w->host.info.caps = NATLET_CAP_TCP | NATLET_CAP_WALLCLOCK;
    natlet_client_config_init(&w->config);
    w->config.servers = tls_text("tls://localhost:4222");
    w->config.password = tls_text("a-secret-of-anna");
    w->config.user = tls_text("anna");
    w->config.no_reconnect = true;
    w->config.on_event = note_event;
    w->config.self = w;
    w->tls = (natlet_tls_config){.size = sizeof w->tls, .ca = tls_text(TLS_CA)};
    w->server = (tls_peer_config){.certificate = TLS_SERVER, .key = TLS_SERVER_KEY};
}

/* Makes runtime and client and starts to connect.  Returns what the first of them that failed
 * returned. */
static inline natlet_status tls_world_begin(tls_world *w)
{
    natlet_status st = natlet_runtime_new(&w->rt, &w->host.host, &w->memory.allocator, 0);

    if (st == NATLET_OK) {
        st = natlet_client_new(&w->client, w->rt, &w->config);
    }
    if (st == NATLET_OK) {
        st = natlet_client_tls(w->client, &w->tls);
    }
    return st == NATLET_OK ? natlet_client_connect(w->client) : st;
}

/* Ends all; checks that nothing leaked and no rule of the host was broken. */
static inline void tls_world_finish(tls_world *w)
{
    if (w->client != NULL) {
        natlet_client_free(w->client);
    }
    if (w->rt != NULL) {
        natlet_runtime_free(w->rt);
    }
    if (w->peer != NULL) {
        tls_peer_free(w->peer);
    }
    CHECK_INT(w->memory.live_blocks, 0);
    CHECK_INT(w->memory.errors, 0);
    CHECK_INT(w->host.violations, 0);
    test_host_free(&w->host);
}

/* ---- to and fro ---- */

static inline size_t piece(const tls_world *w, size_t left)
{
    if (w->chop > 0 && w->chop < left) {
        return w->chop;
    }
    if (w->cut > w->passed && w->cut - w->passed < left) {
        return w->cut - w->passed;
    }
    return left;
}

/* What the server has for the client; each piece gets a turn of its own. */
static inline bool to_client(tls_world *w)
{
    bool has_any = false;

    while (w->peer != NULL && tls_peer_out(w->peer).len > 0 && w->conn->closes == 0) {
        size_t len = piece(w, tls_peer_out(w->peer).len);
        test_conn_feed(&w->host, w->conn, tls_peer_out(w->peer).ptr, len);
        tls_peer_take(w->peer, len);
        w->passed += len;
        (void)natlet_runtime_run(w->rt, 1000000, 0);
        has_any = true;
    }
    return has_any;
}

static inline bool to_server(tls_world *w)
{
    natlet_slice sent = test_conn_sent(w->conn);

    if (sent.len == 0 || w->peer == NULL) {
        return false;
    }
    tls_peer_feed(w->peer, sent.ptr, sent.len);
    test_conn_take_sent(w->conn, sent.len);
    return true;
}

/* Whether the server has heard these words through TLS. */
static inline bool tls_world_has_heard(const tls_world *w, const char *words)
{
    natlet_slice heard = tls_peer_heard(w->peer);

    return heard.len > 0 && strstr((const char *)heard.ptr, words) != NULL;
}

/* A NATS server, as far as it takes to let somebody in. */
static inline void answer(tls_world *w)
{
    if (w->peer == NULL || !tls_peer_is_up(w->peer)) {
        return;
    }
    if (w->tls.first && !w->has_greeted) {
        w->has_greeted = true;
        tls_peer_say(w->peer, TLS_INFO, strlen(TLS_INFO));
    }
    if (tls_world_has_heard(w, "CONNECT {") && tls_world_has_heard(w, "PING\r\n")) {
        CHECK(tls_world_has_heard(w, "\"pass\":\"a-secret-of-anna\""));
        tls_peer_forget(w->peer);
        tls_peer_say(w->peer, "PONG\r\n", 6);
    }
}

/* Until nothing more happens; whoever says CONNECT and PING is let in. */
static inline void tls_world_go_on(tls_world *w)
{
    bool has_more;

    do {
        (void)natlet_runtime_run(w->rt, 1000000, 0);
        has_more = to_server(w);
        answer(w);
        has_more |= to_client(w);
    } while (has_more || w->host.event_count > 0);
}

/* The server takes the connection up; before TLS it says `info` if that is not NULL. */
static inline void tls_world_accept(tls_world *w, const char *info)
{
    (void)natlet_runtime_run(w->rt, 1000000, 0);
    w->conn = test_host_last(&w->host);
    CHECK_INT(w->conn->transport, NATLET_TRANSPORT_TCP);
    test_conn_opened(&w->host, w->conn);
    if (info != NULL) {
        test_conn_feed_text(&w->host, w->conn, info);
    }
}

/* All of these, to the end. */
static inline void tls_world_meet(tls_world *w)
{
    CHECK_INT(tls_world_begin(w), NATLET_OK);
    tls_world_accept(w, w->tls.first ? NULL : TLS_INFO);
    w->peer = tls_peer_new(&w->server);
    tls_world_go_on(w);
}

/* A message of the server's for the subscription of tls_world_check_messages; it waits. */
static inline void tls_world_say(tls_world *w, const char *payload)
{
    char line[64];
    int len = snprintf(line, sizeof line, "MSG a %u %u\r\n%s\r\n", (unsigned)w->sid,
                       (unsigned)strlen(payload), payload);

    tls_peer_say(w->peer, line, (size_t)len);
}

/* Just connected: a subscription, and a message each way. */
static inline void tls_world_check_messages(tls_world *w)
{
    char sub[32];
    const natlet_sink sink = {.self = w, .message = note_message};
    const natlet_msg msg = {.subject = tls_text("to"), .payload = tls_text("server")};

    CHECK_TEXT(w->log, TLS_CONNECTING TLS_CONNECTED);
    CHECK_INT(natlet_client_subscribe(w->client, &w->sid, tls_text("a"), NULL, &sink), NATLET_OK);
    CHECK_INT(natlet_client_publish(w->client, &msg), NATLET_OK);
    tls_world_go_on(w);
    (void)snprintf(sub, sizeof sub, "SUB a %u\r\n", (unsigned)w->sid);
    CHECK(tls_world_has_heard(w, sub));
    CHECK(tls_world_has_heard(w, "PUB to 6\r\nserver\r\n"));
    tls_world_say(w, "client");
    tls_world_go_on(w);
    CHECK_TEXT(w->payload, "client");
    CHECK_INT(w->messages, 1);
}

#endif
