#include "client/subscriptions.h"

#include "base/assert.h"
#include "base/bytes.h"

#define SLOT_BITS 20
#define SLOT_MASK ((UINT32_C(1) << SLOT_BITS) - 1)

enum { CAP_MIN = 8 };

_Static_assert(NATLET_SUBSCRIPTIONS_MAX <= SLOT_MASK, "every slot fits into a sid");

natlet_slice natlet__subscription_subject(const natlet__subscription *sub)
{
    return (natlet_slice){sub->text, sub->subject_len};
}

natlet_slice natlet__subscription_queue(const natlet__subscription *sub)
{
    return (natlet_slice){sub->text + sub->subject_len, sub->queue_len};
}

static size_t text_bytes(const natlet__subscription *sub)
{
    return (size_t)sub->subject_len + sub->queue_len;
}

void natlet__subscriptions_free(natlet__subscriptions *subs)
{
    for (uint32_t i = 0; i < subs->count; i++) {
        natlet__memory_give_back(subs->memory, subs->list[i].text, text_bytes(&subs->list[i]));
    }
    natlet__memory_give_back(subs->memory, subs->list, subs->cap * sizeof *subs->list);
}

static natlet_status grow(natlet__subscriptions *subs)
{
    uint32_t cap = subs->cap == 0 ? CAP_MIN : subs->cap * 2;

    if (subs->cap >= subs->cap_max) {
        return NATLET_E_LIMIT;
    }
    cap = cap < subs->cap_max ? cap : subs->cap_max;
    natlet__subscription *list = natlet__memory_resize(
        subs->memory, subs->list, subs->cap * sizeof *list, cap * sizeof *list);
    if (list == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    subs->list = list;
    subs->cap = cap;
    return NATLET_OK;
}

/* A free entry, its sid already that of the next generation. */
static natlet_status take_entry(natlet__subscriptions *subs, natlet__subscription **out)
{
    if (subs->free_slot != 0) {
        *out = &subs->list[subs->free_slot - 1];
        subs->free_slot = (*out)->next_free;
        return NATLET_OK;
    }
    natlet_status st = subs->count < subs->cap ? NATLET_OK : grow(subs);
    if (st == NATLET_OK) {
        *out = &subs->list[subs->count++];
        (*out)->sid = subs->count;
    }
    return st;
}

natlet_status natlet__subscriptions_add(natlet__subscriptions *subs, natlet_slice subject,
                                        natlet_slice queue, natlet__subscription **out)
{
    natlet__subscription *sub;
    uint8_t *text = natlet__memory_take(subs->memory, subject.len + queue.len);

    if (text == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = take_entry(subs, &sub);
    if (st < 0) {
        natlet__memory_give_back(subs->memory, text, subject.len + queue.len);
        return st;
    }
    (void)natlet__put(natlet__put(text, subject), queue);
    *sub = (natlet__subscription){.text = text,
                                  .sid = sub->sid + (SLOT_MASK + 1), /* wraps after 4096 */
                                  .subject_len = (uint16_t)subject.len,
                                  .queue_len = (uint16_t)queue.len};
    subs->live++;
    *out = sub;
    return NATLET_OK;
}

natlet__subscription *natlet__subscriptions_find(const natlet__subscriptions *subs, uint64_t sid)
{
    uint32_t slot = (uint32_t)sid & SLOT_MASK;

    if (slot == 0 || slot > subs->count) {
        return NULL;
    }
    natlet__subscription *sub = &subs->list[slot - 1];
    return sub->sid == sid && sub->text != NULL ? sub : NULL;
}

natlet__subscription *natlet__subscriptions_next(const natlet__subscriptions *subs, uint32_t sid)
{
    for (uint32_t slot = sid & SLOT_MASK; slot < subs->count; slot++) {
        if (subs->list[slot].text != NULL) {
            return &subs->list[slot];
        }
    }
    return NULL;
}

void natlet__subscriptions_remove(natlet__subscriptions *subs, natlet__subscription *sub)
{
    NATLET_ASSERT(sub->text != NULL && subs->live > 0);
    natlet__memory_give_back(subs->memory, sub->text, text_bytes(sub));
    sub->text = NULL;
    sub->next_free = subs->free_slot;
    subs->free_slot = sub->sid & SLOT_MASK;
    subs->live--;
}
