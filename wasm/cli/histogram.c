#include "wasm/cli/histogram.h"

enum { PARTS = 64, PARTS_LOG = 6 };

#define NS_MAX ((UINT64_C(1) << (CLI_HISTOGRAM_SHIFTS + PARTS_LOG)) - 1)

/* Without its lowest `shift` bits a time is below 2 * PARTS, and, but for the
 * shortest ones, not below PARTS: behind shift * PARTS this is the bucket. */
static uint32_t bucket_of(uint64_t ns)
{
    uint32_t shift = 0;

    ns = ns < NS_MAX ? ns : NS_MAX;
    while (ns >> shift >= (uint64_t)2 * PARTS) {
        shift++;
    }
    return shift * PARTS + (uint32_t)(ns >> shift);
}

/* The middle of a bucket. */
static uint64_t time_of(uint32_t bucket)
{
    if (bucket < 2 * PARTS) {
        return bucket;
    }
    uint32_t shift = bucket / PARTS - 1;
    uint64_t low = (uint64_t)(bucket - shift * PARTS) << shift;
    return low + (UINT64_C(1) << shift) / 2;
}

void cli_histogram_add(cli_histogram *times, uint64_t ns)
{
    times->buckets[bucket_of(ns)]++;
    times->count++;
    times->max_ns = ns > times->max_ns ? ns : times->max_ns;
}

uint64_t cli_histogram_at(const cli_histogram *times, uint32_t permille)
{
    uint64_t rank = times->count / 1000 * permille + (times->count % 1000 * permille + 999) / 1000;
    uint64_t seen = 0;
    uint32_t bucket = 0;

    if (times->count == 0) {
        return 0;
    }
    while (bucket < CLI_HISTOGRAM_BUCKETS - 1 && seen + times->buckets[bucket] < rank) {
        seen += times->buckets[bucket];
        bucket++;
    }
    uint64_t ns = time_of(bucket);
    return ns < times->max_ns ? ns : times->max_ns;
}
