/* The whole test harness.  A test is a function; CHECK reports and goes on, so
 * one run shows every failure; RUN prints one line for each test, which the
 * runner counts; main() ends with `return test_done();`. */
#ifndef TEST_H
#define TEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natlet/slice.h"

static int test_checks;
static int test_failures;

#define CHECK(cond) (test_checks++, (cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond, ""))

#define CHECK_TEXT(got, want)                                                                      \
    (test_checks++,                                                                                \
     strcmp((got), (want)) == 0 ? (void)0 : test_fail(__FILE__, __LINE__, (got), (want)))

/* A slice against a string literal, which may hold NULs. */
#define CHECK_SLICE(got, want) test_slice(__FILE__, __LINE__, (got), (want), sizeof(want) - 1)

/* Two whole numbers, shown when they differ. */
#define CHECK_INT(got, want) test_int(__FILE__, __LINE__, (long long)(got), (long long)(want))

#define RUN(fn) test_run(#fn, fn)

static inline void test_fail(const char *file, int line, const char *got, const char *want)
{
    test_failures++;
    printf("%s:%d: failed: %s%s%s\n", file, line, got, *want != '\0' ? "\n    want: " : "", want);
}

static inline void test_slice(const char *file, int line, natlet_slice got, const char *want,
                              size_t want_len)
{
    test_checks++;
    if (got.len == want_len && (got.len == 0 || memcmp(got.ptr, want, got.len) == 0)) {
        return;
    }
    test_failures++;
    printf("%s:%d: failed: [%.*s]\n    want: [%.*s]\n", file, line, (int)got.len,
           got.len > 0 ? (const char *)got.ptr : "", (int)want_len, want);
}

static inline void test_int(const char *file, int line, long long got, long long want)
{
    test_checks++;
    if (got != want) {
        test_failures++;
        printf("%s:%d: failed: %lld\n    want: %lld\n", file, line, got, want);
    }
}

/* The next number of a fixed sequence (splitmix64): tests draw the same ones on
 * every run, and print their state to show how they got there. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline void test_run(const char *name, void (*fn)(void))
{
    int before = test_failures;

    fn();
    printf("%s %s\n", test_failures == before ? "ok" : "not ok", name);
    (void)fflush(stdout); /* a later test may crash */
}

static inline int test_done(void)
{
    printf("%d checks, %d failures\n", test_checks, test_failures);
    return test_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
