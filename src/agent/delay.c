#include "agent/delay.h"

uint32_t natlet__delay_ms(uint32_t base_ms, uint32_t cap_ms, uint32_t n)
{
    enum { BITS = 32 };
    uint64_t ms = base_ms;

    if (base_ms > 0) { /* from there on all are the cap, and what is shifted fits */
        ms <<= n <= BITS ? n - 1 : BITS;
    }
    return ms < cap_ms ? (uint32_t)ms : cap_ms;
}

uint32_t natlet__delay_jitter(natlet__random *random, uint32_t ms, uint32_t percent)
{
    uint64_t most = (uint64_t)ms * (percent < 100 ? percent : 100) / 100;

    return most > 0 ? ms - natlet__random_below(random, (uint32_t)most) : ms;
}
