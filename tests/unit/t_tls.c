/* Goal: with TLS of its own a client and its server hear of each other what was said and
 * nothing else, however the bytes are cut, however it ends, and whatever memory is missing.
 *
 * Method: tests/peer/world.h. */
#include "tests/peer/world.h"

/* ---- the way ---- */

static void check_way(bool is_12, bool is_first, const char *certificate, const char *key,
                      const char *ca)
{
    tls_world w;

    tls_world_prepare(&w);
    w.server.is_12 = is_12;
    w.server.certificate = certificate;
    w.server.key = key;
    w.tls.first = is_first;
    w.tls.ca = tls_text(ca);
    tls_world_meet(&w);
    tls_world_check_messages(&w);
    tls_world_finish(&w);
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
    tls_world w;

    tls_world_prepare(&w);
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    CHECK_INT(natlet_client_tls_info(w.client).len, 0);
    tls_world_accept(&w, TLS_INFO);
    w.peer = tls_peer_new(&w.server);
    tls_world_go_on(&w);
    CHECK_SLICE(natlet_client_tls_info(w.client), "TLSv1.3 TLS1-3-CHACHA20-POLY1305-SHA256");
    tls_world_finish(&w);
}

/* ---- however the bytes are cut ---- */

static void check_cut(bool is_12, size_t chop, size_t cut, size_t send_max)
{
    tls_world w;

    tls_world_prepare(&w);
    w.server.is_12 = is_12;
    w.chop = chop;
    w.cut = cut;
    CHECK_INT(tls_world_begin(&w), NATLET_OK);
    tls_world_accept(&w, TLS_INFO);
    w.conn->send_max = send_max;
    w.peer = tls_peer_new(&w.server);
    tls_world_go_on(&w);
    tls_world_check_messages(&w);
    tls_world_finish(&w);
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

/* The host stops taking bytes anywhere in a record or between two: nothing is lost, and
 * nothing comes twice. */
static void keeps_what_the_host_does_not_take(void)
{
    for (size_t room = 0; room < 160; room += 3) {
        tls_world w;
        const natlet_msg first = {.subject = tls_text("to"), .payload = tls_text("first")};
        const natlet_msg second = {.subject = tls_text("to"), .payload = tls_text("second")};
        tls_world_prepare(&w);
        tls_world_meet(&w);
        tls_world_check_messages(&w);
        tls_peer_forget(w.peer);
        test_conn_congest(w.conn, room);
        for (int i = 0; i < 3; i++) {
            CHECK_INT(natlet_client_publish(w.client, i == 1 ? &second : &first), NATLET_OK);
            tls_world_go_on(&w);
        }
        test_conn_relieve(&w.host, w.conn);
        tls_world_go_on(&w);
        CHECK_SLICE(tls_peer_heard(w.peer), "PUB to 5\r\nfirst\r\nPUB to 6\r\nsecond\r\n"
                                            "PUB to 5\r\nfirst\r\n");
        tls_world_finish(&w);
    }
}

/* ---- how it ends ---- */

static void check_end(bool is_in_order, bool is_late, const char *want)
{
    tls_world w;

    tls_world_prepare(&w);
    tls_world_meet(&w);
    tls_world_check_messages(&w);
    w.log[0] = '\0';
    tls_world_say(&w, "last");
    if (is_in_order) {
        tls_peer_end(w.peer);
    }
    natlet_slice out = tls_peer_out(w.peer);
    test_conn_feed(&w.host, w.conn, out.ptr, out.len);
    tls_peer_take(w.peer, out.len);
    if (is_late) {
        tls_world_go_on(&w);
    }
    test_conn_closed(&w.host, w.conn, 0, NATLET_E_CLOSED);
    tls_world_go_on(&w);
    CHECK_TEXT(w.payload, "last");
    CHECK_TEXT(w.log, want);
    tls_world_finish(&w);
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
    tls_world w;

    tls_world_prepare(&w);
    tls_world_meet(&w);
    natlet_client_close(w.client);
    natlet_slice sent = test_conn_sent(w.conn);
    tls_peer_feed(w.peer, sent.ptr, sent.len);
    CHECK_INT(tls_peer_error(w.peer), -0x7880); /* MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY */
    tls_world_finish(&w);
}

/* One bit of any byte of a record, changed on the way. */
static void sees_changes(void)
{
    for (size_t at = 0; at < 40; at++) {
        tls_world w;
        uint8_t record[64];
        tls_world_prepare(&w);
        tls_world_meet(&w);
        tls_world_check_messages(&w);
        w.log[0] = '\0';
        tls_world_say(&w, "evil");
        natlet_slice out = tls_peer_out(w.peer);
        CHECK(out.len <= sizeof record && at < out.len);
        memcpy(record, out.ptr, out.len);
        size_t len = out.len;
        tls_peer_take(w.peer, len);
        record[at] ^= 1;
        test_conn_feed(&w.host, w.conn, record, len);
        tls_world_go_on(&w);
        if (w.log[0] == '\0') { /* a longer record than came: the rest is waited for */
            CHECK(at == 3 || at == 4);
            test_conn_closed(&w.host, w.conn, 0, NATLET_E_CLOSED);
            tls_world_go_on(&w);
        }
        CHECK(strstr(w.log, "0 closed: E_") != NULL);
        CHECK_TEXT(w.payload, "client");
        tls_world_finish(&w);
    }
}

/* ---- costs ---- */

static void counts_memory(void)
{
    tls_world w;
    const natlet_msg msg = {.subject = tls_text("to"), .payload = tls_text("server")};

    for (int is_12 = 0; is_12 <= 1; is_12++) {
        tls_world_prepare(&w);
        w.server.is_12 = is_12;
        CHECK_INT(tls_world_begin(&w), NATLET_OK);
        tls_world_accept(&w, TLS_INFO);
        (void)natlet_runtime_run(w.rt, 0, 0);
        size_t before = w.memory.live_bytes;
        w.memory.bytes_max = before;
        w.peer = tls_peer_new(&w.server);
        tls_world_go_on(&w);
        tls_world_check_messages(&w);
        printf("# TLS 1.%d: %u bytes at the height of the handshake, %u when it is over\n",
               is_12 ? 2 : 3, (unsigned)(w.memory.bytes_max - before),
               (unsigned)(w.memory.live_bytes - before));
        uint32_t requests = w.memory.requests;
        for (int i = 0; i < 50; i++) {
            CHECK_INT(natlet_client_publish(w.client, &msg), NATLET_OK);
            tls_world_say(&w, "client");
            tls_world_go_on(&w);
        }
        CHECK_INT(w.memory.requests, requests);
        tls_world_finish(&w);
    }
}

/* An allocation on the way fails, or it and all that follow: the client says so, and nothing
 * leaks (finish).  Whoever has a use for memory comes first; most of the others are for the
 * numbers of one handshake, which come and go in the same few lines. */
static uint32_t check_without_memory(uint32_t fail_at, bool fails_on, bool is_12)
{
    tls_world w;

    tls_world_prepare(&w);
    w.server.is_12 = is_12;
    w.tls.certificate = tls_text(TLS_CLIENT);
    w.tls.key = tls_text(TLS_CLIENT_KEY);
    w.server.client_ca = TLS_CA;
    w.memory.fail_at = fail_at;
    w.memory.fails_on = fails_on;
    natlet_status st = tls_world_begin(&w);
    if (st == NATLET_OK) {
        tls_world_accept(&w, TLS_INFO);
        w.peer = tls_peer_new(&w.server);
        tls_world_go_on(&w);
        bool is_refused = strstr(w.log, "closed: E_NO_MEMORY") != NULL;
        CHECK(is_refused || strcmp(w.log, TLS_CONNECTING TLS_CONNECTED) == 0);
        if (!is_refused && w.memory.refused > 0 && !fails_on) {
            tls_world_check_messages(&w); /* what was missing can be done without */
        }
    } else {
        CHECK_INT(st, NATLET_E_NO_MEMORY);
    }
    uint32_t requests = w.memory.requests;
    CHECK(w.memory.refused > 0 || requests < fail_at || fail_at == 0);
    tls_world_finish(&w);
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
    RUN(keeps_what_the_host_does_not_take);
    RUN(tells_a_clean_end);
    RUN(says_goodbye);
    RUN(sees_changes);
    RUN(counts_memory);
    RUN(survives_without_memory);
    return test_done();
}
