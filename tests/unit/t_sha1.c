/* Goal: SHA-1 as in RFC 3174, and right at every length where padding changes.
 *
 * Method: the four vectors of its section 7.3, then every length around one and
 * two blocks, chained: each digest is hashed into a sum that is compared with
 * what another implementation gave. */
#include "ws/sha1.h"

#include "support/test.h"

static void hex_of(char out[2 * NATLET__SHA1_BYTES + 1], const void *bytes, size_t len)
{
    uint8_t digest[NATLET__SHA1_BYTES];

    natlet__sha1(digest, (natlet_slice){bytes, len});
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

static void check(const char *unit, size_t times, const char *want)
{
    size_t len = strlen(unit);
    char got[2 * NATLET__SHA1_BYTES + 1];
    char *text = malloc(len * times + 1);

    for (size_t i = 0; i < len * times; i++) {
        text[i] = unit[i % len];
    }
    hex_of(got, text, len * times);
    CHECK_TEXT(got, want);
    free(text);
}

static void vectors(void)
{
    check("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    check("a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    check("0123456701234567012345670123456701234567012345670123456701234567", 10,
          "dea356a2cddd90c7a7ecedc5ebb563934f460452");
    check("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

static void every_length(void)
{
    uint8_t text[NATLET__SHA1_BYTES + 130] = {0}; /* a sum, then the text */
    char got[2 * NATLET__SHA1_BYTES + 1];

    for (size_t len = 0; len <= 130; len++) {
        uint8_t *exact = malloc(NATLET__SHA1_BYTES + len);
        memcpy(exact, text, NATLET__SHA1_BYTES + len);
        natlet__sha1(text, (natlet_slice){exact, NATLET__SHA1_BYTES + len});
        free(exact);
        text[NATLET__SHA1_BYTES + (len < 130 ? len : 0)] = (uint8_t)len;
    }
    hex_of(got, text, NATLET__SHA1_BYTES);
    CHECK_TEXT(got, "f7f8e72f78a6acf0379b59bf29aab7831894b1f4");
}

int main(void)
{
    RUN(vectors);
    RUN(every_length);
    return test_done();
}
