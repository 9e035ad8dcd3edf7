#include "tls/platform.h"

#include <mbedtls/platform_util.h>
#include <psa/crypto.h>

#include "base/assert.h"
#include "crypto/secret.h"

/* Before it a clock is wrong, as this did not exist then; behind it, too. */
#define CLOCK_S_MIN INT64_C(1767225600) /* 2026-01-01 */
#define CLOCK_S_MAX INT64_C(7258118400) /* 2200-01-01 */

enum { NS_PER_S = 1000000000, US_PER_MS = 1000, S_PER_DAY = 86400 };

static natlet_runtime *present;
static uint32_t refused; /* allocations of it so far, when it was entered */
static uint32_t users;

void natlet__tls_enter(natlet_runtime *rt)
{
    present = rt;
    refused = rt->memory.refused;
}

bool natlet__tls_lacks_memory(void)
{
    return present->memory.refused != refused;
}

/* ---- memory ---- */

/* Stands before each block, which is aligned as it is. */
typedef struct head {
    _Alignas(16) natlet__memory *memory;
    size_t bytes; /* with the head */
} head;

void *natlet__tls_calloc(size_t count, size_t bytes)
{
    uint64_t all = (uint64_t)count * bytes + sizeof(head);
    head *block = NULL;

    if (count <= UINT32_MAX && bytes <= UINT32_MAX && all <= INT32_MAX) {
        block = natlet__memory_take(&present->memory, (size_t)all);
    }
    if (block == NULL) {
        return NULL;
    }
    *block = (head){.memory = &present->memory, .bytes = (size_t)all};
    return block + 1;
}

void natlet__tls_free(void *ptr)
{
    head *block = ptr;

    if (block != NULL) {
        block--;
        natlet__memory_give_back(block->memory, block, block->bytes);
    }
}

void mbedtls_zeroize_and_free(void *ptr,
                              size_t len); /* no header of theirs that is public has it */

void mbedtls_zeroize_and_free(void *ptr, size_t len)
{
    if (ptr != NULL) {
        natlet__wipe(ptr, len);
        natlet__tls_free(ptr);
    }
}

/* ---- random bytes ---- */

int natlet__tls_random(void *self, unsigned char *out, size_t len)
{
    (void)self;
    natlet__random_bytes(&present->random, out, len);
    return 0;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *out, size_t len, size_t *written)
{
    (void)context;
    *written = len;
    return natlet__tls_random(NULL, out, len);
}

/* ---- time ---- */

int64_t natlet__tls_time(int64_t *out)
{
    int64_t now = (int64_t)(natlet_runtime_wall_ns(present) / NS_PER_S);

    if (out != NULL) {
        *out = now;
    }
    return now;
}

int64_t natlet__tls_sane_time(natlet_runtime *rt)
{
    int64_t now = (int64_t)(natlet_runtime_wall_ns(rt) / NS_PER_S);
    bool is_sane =
        (rt->info.caps & NATLET_CAP_WALLCLOCK) != 0 && now >= CLOCK_S_MIN && now < CLOCK_S_MAX;

    return is_sane ? now : 0;
}

mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return (mbedtls_ms_time_t)(natlet__runtime_clock_us(present) / US_PER_MS);
}

/* Years begin in March here, so that a leap day is the last one of its year; 400 years
 * have 146097 days, always. */
struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *tt, struct tm *tm_buf)
{
    int64_t second = *tt % S_PER_DAY;
    int64_t day = *tt / S_PER_DAY + 719468; /* from 0000-03-01 on */
    int64_t era_day = day % 146097;
    int64_t year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    int64_t year_day = era_day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * year_day + 2) / 153;

    NATLET_ASSERT(*tt >= 0);
    *tm_buf = (struct tm){
        .tm_year = (int)(year + day / 146097 * 400 + (month >= 10 ? 1 : 0) - 1900),
        .tm_mon = (int)(month + (month >= 10 ? -10 : 2)),
        .tm_mday = (int)(year_day - (153 * month + 2) / 5 + 1),
        .tm_hour = (int)(second / 3600),
        .tm_min = (int)(second / 60 % 60),
        .tm_sec = (int)(second % 60),
    };
    return tm_buf;
}

/* ---- begin and end ---- */

bool natlet__tls_platform_take(void)
{
    if (users == 0 && psa_crypto_init() != PSA_SUCCESS) {
        mbedtls_psa_crypto_free();
        return false;
    }
    users++;
    return true;
}

void natlet__tls_platform_give_back(void)
{
    NATLET_ASSERT(users > 0);
    if (--users == 0) {
        mbedtls_psa_crypto_free();
    }
}
