/* Goal: masking is exact at every alignment and length and touches nothing else;
 * what the writers make is what a server reads.
 *
 * Method: each run of bytes is masked one byte at a time by the formula of
 * RFC 6455, 5.3, and compared; frames are read back by a small server. */
#include "support/test.h"
#include "ws/frame.h"

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

enum { GUARD = 16, LEN_MAX = 70 };

static void check_mask(size_t offset, size_t len)
{
    uint64_t block[(2 * GUARD + 16 + LEN_MAX + 7) / 8]; /* so that `offset` is the alignment */
    uint8_t *bytes = (uint8_t *)block + GUARD + offset;
    bool is_right = true;

    memset(block, 0x5a, sizeof block);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    natlet__ws_mask(bytes, len, key);
    for (size_t i = 0; i < len; i++) {
        is_right = is_right && bytes[i] == ((uint8_t)(i * 7) ^ key[i % 4]);
    }
    for (size_t i = 1; i <= GUARD; i++) {
        is_right = is_right && bytes[-(ptrdiff_t)i] == 0x5a && bytes[len + i - 1] == 0x5a;
    }
    CHECK(is_right);
}

static void every_alignment(void)
{
    for (size_t offset = 0; offset < 16; offset++) {
        for (size_t len = 0; len <= LEN_MAX; len++) {
            check_mask(offset, len);
        }
    }
}

/* RFC 6455, 5.7: a single-frame masked text message, "Hello". */
static void rfc_example(void)
{
    uint8_t frame[NATLET__WS_HEAD_MAX + 5];
    natlet_slice hello = NATLET_TEXT("Hello");
    size_t head = natlet__ws_write_head(frame, NATLET__WS_TEXT, hello.len, key);

    CHECK_INT(head, 6);
    memcpy(frame + head, hello.ptr, hello.len);
    natlet__ws_mask(frame + head, 5, key);
    CHECK_SLICE(((natlet_slice){frame, head + 5}), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

static void check_head(uint64_t len, size_t want_bytes, const char *want)
{
    uint8_t head[NATLET__WS_HEAD_MAX + 1];

    memset(head, 0xee, sizeof head);
    CHECK_INT(natlet__ws_head_bytes(len), want_bytes);
    CHECK_INT(natlet__ws_write_head(head, NATLET__WS_BINARY, len, key), want_bytes);
    CHECK(memcmp(head, want, want_bytes - 4) == 0);
    CHECK(memcmp(head + want_bytes - 4, key, 4) == 0);
    CHECK_INT(head[want_bytes], 0xee);
}

static void heads(void)
{
    check_head(0, 6, "\x82\x80");
    check_head(125, 6, "\x82\xfd");
    check_head(126, 8, "\x82\xfe\x00\x7e");
    check_head(65535, 8, "\x82\xfe\xff\xff");
    check_head(65536, 14, "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00");
    check_head(0x123456789a, 14, "\x82\xff\x00\x00\x00\x12\x34\x56\x78\x9a");
    check_head(INT64_MAX, 14, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff");
}

/* Unmasks a short frame in place; its payload. */
static natlet_slice payload_of(uint8_t *frame, size_t len, uint8_t first)
{
    CHECK(len >= 6);
    CHECK_INT(frame[0], first);
    CHECK_INT(frame[1], 0x80 | (len - 6));
    CHECK(memcmp(frame + 2, key, 4) == 0);
    for (size_t i = 6; i < len; i++) {
        frame[i] ^= key[(i - 6) % 4];
    }
    return (natlet_slice){frame + 6, len - 6};
}

static void control_frames(void)
{
    uint8_t frame[NATLET__WS_CONTROL_FRAME_MAX];
    uint8_t longest[NATLET__WS_CONTROL_MAX];
    natlet_slice ping = NATLET_TEXT("are you there");
    size_t len = natlet__ws_write_control(frame, NATLET__WS_PONG, ping, key);
    natlet_slice payload = payload_of(frame, len, 0x8a);
    CHECK_SLICE(payload, "are you there");
    len = natlet__ws_write_control(frame, NATLET__WS_PING, (natlet_slice){0}, key);
    payload = payload_of(frame, len, 0x89);
    CHECK_SLICE(payload, "");
    memset(longest, 'x', sizeof longest);
    len = natlet__ws_write_control(frame, NATLET__WS_PING, (natlet_slice){longest, sizeof longest},
                                   key);
    CHECK_INT(len, sizeof frame);
    CHECK(memcmp(payload_of(frame, len, 0x89).ptr, longest, sizeof longest) == 0);
}

static void close_frames(void)
{
    uint8_t frame[NATLET__WS_CONTROL_FRAME_MAX];
    uint8_t reason[200];
    natlet_slice why = NATLET_TEXT("stop");
    size_t len = natlet__ws_write_close(frame, 1000, why, key);
    natlet_slice payload = payload_of(frame, len, 0x88);
    CHECK_SLICE(payload, "\x03\xe8stop");
    len = natlet__ws_write_close(frame, 1002, (natlet_slice){0}, key);
    payload = payload_of(frame, len, 0x88);
    CHECK_SLICE(payload, "\x03\xea");
    len = natlet__ws_write_close(frame, 1005, why, key);
    payload = payload_of(frame, len, 0x88);
    CHECK_SLICE(payload, "");

    /* 61 times two bytes fit into the 123 that are left, half a character does not. */
    for (size_t i = 0; i < sizeof reason; i++) {
        reason[i] = i % 2 == 0 ? 0xc3 : 0xa4;
    }
    len = natlet__ws_write_close(frame, 1001, (natlet_slice){reason, 199}, key);
    CHECK_INT(payload_of(frame, len, 0x88).len, 2 + 122);
}

int main(void)
{
    RUN(every_alignment);
    RUN(rfc_example);
    RUN(heads);
    RUN(control_frames);
    RUN(close_frames);
    return test_done();
}
