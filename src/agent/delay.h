/* Delays that double: of restarts, of mail that comes again, of an open breaker.
 *
 * Internal. */
#ifndef NATLET_AGENT_DELAY_H
#define NATLET_AGENT_DELAY_H

#include "base/random.h"

/* min(cap, base * 2^(n-1)) milliseconds, n from 1. */
uint32_t natlet__delay_ms(uint32_t base_ms, uint32_t cap_ms, uint32_t n);

/* `ms` less a random part of it, at most `percent` (more than 100 are 100). */
uint32_t natlet__delay_jitter(natlet__random *random, uint32_t ms, uint32_t percent);

#endif
