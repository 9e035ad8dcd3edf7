/* Goal: what is drawn is what the host gave, each byte once; it is uniform and
 * forgotten; and nothing is drawn from a host that has failed.
 * Method: a host that counts, so that every byte tells where it came from.  Counts
 * of draws lie within bounds that a right program leaves once in 10^9 runs; the
 * seed is fixed, so they are the same on every run. */
#include "base/random.h"
#include "support/test.h"
#include "support/test_host.h"

#ifndef __wasm__
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { POOL = NATLET__RANDOM_POOL, ALL = 65536 };

typedef struct counting {
    natlet_host host;
    uint32_t given;
    uint32_t calls;
    int32_t answer;
} counting;

/* The n-th byte of all; that and the next three occur nowhere else in ALL of them. */
static uint8_t nth(uint32_t n)
{
    return (uint8_t)(n % 2 == 0 ? n / 2 : n / 2 >> 8 ^ n / 2 * 37);
}

static int32_t give_count(void *self, uint8_t *buf, uint32_t len)
{
    counting *c = self;

    for (uint32_t i = 0; i < len; i++) {
        buf[i] = nth(c->given++);
    }
    c->calls++;
    return c->answer;
}

static natlet_status open_pool(natlet__random *r, counting *c, int32_t answer)
{
    *c = (counting){.answer = answer};
    c->host.self = c;
    c->host.random = give_count;
    return natlet__random_init(r, &c->host);
}

/* Each pool is used up from its end. */
static uint8_t drawn(uint32_t n)
{
    return nth(n / POOL * POOL + (POOL - 1 - n % POOL));
}

static void each_byte_of_the_host_is_drawn_once(void)
{
    natlet__random r;
    counting c;
    uint8_t out[3 * POOL];

    for (size_t cut = 0; cut <= sizeof out; cut++) { /* drawn in two parts, cut anywhere */
        CHECK(open_pool(&r, &c, NATLET_OK) == NATLET_OK);
        CHECK_INT(c.calls, 1);
        natlet__random_bytes(&r, out, cut);
        natlet__random_bytes(&r, out + cut, sizeof out - cut);
        CHECK_INT(c.calls, 3); /* not before it is needed */
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < sizeof out; i++) {
            wrong += out[i] != drawn(i);
        }
        CHECK_INT(wrong, 0);
    }
    natlet__random_bytes(&r, out, 1);
    CHECK_INT(c.calls, 4);
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
    counting c;
    uint8_t out[POOL / 2];

    open_pool(&r, &c, NATLET_OK);
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
    counting c;

    CHECK_INT(open_pool(&r, &c, NATLET_E_UNSUPPORTED), NATLET_E_UNSUPPORTED);
    CHECK_INT(open_pool(&r, &c, NATLET_E_IO), NATLET_E_IO);
}

#ifndef __wasm__
/* Whether a process of its own traps when it draws `bytes` from a host that now fails. */
static bool draw_traps(size_t bytes)
{
    static uint8_t out[POOL + 1];
    natlet__random r;
    counting c;
    int status = 0;

    open_pool(&r, &c, NATLET_OK);
    c.answer = NATLET_E_IO;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        natlet__random_bytes(&r, out, bytes);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void a_host_that_fails_later_is_a_trap(void)
{
    CHECK(!draw_traps(POOL)); /* what it gave before is good */
    CHECK(draw_traps(POOL + 1));
}
#endif

static test_host host;

static void start(natlet__random *r)
{
    test_host_init(&host, 42);
    CHECK(natlet__random_init(r, &host.host) == NATLET_OK);
    CHECK_INT(host.calls.random, 1);
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
    test_host_free(&host);
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
    test_host_free(&host);
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
    test_host_free(&host);
}

int main(void)
{
    RUN(each_byte_of_the_host_is_drawn_once);
    RUN(what_was_drawn_is_forgotten);
    RUN(a_refusal_of_the_host_is_handed_on);
#ifndef __wasm__
    RUN(a_host_that_fails_later_is_a_trap);
#endif
    RUN(below_keeps_its_bound_and_favours_nothing);
    RUN(below_has_no_bias_in_large_ranges);
    RUN(base62_uses_every_character_alike);
    return test_done();
}
