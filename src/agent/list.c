#include "agent/list.h"

void natlet__list_init(natlet__link *list)
{
    list->next = list;
    list->prev = list;
}
