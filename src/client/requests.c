/* Requests over one shared inbox.
 *
 *     reply subject = <prefix>.<22 random characters>.<number>
 *
 * One wildcard subscription takes all answers; the number leads to what waiters in
 * O(1), and its generation tells an answer that comes too late from one that is
 * waited for. */
#include "base/bytes.h"
#include "client/client.h"
#include "client/optional.h"
#include "natlet/headers.h"

NATLET__OPTIONAL(natlet__many_open)
NATLET__OPTIONAL(natlet__many_answered)
NATLET__OPTIONAL(natlet__many_over)

enum { NO_RESPONDERS = 503 };

/* ---- answers ---- */

static natlet__waiter *find_by_number(const natlet__requests *requests, natlet_slice text)
{
    uint64_t number;

    if (!natlet__read_decimal(text, UINT64_MAX, &number)) {
        return NULL;
    }
    natlet__member *member = natlet__roster_find(&requests->waiters, (uint32_t)number);
    return member != NULL && member->number == number ? (natlet__waiter *)member : NULL;
}

/* On a mapped subject the number is lost; with one request pending there is no
 * doubt whose answer it is. */
static natlet__waiter *find_only(const natlet__requests *requests)
{
    natlet__member *oldest = natlet__roster_oldest(&requests->waiters);

    return oldest != NULL && oldest->next == &requests->waiters.circle ? (natlet__waiter *)oldest
                                                                       : NULL;
}

/* The request that a subject of answers is for; *is_ours: it lies inside the inbox. */
static natlet__waiter *find_by_subject(const natlet__requests *requests, natlet_slice subject,
                                       bool *is_ours)
{
    size_t skip = requests->inbox_len;

    *is_ours = requests->inbox_sid != 0 && subject.len > skip &&
               memcmp(subject.ptr, requests->inbox, skip) == 0;
    return *is_ours
               ? find_by_number(requests, (natlet_slice){subject.ptr + skip, subject.len - skip})
               : NULL;
}

void natlet__requests_answered(natlet_client *client, natlet__waiter *waiter, const natlet_msg *msg)
{
    if (waiter == NULL) {
        client->stats.late_replies++;
    } else if (waiter->options.many) {
        natlet__many_answered(client, waiter, msg);
    } else if (msg->payload.len == 0 && msg->headers.len > 0 &&
               natlet_headers_status(msg->headers, NULL) == NO_RESPONDERS) {
        natlet__waiter_end(client, waiter, NATLET_E_NO_RESPONDERS, NULL);
    } else {
        natlet__waiter_end(client, waiter, NATLET_OK, msg);
    }
}

static void on_answer(void *self, uint32_t sid, const natlet_msg *msg)
{
    natlet_client *client = self;
    bool is_ours;
    natlet__waiter *waiter = find_by_subject(&client->requests, msg->subject, &is_ours);

    (void)sid;
    if (!is_ours) {
        waiter = find_only(&client->requests);
    }
    natlet__requests_answered(client, waiter, msg);
}

void natlet__requests_refused(natlet_client *client, natlet_slice subject)
{
    bool is_ours;
    natlet__waiter *waiter = find_by_subject(&client->requests, subject, &is_ours);

    if (!is_ours) {
        waiter = natlet__waiter_find(&client->requests.waiters, natlet__hash(subject));
    }
    if (waiter != NULL) {
        natlet__waiter_end(client, waiter, NATLET_E_PERMISSION, NULL);
    }
}

/* Closed, or the server does not permit the inbox. */
static void on_inbox_ended(void *self, uint32_t sid, natlet_status why)
{
    natlet_client *client = self;

    (void)sid;
    client->requests.inbox_sid = 0;
    natlet__waiter_end_all(client, &client->requests.waiters, why);
}

static natlet_status open_inbox(natlet_client *client)
{
    natlet__requests *requests = &client->requests;
    const natlet_subscribe_options none = {0};
    const natlet_sink sink = {client, on_answer, on_inbox_ended};
    size_t len = natlet_client_inbox(client, requests->inbox, sizeof requests->inbox);
    requests->inbox[len++] = '.';
    requests->inbox[len] = '*';
    requests->inbox_len = (uint32_t)len;
    return natlet__subscribe(client, (natlet_slice){requests->inbox, len + 1}, &none, &sink,
                             &requests->inbox_sid);
}

/* ---- asking ---- */

/* The reply subject is the shared inbox with the request's number, or one of its own. */
static natlet_status send_request(natlet_client *client, const natlet_msg *msg,
                                  natlet__waiter *waiter)
{
    natlet__requests *requests = &client->requests;
    natlet_msg asking = *msg;

    if (waiter->options.own_inbox) {
        natlet_status st = natlet__many_open(client, waiter);
        if (st < 0) {
            return st;
        }
        asking.reply.ptr = requests->own;
        asking.reply.len = client->config.inbox_prefix.len + 1 + NATLET__INBOX_RANDOM;
    } else {
        asking.reply.ptr = requests->inbox;
        asking.reply.len =
            requests->inbox_len +
            natlet__write_decimal(requests->inbox + requests->inbox_len, waiter->member.number);
    }
    return natlet__publish(client, &asking);
}

natlet_status natlet__request(natlet_client *client, const natlet_msg *msg,
                              const natlet_request_options *options, natlet_reply_fn reply,
                              void *self, uint32_t *id)
{
    natlet_status st = client->state == NATLET_CLIENT_DRAINING ? NATLET_E_DRAINING
                                                               : natlet__publish_check(client, msg);

    if (st == NATLET_OK && client->requests.inbox_sid == 0 && !options->own_inbox) {
        st = open_inbox(client);
    }
    if (st < 0) {
        return st;
    }
    natlet__waiter *waiter =
        natlet__waiter_begin(client, NATLET__WAITER_REPLY, options->timeout_ms, self);
    if (waiter == NULL) {
        return natlet__roster_refusal(&client->requests.waiters);
    }
    waiter->fn.reply = reply;
    waiter->key = natlet__hash(msg->subject);
    waiter->options = *options;
    waiter->asked_us = waiter->timer.due_us;
    st = send_request(client, msg, waiter);
    if (st < 0) {
        uint32_t sid = waiter->sid;
        natlet__waiter_drop(client, waiter);
        if (sid != 0) {
            natlet__many_over(client, sid);
        }
        return st;
    }
    natlet__pongs_awaited(client);
    if (id != NULL) {
        *id = (uint32_t)waiter->member.number;
    }
    return st;
}

/* ---- public ---- */

natlet_status natlet_client_request(natlet_client *client, const natlet_msg *msg,
                                    uint32_t timeout_ms, natlet_reply_fn reply, void *self,
                                    uint32_t *id)
{
    const natlet_request_options options = {.timeout_ms = timeout_ms};

    return natlet__request(client, msg, &options, reply, self, id);
}

natlet_status natlet_client_cancel(natlet_client *client, uint32_t id)
{
    natlet__member *member = natlet__roster_find(&client->requests.waiters, id);

    if (member == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    natlet__waiter_end(client, (natlet__waiter *)member, NATLET_E_CANCELLED, NULL);
    return NATLET_OK;
}
