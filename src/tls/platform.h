/* Where Mbed TLS gets memory, time and random bytes from: the runtime whose call is
 * under way.
 *
 * Internal.  Mbed TLS asks by name, without saying for whom: so who calls it says so
 * first.  A block remembers its memory, and may be given back by anybody. */
#ifndef NATLET_TLS_PLATFORM_H
#define NATLET_TLS_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#include "base/runtime.h"

/* What follows is done for `rt`. */
void natlet__tls_enter(natlet_runtime *rt);

/* Whether memory was missing since then: Mbed TLS may call that anything, e.g. a key that
 * is not valid. */
bool natlet__tls_lacks_memory(void);

/* Random bytes of that runtime, in the form that Mbed TLS calls. */
int natlet__tls_random(void *self, unsigned char *out, size_t len);

/* Seconds since 1970; 0 if the host's clock cannot be right. */
int64_t natlet__tls_sane_time(natlet_runtime *rt);

/* Begin and end of a user of Mbed TLS; the first and the last one matter.  Returns whether
 * it is ready. */
bool natlet__tls_platform_take(void);
void natlet__tls_platform_give_back(void);

#endif
