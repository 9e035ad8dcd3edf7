/* Subscriptions as the caller and the server see them; the table itself is
 * subscriptions.c. */
#include "base/bytes.h"
#include "client/client.h"
#include "client/optional.h"
#include "natlet/subject.h"
#include "proto/writer.h"

NATLET__OPTIONAL(natlet__queue_open)
NATLET__OPTIONAL(natlet__queue_put)
NATLET__OPTIONAL(natlet__queue_end)
NATLET__OPTIONAL(natlet__queue_clear)

/* Where nothing is ever pulled the linker finds out. */
static inline bool is_pulled(const natlet__subscription *sub)
{
    return natlet__queue_open != NULL && sub->queue != NULL;
}

/* ---- to the server ---- */

static bool is_up(const natlet_client *client)
{
    return client->link.state == NATLET__LINK_UP;
}

static natlet_status write_unsub(natlet_client *client, uint32_t sid, uint64_t max)
{
    natlet_status st = natlet__client_begin(client, NATLET__PUB_EXTRA_MAX);

    if (st == NATLET_OK) {
        natlet__outbox_wrote(&client->outbox,
                             natlet__write_unsub(natlet__outbox_at(&client->outbox), sid, max));
    }
    return st;
}

/* SUB, and UNSUB with what is left of its maximum: the server counts from this SUB. */
static natlet_status write_sub(natlet_client *client, natlet__subscription *sub)
{
    natlet_status st =
        natlet__client_begin(client, (size_t)sub->len + 2 * (size_t)NATLET__PUB_EXTRA_MAX);

    if (st < 0) {
        return st;
    }
    uint8_t *at = natlet__outbox_at(&client->outbox);
    size_t len =
        natlet__write_sub(at, (natlet_slice){sub->text, sub->len}, (natlet_slice){0}, sub->sid);
    if (sub->last != UINT64_MAX) {
        len += natlet__write_unsub(at + len, sub->sid, sub->last + 1 - sub->delivered);
    }
    sub->delivered_before = sub->delivered;
    natlet__outbox_wrote(&client->outbox, len);
    return NATLET_OK;
}

natlet_status natlet__subscribe_leave(natlet_client *client)
{
    const natlet__member *circle = &client->subs.circle;
    natlet_status st = NATLET_OK;

    for (natlet__member *at = circle->next; st == NATLET_OK && at != circle; at = at->next) {
        st = write_unsub(client, ((natlet__subscription *)at)->sid, 0);
    }
    return st;
}

natlet_status natlet__subscribe_again(natlet_client *client)
{
    const natlet__member *circle = &client->subs.circle;
    natlet_status st = NATLET_OK;

    for (natlet__member *at = circle->next; st == NATLET_OK && at != circle; at = at->next) {
        natlet__subscription *sub = (natlet__subscription *)at;
        st = sub->is_over ? NATLET_OK : write_sub(client, sub);
    }
    return st;
}

/* ---- ending ---- */

void natlet__subscribe_end(natlet_client *client, uint32_t sid, natlet_status why)
{
    natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);

    if (sub == NULL || (is_pulled(sub) && natlet__queue_end(client, sub, why))) {
        return;
    }
    natlet_sink sink = sub->sink;
    natlet__subscriptions_remove(&client->subs, sub);
    (void)natlet__move_back(client);
    if (sink.ended != NULL) {
        sink.ended(sink.self, sid, why);
    }
}

/* What will get nothing any more: draining ones, and those whose last message came
 * but whose callback trapped. */
static bool is_finished(const natlet__subscription *sub)
{
    return !sub->is_over && (sub->is_draining || sub->delivered > sub->last);
}

/* A callback may change anything, so after each it begins anew; what stays in front
 * of those that end are few, the inbox if any. */
void natlet__subscribe_end_all(natlet_client *client, natlet_status why)
{
    const natlet__member *circle = &client->subs.circle;
    const natlet__member *at = circle->next;

    while (at != circle) {
        const natlet__subscription *sub = (const natlet__subscription *)at;
        at = at->next;
        if (why < 0 || is_finished(sub)) {
            natlet__subscribe_end(client, sub->sid, why);
            at = circle->next;
        }
    }
}

natlet_status natlet__subscribe_drain(natlet_client *client, natlet__subscription *sub)
{
    natlet_status st = sub->is_draining ? NATLET_OK : write_unsub(client, sub->sid, 0);

    sub->is_draining |= st == NATLET_OK;
    return st;
}

/* The server takes no more: of SUBs, which it takes in order, the last one that it does
 * not serve yet; of anything else none. */
static uint32_t newest(const natlet_client *client, natlet_slice text)
{
    const natlet__member *circle = &client->subs.circle;
    const natlet__member *at = circle->prev;

    while (at != circle && ((const natlet__subscription *)at)->delivered > 0) {
        at = at->prev;
    }
    return at != circle &&
                   natlet__starts_nocase(text, (natlet_slice)NATLET_TEXT("maximum subscriptions"))
               ? ((const natlet__subscription *)at)->sid
               : 0;
}

/* Behind the subject stands '"', and then what else SUB said, ' using queue "q"', and the
 * number where it is about one that was there already, ' (sid "7")'. */
uint32_t natlet__subscribe_refused(const natlet_client *client, natlet_slice subject,
                                   natlet_slice text)
{
    const natlet__member *circle = &client->subs.circle;
    natlet_slice words;
    natlet_slice name;
    natlet_slice queue = {0};
    uint64_t sid;

    if (subject.len == 0) {
        return newest(client, text);
    }
    natlet__skip(&text, (size_t)(subject.ptr - text.ptr) + subject.len + 1);
    while (natlet__cut(&text, '"', &words) && natlet__cut(&text, '"', &name)) {
        bool is_sid = words.len > 1 && words.ptr[1] == '(';
        if (is_sid && natlet__read_decimal(name, UINT32_MAX, &sid)) {
            return natlet__subscriptions_find(&client->subs, sid) != NULL ? (uint32_t)sid : 0;
        }
        queue = name;
    }
    for (natlet__member *at = circle->next; at != circle; at = at->next) {
        const natlet__subscription *sub = (natlet__subscription *)at;
        const natlet_slice head = {sub->text, subject.len};
        const natlet_slice tail = {sub->text + sub->len - queue.len, queue.len};
        if (sub->len == subject.len + (queue.len > 0) + queue.len && natlet__equal(head, subject) &&
            natlet__equal(tail, queue)) {
            return sub->sid;
        }
    }
    return 0;
}

/* ---- routing ---- */

/* A message came from the server that is left: the new one has to send one less. */
static void count_elsewhere(natlet_client *client, natlet__subscription *sub)
{
    sub->delivered_before++;
    if (sub->last != UINT64_MAX) {
        (void)write_unsub(client, sub->sid, sub->last + 1 - sub->delivered_before);
    }
}

void natlet__subscribe_deliver(natlet_client *client, uint64_t sid, const natlet_msg *msg)
{
    natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);

    client->stats.in_messages++;
    client->stats.in_bytes += msg->headers.len + msg->payload.len;
    if (sub == NULL || sub->delivered > sub->last) {
        client->stats.unrouted++;
        return;
    }
    bool is_last = sub->delivered++ == sub->last;
    if (natlet__move_back(client)) {
        count_elsewhere(client, sub);
    }
    if (msg->headers.len > NATLET_HEADER_BYTES_MAX) {
        client->stats.dropped++; /* any publisher can send it: not worth the connection */
    } else if (is_pulled(sub)) {
        natlet__queue_put(client, sub, msg);
    } else {
        sub->sink.message(sub->sink.self, (uint32_t)sid, msg);
    }
    if (is_last) {
        natlet__subscribe_end(client, (uint32_t)sid, NATLET_OK);
    }
}

/* ---- public ---- */

natlet_status natlet__subscribe(natlet_client *client, natlet_slice subject,
                                const natlet_subscribe_options *options, const natlet_sink *sink,
                                uint32_t *sid)
{
    natlet__subscription *sub = natlet__subscriptions_add(&client->subs, subject, options->queue);
    natlet_status st = NATLET_OK;

    if (sub == NULL) {
        return natlet__roster_refusal(&client->subs);
    }
    sub->sink = *sink;
    sub->last = options->max - 1;
    *sid = sub->sid;
    if (sink->message == NULL) {
        st = natlet__queue_open != NULL ? natlet__queue_open(sub, client->subs.memory, options)
                                        : NATLET_E_UNSUPPORTED;
    }
    if (st == NATLET_OK && is_up(client)) {
        st = write_sub(client, sub);
    }
    if (st < 0) {
        *sid = 0;
        natlet__subscriptions_remove(&client->subs, sub);
    }
    return st;
}

natlet_status natlet_client_subscribe(natlet_client *client, uint32_t *sid, natlet_slice subject,
                                      const natlet_subscribe_options *options,
                                      const natlet_sink *sink)
{
    static const natlet_subscribe_options none;
    static const natlet_sink pulled;

    options = options != NULL ? options : &none;
    sink = sink != NULL ? sink : &pulled;
    *sid = 0;
    if (client->state == NATLET_CLIENT_CLOSED) {
        return NATLET_E_CLOSED;
    }
    if (client->state == NATLET_CLIENT_DRAINING) {
        return NATLET_E_DRAINING;
    }
    if (natlet_subject_check(subject, NATLET_SUBJECT_SUBSCRIBE) != NATLET_SUBJECT_NONE ||
        (options->queue.len > 0 &&
         natlet_subject_check(options->queue, NATLET_SUBJECT_QUEUE) != NATLET_SUBJECT_NONE)) {
        return NATLET_E_SUBJECT;
    }
    return natlet__subscribe(client, subject, options, sink, sid);
}

natlet_status natlet_client_unsubscribe(natlet_client *client, uint32_t sid, uint64_t max)
{
    natlet__subscription *sub = natlet__subscriptions_find(&client->subs, sid);

    if (sub == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    bool is_over = max <= sub->delivered;
    if (is_up(client) && !sub->is_draining) {
        natlet_status st = write_unsub(client, sid, is_over ? 0 : max - sub->delivered_before);
        if (st < 0) {
            return st;
        }
    }
    sub->last = max - 1;
    if (max == 0 && is_pulled(sub)) {
        natlet__queue_clear(client, sid);
    }
    if (is_over) {
        natlet__subscribe_end(client, sid, NATLET_OK);
    }
    return NATLET_OK;
}
