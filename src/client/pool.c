/* The servers as the caller sees them. */
#include "base/bytes.h"
#include "client/client.h"

uint32_t natlet_client_server_count(const natlet_client *client)
{
    return client->servers.count;
}

natlet_status natlet_client_server_at(const natlet_client *client, uint32_t index,
                                      natlet_server_info *out)
{
    const natlet__servers *servers = &client->servers;
    const natlet__server *server = &servers->list[index];

    if (index >= servers->count) {
        return NATLET_E_NOT_FOUND;
    }
    *out = (natlet_server_info){.url = natlet__server_url(server),
                                .failures = server->failures,
                                .auth_failures = server->auth_failures,
                                .last = server->last,
                                .is_current = index == servers->at,
                                .is_discovered = server->is_discovered};
    return NATLET_OK;
}

/* The server goes over to `fresh`, where it keeps its text: it is in use.  Returns its
 * place there. */
static uint32_t keep(natlet__servers *fresh, natlet__servers *old, uint32_t at)
{
    natlet__server *server = &old->list[at];
    uint32_t place = fresh->count;

    for (uint32_t i = 0; i < fresh->count; i++) {
        if (natlet__equal(natlet__server_url(&fresh->list[i]), natlet__server_url(server))) {
            place = i;
        }
    }
    if (place == fresh->count) {
        fresh->list[fresh->count++] = *server;
        fresh->list[place].is_retired = true;
        server->text = NULL;
        server->url_len = server->userinfo_len = 0;
    }
    return place;
}

/* A second connection was there for the servers of before. */
natlet_status natlet_client_set_servers(natlet_client *client, natlet_slice urls)
{
    natlet__servers *servers = &client->servers;
    natlet__servers fresh = {.memory = servers->memory, .at = UINT32_MAX};
    natlet_status st =
        natlet__servers_fill(&fresh, urls, client->config.keep_order ? NULL : &client->rt->random);

    if (st < 0) {
        natlet__servers_clear(&fresh);
        return st;
    }
    if (!natlet__move_is_late(client)) {
        natlet__move_stop(client);
    }
    if (client->link.conn != 0) {
        fresh.at = keep(&fresh, servers, servers->at);
    }
    if (client->move != NULL) {
        fresh.other = keep(&fresh, servers, servers->other - 1) + 1;
    }
    natlet__servers_clear(servers);
    *servers = fresh;
    if (client->link.conn != 0) { /* its parts lie in the text of the pool */
        (void)natlet__url_read(&client->link.url, natlet__server_url(&fresh.list[fresh.at]));
    }
    client->has_own_servers = true;
    return NATLET_OK;
}
