#include "client/servers.h"

#include <string.h>

#include "base/bytes.h"

enum { CAP_STEP = 4 };

natlet_slice natlet__server_url(const natlet__server *server)
{
    return (natlet_slice){server->text, server->url_len};
}

natlet_slice natlet__server_user(const natlet__server *server)
{
    return (natlet_slice){server->text + server->url_len, server->user_len};
}

natlet_slice natlet__server_password(const natlet__server *server)
{
    return (natlet_slice){server->text + server->url_len + server->user_len, server->password_len};
}

static size_t text_bytes(const natlet__server *server)
{
    return (size_t)server->url_len + server->user_len + server->password_len;
}

/* Credentials lie in it, so it is wiped; the allocator sees the block after
 * this, hence the compiler keeps the stores. */
static void give_back(natlet__servers *servers, natlet__server *server)
{
    memset(server->text, 0, text_bytes(server));
    natlet__memory_give_back(servers->memory, server->text, text_bytes(server));
}

static bool make_room(natlet__servers *servers)
{
    if (servers->count < servers->cap) {
        return true;
    }
    uint32_t cap = servers->cap + CAP_STEP;
    natlet__server *list = natlet__memory_resize(servers->memory, servers->list,
                                                 servers->cap * sizeof *list, cap * sizeof *list);
    if (list == NULL) {
        return false;
    }
    servers->list = list;
    servers->cap = cap;
    return true;
}

static bool is_known(const natlet__servers *servers, natlet_slice url)
{
    for (uint32_t i = 0; i < servers->count; i++) {
        if (natlet__equal(natlet__server_url(&servers->list[i]), url)) {
            return true;
        }
    }
    return false;
}

/* `user` and `password` are decoded.  Returns EVENT if it is new, OK if known. */
static natlet_status add(natlet__servers *servers, natlet_slice url, natlet_slice user,
                         natlet_slice password)
{
    natlet__server server = {.url_len = (uint16_t)url.len,
                             .user_len = (uint16_t)user.len,
                             .password_len = (uint16_t)password.len};

    if (is_known(servers, url)) {
        return NATLET_OK;
    }
    if (servers->count == NATLET_SERVERS_MAX) {
        return NATLET_E_CONFIG;
    }
    if (!make_room(servers)) {
        return NATLET_E_NO_MEMORY;
    }
    server.text = natlet__memory_take(servers->memory, text_bytes(&server));
    if (server.text == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memcpy(server.text, url.ptr, url.len);
    if (user.len > 0) {
        memcpy(server.text + url.len, user.ptr, user.len);
    }
    if (password.len > 0) {
        memcpy(server.text + url.len + user.len, password.ptr, password.len);
    }
    servers->list[servers->count++] = server;
    return NATLET_EVENT;
}

static natlet_status add_configured(natlet__servers *servers, natlet_slice text)
{
    uint8_t written[NATLET__URL_TEXT_MAX];
    uint8_t secrets[NATLET_URL_BYTES_MAX];
    natlet__url url;
    natlet_status st = natlet__url_read(&url, natlet__trim(text));

    if (st < 0) {
        return st;
    }
    natlet_slice user = {secrets, natlet__url_decode(secrets, url.user)};
    natlet_slice password = {secrets + user.len,
                             natlet__url_decode(secrets + user.len, url.password)};
    st = add(servers, (natlet_slice){written, natlet__url_write(written, &url)}, user, password);
    if (st == NATLET_EVENT) {
        servers->list[servers->count - 1].has_password = url.has_password;
    }
    return st < 0 ? st : NATLET_OK;
}

natlet_status natlet__servers_fill(natlet__servers *servers, natlet_slice urls)
{
    for (;;) {
        const uint8_t *comma = urls.len > 0 ? memchr(urls.ptr, ',', urls.len) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - urls.ptr) : urls.len;
        natlet_status st = add_configured(servers, natlet__take(&urls, len));
        if (st < 0 || comma == NULL) {
            return st;
        }
        (void)natlet__take(&urls, 1);
    }
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

/* The URL of a server that INFO names; 0 if the name is not well-formed.  The
 * scheme is that of the server in use: a wss user never ends up on ws. */
static size_t complete(uint8_t out[NATLET__URL_TEXT_MAX], const natlet__server *now,
                       natlet_slice name)
{
    natlet__url mine;
    natlet__url url;

    if (natlet__url_read(&mine, natlet__server_url(now)) < 0 || natlet__url_read(&url, name) < 0 ||
        url.user.len > 0) {
        return 0;
    }
    url.scheme = mine.scheme;
    url.path = mine.path;
    return natlet__url_write(out, &url);
}

static bool is_named(const natlet__server *server, const natlet__server *now,
                     const natlet_slice *names, uint32_t count)
{
    uint8_t url[NATLET__URL_TEXT_MAX];

    for (uint32_t i = 0; i < count; i++) {
        natlet_slice named = {url, complete(url, now, names[i])};
        if (natlet__equal(natlet__server_url(server), named)) {
            return true;
        }
    }
    return false;
}

static void drop(natlet__servers *servers, uint32_t index)
{
    give_back(servers, &servers->list[index]);
    servers->count--;
    memmove(&servers->list[index], &servers->list[index + 1],
            (servers->count - index) * sizeof *servers->list);
    if (index <= servers->at) {
        servers->at = servers->at > 0      ? servers->at - 1
                      : servers->count > 0 ? servers->count - 1
                                           : 0;
    }
}

uint32_t natlet__servers_merge(natlet__servers *servers, const natlet_slice *names, uint32_t count)
{
    uint8_t url[NATLET__URL_TEXT_MAX];
    uint32_t added = 0;

    for (uint32_t i = servers->count; i > 0; i--) {
        const natlet__server *now = natlet__servers_now(servers);
        const natlet__server *server = &servers->list[i - 1];
        if (server->is_discovered && server != now && !is_named(server, now, names, count)) {
            drop(servers, i - 1);
        }
    }
    for (uint32_t i = 0; i < count && servers->count > 0; i++) {
        const natlet__server now = *natlet__servers_now(servers); /* the list may move */
        natlet_slice named = {url, complete(url, &now, names[i])};
        if (named.len > 0 && add(servers, named, natlet__server_user(&now),
                                 natlet__server_password(&now)) == NATLET_EVENT) {
            servers->list[servers->count - 1].has_password = now.has_password;
            servers->list[servers->count - 1].is_discovered = true;
            added++;
        }
    }
    return added;
}

natlet__server *natlet__servers_now(const natlet__servers *servers)
{
    return servers->count > 0 ? &servers->list[servers->at] : NULL;
}

void natlet__servers_advance(natlet__servers *servers)
{
    servers->at = servers->at + 1 < servers->count ? servers->at + 1 : 0;
}

void natlet__servers_drop(natlet__servers *servers)
{
    drop(servers, servers->at);
}

void natlet__servers_clear(natlet__servers *servers)
{
    while (servers->count > 0) {
        drop(servers, servers->count - 1);
    }
    natlet__memory_give_back(servers->memory, servers->list, servers->cap * sizeof *servers->list);
    *servers = (natlet__servers){.memory = servers->memory};
}
