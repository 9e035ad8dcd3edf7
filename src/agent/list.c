#include "agent/list.h"

#include "base/assert.h"

void natlet__list_init(natlet__link *list)
{
    list->next = list;
    list->prev = list;
}

void natlet__list_put(natlet__link *place, natlet__link *link)
{
    NATLET_ASSERT(link->next == NULL);
    link->next = place;
    link->prev = place->prev;
    link->prev->next = link;
    place->prev = link;
}

void natlet__list_cut(natlet__link *link)
{
    if (link->next != NULL) {
        link->next->prev = link->prev;
        link->prev->next = link->next;
        link->next = NULL;
    }
}
