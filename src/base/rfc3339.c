#include "base/rfc3339.h"

#define NS_PER_S 1000000000u

enum { DAY_S = 86400, ERA_DAYS = 146097, BEFORE_1970 = 719468 };

/* Writes `value` in so many digits, then `mark`; returns the place behind it. */
static uint8_t *put(uint8_t *at, uint32_t value, uint32_t digits, char mark)
{
    for (uint32_t i = digits; i > 0; i--) {
        at[i - 1] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
    at[digits] = (uint8_t)mark;
    return at + digits + 1;
}

/* Days are counted from 0000-03-01, so that the day which not every year has is the last
 * one of a year; 400 years, an era, always have as many days. */
void natlet__rfc3339_write(uint8_t out[NATLET__RFC3339_BYTES], uint64_t unix_ns)
{
    uint64_t seconds = unix_ns / NS_PER_S;
    uint32_t time = (uint32_t)(seconds % DAY_S);
    uint32_t days = (uint32_t)(seconds / DAY_S) + BEFORE_1970;
    uint32_t era = days / ERA_DAYS;
    uint32_t in_era = days % ERA_DAYS;
    uint32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / (ERA_DAYS - 1)) / 365;
    uint32_t day = in_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * day + 2) / 153; /* 0: March */

    day = day - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year = era * 400 + year + (month <= 2 ? 1 : 0);
    out = put(out, year, 4, '-');
    out = put(out, month, 2, '-');
    out = put(out, day, 2, 'T');
    out = put(out, time / 3600, 2, ':');
    out = put(out, time / 60 % 60, 2, ':');
    out = put(out, time % 60, 2, '.');
    (void)put(out, (uint32_t)(unix_ns % NS_PER_S), 9, 'Z');
}
