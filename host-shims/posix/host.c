/* The eleven functions of the host door, and the wait in poll.
 *
 *   poll: what is pending? -> poll(2) on bell, nap and sockets -> each socket's
 *   part of the work -> overdue ones -> events, until there is one or time is up */
#include "natlet_posix.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "conn.h"
#include "nap.h"
#include "options.h"

enum {
    US_PER_MS = 1000,
    SLOT_MASK = 0xffff, /* of a connection's name: generation << 16 | slot */
    CONNS_MAX_DEFAULT = 64,
    CONNECT_MS_DEFAULT = 30000,
    TX_HIGH_DEFAULT = 262144,
    LOG_BYTES_MAX = 4096,
    FIRST_SOCKET = 2, /* in `polled`, behind bell and nap */
};

typedef struct posix_host {
    natlet_host door; /* handed out; its self is this struct */
    natlet__posix_pattern *allow;
    uint32_t allow_count;
    bool is_limited; /* to what `allow` names */
    uint32_t log_level;
    natlet__posix_options defaults;

    natlet__posix_conn *conns; /* by slot */
    uint32_t conns_max;
    uint32_t conns_used; /* slots beyond were never used */
    uint32_t first;      /* the slot whose events come first in the next poll */
    struct pollfd *polled;
    uint32_t *polled_slots; /* whose descriptor polled[FIRST_SOCKET + i] is */

    natlet__posix_nap nap;
    int bell; /* rung by wake, from any thread */
    bool has_resumed, was_woken;
} posix_host;

static uint64_t now_us(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- connections */

static natlet__posix_conn *find(posix_host *h, uint32_t id)
{
    natlet__posix_conn *conn = &h->conns[(id & SLOT_MASK) % h->conns_max];

    return conn->state != NATLET__POSIX_FREE && conn->id == id ? conn : NULL;
}

static bool is_allowed(const posix_host *h, const natlet__posix_address *address)
{
    for (uint32_t i = 0; i < h->allow_count; i++) {
        if (natlet__posix_pattern_matches(&h->allow[i], address)) {
            return true;
        }
    }
    return !h->is_limited;
}

static natlet_status open_tcp(posix_host *h, natlet__posix_conn *conn, uint32_t id,
                              const natlet__posix_options *options, natlet_slice url)
{
    natlet__posix_address address;

    if (natlet__posix_address_read(&address, url) < 0) {
        return NATLET_E_INVALID;
    }
    if (!is_allowed(h, &address)) {
        return NATLET_E_DENIED;
    }
    return natlet__posix_conn_open(conn, id, options, &address, now_us());
}

/* NOLINTNEXTLINE(readability-function-size): the door has seven parameters */
static int32_t host_open(void *self, uint32_t id, uint32_t transport, const char *url,
                         uint32_t url_len, const uint8_t *options, uint32_t options_len)
{
    posix_host *h = self;
    uint32_t slot = id & SLOT_MASK;
    natlet__posix_options given = h->defaults;

    if (slot >= h->conns_max) {
        return NATLET_E_LIMIT;
    }
    natlet__posix_conn *conn = &h->conns[slot];
    if (id == 0 || (conn->state != NATLET__POSIX_FREE && !conn->is_told)) {
        return NATLET_E_INVALID;
    }
    natlet_status st = natlet__posix_options_read(&given, (natlet_slice){options, options_len});
    if (st < 0) {
        return st;
    }
    h->conns_used = h->conns_used > slot ? h->conns_used : slot + 1;
    if (transport == NATLET_TRANSPORT_TCP) {
        return open_tcp(h, conn, id, &given, (natlet_slice){(const uint8_t *)url, url_len});
    }
    if (transport == NATLET_TRANSPORT_FD) { /* a guest that is fenced in must not pick one */
        return h->is_limited ? NATLET_E_DENIED : natlet__posix_conn_adopt(conn, id, &given);
    }
    return NATLET_E_UNSUPPORTED; /* RFC 6455 and TLS are the core's */
}

static int32_t host_recv(void *self, uint32_t id, uint8_t *buf, uint32_t cap)
{
    natlet__posix_conn *conn = find(self, id);

    return conn != NULL ? natlet__posix_conn_recv(conn, buf, cap) : NATLET_E_CLOSED;
}

static int32_t host_send(void *self, uint32_t id, const uint8_t *buf, uint32_t len)
{
    natlet__posix_conn *conn = find(self, id);

    if (len > INT32_MAX) { /* the answer would not fit */
        return NATLET_E_TOO_LARGE;
    }
    return conn != NULL ? natlet__posix_conn_send(conn, buf, len) : NATLET_E_CLOSED;
}

/* TCP has no place for a code and a reason. */
static int32_t host_close(void *self, uint32_t id, uint32_t code, const char *why, uint32_t why_len)
{
    natlet__posix_conn *conn = find(self, id);

    (void)code;
    (void)why;
    (void)why_len;
    if (conn == NULL) {
        return NATLET_E_CLOSED;
    }
    natlet__posix_conn_close(conn, now_us());
    return NATLET_OK;
}

/* ---- poll */

/* Fills `polled`; returns how many.  *until_us is when to stop waiting: at once if
 * something is pending, else when the first connection is due. */
static uint32_t gather(posix_host *h, uint64_t *until_us)
{
    uint32_t count = FIRST_SOCKET;

    h->polled[0] = (struct pollfd){.fd = h->bell, .events = POLLIN};
    h->polled[1] = (struct pollfd){.fd = h->nap.fd, .events = POLLIN};
    for (uint32_t slot = 0; slot < h->conns_used; slot++) {
        const natlet__posix_conn *conn = &h->conns[slot];
        uint64_t due_us = conn->pending != 0 ? 0 : natlet__posix_conn_due(conn);
        short events = 0;
        int fd = natlet__posix_conn_wants(conn, &events);
        *until_us = due_us < *until_us ? due_us : *until_us;
        if (fd >= 0) {
            h->polled_slots[count - FIRST_SOCKET] = slot;
            h->polled[count++] = (struct pollfd){.fd = fd, .events = events};
        }
    }
    return count;
}

/* Milliseconds for poll(2), rounded up: waking early means waking twice. */
static int timeout_ms(uint64_t until_us)
{
    uint64_t now = now_us();

    if (until_us == NATLET__POSIX_NEVER_US) {
        return -1;
    }
    uint64_t ms = until_us > now ? (until_us - now - 1) / US_PER_MS + 1 : 0;
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

static void take_bell(posix_host *h)
{
    uint64_t times;
    ssize_t n = read(h->bell, &times, sizeof times);

    h->was_woken = n > 0;
}

static void hand_out(posix_host *h, uint32_t count, uint64_t now)
{
    if (h->polled[0].revents != 0) {
        take_bell(h);
    }
    if (h->polled[1].revents != 0) {
        natlet__posix_nap_ready(&h->nap);
    }
    for (uint32_t i = FIRST_SOCKET; i < count; i++) {
        if (h->polled[i].revents != 0) {
            natlet__posix_conn *conn = &h->conns[h->polled_slots[i - FIRST_SOCKET]];
            natlet__posix_conn_ready(conn, h->polled[i].revents, now);
        }
    }
}

/* Waits once.  False if a signal ended it. */
static bool wait(posix_host *h, uint64_t until_us)
{
    uint32_t count = gather(h, &until_us);
    int ready = poll(h->polled, count, timeout_ms(until_us));
    uint64_t now = now_us();

    if (ready > 0) {
        hand_out(h, count, now);
    }
    for (uint32_t slot = 0; slot < h->conns_used; slot++) {
        natlet__posix_conn_tick(&h->conns[slot], now);
    }
    h->has_resumed |= natlet__posix_nap_ended(&h->nap);
    return ready >= 0;
}

/* Connections take turns in being first, so that a small `cap` starves nobody. */
static uint32_t take_conn_events(posix_host *h, natlet_host_event *events, uint32_t cap)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < h->conns_used && count < cap; i++) {
        uint32_t slot = (h->first + i) % h->conns_used;
        while (count < cap && natlet__posix_conn_event(&h->conns[slot], &events[count])) {
            count++;
        }
        h->first = count == cap ? slot + 1 : h->first;
    }
    return count;
}

static uint32_t take_events(posix_host *h, natlet_host_event *events, uint32_t cap)
{
    uint32_t count = 0;

    if (h->has_resumed && count < cap) {
        h->has_resumed = false;
        events[count++] = (natlet_host_event){.type = NATLET_EV_HINT, .a = NATLET_HINT_RESUME};
    }
    if (h->was_woken && count < cap) {
        h->was_woken = false;
        events[count++] = (natlet_host_event){.type = NATLET_EV_WAKE};
    }
    return count + take_conn_events(h, events + count, cap - count);
}

static int32_t host_poll(void *self, natlet_host_event *events, uint32_t cap, int32_t wait_ms)
{
    posix_host *h = self;
    uint64_t until_us = NATLET__POSIX_NEVER_US;
    uint32_t count = 0;
    bool goes_on = true;

    if (wait_ms >= 0) {
        until_us = now_us() + (uint64_t)wait_ms * US_PER_MS;
    }
    cap = cap < INT32_MAX ? cap : INT32_MAX;
    while (goes_on) {
        goes_on = wait(h, cap > 0 ? until_us : 0);
        count = take_events(h, events, cap);
        goes_on = goes_on && count == 0 && cap > 0 && now_us() < until_us;
    }
    return (int32_t)count;
}

/* ---- the rest of the door */

static int32_t host_hello(void *self, uint32_t abi, natlet_host_info *out)
{
    const posix_host *h = self;
    uint32_t bytes = out->size < sizeof *out ? out->size : (uint32_t)sizeof *out;
    const natlet_host_info info = {
        .size = bytes,
        .abi = NATLET_ABI,
        .caps = NATLET_CAP_TCP | NATLET_CAP_FD | NATLET_CAP_BLOCK | NATLET_CAP_RXPAUSE |
                NATLET_CAP_WALLCLOCK | NATLET_CAP_HINTS,
        .conns_max = h->conns_max,
        .rx_queue_bytes = UINT32_MAX, /* it stays with the kernel, which makes the peer wait */
        .send_bytes_max = INT32_MAX,
        .name = "posix",
    };

    if (abi >> 16 != NATLET_ABI_MAJOR) {
        return NATLET_E_UNSUPPORTED;
    }
    memcpy(out, &info, bytes);
    return (int32_t)bytes;
}

static double host_clock(void *self, uint32_t which)
{
    struct timespec now = {0};

    (void)self;
    (void)clock_gettime(which == NATLET_CLOCK_UNIX ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* There is no weaker source to fall back to (rule H11). */
static int32_t host_random(void *self, uint8_t *buf, uint32_t len)
{
    (void)self;
    while (len > 0) {
        ssize_t n = getrandom(buf, len, 0);
        if (n < 0 && errno != EINTR) {
            return NATLET_E_UNSUPPORTED;
        }
        buf += n > 0 ? n : 0;
        len -= n > 0 ? (uint32_t)n : 0;
    }
    return NATLET_OK;
}

static size_t append(char *line, size_t used, const char *text, size_t len)
{
    for (size_t i = 0; i < len && used < LOG_BYTES_MAX - 1; i++) {
        uint8_t c = (uint8_t)text[i];
        line[used++] = text[i];
        if (c < ' ' || c == 0x7f) {
            line[used - 1] = '?';
        }
    }
    return used;
}

/* One write a line, so that lines of several threads do not mix.  What a peer put
 * into the text must not steer the terminal. */
static void host_log(void *self, uint32_t level, const char *text, uint32_t len)
{
    static const char *const heads[] = {
        "natlet: error: ", "natlet: warning: ", "natlet: ", "natlet: debug: "};
    const posix_host *h = self;
    char line[LOG_BYTES_MAX];

    if (level > h->log_level) {
        return;
    }
    const char *head = heads[level < NATLET_LOG_DEBUG ? level : NATLET_LOG_DEBUG];
    size_t used = append(line, append(line, 0, head, strlen(head)), text, len);
    line[used++] = '\n';
    ssize_t n = write(STDERR_FILENO, line, used);
    (void)n; /* nobody is left to tell */
}

static void host_wake(void *self)
{
    const posix_host *h = self;
    const uint64_t one = 1;
    ssize_t n = write(h->bell, &one, sizeof one);

    (void)n; /* full: it rings already */
}

static int32_t host_ctl(void *self, uint32_t op, uint32_t conn, void *data, uint32_t len)
{
    (void)self;
    (void)conn;
    (void)data;
    (void)len;
    /* Nothing is known of a WebSocket that the core speaks itself. */
    return op == NATLET_CTL_CLOSE_REASON || op == NATLET_CTL_UPGRADE_STATUS ? 0
                                                                            : NATLET_E_UNSUPPORTED;
}

/* ---- life */

static natlet_status read_allow(posix_host *h, const natlet_posix_config *config)
{
    h->is_limited = config->allow != NULL;
    h->allow_count = h->is_limited ? config->allow_count : 0;
    h->allow = calloc((size_t)h->allow_count + 1, sizeof *h->allow);
    if (h->allow == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    for (uint32_t i = 0; i < h->allow_count; i++) {
        const char *text = config->allow[i];
        natlet_status st = natlet__posix_pattern_read(
            &h->allow[i], (natlet_slice){(const uint8_t *)text, strlen(text)});
        if (st < 0) {
            return st;
        }
    }
    return NATLET_OK;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static natlet_status build(posix_host *h, const natlet_posix_config *config)
{
    h->log_level = config->log_level;
    h->conns_max = or_default(config->conns_max, CONNS_MAX_DEFAULT);
    h->defaults = (natlet__posix_options){
        .connect_ms = or_default(config->connect_ms, CONNECT_MS_DEFAULT),
        .tx_high_bytes = or_default(config->tx_high_bytes, TX_HIGH_DEFAULT),
        .keepalive_s = config->keepalive_s,
        .fd = -1,
    };
    if (h->conns_max > SLOT_MASK) {
        return NATLET_E_CONFIG;
    }
    h->conns = calloc(h->conns_max, sizeof *h->conns);
    h->polled = calloc((size_t)h->conns_max + FIRST_SOCKET, sizeof *h->polled);
    h->polled_slots = calloc(h->conns_max, sizeof *h->polled_slots);
    if (h->conns == NULL || h->polled == NULL || h->polled_slots == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    h->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    natlet__posix_nap_init(&h->nap);
    return h->bell >= 0 ? read_allow(h, config) : NATLET_E_LIMIT;
}

natlet_status natlet_posix_new(natlet_host **out, const natlet_posix_config *config)
{
    static const natlet_posix_config defaults = {.size = sizeof defaults};
    natlet_posix_config given = defaults;
    posix_host *h = calloc(1, sizeof *h);

    *out = NULL;
    if (h == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    if (config != NULL) { /* a program that knew fewer fields has a smaller one */
        memcpy(&given, config, config->size < sizeof given ? config->size : sizeof given);
    }
    h->bell = h->nap.fd = -1;
    h->door = (natlet_host){
        .self = h,
        .hello = host_hello,
        .open = host_open,
        .recv = host_recv,
        .send = host_send,
        .close = host_close,
        .poll = host_poll,
        .clock = host_clock,
        .random = host_random,
        .log = host_log,
        .wake = host_wake,
        .ctl = host_ctl,
    };
    natlet_status st = build(h, &given);
    if (st < 0) {
        natlet_posix_free(&h->door);
        return st;
    }
    *out = &h->door;
    return NATLET_OK;
}

void natlet_posix_free(natlet_host *host)
{
    posix_host *h = host != NULL ? host->self : NULL;

    if (h == NULL) {
        return;
    }
    for (uint32_t slot = 0; slot < h->conns_used; slot++) {
        natlet__posix_conn_drop(&h->conns[slot]);
    }
    natlet__posix_nap_drop(&h->nap);
    if (h->bell >= 0) {
        (void)close(h->bell);
    }
    free(h->allow);
    free(h->conns);
    free(h->polled);
    free(h->polled_slots);
    free(h);
}

static void *resize(void *self, void *ptr, size_t old_bytes, size_t new_bytes)
{
    (void)self;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

natlet_allocator natlet_posix_allocator(void)
{
    return (natlet_allocator){.self = NULL, .resize = resize};
}
