/* Circular lists threaded through the things that stand in them.
 *
 * Internal.  A list is a link that holds nothing: it stands before the first and
 * behind the last.  Nothing here allocates, and no step searches. */
#ifndef NATLET_AGENT_LIST_H
#define NATLET_AGENT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/compiler.h"

typedef struct natlet__link natlet__link;

struct natlet__link {
    natlet__link *next, *prev; /* of a zeroed link NULL: it is in no list */
};

/* Makes an empty list. */
void natlet__list_init(natlet__link *list);

/* Puts a link that is in no list before `place`; before the list is its end. */
NATLET__SMALL void natlet__list_put(natlet__link *place, natlet__link *link)
{
    NATLET_ASSERT(link->next == NULL);
    link->next = place;
    link->prev = place->prev;
    link->prev->next = link;
    place->prev = link;
}

/* Takes a link out of the list in which it is, if any. */
NATLET__SMALL void natlet__list_cut(natlet__link *link)
{
    if (link->next != NULL) {
        link->next->prev = link->prev;
        link->prev->next = link->next;
        link->next = NULL;
    }
}

static inline bool natlet__list_is_empty(const natlet__link *list)
{
    return list->next == list;
}

#endif
