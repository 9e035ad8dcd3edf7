/* Pulled subscriptions: messages wait in memory of their own, one exact block each,
 * for as long as the program lets them. */
#include "client/queue.h"

#include "base/bytes.h"
#include "client/client.h"

enum { PARTS = 4 };

struct natlet__queue_item {
    natlet__queue_item *next;
    uint32_t bytes; /* of all parts */
    natlet_msg msg; /* its parts lie behind it */
};

_Static_assert(sizeof(natlet_msg) == PARTS * sizeof(natlet_slice), "a message is its four parts");

/* ---- one item ---- */

static natlet__queue_item *copy(natlet__memory *memory, const natlet_msg *msg, uint32_t bytes)
{
    natlet__queue_item *item = natlet__memory_take(memory, sizeof *item + bytes);

    if (item == NULL) {
        return NULL;
    }
    *item = (natlet__queue_item){.bytes = bytes, .msg = *msg};
    natlet_slice *part = &item->msg.subject;
    uint8_t *at = (uint8_t *)(item + 1);
    for (uint32_t i = 0; i < PARTS; i++, part++) {
        uint8_t *end = natlet__put(at, *part);
        part->ptr = at;
        at = end;
    }
    return item;
}

static void drop_first(natlet__memory *memory, natlet__queue *queue)
{
    natlet__queue_item *item = queue->first;

    queue->first = item->next;
    if (item->next == NULL) {
        queue->end = &queue->first;
    }
    queue->is_lent = false;
    queue->info.pending_messages--;
    queue->info.pending_bytes -= item->bytes;
    natlet__memory_give_back(memory, item, sizeof *item + item->bytes);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The pulled subscription by that number, or NULL. */
static natlet__subscription *find(const natlet_client *client, uint32_t sid)
{
    natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);

    return sub != NULL && sub->queue != NULL ? sub : NULL;
}

/* ---- what the subscription calls ---- */

natlet_status natlet__queue_open(natlet__subscription *sub, natlet__memory *memory,
                                 const natlet_subscribe_options *options)
{
    natlet__queue *queue = natlet__memory_take(memory, sizeof *queue);

    if (queue == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    *queue = (natlet__queue){.end = &queue->first,
                             .messages_max = options->pending_messages_max,
                             .bytes_max = options->pending_bytes_max};
    if (queue->messages_max == 0) {
        queue->messages_max = NATLET_PENDING_MESSAGES_DEFAULT;
    }
    if (queue->bytes_max == 0) {
        queue->bytes_max = NATLET_PENDING_BYTES_DEFAULT;
    }
    sub->queue = queue;
    return NATLET_OK;
}

void natlet__queue_free(natlet__subscription *sub, natlet__memory *memory)
{
    while (sub->queue->first != NULL) {
        drop_first(memory, sub->queue);
    }
    natlet__memory_give_back(memory, sub->queue, sizeof *sub->queue);
}

/* A message that finds no room is dropped and counted; that is told once, until half
 * of the room is free. */
void natlet__queue_put(natlet_client *client, natlet__subscription *sub, const natlet_msg *msg)
{
    natlet__queue *queue = sub->queue;
    natlet_subscription_info *info = &queue->info;
    uint32_t bytes =
        (uint32_t)(msg->subject.len + msg->reply.len + msg->headers.len + msg->payload.len);
    natlet_status st = NATLET_E_FULL;
    natlet__queue_item *item = NULL;

    if (info->pending_messages < queue->messages_max && bytes <= queue->bytes_max &&
        info->pending_bytes <= queue->bytes_max - bytes) {
        st = NATLET_E_NO_MEMORY;
        item = copy(client->subs.memory, msg, bytes);
    }
    if (item != NULL) {
        *queue->end = item;
        queue->end = &item->next;
        info->pending_messages++;
        info->pending_bytes += bytes;
        info->most_messages = larger(info->most_messages, info->pending_messages);
        info->most_bytes = larger(info->most_bytes, info->pending_bytes);
        return;
    }
    info->dropped++;
    client->stats.dropped++;
    if (!queue->is_slow) {
        queue->is_slow = true;
        natlet__client_tell(client, NATLET_CLIENT_EV_SLOW_CONSUMER, st, (natlet_slice){0},
                            sub->sid);
    }
}

bool natlet__queue_end(natlet_client *client, natlet__subscription *sub, natlet_status why)
{
    bool is_held = why == NATLET_OK && sub->queue->first != NULL;

    if (is_held) {
        sub->is_draining = true;
        sub->is_over = true;
    } else {
        client->stats.dropped += sub->queue->info.pending_messages;
    }
    return is_held;
}

void natlet__queue_clear(natlet_client *client, uint32_t sid)
{
    natlet__subscription *sub = find(client, sid);

    while (sub != NULL && sub->queue->first != NULL) {
        client->stats.dropped++;
        drop_first(client->subs.memory, sub->queue);
    }
}

bool natlet__queue_waits(natlet_client *client, uint32_t sid)
{
    const natlet__member *circle = &client->subs.circle;
    natlet__subscription *sub = find(client, sid);

    if (sid != 0) {
        return sub != NULL && natlet__queue_end(client, sub, NATLET_OK);
    }
    const natlet__member *at = circle->next;

    while (at != circle && !((const natlet__subscription *)at)->is_over) {
        at = at->next;
    }
    return at != circle;
}

/* ---- public ---- */

natlet_status natlet_client_next(natlet_client *client, uint32_t sid, natlet_msg *msg)
{
    natlet__subscription *sub = find(client, sid);

    *msg = (natlet_msg){0};
    if (sub == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    if (sub->queue->first == NULL) {
        return NATLET_EMPTY;
    }
    sub->queue->is_lent = true;
    *msg = sub->queue->first->msg;
    return NATLET_OK;
}

/* The last one of a subscription that was only waiting for that: it ends, and what
 * waited for its end goes on. */
static void finish(natlet_client *client, uint32_t sid)
{
    natlet__waiter *waiter;

    while ((waiter = natlet__waiter_held(&client->pong_waiters, sid)) != NULL) {
        natlet__waiter_end(client, waiter, NATLET_OK, NULL);
    }
    natlet__subscribe_end(client, sid, NATLET_OK);
    waiter = natlet__waiter_held(&client->pong_waiters, 0);
    if (waiter != NULL) {
        natlet__drain_answered(client, waiter);
    }
}

natlet_status natlet_client_release(natlet_client *client, uint32_t sid)
{
    natlet__subscription *sub = find(client, sid);

    if (sub == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    natlet__queue *queue = sub->queue;
    if (!queue->is_lent) {
        return NATLET_EMPTY;
    }
    drop_first(client->subs.memory, queue);
    if (queue->info.pending_messages <= queue->messages_max / 2 &&
        queue->info.pending_bytes <= queue->bytes_max / 2) {
        queue->is_slow = false;
    }
    if (sub->is_over && queue->first == NULL) {
        finish(client, sid);
    }
    return NATLET_OK;
}

natlet_status natlet_client_subscription_info(const natlet_client *client, uint32_t sid,
                                              natlet_subscription_info *out)
{
    const natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);

    *out = (natlet_subscription_info){0};
    if (sub == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    if (sub->queue != NULL) {
        *out = sub->queue->info;
    }
    out->delivered = sub->delivered - out->dropped - out->pending_messages;
    out->is_draining = sub->is_draining;
    return NATLET_OK;
}
