/* A table of things that have a number: number to thing in O(1).
 *
 *     number = generation << 20 | slot       slots from 1, so no number is 0
 *
 * Internal.  A thing stays in place while it is in use and is used again
 * afterwards; its next number is another one, so that an old number leads to
 * nothing.  Those in use form a circle in the order in which they were taken. */
#ifndef NATLET_CLIENT_ROSTER_H
#define NATLET_CLIENT_ROSTER_H

#include "base/memory.h"
#include "natlet/status.h"

typedef struct natlet__member natlet__member;

/* First in whatever a table holds. */
struct natlet__member {
    natlet__member *next; /* in the circle; of the next free one */
    natlet__member *prev; /* NULL: it is free */
    uint64_t number;      /* kept when free, for the generation */
};

typedef struct natlet__roster {
    natlet__member circle; /* its own next is the oldest in use */
    natlet__memory *memory;
    natlet__member **slots; /* number n is in slots[slot of n - 1] */
    natlet__member *free;
    uint32_t member_bytes;
    uint32_t count, cap, max; /* slots: ever used, there are, there may be */
} natlet__roster;

enum { NATLET__ROSTER_MAX = (1 << 20) - 1 };

/* Makes it empty, for at most `max` (<= NATLET__ROSTER_MAX) things. */
void natlet__roster_init(natlet__roster *roster, natlet__memory *memory, uint32_t member_bytes,
                         uint32_t max);
void natlet__roster_free(natlet__roster *roster);

/* Takes a thing into use; what stands in it behind the member is left from its last
 * use.  NULL: there is none. */
natlet__member *natlet__roster_take(natlet__roster *roster);

/* Why: E_LIMIT or E_NO_MEMORY. */
natlet_status natlet__roster_refusal(const natlet__roster *roster);

void natlet__roster_give_back(natlet__roster *roster, natlet__member *member);

/* The one whose number has these lower 32 bits; NULL if none is in use. */
natlet__member *natlet__roster_find(const natlet__roster *roster, uint32_t number);

/* The oldest in use, or NULL. */
static inline natlet__member *natlet__roster_oldest(const natlet__roster *roster)
{
    return roster->circle.next != &roster->circle ? roster->circle.next : NULL;
}

/* How many are in use: counted, not known. */
uint32_t natlet__roster_used(const natlet__roster *roster);

#endif
