/* Goal: however reads and frames cut a stream, every message is shown whole and in
 * order, bytes are moved at most once per joint, and what is said to lie unmoved
 * does.
 *
 * Method: a stream of numbered messages, small ones and some beyond the window,
 * plain and in frames of many sizes, in reads of many sizes.  Each read is kept,
 * to compare what natlet__window_offset claims. */
#include "client/window.h"

#include "proto/parser.h"
#include "support/test.h"
#include "support/test_host.h"

enum { CAP = 1024, MESSAGES = 120, STREAM_MAX = 65536 };

static test_memory memory;
static natlet__memory budget;
static natlet__window w;
static natlet__ws ws;
static natlet__parser parser;

static uint8_t stream[STREAM_MAX * 4]; /* as it is received */
static size_t stream_len, stream_at;
static size_t received;
static uint8_t segment[STREAM_MAX]; /* what the last read brought */
static int next_message;
static uint32_t unmoved; /* messages that were said to be */

static size_t payload_len(int number)
{
    return number % 40 == 39 ? 3000 + (size_t)number : (size_t)(number * 7 % 90);
}

static size_t write_messages(uint8_t *out)
{
    size_t len = 0;

    for (int i = 0; i < MESSAGES; i++) {
        size_t n = payload_len(i);
        len += (size_t)snprintf((char *)out + len, 64, "MSG m.%d 1 %u\r\n", i, (unsigned)n);
        memset(out + len, i, n);
        len += n;
        out[len++] = '\r';
        out[len++] = '\n';
    }
    return len;
}

static void set_up(size_t frame_bytes)
{
    static uint8_t plain[STREAM_MAX];
    size_t len = write_messages(plain);

    test_memory_init(&memory);
    budget = (natlet__memory){.allocator = memory.allocator};
    received = stream_len = stream_at = 0;
    next_message = 0;
    unmoved = 0;
    w = (natlet__window){.memory = &budget};
    CHECK(natlet__window_init(&w, CAP) == NATLET_OK);
    natlet__parser_init(&parser, 1u << 20);
    if (frame_bytes == 0) {
        memcpy(stream, plain, len);
        stream_len = len;
        return;
    }
    natlet__ws_init(&ws, UINT32_MAX);
    natlet__window_frame(&w, &ws);
    for (size_t at = 0; at < len;) {
        size_t n = len - at < frame_bytes ? len - at : frame_bytes;
        stream[stream_len++] = 0x82;
        if (n < 126) {
            stream[stream_len++] = (uint8_t)n;
        } else {
            stream[stream_len++] = 126;
            stream[stream_len++] = (uint8_t)(n >> 8);
            stream[stream_len++] = (uint8_t)n;
        }
        memcpy(stream + stream_len, plain + at, n);
        stream_len += n;
        at += n;
    }
}

static void tear_down(void)
{
    natlet__window_free(&w);
    CHECK_INT(memory.live_blocks, 0);
    CHECK_INT(memory.errors, 0);
}

static void check_message(const natlet__event *ev)
{
    char subject[16];
    uint32_t offset;

    (void)snprintf(subject, sizeof subject, "m.%d", next_message);
    CHECK(ev->msg.subject.len == strlen(subject) &&
          memcmp(ev->msg.subject.ptr, subject, strlen(subject)) == 0);
    CHECK(ev->msg.payload.len == payload_len(next_message));
    for (size_t i = 0; i < ev->msg.payload.len; i++) {
        if (ev->msg.payload.ptr[i] != (uint8_t)next_message) {
            test_fail(__FILE__, __LINE__, "a payload byte is wrong", "");
            break;
        }
    }
    size_t len = ev->msg.payload.len > 0
                     ? (size_t)(ev->msg.payload.ptr + ev->msg.payload.len - ev->msg.subject.ptr)
                     : ev->msg.subject.len;
    if (natlet__window_offset(&w, ev->msg.subject.ptr, len, &offset)) {
        unmoved++;
        CHECK(memcmp(segment + offset, ev->msg.subject.ptr, len) == 0);
    }
    next_message++;
}

static void parse(void)
{
    natlet__event ev;
    natlet_status st;

    for (;;) {
        natlet_slice in = natlet__window_bytes(&w);
        st = natlet__parser_next(&parser, &in, &ev);
        if (st != NATLET_EVENT) {
            break;
        }
        natlet__window_parsed(&w, in.len);
        check_message(&ev);
        if (natlet__window_is_over(&w)) {
            natlet__window_leave(&w);
        }
    }
    CHECK(st == NATLET_MORE);
    CHECK(natlet__window_fit(&w, parser.need) == NATLET_OK);
}

static void use_up(void)
{
    natlet__ws_event ev;

    parse();
    while (natlet__window_has_raw(&w)) {
        natlet_status st = natlet__window_unframe(&w, &ev);
        CHECK(st == NATLET_EVENT || st == NATLET_MORE);
        parse();
    }
}

static void read_one(size_t read_max)
{
    uint32_t cap;
    bool is_empty = w.start == w.end;
    uint8_t *room = natlet__window_room(&w, 4096, &cap);
    size_t n = stream_len - stream_at < cap ? stream_len - stream_at : cap;

    CHECK(room != NULL && cap > 0);
    CHECK(!is_empty || cap == CAP); /* all of it for the next read */
    n = n < read_max ? n : read_max;
    memcpy(room, stream + stream_at, n);
    memcpy(segment, stream + stream_at, n);
    stream_at += n;
    received += n;
    natlet__window_received(&w, (uint32_t)n, 1);
}

static void play(size_t frame_bytes, size_t read_max)
{
    set_up(frame_bytes);
    while (stream_at < stream_len) {
        uint64_t before = w.copied_bytes;
        read_one(read_max);
        use_up();
        /* At most what a message beyond the window had here, or the joints of this read. */
        CHECK(w.copied_bytes - before <= CAP + 2 * read_max);
    }
    CHECK_INT(next_message, MESSAGES);
    CHECK(w.copied_bytes <= received);
    CHECK_INT(w.block_max, payload_len(119) + strlen("MSG m.119 1 3119\r\n\r\n"));
    CHECK_INT(memory.live_blocks, 1); /* blocks were given back */
    tear_down();
}

static void every_cut(void)
{
    static const size_t frames[] = {0, 1, 2, 3, 5, 13, 64, 125, 126, 300, 1000, 5000};

    for (size_t f = 0; f < sizeof frames / sizeof frames[0]; f++) {
        for (size_t read_max = 1; read_max <= 80; read_max++) {
            play(frames[f], read_max);
        }
        play(frames[f], 500);
        play(frames[f], CAP);
        play(frames[f], SIZE_MAX / 4);
    }
}

static void whole_reads_move_little(void)
{
    play(0, SIZE_MAX / 4);
    /* One partial message per read at most, and small messages are small. */
    CHECK(w.copied_bytes < received / 3);
    CHECK(unmoved > MESSAGES * 3 / 4);
    play(5000, SIZE_MAX / 4);
    CHECK(w.copied_bytes < received / 3);
    CHECK(unmoved > MESSAGES * 3 / 4);
}

static void small_frames_cost_linear(void)
{
    play(1, SIZE_MAX / 4);
    CHECK(w.copied_bytes <= received);
}

static void an_unfinished_line_makes_it_grow(void)
{
    uint32_t cap;

    set_up(0);
    uint8_t *room = natlet__window_room(&w, 65536, &cap);
    CHECK_INT(cap, CAP);
    memset(room, 'x', cap);
    natlet__window_received(&w, cap, 1);
    room = natlet__window_room(&w, 65536, &cap);
    CHECK(room != NULL);
    CHECK_INT(cap, 65536 - CAP);
    CHECK_INT(natlet__window_bytes(&w).len, CAP);
    memset(room, 'x', cap);
    natlet__window_received(&w, cap, 2);
    CHECK(natlet__window_room(&w, 65536, &cap) == NULL);
    tear_down();
}

static void a_block_waits_for_its_reader(void)
{
    static const char big[] = "MSG m.39 1 3039\r\n";
    natlet__event ev;

    set_up(0);
    for (stream_len = 0; stream_len < 6000;) { /* two big ones in a row */
        memcpy(stream + stream_len, big, sizeof big);
        stream_len += sizeof big - 1;
        memset(stream + stream_len, 39, 3039);
        stream_len += 3039;
        stream[stream_len++] = '\r';
        stream[stream_len++] = '\n';
    }
    next_message = 39;
    natlet_slice in = natlet__window_bytes(&w);
    do {
        read_one(SIZE_MAX / 4);
        in = natlet__window_bytes(&w);
        if (natlet__parser_next(&parser, &in, &ev) == NATLET_EVENT) {
            break;
        }
        CHECK(natlet__window_fit(&w, parser.need) == NATLET_OK);
    } while (stream_at < stream_len);
    natlet__window_parsed(&w, in.len);
    check_message(&ev);
    /* Held: the bytes stay, whatever ends, and a second block has to wait. */
    CHECK_INT(natlet__window_bytes(&w).len, 0);
    natlet__window_reset(&w);
    CHECK(natlet__window_is_over(&w));
    CHECK(ev.msg.payload.ptr[3038] == 39);
    natlet__window_leave(&w);
    CHECK(!natlet__window_is_over(&w));
    CHECK(natlet__window_fit(&w, 5000) == NATLET_OK);
    CHECK_INT(memory.live_blocks, 2);
    natlet__window_reset(&w);
    natlet__window_leave(&w);
    CHECK_INT(memory.live_blocks, 1);
    tear_down();
}

static void no_memory_for_a_block(void)
{
    set_up(0);
    memory.fail_at = memory.requests + 1;
    CHECK(natlet__window_fit(&w, CAP + 1) == NATLET_E_NO_MEMORY);
    CHECK(natlet__window_fit(&w, CAP) == NATLET_OK);
    tear_down();
}

int main(void)
{
    RUN(every_cut);
    RUN(whole_reads_move_little);
    RUN(small_frames_cost_linear);
    RUN(an_unfinished_line_makes_it_grow);
    RUN(a_block_waits_for_its_reader);
    RUN(no_memory_for_a_block);
    return test_done();
}
