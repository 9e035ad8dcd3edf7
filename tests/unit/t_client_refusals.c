/* Goal: whoever refuses, falls silent or cannot do what is asked is found out in
 * time, and the reason that is reported is the one that somebody gave.
 *
 * Method: virtual time; the rig's server or host refuses at each stage. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

/* ---- refusals ---- */

static void twice_refused_is_enough(void)
{
    rig_start_with(&r, RIG_NATS, "nats://a,nats://b");
    rig_accept(&r);
    rig_greet(&r);
    (void)rig_log(&r);
    rig_closed(&r, 0, NATLET_OK);
    for (int i = 0; i < 4; i++) { /* b a b a: each of them twice */
        if (test_host_last(&r.host)->is_closed) {
            (void)rig_wait_for_dial(&r, 40000);
        }
        rig_accept(&r);
        rig_say(&r, RIG_INFO "-ERR 'Authorization Violation'\r\n");
        rig_closed(&r, 0, NATLET_OK);
    }
    CHECK_TEXT(rig_log(&r),
               "state reconnecting: the connection is gone\n"
               "error: the server refused the credentials (Authorization Violation)\n"
               "error: the server refused the credentials (Authorization Violation)\n"
               "error: the server refused the credentials (Authorization Violation)\n"
               "error: the server refused the credentials (Authorization Violation)\n"
               "state closed: the server refused the credentials (Authorization Violation)\n");
    CHECK_INT(r.host.conn_count, 5);
    rig_end(&r);
}

static void a_server_that_refuses_but_does_not_close(void)
{
    rig_start_with(&r, RIG_NATS, NULL);
    rig_accept(&r);
    rig_say(&r, RIG_INFO "-ERR 'Authorization Violation'\r\n");
    rig_wait_ms(&r, 1900);
    CHECK_INT(r.conn->closes, 0);
    rig_wait_ms(&r, 200);
    CHECK_INT(r.conn->closes, 1);
    CHECK_TEXT(rig_log(&r),
               "error: the server refused the credentials (Authorization Violation)\n"
               "state closed: the server refused the credentials (Authorization Violation)\n");
    rig_end(&r);
}

/* H7: the -ERR that explains the end lies before it and is read first. */
static void data_before_the_end_is_read(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[200];
        rig_connected(&r, way);
        uint32_t sid = rig_subscribe(&r, "a");
        (void)snprintf(text, sizeof text, "MSG a %u 4\r\nlast\r\n-ERR 'Stale Connection'\r\n",
                       (unsigned)sid);
        r.conn->wants_readable = false; /* only CLOSED tells */
        test_host_event(&r.host, r.conn->id, NATLET_EV_CLOSED, way == RIG_WS ? 1001 : 0, 0);
        r.conn->is_closed = true;
        rig_say(&r, text);
        CHECK_TEXT(rig_log(&r),
                   way == RIG_WS
                       ? "message 1 a [last]\nerror: the server stopped answering (Stale "
                         "Connection) 1001\nstate reconnecting: the server stopped answering "
                         "(Stale Connection) 1001\n"
                       : "message 1 a [last]\nerror: the server stopped answering (Stale "
                         "Connection)\nstate reconnecting: the server stopped answering "
                         "(Stale Connection)\n");
        rig_end(&r);
    }
}

static void close_codes_have_meanings(void)
{
    static const struct {
        const char *frame;
        size_t len;
        const char *want;
    } cases[] = {
        {"\x88\x00", 2, "state reconnecting: the connection is gone 1005\n"},
        {"\x88\x02\x03\xe8", 4, "state reconnecting: the connection is gone 1000\n"},
        {"\x88\x18\x03\xf0"
         "Authentication Failure",
         26,
         "state reconnecting: the server refused the credentials (Authentication Failure) 1008\n"},
        {"\x88\x12\x03\xe9Stale Connection", 20,
         "state reconnecting: the server stopped answering (Stale Connection) 1001\n"},
        {"\x88\x02\x03\xf1", 4, "state reconnecting: a message exceeds the size limit 1009\n"},
        {"\x88\x02\x03\xea", 4, "state reconnecting: the peer broke the protocol 1002\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_connected(&r, RIG_FRAMED);
        rig_say_raw(&r, cases[i].frame, cases[i].len);
        CHECK_TEXT(rig_log(&r), cases[i].want);
        CHECK_INT(r.conn->closes, 1);
        rig_end(&r);
    }
}

static void refused_upgrades(void)
{
    static const struct {
        const char *answer;
        const char *want;
    } cases[] = {
        {"HTTP/1.1 403 Forbidden\r\n\r\n",
         "state closed: the server refused the WebSocket upgrade (HTTP status 403)\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
         "state closed: the server refused the WebSocket upgrade (HTTP status 200)\n"},
        {"INFO {\"server_id\":\"x\"}\r\n",
         "state closed: the answer to the WebSocket upgrade is not valid\n"},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
         "state closed: the answer to the WebSocket upgrade is not valid\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_start_with(&r, RIG_FRAMED, NULL);
        r.conn = test_host_last(&r.host);
        test_conn_opened(&r.host, r.conn);
        rig_run(&r);
        CHECK(test_conn_sent(r.conn).len > 100);
        rig_say_raw(&r, cases[i].answer, strlen(cases[i].answer));
        CHECK_TEXT(rig_log(&r), cases[i].want);
        rig_end(&r);
    }
}

static void connecting_has_one_deadline(void)
{
    for (int stage = 0; stage < 4; stage++) {
        rig_start_with(&r, RIG_FRAMED, NULL);
        if (stage > 0) {
            r.conn = test_host_last(&r.host);
            test_conn_opened(&r.host, r.conn);
            rig_wait_ms(&r, 1000);
        }
        if (stage == 2) {
            rig_say_raw(&r, "HTTP/1.1 101 S", 14);
        } else if (stage == 3) {
            r.conn->is_open = false;
            rig_accept(&r); /* upgraded, and then nothing */
        }
        rig_wait_ms(&r, stage == 0 ? 4999 : 3999);
        CHECK_TEXT(rig_log(&r), "");
        rig_wait_ms(&r, 2);
        CHECK_TEXT(rig_log(&r), "state closed: the deadline passed\n");
        rig_end(&r);
    }
}

static void what_the_host_cannot_do(void)
{
    static const struct {
        const char *url;
        uint32_t caps;
        const char *want;
    } cases[] = {
        {"nats://h", NATLET_CAP_WS, "(this host or build cannot: use ws:// or wss://)"},
        {"ws://h", NATLET_CAP_TLS, "(this host offers no WebSocket)"},
        {"wss://h", NATLET_CAP_TCP, "(this host offers no WebSocket)"},
        {"tls://h", NATLET_CAP_TCP | NATLET_CAP_TLS | NATLET_CAP_WS,
         "(this host or build cannot: use ws:// or wss://)"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[200];
        rig_init(&r, RIG_NATS);
        r.config.servers = rig_text(cases[i].url);
        r.host.info.caps = cases[i].caps;
        rig_start(&r);
        (void)snprintf(want, sizeof want,
                       "state connecting\nstate closed: this build or host cannot do it %s\n",
                       cases[i].want);
        CHECK_TEXT(rig_log(&r), want);
        rig_end(&r);
    }
    rig_start_with(&r, RIG_NATS, NULL);
    rig_accept(&r);
    rig_say(&r, "INFO {\"tls_required\":true}\r\n");
    CHECK_TEXT(rig_log(&r), "state closed: this build or host cannot do it "
                            "(the server requires TLS)\n");
    rig_end(&r);
    rig_init(&r, RIG_NATS);
    r.host.open_answer = NATLET_E_DENIED;
    rig_start(&r);
    CHECK_TEXT(rig_log(&r), "state connecting\n"
                            "state closed: the host's operator does not allow it\n");
    rig_end(&r);
}

static void wss_takes_the_hosts_tls(void)
{
    rig_init(&r, RIG_FRAMED);
    r.config.servers = rig_text("wss://one/x");
    rig_start(&r);
    CHECK_INT(test_host_last(&r.host)->transport, NATLET_TRANSPORT_TLS);
    test_conn_opened(&r.host, test_host_last(&r.host));
    rig_run(&r);
    CHECK(strstr((const char *)test_conn_sent(test_host_last(&r.host)).ptr, "\r\nHost: one\r\n"));
    test_host_last(&r.host)->is_open = false;
    rig_accept(&r);
    rig_greet(&r);
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
    rig_end(&r);
}

static void sends_configured_headers(void)
{
    static const char lines[] = "Cookie: a=b\r\nX-Y: z\r\n";

    for (rig_way way = RIG_WS; way < RIG_WAYS; way++) {
        rig_init(&r, way);
        r.config.headers = rig_text(lines);
        rig_start(&r);
        r.conn = test_host_last(&r.host);
        test_conn_opened(&r.host, r.conn);
        rig_run(&r);
        const natlet_slice options = {r.conn->options.ptr, r.conn->options.len};
        if (way == RIG_WS) {
            CHECK_SLICE(options, "\x01\x00\x0b\x00"
                                 "Cookie: a=b\x01\x00\x06\x00X-Y: z");
        } else {
            const char *request = (const char *)test_conn_sent(r.conn).ptr;
            CHECK_INT(options.len, 0);
            CHECK(strstr(request, lines) != NULL);
            CHECK(strstr(request, "\r\nHost: one:8080\r\n") != NULL);
            CHECK(strncmp(request, "GET /path HTTP/1.1\r\n", 20) == 0);
        }
        rig_end(&r);
    }
}

int main(void)
{
    RUN(twice_refused_is_enough);
    RUN(a_server_that_refuses_but_does_not_close);
    RUN(data_before_the_end_is_read);
    RUN(close_codes_have_meanings);
    RUN(refused_upgrades);
    RUN(connecting_has_one_deadline);
    RUN(what_the_host_cannot_do);
    RUN(wss_takes_the_hosts_tls);
    RUN(sends_configured_headers);
    return test_done();
}
