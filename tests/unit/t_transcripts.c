/* Goal: what the parser says does not depend on how its input was cut.
 *
 * Method: each case of tests/conformance/transcripts has one log.  It is fed whole,
 * then cut in two at every byte, then one byte at a time, and every run must write
 * that log.  The window is an exact heap block that moves at each feed. */
#include "support/proto_run.h"
#include "support/test.h"

typedef struct transcript {
    const char *name;
    const char *bytes;
    size_t len;
    const char *log;
} transcript;

#define CASE(name, bytes, log) {name, bytes, sizeof(bytes) - 1, log},
static const transcript transcripts[] = {
#include "conformance/transcripts/messages.txt"
#include "conformance/transcripts/plain.txt"
#include "conformance/transcripts/refused.txt"
#include "conformance/transcripts/servers.txt"
#include "conformance/transcripts/sizes.txt"
};
#undef CASE

/* The first piece has `first` bytes, every other one `step`. */
static void check_cut(const transcript *t, size_t first, size_t step)
{
    const uint8_t *bytes = (const uint8_t *)t->bytes;
    proto_run run;

    proto_run_start(&run);
    proto_run_feed(&run, bytes, first);
    for (size_t at = first; at < t->len;) {
        size_t n = t->len - at < step ? t->len - at : step;
        proto_run_feed(&run, bytes + at, n);
        at += n;
    }
    CHECK_TEXT(run.log.text, t->log);
    proto_run_end(&run);
}

static void check_all_cuts(const transcript *t)
{
    int failures = test_failures;

    for (size_t cut = 0; cut <= t->len && test_failures == failures; cut++) {
        check_cut(t, cut, t->len);
    }
    check_cut(t, 0, 1);
    check_cut(t, 0, 3);
    if (test_failures != failures) {
        printf("    in the transcript: %s\n", t->name);
    }
}

static void every_cut_gives_the_same_log(void)
{
    size_t count = sizeof transcripts / sizeof transcripts[0];

    for (size_t i = 0; i < count; i++) {
        check_all_cuts(&transcripts[i]);
    }
    CHECK(count >= 150);
}

int main(void)
{
    RUN(every_cut_gives_the_same_log);
    return test_done();
}
