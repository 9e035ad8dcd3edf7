#include "natlet/subject.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/utf8.h"

static bool is_wildcard(natlet_slice token, uint8_t which)
{
    return token.len == 1 && token.ptr[0] == which;
}

/* The token that begins at `at`, which is at most subject.len. */
static natlet_slice token_at(natlet_slice subject, size_t at)
{
    size_t end = at;

    while (end < subject.len && subject.ptr[end] != '.') {
        end++;
    }
    return (natlet_slice){subject.ptr + at, end - at};
}

/* A '*' or '>' beside other characters is one of them, as it is to the server. */
static natlet_subject_fault check_token(natlet_slice token, natlet_subject_use use, bool is_last)
{
    if (token.len == 0) {
        return use == NATLET_SUBJECT_QUEUE ? NATLET_SUBJECT_NONE : NATLET_SUBJECT_EMPTY_TOKEN;
    }
    bool is_rest = is_wildcard(token, '>');
    if (!is_rest && !is_wildcard(token, '*')) {
        return NATLET_SUBJECT_NONE;
    }
    if (use != NATLET_SUBJECT_SUBSCRIBE) {
        return NATLET_SUBJECT_WILDCARD;
    }
    return is_rest && !is_last ? NATLET_SUBJECT_MISPLACED : NATLET_SUBJECT_NONE;
}

/* Requests to JetStream's API name a consumer's filter in their own subject. */
static bool may_name_filter(natlet_slice subject, natlet_subject_use use)
{
    const natlet_slice head = {subject.ptr, sizeof "$JS." - 1};

    return use == NATLET_SUBJECT_PUBLISH && subject.len > head.len &&
           natlet__equal(head, natlet__text("$JS."));
}

natlet_subject_fault natlet_subject_check(natlet_slice subject, natlet_subject_use use)
{
    natlet_subject_fault fault = NATLET_SUBJECT_NONE;
    uint8_t any_high = 0;
    size_t start = 0; /* of the token */

    if (subject.len == 0) {
        return NATLET_SUBJECT_EMPTY;
    }
    if (subject.len > NATLET_SUBJECT_BYTES_MAX) {
        return NATLET_SUBJECT_TOO_LONG;
    }
    for (size_t i = 0; i <= subject.len; i++) {
        while (i < subject.len && subject.ptr[i] > '.' && subject.ptr[i] < 0x7f) {
            i++; /* one comparison for what comes most often */
        }
        uint8_t c = i < subject.len ? subject.ptr[i] : '.';
        if (c <= ' ' || c == 0x7f) {
            return NATLET_SUBJECT_CONTROL;
        }
        any_high |= c;
        if (c == '.' && fault == NATLET_SUBJECT_NONE) {
            natlet_slice token = {subject.ptr + start, i - start};
            fault = check_token(token, use, i == subject.len);
            start = i + 1;
        }
    }
    if (fault == NATLET_SUBJECT_WILDCARD && may_name_filter(subject, use)) {
        fault = NATLET_SUBJECT_NONE;
    }
    return any_high >= 0x80 && !natlet__utf8_valid(subject) ? NATLET_SUBJECT_UTF8 : fault;
}

const char *natlet_subject_fault_text(natlet_subject_fault fault)
{
    static const char *const texts[] = {
#define X(name, text) text,
        NATLET_SUBJECT_FAULT_MAP(X)
#undef X
    };

    NATLET_ASSERT((size_t)fault < sizeof texts / sizeof texts[0]);
    return texts[fault];
}

/* Token by token.  In a literal `narrow` a '*' or '>' is only a character. */
static bool reaches(natlet_slice wide, natlet_slice narrow, bool is_literal)
{
    size_t w = 0;
    size_t n = 0;

    if (wide.len == 0 || narrow.len == 0) {
        return false;
    }
    while (w <= wide.len && n <= narrow.len) {
        natlet_slice a = token_at(wide, w);
        natlet_slice b = token_at(narrow, n);
        if (is_wildcard(a, '>')) {
            return true;
        }
        bool is_rest = !is_literal && is_wildcard(b, '>');
        if (is_rest || (!is_wildcard(a, '*') && !natlet__equal(a, b))) {
            return false;
        }
        w += a.len + 1;
        n += b.len + 1;
    }
    return w > wide.len && n > narrow.len;
}

bool natlet_subject_matches(natlet_slice pattern, natlet_slice subject)
{
    return reaches(pattern, subject, true);
}

bool natlet_subject_covers(natlet_slice wide, natlet_slice narrow)
{
    return reaches(wide, narrow, false);
}
