/* Goal: exactly the sequences of RFC 3629 are valid.
 * Method: every code point is encoded and must pass; every short sequence of
 * bytes around the borders is decoded by arithmetic, and must pass exactly if it
 * stands for a code point whose encoding it is. */
#include "base/utf8.h"
#include "support/test.h"

static size_t encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)(0xf00u >> len | code);
    return len;
}

static bool is_scalar(uint32_t code)
{
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static bool valid(const uint8_t *bytes, size_t len)
{
    return natlet__utf8_valid((natlet_slice){bytes, len});
}

static void every_code_point(void)
{
    uint32_t wrong = 0;

    for (uint32_t code = 0; code <= 0x110fff; code++) {
        uint8_t bytes[4];
        size_t len = encode(code, bytes);
        wrong += valid(bytes, len) != is_scalar(code);
        wrong += len > 1 && valid(bytes, len - 1); /* cut */
    }
    CHECK_INT(wrong, 0);
}

/* Whether the bytes are one character, by decoding and encoding again. */
static bool is_character(const uint8_t *bytes, size_t len)
{
    uint8_t again[4];
    uint32_t code = len == 1 ? bytes[0] : bytes[0] & (0x7fu >> len);

    for (size_t i = 1; i < len; i++) {
        code = code << 6 | (bytes[i] & 0x3f);
    }
    return is_scalar(code) && encode(code, again) == len && memcmp(again, bytes, len) == 0;
}

/* Characters one after the other; the border bytes make up to four of them. */
static bool is_text(const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t n = 1;
        while (n <= len && n <= 4 && !is_character(bytes, n)) {
            n++;
        }
        if (n > len || n > 4) {
            return false;
        }
        bytes += n;
        len -= n;
    }
    return true;
}

static void every_sequence_around_the_borders(void)
{
    static const uint8_t border[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                     0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf4, 0xff};
    enum { N = sizeof border };
    uint32_t wrong = 0;

    for (uint32_t first = 0; first < 256; first++) {
        for (uint32_t i = 0; i < N * N * N; i++) {
            const uint8_t bytes[4] = {(uint8_t)first, border[i % N], border[i / N % N],
                                      border[i / N / N]};
            wrong += valid(bytes, 4) != is_text(bytes, 4);
            wrong += valid(bytes, 3) != is_text(bytes, 3);
            wrong += valid(bytes, 2) != is_text(bytes, 2);
        }
    }
    CHECK_INT(wrong, 0);
}

/* A wrong byte is found wherever it stands, also behind ASCII read in words. */
static void at_every_place(void)
{
    for (size_t len = 0; len <= 40; len++) {
        uint8_t *bytes = malloc(len + 1);
        memset(bytes, 'a', len + 1);
        CHECK(valid(bytes, len));
        for (size_t at = 0; at < len; at++) {
            bytes[at] = 0x80;
            CHECK(!valid(bytes, len));
            bytes[at] = 0xc3; /* valid only with its second byte */
            CHECK(!valid(bytes, len));
            bytes[at + 1] = 0xa4;
            CHECK(valid(bytes, len) == (at + 1 < len));
            bytes[at] = 'a';
            bytes[at + 1] = 'a';
        }
        free(bytes);
    }
    CHECK(natlet__utf8_valid((natlet_slice){NULL, 0}));
}

static void cut_never_cuts_a_character(void)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1 2 3 4 1 bytes */
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    natlet_slice whole = {(const uint8_t *)text, sizeof text - 1};

    for (size_t max = 0; max < sizeof want / sizeof want[0]; max++) {
        CHECK_INT(natlet__utf8_cut(whole, max), want[max]);
    }
    CHECK_INT(natlet__utf8_cut((natlet_slice){NULL, 0}, 3), 0);
    natlet_slice junk = NATLET_TEXT("\x80\x80\x80\x80\x80\x80");
    CHECK_INT(natlet__utf8_cut(junk, 5), 5);
}

int main(void)
{
    RUN(every_code_point);
    RUN(every_sequence_around_the_borders);
    RUN(at_every_place);
    RUN(cut_never_cuts_a_character);
    return test_done();
}
