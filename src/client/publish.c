/* From a message to the outbox. */
#include "base/bytes.h"
#include "client/client.h"
#include "client/optional.h"
#include "natlet/headers.h"
#include "natlet/subject.h"
#include "proto/writer.h"

NATLET__OPTIONAL(natlet__ledger_keeps)
NATLET__OPTIONAL(natlet__ledger_place)
NATLET__OPTIONAL(natlet__ledger_wrote)
NATLET__OPTIONAL(natlet__offline_at)

/* So much is worth a send of its own before the turn ends. */
enum { FLUSH_BYTES = 65536 };

natlet_status natlet__client_begin(natlet_client *client, size_t bytes)
{
    natlet_status st = natlet__outbox_begin(&client->outbox, bytes, false);

    if (st == NATLET_E_FULL) { /* sending makes room more cheaply than growing */
        natlet__link_send(client);
        st = natlet__outbox_begin(&client->outbox, bytes, true);
    }
    client->stats.refused += st == NATLET_E_FULL ? 1 : 0;
    return st;
}

natlet_status natlet__client_write_line(natlet_client *client, natlet_slice line)
{
    natlet_status st = natlet__client_begin(client, line.len);

    if (st == NATLET_OK) {
        (void)natlet__put(natlet__outbox_at(&client->outbox), line);
        natlet__outbox_wrote(&client->outbox, line.len);
    }
    return st;
}

static natlet_status check_state(const natlet_client *client)
{
    switch (client->state) {
    case NATLET_CLIENT_CONNECTED:
        return NATLET_OK;
    case NATLET_CLIENT_DRAINING: /* what is still delivered may be answered */
        return client->drain.is_flushing ? NATLET_E_DRAINING : NATLET_OK;
    case NATLET_CLIENT_IDLE:
    case NATLET_CLIENT_CONNECTING:
    case NATLET_CLIENT_RECONNECTING:
        return client->ledger != NULL && natlet__ledger_keeps(client) ? NATLET_OK
                                                                      : NATLET_E_DISCONNECTED;
    case NATLET_CLIENT_CLOSED:
        return NATLET_E_CLOSED;
    }
    return NATLET_E_CLOSED;
}

static natlet_status check_body(const natlet_client *client, const natlet_msg *msg)
{
    uint32_t max = natlet_client_max_payload(client);

    if (msg->headers.len > 0) {
        if (!client->headers && client->link.state == NATLET__LINK_UP) {
            return NATLET_E_HEADERS_UNSUPPORTED;
        }
        if (natlet_headers_check(msg->headers) < 0) {
            return NATLET_E_HEADER;
        }
    }
    return msg->headers.len <= max && msg->payload.len <= max - msg->headers.len
               ? NATLET_OK
               : NATLET_E_TOO_LARGE;
}

natlet_status natlet__publish(natlet_client *client, const natlet_msg *msg)
{
    natlet__outbox *box = &client->outbox;
    size_t head = msg->subject.len + msg->reply.len + NATLET__PUB_EXTRA_MAX;
    size_t body = msg->headers.len + msg->payload.len;
    natlet_status st =
        client->ledger != NULL ? natlet__ledger_place(client, head + body + 2) : NATLET_OK;

    if (st == NATLET_OK) {
        st = natlet__client_begin(client, head + body + 2);
    }
    if (st < 0) {
        return st;
    }
    uint8_t *start =
        st == NATLET_MORE ? natlet__offline_at(&client->ledger->store) : natlet__outbox_at(box);
    uint8_t *at = start + natlet__write_pub(start, msg);
    at = natlet__put(natlet__put(at, msg->headers), msg->payload);
    *at++ = '\r';
    *at++ = '\n';
    client->stats.out_messages++;
    client->stats.out_bytes += body;
    if (st == NATLET_OK) {
        natlet__outbox_wrote(box, (size_t)(at - start));
    }
    if (client->ledger != NULL) {
        natlet__ledger_wrote(client, st, (size_t)(at - start), body);
    }
    if (natlet__outbox_used(box) >= FLUSH_BYTES) {
        natlet__link_send(client);
    }
    return NATLET_OK;
}

natlet_status natlet__publish_check(const natlet_client *client, const natlet_msg *msg)
{
    natlet_status st = check_state(client);

    if (st < 0) {
        return st;
    }
    if (natlet_subject_check(msg->subject, NATLET_SUBJECT_PUBLISH) != NATLET_SUBJECT_NONE) {
        return NATLET_E_SUBJECT;
    }
    return check_body(client, msg);
}

natlet_status natlet_client_publish(natlet_client *client, const natlet_msg *msg)
{
    natlet_status st = natlet__publish_check(client, msg);

    if (st < 0) {
        return st;
    }
    if (msg->reply.len > 0 &&
        natlet_subject_check(msg->reply, NATLET_SUBJECT_PUBLISH) != NATLET_SUBJECT_NONE) {
        return NATLET_E_SUBJECT;
    }
    return natlet__publish(client, msg);
}
