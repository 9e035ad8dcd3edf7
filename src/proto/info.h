/* INFO: what the server says about itself, as far as the client acts on it.
 *
 * Internal.  Slices borrow from the document and are raw: a string with escapes
 * is passed over as if it were absent. */
#ifndef NATLET_PROTO_INFO_H
#define NATLET_PROTO_INFO_H

#include <stdbool.h>

#include "natlet/limits.h"
#include "natlet/slice.h"
#include "natlet/status.h"

typedef struct natlet__info {
    uint32_t max_payload; /* 0: not said */
    bool headers, tls_required, lame_duck;
    natlet_slice nonce; /* to be signed */
    uint32_t url_count;
    natlet_slice urls[NATLET_SERVERS_MAX]; /* connect_urls, host:port; more are passed over */
} natlet__info;

/* Reads the document behind "INFO ".  Unknown fields are ignored, a field of the
 * wrong type too; numbers beyond their type are clamped.
 *
 * Returns OK, or E_JSON (not one JSON object, or deeper than
 * NATLET_INFO_DEPTH_MAX). */
natlet_status natlet__info_read(natlet__info *info, natlet_slice json);

/* What an -ERR text means to the client. */
typedef struct natlet__server_error {
    natlet_status status; /* E_AUTH, E_PERMISSION, E_STALE, E_SERVER ... */
    bool closes;          /* the server ends the connection after it, as far as we know */
    bool to_publish;      /* E_PERMISSION: about a publish, else about a subscription */
    natlet_slice subject; /* E_PERMISSION: the subject between the quotes */
} natlet__server_error;

/* Classifies `text` (quotes included) without regard to case. */
natlet__server_error natlet__server_error_read(natlet_slice text);

#endif
