/* Goal: waits are spread over the whole range, the range doubles up to its cap,
 * and only stable service makes it small again.
 *
 * Method: many draws from a seeded stream; the greatest must come close to the
 * bound and none beyond it. */
#include "client/backoff.h"

#include "natlet/limits.h"
#include "support/test.h"
#include "support/test_host.h"

enum { DRAWS = 400 };

static natlet__random numbers;

/* The greatest of many waits from one state, and that they are spread. */
static uint32_t greatest(natlet__backoff from, bool is_shared)
{
    uint32_t most = 0;
    uint64_t sum = 0;

    for (int i = 0; i < DRAWS; i++) {
        natlet__backoff b = from;
        uint32_t ms = natlet__backoff_next(&b, &numbers, is_shared);
        most = ms > most ? ms : most;
        sum += ms;
    }
    CHECK(sum / DRAWS > most * 2 / 5 && sum / DRAWS < most * 3 / 5);
    return most;
}

static void check_bound(natlet__backoff b, bool is_shared, uint32_t bound)
{
    uint32_t most = greatest(b, is_shared);

    CHECK(most <= bound && most > bound * 9 / 10);
}

static void bounds_double(void)
{
    static const uint32_t bounds[] = {500, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    natlet__backoff b = {0};

    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        check_bound(b, false, bounds[i]);
        (void)natlet__backoff_next(&b, &numbers, false);
    }
    for (int i = 0; i < 1000; i++) {
        CHECK(natlet__backoff_next(&b, &numbers, false) <= NATLET_BACKOFF_CAP_MS);
    }
}

static void shared_ends_spread_wider(void)
{
    natlet__backoff b = {0};

    check_bound(b, true, NATLET_BACKOFF_SHARED_MS);
    b.waits = 6;
    check_bound(b, true, 16000);
}

static void only_stable_service_resets(void)
{
    natlet__backoff b = {.waits = 5};

    natlet__backoff_served(&b, NATLET_STABLE_MS * UINT64_C(1000) - 1);
    CHECK_INT(b.waits, 5);
    natlet__backoff_served(&b, NATLET_STABLE_MS * UINT64_C(1000));
    CHECK_INT(b.waits, 0);
}

static void a_fixed_wait_is_fixed(void)
{
    natlet__backoff b = {.fixed_ms = 77};

    for (int i = 0; i < 10; i++) {
        CHECK_INT(natlet__backoff_next(&b, &numbers, i % 2 == 0), 77);
    }
}

int main(void)
{
    static test_host host;

    test_host_init(&host, 7);
    CHECK(natlet__random_init(&numbers, &host.host) == NATLET_OK);
    RUN(bounds_double);
    RUN(shared_ends_spread_wider);
    RUN(only_stable_service_resets);
    RUN(a_fixed_wait_is_fixed);
    test_host_free(&host);
    return test_done();
}
