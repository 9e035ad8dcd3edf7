#include "oracle/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static term terms[TERMS_MAX];
static uint32_t used;

void terms_forget(void)
{
    used = 0;
}

static const char *skip(const char *at)
{
    return at + strspn(at, " \t");
}

static bool read_items(term *t, const char **at, char close)
{
    *at = skip(*at + 1);
    while (**at != close) {
        const term *item = t->count < TERM_ITEMS_MAX ? terms_read(at) : NULL;
        if (item == NULL) {
            return false;
        }
        t->items[t->count++] = item;
        *at = skip(*at);
        *at = skip(*at + (**at == ',' ? 1 : 0));
    }
    (*at)++;
    return true;
}

static bool read_atom(term *t, const char **at)
{
    size_t len = strspn(*at, "abcdefghijklmnopqrstuvwxyz_0123456789");

    if (len == 0 || len > TERM_ATOM_MAX) {
        return false;
    }
    memcpy(t->atom, *at, len);
    *at += len;
    return true;
}

const term *terms_read(const char **at)
{
    if (used == TERMS_MAX) {
        return NULL;
    }
    term *t = &terms[used++];
    *t = (term){0};
    *at = skip(*at);
    if (**at == '{' || **at == '[') {
        t->kind = **at == '{' ? TERM_TUPLE : TERM_LIST;
        return read_items(t, at, **at == '{' ? '}' : ']') ? t : NULL;
    }
    if (**at == '-' || (**at >= '0' && **at <= '9')) {
        char *end;
        t->kind = TERM_INT;
        t->value = (int32_t)strtol(*at, &end, 10);
        *at = end;
        return t;
    }
    t->kind = TERM_ATOM;
    return read_atom(t, at) ? t : NULL;
}

const term *term_at(const term *t, uint32_t i)
{
    if (i >= t->count) {
        printf("not a scenario: item %u is missing\n", (unsigned)i);
        exit(2);
    }
    return t->items[i];
}

int32_t term_int(const term *t, uint32_t i)
{
    return term_at(t, i)->value;
}

bool term_is(const term *t, const char *atom)
{
    return t->kind == TERM_ATOM && strcmp(t->atom, atom) == 0;
}
