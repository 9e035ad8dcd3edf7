/* Requests over one shared inbox.
 *
 *     reply subject = <prefix>.<22 random characters>.<token>
 *     token         = generation << 20 | slot, in base 62
 *
 * One wildcard subscription takes all answers; the token leads to the slot in
 * O(1), and its generation tells an answer that comes too late from one that is
 * waited for. */
#include "base/assert.h"
#include "base/bytes.h"
#include "client/client.h"
#include "natlet/headers.h"

enum { CHUNK_MIN_BITS = 4, SLOT_BITS = 20, NO_RESPONDERS = 503 };

#define SLOT_MASK ((UINT32_C(1) << SLOT_BITS) - 1)

/* Chunk c holds 16 << c slots, so all of them hold no more than a slot number can say. */
_Static_assert(CHUNK_MIN_BITS + NATLET__REQUEST_CHUNKS == SLOT_BITS, "every slot has its bits");

/* ---- tokens ---- */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum { BASE = sizeof digits - 1 };

static uint64_t number_of(const natlet__request *request)
{
    return (uint64_t)request->generation << SLOT_BITS | request->slot;
}

/* 52 bits: at most NATLET__TOKEN_MAX characters. */
static size_t write_token(uint8_t *out, uint64_t number)
{
    size_t len = 0;

    do {
        out[len++] = (uint8_t)digits[number % BASE];
        number /= BASE;
    } while (number > 0);
    NATLET_ASSERT(len <= NATLET__TOKEN_MAX);
    return len;
}

static bool read_token(natlet_slice text, uint64_t *number)
{
    *number = 0;
    for (size_t i = text.len; i > 0; i--) {
        const char *digit = memchr(digits, text.ptr[i - 1], BASE);
        if (digit == NULL) {
            return false;
        }
        *number = *number * BASE + (uint64_t)(digit - digits);
    }
    return text.len <= NATLET__TOKEN_MAX;
}

/* ---- slots ---- */

static size_t chunk_bytes(uint32_t chunk)
{
    return sizeof(natlet__request) << (CHUNK_MIN_BITS + chunk);
}

/* Slots 0..15 are in chunk 0, 16..47 in chunk 1, 48..111 in chunk 2 ...: with 16
 * added, the highest bit tells the chunk. */
static natlet__request *at_slot(const natlet__requests *requests, uint32_t slot)
{
    uint32_t number = slot + (1u << CHUNK_MIN_BITS);
    uint32_t top = 31u - (uint32_t)__builtin_clz(number);

    return &requests->chunks[top - CHUNK_MIN_BITS][number - (1u << top)];
}

/* Slots are never given back before the client is: what was needed once will be
 * needed again. */
static natlet_status add_chunk(natlet_client *client)
{
    natlet__requests *requests = &client->requests;

    if (requests->chunk_count == NATLET__REQUEST_CHUNKS) {
        return NATLET_E_LIMIT;
    }
    natlet__request *chunk =
        natlet__memory_take(&client->rt->memory, chunk_bytes(requests->chunk_count));
    if (chunk == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    requests->chunks[requests->chunk_count++] = chunk;
    return NATLET_OK;
}

/* Sees to it that free_slot is one. */
static natlet_status make_free_slot(natlet_client *client)
{
    natlet__requests *requests = &client->requests;

    if (requests->free_slot != 0) {
        return NATLET_OK;
    }
    if (requests->used + (1u << CHUNK_MIN_BITS) == 1u << (CHUNK_MIN_BITS + requests->chunk_count)) {
        natlet_status st = add_chunk(client);
        if (st < 0) {
            return st;
        }
    }
    natlet__request *request = at_slot(requests, requests->used);
    request->slot = requests->used++;
    request->timer.kind = NATLET__TIMER_REQUEST;
    requests->free_slot = requests->used;
    return NATLET_OK;
}

static void give_back_slot(natlet__requests *requests, natlet__request *request)
{
    request->reply = NULL;
    request->generation++;
    request->next_free = requests->free_slot;
    requests->free_slot = request->slot + 1;
}

/* The slot is free before the callback runs, which may ask anew. */
static void end(natlet_client *client, natlet__request *request, natlet_status st,
                const natlet_msg *reply)
{
    natlet_reply_fn fn = request->reply;
    void *self = request->self;

    natlet__timers_stop(&client->timers, &request->timer);
    give_back_slot(&client->requests, request);
    client->requests.live--;
    fn(self, st, reply);
}

void natlet__requests_timeout(natlet_client *client, natlet__timer *timer)
{
    end(client, (natlet__request *)timer, NATLET_E_TIMEOUT, NULL);
}

void natlet__requests_end_all(natlet_client *client, natlet_status why)
{
    const natlet__requests *requests = &client->requests;
    uint64_t now = client->timers.started; /* later ones are of a callback, and live on */

    for (uint32_t slot = 0; slot < requests->used && requests->live > 0; slot++) {
        natlet__request *request = at_slot(requests, slot);
        if (request->reply != NULL && request->timer.order < now) {
            end(client, request, why, NULL);
        }
    }
}

void natlet__requests_free(natlet_client *client)
{
    natlet__requests *requests = &client->requests;

    for (uint32_t i = 0; i < requests->chunk_count; i++) {
        natlet__memory_give_back(&client->rt->memory, requests->chunks[i], chunk_bytes(i));
    }
}

/* FNV-1a: only to tell requests apart when the server refuses one. */
static uint32_t hash(natlet_slice text)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ text.ptr[i]) * 16777619u;
    }
    return sum;
}

void natlet__requests_refused(natlet_client *client, natlet_slice subject)
{
    const natlet__requests *requests = &client->requests;
    natlet__request *oldest = NULL;
    uint32_t wanted = hash(subject);

    for (uint32_t slot = 0; slot < requests->used; slot++) {
        natlet__request *request = at_slot(requests, slot);
        if (request->reply != NULL && request->subject_hash == wanted &&
            (oldest == NULL || request->timer.order < oldest->timer.order)) {
            oldest = request;
        }
    }
    if (oldest != NULL) {
        end(client, oldest, NATLET_E_PERMISSION, NULL);
    }
}

/* ---- answers ---- */

static natlet__request *find_by_token(const natlet__requests *requests, natlet_slice token)
{
    uint64_t number;

    if (!read_token(token, &number) || (number & SLOT_MASK) >= requests->used) {
        return NULL;
    }
    natlet__request *request = at_slot(requests, (uint32_t)number & SLOT_MASK);
    return request->reply != NULL && number_of(request) == number ? request : NULL;
}

/* On a mapped subject the token is lost; with one request pending there is no
 * doubt whose answer it is. */
static natlet__request *find_only(const natlet__requests *requests)
{
    for (uint32_t slot = 0; requests->live == 1 && slot < requests->used; slot++) {
        natlet__request *request = at_slot(requests, slot);
        if (request->reply != NULL) {
            return request;
        }
    }
    return NULL;
}

static void on_answer(void *self, uint32_t sid, const natlet_msg *msg)
{
    natlet_client *client = self;
    const natlet__requests *requests = &client->requests;
    natlet_slice subject = msg->subject;
    natlet__request *request;

    (void)sid;
    if (subject.len > requests->inbox_len &&
        memcmp(subject.ptr, requests->inbox, requests->inbox_len) == 0) {
        natlet__skip(&subject, requests->inbox_len);
        request = find_by_token(requests, subject);
    } else {
        request = find_only(requests);
    }
    if (request == NULL) {
        client->stats.late_replies++;
    } else if (msg->payload.len == 0 && msg->headers.len > 0 &&
               natlet_headers_status(msg->headers, NULL) == NO_RESPONDERS) {
        end(client, request, NATLET_E_NO_RESPONDERS, NULL);
    } else {
        end(client, request, NATLET_OK, msg);
    }
}

/* Closed, or the server does not permit the inbox. */
static void on_inbox_ended(void *self, uint32_t sid, natlet_status why)
{
    natlet_client *client = self;

    (void)sid;
    client->requests.inbox_sid = 0;
    natlet__requests_end_all(client, why);
}

static natlet_status open_inbox(natlet_client *client)
{
    natlet__requests *requests = &client->requests;
    const natlet_sink sink = {client, on_answer, on_inbox_ended};
    const natlet_subscribe_options options = {0};

    size_t len = natlet_client_inbox(client, requests->inbox, sizeof requests->inbox);
    requests->inbox[len++] = '.';
    requests->inbox[len] = '*';
    requests->inbox_len = (uint32_t)len;
    return natlet__subscribe(client, (natlet_slice){requests->inbox, len + 1}, &options, &sink,
                             &requests->inbox_sid);
}

/* ---- public ---- */

static natlet_status send_request(natlet_client *client, const natlet_msg *msg, uint64_t number)
{
    natlet__requests *requests = &client->requests;
    size_t token_len = write_token(requests->inbox + requests->inbox_len, number);
    const natlet_msg asking = {.subject = msg->subject,
                               .reply = {requests->inbox, requests->inbox_len + token_len},
                               .headers = msg->headers,
                               .payload = msg->payload};

    return natlet__publish(client, &asking);
}

natlet_status natlet_client_request(natlet_client *client, const natlet_msg *msg,
                                    uint32_t timeout_ms, natlet_reply_fn reply, void *self,
                                    uint32_t *id)
{
    natlet__requests *requests = &client->requests;
    natlet_status st = client->state == NATLET_CLIENT_DRAINING ? NATLET_E_DRAINING
                                                               : natlet__publish_check(client, msg);

    if (st == NATLET_OK && requests->inbox_sid == 0) {
        st = open_inbox(client);
    }
    if (st == NATLET_OK) {
        st = make_free_slot(client);
    }
    if (st < 0) {
        return st;
    }
    natlet__request *request = at_slot(requests, requests->free_slot - 1);
    st = send_request(client, msg, number_of(request));
    if (st < 0) {
        return st;
    }
    requests->free_slot = request->next_free;
    requests->live++;
    request->reply = reply;
    request->self = self;
    request->subject_hash = hash(msg->subject);
    /* Never due in this very turn, or a callback that asks again would not end. */
    natlet__client_start(client, &request->timer, (uint64_t)timeout_ms * NATLET__US_PER_MS + 1);
    if (id != NULL) {
        *id = (uint32_t)number_of(request);
    }
    return NATLET_OK;
}

natlet_status natlet_client_cancel(natlet_client *client, uint32_t id)
{
    const natlet__requests *requests = &client->requests;
    uint32_t slot = id & SLOT_MASK;
    natlet__request *request = slot < requests->used ? at_slot(requests, slot) : NULL;

    if (request == NULL || request->reply == NULL || (uint32_t)number_of(request) != id) {
        return NATLET_E_NOT_FOUND;
    }
    end(client, request, NATLET_E_CANCELLED, NULL);
    return NATLET_OK;
}
