/* covers: src/ws/frame.c */
/* Properties: the events of a run of frames are the same for every cut; they are
 * what a slow reader of the whole says; payload that is skipped counts as payload
 * that is read; what we write is masked as RFC 6455, 5.3 says and can be read.
 * The first two bytes say where to cut. */
#include "ws/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Longer inputs are slow and show nothing new. */
enum { MESSAGE_MAX = 300, INPUT_MAX = 600 };

typedef struct digest {
    natlet__ws ws;
    uint64_t sum;
    uint64_t data_bytes;
} digest;

static void add(digest *d, uint64_t value)
{
    d->sum = (d->sum ^ value) * 1099511628211u;
}

static void add_event(digest *d, const natlet__ws_event *ev)
{
    if (ev->kind == NATLET__WS_EV_DATA) {
        if (ev->bytes.len == 0) {
            abort();
        }
        d->data_bytes += ev->bytes.len;
    } else {
        add(d, 1000 + (uint64_t)ev->kind);
        add(d, d->data_bytes);
        add(d, ev->code);
    }
    for (size_t i = 0; i < ev->bytes.len; i++) {
        add(d, ev->bytes.ptr[i]);
    }
}

/* Feeds a copy of its exact size, so that a sanitizer sees what lies behind it. */
static void feed(digest *d, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    natlet_slice in = {exact, len};
    natlet__ws_event ev = {0}; /* code is said with CLOSE only */
    natlet_status st;

    if (len > 0) {
        memcpy(exact, bytes, len);
    }
    while ((st = natlet__ws_next(&d->ws, &in, &ev)) == NATLET_EVENT) {
        add_event(d, &ev);
        if (d->ws.payload_left > MESSAGE_MAX) {
            abort();
        }
    }
    if ((st < 0) != (d->ws.failed < 0) || (st < 0) != (d->ws.close_code != 0) ||
        (st == NATLET_MORE && in.len > 0)) {
        abort();
    }
    free(exact);
}

static uint64_t finish(const digest *d)
{
    return d->sum ^ (uint64_t)d->ws.failed << 32 ^ d->ws.close_code;
}

/* Pieces of `step` bytes after a first one of `cut`. */
static uint64_t sum_of(const uint8_t *bytes, size_t len, size_t cut, size_t step)
{
    digest d = {.sum = 14695981039346656037u};

    natlet__ws_init(&d.ws, MESSAGE_MAX);
    feed(&d, bytes, cut);
    for (size_t at = cut; at < len; at += step) {
        feed(&d, bytes + at, len - at < step ? len - at : step);
    }
    return finish(&d);
}

static bool is_bad_start(const uint8_t *b, bool in_message)
{
    unsigned op = b[0] & 15u;

    if ((b[0] & 0x70) != 0 || b[1] > 127 || op > 10 || (op > 2 && op < 8)) {
        return true;
    }
    return op >= 8 ? b[0] < 0x80 || b[1] > 125 : (op == 0) != in_message;
}

static unsigned close_verdict(const uint8_t *b, size_t len)
{
    if (len == 1 || (len > 1 && !natlet__ws_close_code_valid((uint32_t)(b[0] << 8 | b[1])))) {
        return 1002;
    }
    return len > 2 && !natlet__utf8_valid((natlet_slice){b + 2, len - 2}) ? 1007 : 0;
}

/* The close code that a run of frames deserves, 0 for none, and its data. */
static unsigned slow_verdict(const uint8_t *b, size_t len, uint64_t *data_bytes)
{
    uint64_t total = 0;
    unsigned empty = 0;
    bool in_message = false;

    while (len >= 2) {
        unsigned op = b[0] & 15u;
        size_t head = b[1] == 127 ? 10 : b[1] == 126 ? 4 : 2;
        uint64_t n = head == 2 ? b[1] : 0;
        if (is_bad_start(b, in_message) || op == NATLET__WS_TEXT) {
            return is_bad_start(b, in_message) ? 1002 : 1003;
        }
        if (len < head) {
            return 0;
        }
        for (size_t i = 2; i < head; i++) {
            n = n * 256 + b[i];
        }
        if ((head == 4 && n < 126) || (head == 10 && (n < 65536 || n >> 63 != 0))) {
            return 1002;
        }
        total = op == NATLET__WS_BINARY ? 0 : total;
        empty = op == NATLET__WS_BINARY ? 0 : empty;
        if (op < 8) {
            if (n + total > MESSAGE_MAX) {
                return 1009;
            }
            total += n;
            in_message = b[0] < 0x80;
            *data_bytes += n < len - head ? n : len - head;
            empty += n == 0 && in_message ? 1 : 0;
            if (empty > NATLET__WS_EMPTY_FRAMES_MAX) {
                return 1008;
            }
        }
        if (n > len - head) {
            return 0;
        }
        if (op == NATLET__WS_CLOSE) {
            return close_verdict(b + head, (size_t)n);
        }
        b += head + n;
        len -= head + (size_t)n;
    }
    return 0;
}

static void check_verdict(const uint8_t *bytes, size_t len)
{
    digest d = {.sum = 0};
    uint64_t data_bytes = 0;

    natlet__ws_init(&d.ws, MESSAGE_MAX);
    feed(&d, bytes, len);
    if (d.ws.close_code != slow_verdict(bytes, len, &data_bytes) || d.data_bytes != data_bytes) {
        abort();
    }
}

/* A head of ours but for its mask bit and key is a server's head. */
static void check_writing(const uint8_t *bytes, size_t len)
{
    static const uint8_t key[4] = {1, 0x80, 0xff, 0x33};
    uint8_t *frame = malloc(NATLET__WS_HEAD_MAX + len);
    size_t head = natlet__ws_write_head(frame, NATLET__WS_BINARY, len, key);
    digest d = {.sum = 0};

    memcpy(frame + head, bytes, len);
    natlet__ws_mask(frame + head, len, key);
    for (size_t i = 0; i < len; i++) {
        if ((frame[head + i] ^ key[i % 4]) != bytes[i]) {
            abort();
        }
    }
    natlet__ws_init(&d.ws, len);
    frame[1] &= 0x7f;
    feed(&d, frame, head - 4);
    feed(&d, bytes, len);
    if (d.data_bytes != len || d.ws.failed < 0 || d.ws.payload_left != 0) {
        abort();
    }
    free(frame);
}

/* Ping and close carry what they were given, cut to what fits. */
static void check_control(const uint8_t *bytes, size_t len)
{
    static const uint8_t no_mask[4] = {0};
    uint8_t frame[NATLET__WS_CONTROL_FRAME_MAX];
    size_t fits = len < NATLET__WS_CONTROL_MAX ? len : NATLET__WS_CONTROL_MAX;
    size_t wrote =
        natlet__ws_write_control(frame, NATLET__WS_PING, (natlet_slice){bytes, fits}, no_mask);

    if (wrote != 6 + fits || memcmp(frame + 6, bytes, fits) != 0) {
        abort();
    }
    wrote = natlet__ws_write_close(frame, 1002, (natlet_slice){bytes, len}, no_mask);
    if (wrote < 8 || wrote > sizeof frame || memcmp(frame + 8, bytes, wrote - 8) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    const uint8_t *bytes = data + 2;
    size_t len = size - 2 < INPUT_MAX ? size - 2 : INPUT_MAX;
    uint64_t whole = sum_of(bytes, len, len, 1);

    if (sum_of(bytes, len, data[0] % (len + 1), (size_t)data[1] + 1) != whole ||
        sum_of(bytes, len, 0, 1) != whole) {
        abort();
    }
    check_verdict(bytes, len);
    check_writing(bytes, len);
    check_control(bytes, len);
    return 0;
}
