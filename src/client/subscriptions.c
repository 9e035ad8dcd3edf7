#include "client/subscriptions.h"

#include "base/bytes.h"

natlet_slice natlet__subscription_subject(const natlet__subscription *sub)
{
    return (natlet_slice){sub->text, sub->subject_len};
}

natlet_slice natlet__subscription_queue(const natlet__subscription *sub)
{
    return (natlet_slice){sub->text + sub->subject_len, sub->queue_len};
}

void natlet__subscriptions_init(natlet__roster *subs, natlet__memory *memory, uint32_t max)
{
    natlet__roster_init(subs, memory, sizeof(natlet__subscription), max);
}

void natlet__subscriptions_free(natlet__roster *subs)
{
    natlet__member *member;

    while ((member = natlet__roster_oldest(subs)) != NULL) {
        natlet__subscriptions_remove(subs, (natlet__subscription *)member);
    }
    natlet__roster_free(subs);
}

natlet_status natlet__subscriptions_add(natlet__roster *subs, natlet_slice subject,
                                        natlet_slice queue, natlet__subscription **out)
{
    natlet__member *member;
    uint8_t *text = natlet__memory_take(subs->memory, subject.len + queue.len);
    natlet_status st = text != NULL ? natlet__roster_take(subs, &member) : NATLET_E_NO_MEMORY;

    if (st < 0) {
        natlet__memory_give_back(subs->memory, text, subject.len + queue.len);
        return st;
    }
    (void)natlet__put(natlet__put(text, subject), queue);
    natlet__subscription *sub = (natlet__subscription *)member;
    memset(member + 1, 0, sizeof *sub - sizeof *member);
    sub->text = text;
    sub->sid = (uint32_t)member->number;
    sub->subject_len = (uint32_t)subject.len;
    sub->queue_len = (uint32_t)queue.len;
    *out = sub;
    return NATLET_OK;
}

natlet__subscription *natlet__subscriptions_find(const natlet__roster *subs, uint64_t sid)
{
    return sid <= UINT32_MAX ? (natlet__subscription *)natlet__roster_find(subs, (uint32_t)sid)
                             : NULL;
}

natlet__subscription *natlet__subscriptions_next(const natlet__roster *subs, uint32_t sid)
{
    return (natlet__subscription *)natlet__roster_next(subs, sid);
}

void natlet__subscriptions_remove(natlet__roster *subs, natlet__subscription *sub)
{
    natlet__memory_give_back(subs->memory, sub->text, (size_t)sub->subject_len + sub->queue_len);
    natlet__roster_give_back(subs, &sub->member);
}
