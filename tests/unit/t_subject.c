/* Goal: what may go to the server is let through, everything else is refused with its
 * reason; matching is the server's.
 *
 * Method: tables; and for matches and covers every pattern and subject over a small
 * alphabet, against definitions that are too slow to be wrong. */
#include "natlet/subject.h"

#include "support/test.h"

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

typedef struct checked {
    const char *subject;
    natlet_subject_fault publish, subscribe, queue;
} checked;

#define SAME(fault) NATLET_SUBJECT_##fault, NATLET_SUBJECT_##fault, NATLET_SUBJECT_##fault
#define THREE(publish, subscribe, queue)                                                           \
    NATLET_SUBJECT_##publish, NATLET_SUBJECT_##subscribe, NATLET_SUBJECT_##queue

static const checked cases[] = {
    {"a", SAME(NONE)},
    {"a.b.c", SAME(NONE)},
    {"_INBOX.Ab9.1", SAME(NONE)},
    {"$JS.API.INFO", SAME(NONE)},
    {"!\"#%&'()+,-/:;<=?@[\\]^`{|}~", SAME(NONE)},
    {"gr\xc3\xbc\xc3\x9f.\xe2\x82\xac.\xf0\x9f\x98\x80", SAME(NONE)},
    {"", SAME(EMPTY)},
    {".", THREE(EMPTY_TOKEN, EMPTY_TOKEN, NONE)},
    {".a", THREE(EMPTY_TOKEN, EMPTY_TOKEN, NONE)},
    {"a.", THREE(EMPTY_TOKEN, EMPTY_TOKEN, NONE)},
    {"a..b", THREE(EMPTY_TOKEN, EMPTY_TOKEN, NONE)},
    {"*.", THREE(WILDCARD, EMPTY_TOKEN, WILDCARD)},
    {"a b", SAME(CONTROL)},
    {" a", SAME(CONTROL)},
    {"a ", SAME(CONTROL)},
    {"a\tb", SAME(CONTROL)},
    {"a\rb", SAME(CONTROL)},
    {"a\nb", SAME(CONTROL)},
    {"a\r\nPUB b 0\r\n", SAME(CONTROL)},
    {"a\x01", SAME(CONTROL)},
    {"a\x1f", SAME(CONTROL)},
    {"a\x7f", SAME(CONTROL)},
    {"a..\x01", SAME(CONTROL)},
    {"a.\xff", SAME(UTF8)},
    {"a.\xc3", SAME(UTF8)},
    {"a.\xc0\xaf", SAME(UTF8)},
    {"a.\xed\xa0\x80", SAME(UTF8)},
    {"..\x80", SAME(UTF8)},
    {"*", THREE(WILDCARD, NONE, WILDCARD)},
    {">", THREE(WILDCARD, NONE, WILDCARD)},
    {"a.*", THREE(WILDCARD, NONE, WILDCARD)},
    {"*.b", THREE(WILDCARD, NONE, WILDCARD)},
    {"a.*.c", THREE(WILDCARD, NONE, WILDCARD)},
    {"a.>", THREE(WILDCARD, NONE, WILDCARD)},
    {"*.*.>", THREE(WILDCARD, NONE, WILDCARD)},
    {">.a", THREE(WILDCARD, MISPLACED, WILDCARD)},
    {"a.>.b", THREE(WILDCARD, MISPLACED, WILDCARD)},
    {"$JS.API.CONSUMER.CREATE.s.c.a.*.>", THREE(NONE, NONE, WILDCARD)},
    {"$JS..>", THREE(EMPTY_TOKEN, EMPTY_TOKEN, WILDCARD)},
    {"$JS.a b.>", SAME(CONTROL)},
    {"$JSX.>", THREE(WILDCARD, NONE, WILDCARD)},
    {">.>", THREE(WILDCARD, MISPLACED, WILDCARD)},
    {"a*.b>.**.>>.*a", SAME(NONE)}, /* part of a token: a character like any other */
};

static void faults_by_use(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        natlet_slice subject = text(cases[i].subject);
        int failures = test_failures;
        CHECK_INT(natlet_subject_check(subject, NATLET_SUBJECT_PUBLISH), cases[i].publish);
        CHECK_INT(natlet_subject_check(subject, NATLET_SUBJECT_SUBSCRIBE), cases[i].subscribe);
        CHECK_INT(natlet_subject_check(subject, NATLET_SUBJECT_QUEUE), cases[i].queue);
        if (test_failures != failures) {
            printf("    in the subject: %s\n", cases[i].subject);
        }
    }
    CHECK_INT(natlet_subject_check((natlet_slice){0}, NATLET_SUBJECT_PUBLISH),
              NATLET_SUBJECT_EMPTY);
}

/* Every byte value in front, in the middle and at the end of a token. */
static void every_byte(void)
{
    for (int c = 0; c < 256; c++) {
        bool is_allowed = c > 0x20 && c < 0x7f && c != '.' && c != '*' && c != '>';
        const uint8_t places[3][3] = {
            {(uint8_t)c, 'b', 'c'}, {'a', (uint8_t)c, 'c'}, {'a', 'b', (uint8_t)c}};
        for (int i = 0; i < 3; i++) {
            natlet_slice subject = {places[i], 3};
            natlet_subject_fault fault = natlet_subject_check(subject, NATLET_SUBJECT_PUBLISH);
            if (c == '.') {
                CHECK_INT(fault, i == 1 ? NATLET_SUBJECT_NONE : NATLET_SUBJECT_EMPTY_TOKEN);
            } else if (c == '*' || c == '>' || is_allowed) {
                CHECK_INT(fault, NATLET_SUBJECT_NONE);
            } else {
                CHECK_INT(fault, c >= 0x80 ? NATLET_SUBJECT_UTF8 : NATLET_SUBJECT_CONTROL);
            }
        }
    }
}

static void a_subject_may_be_as_long_as_the_limit(void)
{
    uint8_t *exact = malloc(NATLET_SUBJECT_BYTES_MAX + 1);

    memset(exact, 'a', NATLET_SUBJECT_BYTES_MAX + 1);
    natlet_slice subject = {exact, NATLET_SUBJECT_BYTES_MAX};
    CHECK_INT(natlet_subject_check(subject, NATLET_SUBJECT_PUBLISH), NATLET_SUBJECT_NONE);
    subject.len++;
    CHECK_INT(natlet_subject_check(subject, NATLET_SUBJECT_PUBLISH), NATLET_SUBJECT_TOO_LONG);
    free(exact);
}

static void faults_have_texts(void)
{
    CHECK_TEXT(natlet_subject_fault_text(NATLET_SUBJECT_NONE), "well-formed");
    CHECK_TEXT(natlet_subject_fault_text(NATLET_SUBJECT_EMPTY_TOKEN),
               "a token between dots is empty");
    CHECK_TEXT(natlet_subject_fault_text(NATLET_SUBJECT_MISPLACED), "'>' is not the last token");
}

static void the_server_s_matches(void)
{
    static const struct {
        const char *pattern, *subject;
        bool matches;
    } pairs[] = {
        {"a.b", "a.b", true},     {"a.b", "a.c", false},    {"a.b", "a", false},
        {"a", "a.b", false},      {"a.*", "a.b", true},     {"a.*", "a", false},
        {"a.*", "a.b.c", false},  {"*", "a", true},         {"*", "a.b", false},
        {"*.*", "a.b", true},     {">", "a", true},         {">", "a.b.c", true},
        {"a.>", "a.b", true},     {"a.>", "a.b.c", true},   {"a.>", "a", false},
        {"a.>", "b.c", false},    {"a.*.c", "a.b.c", true}, {"a.*.c", "a.b.d", false},
        {"a.*.>", "a.b.c", true}, {"a.*.>", "a.b", false},  {"ab", "a", false},
        {"a", "ab", false},       {"a*", "a*", true},       {"a*", "ab", false},
        {"*", "*", true},         {"*", ">", true},         {"a.>", "a.*", true},
        {"a.b", "a.*", false},    {"", "", false},          {"a", "", false},
        {">", "", false},         {"", "a", false},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        bool got = natlet_subject_matches(text(pairs[i].pattern), text(pairs[i].subject));
        CHECK_INT(got, pairs[i].matches);
    }
}

/* All sequences of one to `tokens_max` tokens out of `tokens`. */
enum { LIST_MAX = 400 };
static char list_text[2][LIST_MAX][12];

static size_t make_list(int which, const char *tokens, size_t tokens_max)
{
    size_t base = strlen(tokens);
    size_t count = 0;

    for (size_t n = 1, combinations = base; n <= tokens_max; n++, combinations *= base) {
        for (size_t i = 0; i < combinations; i++) {
            char *out = list_text[which][count++];
            for (size_t t = 0, rest = i; t < n; t++, rest /= base) {
                *out++ = tokens[rest % base];
                *out++ = t + 1 < n ? '.' : '\0';
            }
        }
    }
    return count;
}

/* One letter a token makes the definition short. */
static bool slow_match(const char *pattern, const char *subject)
{
    if (*pattern == '\0' || *subject == '\0') {
        return *pattern == *subject;
    }
    if (*pattern == '>') {
        return true;
    }
    size_t p = pattern[1] == '.' ? 2 : 1;
    size_t s = subject[1] == '.' ? 2 : 1;
    return (*pattern == '*' || *pattern == *subject) && slow_match(pattern + p, subject + s);
}

/* `c` stands for every token that no pattern names; four tokens for any number. */
static bool slow_cover(const char *wide, const char *narrow, size_t subjects)
{
    for (size_t i = 0; i < subjects; i++) {
        const char *subject = list_text[1][i];
        if (slow_match(narrow, subject) && !slow_match(wide, subject)) {
            return false;
        }
    }
    return true;
}

static bool is_pattern(const char *list)
{
    return natlet_subject_check(text(list), NATLET_SUBJECT_SUBSCRIBE) == NATLET_SUBJECT_NONE;
}

static void matches_and_covers_are_what_they_are_defined_as(void)
{
    size_t patterns = make_list(0, "ab*>", 3);
    size_t subjects = make_list(1, "abc", 4);
    size_t covered = 0;

    for (size_t i = 0; i < patterns; i++) {
        const char *wide = list_text[0][i];
        for (size_t k = 0; k < subjects && is_pattern(wide); k++) {
            const char *subject = list_text[1][k];
            CHECK(natlet_subject_matches(text(wide), text(subject)) == slow_match(wide, subject));
        }
        for (size_t k = 0; k < patterns && is_pattern(wide); k++) {
            const char *narrow = list_text[0][k];
            if (is_pattern(narrow)) {
                bool covers = slow_cover(wide, narrow, subjects);
                CHECK(natlet_subject_covers(text(wide), text(narrow)) == covers);
                covered += covers;
            }
        }
    }
    CHECK(covered > 300);
}

int main(void)
{
    RUN(faults_by_use);
    RUN(every_byte);
    RUN(a_subject_may_be_as_long_as_the_limit);
    RUN(faults_have_texts);
    RUN(the_server_s_matches);
    RUN(matches_and_covers_are_what_they_are_defined_as);
    return test_done();
}
