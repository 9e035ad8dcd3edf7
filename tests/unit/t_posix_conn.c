/* Goal: a connection of the native host keeps the rules of the host door, from
 * open to CLOSED, against real sockets.  Native only.
 *
 * Method: support/posix_rig.h. */
#include "support/test.h"

#ifdef __wasm__
int main(void)
{
    return 0;
}
#else

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include "posix/conn.h"
#include "support/posix_rig.h"

/* ---- bytes */

static void echo(void)
{
    rig r = setup_open(NULL);

    check_reads(&r, ID, "", NATLET_E_AGAIN);
    CHECK_INT(host_send(&r, ID, "hello"), 5);
    peer_receives(&r, "hello");
    peer_sends(&r, "there");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    check_reads(&r, ID, "there", NATLET_E_AGAIN);
    CHECK_TEXT(hear_now(&r), "");
    CHECK_INT(host_recv(&r, ID, r.heard, 0), NATLET_E_INVALID);
    CHECK_INT(host_send(&r, ID, ""), 0);
    teardown(&r);
}

/* READABLE is told once per E_AGAIN, whatever arrives in between. */
static void readable_once(void)
{
    rig r = setup_open(NULL);
    char one;

    peer_sends(&r, "ab");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    peer_sends(&r, "cd");
    CHECK_TEXT(hear_now(&r), "");
    CHECK_INT(host_recv(&r, ID, &one, 1), 1);
    CHECK_TEXT(hear_now(&r), "");
    check_reads(&r, ID, "bcd", NATLET_E_AGAIN);
    CHECK_TEXT(hear_now(&r), "");
    peer_sends(&r, "e");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    check_reads(&r, ID, "e", NATLET_E_AGAIN);
    teardown(&r);
}

/* A buffer that is filled to its end says nothing about what is behind it. */
static void exact_reads(void)
{
    rig r = setup_open(NULL);
    char four[4];

    peer_sends(&r, "abcdefgh");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    CHECK_INT(host_recv(&r, ID, four, 4), 4);
    CHECK_INT(host_recv(&r, ID, four, 4), 4);
    CHECK(memcmp(four, "efgh", 4) == 0);
    CHECK_INT(host_recv(&r, ID, four, 4), NATLET_E_AGAIN);
    teardown(&r);
}

static uint8_t pattern_at(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7);
}

/* Sends until the host takes no more; how much it took. */
static size_t fill_up(rig *r, size_t from)
{
    static uint8_t block[65536];
    size_t sent = from;
    int32_t taken;

    do {
        for (size_t i = 0; i < sizeof block; i++) {
            block[i] = pattern_at(sent + i);
        }
        taken = r->host->send(r->host->self, ID, block, sizeof block);
        CHECK(taken >= 0 && taken <= (int32_t)sizeof block);
        sent += taken > 0 ? (size_t)taken : 0;
    } while (taken == sizeof block && sent < 256u << 20);
    CHECK(sent < 256u << 20);
    return sent;
}

/* Reads up to `len` bytes of the pattern; how many there were. */
static size_t peer_takes(rig *r, size_t from, size_t len)
{
    static uint8_t block[65536];
    size_t got = 0;
    bool is_right = true;

    while (got < len) {
        size_t most = len - got < sizeof block ? len - got : sizeof block;
        ssize_t n = recv(r->peer, block, most, 0);
        if (n <= 0) {
            break;
        }
        for (size_t i = 0; i < (size_t)n; i++) {
            is_right = is_right && block[i] == pattern_at(from + got + i);
        }
        got += (size_t)n;
    }
    CHECK(is_right);
    return got;
}

/* A peer that does not read stops us; when it reads, WRITABLE comes, once. */
static void backpressure(void)
{
    natlet_posix_config config = {.size = sizeof config, .tx_high_bytes = 65536};
    rig r = setup_open(&config);
    size_t sent = fill_up(&r, 0);

    CHECK_TEXT(hear_now(&r), "");
    CHECK_INT(peer_takes(&r, 0, sent), sent);
    CHECK_TEXT(hear_until(&r, "writable"), "writable");
    CHECK_TEXT(hear_now(&r), "");
    size_t more = fill_up(&r, sent);
    CHECK(more > sent);
    CHECK_INT(host_close(&r, ID), NATLET_OK); /* what was taken goes out first */
    CHECK_INT(peer_takes(&r, sent, more - sent), more - sent);
    CHECK_INT(peer_takes(&r, more, 1), 0);
    teardown(&r);
}

/* Less room for what is unsent means fewer bytes taken. */
static void high_water(void)
{
    natlet_posix_config low = {.size = sizeof low, .tx_high_bytes = 16384};
    natlet_posix_config high = {.size = sizeof high, .tx_high_bytes = 8u << 20};
    rig a = setup_open(&low);
    rig b = setup_open(&high);

    CHECK(fill_up(&a, 0) < fill_up(&b, 0));
    teardown(&a);
    teardown(&b);
}

/* What is sent before OPEN is not taken, and WRITABLE says when it will be. */
static void early_send(void)
{
    rig r = setup(NULL);

    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    if (host_send(&r, ID, "x") == 0) { /* a local dial may be through already */
        check_reads(&r, ID, "", NATLET_E_AGAIN);
        CHECK_TEXT(hear_until(&r, "writable"), "open writable");
    }
    teardown(&r);
}

/* ---- the end */

static void peer_closes(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "-ERR 'bye'\r\n");
    close_fd(&r.peer);
    CHECK_TEXT(hear_until(&r, "closed"), "readable closed:-6");
    CHECK_INT(host_send(&r, ID, "x"), NATLET_E_CLOSED);
    check_reads(&r, ID, "-ERR 'bye'\r\n", NATLET_E_CLOSED);
    check_reads(&r, ID, "", NATLET_E_CLOSED);
    CHECK_INT(host_close(&r, ID), NATLET_OK);
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

/* Told about bytes, not yet reading, when the peer goes: nothing is told twice. */
static void peer_closes_unread(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "abc");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    peer_sends(&r, "def");
    close_fd(&r.peer);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-6");
    check_reads(&r, ID, "abcdef", NATLET_E_CLOSED);
    teardown(&r);
}

/* recv finds the end before poll does. */
static void end_found_by_recv(void)
{
    rig r = setup_open(NULL);
    char exact[3];

    peer_sends(&r, "abc");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    close_fd(&r.peer);
    usleep(20000);
    CHECK_INT(host_recv(&r, ID, exact, 3), 3);
    CHECK_INT(host_recv(&r, ID, exact, 3), NATLET_E_CLOSED);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-6");
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

static void peer_is_gone(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "last words");
    usleep(20000);
    peer_resets(&r);
    CHECK_TEXT(hear_until(&r, "closed"), "readable closed:-10");
    check_reads(&r, ID, "last words", NATLET_E_CLOSED);
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

/* Writing to a peer that is gone: no SIGPIPE, which would end this program. */
static void send_to_nobody(void)
{
    rig r = setup_open(NULL);
    int32_t st = 0;

    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    close_fd(&r.peer);
    for (int i = 0; i < 100 && st >= 0; i++) {
        usleep(1000);
        st = host_send(&r, ID, "x");
    }
    CHECK_INT(st, NATLET_E_CLOSED);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-6");
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

static void send_after_reset(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "abc");
    usleep(20000);
    peer_resets(&r);
    usleep(20000);
    CHECK_INT(host_send(&r, ID, "x"), NATLET_E_CLOSED);
    CHECK_TEXT(hear_until(&r, "closed"), "readable closed:-10");
    check_reads(&r, ID, "abc", NATLET_E_CLOSED);
    teardown(&r);
}

/* What was due and not told when we closed is not told any more. */
static void close_forgets(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "abc");
    usleep(20000);
    r.host->wake(r.host->self);
    r.heard[0] = '\0';
    CHECK_INT(turn(&r, 1, 1000), 1);
    CHECK_TEXT(r.heard, "wake");
    CHECK_INT(host_close(&r, ID), NATLET_OK);
    close_fd(&r.peer);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:0");
    teardown(&r);
}

/* Our close: the peer gets everything, then the end; we hear CLOSED, once. */
static void we_close(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "unread");
    usleep(20000);
    CHECK_INT(host_send(&r, ID, "farewell"), 8);
    CHECK_INT(host_close(&r, ID), NATLET_OK);
    CHECK_INT(host_close(&r, ID), NATLET_OK);
    check_reads(&r, ID, "", NATLET_E_CLOSED);
    CHECK_INT(host_send(&r, ID, "x"), NATLET_E_CLOSED);
    CHECK_TEXT(hear_now(&r), ""); /* the peer may still be reading */
    peer_sends(&r, "more that nobody reads");
    peer_receives(&r, "farewell");
    CHECK_INT(recv(r.peer, r.heard, 1, 0), 0);
    close_fd(&r.peer);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:0");
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

/* A peer that never closes does not keep us. */
static void we_close_alone(void)
{
    rig r = setup_open(NULL);
    double start = now_ms(&r);

    CHECK_INT(host_close(&r, ID), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:0");
    CHECK(now_ms(&r) - start > 1500 && now_ms(&r) - start < 4000);
    teardown(&r);
}

static void close_before_open(void)
{
    rig r = setup(NULL);

    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    CHECK_INT(host_close(&r, ID), NATLET_OK);
    close_fd(&r.listener); /* resets what it had not accepted, should the dial be through */
    CHECK_TEXT(hear_until(&r, "closed"), "closed:0");
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

/* ---- connecting */

static void refused(void)
{
    rig r = setup(NULL);

    close_fd(&r.listener);
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-10");
    check_reads(&r, ID, "", NATLET_E_CLOSED);
    CHECK_TEXT(hear_now(&r), "");
    teardown(&r);
}

/* A listener whose queue is full: it answers nothing. */
typedef struct mute_port {
    int listener;
    int fillers[4];
    struct sockaddr_in at;
} mute_port;

static mute_port make_mute_port(void)
{
    mute_port m = {.at = {.sin_family = AF_INET}};
    uint16_t port = 0;

    m.listener = listen_on(AF_INET, &port, 0);
    m.at.sin_port = htons(port);
    m.at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 4; i++) {
        m.fillers[i] = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        int st = connect(m.fillers[i], (struct sockaddr *)&m.at, sizeof m.at);
        CHECK(st == 0 || errno == EINPROGRESS);
    }
    usleep(20000);
    return m;
}

static void free_mute_port(mute_port *m)
{
    for (int i = 0; i < 4; i++) {
        close_fd(&m->fillers[i]);
    }
    close_fd(&m->listener);
}

static void connect_timeout(void)
{
    rig r = setup(NULL);
    mute_port m = make_mute_port();
    natlet_slice in_200_ms = NATLET_TEXT("\x06\x80\x04\x00\xc8\x00\x00\x00");
    double start = now_ms(&r);

    (void)snprintf(r.url, sizeof r.url, "ws://127.0.0.1:%u/x", ntohs(m.at.sin_port));
    CHECK_INT(dial(&r, ID, r.url, in_200_ms), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-13");
    CHECK(now_ms(&r) - start >= 199 && now_ms(&r) - start < 2000);
    free_mute_port(&m);
    teardown(&r);
}

static struct addrinfo address_of(struct sockaddr_in *at, struct addrinfo *next)
{
    return (struct addrinfo){.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_addr = (struct sockaddr *)at,
                             .ai_addrlen = sizeof *at,
                             .ai_next = next};
}

/* A connection of its own that is dialing the mute port; 1000 us of time left. */
static natlet__posix_conn dial_mute(const mute_port *m, const struct addrinfo *next)
{
    natlet__posix_conn conn = {.state = NATLET__POSIX_FREE};
    natlet__posix_options options = {.connect_ms = 1, .tx_high_bytes = 4096, .fd = -1};
    natlet__posix_address address = {.host = "127.0.0.1", .port = ntohs(m->at.sin_port)};

    CHECK_INT(natlet__posix_conn_open(&conn, ID, &options, &address, 5000), NATLET_OK);
    CHECK_INT(conn.state, NATLET__POSIX_CONNECTING);
    CHECK_INT(natlet__posix_conn_due(&conn), 6000);
    conn.next = next;
    conn.try_until_us = 5200;
    return conn;
}

/* One that is mute, one that refuses, one that listens: in this order. */
static void address_order(void)
{
    rig r = setup(NULL);
    mute_port m = make_mute_port();
    uint16_t port = 0;
    int closed = listen_on(AF_INET, &port, 0);
    struct sockaddr_in bad = m.at;
    struct sockaddr_in good = m.at;
    struct addrinfo last = address_of(&good, NULL);
    struct addrinfo first = address_of(&bad, &last);
    natlet_host_event ev = {0};
    short events;

    close_fd(&closed);
    bad.sin_port = htons(port);
    good.sin_port = htons((uint16_t)strtoul(strrchr(r.url, ':') + 1, NULL, 10));
    natlet__posix_conn conn = dial_mute(&m, &first);
    natlet__posix_conn_tick(&conn, 5199);
    CHECK(conn.next == &first);
    natlet__posix_conn_tick(&conn, 5200);
    for (int i = 0; i < 100 && ev.type == 0; i++) {
        struct pollfd one = {.fd = natlet__posix_conn_wants(&conn, &events), .events = POLLOUT};
        if (poll(&one, 1, 100) > 0) {
            natlet__posix_conn_ready(&conn, one.revents, 5300);
        }
        (void)natlet__posix_conn_event(&conn, &ev);
    }
    CHECK_INT(ev.type, NATLET_EV_OPEN);
    natlet__posix_conn_drop(&conn);
    free_mute_port(&m);
    teardown(&r);
}

/* Each address that is left gets an equal share of the time that is left. */
static void time_shares(void)
{
    mute_port m = make_mute_port();
    struct addrinfo last = address_of(&m.at, NULL);
    struct addrinfo first = address_of(&m.at, &last);
    natlet__posix_conn conn = dial_mute(&m, &first);
    natlet_host_event ev = {0};

    natlet__posix_conn_tick(&conn, 5200);
    CHECK_INT(natlet__posix_conn_due(&conn), 5600);
    natlet__posix_conn_tick(&conn, 5600);
    CHECK_INT(natlet__posix_conn_due(&conn), 6000);
    natlet__posix_conn_tick(&conn, 6000);
    CHECK_INT(natlet__posix_conn_due(&conn), NATLET__POSIX_NEVER_US);
    CHECK(natlet__posix_conn_event(&conn, &ev));
    CHECK(ev.type == NATLET_EV_CLOSED && (int32_t)ev.b == NATLET_E_TIMEOUT);
    CHECK(!natlet__posix_conn_event(&conn, &ev));
    natlet__posix_conn_drop(&conn);
    free_mute_port(&m);
}

/* A name goes through a thread; "localhost" may have an address more where nobody
 * listens. */
static void names(void)
{
    rig r = setup(NULL);
    char url[64];

    (void)snprintf(url, sizeof url, "ws://localhost:%s/path", strrchr(r.url, ':') + 1);
    CHECK_INT(dial(&r, ID, url, (natlet_slice){0}), NATLET_OK);
    CHECK_INT(host_send(&r, ID, "x"), 0);
    CHECK_TEXT(hear_until(&r, "writable"), "open writable");
    teardown(&r);
}

/* A label of 64 letters is refused before anybody is asked (RFC 1035, 2.3.4). */
static void no_such_name(void)
{
    rig r = setup(NULL);
    char url[100] = "ws://";

    memset(url + 5, 'a', 64);
    CHECK_INT(dial(&r, ID, url, (natlet_slice){0}), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-12");
    teardown(&r);
}

/* Nobody waits for a lookup any more: its thread ends alone. */
static void lookup_dropped(void)
{
    rig r = setup(NULL);

    CHECK_INT(dial(&r, ID, "ws://localhost", (natlet_slice){0}), NATLET_OK);
    CHECK_INT(host_close(&r, ID), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:0");
    CHECK_INT(dial(&r, ID, "ws://localhost", (natlet_slice){0}), NATLET_OK);
    teardown(&r);
    usleep(50000);
}

static void ipv6(void)
{
    rig r = setup(NULL);
    uint16_t port = 0;

    close_fd(&r.listener);
    r.listener = listen_on(AF_INET6, &port, 8);
    if (r.listener >= 0) { /* not every machine has it */
        (void)snprintf(r.url, sizeof r.url, "nats://[::1]:%u", port);
        CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
        CHECK_TEXT(hear_until(&r, "open"), "open");
    }
    teardown(&r);
}

static void no_descriptors(void)
{
    rig r = setup(NULL);
    struct rlimit before, none;

    CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-9");
    CHECK_INT(dial(&r, 2 * ID, "ws://localhost", (natlet_slice){0}), NATLET_E_LIMIT);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    teardown(&r);
}

/* Sockets, bells, and those of threads that nobody waited for. */
static int descriptors_before;

static void nothing_left_open(void)
{
    for (int i = 0; i < 100 && open_descriptors() > descriptors_before; i++) {
        usleep(20000);
    }
    CHECK_INT(open_descriptors(), descriptors_before);
}

int main(void)
{
    descriptors_before = open_descriptors();
    RUN(echo);
    RUN(readable_once);
    RUN(exact_reads);
    RUN(backpressure);
    RUN(high_water);
    RUN(early_send);
    RUN(peer_closes);
    RUN(peer_closes_unread);
    RUN(end_found_by_recv);
    RUN(peer_is_gone);
    RUN(send_to_nobody);
    RUN(send_after_reset);
    RUN(close_forgets);
    RUN(we_close);
    RUN(we_close_alone);
    RUN(close_before_open);
    RUN(refused);
    RUN(connect_timeout);
    RUN(address_order);
    RUN(time_shares);
    RUN(names);
    RUN(no_such_name);
    RUN(lookup_dropped);
    RUN(ipv6);
    RUN(no_descriptors);
    RUN(nothing_left_open);
    return test_done();
}
#endif
