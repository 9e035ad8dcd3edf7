/* What the server says about itself and about us: INFO, PONG while joining, -ERR. */
#include "base/bytes.h"
#include "client/client.h"
#include "client/optional.h"

NATLET__OPTIONAL(natlet__secure_greet)
NATLET__OPTIONAL(natlet__secure_joined)
NATLET__OPTIONAL(natlet__subscribe_again)
NATLET__OPTIONAL(natlet__subscribe_refused)
NATLET__OPTIONAL(natlet__subscribe_end)
NATLET__OPTIONAL(natlet__requests_refused)

enum { CLOSE_GRACE_US = 2000000, WS_NORMAL = 1000, WS_PROTOCOL_ERROR = 1002 };

/* ---- joining ---- */

static natlet_status look_for_tls(natlet_client *client, const natlet__info *info)
{
    natlet__link *link = &client->link;

    if (link->transport != NATLET_TRANSPORT_TCP || link->is_framed) {
        return NATLET_OK;
    }
    if (natlet__secure_greet != NULL && client->secure != NULL) {
        return natlet__secure_greet(client, info);
    }
    if (!info->tls_required) {
        return NATLET_OK;
    }
    natlet__link_blame(link, NATLET_E_UNSUPPORTED,
                       (natlet_slice)NATLET_TEXT("the server requires TLS"));
    return NATLET_E_UNSUPPORTED;
}

static void greet(natlet_client *client, const natlet__info *info)
{
    natlet_status st = look_for_tls(client, info);

    if (st < 0) {
        natlet__link_fail(client, st, WS_NORMAL);
    } else {
        natlet__identity_ask(client, info->nonce);
    }
}

static void enter_service(natlet_client *client)
{
    natlet__server *server = natlet__servers_now(&client->servers);

    natlet_status st = natlet__move_joined(client);
    bool is_move = st == NATLET_MORE;

    client->link.state = NATLET__LINK_UP;
    client->link.up_since_us = natlet__client_now_us(client);
    server->failures = 0;
    server->auth_failures = 0;
    server->last = NATLET_OK;
    natlet__outbox_open(&client->outbox);
    if (natlet__secure_joined != NULL && client->secure != NULL) {
        natlet__secure_joined(client);
    }
    natlet__identity_watch(client);
    client->link.is_reported = false;
    natlet__pongs_start(client);
    client->stats.connects++;
    if (st >= 0 && natlet__subscribe_again != NULL) {
        st = natlet__subscribe_again(client);
    }
    if (st >= 0 && is_move) {
        st = natlet__pongs_ask(client, NULL);
    }
    if (st < 0) {
        natlet__link_fail(client, st, WS_NORMAL);
        return;
    }
    if (is_move) {
        natlet__client_tell(client, NATLET_CLIENT_EV_MIGRATED, NATLET_OK,
                            natlet_client_server(client), 0);
    } else {
        natlet__client_enter(client, NATLET_CLIENT_CONNECTED, NATLET_OK);
    }
}

void natlet__greeting_pong(natlet_client *client)
{
    if (client->link.state == NATLET__LINK_JOINING) {
        enter_service(client);
    } else {
        natlet__pongs_answered(client);
    }
}

/* ---- INFO ---- */

/* For natlet_client_info only: without memory the old one goes, and that is all. */
static void keep_document(natlet_client *client, natlet_slice json)
{
    natlet__memory *memory = &client->rt->memory;

    natlet__memory_give_back(memory, client->info, client->info_len);
    client->info_len = 0;
    client->info = natlet__memory_take(memory, json.len);
    if (client->info != NULL) {
        client->info_len = json.len;
        memcpy(client->info, json.ptr, json.len);
    }
}

void natlet__greeting_info(natlet_client *client, natlet_slice json)
{
    uint32_t conn = client->link.conn;
    natlet__info info;

    if (natlet__info_read(&info, json) < 0) {
        client->stats.errors++;
        natlet__link_fail(client, NATLET_E_JSON, WS_PROTOCOL_ERROR);
        return;
    }
    keep_document(client, json);
    if (client->link.state == NATLET__LINK_GREETING || info.max_payload != 0) {
        client->max_payload = info.max_payload;
        client->headers = info.headers;
    }
    if (client->link.is_framed) {
        natlet__outbox_frame(&client->outbox, natlet__link_message_max(client));
    }
    bool is_lame = info.lame_duck && !client->is_shared_end;
    client->is_shared_end |= info.lame_duck;
    is_lame &= client->link.state == NATLET__LINK_UP;
    bool has_new = info.url_count > 0 && !client->config.ignore_discovered &&
                   natlet__servers_merge(&client->servers, info.urls, info.url_count) > 0;
    if (client->link.state == NATLET__LINK_GREETING) {
        greet(client, &info);
    }
    if (is_lame) {
        natlet__move_begin(client, NATLET_BACKOFF_SHARED_MS);
    }
    if (has_new) {
        natlet__client_tell_reason(client, NATLET_CLIENT_EV_SERVERS, NATLET_OK);
    }
    if (is_lame && client->link.conn == conn) {
        natlet__client_tell_reason(client, NATLET_CLIENT_EV_LAME_DUCK, NATLET_OK);
    }
}

/* ---- -ERR ---- */

static natlet_slice without_quotes(natlet_slice text)
{
    text = natlet__trim(text);
    if (text.len >= 2 && text.ptr[0] == '\'' && text.ptr[text.len - 1] == '\'') {
        text.ptr++;
        text.len -= 2;
    }
    return text;
}

/* How long the server may take to close after it said that it will.  Saying so again,
 * or while joining, gains it nothing. */
static void start_grace(natlet_client *client)
{
    if (client->timer->due_us > natlet__client_now_us(client) + CLOSE_GRACE_US) {
        natlet__client_start(client, client->timer, CLOSE_GRACE_US);
    }
}

void natlet__greeting_error(natlet_client *client, natlet_slice text)
{
    natlet__server_error error = natlet__server_error_read(text);
    natlet_client_event event = {.kind = NATLET_CLIENT_EV_ERROR,
                                 .status = error.status,
                                 .text = without_quotes(text),
                                 .subject = error.subject};

    client->stats.errors++;
    if (error.closes) { /* what it says next is why; it may also say no more */
        natlet__link_blame(&client->link, error.status, event.text);
        client->link.is_reported = true;
        start_grace(client);
    }
    if (natlet__subscribe_refused != NULL && !error.to_publish) {
        event.sid = natlet__subscribe_refused(client, error.subject, event.text);
    }
    natlet__client_tell_event(client, &event);
    if (event.sid != 0) {
        natlet__subscribe_end(client, event.sid, NATLET_E_PERMISSION);
    } else if (natlet__requests_refused != NULL && error.to_publish) {
        natlet__requests_refused(client, error.subject);
    }
}
