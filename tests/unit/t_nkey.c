/* Goal: nkeys mean what the official packages say, a damaged one is never taken for
 * another, and a seed is forgotten when it should be.
 *
 * Method: a seed of every kind with its public key and signature as npm's nkeys made
 * them; every character exchanged for every other one of base32 (a five-bit damage,
 * which the CRC always finds), and left out, and put in; every prefix that there is
 * with a right checksum; the stack below after a seed was read. */
#include "base/base32.h"
#include "base/crc16.h"
#include "natlet/auth.h"
#include "support/auth_texts.h"
#include "support/stack.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static const struct official {
    natlet_nkey_kind kind;
    const char *seed;
    const char *key;
    const char *signature; /* of NONCE; NULL: it does not sign */
} officials[] = {
    {NATLET_NKEY_ACCOUNT, ACCOUNT_SEED, ACCOUNT_KEY, ACCOUNT_SIGNATURE},
    {NATLET_NKEY_USER, USER_SEED, USER_KEY, USER_SIGNATURE},
    {NATLET_NKEY_OPERATOR, OPERATOR_SEED, OPERATOR_KEY, OPERATOR_SIGNATURE},
    {NATLET_NKEY_SERVER, SERVER_SEED, SERVER_KEY, SERVER_SIGNATURE},
    {NATLET_NKEY_CLUSTER, CLUSTER_SEED, CLUSTER_KEY, CLUSTER_SIGNATURE},
    {NATLET_NKEY_CURVE, CURVE_SEED, CURVE_KEY, NULL},
};
enum { OFFICIALS = sizeof officials / sizeof officials[0] };

static natlet_slice text_of(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

/* Reads from an exact-size block; what fails must have changed nothing. */
static natlet_status read_exact(natlet_nkey *out, const char *text, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0));
    natlet_nkey before;

    memset(out, 0x5a, sizeof *out);
    memcpy(&before, out, sizeof before);
    memcpy(exact, text, len);
    natlet_status st = natlet_nkey_read(out, (natlet_slice){exact, len});
    free(exact);
    CHECK(st == NATLET_OK || memcmp(&before, out, sizeof before) == 0);
    return st;
}

static void check_public(const natlet_nkey *key, const char *want)
{
    uint8_t text[NATLET_NKEY_PUBLIC_TEXT];

    natlet_nkey_public(key, text);
    CHECK_INT(strlen(want), sizeof text);
    CHECK(memcmp(text, want, sizeof text) == 0);
}

static void reads_and_writes_every_kind(void)
{
    for (size_t i = 0; i < OFFICIALS; i++) {
        natlet_nkey seed;
        natlet_nkey key;
        CHECK(read_exact(&seed, officials[i].seed, strlen(officials[i].seed)) == NATLET_OK);
        CHECK(seed.is_seed && seed.kind == officials[i].kind);
        check_public(&seed, officials[i].key);
        CHECK(read_exact(&key, officials[i].key, strlen(officials[i].key)) == NATLET_OK);
        CHECK(!key.is_seed && key.kind == officials[i].kind);
        check_public(&key, officials[i].key);
    }
}

static void signs_as_the_official_package(void)
{
    for (size_t i = 0; i < OFFICIALS; i++) {
        natlet_nkey key;
        uint8_t out[NATLET_SIGNATURE_TEXT] = {0};
        CHECK(natlet_nkey_read(&key, text_of(officials[i].seed)) == NATLET_OK);
        natlet_status st = natlet_nkey_sign(&key, text_of(NONCE), out);
        if (officials[i].signature == NULL) {
            CHECK(st == NATLET_E_NKEY_KIND && out[0] == 0);
            continue;
        }
        CHECK(st == NATLET_OK);
        CHECK_INT(strlen(officials[i].signature), sizeof out);
        CHECK(memcmp(out, officials[i].signature, sizeof out) == 0);
    }
}

static void a_public_key_does_not_sign(void)
{
    natlet_nkey key;
    uint8_t out[NATLET_SIGNATURE_TEXT] = {0};

    CHECK(natlet_nkey_read(&key, text_of(USER_KEY)) == NATLET_OK);
    CHECK(natlet_nkey_sign(&key, text_of(NONCE), out) == NATLET_E_NKEY_KIND);
    CHECK(out[0] == 0);
}

/* Another letter: the CRC differs, or tail bits are set that no text has. */
static void check_exchanges(const char *text, size_t len)
{
    char damaged[64];
    natlet_nkey key;

    for (size_t at = 0; at < len; at++) {
        memcpy(damaged, text, len);
        for (size_t i = 0; i < sizeof alphabet - 1; i++) {
            if (alphabet[i] == text[at]) {
                continue;
            }
            damaged[at] = alphabet[i];
            natlet_status st = read_exact(&key, damaged, len);
            CHECK(st == NATLET_E_NKEY_CHECKSUM || (st == NATLET_E_NKEY && at == len - 1));
        }
        for (int c = 0; c < 256; c++) {
            damaged[at] = (char)c;
            CHECK(c == text[at] || (c != 0 && strchr(alphabet, c) != NULL) ||
                  read_exact(&key, damaged, len) == NATLET_E_NKEY);
        }
    }
}

static void check_other_lengths(const char *text, size_t len)
{
    char damaged[64];
    natlet_nkey key;

    for (size_t at = 0; at < len; at++) {
        memcpy(damaged, text, at);
        memcpy(damaged + at, text + at + 1, len - at - 1);
        CHECK(read_exact(&key, damaged, len - 1) == NATLET_E_NKEY);
        CHECK(read_exact(&key, text, at) < 0);
        for (size_t i = 0; i < sizeof alphabet - 1; i++) {
            memcpy(damaged, text, at);
            damaged[at] = alphabet[i];
            memcpy(damaged + at + 1, text + at, len - at);
            CHECK(read_exact(&key, damaged, len + 1) == NATLET_E_NKEY);
        }
    }
}

static void every_damage_is_refused(void)
{
    for (size_t i = 0; i < OFFICIALS; i++) {
        check_exchanges(officials[i].seed, strlen(officials[i].seed));
        check_exchanges(officials[i].key, strlen(officials[i].key));
        check_other_lengths(officials[i].seed, strlen(officials[i].seed));
        check_other_lengths(officials[i].key, strlen(officials[i].key));
    }
}

static natlet_status read_raw(natlet_nkey *key, uint8_t *raw, size_t len)
{
    uint8_t text[NATLET_NKEY_SEED_TEXT];
    uint16_t crc = natlet__crc16((natlet_slice){raw, len - 2});

    raw[len - 2] = (uint8_t)crc;
    raw[len - 1] = (uint8_t)(crc >> 8);
    size_t text_len = natlet__base32_write(text, (natlet_slice){raw, len});
    return natlet_nkey_read(key, (natlet_slice){text, text_len});
}

static int is_one_of(int c, const char *letters)
{
    return c != 0 && strchr(letters, c) != NULL;
}

/* All 2^8 and 2^16 of them, checksums right: six each mean something. */
static void only_prefixes_that_exist_are_read(void)
{
    uint8_t raw[36] = {0};
    natlet_nkey key;
    int accepted = 0;

    for (int prefix = 0; prefix < 0x100; prefix++) {
        raw[0] = (uint8_t)prefix;
        natlet_status st = read_raw(&key, raw, 35);
        int exists = prefix % 8 == 0 && is_one_of('A' + prefix / 8, "ACNOUX");
        CHECK(st == (exists ? NATLET_OK : NATLET_E_NKEY));
        accepted +=
            st == NATLET_OK && !key.is_seed && key.kind == (natlet_nkey_kind)('A' + prefix / 8);
    }
    CHECK_INT(accepted, 6);
    for (int prefix = 0; prefix < 0x10000; prefix++) {
        raw[0] = (uint8_t)(prefix >> 8);
        raw[1] = (uint8_t)prefix;
        natlet_status st = read_raw(&key, raw, 36);
        int kind = 'A' + (prefix >> 6 & 31);
        int exists = prefix >> 11 == 18 && prefix % 64 == 0 && is_one_of(kind, "ACNOUX");
        CHECK(st == (exists ? NATLET_OK : NATLET_E_NKEY));
        accepted += st == NATLET_OK && key.is_seed && key.kind == (natlet_nkey_kind)kind;
    }
    CHECK_INT(accepted, 12);
}

static void other_texts_are_refused(void)
{
    static const char *const wrong[] = {
        "",
        "S",
        "SUA",
        "UA",
        " " USER_SEED,
        USER_SEED "\n",
        USER_SEED USER_SEED,
        "sualxyaffjhxjgn64mec2utxttA6MCZQKV5J7RHJBYZVQ7NCY7WBCNQSQU",
    };
    natlet_nkey key;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(read_exact(&key, wrong[i], strlen(wrong[i])) == NATLET_E_NKEY);
    }
}

static void wipe_leaves_no_byte(void)
{
    static const uint8_t zero[sizeof(natlet_nkey)];
    natlet_nkey key;

    CHECK(natlet_nkey_read(&key, text_of(USER_SEED)) == NATLET_OK);
    natlet_nkey_wipe(&key);
    CHECK(memcmp(&key, zero, sizeof key) == 0);
}

#ifdef STACK_IS_VISIBLE
static void a_seed_stays_only_where_it_was_asked_for(void)
{
    static natlet_nkey key;
    static uint8_t out[NATLET_SIGNATURE_TEXT];
    char damaged[] = USER_SEED;

    stack_paint();
    CHECK(natlet_nkey_read(&key, text_of(USER_SEED)) == NATLET_OK);
    CHECK(!stack_finds(key.key, 8) && !stack_finds(key.key + 24, 8));
    CHECK(natlet_nkey_sign(&key, text_of(NONCE), out) == NATLET_OK);
    CHECK(!stack_finds(key.key, 8) && !stack_finds(key.key + 24, 8));
    natlet_nkey_public(&key, out);
    CHECK(!stack_finds(key.key, 8) && !stack_finds(key.key + 24, 8));

    stack_paint();
    damaged[sizeof damaged - 3] = 'A'; /* decoded, then refused */
    natlet_nkey other;
    CHECK(natlet_nkey_read(&other, text_of(damaged)) == NATLET_E_NKEY_CHECKSUM);
    CHECK(!stack_finds(key.key, 8) && !stack_finds(key.key + 20, 8));
}
#endif

int main(void)
{
    RUN(reads_and_writes_every_kind);
    RUN(signs_as_the_official_package);
    RUN(a_public_key_does_not_sign);
    RUN(every_damage_is_refused);
    RUN(only_prefixes_that_exist_are_read);
    RUN(other_texts_are_refused);
    RUN(wipe_leaves_no_byte);
#ifdef STACK_IS_VISIBLE
    RUN(a_seed_stays_only_where_it_was_asked_for);
#endif
    return test_done();
}
