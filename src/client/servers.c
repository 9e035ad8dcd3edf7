#include "client/servers.h"

#include <string.h>

#include "base/bytes.h"

natlet_slice natlet__server_url(const natlet__server *server)
{
    return (natlet_slice){server->text, server->url_len};
}

natlet_slice natlet__server_userinfo(const natlet__server *server)
{
    return (natlet_slice){server->text + server->url_len, server->userinfo_len};
}

natlet__server *natlet__servers_now(natlet__servers *servers)
{
    return servers->at < servers->count ? &servers->list[servers->at] : NULL;
}

void natlet__servers_advance(natlet__servers *servers)
{
    natlet__server *left = natlet__servers_now(servers);

    if (left != NULL && left->is_retired) {
        natlet__servers_drop(servers, servers->at);
    }
    servers->at = servers->at + 1 < servers->count ? servers->at + 1 : 0;
}

/* Credentials lie in the text, so it is wiped; the allocator sees the block after
 * this, hence the compiler keeps the stores. */
void natlet__servers_drop(natlet__servers *servers, uint32_t index)
{
    natlet__server *server = &servers->list[index];
    size_t bytes = (size_t)server->url_len + server->userinfo_len;

    if (bytes > 0) { /* its text may have gone over to another pool */
        memset(server->text, 0, bytes);
    }
    natlet__memory_give_back(servers->memory, server->text, bytes);
    servers->count--;
    memmove(server, server + 1, (servers->count - index) * sizeof *server);
    servers->at -= index <= servers->at;
    servers->other -= index < servers->other;
}

void natlet__servers_clear(natlet__servers *servers)
{
    while (servers->count > 0) {
        natlet__servers_drop(servers, 0);
    }
    servers->at = 0;
    servers->tried = 0;
}

/* Adds a server, unless it is known: `named` says that it was named again.
 * With `random` it changes places with any, itself included: after each addition all
 * orders are equally likely.  Returns OK, E_CONFIG or E_NO_MEMORY. */
static natlet_status add(natlet__servers *servers, const natlet__url *url, natlet_slice userinfo,
                         bool is_discovered, natlet__random *random)
{
    uint8_t written[NATLET__URL_TEXT_MAX];
    const natlet_slice text = {written, natlet__url_write(written, url)};
    natlet__server *server = servers->list;

    for (; server < &servers->list[servers->count]; server++) {
        if (natlet__equal(natlet__server_url(server), text)) {
            server->named = servers->merges;
            return NATLET_OK;
        }
    }
    if (servers->count >= NATLET_SERVERS_MAX) {
        return NATLET_E_CONFIG;
    }
    uint8_t *block = natlet__memory_take(servers->memory, text.len + userinfo.len);
    if (block == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    (void)natlet__put(natlet__put(block, text), userinfo);
    natlet__server *place =
        random != NULL ? &servers->list[natlet__random_below(random, servers->count)] : server;
    servers->count++;
    *server = *place;
    *place = (natlet__server){.text = block,
                              .url_len = (uint16_t)text.len,
                              .userinfo_len = (uint16_t)userinfo.len,
                              .named = servers->merges,
                              .is_discovered = is_discovered};
    return NATLET_OK;
}

natlet_status natlet__servers_fill(natlet__servers *servers, natlet_slice urls,
                                   natlet__random *random)
{
    natlet_slice text;
    natlet__url url;
    natlet_status st;
    bool has_more;

    do {
        has_more = natlet__cut(&urls, ',', &text);
        st = natlet__url_read(&url, natlet__trim(text));
        if (st == NATLET_OK) {
            st = add(servers, &url, url.userinfo, false, random);
        }
    } while (st == NATLET_OK && has_more);
    return st;
}

/* They get the scheme of the server in use: a wss user never ends up on ws. */
static void add_discovered(natlet__servers *servers, const natlet_slice *names, uint32_t count)
{
    const natlet__server *now = natlet__servers_now(servers);
    natlet__url mine;
    natlet__url url;

    (void)natlet__url_read(&mine, natlet__server_url(now));
    for (uint32_t i = 0; i < count; i++) {
        if (natlet__url_read(&url, names[i]) == NATLET_OK &&
            names[i].len + mine.path.len <= NATLET_URL_BYTES_MAX) {
            url.scheme = mine.scheme;
            url.path = mine.path;
            (void)add(servers, &url, natlet__server_userinfo(now), true, NULL);
        }
    }
}

uint32_t natlet__servers_merge(natlet__servers *servers, const natlet_slice *names, uint32_t count)
{
    uint32_t before = servers->count;

    servers->merges++;
    add_discovered(servers, names, count);
    uint32_t added = servers->count - before;
    for (uint32_t i = servers->count; i-- > 0;) {
        const natlet__server *server = &servers->list[i];
        if (server->is_discovered && server->named != servers->merges && i != servers->at &&
            i + 1 != servers->other) {
            natlet__servers_drop(servers, i);
        }
    }
    return added;
}
