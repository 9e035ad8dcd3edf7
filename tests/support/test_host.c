/* See test_host.h.  Everything happens at once or when the test says so; only
 * poll lets time pass, and only virtual time. */
#include "support/test_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natlet/status.h"
#include "support/test.h"

#define START_US 1000000u
#define START_UNIX_US 1767225600000000u /* 2026-01-01T00:00:00Z */

/* ---- growing bytes ---- */

static void *grow(void *ptr, size_t bytes)
{
    void *moved = realloc(ptr, bytes);

    if (moved == NULL) {
        printf("test host: out of memory\n");
        abort();
    }
    return moved;
}

static void append(test_bytes *to, const void *bytes, size_t len)
{
    if (to->cap - to->len <= len) { /* one more than needed: room for a NUL */
        to->cap = (to->len + len + 1) * 2;
        to->ptr = grow(to->ptr, to->cap);
    }
    if (len > 0) {
        memcpy(to->ptr + to->len, bytes, len);
    }
    to->len += len;
    to->ptr[to->len] = 0;
}

static void drop_front(test_bytes *from, size_t n)
{
    if (n > 0) {
        memmove(from->ptr, from->ptr + n, from->len - n);
        from->len -= n;
    }
}

static void copy_text(char *to, size_t cap, const char *from, size_t len)
{
    size_t n = len < cap ? len : cap - 1;

    if (n > 0) {
        memcpy(to, from, n);
    }
    to[n] = '\0';
}

/* ---- events ---- */

static void violation(test_host *t, const char *what, uint32_t conn)
{
    t->violations++;
    printf("test host: the guest broke a rule: %s (connection %08x)\n", what, (unsigned)conn);
}

void test_host_event(test_host *t, uint32_t conn, uint16_t type, uint32_t a, uint32_t b)
{
    if (t->event_count == TEST_EVENTS_MAX) {
        printf("test host: too many events\n");
        abort();
    }
    t->events[t->event_count++] = (natlet_host_event){.conn = conn, .type = type, .a = a, .b = b};
}

void test_host_hint(test_host *t, uint32_t hint)
{
    test_host_event(t, 0, NATLET_EV_HINT, hint, 0);
}

static void raise_readable(test_host *t, test_conn *conn)
{
    if (conn->is_open && !conn->is_closed && conn->wants_readable && conn->in.len > 0) {
        conn->wants_readable = false;
        test_host_event(t, conn->id, NATLET_EV_READABLE, (uint32_t)conn->in.len, 0);
    }
}

static void raise_writable(test_host *t, test_conn *conn)
{
    if (conn->is_open && !conn->is_closed && conn->wants_writable && conn->accept > 0) {
        conn->wants_writable = false;
        test_host_event(t, conn->id, NATLET_EV_WRITABLE, 0, 0);
    }
}

void test_conn_opened(test_host *t, test_conn *conn)
{
    conn->is_open = true;
    test_host_event(t, conn->id, NATLET_EV_OPEN, 0, 0);
    raise_readable(t, conn);
    raise_writable(t, conn);
}

void test_conn_feed(test_host *t, test_conn *conn, const void *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    append(&conn->in, bytes, len);
    append(&conn->segments, &len, sizeof len);
    raise_readable(t, conn);
}

void test_conn_feed_text(test_host *t, test_conn *conn, const char *text)
{
    test_conn_feed(t, conn, text, strlen(text));
}

void test_conn_closed(test_host *t, test_conn *conn, uint32_t code, int32_t status)
{
    if (!conn->is_closed) {
        conn->is_closed = true;
        test_host_event(t, conn->id, NATLET_EV_CLOSED, code, (uint32_t)status);
    }
}

void test_conn_congest(test_conn *conn, size_t bytes)
{
    conn->accept = bytes;
}

void test_conn_relieve(test_host *t, test_conn *conn)
{
    conn->accept = SIZE_MAX;
    raise_writable(t, conn);
}

void test_conn_signed(test_host *t, test_conn *conn, const void *fields, size_t len, int32_t status)
{
    t->signed_fields.len = 0;
    append(&t->signed_fields, fields, len);
    test_host_event(t, conn->id, NATLET_EV_SIGNED, (uint32_t)len, (uint32_t)status);
}

/* ---- what the test looks at ---- */

test_conn *test_host_last(test_host *t)
{
    return t->conn_count > 0 ? t->conns[t->conn_count - 1] : NULL;
}

natlet_slice test_conn_sent(const test_conn *conn)
{
    return (natlet_slice){conn->out.ptr, conn->out.len};
}

void test_conn_take_sent(test_conn *conn, size_t n)
{
    drop_front(&conn->out, n);
}

size_t test_conn_unread(const test_conn *conn)
{
    return conn->in.len;
}

void test_host_advance_us(test_host *t, uint64_t us)
{
    t->now_us += us;
    t->unix_us += us;
}

void test_host_advance_ms(test_host *t, uint64_t ms)
{
    test_host_advance_us(t, ms * 1000);
}

/* ---- the eleven functions ---- */

static test_conn *find_conn(test_host *t, uint32_t id)
{
    for (uint32_t i = t->conn_count; i > 0; i--) {
        if (t->conns[i - 1]->id == id) {
            return t->conns[i - 1];
        }
    }
    return NULL;
}

static int32_t host_hello(void *self, uint32_t abi, natlet_host_info *out)
{
    test_host *t = self;
    uint32_t bytes = out->size < sizeof t->info ? out->size : (uint32_t)sizeof t->info;

    t->calls.hello++;
    if (abi >> 16 != NATLET_ABI_MAJOR) {
        return NATLET_E_UNSUPPORTED;
    }
    memcpy(out, &t->info, bytes);
    return (int32_t)bytes;
}

/* A slot may be opened again only after the CLOSED of its last connection was
 * polled (rule H14), and a name never comes twice. */
static void check_name(test_host *t, uint32_t id)
{
    if (id == 0 || find_conn(t, id) != NULL) {
        violation(t, "open with a name that was used before, or 0", id);
    }
    for (uint32_t i = 0; i < t->conn_count; i++) {
        if ((t->conns[i]->id & 0xffff) == (id & 0xffff) && !t->conns[i]->is_closed) {
            violation(t, "open of a slot that is not closed", id);
        }
    }
    for (uint32_t i = 0; i < t->event_count; i++) {
        if ((t->events[i].conn & 0xffff) == (id & 0xffff) &&
            t->events[i].type == NATLET_EV_CLOSED) {
            violation(t, "open of a slot whose CLOSED was not polled", id);
        }
    }
}

/* NOLINTNEXTLINE(readability-function-size): self, and the six of the door */
static int32_t host_open(void *self, uint32_t id, uint32_t transport, const char *url,
                         uint32_t url_len, const uint8_t *options, uint32_t options_len)
{
    test_host *t = self;

    t->calls.open++;
    if (t->open_answer < 0) {
        return t->open_answer;
    }
    if (t->conn_count == TEST_CONNS_MAX) {
        return NATLET_E_LIMIT;
    }
    check_name(t, id);
    test_conn *conn = grow(NULL, sizeof *conn);
    *conn =
        (test_conn){.id = id, .transport = transport, .accept = SIZE_MAX, .wants_readable = true};
    copy_text(conn->url, sizeof conn->url, url, url_len);
    append(&conn->options, options, options_len);
    t->conns[t->conn_count++] = conn;
    if (t->auto_open) {
        test_conn_opened(t, conn);
    }
    return NATLET_OK;
}

static size_t smallest(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int32_t read_segment(test_conn *conn, uint8_t *buf, uint32_t cap)
{
    size_t left;

    memcpy(&left, conn->segments.ptr, sizeof left);
    size_t n = smallest(left, cap);
    n = conn->recv_max > 0 ? smallest(n, conn->recv_max) : n;
    memcpy(buf, conn->in.ptr, n);
    drop_front(&conn->in, n);
    left -= n;
    if (left == 0) {
        drop_front(&conn->segments, sizeof left);
    } else {
        memcpy(conn->segments.ptr, &left, sizeof left);
    }
    return (int32_t)n;
}

static int32_t host_recv(void *self, uint32_t id, uint8_t *buf, uint32_t cap)
{
    test_host *t = self;
    test_conn *conn = find_conn(t, id);

    t->calls.recv++;
    if (conn == NULL || cap == 0) {
        violation(t, conn == NULL ? "recv of an unknown connection" : "recv without room", id);
        return NATLET_E_INVALID;
    }
    if (conn->closes > 0) {
        return NATLET_E_CLOSED;
    }
    if (conn->is_open && conn->in.len > 0) {
        return read_segment(conn, buf, cap);
    }
    if (conn->is_closed) {
        return NATLET_E_CLOSED;
    }
    t->calls.recv_again++;
    conn->wants_readable = true;
    return NATLET_E_AGAIN;
}

static int32_t host_send(void *self, uint32_t id, const uint8_t *buf, uint32_t len)
{
    test_host *t = self;
    test_conn *conn = find_conn(t, id);

    t->calls.send++;
    if (conn == NULL || len == 0) {
        violation(t, conn == NULL ? "send to an unknown connection" : "send of nothing", id);
        return NATLET_E_INVALID;
    }
    if (conn->is_closed || conn->closes > 0) {
        return NATLET_E_CLOSED;
    }
    if (len > t->info.send_bytes_max) {
        return NATLET_E_TOO_LARGE;
    }
    size_t n = smallest(len, conn->is_open ? conn->accept : 0);
    n = conn->send_max > 0 ? smallest(n, conn->send_max) : n;
    append(&conn->out, buf, n);
    conn->accept -= conn->accept == SIZE_MAX ? 0 : n;
    conn->wants_writable = n < len;
    if (n > 0) {
        conn->sends++;
        conn->send_largest = n > conn->send_largest ? n : conn->send_largest;
    }
    raise_writable(t, conn); /* short by send_max alone: room at once */
    return (int32_t)n;
}

static int32_t host_close(void *self, uint32_t id, uint32_t code, const char *why, uint32_t why_len)
{
    test_host *t = self;
    test_conn *conn = find_conn(t, id);

    t->calls.close++;
    if (conn == NULL) {
        violation(t, "close of an unknown connection", id);
        return NATLET_E_INVALID;
    }
    conn->closes++;
    conn->close_code = code;
    copy_text(conn->close_why, sizeof conn->close_why, why, why_len);
    if (!t->hold_closed && !conn->is_closed) {
        test_conn_closed(t, conn, code, NATLET_OK);
        t->events[t->event_count - 1].flags = NATLET_CLOSED_CLEAN;
    }
    return NATLET_OK;
}

static void let_time_pass(test_host *t, int32_t timeout_ms)
{
    if (timeout_ms < 0) {
        t->waits_for_ever++;
        return;
    }
    t->waited_us += (uint64_t)timeout_ms * 1000;
    test_host_advance_ms(t, (uint64_t)timeout_ms);
}

static int32_t host_poll(void *self, natlet_host_event *events, uint32_t cap, int32_t timeout_ms)
{
    test_host *t = self;
    uint32_t count = t->event_count < cap ? t->event_count : cap;

    t->calls.poll++;
    t->last_timeout_ms = timeout_ms;
    if (timeout_ms != 0 && (t->info.caps & NATLET_CAP_BLOCK) == 0) {
        violation(t, "poll with a timeout, but the host cannot block", 0);
        return NATLET_E_INVALID;
    }
    if (count == 0) {
        let_time_pass(t, timeout_ms);
        return 0;
    }
    memcpy(events, t->events, count * sizeof *events);
    memmove(t->events, t->events + count, (t->event_count - count) * sizeof *events);
    t->event_count -= count;
    return (int32_t)count;
}

static double host_clock(void *self, uint32_t which)
{
    test_host *t = self;

    t->calls.clock++;
    return (double)(which == NATLET_CLOCK_UNIX ? t->unix_us : t->now_us) / 1000.0;
}

static int32_t host_random(void *self, uint8_t *buf, uint32_t len)
{
    test_host *t = self;

    t->calls.random++;
    if (t->random_fails) {
        return NATLET_E_UNSUPPORTED;
    }
    for (uint32_t i = 0; i < len; i++) {
        buf[i] = (uint8_t)test_random(&t->random_state);
    }
    return NATLET_OK;
}

static void host_log(void *self, uint32_t level, const char *text, uint32_t len)
{
    test_host *t = self;

    (void)level;
    t->calls.log++;
    append(&t->log, text, len);
    append(&t->log, "\n", 1);
}

static void host_wake(void *self)
{
    test_host *t = self;

    t->calls.wake++;
    test_host_event(t, 0, NATLET_EV_WAKE, 0, 0);
}

static int32_t sign(test_host *t, uint32_t id, const void *nonce, uint32_t len)
{
    const test_conn *conn = find_conn(t, id);

    if (conn == NULL || !conn->is_open || conn->closes > 0) {
        violation(t, "SIGN for a connection that is not open", id);
        return NATLET_E_CLOSED;
    }
    copy_text(t->nonce, sizeof t->nonce, nonce, len);
    t->signs++;
    return t->sign_answer;
}

static int32_t take_signed(test_host *t, void *out, uint32_t cap)
{
    size_t len = t->signed_fields.len;

    if (len > cap) {
        return NATLET_E_TOO_LARGE;
    }
    if (len > 0) {
        memcpy(out, t->signed_fields.ptr, len);
    }
    t->signed_fields.len = 0;
    return (int32_t)len;
}

static int32_t host_ctl(void *self, uint32_t op, uint32_t conn, void *data, uint32_t len)
{
    test_host *t = self;

    t->calls.ctl++;
    if (op == NATLET_CTL_SIGN) {
        return sign(t, conn, data, len);
    }
    return op == NATLET_CTL_SIGNED ? take_signed(t, data, len) : NATLET_E_UNSUPPORTED;
}

void test_host_init(test_host *t, uint64_t seed)
{
    *t = (test_host){
        .host = {.self = t,
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
                 .ctl = host_ctl},
        .info = {.size = sizeof(natlet_host_info),
                 .abi = NATLET_ABI,
                 .caps = NATLET_CAP_WS | NATLET_CAP_TCP | NATLET_CAP_TLS | NATLET_CAP_RXPAUSE |
                         NATLET_CAP_HEADERS | NATLET_CAP_WALLCLOCK | NATLET_CAP_HINTS,
                 .conns_max = 64,
                 .rx_queue_bytes = 8u << 20,
                 .send_bytes_max = 16u << 20,
                 .name = "test"},
        .now_us = START_US,
        .unix_us = START_UNIX_US,
        .random_state = seed,
        .sign_answer = NATLET_E_UNSUPPORTED,
    };
    append(&t->log, "", 0);
}

void test_host_free(test_host *t)
{
    for (uint32_t i = 0; i < t->conn_count; i++) {
        test_conn *conn = t->conns[i];
        free(conn->options.ptr);
        free(conn->in.ptr);
        free(conn->segments.ptr);
        free(conn->out.ptr);
        free(conn);
    }
    free(t->log.ptr);
    free(t->signed_fields.ptr);
    *t = (test_host){0};
}

/* ---- memory ---- */

enum { HEAD_BYTES = 16, GARBAGE = 0xa5 }; /* the head holds the size; blocks stay aligned */

static size_t block_bytes(test_memory *m, const uint8_t *ptr, size_t old_bytes)
{
    size_t bytes = 0;

    if (ptr != NULL) {
        memcpy(&bytes, ptr - HEAD_BYTES, sizeof bytes);
    }
    if (bytes != old_bytes) {
        m->errors++;
        printf("test memory: a block of %lu bytes was said to have %lu\n", (unsigned long)bytes,
               (unsigned long)old_bytes);
    }
    return bytes;
}

static bool is_refused(test_memory *m)
{
    m->requests++;
    return m->fail_at != 0 &&
           (m->requests == m->fail_at || (m->fails_on && m->requests > m->fail_at));
}

static bool holds(const uint8_t *block, size_t bytes, const char *secret)
{
    size_t len = strlen(secret);

    for (size_t i = 0; i + len <= bytes; i++) {
        if (memcmp(block + i, secret, len) == 0) {
            return true;
        }
    }
    return false;
}

static void look_for_secrets(test_memory *m, const uint8_t *block, size_t bytes)
{
    for (size_t i = 0; i < TEST_SECRETS_MAX && m->secrets[i] != NULL; i++) {
        if (holds(block, bytes, m->secrets[i])) {
            m->errors++;
            printf("test memory: a block of %lu bytes was given back with %s in it\n",
                   (unsigned long)bytes, m->secrets[i]);
        }
    }
}

/* Always moves, so that a pointer kept across a resize is found out. */
static void *memory_resize(void *self, void *ptr, size_t old_bytes, size_t new_bytes)
{
    test_memory *m = self;
    uint8_t *moved = NULL;
    size_t bytes = block_bytes(m, ptr, old_bytes);

    if (new_bytes > 0) {
        if (is_refused(m)) {
            m->refused++;
            return NULL;
        }
        moved = grow(NULL, HEAD_BYTES + new_bytes);
        moved += HEAD_BYTES;
        memset(moved, GARBAGE, new_bytes);
        memcpy(moved - HEAD_BYTES, &new_bytes, sizeof new_bytes);
        m->live_blocks++;
        m->live_bytes += new_bytes;
        m->bytes_max = m->live_bytes > m->bytes_max ? m->live_bytes : m->bytes_max;
    }
    if (ptr != NULL) {
        if (moved != NULL) {
            memcpy(moved, ptr, smallest(bytes, new_bytes));
        }
        look_for_secrets(m, ptr, bytes);
        m->live_blocks--;
        m->live_bytes -= bytes;
        free((uint8_t *)ptr - HEAD_BYTES);
    }
    return moved;
}

void test_memory_init(test_memory *m)
{
    *m = (test_memory){.allocator = {.self = m, .resize = memory_resize}};
}
