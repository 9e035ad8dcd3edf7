/* Requests with several answers (ADR-47), and requests with an inbox of their own.
 *
 * The timer of the waiter is that of the next end that is possible: of all of it, or of
 * a stall, which begins with the first answer. */
#include "base/bytes.h"
#include "client/client.h"
#include "natlet/headers.h"

enum { NO_RESPONDERS = 503 };

/* ---- an inbox of its own ---- */

static natlet__waiter *find_by_sid(const natlet__roster *waiters, uint32_t sid)
{
    const natlet__member *circle = &waiters->circle;
    natlet__member *at = circle->next;

    while (at != circle && ((natlet__waiter *)at)->sid != sid) {
        at = at->next;
    }
    return at != circle ? (natlet__waiter *)at : NULL;
}

static void on_answer(void *self, uint32_t sid, const natlet_msg *msg)
{
    natlet_client *client = self;

    natlet__requests_answered(client, find_by_sid(&client->requests.waiters, sid), msg);
}

/* Of a request that is over nothing is left to find. */
static void on_inbox_ended(void *self, uint32_t sid, natlet_status why)
{
    natlet_client *client = self;
    natlet__waiter *waiter = find_by_sid(&client->requests.waiters, sid);

    if (waiter != NULL) {
        waiter->sid = 0;
        natlet__waiter_end(client, waiter, why, NULL);
    }
}

natlet_status natlet__many_open(natlet_client *client, natlet__waiter *waiter)
{
    const natlet_subscribe_options none = {0};
    const natlet_sink sink = {client, on_answer, on_inbox_ended};
    natlet_slice name = {client->requests.own, 0};

    name.len = natlet_client_inbox(client, client->requests.own, sizeof client->requests.own);
    return natlet__subscribe(client, name, &none, &sink, &waiter->sid);
}

/* Where no UNSUB can be written the server goes on, and what it sends has no way. */
void natlet__many_over(natlet_client *client, uint32_t sid)
{
    if (natlet_client_unsubscribe(client, sid, 0) < 0) {
        natlet__subscribe_end(client, sid, NATLET_OK);
    }
}

/* ---- several answers ---- */

static void wait_on(natlet_client *client, natlet__waiter *waiter)
{
    uint64_t due =
        natlet__client_now_us(client) + (uint64_t)waiter->options.stall_ms * NATLET__US_PER_MS;

    if (waiter->options.stall_ms > 0) {
        natlet__timers_start(&client->timers, &waiter->timer,
                             due < waiter->asked_us ? due : waiter->asked_us);
    }
}

void natlet__many_answered(natlet_client *client, natlet__waiter *waiter, const natlet_msg *msg)
{
    const natlet_request_options *options = &waiter->options;
    uint64_t number = waiter->member.number;
    uint32_t status = msg->payload.len == 0 ? natlet_headers_status(msg->headers, NULL) : 0;

    if (status == NO_RESPONDERS) {
        natlet__waiter_end(client, waiter, NATLET_E_NO_RESPONDERS, NULL);
        return;
    }
    if (status == 0 && (msg->payload.len > 0 || !options->until_empty)) {
        bool is_last = ++waiter->answers == options->replies_max;
        wait_on(client, waiter);
        waiter->fn.reply(waiter->self, NATLET_MORE, msg);
        natlet__member *member = natlet__roster_find(&client->requests.waiters, (uint32_t)number);
        waiter = is_last ? (natlet__waiter *)member : NULL; /* it may be over by now */
    }
    if (waiter != NULL) {
        natlet__waiter_end(client, waiter, NATLET_OK, NULL);
    }
}

/* ---- public ---- */

natlet_status natlet_client_request_many(natlet_client *client, const natlet_msg *msg,
                                         const natlet_request_options *options,
                                         natlet_reply_fn reply, void *self, uint32_t *id)
{
    natlet_request_options checked = *options;

    checked.many |= options->replies_max > 1;
    return natlet__request(client, msg, &checked, reply, self, id);
}
