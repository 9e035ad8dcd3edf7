/* Goal: a client says nothing of NATS to a server that it has not verified, does with no less
 * than was asked for, and says why.
 *
 * Method: tests/peer/world.h, with one thing wrong in each case. */
#include "tests/peer/world.h"

enum { YEAR_S = 31536000 };

/* ---- what is refused, and why ---- */

static void check_refusal(tls_world *w, const char *status, const char *why)
{
    char want[256];

    CHECK_INT(tls_world_begin(w), NATLET_OK);
    tls_world_accept(w, w->tls.first ? NULL : TLS_INFO);
    w->peer = tls_peer_new(&w->server);
    tls_world_go_on(w);
    (void)snprintf(want, sizeof want, TLS_CONNECTING "0 closed: %s [%s]\n", status, why);
    CHECK_TEXT(w->log, want);
    CHECK_INT(tls_peer_heard(w->peer).len, 0);
    CHECK_INT(w->conn->closes, 1);
    tls_world_finish(w);
}

static void refuses_strangers(void)
{
    tls_world w;

    tls_world_prepare(&w);
    w.config.servers = tls_text("tls://example.com");
    check_refusal(&w, "E_TLS", "the server's certificate is for another host name");
    tls_world_prepare(&w);
    w.tls.ca = tls_text(TLS_OTHER_CA);
    check_refusal(&w, "E_TLS", "the server's certificate is not signed by a CA that we trust");
    tls_world_prepare(&w);
    w.tls.ca = (natlet_slice){0};
    check_refusal(&w, "E_TLS", "no CA was given to verify the server with");
    tls_world_prepare(&w);
    w.server.is_12 = true;
    w.tls.first = true;
    w.tls.server_name = tls_text("other.example");
    check_refusal(&w, "E_TLS", "the server's certificate is for another host name");
}

static void refuses_dates(void)
{
    tls_world w;

    tls_world_prepare(&w);
    w.server.certificate = TLS_BRIEF;
    w.server.key = TLS_BRIEF_KEY;
    w.host.unix_us += UINT64_C(1000000) * YEAR_S;
    check_refusal(&w, "E_TLS", "the server's certificate has expired");
    tls_world_prepare(&w);
    w.host.unix_us = UINT64_C(1000000) * 110 * YEAR_S; /* behind the CA's dates, too */
    check_refusal(&w, "E_TLS", "the server's certificate has expired");
}

static void refuses_a_wrong_clock(void)
{
    tls_world w;

    tls_world_prepare(&w);
    w.host.unix_us = 0;
    check_refusal(&w, "E_CLOCK", "set the date of this machine");
    tls_world_prepare(&w);
    w.host.info.caps = NATLET_CAP_TCP;
    check_refusal(&w, "E_CLOCK", "set the date of this machine");
    tls_world_prepare(&w);
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
    tls_world w;

    tls_world_prepare(&w);
    w.tls.pins = (const uint8_t(*)[NATLET_TLS_PIN_BYTES])pins;
    w.tls.pin_count = 1;
    check_refusal(&w, "E_TLS", "the server's key is none of the pinned ones");
    read_pin(pins[1]);
    for (int has_clock = 0; has_clock <= 1; has_clock++) {
        tls_world_prepare(&w);
        w.tls.pins = (const uint8_t(*)[NATLET_TLS_PIN_BYTES])pins;
        w.tls.pin_count = 2;
        w.host.unix_us = has_clock ? w.host.unix_us : 0;
        tls_world_meet(&w);
        tls_world_check_messages(&w);
        tls_world_finish(&w);
    }
}

/* ---- who speaks something else ---- */

static void check_plain(const char *servers, bool is_required, const char *info, const char *status,
                        const char *why)
{
    char want[256];
    tls_world w;

    tls_world_prepare(&w);
    w.config.servers = tls_text(servers);
    w.tls.required = is_required;
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    tls_world_accept(&w, info);
    tls_world_go_on(&w);
    (void)snprintf(want, sizeof want, TLS_CONNECTING "0 closed: %s [%s]\n", status, why);
    CHECK_TEXT(w.log, want);
    CHECK_INT(test_conn_sent(w.conn).len, 0);
    tls_world_finish(&w);
}

#define NO_TLS "INFO {\"max_payload\":1024,\"tls_available\":false}\r\n"
#define OFFERS_NONE "the server offers no TLS, and without it is no going on"

static void refuses_to_go_without(void)
{
    check_plain("tls://localhost", false, NO_TLS, "E_TLS", OFFERS_NONE);
    check_plain("nats://localhost", true, NO_TLS, "E_TLS", OFFERS_NONE);
    check_plain("tls://localhost", false, "INFO {}\r\n", "E_TLS", OFFERS_NONE);
    check_plain("nats://localhost", false, TLS_INFO "PING\r\n", "E_PROTOCOL",
                "unprotected bytes came before TLS");
    check_plain("nats://localhost", false, TLS_INFO "M", "E_PROTOCOL",
                "unprotected bytes came before TLS");
}

/* Nothing is dialled: the host would do with less than was asked for. */
static void check_unreachable(const char *servers, uint32_t caps, natlet_tls_mode mode,
                              bool is_required, const char *want)
{
    tls_world w;

    tls_world_prepare(&w);
    w.config.servers = tls_text(servers);
    w.host.info.caps = caps | NATLET_CAP_WALLCLOCK;
    w.tls.mode = mode;
    w.tls.required = is_required;
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    (void)natlet_runtime_run(w.rt, 1000000, 0);
    CHECK_TEXT(w.log, want);
    CHECK_INT(w.host.conn_count, 0);
    tls_world_finish(&w);
}

static void refuses_hosts_that_cannot(void)
{
    static const char no_tcp[] =
        TLS_CONNECTING "0 closed: E_UNSUPPORTED [this host carries no TLS of ours]\n";

    check_unreachable("wss://localhost", NATLET_CAP_WS, NATLET_TLS_MODULE, false, no_tcp);
    check_unreachable("wss://localhost", NATLET_CAP_WS, NATLET_TLS_AUTO, false, no_tcp); /* ca */
    check_unreachable("wss://localhost", NATLET_CAP_TLS, NATLET_TLS_AUTO, false, no_tcp);
    check_unreachable("tls://localhost", NATLET_CAP_WS, NATLET_TLS_AUTO, false, no_tcp);
    check_unreachable("ws://localhost", NATLET_CAP_TCP | NATLET_CAP_WS, NATLET_TLS_AUTO, true,
                      TLS_CONNECTING "0 closed: E_TLS [ws:// is without TLS: use wss://]\n");
}

static void passes_to_the_host(void)
{
    tls_world w;

    for (int is_ws = 0; is_ws <= 1; is_ws++) {
        tls_world_prepare(&w);
        w.config.servers = tls_text("wss://localhost");
        w.host.info.caps = NATLET_CAP_TCP | (is_ws ? NATLET_CAP_WS : NATLET_CAP_TLS);
        w.tls.ca = (natlet_slice){0};
        CHECK_INT(tls_world_begin(&w), NATLET_OK);
        (void)natlet_runtime_run(w.rt, 1000000, 0);
        CHECK_INT(test_host_last(&w.host)->transport,
                  is_ws ? NATLET_TRANSPORT_WS : NATLET_TRANSPORT_TLS);
        tls_world_finish(&w);
    }
}

/* After a server that asked for TLS, one that does not: on the way somebody may have taken
 * the question out. */
static void stays_with_tls(void)
{
    tls_world w;

    tls_world_prepare(&w);
    w.config.servers = tls_text("nats://localhost");
    w.config.no_reconnect = false;
    w.config.reconnect_ms = 10;
    tls_world_meet(&w);
    CHECK_TEXT(w.log, TLS_CONNECTING TLS_CONNECTED);
    test_conn_closed(&w.host, w.conn, 0, NATLET_E_CLOSED);
    tls_world_go_on(&w);
    tls_peer_free(w.peer);
    w.peer = NULL;
    w.log[0] = '\0';
    test_host_advance_ms(&w.host, 20);
    tls_world_accept(&w, NO_TLS);
    tls_world_go_on(&w);
    CHECK_TEXT(w.log, "1 reconnecting: E_TLS [" OFFERS_NONE "]\n");
    CHECK_INT(test_conn_sent(w.conn).len, 0);
    tls_world_finish(&w);
}

static void takes_what_is_offered(void)
{
    tls_world w;

    tls_world_prepare(&w);
    w.config.servers = tls_text("nats://localhost");
    w.tls.required = true;
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    tls_world_accept(&w, "INFO {\"max_payload\":1024,\"tls_available\":true}\r\n");
    w.peer = tls_peer_new(&w.server);
    tls_world_go_on(&w);
    tls_world_check_messages(&w);
    tls_world_finish(&w);
}

static void stays_plain_where_nobody_asks(void)
{
    tls_world w;

    tls_world_prepare(&w);
    w.config.servers = tls_text("nats://localhost");
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    tls_world_accept(&w, NO_TLS);
    tls_world_go_on(&w);
    natlet_slice sent = test_conn_sent(w.conn);
    CHECK(sent.len > 8 && memcmp(sent.ptr, "CONNECT ", 8) == 0);
    test_conn_feed_text(&w.host, w.conn, "PONG\r\n");
    tls_world_go_on(&w);
    CHECK_TEXT(w.log, TLS_CONNECTING TLS_CONNECTED);
    tls_world_finish(&w);
}

/* After the client's hello, `bytes` instead of a server's. */
static void check_garbage(const char *bytes, size_t len, const char *why)
{
    char want[256];
    tls_world w;

    tls_world_prepare(&w);
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    tls_world_accept(&w, TLS_INFO);
    tls_world_go_on(&w);
    CHECK(test_conn_sent(w.conn).len > 0);
    test_conn_feed(&w.host, w.conn, bytes, len);
    tls_world_go_on(&w);
    (void)snprintf(want, sizeof want, TLS_CONNECTING "0 closed: E_TLS [%s]\n", why);
    CHECK_TEXT(w.log, want);
    tls_world_finish(&w);
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

int main(void)
{
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
    return test_done();
}
