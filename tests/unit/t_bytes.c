/* Goal: the small functions hold at their edges: empty slices, limits, the
 * characters next to a range. */
#include "base/bytes.h"
#include "support/test.h"

static natlet_slice text(const char *s)
{
    return natlet__text(s);
}

static void equal_looks_at_every_byte(void)
{
    CHECK(natlet__equal(text("abc"), text("abc")));
    CHECK(!natlet__equal(text("abc"), text("abd")));
    CHECK(!natlet__equal(text("abc"), text("ab")));
    CHECK(natlet__equal((natlet_slice){NULL, 0}, text("")));
}

static void take_moves_the_front(void)
{
    natlet_slice from = text("abcd");

    CHECK_SLICE(natlet__take(&from, 3), "abc");
    CHECK_SLICE(from, "d");
    CHECK_SLICE(natlet__take(&from, 0), "");
    CHECK_SLICE(natlet__take(&from, 1), "d");
    CHECK(from.len == 0);
}

static void case_is_ignored_for_letters_only(void)
{
    CHECK(natlet__equal_nocase(text("Sec-WebSocket-Accept"), text("sec-websocket-ACCEPT")));
    CHECK(natlet__equal_nocase(text("aZ"), text("Az")));
    CHECK(!natlet__equal_nocase(text("abc"), text("abcd")));
    CHECK(!natlet__equal_nocase(text("@"), text("`"))); /* neighbours of the letters */
    CHECK(!natlet__equal_nocase(text("["), text("{")));
    CHECK(natlet__starts_nocase(text("PERMISSIONS Violation"), text("permissions v")));
    CHECK(natlet__starts_nocase(text("x"), text("")));
    CHECK(!natlet__starts_nocase(text("per"), text("perm")));
}

static void trim_takes_blanks_only_at_the_ends(void)
{
    CHECK_SLICE(natlet__trim(text(" \ta b\t ")), "a b");
    CHECK_SLICE(natlet__trim(text("\n a")), "\n a");
    CHECK_SLICE(natlet__trim(text("a")), "a");
    CHECK(natlet__trim(text(" \t ")).len == 0);
    CHECK(natlet__trim(text("")).len == 0);
}

static void check_decimal(const char *digits, uint64_t max, bool ok, uint64_t want)
{
    uint64_t value = 4711;

    CHECK(natlet__read_decimal(text(digits), max, &value) == ok);
    CHECK(value == (ok ? want : 4711));
}

static void decimals_are_strict(void)
{
    static const char *const wrong[] = {"",
                                        "00",
                                        "05",
                                        "+5",
                                        "-5",
                                        "5.0",
                                        " 5",
                                        "5 ",
                                        "5a",
                                        "/",
                                        ":",
                                        "0x5",
                                        "99999999999999999999999999999999999"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_decimal(wrong[i], UINT64_MAX, false, 0);
    }
    check_decimal("0", 0, true, 0);
    check_decimal("1", 0, false, 0);
    check_decimal("7", 7, true, 7);
    check_decimal("8", 7, false, 0);
    check_decimal("10", 9, false, 0);
}

static void decimals_meet_every_limit(void)
{
    for (uint64_t max = 0; max <= 130; max++) {
        for (uint64_t n = 0; n <= 1100; n++) {
            char digits[8];
            (void)snprintf(digits, sizeof digits, "%u", (unsigned)n);
            check_decimal(digits, max, n <= max, n);
        }
    }
    check_decimal("18446744073709551615", UINT64_MAX, true, UINT64_MAX);
    check_decimal("18446744073709551616", UINT64_MAX, false, 0);
    check_decimal("18446744073709551615", UINT64_MAX - 1, false, 0);
    check_decimal("4294967295", UINT32_MAX, true, UINT32_MAX);
    check_decimal("4294967296", UINT32_MAX, false, 0);
    check_decimal("42949672960", UINT32_MAX, false, 0);
}

static void decimals_are_written_as_printf_does(void)
{
    uint64_t value = 0;

    for (int i = 0; i < 2000; i++) {
        uint8_t out[NATLET__DECIMAL_MAX + 1];
        char want[32];
        size_t len = natlet__write_decimal(out, value);
        out[len] = 0;
        (void)snprintf(want, sizeof want, "%llu", (unsigned long long)value);
        CHECK_TEXT((const char *)out, want);
        value = i < 64 ? (uint64_t)1 << i : value * 3 + (uint64_t)i;
    }
    uint8_t out[NATLET__DECIMAL_MAX];
    CHECK_INT(natlet__write_decimal(out, UINT64_MAX), 20);
    CHECK_INT(natlet__write_decimal(out, 0), 1);
}

int main(void)
{
    RUN(equal_looks_at_every_byte);
    RUN(take_moves_the_front);
    RUN(case_is_ignored_for_letters_only);
    RUN(trim_takes_blanks_only_at_the_ends);
    RUN(decimals_are_strict);
    RUN(decimals_meet_every_limit);
    RUN(decimals_are_written_as_printf_does);
    return test_done();
}
