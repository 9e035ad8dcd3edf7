/* Subjects: the one validator for everything that goes into a control line, and
 * the matching rules of the server (ADR-6). */
#ifndef NATLET_SUBJECT_H
#define NATLET_SUBJECT_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

/* What is wrong with a subject, a queue name or an inbox prefix. */
#define NATLET_SUBJECT_FAULT_MAP(X)                                                                \
    X(NONE, "well-formed")                                                                         \
    X(EMPTY, "it is empty")                                                                        \
    X(TOO_LONG, "it is longer than a control line can carry")                                      \
    X(EMPTY_TOKEN, "a token between dots is empty")                                                \
    X(CONTROL, "it contains a blank or a control character")                                       \
    X(UTF8, "it is not valid UTF-8")                                                               \
    X(WILDCARD, "a wildcard is not allowed here")                                                  \
    X(MISPLACED, "'>' is not the last token")

typedef enum natlet_subject_fault {
#define X(name, text) NATLET_SUBJECT_##name,
    NATLET_SUBJECT_FAULT_MAP(X)
#undef X
} natlet_subject_fault;

typedef enum natlet_subject_use {
    NATLET_SUBJECT_PUBLISH,   /* no wildcard tokens, but below "$JS.", as its API has them */
    NATLET_SUBJECT_SUBSCRIBE, /* "*" for one token, ">" as the last for the rest */
    NATLET_SUBJECT_QUEUE,     /* one word: no wildcards; dots are allowed */
} natlet_subject_use;

/* Together subject, reply or queue, two numbers and the verb fill one line. */
#define NATLET_SUBJECT_BYTES_MAX 2000u

#ifdef __cplusplus
extern "C" {
#endif

/* What is wrong with `subject`; NATLET_SUBJECT_NONE if it may go to the server.
 * Refuses bytes <= 0x20 and 0x7f, empty tokens and misplaced wildcards.  A '*' or
 * '>' that is only part of a token is a character like any other.  Of several
 * faults, the length counts first, then characters, then tokens from the left. */
natlet_subject_fault natlet_subject_check(natlet_slice subject, natlet_subject_use use);

/* Static text: "a token between dots is empty". */
const char *natlet_subject_fault_text(natlet_subject_fault fault);

/* True if a message to `subject` reaches a subscription to `pattern`.  Both are
 * taken to be well-formed; nothing in `subject` is a wildcard. */
bool natlet_subject_matches(natlet_slice pattern, natlet_slice subject);

/* True if every subject that `narrow` matches is matched by `wide` too. */
bool natlet_subject_covers(natlet_slice wide, natlet_slice narrow);

#ifdef __cplusplus
}
#endif

#endif
