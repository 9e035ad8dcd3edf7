/* Goal: the native host keeps the rest of the rules of the host door: names of
 * connections, what is allowed, waiting, and the small functions.  Native only.
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
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>

#include "support/posix_rig.h"

/* ---- names of connections, options, what is allowed */

static void slots(void)
{
    natlet_posix_config config = {.size = sizeof config, .conns_max = 2};
    rig r = setup_open(&config);

    CHECK_INT(dial(&r, 0, r.url, (natlet_slice){0}), NATLET_E_INVALID);
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_E_INVALID);     /* it is open */
    CHECK_INT(dial(&r, 2 * ID, r.url, (natlet_slice){0}), NATLET_E_INVALID); /* same slot */
    CHECK_INT(dial(&r, ID + 2, r.url, (natlet_slice){0}), NATLET_E_LIMIT);
    check_reads(&r, ID + 1, "", NATLET_E_CLOSED);
    check_reads(&r, 2 * ID, "", NATLET_E_CLOSED);
    CHECK_INT(host_send(&r, 7 * ID, "x"), NATLET_E_CLOSED);
    CHECK_INT(host_close(&r, 7 * ID), NATLET_E_CLOSED);
    check_reads(&r, ID, "", NATLET_E_AGAIN);
    teardown(&r);
}

/* A slot is free when CLOSED was told, not before; what was unread is gone then. */
static void slot_again(void)
{
    rig r = setup_open(NULL);

    peer_sends(&r, "old");
    close_fd(&r.peer);
    usleep(20000);
    (void)r.host->poll(r.host->self, (natlet_host_event[1]){{0}}, 1, 1000); /* READABLE only */
    CHECK_INT(dial(&r, 2 * ID, r.url, (natlet_slice){0}), NATLET_E_INVALID);
    CHECK_TEXT(hear_until(&r, "closed"), "closed:-6");
    CHECK_INT(dial(&r, 2 * ID, r.url, (natlet_slice){0}), NATLET_OK);
    check_reads(&r, ID, "", NATLET_E_CLOSED);
    CHECK_TEXT(hear_until(&r, "open"), "open");
    check_reads(&r, 2 * ID, "", NATLET_E_AGAIN);
    teardown(&r);
}

/* Events of many connections through a poll that takes one at a time. */
static void fairness(void)
{
    rig r = setup(NULL);
    int peers[4];

    for (uint32_t i = 0; i < 4; i++) {
        CHECK_INT(dial(&r, ID + i, r.url, (natlet_slice){0}), NATLET_OK);
        peers[i] = need(accept(r.listener, NULL, NULL));
        CHECK_INT(send(peers[i], "x", 1, 0), 1);
    }
    uint32_t seen = 0;
    for (int i = 0; i < 20 && seen != 0xff; i++) {
        natlet_host_event ev = {0};
        if (r.host->poll(r.host->self, &ev, 1, 100) == 1) {
            CHECK(ev.type == NATLET_EV_OPEN || ev.type == NATLET_EV_READABLE);
            CHECK(ev.type == NATLET_EV_OPEN || ev.a == 1);
            seen |= 1u << ((ev.conn & 3) * 2 + (ev.type == NATLET_EV_OPEN));
        }
    }
    CHECK_INT(seen, 0xff);
    for (int i = 0; i < 4; i++) {
        close_fd(&peers[i]);
    }
    teardown(&r);
}

/* One that always has something to tell does not silence another. */
static void loud_and_quiet(void)
{
    rig r = setup(NULL);
    natlet_host_event ev = {0};
    bool was_heard = false;

    CHECK_INT(dial(&r, ID + 1, r.url, (natlet_slice){0}), NATLET_OK);
    int quiet = need(accept(r.listener, NULL, NULL));
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    accept_peer(&r);
    CHECK_INT(hear_until(&r, "open open")[0], 'o');
    CHECK_INT(send(quiet, "x", 1, 0), 1);
    for (int i = 0; i < 10 && !was_heard; i++) {
        peer_sends(&r, "noise");
        usleep(2000);
        CHECK_INT(r.host->poll(r.host->self, &ev, 1, 1000), 1);
        was_heard = ev.conn == ID + 1;
        while (host_recv(&r, ID, r.heard, sizeof r.heard) > 0) {
        }
    }
    CHECK(was_heard);
    close_fd(&quiet);
    teardown(&r);
}

static void bad_opens(void)
{
    rig r = setup(NULL);
    const natlet_host *h = r.host;

    CHECK_INT(dial(&r, ID, "not a url", (natlet_slice){0}), NATLET_E_INVALID);
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice)NATLET_TEXT("\x06\x00")), NATLET_E_INVALID);
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice)NATLET_TEXT("\x70\x80\x00\x00")),
              NATLET_E_UNSUPPORTED);
    CHECK_INT(h->open(h->self, ID, NATLET_TRANSPORT_WS, r.url, 5, NULL, 0), NATLET_E_UNSUPPORTED);
    CHECK_INT(h->open(h->self, ID, NATLET_TRANSPORT_TLS, r.url, 5, NULL, 0), NATLET_E_UNSUPPORTED);
    CHECK_INT(h->open(h->self, ID, 99, r.url, 5, NULL, 0), NATLET_E_UNSUPPORTED);
    CHECK_TEXT(hear_now(&r), "");
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK); /* the slot stayed free */
    teardown(&r);
}

static int32_t adopt(rig *r, uint32_t id, int fd)
{
    uint8_t options[] = {
        5,  0x80, 4, 0, (uint8_t)fd, (uint8_t)(fd >> 8), 0, 0, 9, 0, 1, 0, 0, 10, 0, 4, 0,
        30, 0,    0, 0};

    return r->host->open(r->host->self, id, NATLET_TRANSPORT_FD, NULL, 0, options, sizeof options);
}

static int int_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    CHECK_INT(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* A descriptor of the program's; its options show what ours are set to. */
static void adopted(void)
{
    rig r = setup(NULL);
    int ends[2];
    int tcp = need(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in to = {.sin_family = AF_INET};

    CHECK_INT(adopt(&r, ID, tcp), NATLET_E_INVALID); /* not connected */
    CHECK_INT(adopt(&r, ID, 999), NATLET_E_INVALID);
    CHECK_INT(pipe(ends), 0);
    CHECK_INT(adopt(&r, ID, ends[0]), NATLET_E_INVALID); /* no socket */
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    to.sin_port = htons((uint16_t)strtoul(strrchr(r.url, ':') + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(connect(tcp, (struct sockaddr *)&to, sizeof to), 0);
    accept_peer(&r);
    CHECK_INT(adopt(&r, ID, tcp), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "open"), "open");
    CHECK_INT(int_option(tcp, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_INT(int_option(tcp, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_INT(int_option(tcp, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    check_reads(&r, ID, "", NATLET_E_AGAIN); /* it does not wait */
    peer_sends(&r, "hi");
    CHECK_TEXT(hear_until(&r, "readable"), "readable");
    check_reads(&r, ID, "hi", NATLET_E_AGAIN);
    teardown(&r);
    CHECK(fcntl(tcp, F_GETFD) < 0 && errno == EBADF); /* it was ours, so it is closed */
}

/* A socket that is connected to itself is connected to nobody. */
static void own_echo(void)
{
    rig r = setup(NULL);
    uint16_t port = 0;
    int self = listen_on(AF_INET, &port, 1); /* finds a free port */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

    close_fd(&self);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self = need(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_INT(bind(self, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_INT(connect(self, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_INT(adopt(&r, ID, self), NATLET_E_INVALID);
    close_fd(&self);
    teardown(&r);
}

/* A pair without names is fine. */
static void adopted_pair(void)
{
    rig r = setup(NULL);
    int ends[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_INT(adopt(&r, ID, ends[0]), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "open"), "open");
    r.peer = ends[1];
    CHECK_INT(host_send(&r, ID, "hello"), 5);
    peer_receives(&r, "hello");
    peer_sends(&r, "bye");
    close_fd(&r.peer);
    CHECK_TEXT(hear_until(&r, "closed"), "readable closed:-6");
    check_reads(&r, ID, "bye", NATLET_E_CLOSED);
    teardown(&r);
}

static void allow_list(void)
{
    static const char *const allow[] = {"ws://nats.example:*", "nats://127.0.0.1:*"};
    natlet_posix_config config = {.size = sizeof config, .allow = allow, .allow_count = 2};
    rig r = setup(&config);
    int ends[2];

    CHECK_INT(dial(&r, ID, "ws://127.0.0.1:1", (natlet_slice){0}), NATLET_E_DENIED);
    CHECK_INT(dial(&r, ID, "nats://nats.example@127.0.0.2:1", (natlet_slice){0}), NATLET_E_DENIED);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    CHECK_INT(adopt(&r, ID, ends[0]), NATLET_E_DENIED);
    CHECK_TEXT(hear_now(&r), "");
    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    teardown(&r);
}

static void allow_nothing(void)
{
    static const char *const allow[] = {""};
    natlet_posix_config config = {.size = sizeof config, .allow = allow};
    natlet_host *host = NULL;
    rig r = setup(&config);

    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_E_DENIED);
    teardown(&r);
    config.allow_count = 1; /* the empty pattern */
    CHECK_INT(natlet_posix_new(&host, &config), NATLET_E_CONFIG);
    CHECK(host == NULL);
    config = (natlet_posix_config){.size = sizeof config, .conns_max = 65536};
    CHECK_INT(natlet_posix_new(&host, &config), NATLET_E_CONFIG);
    natlet_posix_free(NULL);
}

/* ---- waiting */

static void *wake_later(void *arg)
{
    const natlet_host *host = arg;

    usleep(50000);
    for (int i = 0; i < 3; i++) {
        host->wake(host->self);
    }
    return NULL;
}

static void woken_by_a_thread(void)
{
    rig r = setup(NULL);
    pthread_t thread;

    r.host->wake(r.host->self);
    r.host->wake(r.host->self);
    CHECK_INT(turn(&r, EVENTS_MAX, 0), 1);
    CHECK_TEXT(r.heard, "wake");
    CHECK_INT(pthread_create(&thread, NULL, wake_later, r.host), 0);
    CHECK_INT(turn(&r, EVENTS_MAX, -1), 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    teardown(&r);
}

static void timeouts(void)
{
    rig r = setup_open(NULL);
    double start = now_ms(&r);

    CHECK_INT(turn(&r, EVENTS_MAX, 0), 0);
    CHECK(now_ms(&r) - start < 500);
    start = now_ms(&r);
    CHECK_INT(turn(&r, EVENTS_MAX, 60), 0);
    CHECK(now_ms(&r) - start >= 60 && now_ms(&r) - start < 2000);
    r.host->wake(r.host->self);
    CHECK_INT(turn(&r, 0, 1000), 0); /* no room for an event: no reason to wait */
    CHECK_INT(turn(&r, 1, 1000), 1);

    /* What is due already is told at once. */
    peer_sends(&r, "x");
    usleep(20000);
    r.host->wake(r.host->self);
    CHECK_INT(turn(&r, 1, PATIENCE_MS), 1);
    start = now_ms(&r);
    CHECK_INT(turn(&r, EVENTS_MAX, PATIENCE_MS), 1);
    CHECK(now_ms(&r) - start < 2500);
    teardown(&r);
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void signals(void)
{
    const struct sigaction act = {.sa_handler = on_alarm};
    const struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    rig r = setup_open(NULL);
    double start = now_ms(&r);

    CHECK_INT(sigaction(SIGALRM, &act, NULL), 0);
    CHECK_INT(setitimer(ITIMER_REAL, &soon, NULL), 0);
    CHECK_INT(turn(&r, EVENTS_MAX, PATIENCE_MS), 0);
    CHECK(now_ms(&r) - start < 2500);
    teardown(&r);
}

/* ---- the small doors */

static void hello(void)
{
    rig r = setup(NULL);
    natlet_host_info info = {.size = sizeof info};
    natlet_host_info part = {.size = 12, .conns_max = 77};

    CHECK_INT(r.host->hello(r.host->self, NATLET_ABI, &info), sizeof info);
    CHECK_INT(info.size, sizeof info);
    CHECK_INT(info.abi, NATLET_ABI);
    CHECK_INT(info.caps, NATLET_CAP_TCP | NATLET_CAP_FD | NATLET_CAP_BLOCK | NATLET_CAP_RXPAUSE |
                             NATLET_CAP_WALLCLOCK | NATLET_CAP_HINTS);
    CHECK_INT(info.conns_max, 64);
    CHECK_TEXT(info.name, "posix");
    CHECK_INT(r.host->hello(r.host->self, NATLET_ABI + 5, &part), 12); /* a later minor */
    CHECK(part.size == 12 && part.caps == info.caps && part.conns_max == 77);
    CHECK_INT(r.host->hello(r.host->self, 2u << 16, &info), NATLET_E_UNSUPPORTED);
    teardown(&r);
}

static void clocks_and_random(void)
{
    rig r = setup(NULL);
    uint8_t a[1000] = {0};
    uint8_t b[1000] = {0};
    double start = now_ms(&r);
    size_t zeros = 0;

    usleep(2000);
    CHECK(now_ms(&r) - start >= 2 && now_ms(&r) - start < 1000);
    CHECK(r.host->clock(r.host->self, NATLET_CLOCK_UNIX) > 1.7e12);
    CHECK_INT(r.host->random(r.host->self, a, sizeof a), NATLET_OK);
    CHECK_INT(r.host->random(r.host->self, b, sizeof b), NATLET_OK);
    CHECK(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++) {
        zeros += a[i] == 0;
    }
    CHECK(zeros < 30); /* of 1000, 4 are to be expected */
    CHECK_INT(r.host->random(r.host->self, a, 0), NATLET_OK);
    CHECK_INT(r.host->ctl(r.host->self, NATLET_CTL_UPGRADE_STATUS, ID, NULL, 0), 0);
    CHECK_INT(r.host->ctl(r.host->self, NATLET_CTL_START_TLS, ID, NULL, 0), NATLET_E_UNSUPPORTED);
    CHECK_INT(r.host->ctl(r.host->self, 99, 0, NULL, 0), NATLET_E_UNSUPPORTED);
    teardown(&r);
}

/* What `host` logs, read from the pipe that takes the place of stderr. */
static void logging(void)
{
    static char text[5000];
    natlet_posix_config config = {.size = sizeof config, .log_level = NATLET_LOG_INFO};
    rig r = setup(&config);
    int ends[2];
    int before = need(dup(STDERR_FILENO));

    memset(text, 'x', sizeof text);
    CHECK_INT(pipe(ends), 0);
    CHECK(dup2(ends[1], STDERR_FILENO) >= 0);
    r.host->log(r.host->self, NATLET_LOG_WARN, "a\x1b[31m\nb\x7f\xc3\xa4", 11);
    r.host->log(r.host->self, NATLET_LOG_DEBUG, "hidden", 6);
    r.host->log(r.host->self, NATLET_LOG_INFO, text, sizeof text);
    CHECK(dup2(before, STDERR_FILENO) >= 0);
    close_fd(&before);
    close_fd(&ends[1]);
    ssize_t len = read(ends[0], text, sizeof text);
    close_fd(&ends[0]);
    static const char want[] = "natlet: warning: a?[31m?b?\xc3\xa4\nnatlet: xxx";
    CHECK(len == 29 + 4096);
    CHECK(memcmp(text, want, sizeof want - 1) == 0);
    CHECK(text[29 + 4095] == '\n');
    teardown(&r);
}

static void allocator(void)
{
    natlet_allocator a = natlet_posix_allocator();
    uint64_t *block = a.resize(a.self, NULL, 0, 64);

    CHECK(block != NULL && (uintptr_t)block % sizeof *block == 0);
    memset(block, 7, 64);
    block = a.resize(a.self, block, 64, 100000);
    CHECK(block != NULL && block[7] == 0x0707070707070707u);
    CHECK(a.resize(a.self, block, 100000, 0) == NULL);
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
    RUN(slots);
    RUN(slot_again);
    RUN(fairness);
    RUN(loud_and_quiet);
    RUN(bad_opens);
    RUN(adopted);
    RUN(own_echo);
    RUN(adopted_pair);
    RUN(allow_list);
    RUN(allow_nothing);
    RUN(woken_by_a_thread);
    RUN(timeouts);
    RUN(signals);
    RUN(hello);
    RUN(clocks_and_random);
    RUN(logging);
    RUN(allocator);
    RUN(nothing_left_open);
    return test_done();
}
#endif
