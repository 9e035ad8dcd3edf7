/* What one call through the host door costs: recv of no connection, over and
 * over.  A command; prints nanoseconds. */
#include "natlet/host.h"

#include <stdio.h>

#define CALLS 200000

int main(void)
{
    const natlet_host *h = natlet_host_imports();
    int32_t answer = 0;
    double began = h->clock(h->self, NATLET_CLOCK_MONOTONIC);

    for (int i = 0; i < CALLS; i++) {
        answer |= h->recv(h->self, 0, NULL, 0);
    }
    double ms = h->clock(h->self, NATLET_CLOCK_MONOTONIC) - began;
    printf("%.0f\n", answer < 0 ? ms * 1e6 / CALLS : 0);
    return 0;
}
