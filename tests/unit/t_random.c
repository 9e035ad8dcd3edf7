/* Goal: the stream is ChaCha20 with the key replaced after each block, and what
 * is drawn from it is uniform and forgotten.
 * Method: with a key of zeros the first output is the second half of RFC 8439,
 * A.1, test vector 1; further output was computed by another program.  Counts
 * of draws lie within bounds that a right program leaves once in 10^9 runs; the
 * seed is fixed, so they are the same on every run. */
#include "base/random.h"
#include "support/test.h"
#include "support/test_host.h"

typedef struct fixed_key {
    natlet_host host;
    uint8_t step; /* 0: all zeros, 1: 00 01 02 ... */
    int32_t answer;
} fixed_key;

static int32_t give_key(void *self, uint8_t *buf, uint32_t len)
{
    const fixed_key *fixed = self;

    for (uint32_t i = 0; i < len; i++) {
        buf[i] = (uint8_t)(i * fixed->step);
    }
    return fixed->answer;
}

static natlet_status seed(natlet__random *r, uint8_t step, int32_t answer)
{
    fixed_key fixed = {.step = step, .answer = answer};

    fixed.host.self = &fixed;
    fixed.host.random = give_key;
    return natlet__random_seed(r, &fixed.host);
}

static void check_stream(uint8_t step, const char *hex)
{
    natlet__random r;
    uint8_t out[64];
    char got[sizeof out * 2 + 1];

    for (size_t cut = 0; cut <= sizeof out; cut++) { /* drawn in two parts, cut anywhere */
        CHECK(seed(&r, step, NATLET_OK) == NATLET_OK);
        natlet__random_bytes(&r, out, cut);
        natlet__random_bytes(&r, out + cut, sizeof out - cut);
        for (size_t i = 0; i < sizeof out; i++) {
            (void)snprintf(got + i * 2, 3, "%02x", out[i]);
        }
        CHECK_TEXT(got, hex);
    }
}

static void stream_is_chacha20_with_key_erasure(void)
{
    check_stream(0, "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
                    "afbdad2845b93cdbb2fe6463d2fe162adae0f6e676f0494218f5ce0596e79f5c");
    check_stream(1, "2b23cce7a26023ab3f0eef693ac87f64258235eab1f7a32dc22762a0485b410c"
                    "2d41a59c90e41a8e7a4dccaa1c46069983b1a333ce25719ec3437768ab57fa42");
}

static bool holds(const void *mem, size_t len, const uint8_t *bytes)
{
    for (size_t at = 0; at + 4 <= len; at++) {
        if (memcmp((const uint8_t *)mem + at, bytes, 4) == 0) {
            return true;
        }
    }
    return false;
}

static void what_was_drawn_is_forgotten(void)
{
    natlet__random r;
    uint8_t out[32];

    seed(&r, 1, NATLET_OK);
    natlet__random_bytes(&r, out, sizeof out);
    for (size_t at = 0; at + 4 <= sizeof out; at++) {
        CHECK(!holds(&r, sizeof r, out + at));
    }
    natlet__random_wipe(&r);
    for (size_t i = 0; i < sizeof r; i++) {
        CHECK(((const uint8_t *)&r)[i] == 0);
    }
}

static void a_refusal_of_the_host_is_handed_on(void)
{
    natlet__random r;

    CHECK_INT(seed(&r, 1, NATLET_E_UNSUPPORTED), NATLET_E_UNSUPPORTED);
    CHECK_INT(seed(&r, 1, NATLET_E_IO), NATLET_E_IO);
}

static void start(natlet__random *r)
{
    test_host t;

    test_host_init(&t, 42);
    CHECK(natlet__random_seed(r, &t.host) == NATLET_OK);
    CHECK_INT(t.calls.random, 1);
    test_host_free(&t);
}

static void below_keeps_its_bound_and_favours_nothing(void)
{
    enum { DRAWS = 2000 };
    natlet__random r;

    start(&r);
    for (uint32_t bound = 0; bound < 20; bound++) {
        uint32_t count[20] = {0};
        for (uint32_t i = 0; i < DRAWS * (bound + 1); i++) {
            uint32_t n = natlet__random_below(&r, bound);
            CHECK(n <= bound);
            count[n % 20]++;
        }
        for (uint32_t n = 0; n <= bound; n++) { /* 6.1 standard deviations of sqrt(2000) */
            CHECK(count[n] > DRAWS - 273 && count[n] < DRAWS + 273);
        }
    }
}

/* 2^32 words on 3 * 2^30 results: without drawing again, the multiples of 3 would
 * come twice as often as the others. */
static void below_has_no_bias_in_large_ranges(void)
{
    enum { DRAWS = 30000 };
    natlet__random r;
    int32_t count[3] = {0};

    start(&r);
    for (int i = 0; i < DRAWS; i++) {
        count[natlet__random_below(&r, 0xbfffffff) % 3]++;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(count[i] > DRAWS / 3 - 500 && count[i] < DRAWS / 3 + 500);
    }
    uint32_t all = 0;
    for (int i = 0; i < 200; i++) {
        all |= natlet__random_below(&r, UINT32_MAX);
    }
    CHECK(all == UINT32_MAX);
}

static void base62_uses_every_character_alike(void)
{
    enum { DRAWS = 62000 };
    static char out[DRAWS + 1];
    natlet__random r;
    int32_t count[256] = {0};
    int32_t used = 0;

    start(&r);
    out[DRAWS] = '#';
    natlet__random_base62(&r, out, DRAWS);
    CHECK(out[DRAWS] == '#');
    for (int i = 0; i < DRAWS; i++) {
        count[(uint8_t)out[i]]++;
    }
    for (int c = 0; c < 256; c++) {
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        CHECK(letter ? count[c] > 800 && count[c] < 1200 : count[c] == 0);
        used += count[c] > 0;
    }
    CHECK_INT(used, 62);
}

int main(void)
{
    RUN(stream_is_chacha20_with_key_erasure);
    RUN(what_was_drawn_is_forgotten);
    RUN(a_refusal_of_the_host_is_handed_on);
    RUN(below_keeps_its_bound_and_favours_nothing);
    RUN(below_has_no_bias_in_large_ranges);
    RUN(base62_uses_every_character_alike);
    return test_done();
}
