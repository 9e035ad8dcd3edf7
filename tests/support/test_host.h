/* A host for tests, and an allocator for tests.
 *
 * They are fakes: no socket, no real clock, no real randomness.  A test needs
 * to say what the network does and when, to the byte and the microsecond, and
 * to get the same run every time; a real host can do neither.  What real hosts
 * do is tested against real hosts (host conformance, end to end).
 *
 * The test host keeps the rules of the host door strictly, e.g. READABLE is
 * raised again only after recv said E_AGAIN, and it counts what the guest does
 * against them in `violations`, which a test checks to be 0. */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include <stdbool.h>

#include "natlet/allocator.h"
#include "natlet/host.h"
#include "natlet/slice.h"

enum { TEST_CONNS_MAX = 512, TEST_EVENTS_MAX = 1024, TEST_URL_MAX = 512, TEST_WHY_MAX = 128 };
enum { TEST_NONCE_MAX = 256, TEST_SECRETS_MAX = 8 };

/* Bytes that grow at their end and are read from their front. */
typedef struct test_bytes {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} test_bytes;

typedef struct test_conn {
    uint32_t id; /* as the guest named it */

    /* What open was given. */
    uint32_t transport;
    char url[TEST_URL_MAX]; /* with NUL */
    test_bytes options;

    /* What the guest can read: segments, each the length of its own recv. */
    test_bytes in;
    test_bytes segments; /* one size_t each: bytes left of that segment */
    size_t recv_max;     /* bytes one recv hands out at most; 0: no limit */

    /* What the guest sent. */
    test_bytes out;
    uint32_t sends;      /* calls that took bytes */
    size_t send_largest; /* bytes of the largest of them */
    size_t send_max;     /* bytes one send takes at most, then WRITABLE is raised; 0: no limit */
    size_t accept;       /* bytes all sends together take from now on; SIZE_MAX: no limit */

    /* What close was given; closes counts its calls. */
    uint32_t closes;
    uint32_t close_code;
    char close_why[TEST_WHY_MAX]; /* with NUL */

    bool is_open;        /* OPEN was raised */
    bool is_closed;      /* CLOSED was raised */
    bool wants_readable; /* recv said E_AGAIN, or nothing was read yet */
    bool wants_writable; /* a send took less than all */
} test_conn;

typedef struct test_calls {
    uint32_t hello, open, recv, recv_again, send, close, poll, clock, random, log, wake, ctl;
} test_calls;

typedef struct test_host {
    natlet_host host;      /* hand out &t->host; self is the test host */
    natlet_host_info info; /* what hello answers; caps are without CAP_BLOCK unless set */

    uint64_t now_us;  /* monotonic; move with test_host_advance_us or set */
    uint64_t unix_us; /* wall time */
    uint64_t random_state;
    bool random_fails;
    int32_t open_answer; /* of the next calls of open; < 0: refused */
    bool auto_open;      /* OPEN is raised by open itself */
    bool hold_closed;    /* CLOSED is not raised by close itself: test_conn_closed does it */

    int32_t sign_answer;        /* of CTL_SIGN; E_UNSUPPORTED at first */
    char nonce[TEST_NONCE_MAX]; /* that it was given last, with NUL */
    uint32_t signs;
    test_bytes signed_fields; /* for CTL_SIGNED, which takes them once */

    natlet_host_event events[TEST_EVENTS_MAX]; /* waiting for poll */
    uint32_t event_count;

    test_conn *conns[TEST_CONNS_MAX]; /* all that were ever opened, in order */
    uint32_t conn_count;

    test_calls calls;
    test_bytes log;          /* lines, each with a newline, then NUL behind len */
    uint64_t waited_us;      /* time that passed inside poll */
    uint32_t waits_for_ever; /* polls with timeout -1 and nothing that could end them */
    int32_t last_timeout_ms; /* of the last poll */
    uint32_t violations;     /* rules of the host door that the guest broke; each is printed */
} test_host;

/* The clock starts at 1 s, wall time at 2026-01-01; random bytes depend on `seed` only. */
void test_host_init(test_host *t, uint64_t seed);
void test_host_free(test_host *t);

void test_host_advance_us(test_host *t, uint64_t us); /* both clocks */
void test_host_advance_ms(test_host *t, uint64_t ms);

/* Queues any event, e.g. a stale one. */
void test_host_event(test_host *t, uint32_t conn, uint16_t type, uint32_t a, uint32_t b);
void test_host_hint(test_host *t, uint32_t hint);

/* The connection opened last; NULL if there was none. */
test_conn *test_host_last(test_host *t);

/* Raises OPEN. */
void test_conn_opened(test_host *t, test_conn *conn);

/* Lets `len` bytes arrive as one segment, and raises READABLE where it is due. */
void test_conn_feed(test_host *t, test_conn *conn, const void *bytes, size_t len);
void test_conn_feed_text(test_host *t, test_conn *conn, const char *text);

/* Ends the connection from outside: WebSocket close code or 0, and a status. */
void test_conn_closed(test_host *t, test_conn *conn, uint32_t code, int32_t status);

/* Who the guest is, as an answer to CTL_SIGN: raises SIGNED. */
void test_conn_signed(test_host *t, test_conn *conn, const void *fields, size_t len,
                      int32_t status);

/* After `bytes` more, sends take nothing, until test_conn_relieve raises WRITABLE. */
void test_conn_congest(test_conn *conn, size_t bytes);
void test_conn_relieve(test_host *t, test_conn *conn);

/* What was sent and not yet taken; borrowed until the next call to the host. */
natlet_slice test_conn_sent(const test_conn *conn);

/* Forgets the first `n` bytes of it. */
void test_conn_take_sent(test_conn *conn, size_t n);

/* Bytes that arrived and were not read yet. */
size_t test_conn_unread(const test_conn *conn);

/* An allocator over malloc that counts, fills new memory with garbage, checks
 * that the sizes it is told are right, and fails when it is told to. */
typedef struct test_memory {
    natlet_allocator allocator; /* hand out &m->allocator */
    size_t live_bytes;
    size_t live_blocks;
    size_t bytes_max;  /* most ever live */
    uint32_t requests; /* that asked for memory: first ones and resizes, not frees */
    uint32_t fail_at;  /* this request and ... 1: the first; 0: none */
    bool fails_on;     /* ... all that follow it, if set, are refused */
    uint32_t refused;
    uint32_t errors; /* wrong old_bytes, or a secret in a block given back; each is printed */
    const char *secrets[TEST_SECRETS_MAX]; /* what no block may hold when it is given back */
} test_memory;

void test_memory_init(test_memory *m);

#endif
