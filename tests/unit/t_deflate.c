/* Goal: a message of permessage-deflate becomes the same bytes however it was cut and
 * however little room there is; what is no stream, ends early or grows too large is
 * refused; nothing needs more memory than was handed over.
 *
 * Method: the examples of RFC 7692, 7.2.3, and messages of our own deflater, in ladders:
 * cut at every byte, byte by byte, into room of one byte; bombs; every truncation; noise. */
#include "ws/deflate.h"

#include "support/test.h"

enum { TEXT_MAX = 70000, ROOM_MAX = 4096 };

static natlet__inflater *inflater;
static uint8_t out[TEXT_MAX + 16];
static size_t out_len;

static void renew(void)
{
    static void *mem;

    free(mem);
    mem = calloc(1, natlet__inflater_bytes()); /* its exact size, for a sanitizer */
    inflater = natlet__inflater_init(mem);
    CHECK(inflater != NULL);
}

/* Reads `in` on, into room of `room` bytes at a time. */
static natlet_status read_on(natlet_slice in, bool is_last, size_t room)
{
    uint8_t *exact = malloc(in.len > 0 ? in.len : 1);
    natlet_slice left = {exact, in.len};
    natlet_status st;
    size_t n;

    if (in.len > 0) {
        memcpy(exact, in.ptr, in.len);
    }
    do {
        size_t cap = sizeof out - out_len < room ? sizeof out - out_len : room;
        uint8_t *piece = malloc(cap);
        st = natlet__inflater_read(inflater, &left, is_last, piece, cap, &n);
        CHECK(n <= cap);
        memcpy(out + out_len, piece, n);
        out_len += n;
        free(piece);
        CHECK(st != NATLET_EVENT || n == cap);
        CHECK(st != NATLET_MORE || (left.len == 0 && !is_last));
    } while (st == NATLET_EVENT && out_len < sizeof out);
    free(exact);
    return st;
}

/* The message, cut in two at `cut`. */
static natlet_status read_cut(natlet_slice in, size_t cut, size_t room, uint64_t bytes_max)
{
    out_len = 0;
    natlet__inflater_start(inflater, bytes_max);
    natlet_status st = cut > 0 ? read_on((natlet_slice){in.ptr, cut}, false, room) : NATLET_MORE;
    return st < 0 ? st : read_on((natlet_slice){in.ptr + cut, in.len - cut}, true, room);
}

static natlet_status read_bytewise(natlet_slice in, size_t room)
{
    natlet_status st = NATLET_MORE;

    out_len = 0;
    natlet__inflater_start(inflater, TEXT_MAX);
    for (size_t i = 0; i < in.len && st >= 0; i++) {
        st = read_on((natlet_slice){in.ptr + i, 1}, i + 1 == in.len, room);
    }
    return in.len > 0 ? st : read_on(in, true, room);
}

static bool is_out(natlet_slice want)
{
    return out_len == want.len && (want.len == 0 || memcmp(out, want.ptr, want.len) == 0);
}

/* Every cut, byte by byte, with room of several sizes. */
static void check_ladder(natlet_slice in, natlet_slice want)
{
    static const size_t rooms[] = {1, 3, 64, ROOM_MAX};

    for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
        for (size_t cut = 0; cut <= in.len; cut++) {
            CHECK(read_cut(in, cut, rooms[r], TEXT_MAX) == NATLET_OK && is_out(want));
        }
        CHECK(read_bytewise(in, rooms[r]) == NATLET_OK && is_out(want));
    }
}

#define INFLATES(bytes, text)                                                                      \
    check_ladder((natlet_slice){(const uint8_t *)(bytes), sizeof(bytes) - 1},                      \
                 (natlet_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define REFUSES(bytes, st)                                                                         \
    CHECK_INT(read_cut((natlet_slice){(const uint8_t *)(bytes), sizeof(bytes) - 1}, 0, ROOM_MAX,   \
                       TEXT_MAX),                                                                  \
              st)

/* RFC 7692, 7.2.3. */
static void examples(void)
{
    renew();
    INFLATES("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    INFLATES("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello");
    INFLATES("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello");
    INFLATES("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello");
    INFLATES("\x00", "");
    INFLATES("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHello");
    INFLATES("\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello"); /* it says that it is the last block */
    REFUSES("\xf2\x00\x11\x00\x00", NATLET_E_FRAME);   /* takes over what was forgotten */
}

static void no_streams(void)
{
    renew();
    REFUSES("", NATLET_E_FRAME); /* an empty message is one byte, 7.2.3.6 */
    REFUSES("\xff", NATLET_E_FRAME);
    REFUSES("\x06", NATLET_E_FRAME); /* block type 3 */
    REFUSES("\xf2", NATLET_E_FRAME);
    REFUSES("\xf2\x48", NATLET_E_FRAME);
    REFUSES("\xf2\x48\xcd\xc9\xc9", NATLET_E_FRAME);
    REFUSES("\x00\x05\x00\xfa\xff\x48\x65", NATLET_E_FRAME); /* our tail is no text */
    REFUSES("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00", NATLET_E_FRAME);
    REFUSES("Hello", NATLET_E_FRAME);
    INFLATES("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello"); /* the next message is none the worse */
}

static const natlet__deflate_shape shapes[] = {{9, 1, 1}, {12, 5, 1}, {12, 5, 6}, {15, 9, 9}};

static natlet__deflater *deflater;

static void renew_deflater(const natlet__deflate_shape *shape)
{
    static void *mem;

    free(mem);
    mem = calloc(1, natlet__deflater_bytes(shape));
    deflater = natlet__deflater_init(mem, shape);
    CHECK(deflater != NULL);
}

static uint8_t text[TEXT_MAX], packed[TEXT_MAX + NATLET__DEFLATE_TAIL];

/* Words that come again: shrinks to about a third. */
static void write_text(size_t len, uint64_t seed)
{
    static const char words[] = "MSG orders.new 17 PUB {\"id\":\"name\"} 0123";

    for (size_t i = 0; i < len; i++) {
        size_t at = test_random(&seed) % (sizeof words - 12);
        for (size_t k = 0; k < 11 && i < len; k++, i++) {
            text[i] = (uint8_t)words[at + k];
        }
        if (i < len) {
            text[i] = (uint8_t)('a' + test_random(&seed) % 26);
        }
    }
}

static void there_and_back(void)
{
    static const size_t lens[] = {1, 2, 16, 64, 65, 125, 126, 1000, 4096, 16384, 65535};

    renew();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        renew_deflater(&shapes[s]);
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
            write_text(lens[i], i);
            size_t len = natlet__deflater_message(deflater, (natlet_slice){text, lens[i]}, packed);
            CHECK(len < lens[i]);
            CHECK(len > 0 || lens[i] < 100);
            if (len > 0) {
                CHECK_INT(read_cut((natlet_slice){packed, len}, len / 2, 1000, TEXT_MAX),
                          NATLET_OK);
                CHECK(is_out((natlet_slice){text, lens[i]}));
            }
        }
    }
}

static void every_cut_of_a_long_one(void)
{
    renew();
    renew_deflater(&shapes[2]);
    write_text(3000, 5);
    size_t len = natlet__deflater_message(deflater, (natlet_slice){text, 3000}, packed);
    CHECK(len > 500);
    check_ladder((natlet_slice){packed, len}, (natlet_slice){text, 3000});
}

/* Each ends as a failure, or as a shorter text that begins the same: a cut between two blocks. */
static void every_truncation(void)
{
    renew();
    renew_deflater(&shapes[2]);
    write_text(3000, 5);
    size_t len = natlet__deflater_message(deflater, (natlet_slice){text, 3000}, packed);
    size_t refused = 0;
    for (size_t end = 1; end < len; end++) {
        natlet_status st = read_cut((natlet_slice){packed, end}, 0, ROOM_MAX, TEXT_MAX);
        refused += st == NATLET_E_FRAME;
        CHECK(st == NATLET_E_FRAME || (st == NATLET_OK && out_len <= 3010));
    }
    CHECK(refused + 3 >= len - 1);
}

static void noise_does_not_shrink(void)
{
    uint64_t seed = 1;

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        renew_deflater(&shapes[s]);
        for (size_t i = 0; i < TEXT_MAX; i++) {
            text[i] = (uint8_t)test_random(&seed);
        }
        CHECK_INT(natlet__deflater_message(deflater, (natlet_slice){text, 65535}, packed), 0);
        CHECK_INT(natlet__deflater_message(deflater, (natlet_slice){text, 64}, packed), 0);
        CHECK_INT(natlet__deflater_message(deflater, (natlet_slice){text, 1}, packed), 0);
        memset(text, 'x', 65535);
        CHECK(natlet__deflater_message(deflater, (natlet_slice){text, 65535}, packed) > 0);
    }
}

/* What our own bits become is refused or ends, and always within the room. */
static void noise_does_not_inflate(void)
{
    uint64_t seed = 7;

    renew();
    for (int i = 0; i < 20000; i++) {
        size_t len = 1 + test_random(&seed) % 60;
        for (size_t k = 0; k < len; k++) {
            text[k] = (uint8_t)test_random(&seed);
        }
        natlet_status st = read_cut((natlet_slice){text, len}, len / 2, 100, 5000);
        CHECK(st == NATLET_OK || st == NATLET_E_FRAME || st == NATLET_E_TOO_LARGE);
        CHECK(out_len <= 5000);
    }
}

/* A message of 1 to 1000 ends at its limit, to the byte. */
static void bombs(void)
{
    renew();
    renew_deflater(&shapes[3]);
    memset(text, 'b', 65535);
    size_t len = natlet__deflater_message(deflater, (natlet_slice){text, 65535}, packed);
    CHECK(len < 100);
    const natlet_slice bomb = {packed, len};
    CHECK_INT(read_cut(bomb, 0, ROOM_MAX, 65535), NATLET_OK);
    CHECK_INT(out_len, 65535);
    CHECK_INT(read_cut(bomb, 0, ROOM_MAX, 65534), NATLET_E_TOO_LARGE);
    CHECK(out_len <= 65534);
    for (uint64_t max = 0; max < 300; max++) {
        CHECK_INT(read_cut(bomb, 0, 64, max), NATLET_E_TOO_LARGE);
        CHECK(out_len <= max);
    }
    CHECK_INT(read_cut((natlet_slice){(const uint8_t *)"\x00", 1}, 0, 64, 0), NATLET_OK);
}

static void memory_is_what_was_said(void)
{
    renew();
    CHECK(natlet__inflater_bytes() <= 43520); /* as natlet/compress.h says */
    for (uint8_t bits = 9; bits <= 15; bits++) {
        for (uint8_t level = 1; level <= 9; level++) {
            const natlet__deflate_shape shape = {bits, level, 6};
            renew_deflater(&shape);
            size_t said = 9216 + ((size_t)4 << bits) + ((size_t)576 << level);
            CHECK(natlet__deflater_bytes(&shape) <= said);
            write_text(20000, bits);
            CHECK(natlet__deflater_message(deflater, (natlet_slice){text, 20000}, packed) > 0);
        }
    }
}

static bool agrees(const char *value)
{
    return natlet__deflate_is_agreed((natlet_slice){(const uint8_t *)value, strlen(value)});
}

static void agreement(void)
{
    CHECK(agrees(NATLET__DEFLATE_OFFER));
    CHECK(agrees("permessage-deflate; server_no_context_takeover"));
    CHECK(agrees("Permessage-Deflate ;\tSERVER_no_context_takeover;client_no_context_takeover"));
    CHECK(agrees("permessage-deflate; server_no_context_takeover; server_max_window_bits=15"));
    CHECK(agrees("permessage-deflate; server_max_window_bits=\"8\"; server_no_context_takeover"));
    static const char *const wrong[] = {
        "",
        "permessage-deflate",
        "permessage-deflate;",
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate; server_no_context_takeover;",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=15",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=08",
        "permessage-deflate; server_no_context_takeover; mode=fast",
        "permessage-deflate; server_no_context_takeover, permessage-deflate",
        "permessage-bzip2; server_no_context_takeover",
        "x-webkit-deflate-frame",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!agrees(wrong[i]));
    }
}

int main(void)
{
    RUN(examples);
    RUN(no_streams);
    RUN(there_and_back);
    RUN(every_cut_of_a_long_one);
    RUN(every_truncation);
    RUN(noise_does_not_shrink);
    RUN(noise_does_not_inflate);
    RUN(bombs);
    RUN(memory_is_what_was_said);
    RUN(agreement);
    return test_done();
}
