/* The members of a JSON object that a program knows by name.
 *
 * Internal.  One pass, no memory, values are lent where they lie. */
#ifndef NATLET_JSON_MEMBERS_H
#define NATLET_JSON_MEMBERS_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

typedef struct natlet__json_rest {
    uint32_t others; /* members with another name */
    bool is_twice;   /* one of the names stands there more than once */
} natlet__json_rest;

/* Finds the values of the `names`, a list of words with a NUL behind each: values[i] is
 * the raw text of the i-th, quotes included, the last one if there are several; its
 * pointer is NULL if there is none.
 *
 * Returns OK, or E_JSON (not one JSON document, or not an object). */
natlet_status natlet__json_members(natlet_slice text, const char *names, natlet_slice *values,
                                   natlet__json_rest *rest);

/* Whether `value`, as above, is the string `word`, however it is escaped. */
bool natlet__json_is(natlet_slice value, const char *word);

#endif
