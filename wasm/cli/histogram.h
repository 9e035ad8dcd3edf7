/* How often which time was measured, in memory that does not grow.
 *
 * Below 128 ns each has its bucket; from there on every power of two is cut into
 * 64, so a time is known to 1/128 of it. */
#ifndef NATLET_CLI_HISTOGRAM_H
#define NATLET_CLI_HISTOGRAM_H

#include <stdint.h>

/* Times up to 2^47 ns, 39 hours: no timeout is longer. */
enum { CLI_HISTOGRAM_SHIFTS = 41, CLI_HISTOGRAM_BUCKETS = (CLI_HISTOGRAM_SHIFTS + 1) * 64 };

typedef struct cli_histogram {
    uint64_t buckets[CLI_HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t max_ns;
} cli_histogram;

void cli_histogram_add(cli_histogram *times, uint64_t ns);

/* The time, in nanoseconds, that `permille` of all did not exceed; 0 without any. */
uint64_t cli_histogram_at(const cli_histogram *times, uint32_t permille);

#endif
