#include "base/random.h"

#include <string.h>

#include "base/base64.h"

static natlet_status fill(natlet__random *r)
{
    r->left = sizeof r->pool;
    return (natlet_status)r->host->random(r->host->self, r->pool, sizeof r->pool);
}

natlet_status natlet__random_init(natlet__random *r, const natlet_host *host)
{
    r->host = host;
    return fill(r);
}

void natlet__random_bytes(natlet__random *r, void *out, size_t len)
{
    uint8_t *to = out;

    for (size_t i = 0; i < len; i++) {
        if (r->left == 0 && fill(r) < 0) {
            __builtin_trap(); /* not an assertion: no build does without */
        }
        uint8_t *at = &r->pool[--r->left];
        to[i] = *at;
        *at = 0;
    }
}

/* As many bits as the bound has, drawn again until they do not exceed it: less than
 * twice on average. */
uint32_t natlet__random_below(natlet__random *r, uint32_t bound)
{
    uint32_t bits = UINT32_MAX >> __builtin_clz(bound | 1);
    uint32_t draw;

    do {
        natlet__random_bytes(r, &draw, sizeof draw);
        draw &= bits;
    } while (draw > bound);
    return draw;
}

/* The letters and digits come first in the alphabet of base64. */
void natlet__random_base62(natlet__random *r, char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = natlet__base64_alphabet[natlet__random_below(r, 61)];
    }
}

void natlet__random_wipe(natlet__random *r)
{
    memset(r, 0, sizeof *r);
    __asm__ volatile("" : : "r"(r) : "memory"); /* or the compiler may drop the memset */
}
