/* Goal: what a run of frames means does not depend on how its bytes were cut, and
 * every frame that RFC 6455 forbids is refused, with the right close code.
 *
 * Method: each case has one expected log: payload bytes as they are, control
 * frames and the failure in brackets.  It is fed whole, then cut in two at every
 * byte, then byte by byte, each piece in a block of its exact size, so that a
 * sanitizer sees a read of one byte too many. */
#include "support/test.h"
#include "ws/frame.h"

enum { MESSAGE_MAX = 70000 };

typedef struct run {
    natlet__ws ws;
    char log[512];
    size_t log_len;
    size_t data_bytes;
} run;

static void note(run *r, const char *text, size_t len)
{
    if (len < sizeof r->log - r->log_len) {
        memcpy(r->log + r->log_len, text, len);
        r->log_len += len;
    }
    r->log[r->log_len] = '\0';
}

static void note_event(run *r, const natlet__ws_event *ev)
{
    static const char *const names[] = {"", "ping", "pong", "close"};
    char text[64];
    size_t reason_len = ev->bytes.len < 125 ? ev->bytes.len : 125;

    if (ev->kind == NATLET__WS_EV_DATA) {
        CHECK(ev->bytes.len > 0);
        r->data_bytes += ev->bytes.len;
        note(r, (const char *)ev->bytes.ptr, ev->bytes.len);
        return;
    }
    (void)snprintf(text, sizeof text, "[%s", names[ev->kind]);
    note(r, text, strlen(text));
    if (ev->kind == NATLET__WS_EV_CLOSE) {
        (void)snprintf(text, sizeof text, " %u", ev->code);
        note(r, text, strlen(text));
    }
    if (reason_len > 0) {
        note(r, " ", 1);
        note(r, (const char *)ev->bytes.ptr, reason_len);
    }
    note(r, "]", 1);
}

static void feed(run *r, const uint8_t *bytes, size_t len)
{
    natlet__ws_event ev;
    uint8_t *exact = malloc(len + 1); /* the one more is for an empty block */
    uint8_t *piece = exact + 1;
    natlet_slice in = {piece, len};
    natlet_status st = r->ws.failed;

    memcpy(piece, bytes, len);
    while (st >= 0 && (st = natlet__ws_next(&r->ws, &in, &ev)) == NATLET_EVENT) {
        note_event(r, &ev);
    }
    if (st == NATLET_MORE) {
        CHECK_INT(in.len, 0);
    }
    free(exact);
}

static void check_run(run *r, const char *want)
{
    char text[32];
    natlet__ws_event ev;
    natlet_slice more = NATLET_TEXT("\x82\x01x");

    if (r->ws.failed < 0) {
        (void)snprintf(text, sizeof text, "[fail %u%s]", r->ws.close_code,
                       r->ws.failed == NATLET_E_TOO_LARGE ? " too large"
                       : r->ws.failed == NATLET_E_FRAME   ? ""
                                                          : " ?");
        note(r, text, strlen(text));
        CHECK_INT(natlet__ws_next(&r->ws, &more, &ev), r->ws.failed); /* it sticks */
    }
    CHECK_TEXT(r->log, want);
}

/* Feeds `len` bytes cut at `cut`, or byte by byte. */
static void check_cut(const uint8_t *bytes, size_t len, size_t cut, const char *want)
{
    run r = {.log = ""};

    natlet__ws_init(&r.ws, MESSAGE_MAX);
    for (size_t at = 0; cut == SIZE_MAX && at < len; at++) {
        feed(&r, bytes + at, 1);
    }
    if (cut != SIZE_MAX) {
        feed(&r, bytes, cut);
        feed(&r, bytes + cut, len - cut);
    }
    check_run(&r, want);
}

static void check(const void *bytes, size_t len, const char *want)
{
    for (size_t cut = 0; cut <= len; cut++) {
        check_cut(bytes, len, cut, want);
    }
    check_cut(bytes, len, SIZE_MAX, want);
}

#define EXPECT(bytes, want) check(bytes, sizeof(bytes) - 1, want)

static void data_frames(void)
{
    EXPECT("", "");
    EXPECT("\x82", "");
    EXPECT("\x82\x05hello", "hello");
    EXPECT("\x82\x05hel", "hel");
    EXPECT("\x82\x00", "");
    EXPECT("\x82\x00\x82\x01n", "n");
    EXPECT("\x82\x01n\x82\x02op", "nop");
}

static void fragments(void)
{
    EXPECT("\x02\x03nop\x80\x03qrs", "nopqrs");
    EXPECT("\x02\x01n\x00\x01o\x80\x01p\x82\x01q", "nopq");
    EXPECT("\x02\x00\x80\x00", "");
    EXPECT("\x02\x00\x00\x00\x80\x01z", "z");
    EXPECT("\x02\x01n\x89\x02hi\x80\x01o", "n[ping hi]o");
    EXPECT("\x02\x01n\x8a\x00\x00\x01o\x89\x00\x80\x00", "n[pong]o[ping]");
    EXPECT("\x02\x01n\x88\x00\x80\x01o", "n[close 1005]");
}

static void control_frames(void)
{
    EXPECT("\x89\x00", "[ping]");
    EXPECT("\x8a\x00", "[pong]");
    EXPECT("\x89\x03nop\x8a\x01q", "[ping nop][pong q]");
    EXPECT("\x89\x03no", "");
    EXPECT("\x89\x00\x89\x00\x82\x01x", "[ping][ping]x");
}

static void closes(void)
{
    EXPECT("\x88\x00", "[close 1005]");
    EXPECT("\x88\x02\x03\xe8", "[close 1000]");
    EXPECT("\x88\x06\x03\xe9stop", "[close 1001 stop]");
    EXPECT("\x88\x04\x0f\xa0\xc3\xa4", "[close 4000 \xc3\xa4]");
    EXPECT("\x88\x00\x82\x01x\xff\xff\x88\x00", "[close 1005]"); /* the rest is ignored */
    EXPECT("\x88\x01\x03", "[fail 1002]");
    EXPECT("\x88\x02\x03\xe7", "[fail 1002]"); /* 999 */
    EXPECT("\x88\x02\x03\xec", "[fail 1002]"); /* 1004 */
    EXPECT("\x88\x02\x03\xed", "[fail 1002]"); /* 1005 */
    EXPECT("\x88\x02\x03\xee", "[fail 1002]"); /* 1006 */
    EXPECT("\x88\x02\x03\xf7", "[fail 1002]"); /* 1015 */
    EXPECT("\x88\x02\x13\x88", "[fail 1002]"); /* 5000 */
    EXPECT("\x88\x03\x03\xe8\xff", "[fail 1007]");
    EXPECT("\x88\x03\x03\xe8\xc3", "[fail 1007]");             /* a cut character */
    EXPECT("\x88\x05\x03\xe8\xed\xa0\x80", "[fail 1007]");     /* a surrogate */
    EXPECT("\x88\x06\x03\xe8\xf4\x90\x80\x80", "[fail 1007]"); /* beyond U+10FFFF */
}

static void reserved_bits_and_opcodes(void)
{
    EXPECT("\xc2\x01x", "[fail 1002]"); /* RSV1: no extension was agreed on */
    EXPECT("\xa2\x01x", "[fail 1002]");
    EXPECT("\x92\x01x", "[fail 1002]");
    EXPECT("\xf2\x01x", "[fail 1002]");
    EXPECT("\xc9\x00", "[fail 1002]");
    EXPECT("\x02\x01n\xc0\x01o", "n[fail 1002]");
    EXPECT("\x83\x00", "[fail 1002]");
    EXPECT("\x84\x00", "[fail 1002]");
    EXPECT("\x85\x00", "[fail 1002]");
    EXPECT("\x86\x00", "[fail 1002]");
    EXPECT("\x87\x00", "[fail 1002]");
    EXPECT("\x8b\x00", "[fail 1002]");
    EXPECT("\x8c\x00", "[fail 1002]");
    EXPECT("\x8d\x00", "[fail 1002]");
    EXPECT("\x8e\x00", "[fail 1002]");
    EXPECT("\x8f\x00", "[fail 1002]");
    EXPECT("\x82\x01x\x83\x00", "x[fail 1002]");
}

static void masked_and_text(void)
{
    EXPECT("\x82\x81nopqx", "[fail 1002]");
    EXPECT("\x89\x80nopq", "[fail 1002]");
    EXPECT("\x81\x05hello", "[fail 1003]");
    EXPECT("\x01\x00", "[fail 1003]");
    EXPECT("\x02\x01n\x81\x01o", "n[fail 1002]"); /* the order is wrong before the type is */
}

static void message_order(void)
{
    EXPECT("\x80\x01x", "[fail 1002]");
    EXPECT("\x00\x00", "[fail 1002]");
    EXPECT("\x02\x01n\x82\x01o", "n[fail 1002]");
    EXPECT("\x02\x01n\x02\x01o", "n[fail 1002]");
    EXPECT("\x02\x01n\x80\x01o\x80\x01p", "no[fail 1002]");
}

static void control_limits(void)
{
    EXPECT("\x09\x00", "[fail 1002]"); /* fragmented */
    EXPECT("\x08\x00", "[fail 1002]");
    EXPECT("\x0a\x00", "[fail 1002]");
    EXPECT("\x89\x7e\x00\x7e", "[fail 1002]");
    EXPECT("\x89\x7e\x00\x01x", "[fail 1002]");
    EXPECT("\x88\x7f\x00\x00\x00\x00\x00\x00\x00\x02", "[fail 1002]");
}

static void lengths(void)
{
    EXPECT("\x82\x7e\x00\x7d", "[fail 1002]"); /* not minimal */
    EXPECT("\x82\x7e\x00\x00", "[fail 1002]");
    EXPECT("\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x01", "[fail 1002]");
    EXPECT("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "[fail 1002]");
    EXPECT("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "[fail 1002]"); /* 2^63 */
    EXPECT("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "[fail 1002]");
    EXPECT("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "[fail 1009 too large]"); /* 2^63 - 1 */
    EXPECT("\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00", "[fail 1009 too large]"); /* 2^32 */
    EXPECT("\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x05", "[fail 1009 too large]"); /* 2^32 + 5 */
    EXPECT("\x82\x7f\x00\x00\x00\x00\x7f\xff\xff\xff", "[fail 1009 too large]"); /* 2^31 - 1 */
    EXPECT("\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x71", "[fail 1009 too large]"); /* max + 1 */
    EXPECT("\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70ok", "ok");
    EXPECT("\x82\x7e\x00\x7ezyxwvutsr", "zyxwvutsr");
    EXPECT("\x82\x7f\x00\x00\x00", "");
    /* Over all frames of a message: 3 bytes, then 69998 more. */
    EXPECT("\x02\x03nop\x80\x7f\x00\x00\x00\x00\x00\x01\x11\x6e", "nop[fail 1009 too large]");
    EXPECT("\x02\x03nop\x80\x7f\x00\x00\x00\x00\x00\x01\x11\x6dq", "nopq");
}

/* The longest control frame, whole and cut. */
static void longest_control(void)
{
    char frame[2 + NATLET__WS_CONTROL_MAX] = "\x89\x7d";
    char want[NATLET__WS_CONTROL_MAX + 16];

    memset(frame + 2, 'p', sizeof frame - 2);
    (void)snprintf(want, sizeof want, "[ping %.*s]", NATLET__WS_CONTROL_MAX, frame + 2);
    check(frame, sizeof frame, want);
}

/* 64 empty fragments are a message; one more is an attack.  Empty ones that end
 * a message, and those of the message before, do not count. */
static void empty_fragments(void)
{
    uint8_t frames[2 * ((size_t)NATLET__WS_EMPTY_FRAMES_MAX + 3)] = {0x02};
    uint8_t *last = frames + 2 * (size_t)NATLET__WS_EMPTY_FRAMES_MAX;
    size_t len = (size_t)(last - frames) + 2;

    last[0] = 0x80;
    check(frames, len, "");
    last[2] = 0x02;
    check(frames, len + 2, "");
    last[0] = 0x00;
    check(frames, len, "[fail 1008]");
}

static void feed_zeros(run *r, size_t len)
{
    static const uint8_t zeros[1000];

    while (len > 0) {
        size_t step = len < sizeof zeros ? len : sizeof zeros;
        feed(r, zeros, step);
        len -= step;
    }
}

static void check_size(const char *head, size_t head_len, size_t len)
{
    run r = {.log = ""};

    natlet__ws_init(&r.ws, MESSAGE_MAX);
    feed(&r, (const uint8_t *)head, head_len);
    CHECK_INT(r.ws.payload_left, len);
    feed_zeros(&r, len);
    CHECK_INT(r.data_bytes, len);
    CHECK_INT(r.ws.payload_left, 0);
    r.log_len = 0;
    feed(&r, (const uint8_t *)"\x82\x02ok", 4);
    check_run(&r, "ok");
}

static void sizes(void)
{
    check_size("\x82\x7d", 2, 125);
    check_size("\x82\x7e\x00\x7e", 4, 126);
    check_size("\x82\x7e\xff\xff", 4, 65535);
    check_size("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10, 65536);
    check_size("\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70", 10, 70000);
}

/* A stream without bounds: message_max at its greatest must not wrap around. */
static void no_bound(void)
{
    run r = {.log = ""};

    natlet__ws_init(&r.ws, UINT64_MAX);
    feed(&r, (const uint8_t *)"\x02\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10);
    r.ws.payload_left = 0; /* as if it had come */
    feed(&r, (const uint8_t *)"\x00\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10);
    r.ws.payload_left = 0; /* as if it had come */
    feed(&r, (const uint8_t *)"\x80\x02", 2);
    check_run(&r, "[fail 1009 too large]");
}

static void close_codes(void)
{
    for (uint32_t code = 0; code <= 70000; code++) {
        bool is_named =
            (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006);
        bool is_free = code / 1000 == 3 || code / 1000 == 4;
        if (natlet__ws_close_code_valid(code) != (is_named || is_free)) {
            CHECK_INT(code, -1);
        }
    }
    CHECK(!natlet__ws_close_code_valid(UINT32_MAX));
}

int main(void)
{
    RUN(data_frames);
    RUN(fragments);
    RUN(control_frames);
    RUN(closes);
    RUN(reserved_bits_and_opcodes);
    RUN(masked_and_text);
    RUN(message_order);
    RUN(control_limits);
    RUN(lengths);
    RUN(longest_control);
    RUN(empty_fragments);
    RUN(sizes);
    RUN(no_bound);
    RUN(close_codes);
    return test_done();
}
