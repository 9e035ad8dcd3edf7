/* Goal: base32 is written and read right, and only the one text that the writer
 * would make is accepted for any bytes (RFC 4648, 3.5).
 * Method: the RFC's vectors without their padding; every length there and back;
 * every byte that is no digit; then random texts, which are either refused or come
 * back unchanged when written again. */
#include "base/base32.h"
#include "support/test.h"

enum { LEN_MAX = 70, TEXT_MAX = NATLET__BASE32_LEN(LEN_MAX) };

static void check_both_ways(const char *bytes, const char *want)
{
    natlet_slice in = {(const uint8_t *)bytes, strlen(bytes)};
    uint8_t text[TEXT_MAX + 1];
    uint8_t back[LEN_MAX];
    size_t len = natlet__base32_write(text, in);

    text[len] = 0;
    CHECK_TEXT((const char *)text, want);
    CHECK(natlet__base32_read(back, &len, (natlet_slice){text, len}));
    CHECK(len == in.len && memcmp(back, in.ptr, len) == 0);
}

/* RFC 4648, 10. */
static void vectors_of_the_rfc(void)
{
    check_both_ways("", "");
    check_both_ways("f", "MY");
    check_both_ways("fo", "MZXQ");
    check_both_ways("foo", "MZXW6");
    check_both_ways("foob", "MZXW6YQ");
    check_both_ways("fooba", "MZXW6YTB");
    check_both_ways("foobar", "MZXW6YTBOI");
    check_both_ways("\xff\xff\xff\xff\xff\x01", "77777777AE");
}

/* Exact-size blocks, so that a sanitizer sees a byte too many. */
static void every_length_there_and_back(void)
{
    uint64_t seed = 7;

    for (size_t n = 0; n <= LEN_MAX; n++) {
        uint8_t *in = malloc(n + 1);
        uint8_t *text = malloc(NATLET__BASE32_LEN(n) + 1);
        for (size_t i = 0; i < n; i++) {
            in[i] = (uint8_t)test_random(&seed);
        }
        size_t text_len = natlet__base32_write(text, (natlet_slice){in, n});
        CHECK_INT(text_len, NATLET__BASE32_LEN(n));
        uint8_t *back = malloc(n + (n == 0));
        size_t len = 1;
        CHECK(natlet__base32_read(back, &len, (natlet_slice){text, text_len}));
        CHECK(len == n && memcmp(back, in, n) == 0);
        free(back);
        free(text);
        free(in);
    }
}

static bool reads(const char *text)
{
    uint8_t out[64];
    size_t len;

    return natlet__base32_read(out, &len, (natlet_slice){(const uint8_t *)text, strlen(text)});
}

static void what_is_not_canonical_is_refused(void)
{
    static const char *const wrong[] = {"M",       "MZX",      "MZXW6Y",   "MZ",       "MB",
                                        "MZXR",    "MZXW7",    "MZXW6YR",  "MY======", "my",
                                        "MZXW6yQ", "MZXW6YQ ", " MZXW6YQ", "MZXW6Y\n", "M1",
                                        "M0",      "M8",       "M9",       "M=",       "MZXW6YTBO"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(!reads(wrong[i]));
    }
    for (int c = 1; c < 256; c++) {
        const char text[] = {'M', 'Z', 'X', 'W', '6', 'Y', 'T', (char)c, '\0'};
        CHECK_INT(reads(text), (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7'));
    }
}

static void a_text_is_refused_or_canonical(void)
{
    static const char characters[] = "AEIMQUY4567=";
    uint64_t seed = 3;
    int accepted = 0;

    for (int i = 0; i < 20000; i++) {
        uint8_t text[8];
        uint8_t out[5];
        uint8_t again[8];
        size_t len;
        natlet_slice in = {text, test_random(&seed) % 9};
        for (size_t k = 0; k < in.len; k++) {
            text[k] = (uint8_t)characters[test_random(&seed) % (sizeof characters - 1)];
        }
        if (natlet__base32_read(out, &len, in)) {
            size_t again_len = natlet__base32_write(again, (natlet_slice){out, len});
            CHECK(again_len == in.len && memcmp(again, text, in.len) == 0);
            accepted++;
        }
    }
    CHECK(accepted > 1000);
}

int main(void)
{
    RUN(vectors_of_the_rfc);
    RUN(every_length_there_and_back);
    RUN(what_is_not_canonical_is_refused);
    RUN(a_text_is_refused_or_canonical);
    return test_done();
}
