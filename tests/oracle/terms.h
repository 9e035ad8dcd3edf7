/* Erlang terms as text: integers, atoms, tuples and lists, which is all that scenarios
 * are made of. */
#ifndef TERMS_H
#define TERMS_H

#include <stdbool.h>
#include <stdint.h>

enum { TERM_ITEMS_MAX = 24, TERM_ATOM_MAX = 15, TERMS_MAX = 512 };

typedef enum term_kind { TERM_INT, TERM_ATOM, TERM_TUPLE, TERM_LIST } term_kind;

typedef struct term {
    term_kind kind;
    int32_t value;
    char atom[TERM_ATOM_MAX + 1];
    uint32_t count;
    const struct term *items[TERM_ITEMS_MAX];
} term;

/* Reads the term at *at and moves *at behind it; valid until terms_forget.  NULL: it is
 * none, or too large. */
const term *terms_read(const char **at);
void terms_forget(void);

/* Item `i`, of which there must be one. */
const term *term_at(const term *t, uint32_t i);
int32_t term_int(const term *t, uint32_t i);
bool term_is(const term *t, const char *atom);

#endif
