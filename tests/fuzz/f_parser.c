/* Property: the log is the same however the input is cut, and a message is as long as
 * its line says.  Where to cut is drawn from the input itself, so that a find repeats. */
/* covers: src/proto/parser.c */
#include "support/proto_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
    if (!holds) {
        abort();
    }
}

/* `line` is where the message began, `behind` what follows it. */
static void check_msg(const natlet__event *ev, const uint8_t *line, const uint8_t *behind)
{
    const natlet_msg *msg = &ev->msg;
    const uint8_t *body = msg->payload.ptr - msg->headers.len;
    char size[32];
    int digits = snprintf(size, sizeof size, "%lu", (unsigned long)(behind - 2 - body));
    const uint8_t *end = body - 2;

    expect(msg->payload.ptr + msg->payload.len + 2 == behind && memcmp(behind - 2, "\r\n", 2) == 0);
    expect(msg->headers.len == 0 || msg->headers.len >= NATLET_HEADER_BYTES_MIN);
    expect(msg->payload.len <= (size_t)(behind - 2 - body) && msg->headers.ptr == body);
    expect(msg->subject.len > 0 && msg->subject.ptr > line && memcmp(end, "\r\n", 2) == 0);
    while (end[-1] == ' ' || end[-1] == '\t') {
        end--;
    }
    expect(end - digits > line && memcmp(end - digits, size, (size_t)digits) == 0 &&
           end[-digits - 1] <= ' ');
}

static void check_whole(const uint8_t *data, size_t size)
{
    natlet__parser parser;
    natlet__event ev;
    natlet_slice in = {data, size};

    natlet__parser_init(&parser, NATLET_MESSAGE_BYTES_MAX);
    for (const uint8_t *line = in.ptr; natlet__parser_next(&parser, &in, &ev) == NATLET_EVENT;
         line = in.ptr) {
        if (ev.kind == NATLET__EV_MSG) {
            check_msg(&ev, line, in.ptr);
        }
    }
}

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    proto_run whole;
    proto_run cut;
    uint32_t state = (uint32_t)size;

    check_whole(data, size);
    proto_run_start(&whole);
    proto_run_feed(&whole, data, size);
    for (size_t i = 0; i < size; i++) {
        state = (state ^ data[i]) * 16777619u;
    }
    uint32_t longest = 1 + draw(&state) % 64; /* 1: byte by byte */
    proto_run_start(&cut);
    for (size_t at = 0; at < size;) {
        size_t n = 1 + draw(&state) % longest;
        n = size - at < n ? size - at : n;
        proto_run_feed(&cut, data + at, n);
        at += n;
    }
    expect(strcmp(whole.log.text, cut.log.text) == 0);
    expect(whole.parser.failed < 0 || whole.window.len == cut.window.len);
    proto_run_end(&whole);
    proto_run_end(&cut);
    return 0;
}
