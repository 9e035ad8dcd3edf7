/* Goal: SHA-512 as in FIPS 180-4, and right at every length where padding changes.
 *
 * Method: NIST's example messages, the longest of them a million letters; then every
 * length around one and two blocks, chained: each digest is hashed into the next
 * text, and the last one is compared with what another implementation gave. */
#include "crypto/sha512.h"

#include "support/hex.h"

static void check(const char *unit, size_t times, const char *want)
{
    size_t len = strlen(unit);
    uint8_t digest[NATLET__SHA512_BYTES];
    char got[2 * NATLET__SHA512_BYTES + 1];
    uint8_t *text = malloc(len * times + 1);

    for (size_t i = 0; i < len * times; i++) {
        text[i] = (uint8_t)unit[i % len];
    }
    natlet__sha512(digest, (natlet_slice){text, len * times});
    hex_write(got, digest, sizeof digest);
    CHECK_TEXT(got, want);
    free(text);
}

static void vectors(void)
{
    check("", 0,
          "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
          "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
    check("abc", 1,
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          1,
          "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
          "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
    check("a", 1000000,
          "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
          "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

static void every_length(void)
{
    enum { MAX = 260 };
    uint8_t text[NATLET__SHA512_BYTES + MAX] = {0}; /* a sum, then the text */
    uint8_t digest[NATLET__SHA512_BYTES];
    char got[2 * NATLET__SHA512_BYTES + 1];

    for (size_t len = 0; len <= MAX; len++) {
        uint8_t *exact = malloc(NATLET__SHA512_BYTES + len);
        memcpy(exact, text, NATLET__SHA512_BYTES + len);
        natlet__sha512(text, (natlet_slice){exact, NATLET__SHA512_BYTES + len});
        free(exact);
        text[NATLET__SHA512_BYTES + (len < MAX ? len : 0)] = (uint8_t)len;
    }
    natlet__sha512(digest, (natlet_slice){text, NATLET__SHA512_BYTES});
    hex_write(got, digest, sizeof digest);
    CHECK_TEXT(got, "ecff749c4ab563085f9251be2e2022c7fd8a058f7eba2796f8eafc48e949b06b"
                    "b297ab3f1e8381432accd70bdc54bdd8c9e0f2747dc1e7cf020a30db519b6f09");
}

int main(void)
{
    RUN(vectors);
    RUN(every_length);
    return test_done();
}
