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
    servers->at = servers->at + 1 < servers->count ? servers->at + 1 : 0;
}

/* Credentials lie in the text, so it is wiped; the allocator sees the block after
 * this, hence the compiler keeps the stores. */
void natlet__servers_drop(natlet__servers *servers, uint32_t index)
{
    natlet__server *server = &servers->list[index];
    size_t bytes = (size_t)server->url_len + server->userinfo_len;

    memset(server->text, 0, bytes);
    natlet__memory_give_back(servers->memory, server->text, bytes);
    servers->count--;
    memmove(server, server + 1, (servers->count - index) * sizeof *server);
    servers->at -= index <= servers->at;
}

void natlet__servers_clear(natlet__servers *servers)
{
    while (servers->count > 0) {
        natlet__servers_drop(servers, 0);
    }
    servers->at = 0;
    servers->tried = 0;
}

static natlet__server *find(natlet__servers *servers, natlet_slice url)
{
    for (uint32_t i = 0; i < servers->count; i++) {
        if (natlet__equal(natlet__server_url(&servers->list[i]), url)) {
            return &servers->list[i];
        }
    }
    return NULL;
}

/* Adds a server that is not known yet.  Returns OK, E_CONFIG or E_NO_MEMORY. */
static natlet_status add(natlet__servers *servers, natlet_slice url, natlet_slice userinfo)
{
    if (servers->count == NATLET_SERVERS_MAX) {
        return NATLET_E_CONFIG;
    }
    uint8_t *text = natlet__memory_take(servers->memory, url.len + userinfo.len);
    if (text == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    (void)natlet__put(natlet__put(text, url), userinfo);
    servers->list[servers->count++] = (natlet__server){
        .text = text, .url_len = (uint16_t)url.len, .userinfo_len = (uint16_t)userinfo.len};
    return NATLET_OK;
}

static natlet_status add_configured(natlet__servers *servers, natlet_slice text)
{
    uint8_t written[NATLET__URL_TEXT_MAX];
    natlet__url url;
    natlet_status st = natlet__url_read(&url, natlet__trim(text));

    if (st < 0) {
        return st;
    }
    text = (natlet_slice){written, natlet__url_write(written, &url)};
    return find(servers, text) != NULL ? NATLET_OK : add(servers, text, url.userinfo);
}

natlet_status natlet__servers_fill(natlet__servers *servers, natlet_slice urls)
{
    natlet_slice url;
    bool has_more;

    do {
        has_more = natlet__cut(&urls, ',', &url);
        natlet_status st = add_configured(servers, url);
        if (st < 0) {
            return st;
        }
    } while (has_more);
    return NATLET_OK;
}

void natlet__servers_shuffle(natlet__servers *servers, natlet__random *random)
{
    for (uint32_t i = servers->count; i > 1; i--) {
        uint32_t other = natlet__random_below(random, i - 1);
        natlet__server moved = servers->list[i - 1];
        servers->list[i - 1] = servers->list[other];
        servers->list[other] = moved;
    }
}

/* One name of an INFO.  The scheme is that of the server in use, `mine`: a wss
 * user never ends up on ws.  Returns true if it is new. */
static bool merge_one(natlet__servers *servers, const natlet__url *mine, natlet_slice name)
{
    uint8_t written[NATLET__URL_TEXT_MAX];
    natlet__url url;

    if (natlet__url_read(&url, name) < 0 || name.len + mine->path.len > NATLET_URL_BYTES_MAX) {
        return false;
    }
    url.scheme = mine->scheme;
    url.path = mine->path;
    natlet_slice text = {written, natlet__url_write(written, &url)};
    natlet__server *known = find(servers, text);
    if (known != NULL) {
        known->is_stale = false;
        return false;
    }
    if (add(servers, text, natlet__server_userinfo(natlet__servers_now(servers))) < 0) {
        return false;
    }
    servers->list[servers->count - 1].is_discovered = true;
    return true;
}

uint32_t natlet__servers_merge(natlet__servers *servers, const natlet_slice *names, uint32_t count)
{
    natlet__url mine;
    uint32_t added = 0;

    (void)natlet__url_read(&mine, natlet__server_url(natlet__servers_now(servers)));
    for (uint32_t i = 0; i < servers->count; i++) {
        servers->list[i].is_stale = servers->list[i].is_discovered && i != servers->at;
    }
    for (uint32_t i = 0; i < count; i++) {
        added += merge_one(servers, &mine, names[i]) ? 1 : 0;
    }
    for (uint32_t i = servers->count; i > 0; i--) {
        if (servers->list[i - 1].is_stale) {
            natlet__servers_drop(servers, i - 1);
        }
    }
    return added;
}
