/* Goal: both alphabets are written and read right, and only the one text that
 * the writer would make is accepted for any bytes (RFC 4648, 3.5).
 * Method: the RFC's vectors; every length there and back; then random texts,
 * which are either refused or come back unchanged when written again. */
#include "base/base64.h"
#include "support/test.h"

enum { LEN_MAX = 70, TEXT_MAX = NATLET__BASE64_BYTES(LEN_MAX) };

static void check_both_ways(const char *bytes, const char *standard, const char *url)
{
    natlet_slice in = {(const uint8_t *)bytes, strlen(bytes)};
    const char *const want[] = {standard, url};

    for (int kind = 0; kind < 2; kind++) {
        uint8_t text[TEXT_MAX + 1];
        uint8_t back[TEXT_MAX];
        size_t len = natlet__base64_write(text, in, (natlet__base64_kind)kind);
        text[len] = 0;
        CHECK_TEXT((const char *)text, want[kind]);
        CHECK(
            natlet__base64_read(back, &len, (natlet_slice){text, len}, (natlet__base64_kind)kind));
        CHECK(len == in.len && memcmp(back, in.ptr, len) == 0);
    }
}

/* RFC 4648, 10; and bytes that use the two characters in which the alphabets differ. */
static void vectors_of_the_rfc(void)
{
    check_both_ways("", "", "");
    check_both_ways("f", "Zg==", "Zg");
    check_both_ways("fo", "Zm8=", "Zm8");
    check_both_ways("foo", "Zm9v", "Zm9v");
    check_both_ways("foob", "Zm9vYg==", "Zm9vYg");
    check_both_ways("fooba", "Zm9vYmE=", "Zm9vYmE");
    check_both_ways("foobar", "Zm9vYmFy", "Zm9vYmFy");
    check_both_ways("\xfb\xff\xbe", "+/++", "-_--");
}

/* Exact-size blocks, so that a sanitizer sees a byte too many. */
static void every_length_there_and_back(void)
{
    uint64_t seed = 7;

    for (size_t n = 0; n <= LEN_MAX; n++) {
        for (int kind = 0; kind < 2; kind++) {
            uint8_t *in = malloc(n + 1);
            uint8_t *text = malloc(NATLET__BASE64_BYTES(n) + 1);
            for (size_t i = 0; i < n; i++) {
                in[i] = (uint8_t)test_random(&seed);
            }
            size_t text_len =
                natlet__base64_write(text, (natlet_slice){in, n}, (natlet__base64_kind)kind);
            CHECK(text_len <= NATLET__BASE64_BYTES(n));
            CHECK(kind != NATLET__BASE64 || text_len == NATLET__BASE64_BYTES(n));
            uint8_t *back = malloc(text_len / 4 * 3 + 2);
            size_t len = 0;
            CHECK(natlet__base64_read(back, &len, (natlet_slice){text, text_len},
                                      (natlet__base64_kind)kind));
            CHECK(len == n && memcmp(back, in, n) == 0);
            free(back);
            free(text);
            free(in);
        }
    }
}

static bool reads(const char *text, natlet__base64_kind kind)
{
    uint8_t out[64];
    size_t len;

    return natlet__base64_read(out, &len, (natlet_slice){(const uint8_t *)text, strlen(text)},
                               kind);
}

static void what_is_not_canonical_is_refused(void)
{
    static const char *const wrong[] = {"Z",        "Zg",    "Zg=",      "Zg===",    "=",
                                        "====",     "Zm8",   "Zm8==",    "Zm9v====", "Zm=v",
                                        "Zg==Zg==", "Zh==",  "Zm9=",     "Z===",     "-_--",
                                        "Zm9v\n",   " Zm9v", "Zm9vYg=a", "Zm 9"};
    static const char *const wrong_url[] = {"Z",   "Zg==", "Zm8=",  "Zh",     "Zm9",
                                            "+/+", "+/++", "Zm9vY", "Zm\x80v"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(!reads(wrong[i], NATLET__BASE64));
    }
    for (size_t i = 0; i < sizeof wrong_url / sizeof wrong_url[0]; i++) {
        CHECK(!reads(wrong_url[i], NATLET__BASE64_URL));
    }
}

static void a_text_is_refused_or_canonical(void)
{
    static const char characters[] = "AQgwZz09+/-_=";
    uint64_t seed = 3;
    int accepted = 0;

    for (int i = 0; i < 20000; i++) {
        uint8_t text[8];
        uint8_t out[16];
        uint8_t again[16];
        size_t len;
        natlet_slice in = {text, test_random(&seed) % 9};
        natlet__base64_kind kind = (natlet__base64_kind)(i % 2);
        for (size_t k = 0; k < in.len; k++) {
            text[k] = (uint8_t)characters[test_random(&seed) % (sizeof characters - 1)];
        }
        if (natlet__base64_read(out, &len, in, kind)) {
            size_t again_len = natlet__base64_write(again, (natlet_slice){out, len}, kind);
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
