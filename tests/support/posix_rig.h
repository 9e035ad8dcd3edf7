/* A native host, a listener on the loopback, and what was heard.
 *
 * The peer is in the same thread, for nothing that the host does waits.  Events
 * are written as words, e.g. "open readable closed:-6"; every wait has a deadline. */
#ifndef TEST_POSIX_RIG_H
#define TEST_POSIX_RIG_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "natlet/status.h"
#include "posix/natlet_posix.h"
#include "support/test.h"

enum { PATIENCE_MS = 5000, EVENTS_MAX = 8 };

typedef struct rig {
    natlet_host *host;
    int listener;
    int peer;
    char url[64];
    char heard[512];
} rig;

/* Without its sockets a test says nothing. */
static inline int need(int fd)
{
    if (fd < 0) {
        perror("no descriptor");
        exit(EXIT_FAILURE);
    }
    return fd;
}

static inline int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static inline int listen_on(int family, uint16_t *port, int backlog)
{
    struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&any;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&any;
    socklen_t len = family == AF_INET ? sizeof *v4 : sizeof *v6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (family == AF_INET) {
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        v6->sin6_addr = in6addr_loopback;
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&any, len) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &len) != 0) {
        return -1;
    }
    *port = ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port);
    return fd;
}

static inline rig setup(const natlet_posix_config *config)
{
    rig r = {.listener = -1, .peer = -1};
    uint16_t port = 0;

    CHECK_INT(natlet_posix_new(&r.host, config), NATLET_OK);
    r.listener = listen_on(AF_INET, &port, 8);
    CHECK(r.listener >= 0);
    (void)snprintf(r.url, sizeof r.url, "nats://127.0.0.1:%u", port);
    return r;
}

static inline void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static inline void teardown(rig *r)
{
    natlet_posix_free(r->host);
    close_fd(&r->listener);
    close_fd(&r->peer);
}

static inline int32_t dial(rig *r, uint32_t id, const char *url, natlet_slice options)
{
    return r->host->open(r->host->self, id, NATLET_TRANSPORT_TCP, url, (uint32_t)strlen(url),
                         options.ptr, (uint32_t)options.len);
}

static inline void hear(rig *r, const natlet_host_event *ev)
{
    static const char *const names[] = {"?",      "open", "readable", "writable",
                                        "closed", "hint", "wake"};
    size_t len = strlen(r->heard);
    char *end = r->heard + len;
    size_t room = sizeof r->heard - len;
    const char *gap = len > 0 ? " " : "";

    if (ev->type == NATLET_EV_CLOSED) {
        (void)snprintf(end, room, "%sclosed:%d", gap, (int)ev->b);
    } else {
        (void)snprintf(end, room, "%s%s", gap, names[ev->type < 7 ? ev->type : 0]);
    }
}

/* One poll; what was heard by it is appended. */
static inline int32_t turn(rig *r, uint32_t cap, int32_t wait_ms)
{
    natlet_host_event events[EVENTS_MAX];
    int32_t count = r->host->poll(r->host->self, events, cap, wait_ms);

    CHECK(count >= 0 && count <= (int32_t)cap);
    for (int32_t i = 0; i < count; i++) {
        hear(r, &events[i]);
    }
    return count;
}

static inline double now_ms(const rig *r)
{
    return r->host->clock(r->host->self, NATLET_CLOCK_MONOTONIC);
}

/* Polls until `last` was heard; everything since the last call. */
static const char *hear_until(rig *r, const char *last)
{
    double end = now_ms(r) + (double)PATIENCE_MS;

    r->heard[0] = '\0';
    while (strstr(r->heard, last) == NULL && now_ms(r) < end) {
        (void)turn(r, EVENTS_MAX, 100);
    }
    return r->heard;
}

/* What is heard within a moment in which nothing should happen. */
static const char *hear_now(rig *r)
{
    r->heard[0] = '\0';
    (void)turn(r, EVENTS_MAX, 0);
    (void)turn(r, EVENTS_MAX, 20);
    return r->heard;
}

static inline void accept_peer(rig *r)
{
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

    r->peer = need(accept(r->listener, NULL, NULL));
    CHECK_INT(setsockopt(r->peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
}

/* An open connection 1 << 16 with its peer. */
enum { ID = 1 << 16 };

static inline rig setup_open(const natlet_posix_config *config)
{
    rig r = setup(config);

    CHECK_INT(dial(&r, ID, r.url, (natlet_slice){0}), NATLET_OK);
    CHECK_TEXT(hear_until(&r, "open"), "open");
    accept_peer(&r);
    return r;
}

static inline void peer_sends(rig *r, const char *text)
{
    CHECK_INT(send(r->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void peer_receives(rig *r, const char *want)
{
    char got[64] = "";

    CHECK_INT(recv(r->peer, got, strlen(want), MSG_WAITALL), strlen(want));
    CHECK_TEXT(got, want);
}

/* The other side is not there any more, and takes what it did not read with it. */
static inline void peer_resets(rig *r)
{
    const struct linger at_once = {.l_onoff = 1};

    CHECK_INT(setsockopt(r->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close_fd(&r->peer);
}

static inline int32_t host_recv(rig *r, uint32_t id, char *buf, uint32_t cap)
{
    return r->host->recv(r->host->self, id, (uint8_t *)buf, cap);
}

static inline int32_t host_send(rig *r, uint32_t id, const char *text)
{
    return r->host->send(r->host->self, id, (const uint8_t *)text, (uint32_t)strlen(text));
}

static inline int32_t host_close(rig *r, uint32_t id)
{
    return r->host->close(r->host->self, id, 1000, "bye", 3);
}

/* Reads `want` and then `end` (a status). */
static inline void check_reads(rig *r, uint32_t id, const char *want, int32_t end)
{
    char got[256];
    int32_t len = host_recv(r, id, got, sizeof got - 1);

    if (want[0] != '\0') {
        CHECK_INT(len, strlen(want));
        got[len > 0 ? len : 0] = '\0';
        CHECK_TEXT(got, want);
        len = host_recv(r, id, got, sizeof got - 1);
    }
    CHECK_INT(len, end);
}

#endif
