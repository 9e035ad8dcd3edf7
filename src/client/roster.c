#include "client/roster.h"

#include <stdbool.h>

#include "base/assert.h"

enum { CAP_MIN = 8, GENERATION = NATLET__ROSTER_MAX + 1 };

void natlet__roster_init(natlet__roster *roster, natlet__memory *memory, uint32_t member_bytes,
                         uint32_t max)
{
    *roster = (natlet__roster){.memory = memory, .member_bytes = member_bytes, .max = max};
    roster->circle.next = &roster->circle;
    roster->circle.prev = &roster->circle;
}

void natlet__roster_free(natlet__roster *roster)
{
    while (roster->count > 0) {
        natlet__memory_give_back(roster->memory, roster->slots[--roster->count],
                                 roster->member_bytes);
    }
    natlet__memory_give_back(roster->memory, (void *)roster->slots,
                             roster->cap * sizeof *roster->slots);
}

static bool make_room(natlet__roster *roster)
{
    uint32_t cap = roster->cap * 2 + CAP_MIN;

    if (roster->count < roster->cap) {
        return true;
    }
    natlet__member **slots = (natlet__member **)natlet__memory_resize(
        roster->memory, (void *)roster->slots, roster->cap * sizeof *slots, cap * sizeof *slots);
    if (slots != NULL) {
        roster->slots = slots;
        roster->cap = cap;
    }
    return slots != NULL;
}

/* A slot that was never used, its thing not yet in use. */
static natlet__member *add(natlet__roster *roster)
{
    if (roster->count == roster->max || !make_room(roster)) {
        return NULL;
    }
    natlet__member *member = natlet__memory_take(roster->memory, roster->member_bytes);
    if (member != NULL) {
        roster->slots[roster->count++] = member;
        member->number = roster->count;
    }
    return member;
}

natlet__member *natlet__roster_take(natlet__roster *roster)
{
    natlet__member *last = roster->circle.prev;
    natlet__member *member = roster->free;

    if (member != NULL) {
        roster->free = member->next;
    } else {
        member = add(roster);
        if (member == NULL) {
            return NULL;
        }
    }
    member->number += GENERATION;
    member->next = &roster->circle;
    member->prev = last;
    last->next = member;
    roster->circle.prev = member;
    return member;
}

natlet_status natlet__roster_refusal(const natlet__roster *roster)
{
    return roster->count == roster->max ? NATLET_E_LIMIT : NATLET_E_NO_MEMORY;
}

void natlet__roster_give_back(natlet__roster *roster, natlet__member *member)
{
    NATLET_ASSERT(member->prev != NULL);
    member->prev->next = member->next;
    member->next->prev = member->prev;
    member->prev = NULL;
    member->next = roster->free;
    roster->free = member;
}

natlet__member *natlet__roster_find(const natlet__roster *roster, uint32_t number)
{
    uint32_t at = (number & NATLET__ROSTER_MAX) - 1;

    if (at >= roster->count) { /* slot 0 is far beyond */
        return NULL;
    }
    natlet__member *member = roster->slots[at];
    return member->prev != NULL && (uint32_t)member->number == number ? member : NULL;
}

uint32_t natlet__roster_used(const natlet__roster *roster)
{
    uint32_t used = 0;

    for (const natlet__member *member = roster->circle.next; member != &roster->circle;
         member = member->next) {
        used++;
    }
    return used;
}
