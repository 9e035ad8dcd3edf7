#include "client/backoff.h"

#include "natlet/limits.h"

enum { DOUBLINGS_MAX = 7 };

_Static_assert(NATLET_BACKOFF_BASE_MS << DOUBLINGS_MAX >= NATLET_BACKOFF_CAP_MS,
               "more doublings change nothing");

void natlet__backoff_served(natlet__backoff *backoff, uint64_t up_us)
{
    if (up_us >= NATLET_STABLE_MS * UINT64_C(1000)) {
        backoff->waits = 0;
    }
}

static uint32_t bound_ms(uint32_t waits)
{
    if (waits == 0) {
        return NATLET_BACKOFF_FIRST_MS;
    }
    uint32_t bound = NATLET_BACKOFF_BASE_MS << (waits < DOUBLINGS_MAX ? waits : DOUBLINGS_MAX);
    return bound < NATLET_BACKOFF_CAP_MS ? bound : NATLET_BACKOFF_CAP_MS;
}

uint32_t natlet__backoff_next(natlet__backoff *backoff, natlet__random *random, bool is_shared)
{
    uint32_t bound = bound_ms(backoff->waits);

    backoff->waits++;
    if (backoff->fixed_ms > 0) {
        return backoff->fixed_ms;
    }
    if (is_shared && bound < NATLET_BACKOFF_SHARED_MS) {
        bound = NATLET_BACKOFF_SHARED_MS;
    }
    return natlet__random_below(random, bound);
}
