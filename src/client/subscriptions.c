#include "client/subscriptions.h"

#include "base/bytes.h"
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__queue_free)

void natlet__subscriptions_free(natlet__roster *subs)
{
    natlet__member *member;

    while ((member = natlet__roster_oldest(subs)) != NULL) {
        natlet__subscriptions_remove(subs, (natlet__subscription *)member);
    }
    natlet__roster_free(subs);
}

natlet__subscription *natlet__subscriptions_add(natlet__roster *subs, natlet_slice subject,
                                                natlet_slice queue)
{
    size_t len = subject.len + (queue.len > 0 ? 1 + queue.len : 0);
    uint8_t *text = natlet__memory_take(subs->memory, len);
    natlet__member *member = text != NULL ? natlet__roster_take(subs) : NULL;

    if (member == NULL) {
        natlet__memory_give_back(subs->memory, text, len);
        return NULL;
    }
    natlet__subscription *sub = (natlet__subscription *)member;
    memset(member + 1, 0, sizeof *sub - sizeof *member);
    sub->text = text;
    sub->len = (uint32_t)len;
    sub->sid = (uint32_t)member->number;
    text = natlet__put(text, subject);
    if (queue.len > 0) {
        *text = ' ';
        (void)natlet__put(text + 1, queue);
    }
    return sub;
}

natlet__subscription *natlet__subscriptions_find(const natlet__roster *subs, uint64_t sid)
{
    return sid <= UINT32_MAX ? (natlet__subscription *)natlet__roster_find(subs, (uint32_t)sid)
                             : NULL;
}

void natlet__subscriptions_remove(natlet__roster *subs, natlet__subscription *sub)
{
    if (natlet__queue_free != NULL && sub->queue != NULL) {
        natlet__queue_free(sub, subs->memory);
    }
    natlet__memory_give_back(subs->memory, sub->text, sub->len);
    natlet__roster_give_back(subs, &sub->member);
}
