/* Goal: the upgrade request is exact, and only the answer that RFC 6455, 4.1
 * allows is accepted, however its bytes arrive.
 *
 * Method: each answer has one verdict.  The window grows from nothing to the
 * whole in two steps, cut at every byte, and then byte by byte; it lies in blocks
 * of its exact size, so that a sanitizer sees a read of one byte too many. */
#include "support/test.h"
#include "ws/handshake.h"

/* The key and answer of RFC 6455, 1.3. */
static const uint8_t nonce[] = "the sample nonce";
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define STATUS "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPTED "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define GOOD STATUS UPGRADE CONNECTION ACCEPTED

/* ---- the request */

static void check_request(const natlet__handshake_request *request, const char *want)
{
    natlet__handshake h;
    uint8_t out[1024];
    size_t len = strlen(want);

    natlet__handshake_init(&h, nonce);
    for (size_t cap = 0; cap < len; cap++) { /* what does not fit is not begun */
        uint8_t *exact = malloc(cap + 1);
        CHECK_INT(natlet__handshake_write(&h, exact, cap, request), 0);
        free(exact);
    }
    CHECK_INT(natlet__handshake_write(&h, out, len, request), len);
    CHECK(memcmp(out, want, len) == 0);
}

#define REQUEST_TAIL                                                                               \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"                                                \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"

static void requests(void)
{
    natlet__handshake_request request = {
        .host = NATLET_TEXT("nats.example"), .port = 80, .is_default_port = true};

    check_request(&request, "GET / HTTP/1.1\r\nHost: nats.example\r\n" REQUEST_TAIL "\r\n");
    request.path = (natlet_slice)NATLET_TEXT("/a/b?c=d&e");
    request.port = 65535;
    request.is_default_port = false;
    check_request(&request,
                  "GET /a/b?c=d&e HTTP/1.1\r\nHost: nats.example:65535\r\n" REQUEST_TAIL "\r\n");
    request.path = (natlet_slice)NATLET_TEXT("?only=query");
    request.host = (natlet_slice)NATLET_TEXT("[::1]");
    request.port = 8080;
    request.origin = (natlet_slice)NATLET_TEXT("https://example.org");
    request.headers = (natlet_slice)NATLET_TEXT("X-One: 1\r\nX-Two: 2 3\r\n");
    check_request(&request, "GET /?only=query HTTP/1.1\r\nHost: [::1]:8080\r\n" REQUEST_TAIL
                            "Origin: https://example.org\r\nX-One: 1\r\nX-Two: 2 3\r\n\r\n");
}

/* A proxy may want another name than the one that was dialled. */
static void a_host_of_the_caller(void)
{
    const natlet__handshake_request request = {.host = NATLET_TEXT("proxy"),
                                               .port = 8080,
                                               .headers =
                                                   NATLET_TEXT("X: 1\r\nhost: nats.example\r\n")};

    check_request(&request, "GET / HTTP/1.1\r\n" REQUEST_TAIL "X: 1\r\nhost: nats.example\r\n\r\n");
}

/* A line end in a part of a URL would begin a header of somebody else's. */
static void injections(void)
{
    static const char *const parts[] = {"/\r\nX: y", "/a b", "/\n", "/\t", "/\x7f", "/\x01"};
    natlet__handshake h;
    uint8_t out[1024];

    natlet__handshake_init(&h, nonce);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        natlet_slice bad = {(const uint8_t *)parts[i], strlen(parts[i])};
        natlet__handshake_request request = {.host = NATLET_TEXT("h"), .path = bad};
        CHECK_INT(natlet__handshake_write(&h, out, sizeof out, &request), 0);
        request = (natlet__handshake_request){.host = bad};
        CHECK_INT(natlet__handshake_write(&h, out, sizeof out, &request), 0);
        request = (natlet__handshake_request){.host = NATLET_TEXT("h"), .origin = bad};
        CHECK_INT(natlet__handshake_write(&h, out, sizeof out, &request), 0);
    }
}

static void accept_keys(void)
{
    uint8_t accept[28];

    natlet__handshake_accept(accept, (const uint8_t *)KEY);
    CHECK(memcmp(accept, ACCEPT, sizeof accept) == 0);
}

/* ---- the answer */

typedef struct verdict {
    natlet_status st;
    uint16_t http_status;
    size_t rest; /* bytes behind an accepted answer */
} verdict;

/* Shows the first `len` of `bytes` in a block of their size. */
static natlet_status show(natlet__handshake *h, const char *bytes, size_t len, size_t *rest)
{
    uint8_t *exact = malloc(len + 1);
    natlet_slice in = {exact + 1, len};

    memcpy(exact + 1, bytes, len);
    natlet_status st = natlet__handshake_read(h, &in);
    if (st != NATLET_OK) {
        CHECK(in.ptr == exact + 1 && in.len == len);
    }
    *rest = in.len;
    free(exact);
    return st;
}

/* A window that grows by `step` bytes, beginning at `cut`. */
static void check_steps(const char *bytes, size_t len, size_t cut, size_t step, verdict want)
{
    natlet__handshake h;
    natlet_status st;
    size_t rest;
    size_t at = cut;

    natlet__handshake_init(&h, nonce);
    while ((st = show(&h, bytes, at, &rest)) == NATLET_MORE && at < len) {
        at = len - at < step ? len : at + step;
    }
    CHECK_INT(st, want.st);
    CHECK_INT(h.http_status, want.http_status);
    if (st == NATLET_OK) {
        CHECK_INT(rest + (len - at), want.rest);
    }
    if (st < 0) { /* it sticks, whatever follows */
        CHECK_INT(show(&h, GOOD "\r\n", sizeof GOOD + 1, &rest), st);
    }
}

static void check(const char *bytes, size_t len, verdict want)
{
    for (size_t cut = 0; cut <= len; cut++) {
        check_steps(bytes, len, cut, len, want);
    }
    check_steps(bytes, len, 0, 1, want);
}

#define ACCEPTS(bytes, behind)                                                                     \
    check(bytes, sizeof(bytes) - 1, (verdict){NATLET_OK, 101, sizeof(behind) - 1})
#define REFUSES(bytes, status)                                                                     \
    check(bytes, sizeof(bytes) - 1, (verdict){NATLET_E_HANDSHAKE, status, 0})
#define UPGRADE_FAILS(bytes, status)                                                               \
    check(bytes, sizeof(bytes) - 1, (verdict){NATLET_E_UPGRADE, status, 0})
#define WAITS(bytes, status) check(bytes, sizeof(bytes) - 1, (verdict){NATLET_MORE, status, 0})

static void good_answers(void)
{
    ACCEPTS(GOOD "\r\n", "");
    ACCEPTS(GOOD "\r\n\x82\x04INFO", "\x82\x04INFO");
    ACCEPTS(GOOD "\r\n\r\n", "\r\n");
    ACCEPTS("HTTP/1.1 101\r\n" UPGRADE CONNECTION ACCEPTED "\r\n", "");
    ACCEPTS("HTTP/1.1 101 \r\n" ACCEPTED CONNECTION UPGRADE "\r\n", "");
    ACCEPTS(STATUS "upgrade:WebSocket\r\nCONNECTION:  UPGRADE \t\r\n"
                   "sec-websocket-ACCEPT:\t" ACCEPT " \r\n\r\n",
            "");
    ACCEPTS(STATUS UPGRADE "Connection: keep-alive, Upgrade\r\n" ACCEPTED "\r\n", "");
    ACCEPTS(STATUS UPGRADE "Connection: ,upgrade,,x\r\n" ACCEPTED "\r\n", "");
    ACCEPTS(STATUS UPGRADE "Connection: keep-alive\r\n" CONNECTION ACCEPTED "\r\n", "");
    ACCEPTS(GOOD "Date: Sat, 21 Nov 2026 03:00:00 GMT\r\nServer:\r\nX-Empty: \r\n\r\n", "");
    ACCEPTS(GOOD "X-Text: \xc3\xa4 and a\ttab\r\n!#$%&'*+-.^_`|~09AZaz: odd name\r\n\r\n", "");
}

static void unfinished_answers(void)
{
    WAITS("", 0);
    WAITS("HTTP/1.1 101", 0);
    WAITS(GOOD, 101);
    WAITS(GOOD "\r", 101);
}

static void bad_status_lines(void)
{
    REFUSES("INFO {\"server_id\":\"X\"}\r\n", 0); /* a NATS port */
    REFUSES("\x15\x03\x01\x00\x02\x02\x46", 0);   /* a TLS alert */
    REFUSES("I", 0);
    REFUSES("\r\n" GOOD "\r\n", 0);
    REFUSES("http/1.1 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPTED "\r\n", 0);
    REFUSES("HTTP/2 101 OK\r\n" UPGRADE CONNECTION ACCEPTED "\r\n", 0);
    REFUSES("HTTP/1.0 101 OK\r\n" UPGRADE CONNECTION ACCEPTED "\r\n", 101);
    REFUSES("HTTP/1.2 101 OK\r\n" UPGRADE CONNECTION ACCEPTED "\r\n", 101);
    REFUSES("HTTP/1.1  101 OK\r\n", 0);
    REFUSES("HTTP/1.1 1010 OK\r\n", 0);
    REFUSES("HTTP/1.1 10 OK\r\n", 0);
    REFUSES("HTTP/1.1 10\r\n", 0);
    REFUSES("HTTP/1.1 +10 OK\r\n", 0);
    REFUSES("HTTP/1.1 099 OK\r\n", 0);
    REFUSES("HTTP/1.1 1x1 OK\r\n", 0);
    REFUSES("HTTP/1.1\t101 OK\r\n", 0);
    REFUSES("HTTP/1.1 101\tOK\r\n", 0);
    REFUSES("HTTP/1.1 101 O\x01K\r\n", 0);
    REFUSES("HTTP/1.1 101 OK\n" UPGRADE CONNECTION ACCEPTED "\r\n", 0);
    REFUSES("HTTP/1.1 100 Continue\r\n\r\n" GOOD "\r\n", 100);
    REFUSES("HTTP/1.1 103 Early Hints\r\n\r\n" GOOD "\r\n", 103);
}

static void other_statuses(void)
{
    UPGRADE_FAILS("HTTP/1.1 200 OK\r\n", 200);
    UPGRADE_FAILS("HTTP/1.1 301 Moved Permanently\r\nLocation: ws://x/\r\n\r\n", 301);
    UPGRADE_FAILS("HTTP/1.1 400 Bad Request\r\n", 400);
    UPGRADE_FAILS("HTTP/1.1 401 Unauthorized\r\n", 401);
    UPGRADE_FAILS("HTTP/1.1 403\r\n", 403);
    UPGRADE_FAILS("HTTP/1.0 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno!", 502);
    UPGRADE_FAILS("HTTP/1.1 503 Service Unavailable\r\n", 503);
    UPGRADE_FAILS("HTTP/1.1 999 \r\n", 999);
}

static void missing_fields(void)
{
    REFUSES(STATUS "\r\n", 101);
    REFUSES(STATUS CONNECTION ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE CONNECTION "\r\n", 101);
}

static void wrong_values(void)
{
    REFUSES(STATUS "Upgrade: websockets\r\n" CONNECTION ACCEPTED "\r\n", 101);
    REFUSES(STATUS "Upgrade: websocket, h2c\r\n" CONNECTION ACCEPTED "\r\n", 101);
    REFUSES(STATUS "Upgrade:\r\n" CONNECTION ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE "Connection: close\r\n" ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE "Connection: upgraded\r\n" ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE "Connection: up grade\r\n" ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE "Connection:\r\n" ACCEPTED "\r\n", 101);
    REFUSES(STATUS UPGRADE CONNECTION "Sec-WebSocket-Accept: \r\n\r\n", 101);
    REFUSES(STATUS UPGRADE CONNECTION "Sec-WebSocket-Accept: " KEY "\r\n\r\n", 101);
    REFUSES(STATUS UPGRADE CONNECTION "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            101);
    REFUSES(STATUS UPGRADE CONNECTION "Sec-WebSocket-Accept: " ACCEPT "=\r\n\r\n", 101);
    REFUSES(STATUS UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n\r\n",
            101);
}

static void duplicates(void)
{
    REFUSES(GOOD UPGRADE "\r\n", 101);
    REFUSES(GOOD ACCEPTED "\r\n", 101);
    REFUSES(GOOD "sec-websocket-accept: x\r\n\r\n", 101);
    REFUSES(GOOD "UPGRADE: h2c\r\n\r\n", 101);
}

static void not_offered(void)
{
    REFUSES(GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 101);
    REFUSES(GOOD "Sec-WebSocket-Extensions:\r\n\r\n", 101);
    REFUSES(GOOD "sec-websocket-protocol: nats\r\n\r\n", 101);
    REFUSES(GOOD "Content-Length: 5\r\n\r\nhello", 101);
    REFUSES(GOOD "Content-Length: 0\r\n\r\n", 101);
    REFUSES(GOOD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 101);
}

static void bad_lines(void)
{
    REFUSES(STATUS UPGRADE " websocket\r\n" CONNECTION ACCEPTED "\r\n", 101); /* folded */
    REFUSES(STATUS "\tX: y\r\n" UPGRADE CONNECTION ACCEPTED "\r\n", 101);
    REFUSES(GOOD "X: a\0b\r\n\r\n", 101);
    REFUSES(GOOD "X\0: a\r\n\r\n", 101);
    REFUSES(GOOD "X: a\x7f\r\n\r\n", 101);
    REFUSES(GOOD "X: a\rb\r\n\r\n", 101);
    REFUSES(GOOD "X: a\n\r\n", 101);
    REFUSES(GOOD "\n", 101);
    REFUSES(GOOD "\r\r\n", 101);
    REFUSES(GOOD "no colon\r\n\r\n", 101);
    REFUSES(GOOD ": no name\r\n\r\n", 101);
    REFUSES(GOOD "X : a\r\n\r\n", 101);
    REFUSES(GOOD "X(y): a\r\n\r\n", 101);
    REFUSES(GOOD "\xc3\xa4: a\r\n\r\n", 101);
    REFUSES(STATUS "Upgrade : websocket\r\n" CONNECTION ACCEPTED "\r\n", 101);
}

/* ---- limits: answers that are too long to be cut at every byte */

typedef struct long_answer {
    char text[3 * NATLET__HANDSHAKE_ANSWER_MAX];
    size_t len;
} long_answer;

static void add(long_answer *a, const char *text)
{
    size_t len = strlen(text);

    memcpy(a->text + a->len, text, len);
    a->len += len;
}

/* One field of `len` bytes, its CRLF included. */
static void add_field(long_answer *a, size_t len)
{
    add(a, "X:");
    memset(a->text + a->len, 'v', len - 4);
    a->len += len - 4;
    add(a, "\r\n");
}

static void check_long(const long_answer *a, verdict want)
{
    static const size_t steps[] = {1, 63, 4096, SIZE_MAX};

    check_steps(a->text, a->len, a->len, 1, want);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        check_steps(a->text, a->len, 0, steps[i], want);
    }
}

static const verdict accepted = {NATLET_OK, 101, 0};
static const verdict refused = {NATLET_E_HANDSHAKE, 101, 0};

static void line_limit(void)
{
    long_answer a = {.len = 0};
    long_answer b = {.len = 0};
    long_answer c = {.len = 0};

    add(&a, GOOD);
    add_field(&a, NATLET__HANDSHAKE_LINE_MAX);
    add(&a, "\r\n");
    check_long(&a, accepted);
    add(&b, GOOD);
    add_field(&b, NATLET__HANDSHAKE_LINE_MAX + 1);
    add(&b, "\r\n");
    check_long(&b, refused);
    add(&c, "HTTP/1.1 101 "); /* a line without end */
    memset(c.text + c.len, 'x', sizeof c.text - c.len);
    c.len = sizeof c.text;
    check_long(&c, (verdict){NATLET_E_HANDSHAKE, 0, 0});
}

static void answer_limit(void)
{
    for (size_t over = 0; over < 4; over++) {
        long_answer a = {.len = 0};
        add(&a, GOOD);
        add_field(&a, 4000);
        add_field(&a, NATLET__HANDSHAKE_ANSWER_MAX - 2 - a.len + over);
        add(&a, "\r\n");
        CHECK_INT(a.len, NATLET__HANDSHAKE_ANSWER_MAX + over);
        check_long(&a, over == 0 ? accepted : refused);
    }
}

static void field_limit(void)
{
    for (size_t over = 0; over < 2; over++) {
        long_answer a = {.len = 0};
        add(&a, GOOD);
        for (size_t i = 3; i < NATLET__HANDSHAKE_FIELDS_MAX + over; i++) {
            add(&a, "X: y\r\n");
        }
        add(&a, "\r\n");
        check_long(&a, over == 0 ? accepted : refused);
    }
}

/* A header that never ends, in lines that are all good. */
static void endless_answer(void)
{
    long_answer a = {.len = 0};

    add(&a, GOOD);
    while (a.len < 2 * (size_t)NATLET__HANDSHAKE_ANSWER_MAX) {
        add_field(&a, 1000);
    }
    check_long(&a, refused);
}

int main(void)
{
    RUN(requests);
    RUN(a_host_of_the_caller);
    RUN(injections);
    RUN(accept_keys);
    RUN(good_answers);
    RUN(unfinished_answers);
    RUN(bad_status_lines);
    RUN(other_statuses);
    RUN(missing_fields);
    RUN(wrong_values);
    RUN(duplicates);
    RUN(not_offered);
    RUN(bad_lines);
    RUN(line_limit);
    RUN(answer_limit);
    RUN(field_limit);
    RUN(endless_answer);
    return test_done();
}
