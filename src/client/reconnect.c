/* Which server is dialled next, and when.
 *
 * A pass tries every server of the pool once, without waits; only then comes a
 * wait (backoff.h).  A connection that served and broke begins a new pass, after
 * a first wait. */
#include "client/client.h"

enum { AUTH_FAILURES_MAX = 2 };

void natlet__client_dial_in(natlet_client *client, uint32_t wait_ms)
{
    natlet__client_start(client, client->timer, (uint64_t)wait_ms * NATLET__US_PER_MS);
}

static void begin_pass(natlet_client *client)
{
    const natlet_client_config *config = &client->config;
    uint32_t attempt = client->backoff.waits;
    uint32_t wait_ms =
        natlet__backoff_next(&client->backoff, &client->rt->random, client->is_shared_end);

    if (config->reconnect_delay != NULL) {
        wait_ms = config->reconnect_delay(config->self, attempt);
    }
    client->servers.tried = 0;
    natlet__client_dial_in(client, wait_ms);
    client->is_shared_end = false;
}

/* A connection that served is gone. */
static void lost_service(natlet_client *client, natlet_status why)
{
    natlet__backoff_served(&client->backoff,
                           natlet__client_now_us(client) - client->link.up_since_us);
    if (client->state == NATLET_CLIENT_DRAINING || client->config.no_reconnect) {
        natlet__client_end(client, why, NATLET_E_DISCONNECTED, NATLET_E_DISCONNECTED);
        return;
    }
    begin_pass(client);
    natlet__client_enter(client, NATLET_CLIENT_RECONNECTING, why);
    natlet__client_fail_waiting(client, NATLET_E_DISCONNECTED);
}

/* Whether the server is to be tried again in a later pass. */
static bool is_worth_it(const natlet_client *client, const natlet__server *server)
{
    return (client->config.retry_auth_errors || server->auth_failures < AUTH_FAILURES_MAX) &&
           server->failures < (uint32_t)client->config.reconnects_max; /* -1: no bound */
}

/* An attempt failed. */
static void lost_attempt(natlet_client *client, natlet_status why)
{
    natlet__server *server = natlet__servers_now(&client->servers);
    bool is_first =
        client->state == NATLET_CLIENT_CONNECTING && !client->config.retry_first_connect;

    server->failures++;
    if (is_first || is_worth_it(client, server)) {
        client->servers.tried++;
    } else {
        natlet__servers_drop(&client->servers, client->servers.at);
    }
    bool is_pass_over = client->servers.tried >= client->servers.count;
    if (client->servers.count == 0 || (is_pass_over && is_first)) {
        natlet__client_end(client, why, NATLET_E_CLOSED, NATLET_E_CLOSED);
        return;
    }
    if (is_pass_over) {
        begin_pass(client);
    } else {
        natlet__client_dial_in(client, 0);
    }
    if (!client->link.is_reported) {
        natlet__client_tell_reason(client, NATLET_CLIENT_EV_ERROR, why);
    }
}

void natlet__client_lost(natlet_client *client, natlet__link_state was, natlet_status why)
{
    natlet__server *server = natlet__servers_now(&client->servers);

    server->last = why;
    if (why == NATLET_E_AUTH && was == NATLET__LINK_JOINING) {
        server->auth_failures++;
    }
    if (natlet__move_lost(client, why)) {
        return;
    }
    if (was == NATLET__LINK_UP) {
        lost_service(client, why);
    } else {
        lost_attempt(client, why);
    }
}

void natlet__client_dial(natlet_client *client)
{
    natlet__servers *servers = &client->servers;

    natlet__servers_advance(servers);
    if (client->config.choose_server != NULL) {
        int32_t chosen = client->config.choose_server(client->config.self, servers->at);
        servers->at =
            chosen >= 0 && (uint32_t)chosen < servers->count ? (uint32_t)chosen : servers->at;
    }
    if (servers->at + 1 == servers->other) {
        natlet__servers_advance(servers); /* never two connections to one server */
    }
    natlet_status st = natlet__link_dial(client);
    if (st < 0) {
        natlet__link_fail(client, st, 1000);
    }
}

natlet_status natlet_client_reconnect(natlet_client *client)
{
    if (client->state != NATLET_CLIENT_CONNECTING && client->state != NATLET_CLIENT_CONNECTED &&
        client->state != NATLET_CLIENT_RECONNECTING) {
        return NATLET_E_STATE;
    }
    natlet__link_drop(client, 1000);
    client->servers.tried = 0;
    natlet__client_dial_in(client, 0);
    if (client->state == NATLET_CLIENT_CONNECTED) {
        natlet__client_enter(client, NATLET_CLIENT_RECONNECTING, NATLET_OK);
        natlet__client_fail_waiting(client, NATLET_E_DISCONNECTED);
    }
    return NATLET_OK;
}
