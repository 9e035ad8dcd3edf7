/* The pool of servers: those that the configuration names and those that INFO
 * names, tried in turn.
 *
 * Internal. */
#ifndef NATLET_CLIENT_SERVERS_H
#define NATLET_CLIENT_SERVERS_H

#include "base/memory.h"
#include "base/random.h"
#include "client/url.h"

typedef struct natlet__server {
    uint8_t *text; /* one block: URL without credentials, then userinfo as written */
    uint16_t url_len, userinfo_len;
    uint32_t failures;     /* attempts in a row that failed for any reason ... */
    uint8_t auth_failures; /* ... or because it refused the credentials */
    natlet_status last;    /* why the last connection or attempt ended; OK since it serves */
    bool is_discovered;    /* named by INFO only */
    bool is_retired;       /* in use, and gone from the pool: never dialled again */
    uint8_t named;         /* the last merge that did; 256 merges later it is so once more */
} natlet__server;

typedef struct natlet__servers {
    natlet__memory *memory;
    uint32_t count;
    uint32_t at;    /* in use or last tried; UINT32_MAX: before the first */
    uint32_t other; /* in use besides it, + 1, or last tried to be; 0: none */
    uint32_t tried; /* since the last wait */
    uint8_t merges; /* so far */
    natlet__server list[NATLET_SERVERS_MAX + 2]; /* two may be retired */
} natlet__servers;

/* Adds the URLs of a list separated by commas; `random` (not NULL) brings the pool
 * into an order that nobody chose.
 *
 * Returns OK, E_URL (one of them, or none at all), E_CONFIG (more than
 * NATLET_SERVERS_MAX) or E_NO_MEMORY. */
natlet_status natlet__servers_fill(natlet__servers *servers, natlet_slice urls,
                                   natlet__random *random);

/* Takes over the list "host:port" of an INFO: they get scheme, path and
 * credentials of the server in use; discovered ones that it no longer names are
 * dropped, but for the one in use.  Returns how many are new. */
uint32_t natlet__servers_merge(natlet__servers *servers, const natlet_slice *names, uint32_t count);

/* The one in use or last tried; NULL if there is none. */
natlet__server *natlet__servers_now(natlet__servers *servers);

/* Moves on to the next one. */
void natlet__servers_advance(natlet__servers *servers);

/* Takes one out; if it was tried last, the one before it is then. */
void natlet__servers_drop(natlet__servers *servers, uint32_t index);

void natlet__servers_clear(natlet__servers *servers);

natlet_slice natlet__server_url(const natlet__server *server);
natlet_slice natlet__server_userinfo(const natlet__server *server);

#endif
