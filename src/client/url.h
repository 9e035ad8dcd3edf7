/* The address of a server, as a user writes it or as INFO names it.
 *
 * Internal.  Nothing here allocates; the parts borrow from the text. */
#ifndef NATLET_CLIENT_URL_H
#define NATLET_CLIENT_URL_H

#include <stdbool.h>

#include "natlet/limits.h"
#include "natlet/slice.h"
#include "natlet/status.h"

typedef enum natlet__scheme {
    NATLET__SCHEME_WS,
    NATLET__SCHEME_WSS,
    NATLET__SCHEME_NATS,
    NATLET__SCHEME_TLS,
} natlet__scheme;

typedef struct natlet__url {
    natlet__scheme scheme; /* nats if the text has none */
    bool is_default_port;
    uint16_t port;
    natlet_slice host;     /* brackets included */
    natlet_slice path;     /* path and query; empty or from '/' or '?' on */
    natlet_slice userinfo; /* user:password or a token, as written, with its %XX */
} natlet__url;

/* What natlet__url_write takes at most: the longest scheme and port may be new. */
enum { NATLET__URL_TEXT_MAX = NATLET_URL_BYTES_MAX + 16 };

/* Reads [scheme://][userinfo@]host[:port][path].
 *
 * Returns OK or E_URL. */
natlet_status natlet__url_read(natlet__url *url, natlet_slice text);

/* Writes it with its port, the host in small letters, without credentials:
 * two addresses of one server get one text.  The path is kept for WebSocket
 * only.  Returns the length. */
size_t natlet__url_write(uint8_t out[NATLET__URL_TEXT_MAX], const natlet__url *url);

/* Resolves the %XX of a userinfo; what is not two hex digits stands for itself.
 * Writes at most text.len bytes; returns the length. */
size_t natlet__url_decode(uint8_t *out, natlet_slice text);

#endif
