/* Goal: what went in comes out in order, whatever the host takes and however the
 * frames are cut; an operation is in it whole or not at all; the buffer grows to
 * its limit only, and shrinks when it is empty.
 *
 * Method: operations of all sizes against a reader that unmasks strictly; the
 * host takes a seeded number of bytes each time. */
#include "client/outbox.h"

#include "support/test.h"
#include "support/test_host.h"
#include "ws/frame.h"

enum { TX = 512, TX_MAX = 200000, FRONT = NATLET__OUTBOX_FRONT };

static test_host host;
static test_memory memory;
static natlet__memory budget;
static natlet__random numbers;
static natlet__outbox box;

static uint8_t out[4 * TX_MAX]; /* what the host took */
static size_t out_len;
static uint8_t plain[4 * TX_MAX]; /* what was put in */
static size_t plain_len;
static uint64_t seed;

static void set_up(size_t frame_max)
{
    test_memory_init(&memory);
    budget = (natlet__memory){.allocator = memory.allocator};
    box = (natlet__outbox){.memory = &budget, .random = &numbers};
    CHECK(natlet__outbox_init(&box, TX, TX_MAX) == NATLET_OK);
    if (frame_max > 0) {
        natlet__outbox_frame(&box, frame_max);
    }
    out_len = plain_len = 0;
    seed = 5;
}

static void tear_down(void)
{
    natlet__outbox_free(&box);
    CHECK_INT(memory.live_blocks, 0);
    CHECK_INT(memory.errors, 0);
}

/* An operation of `len` bytes, for which `spare` more were asked. */
static natlet_status put(size_t spare, size_t len)
{
    natlet_status st = natlet__outbox_begin(&box, len + spare, true);

    if (st < 0) {
        return st;
    }
    for (size_t i = 0; i < len; i++) {
        natlet__outbox_at(&box)[i] = plain[plain_len++] = (uint8_t)test_random(&seed);
    }
    natlet__outbox_wrote(&box, len);
    return NATLET_OK;
}

static void send(size_t at_most)
{
    natlet_slice ready;

    while (at_most > 0 && (ready = natlet__outbox_ready(&box)).len > 0) {
        size_t n = ready.len < at_most ? ready.len : at_most;
        memcpy(out + out_len, ready.ptr, n);
        out_len += n;
        at_most -= n;
        natlet__outbox_taken(&box, n);
    }
}

/* Unframes what the host took and compares; frames have at most `frame_max`. */
static void check_out(size_t frame_max)
{
    size_t at = 0;
    size_t len = 0;
    size_t read = 0;

    while (frame_max > 0 && at < out_len) {
        len = out[at + 1] & 0x7f;
        size_t head = len < 126 ? 2 : 4;
        CHECK(out[at] == 0x82 && (out[at + 1] & 0x80) != 0 && len != 127);
        len = len < 126 ? len : (size_t)out[at + 2] << 8 | out[at + 3];
        CHECK(len > 0 && len <= frame_max && (head == 2 || len >= 126));
        uint8_t key[4];
        memcpy(key, out + at + head, sizeof key);
        for (size_t i = 0; i < len; i++) { /* in place: heads make room */
            out[read++] = out[at + head + 4 + i] ^ key[i % 4];
        }
        at += head + 4 + len;
    }
    if (frame_max == 0) {
        read = out_len;
    }
    CHECK_INT(read, plain_len);
    CHECK(read == plain_len && memcmp(out, plain, plain_len) == 0);
}

static void put_many(bool is_slow)
{
    for (size_t i = 0; i < 300; i++) {
        size_t len = 1 + (i % 50 == 49 ? 1000 * (i / 50) : i % 90);
        natlet_status st = put(i % 61, len);
        while (st == NATLET_E_FULL) {
            send(SIZE_MAX);
            st = put(i % 61, len);
        }
        CHECK(st == NATLET_OK);
        if (i % 3 == 0) {
            send(is_slow ? test_random(&seed) % 300 : SIZE_MAX);
        }
    }
}

static void keeps_order_and_bytes(void)
{
    static const size_t frames[] = {0, 126, 127, 133, 200, 500, 4096, 65535};

    for (size_t f = 0; f < 2 * sizeof frames / sizeof frames[0]; f++) {
        set_up(frames[f / 2]);
        put_many(f % 2 == 1);
        while (natlet__outbox_used(&box) > 0) {
            send(1 + test_random(&seed) % 1000);
        }
        check_out(frames[f / 2]);
        CHECK_INT(box.cap, FRONT + TX); /* what it grew by was given back */
        tear_down();
    }
}

static void is_whole_or_not_there(void)
{
    for (int framed = 0; framed < 2; framed++) {
        size_t frame_max = framed ? 1000 : 0;
        set_up(frame_max);
        size_t whole = 0;
        while (put(40, 5040) == NATLET_OK) {
            whole++;
            CHECK(box.cap <= FRONT + TX_MAX);
        }
        CHECK(whole > TX_MAX / 5040 - 3);
        CHECK(put(40, 5040) == NATLET_E_FULL);
        CHECK_INT(plain_len, whole * 5040);
        CHECK(put(0, TX_MAX) == NATLET_E_FULL);
        CHECK(put(1, TX_MAX) == NATLET_E_TOO_LARGE);
        while (natlet__outbox_used(&box) > 0) {
            send(777);
        }
        check_out(frame_max);
        tear_down();
    }
}

static void does_not_grow_unasked(void)
{
    set_up(0);
    CHECK(put(0, TX - 10) == NATLET_OK);
    CHECK(natlet__outbox_begin(&box, 11, false) == NATLET_E_FULL);
    CHECK_INT(box.cap, FRONT + TX);
    CHECK(natlet__outbox_begin(&box, 10, false) == NATLET_OK);
    send(100); /* more waits than was sent: moving does not pay */
    CHECK(natlet__outbox_begin(&box, 100, false) == NATLET_E_FULL);
    send(TX / 2 - 80);
    CHECK(natlet__outbox_begin(&box, 200, false) == NATLET_OK);
    CHECK_INT(box.start, FRONT);
    tear_down();
}

static void survives_without_memory(void)
{
    set_up(0);
    CHECK(put(0, 100) == NATLET_OK);
    memory.fail_at = memory.requests + 1;
    memory.fails_on = true;
    CHECK(put(0, TX) == NATLET_E_FULL); /* something waits: there will be room */
    send(SIZE_MAX);
    CHECK(put(0, TX + 1) == NATLET_E_NO_MEMORY);
    CHECK(put(0, TX) == NATLET_OK);
    send(SIZE_MAX);
    check_out(0);
    memory.fail_at = 0;
    tear_down();
}

static void control_frames_stand_between(void)
{
    const natlet_slice hello = NATLET_TEXT("hello");

    set_up(4000);
    CHECK(put(0, 10) == NATLET_OK);
    send(3);
    CHECK(!natlet__outbox_put_control(&box, NATLET__WS_PONG, hello)); /* inside of a frame */
    send(SIZE_MAX);
    CHECK(put(0, 200) == NATLET_OK);
    CHECK(natlet__outbox_put_control(&box, NATLET__WS_PONG, hello));
    CHECK(!natlet__outbox_put_control(&box, NATLET__WS_PONG, hello));
    CHECK(put(0, 300) == NATLET_OK);
    send(SIZE_MAX);
    CHECK_INT(out_len, (6 + 10) + (6 + 5) + (8 + 500));
    CHECK(out[16] == 0x8a && out[17] == 0x85 && out[27] == 0x82);
    CHECK((out[22] ^ out[18]) == 'h' && (out[26] ^ out[18]) == 'o');
    tear_down();
}

static void a_control_frame_fits_always(void)
{
    static const uint8_t bytes[NATLET__WS_CONTROL_MAX];
    natlet_slice longest = {bytes, sizeof bytes};

    for (size_t len = 0; len <= TX; len += TX / 4) {
        set_up(4000);
        CHECK(len == 0 || put(0, len) == NATLET_OK);
        CHECK(natlet__outbox_put_control(&box, NATLET__WS_PING, longest));
        CHECK(box.start == 0);
        size_t frame = len > 0 ? natlet__ws_head_bytes(len) + len : 0;
        send(SIZE_MAX);
        CHECK_INT(out_len, NATLET__WS_CONTROL_FRAME_MAX + frame);
        tear_down();
    }
    /* The front stays taken while the buffer makes room behind it. */
    set_up(4000);
    CHECK(put(0, TX - 10) == NATLET_OK);
    CHECK(natlet__outbox_put_control(&box, NATLET__WS_PING, longest));
    CHECK(natlet__outbox_begin(&box, 11, false) == NATLET_E_FULL);
    CHECK(put(0, TX) == NATLET_OK);
    send(NATLET__WS_CONTROL_FRAME_MAX);
    CHECK(out[0] == 0x89 && out[1] == (0x80 | NATLET__WS_CONTROL_MAX));
    out_len = 0;
    send(SIZE_MAX);
    check_out(4000);
    tear_down();
}

static void forgets(void)
{
    set_up(1000);
    CHECK(put(10, 5010) == NATLET_OK);
    send(3);
    natlet__outbox_clear(&box);
    CHECK_INT(natlet__outbox_used(&box), 0);
    CHECK_INT(box.cap, FRONT + TX);
    plain_len = out_len = 0;
    CHECK(put(10, 20) == NATLET_OK); /* without frames again */
    send(SIZE_MAX);
    check_out(0);
    tear_down();
}

/* The server says a new max_payload while operations wait: they still go into frames. */
static void frames_what_waits(void)
{
    set_up(1000);
    CHECK(put(0, 300) == NATLET_OK);
    natlet__outbox_frame(&box, 500);
    CHECK(put(0, 400) == NATLET_OK);
    send(SIZE_MAX);
    check_out(500);
    tear_down();
}

int main(void)
{
    test_host_init(&host, 9);
    CHECK(natlet__random_init(&numbers, &host.host) == NATLET_OK);
    RUN(keeps_order_and_bytes);
    RUN(is_whole_or_not_there);
    RUN(does_not_grow_unasked);
    RUN(survives_without_memory);
    RUN(control_frames_stand_between);
    RUN(a_control_frame_fits_always);
    RUN(forgets);
    RUN(frames_what_waits);
    test_host_free(&host);
    return test_done();
}
