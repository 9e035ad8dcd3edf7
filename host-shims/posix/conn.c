/* FREE -> RESOLVING -> CONNECTING -> OPEN -> ENDED, with LINGERING on the way if
 * the guest closed.  Numbers skip RESOLVING, adopted descriptors all before OPEN.
 *
 * ENDED keeps the socket as long as bytes wait in it: the -ERR that explains a
 * close arrives just before it. */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#ifndef POLLRDHUP /* only declared for programs that ask for all of GNU */
#define POLLRDHUP 0x2000
#endif

enum {
    US_PER_MS = 1000,
    LINGER_US = 2000000, /* for the peer to close as well (RFC 6455, 7.1.1) */
    DISCARDS_MAX = 16,   /* reads per poll of a connection that nobody reads */
    DISCARD_BYTES = 16384,
};

static natlet_status status_of(int error)
{
    switch (error) {
    case 0:
        return NATLET_E_CLOSED;
    case ETIMEDOUT:
        return NATLET_E_TIMEOUT;
    case EMFILE:
    case ENFILE:
        return NATLET_E_LIMIT;
    case ENOMEM:
    case ENOBUFS:
        return NATLET_E_NO_MEMORY;
    default:
        return NATLET_E_IO;
    }
}

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value); /* a wish: it works without */
}

/* The error that waits in a socket; reading clears it. */
static int take_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static uint32_t unread_bytes(int fd)
{
    int count = 0;

    return ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (uint32_t)count : 0;
}

static void close_socket(natlet__posix_conn *conn)
{
    if (conn->fd >= 0) {
        (void)close(conn->fd);
        conn->fd = -1;
    }
}

static void forget_addresses(natlet__posix_conn *conn)
{
    natlet__posix_lookup_drop(conn->lookup);
    conn->lookup = NULL;
    if (conn->addresses != NULL) {
        freeaddrinfo(conn->addresses);
    }
    conn->addresses = NULL;
    conn->next = NULL;
}

/* CLOSED is due.  Bytes that nobody was told about are told before it. */
static void end(natlet__posix_conn *conn, natlet_status status)
{
    bool was_open = conn->state == NATLET__POSIX_OPEN;

    NATLET_ASSERT(conn->state != NATLET__POSIX_FREE && conn->state != NATLET__POSIX_ENDED);
    forget_addresses(conn);
    conn->state = NATLET__POSIX_ENDED;
    conn->status = status;
    conn->pending |= 1u << NATLET_EV_CLOSED;
    if (!was_open || unread_bytes(conn->fd) == 0) {
        close_socket(conn);
    } else if (conn->wants_readable) {
        conn->pending |= 1u << NATLET_EV_READABLE;
    }
}

/* What the peer still sends is dropped: with bytes unread, close() would reset
 * the connection, and the peer might lose our last ones.  False when it ended. */
static bool discard(int fd)
{
    uint8_t dropped[DISCARD_BYTES];
    ssize_t n = 1;

    for (int i = 0; n > 0 && i < DISCARDS_MAX; i++) {
        n = recv(fd, dropped, sizeof dropped, 0);
    }
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* ---- connecting */

static void become_open(natlet__posix_conn *conn)
{
    const natlet__posix_options *options = &conn->options;
    int high = options->tx_high_bytes < INT32_MAX ? (int)options->tx_high_bytes : INT32_MAX;

    forget_addresses(conn);
    set_option(conn->fd, IPPROTO_TCP, TCP_NODELAY, !options->is_delayed);
    /* send stops at this many unsent bytes, POLLOUT comes back at half of them. */
    set_option(conn->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, high);
    if (options->keepalive_s > 0) {
        int seconds = options->keepalive_s < INT16_MAX ? (int)options->keepalive_s : INT16_MAX;
        set_option(conn->fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
        set_option(conn->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    }
    conn->state = NATLET__POSIX_OPEN;
    conn->pending |= 1u << NATLET_EV_OPEN;
}

/* Whether there is a peer, and another than ourselves: a dial to a port of this
 * machine where nobody listens can be given that port as its own and meet itself
 * (RFC 9293, 3.5: simultaneous open). */
static bool has_peer(int fd)
{
    struct sockaddr_storage here = {0};
    struct sockaddr_storage there = {0};
    socklen_t here_len = sizeof here;
    socklen_t there_len = sizeof there;

    if (getsockname(fd, (struct sockaddr *)&here, &here_len) != 0 ||
        getpeername(fd, (struct sockaddr *)&there, &there_len) != 0) {
        return false;
    }
    return there.ss_family == AF_UNIX || memcmp(&here, &there, sizeof here) != 0;
}

/* Returns 0 (connected), EINPROGRESS, or why it failed. */
static int start_connect(natlet__posix_conn *conn, const struct addrinfo *address)
{
    conn->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        return errno;
    }
    if (connect(conn->fd, address->ai_addr, address->ai_addrlen) == 0) {
        return has_peer(conn->fd) ? 0 : ECONNREFUSED;
    }
    return errno == EINTR ? EINPROGRESS : errno;
}

/* Every address gets an equal share of the time that is left. */
static uint64_t share_of_time(const natlet__posix_conn *conn, uint64_t now_us)
{
    uint64_t left = conn->deadline_us > now_us ? conn->deadline_us - now_us : 0;
    uint64_t count = 0;

    for (const struct addrinfo *one = conn->next; one != NULL; one = one->ai_next) {
        count++;
    }
    return now_us + left / count;
}

static void try_next(natlet__posix_conn *conn, uint64_t now_us)
{
    conn->state = NATLET__POSIX_CONNECTING;
    while (conn->next != NULL) {
        const struct addrinfo *address = conn->next;
        close_socket(conn);
        conn->try_until_us = share_of_time(conn, now_us);
        conn->next = address->ai_next;
        int error = start_connect(conn, address);
        if (error == 0) {
            become_open(conn);
            return;
        }
        if (error == EINPROGRESS) {
            return;
        }
        conn->status = status_of(error);
    }
    end(conn, conn->status);
}

static void on_lookup(natlet__posix_conn *conn, uint64_t now_us)
{
    struct addrinfo *list = NULL;

    if (!natlet__posix_lookup_take(conn->lookup, &list)) {
        return;
    }
    forget_addresses(conn);
    conn->addresses = list;
    conn->next = list;
    conn->status = NATLET_E_NAME;
    try_next(conn, now_us);
}

static void on_connect(natlet__posix_conn *conn, uint64_t now_us)
{
    int error = take_error(conn->fd);

    if (error == 0 && !has_peer(conn->fd)) {
        error = ECONNREFUSED;
    }
    if (error == 0) {
        become_open(conn);
    } else {
        conn->status = status_of(error);
        try_next(conn, now_us);
    }
}

static void start(natlet__posix_conn *conn, uint32_t id, const natlet__posix_options *options)
{
    NATLET_ASSERT(conn->state == NATLET__POSIX_FREE || conn->is_told);
    natlet__posix_conn_drop(conn);
    *conn = (natlet__posix_conn){.id = id,
                                 .state = NATLET__POSIX_FREE,
                                 .fd = -1,
                                 .options = *options,
                                 .deadline_us = NATLET__POSIX_NEVER_US,
                                 .wants_readable = true};
}

natlet_status natlet__posix_conn_open(natlet__posix_conn *conn, uint32_t id,
                                      const natlet__posix_options *options,
                                      const natlet__posix_address *address, uint64_t now_us)
{
    start(conn, id, options);
    conn->deadline_us = now_us + (uint64_t)options->connect_ms * US_PER_MS;
    conn->addresses = natlet__posix_lookup_number(address);
    conn->next = conn->addresses;
    if (conn->addresses != NULL) {
        try_next(conn, now_us);
        return NATLET_OK;
    }
    natlet_status st = natlet__posix_lookup_start(&conn->lookup, address);
    conn->state = st == NATLET_OK ? NATLET__POSIX_RESOLVING : NATLET__POSIX_FREE;
    return st;
}

natlet_status natlet__posix_conn_adopt(natlet__posix_conn *conn, uint32_t id,
                                       const natlet__posix_options *options)
{
    int type = 0;
    socklen_t len = sizeof type;

    if (getsockopt(options->fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM ||
        !has_peer(options->fd)) {
        return NATLET_E_INVALID;
    }
    int flags = fcntl(options->fd, F_GETFL);
    if (flags < 0 || fcntl(options->fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        return NATLET_E_INVALID;
    }
    start(conn, id, options);
    conn->fd = options->fd;
    become_open(conn);
    return NATLET_OK;
}

/* ---- bytes */

/* A read that took less than it could has emptied the socket.  The next one need
 * not ask the kernel: poll tells when there is more. */
static int32_t read_open(natlet__posix_conn *conn, uint8_t *buf, uint32_t cap)
{
    ssize_t n = -1;

    errno = EAGAIN;
    if (!conn->is_emptied) {
        do {
            n = recv(conn->fd, buf, cap, 0);
        } while (n < 0 && errno == EINTR);
    }
    if (n > 0) {
        conn->is_emptied = (size_t)n < cap;
        return (int32_t)n;
    }
    if (n < 0 && errno == EAGAIN) {
        conn->is_emptied = false;
        conn->wants_readable = true;
        return NATLET_E_AGAIN;
    }
    end(conn, n == 0 ? NATLET_E_CLOSED : status_of(errno));
    return NATLET_E_CLOSED;
}

static int32_t read_ended(natlet__posix_conn *conn, uint8_t *buf, uint32_t cap)
{
    ssize_t n = conn->fd >= 0 ? recv(conn->fd, buf, cap, 0) : 0;

    if (n <= 0) {
        close_socket(conn);
        return NATLET_E_CLOSED;
    }
    return (int32_t)n;
}

int32_t natlet__posix_conn_recv(natlet__posix_conn *conn, uint8_t *buf, uint32_t cap)
{
    cap = cap < INT32_MAX ? cap : INT32_MAX;
    if (cap == 0) {
        return NATLET_E_INVALID;
    }
    switch (conn->state) {
    case NATLET__POSIX_RESOLVING:
    case NATLET__POSIX_CONNECTING:
        return NATLET_E_AGAIN;
    case NATLET__POSIX_OPEN:
        return read_open(conn, buf, cap);
    case NATLET__POSIX_ENDED:
        return read_ended(conn, buf, cap);
    case NATLET__POSIX_FREE:
    case NATLET__POSIX_LINGERING:
        break;
    }
    return NATLET_E_CLOSED;
}

/* MSG_NOSIGNAL: a peer that is gone must not end the program with SIGPIPE. */
static int32_t write_open(natlet__posix_conn *conn, const uint8_t *buf, uint32_t len)
{
    ssize_t n;

    do {
        n = send(conn->fd, buf, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        end(conn, errno == EPIPE ? NATLET_E_CLOSED : status_of(errno));
        return NATLET_E_CLOSED;
    }
    return n < 0 ? 0 : (int32_t)n;
}

int32_t natlet__posix_conn_send(natlet__posix_conn *conn, const uint8_t *buf, uint32_t len)
{
    int32_t taken = 0;

    switch (conn->state) {
    case NATLET__POSIX_FREE:
    case NATLET__POSIX_LINGERING:
    case NATLET__POSIX_ENDED:
        return NATLET_E_CLOSED;
    case NATLET__POSIX_RESOLVING:
    case NATLET__POSIX_CONNECTING:
        break;
    case NATLET__POSIX_OPEN:
        taken = len > 0 ? write_open(conn, buf, len) : 0;
        break;
    }
    if (taken >= 0 && (uint32_t)taken < len) {
        conn->wants_writable = true;
    }
    return taken;
}

void natlet__posix_conn_close(natlet__posix_conn *conn, uint64_t now_us)
{
    conn->pending &= 1u << NATLET_EV_CLOSED;
    switch (conn->state) {
    case NATLET__POSIX_FREE:
    case NATLET__POSIX_LINGERING:
        return;
    case NATLET__POSIX_RESOLVING:
    case NATLET__POSIX_CONNECTING:
        end(conn, NATLET_OK);
        return;
    case NATLET__POSIX_OPEN:
        conn->state = NATLET__POSIX_LINGERING;
        conn->deadline_us = now_us + LINGER_US;
        if (shutdown(conn->fd, SHUT_WR) != 0) {
            end(conn, NATLET_OK);
        }
        return;
    case NATLET__POSIX_ENDED:
        close_socket(conn);
        return;
    }
}

void natlet__posix_conn_drop(natlet__posix_conn *conn)
{
    if (conn->state == NATLET__POSIX_FREE) {
        return;
    }
    forget_addresses(conn);
    if (conn->fd >= 0) {
        (void)discard(conn->fd);
    }
    close_socket(conn);
    conn->state = NATLET__POSIX_FREE;
}

/* ---- polling */

int natlet__posix_conn_wants(const natlet__posix_conn *conn, short *events)
{
    *events = POLLIN;
    switch (conn->state) {
    case NATLET__POSIX_FREE:
    case NATLET__POSIX_ENDED:
        return -1;
    case NATLET__POSIX_RESOLVING:
        return natlet__posix_lookup_fd(conn->lookup);
    case NATLET__POSIX_CONNECTING:
        *events = POLLOUT;
        break;
    case NATLET__POSIX_OPEN:
        *events = (short)(POLLRDHUP | (conn->wants_readable ? POLLIN : 0) |
                          (conn->wants_writable ? POLLOUT : 0));
        break;
    case NATLET__POSIX_LINGERING:
        break;
    }
    return conn->fd;
}

static void on_open_ready(natlet__posix_conn *conn, short events)
{
    if ((events & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) {
        end(conn, status_of(take_error(conn->fd)));
        return;
    }
    if ((events & POLLIN) != 0 && conn->wants_readable) {
        conn->wants_readable = false;
        conn->pending |= 1u << NATLET_EV_READABLE;
    }
    if ((events & POLLOUT) != 0 && conn->wants_writable) {
        conn->wants_writable = false;
        conn->pending |= 1u << NATLET_EV_WRITABLE;
    }
}

void natlet__posix_conn_ready(natlet__posix_conn *conn, short events, uint64_t now_us)
{
    switch (conn->state) {
    case NATLET__POSIX_FREE:
    case NATLET__POSIX_ENDED:
        break;
    case NATLET__POSIX_RESOLVING:
        on_lookup(conn, now_us);
        break;
    case NATLET__POSIX_CONNECTING:
        on_connect(conn, now_us);
        break;
    case NATLET__POSIX_OPEN:
        on_open_ready(conn, events);
        break;
    case NATLET__POSIX_LINGERING:
        if (!discard(conn->fd)) {
            end(conn, NATLET_OK);
        }
        break;
    }
}

uint64_t natlet__posix_conn_due(const natlet__posix_conn *conn)
{
    switch (conn->state) {
    case NATLET__POSIX_CONNECTING:
        return conn->try_until_us;
    case NATLET__POSIX_RESOLVING:
    case NATLET__POSIX_LINGERING:
        return conn->deadline_us;
    case NATLET__POSIX_FREE:
    case NATLET__POSIX_OPEN:
    case NATLET__POSIX_ENDED:
        break;
    }
    return NATLET__POSIX_NEVER_US;
}

void natlet__posix_conn_tick(natlet__posix_conn *conn, uint64_t now_us)
{
    if (now_us < natlet__posix_conn_due(conn)) {
        return;
    }
    if (conn->state == NATLET__POSIX_LINGERING) {
        end(conn, NATLET_OK);
        return;
    }
    conn->status = NATLET_E_TIMEOUT;
    if (conn->state == NATLET__POSIX_CONNECTING && now_us < conn->deadline_us) {
        try_next(conn, now_us);
    } else {
        end(conn, conn->status);
    }
}

bool natlet__posix_conn_event(natlet__posix_conn *conn, natlet_host_event *event)
{
    /* In the order of their numbers: OPEN first, CLOSED last. */
    for (unsigned type = NATLET_EV_OPEN; type <= NATLET_EV_CLOSED; type++) {
        if ((conn->pending & 1u << type) == 0) {
            continue;
        }
        conn->pending &= (uint8_t)~(1u << type);
        *event = (natlet_host_event){.conn = conn->id, .type = (uint16_t)type};
        if (type == NATLET_EV_READABLE) {
            event->a = unread_bytes(conn->fd);
        } else if (type == NATLET_EV_CLOSED) {
            event->b = (uint32_t)conn->status;
            conn->is_told = true;
        }
        return true;
    }
    return false;
}
