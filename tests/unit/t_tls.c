/* Goal: with TLS of its own a client says nothing to a server that it has not verified,
 * however the bytes are cut, and all that it gets is what the server said.
 *
 * Method: a client on the test host, and a TLS server of the tests' own (tests/peer) that
 * hears what the client sent and says what a NATS server would.  Bytes go to and fro in
 * pieces that the test chooses. */
#include "natlet/tls.h"
#include "support/test.h"
#include "support/test_host.h"
#include "tests/peer/peer.h"
#include "tests/peer/texts.h"

#define INFO                                                                                       \
    "INFO "                                                                                        \
    "{\"server_id\":\"S\",\"headers\":true,\"max_payload\":1048576,\"tls_required\":true}\r\n"

enum { LOG_MAX = 2048, YEAR_S = 31536000 };

typedef struct world {
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
    char log[LOG_MAX];
    char payload[64];
    uint32_t messages, sid;
} world;

static natlet_slice text(const char *chars)
{
    return (natlet_slice){(const uint8_t *)chars, strlen(chars)};
}

static void note_event(void *self, const natlet_client_event *event)
{
    world *w = self;
    size_t len = strlen(w->log);

    (void)snprintf(w->log + len, sizeof w->log - len, "%d %s: %s [%.*s]\n", (int)event->kind,
                   natlet_client_state_text(event->state), natlet_status_name(event->status),
                   (int)event->text.len, event->text.len > 0 ? (const char *)event->text.ptr : "");
}

static void note_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    world *w = self;
    size_t len = msg->payload.len < sizeof w->payload ? msg->payload.len : sizeof w->payload - 1;

    (void)sid;
    w->messages++;
    memcpy(w->payload, msg->payload.ptr, len);
    w->payload[len] = '\0';
}

/* ---- begin and end ---- */

static void prepare(world *w)
{
    *w = (world){0};
    test_host_init(&w->host, 1);
    test_memory_init(&w->memory);
    w->host.info.caps = NATLET_CAP_TCP | NATLET_CAP_WALLCLOCK;
    natlet_client_config_init(&w->config);
    w->config.servers = text("tls://localhost:4222");
    w->config.password = text("a-secret-of-anna");
    w->config.user = text("anna");
    w->config.no_reconnect = true;
    w->config.on_event = note_event;
    w->config.self = w;
    w->tls = (natlet_tls_config){.size = sizeof w->tls, .ca = text(TLS_CA)};
    w->server = (tls_peer_config){.certificate = TLS_SERVER, .key = TLS_SERVER_KEY};
}

/* Returns whether the client could be made. */
static natlet_status begin(world *w)
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

static void finish(world *w)
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

static size_t piece(const world *w, size_t left)
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
static bool to_client(world *w)
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

static bool to_server(world *w)
{
    natlet_slice sent = test_conn_sent(w->conn);

    if (sent.len == 0 || w->peer == NULL) {
        return false;
    }
    tls_peer_feed(w->peer, sent.ptr, sent.len);
    test_conn_take_sent(w->conn, sent.len);
    return true;
}

static bool has_heard(const world *w, const char *words)
{
    natlet_slice heard = tls_peer_heard(w->peer);

    return heard.len > 0 && strstr((const char *)heard.ptr, words) != NULL;
}

/* A NATS server, as far as it takes to let somebody in. */
static void answer(world *w)
{
    if (w->peer == NULL || !tls_peer_is_up(w->peer)) {
        return;
    }
    if (w->tls.first && !w->has_greeted) {
        w->has_greeted = true;
        tls_peer_say(w->peer, INFO, strlen(INFO));
    }
    if (has_heard(w, "CONNECT {") && has_heard(w, "PING\r\n")) {
        CHECK(has_heard(w, "\"pass\":\"a-secret-of-anna\""));
        tls_peer_forget(w->peer);
        tls_peer_say(w->peer, "PONG\r\n", 6);
    }
}

static void go_on(world *w)
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
static void accept(world *w, const char *info)
{
    (void)natlet_runtime_run(w->rt, 1000000, 0);
    w->conn = test_host_last(&w->host);
    CHECK_INT(w->conn->transport, NATLET_TRANSPORT_TCP);
    test_conn_opened(&w->host, w->conn);
    if (info != NULL) {
        test_conn_feed_text(&w->host, w->conn, info);
    }
}

/* All of it, up to the state where nothing more happens. */
static void meet(world *w)
{
    CHECK_INT(begin(w), NATLET_OK);
    accept(w, w->tls.first ? NULL : INFO);
    w->peer = tls_peer_new(&w->server);
    go_on(w);
}

/* A message of the server's, whose bytes then wait. */
static void send_message(world *w, const char *payload)
{
    char line[64];
    int len = snprintf(line, sizeof line, "MSG a %u %u\r\n%s\r\n", (unsigned)w->sid,
                       (unsigned)strlen(payload), payload);

    tls_peer_say(w->peer, line, (size_t)len);
}

#define CONNECTING "0 connecting: OK []\n"
#define CONNECTED "0 connected: OK []\n"

/* ---- the way ---- */

static void check_messages(world *w)
{
    char sub[32];
    const natlet_sink sink = {.self = w, .message = note_message};
    const natlet_msg msg = {.subject = text("to"), .payload = text("server")};

    CHECK_TEXT(w->log, CONNECTING CONNECTED);
    CHECK_INT(natlet_client_subscribe(w->client, &w->sid, text("a"), NULL, &sink), NATLET_OK);
    CHECK_INT(natlet_client_publish(w->client, &msg), NATLET_OK);
    go_on(w);
    (void)snprintf(sub, sizeof sub, "SUB a %u\r\n", (unsigned)w->sid);
    CHECK(has_heard(w, sub));
    CHECK(has_heard(w, "PUB to 6\r\nserver\r\n"));
    send_message(w, "client");
    go_on(w);
    CHECK_TEXT(w->payload, "client");
    CHECK_INT(w->messages, 1);
}

static void check_way(bool is_12, bool is_first, const char *certificate, const char *key,
                      const char *ca)
{
    world w;

    prepare(&w);
    w.server.is_12 = is_12;
    w.server.certificate = certificate;
    w.server.key = key;
    w.tls.first = is_first;
    w.tls.ca = text(ca);
    meet(&w);
    check_messages(&w);
    finish(&w);
}

static void goes_the_ways(void)
{
    for (int is_12 = 0; is_12 <= 1; is_12++) {
        for (int is_first = 0; is_first <= 1; is_first++) {
            check_way(is_12, is_first, TLS_SERVER, TLS_SERVER_KEY, TLS_CA);
        }
        check_way(is_12, false, TLS_RSA, TLS_RSA_KEY, TLS_RSA_CA);
    }
}

static void says_what_protects(void)
{
    world w;

    prepare(&w);
    CHECK_INT(begin(&w), NATLET_OK);
    CHECK_INT(natlet_client_tls_info(w.client).len, 0);
    accept(&w, INFO);
    w.peer = tls_peer_new(&w.server);
    go_on(&w);
    CHECK_SLICE(natlet_client_tls_info(w.client), "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256");
    finish(&w);
}

/* ---- however the bytes are cut ---- */

static void check_cut(bool is_12, size_t chop, size_t cut, size_t send_max)
{
    world w;

    prepare(&w);
    w.server.is_12 = is_12;
    w.chop = chop;
    w.cut = cut;
    CHECK_INT(begin(&w), NATLET_OK);
    accept(&w, INFO);
    w.conn->send_max = send_max;
    w.peer = tls_peer_new(&w.server);
    go_on(&w);
    check_messages(&w);
    finish(&w);
}

/* Every byte of heads and short records, a sample of the long ones. */
static void takes_any_cut(void)
{
    enum { FLIGHT = 1500 };
    size_t step = 1;

    for (size_t cut = 1; cut < FLIGHT; cut += step) {
        check_cut(cut % 2 == 0, 0, cut, 0);
        step = cut < 12 ? 1 : 37;
    }
    for (int is_12 = 0; is_12 <= 1; is_12++) {
        check_cut(is_12, 1, 0, 0);
        check_cut(is_12, 0, 0, 1);
        check_cut(is_12, 7, 0, 5);
    }
}

/* ---- what is refused, and why ---- */

static void check_refusal(world *w, const char *status, const char *why)
{
    char want[256];

    CHECK_INT(begin(w), NATLET_OK);
    accept(w, w->tls.first ? NULL : INFO);
    w->peer = tls_peer_new(&w->server);
    go_on(w);
    (void)snprintf(want, sizeof want, CONNECTING "0 closed: %s [%s]\n", status, why);
    CHECK_TEXT(w->log, want);
    CHECK_INT(tls_peer_heard(w->peer).len, 0);
    CHECK_INT(w->conn->closes, 1);
    finish(w);
}

static void refuses_strangers(void)
{
    world w;

    prepare(&w);
    w.config.servers = text("tls://example.com");
    check_refusal(&w, "E_TLS", "the server's certificate is for another host name");
    prepare(&w);
    w.tls.ca = text(TLS_OTHER_CA);
    check_refusal(&w, "E_TLS", "the server's certificate is not signed by a CA that we trust");
    prepare(&w);
    w.tls.ca = (natlet_slice){0};
    check_refusal(&w, "E_TLS", "no CA was given to verify the server with");
    prepare(&w);
    w.server.is_12 = true;
    w.tls.first = true;
    w.tls.server_name = text("other.example");
    check_refusal(&w, "E_TLS", "the server's certificate is for another host name");
}

static void refuses_dates(void)
{
    world w;

    prepare(&w);
    w.server.certificate = TLS_BRIEF;
    w.server.key = TLS_BRIEF_KEY;
    w.host.unix_us += UINT64_C(1000000) * YEAR_S;
    check_refusal(&w, "E_TLS", "the server's certificate has expired");
    prepare(&w);
    w.host.unix_us = UINT64_C(1000000) * 110 * YEAR_S; /* behind the CA's dates, too */
    check_refusal(&w, "E_TLS", "the server's certificate has expired");
}

static void refuses_a_wrong_clock(void)
{
    world w;

    prepare(&w);
    w.host.unix_us = 0;
    check_refusal(&w, "E_CLOCK", "set the date of this machine");
    prepare(&w);
    w.host.info.caps = NATLET_CAP_TCP;
    check_refusal(&w, "E_CLOCK", "set the date of this machine");
    prepare(&w);
    w.host.unix_us = UINT64_C(1000000) * 400 * YEAR_S;
    check_refusal(&w, "E_CLOCK", "set the date of this machine");
}

static void read_pin(uint8_t out[NATLET_TLS_PIN_BYTES])
{
    for (size_t i = 0; i < NATLET_TLS_PIN_BYTES; i++) {
        unsigned byte = 0;
        CHECK_INT(sscanf(&TLS_SERVER_PIN[2 * i], "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

static void knows_pins(void)
{
    static uint8_t pins[2][NATLET_TLS_PIN_BYTES];
    world w;

    prepare(&w);
    w.tls.pins = (const uint8_t(*)[NATLET_TLS_PIN_BYTES])pins;
    w.tls.pin_count = 1;
    check_refusal(&w, "E_TLS", "the server's key is none of the pinned ones");
    read_pin(pins[1]);
    for (int has_clock = 0; has_clock <= 1; has_clock++) {
        prepare(&w);
        w.tls.pins = (const uint8_t(*)[NATLET_TLS_PIN_BYTES])pins;
        w.tls.pin_count = 2;
        w.host.unix_us = has_clock ? w.host.unix_us : 0;
        meet(&w);
        check_messages(&w);
        finish(&w);
    }
}

/* ---- who speaks something else ---- */

static void check_plain(const char *servers, bool is_required, const char *info, const char *status,
                        const char *why)
{
    char want[256];
    world w;

    prepare(&w);
    w.config.servers = text(servers);
    w.tls.required = is_required;
    CHECK_INT(begin(&w), NATLET_OK);
    accept(&w, info);
    go_on(&w);
    (void)snprintf(want, sizeof want, CONNECTING "0 closed: %s [%s]\n", status, why);
    CHECK_TEXT(w.log, want);
    CHECK_INT(test_conn_sent(w.conn).len, 0);
    finish(&w);
}

#define NO_TLS "INFO {\"max_payload\":1024,\"tls_available\":false}\r\n"
#define OFFERS_NONE "the server offers no TLS, and without it is no going on"

static void refuses_to_go_without(void)
{
    check_plain("tls://localhost", false, NO_TLS, "E_TLS", OFFERS_NONE);
    check_plain("nats://localhost", true, NO_TLS, "E_TLS", OFFERS_NONE);
    check_plain("tls://localhost", false, "INFO {}\r\n", "E_TLS", OFFERS_NONE);
    check_plain("nats://localhost", false, INFO "PING\r\n", "E_PROTOCOL",
                "unprotected bytes came before TLS");
    check_plain("nats://localhost", false, INFO "M", "E_PROTOCOL",
                "unprotected bytes came before TLS");
}

/* Nothing is dialled: the host would do with less than was asked for. */
static void check_unreachable(const char *servers, uint32_t caps, natlet_tls_mode mode,
                              bool is_required, const char *want)
{
    world w;

    prepare(&w);
    w.config.servers = text(servers);
    w.host.info.caps = caps | NATLET_CAP_WALLCLOCK;
    w.tls.mode = mode;
    w.tls.required = is_required;
    CHECK_INT(begin(&w), NATLET_OK);
    (void)natlet_runtime_run(w.rt, 1000000, 0);
    CHECK_TEXT(w.log, want);
    CHECK_INT(w.host.conn_count, 0);
    finish(&w);
}

static void refuses_hosts_that_cannot(void)
{
    static const char no_tcp[] =
        CONNECTING "0 closed: E_UNSUPPORTED [this host carries no TLS of ours]\n";

    check_unreachable("wss://localhost", NATLET_CAP_WS, NATLET_TLS_MODULE, false, no_tcp);
    check_unreachable("wss://localhost", NATLET_CAP_WS, NATLET_TLS_AUTO, false, no_tcp); /* ca */
    check_unreachable("wss://localhost", NATLET_CAP_TLS, NATLET_TLS_AUTO, false, no_tcp);
    check_unreachable("tls://localhost", NATLET_CAP_WS, NATLET_TLS_AUTO, false, no_tcp);
    check_unreachable("ws://localhost", NATLET_CAP_TCP | NATLET_CAP_WS, NATLET_TLS_AUTO, true,
                      CONNECTING "0 closed: E_TLS [ws:// is without TLS: use wss://]\n");
}

static void passes_to_the_host(void)
{
    world w;

    for (int is_ws = 0; is_ws <= 1; is_ws++) {
        prepare(&w);
        w.config.servers = text("wss://localhost");
        w.host.info.caps = NATLET_CAP_TCP | (is_ws ? NATLET_CAP_WS : NATLET_CAP_TLS);
        w.tls.ca = (natlet_slice){0};
        CHECK_INT(begin(&w), NATLET_OK);
        (void)natlet_runtime_run(w.rt, 1000000, 0);
        CHECK_INT(test_host_last(&w.host)->transport,
                  is_ws ? NATLET_TRANSPORT_WS : NATLET_TRANSPORT_TLS);
        finish(&w);
    }
}

/* After a server that asked for TLS, one that does not: on the way somebody may have taken
 * the question out. */
static void stays_with_tls(void)
{
    world w;

    prepare(&w);
    w.config.servers = text("nats://localhost");
    w.config.no_reconnect = false;
    w.config.reconnect_ms = 10;
    meet(&w);
    CHECK_TEXT(w.log, CONNECTING CONNECTED);
    test_conn_closed(&w.host, w.conn, 0, NATLET_E_CLOSED);
    go_on(&w);
    tls_peer_free(w.peer);
    w.peer = NULL;
    w.log[0] = '\0';
    test_host_advance_ms(&w.host, 20);
    accept(&w, NO_TLS);
    go_on(&w);
    CHECK_TEXT(w.log, "1 reconnecting: E_TLS [" OFFERS_NONE "]\n");
    CHECK_INT(test_conn_sent(w.conn).len, 0);
    finish(&w);
}

static void takes_what_is_offered(void)
{
    world w;

    prepare(&w);
    w.config.servers = text("nats://localhost");
    w.tls.required = true;
    CHECK_INT(begin(&w), NATLET_OK);
    accept(&w, "INFO {\"max_payload\":1024,\"tls_available\":true}\r\n");
    w.peer = tls_peer_new(&w.server);
    go_on(&w);
    check_messages(&w);
    finish(&w);
}

static void stays_plain_where_nobody_asks(void)
{
    world w;

    prepare(&w);
    w.config.servers = text("nats://localhost");
    CHECK_INT(begin(&w), NATLET_OK);
    accept(&w, NO_TLS);
    go_on(&w);
    natlet_slice sent = test_conn_sent(w.conn);
    CHECK(sent.len > 8 && memcmp(sent.ptr, "CONNECT ", 8) == 0);
    test_conn_feed_text(&w.host, w.conn, "PONG\r\n");
    go_on(&w);
    CHECK_TEXT(w.log, CONNECTING CONNECTED);
    finish(&w);
}

/* After the client's hello, `bytes` instead of a server's. */
static void check_garbage(const char *bytes, size_t len, const char *why)
{
    char want[256];
    world w;

    prepare(&w);
    CHECK_INT(begin(&w), NATLET_OK);
    accept(&w, INFO);
    go_on(&w);
    CHECK(test_conn_sent(w.conn).len > 0);
    test_conn_feed(&w.host, w.conn, bytes, len);
    go_on(&w);
    (void)snprintf(want, sizeof want, CONNECTING "0 closed: E_TLS [%s]\n", why);
    CHECK_TEXT(w.log, want);
    finish(&w);
}

#define GARBAGE(bytes, why) check_garbage(bytes, sizeof(bytes) - 1, why)

static void refuses_garbage(void)
{
    GARBAGE("-ERR 'Authorization Violation'\r\n", "the server does not speak TLS here");
    GARBAGE("\x15\x03\x03\x00\x02\x02\x28", "we share no cipher with the server");
    GARBAGE("\x15\x03\x03\x00\x02\x02\x46", "we share no version of TLS with the server");
    GARBAGE("\x15\x03\x03\x00\x02\x02\x50", "the server ended TLS with an alert");
    GARBAGE("\x16\x03\x03\xff\xff\x02", "the server broke the TLS protocol");
}

/* ---- how it ends ---- */

static void check_end(bool is_in_order, bool is_late, const char *want)
{
    world w;

    prepare(&w);
    meet(&w);
    check_messages(&w);
    w.log[0] = '\0';
    send_message(&w, "last");
    if (is_in_order) {
        tls_peer_end(w.peer);
    }
    natlet_slice out = tls_peer_out(w.peer);
    test_conn_feed(&w.host, w.conn, out.ptr, out.len);
    tls_peer_take(w.peer, out.len);
    if (is_late) {
        go_on(&w);
    }
    test_conn_closed(&w.host, w.conn, 0, NATLET_E_CLOSED);
    go_on(&w);
    CHECK_TEXT(w.payload, "last");
    CHECK_TEXT(w.log, want);
    finish(&w);
}

static void tells_a_clean_end(void)
{
    check_end(true, false, "0 closed: E_CLOSED []\n");
    check_end(true, true, "0 closed: E_CLOSED []\n");
    check_end(false, false, "0 closed: E_IO [the connection was cut: TLS was not ended]\n");
    check_end(false, true, "0 closed: E_IO [the connection was cut: TLS was not ended]\n");
}

static void says_goodbye(void)
{
    world w;

    prepare(&w);
    meet(&w);
    natlet_client_close(w.client);
    natlet_slice sent = test_conn_sent(w.conn);
    tls_peer_feed(w.peer, sent.ptr, sent.len);
    CHECK_INT(tls_peer_error(w.peer), -0x7880); /* MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY */
    finish(&w);
}

/* One bit of any byte of a record, changed on the way. */
static void sees_changes(void)
{
    for (size_t at = 0; at < 40; at++) {
        world w;
        uint8_t record[64];
        prepare(&w);
        meet(&w);
        check_messages(&w);
        w.log[0] = '\0';
        send_message(&w, "evil");
        natlet_slice out = tls_peer_out(w.peer);
        CHECK(out.len <= sizeof record && at < out.len);
        memcpy(record, out.ptr, out.len);
        size_t len = out.len;
        tls_peer_take(w.peer, len);
        record[at] ^= 1;
        test_conn_feed(&w.host, w.conn, record, len);
        go_on(&w);
        if (w.log[0] == '\0') { /* a longer record than came: the rest is waited for */
            CHECK(at == 3 || at == 4);
            test_conn_closed(&w.host, w.conn, 0, NATLET_E_CLOSED);
            go_on(&w);
        }
        CHECK(strstr(w.log, "0 closed: E_") != NULL);
        CHECK_TEXT(w.payload, "client");
        finish(&w);
    }
}

/* ---- costs ---- */

static void counts_memory(void)
{
    world w;
    const natlet_msg msg = {.subject = text("to"), .payload = text("server")};

    for (int is_12 = 0; is_12 <= 1; is_12++) {
        prepare(&w);
        w.server.is_12 = is_12;
        CHECK_INT(begin(&w), NATLET_OK);
        accept(&w, INFO);
        (void)natlet_runtime_run(w.rt, 0, 0);
        size_t before = w.memory.live_bytes;
        w.memory.bytes_max = before;
        w.peer = tls_peer_new(&w.server);
        go_on(&w);
        check_messages(&w);
        printf("# TLS 1.%d: %u bytes at the height of the handshake, %u when it is over\n",
               is_12 ? 2 : 3, (unsigned)(w.memory.bytes_max - before),
               (unsigned)(w.memory.live_bytes - before));
        uint32_t requests = w.memory.requests;
        for (int i = 0; i < 50; i++) {
            CHECK_INT(natlet_client_publish(w.client, &msg), NATLET_OK);
            send_message(&w, "client");
            go_on(&w);
        }
        CHECK_INT(w.memory.requests, requests);
        finish(&w);
    }
}

/* An allocation on the way fails, or it and all that follow: the client says so, and nothing
 * leaks (finish).  Whoever has a use for memory comes first; most of the others are for the
 * numbers of one handshake, which come and go in the same few lines. */
static uint32_t check_without_memory(uint32_t fail_at, bool fails_on, bool is_12)
{
    world w;

    prepare(&w);
    w.server.is_12 = is_12;
    w.tls.certificate = text(TLS_CLIENT);
    w.tls.key = text(TLS_CLIENT_KEY);
    w.server.client_ca = TLS_CA;
    w.memory.fail_at = fail_at;
    w.memory.fails_on = fails_on;
    natlet_status st = begin(&w);
    if (st == NATLET_OK) {
        accept(&w, INFO);
        w.peer = tls_peer_new(&w.server);
        go_on(&w);
        bool is_refused = strstr(w.log, "closed: E_NO_MEMORY") != NULL;
        CHECK(is_refused || strcmp(w.log, CONNECTING CONNECTED) == 0);
        if (!is_refused && w.memory.refused > 0 && !fails_on) {
            check_messages(&w); /* what was missing can be done without */
        }
    } else {
        CHECK_INT(st, NATLET_E_NO_MEMORY);
    }
    uint32_t requests = w.memory.requests;
    CHECK(w.memory.refused > 0 || requests < fail_at || fail_at == 0);
    finish(&w);
    return requests;
}

static void survives_without_memory(void)
{
    for (int is_12 = 0; is_12 <= 1; is_12++) {
        uint32_t all = check_without_memory(0, false, is_12);
        printf("# TLS 1.%d: %u allocations\n", is_12 ? 2 : 3, (unsigned)all);
        for (uint32_t n = 1; n <= all; n += n < 250 ? 1 : 131) {
            (void)check_without_memory(n, n % 2 == 0, is_12);
        }
    }
}

int main(void)
{
    RUN(goes_the_ways);
    RUN(says_what_protects);
    RUN(takes_any_cut);
    RUN(refuses_strangers);
    RUN(refuses_dates);
    RUN(refuses_a_wrong_clock);
    RUN(knows_pins);
    RUN(refuses_to_go_without);
    RUN(refuses_hosts_that_cannot);
    RUN(passes_to_the_host);
    RUN(stays_with_tls);
    RUN(takes_what_is_offered);
    RUN(stays_plain_where_nobody_asks);
    RUN(refuses_garbage);
    RUN(tells_a_clean_end);
    RUN(says_goodbye);
    RUN(sees_changes);
    RUN(counts_memory);
    RUN(survives_without_memory);
    return test_done();
}
