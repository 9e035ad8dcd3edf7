#include "crypto/secret.h"

#include <stdint.h>
#include <string.h>

/* A signature goes 4 KiB deep; t_ed25519 looks whether this reaches far enough. */
enum { STACK_BYTES = 6144 };

void natlet__wipe(void *mem, size_t len)
{
    if (len > 0) {
        memset(mem, 0, len);
        /* Claims to read what `mem` points to, so the zeros must be there. */
        __asm__ __volatile__("" : : "r"(mem) : "memory");
    }
}

__attribute__((noinline)) void natlet__wipe_stack(void)
{
    uint8_t below[STACK_BYTES];

    natlet__wipe(below, sizeof below);
}

bool natlet__equal_constant_time(const void *a, const void *b, size_t len)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    volatile uint8_t difference = 0; /* volatile: no way out before the end */

    for (size_t i = 0; i < len; i++) {
        difference = (uint8_t)(difference | (left[i] ^ right[i]));
    }
    return difference == 0;
}
