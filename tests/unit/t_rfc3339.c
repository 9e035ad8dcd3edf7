/* Goal: a point in time is written as RFC 3339 says.
 *
 * Method: edges of days, months, leap years and the clock, against known texts. */
#include "base/rfc3339.h"

#include "support/test.h"

static void check(uint64_t s, uint32_t ns, const char *want)
{
    uint8_t text[NATLET__RFC3339_BYTES + 1] = {0};

    natlet__rfc3339_write(text, s * 1000000000u + ns);
    CHECK_TEXT((const char *)text, want);
}

static void known_points(void)
{
    check(0, 0, "1970-01-01T00:00:00.000000000Z");
    check(0, 1, "1970-01-01T00:00:00.000000001Z");
    check(86399, 999999999, "1970-01-01T23:59:59.999999999Z");
    check(86400, 0, "1970-01-02T00:00:00.000000000Z");
    check(951782399, 0, "2000-02-28T23:59:59.000000000Z");
    check(951782400, 0, "2000-02-29T00:00:00.000000000Z");
    check(951868800, 0, "2000-03-01T00:00:00.000000000Z");
    check(1078012800, 0, "2004-02-29T00:00:00.000000000Z");
    check(1735689599, 0, "2024-12-31T23:59:59.000000000Z");
    check(1769903999, 1, "2026-01-31T23:59:59.000000001Z");
    check(4107542399, 0, "2100-02-28T23:59:59.000000000Z");
    check(4107542400, 0, "2100-03-01T00:00:00.000000000Z");
}

int main(void)
{
    RUN(known_points);
    return test_done();
}
