/* covers: src/tls/stage.c src/tls/engine.c src/tls/profile.c src/tls/verdict.c src/tls/platform.c
 * src/client/secure.c */
/* Properties: whatever comes instead of a server's records, or changes in them, the client
 * neither traps nor hangs, stays within its memory, leaves nothing behind, breaks no rule of
 * the host, and is connected only to the server that it verified, whose words it got
 * unchanged.
 *
 * The first byte says how the input is used: as what comes, cut into pieces, or as pairs of
 * a place and a change in what a real server says. */
#include "natlet/tls.h"
#include "support/test_host.h"
#include "tests/peer/peer.h"
#include "tests/peer/texts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INFO "INFO {\"max_payload\":1048576,\"tls_required\":true}\r\n"

enum { IS_12 = 1, IS_FIRST = 2, IS_REAL = 4, IS_ORDERLY = 8, MEMORY_MAX = 300000, ROUNDS_MAX = 64 };

static test_host host;
static test_memory memory;
static natlet_runtime *rt;
static test_conn *conn;
static tls_peer *peer;
static bool is_changed, has_said;
static uint32_t rounds;

static void must(bool held)
{
    if (!held) {
        abort();
    }
}

static natlet_slice text(const char *chars)
{
    return (natlet_slice){(const uint8_t *)chars, strlen(chars)};
}

static void note_event(void *self, const natlet_client_event *event)
{
    (void)self;
    if (event->state == NATLET_CLIENT_CONNECTED) {
        must(peer != NULL && tls_peer_is_up(peer));
    }
}

static void run(void)
{
    for (int i = 0; i < 8; i++) {
        (void)natlet_runtime_run(rt, 1000000, 0);
    }
    must(memory.live_bytes < MEMORY_MAX);
}

/* The input, in pieces whose sizes it says itself. */
static void say_input(natlet_slice in)
{
    while (in.len > 1 && conn->closes == 0) {
        size_t len = in.ptr[0];
        in.ptr++;
        in.len--;
        len = len < in.len ? len : in.len;
        test_conn_feed(&host, conn, in.ptr, len);
        run();
        in.ptr += len;
        in.len -= len;
    }
}

/* What the server has to say, three bytes of input for each change: a round, a place, a value. */
static void pass(natlet_slice in)
{
    static uint8_t bytes[65536];
    natlet_slice out = tls_peer_out(peer);
    size_t len = out.len < sizeof bytes ? out.len : sizeof bytes;

    memcpy(bytes, out.ptr, len);
    tls_peer_take(peer, len);
    for (; in.len >= 3; in.ptr += 3, in.len -= 3) {
        size_t at = ((size_t)(in.ptr[0] >> 3) << 8 | in.ptr[1]) % len;
        if ((in.ptr[0] & 7) == rounds % 8 && in.ptr[2] != 0) {
            bytes[at] ^= in.ptr[2];
            is_changed = true;
        }
    }
    if (conn->closes == 0) {
        test_conn_feed(&host, conn, bytes, len);
    }
    run();
}

static void answer(bool is_first)
{
    natlet_slice heard = tls_peer_heard(peer);

    if (!tls_peer_is_up(peer)) {
        return;
    }
    if (is_first && !has_said) {
        has_said = true;
        tls_peer_say(peer, INFO, strlen(INFO));
    }
    if (heard.len > 6 && memcmp(heard.ptr + heard.len - 6, "PING\r\n", 6) == 0) {
        tls_peer_forget(peer);
        tls_peer_say(peer, "PONG\r\n", 6);
    }
}

static void converse(natlet_slice in, bool is_first)
{
    for (rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        natlet_slice sent = test_conn_sent(conn);
        if (sent.len > 0) {
            tls_peer_feed(peer, sent.ptr, sent.len);
            test_conn_take_sent(conn, sent.len);
        }
        answer(is_first);
        if (tls_peer_out(peer).len == 0) {
            return;
        }
        pass(in);
    }
}

static natlet_client *begin(uint32_t how)
{
    natlet_client *client;
    natlet_client_config config;
    const natlet_tls_config tls = {
        .size = sizeof tls, .ca = text(TLS_CA), .first = (how & IS_FIRST) != 0};

    test_host_init(&host, 1);
    test_memory_init(&memory);
    host.info.caps = NATLET_CAP_TCP | NATLET_CAP_WALLCLOCK;
    natlet_client_config_init(&config);
    config.servers = text("tls://localhost");
    config.no_reconnect = true;
    config.on_event = note_event;
    must(natlet_runtime_new(&rt, &host.host, &memory.allocator, 0) == NATLET_OK);
    must(natlet_client_new(&client, rt, &config) == NATLET_OK);
    must(natlet_client_tls(client, &tls) == NATLET_OK);
    must(natlet_client_connect(client) == NATLET_OK);
    run();
    conn = test_host_last(&host);
    test_conn_opened(&host, conn);
    if ((how & IS_FIRST) == 0) {
        test_conn_feed_text(&host, conn, INFO);
    }
    run();
    return client;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const tls_peer_config server = {.certificate = TLS_SERVER,
                                    .key = TLS_SERVER_KEY,
                                    .is_12 = size > 0 && (data[0] & IS_12) != 0};
    uint32_t how = size > 0 ? data[0] : 0;
    natlet_slice in = {data + (size > 0 ? 1 : 0), size > 0 ? size - 1 : 0};

    is_changed = has_said = false;
    natlet_client *client = begin(how);
    if ((how & IS_REAL) != 0) {
        peer = tls_peer_new(&server);
        converse(in, (how & IS_FIRST) != 0);
        must(is_changed || natlet_client_is_connected(client));
    } else {
        say_input(in);
        must(!natlet_client_is_connected(client));
    }
    test_conn_closed(&host, conn, 0, (how & IS_ORDERLY) != 0 ? NATLET_E_CLOSED : NATLET_E_IO);
    run();
    must(natlet_client_state_now(client) == NATLET_CLIENT_CLOSED);
    natlet_client_free(client);
    natlet_runtime_free(rt);
    must(memory.live_blocks == 0 && memory.errors == 0 && host.violations == 0);
    if (peer != NULL) {
        tls_peer_free(peer);
        peer = NULL;
    }
    test_host_free(&host);
    return 0;
}
