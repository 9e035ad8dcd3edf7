/* The TLS stage: a host door that stands before the host's.
 *
 *     client --send--> | stage: is it one of ours? --yes--> TLS | --send--> host
 *            <--recv-- |                            --no------- | <--recv--
 *            <--poll-- | OPEN once the server was verified      | <--poll--
 *
 * Internal.  A runtime gets it with the first client that wants TLS, and loses it with
 * the last one; what stands above does not know whether it is there.  Connections that
 * nobody started TLS on pass through as they are, with one call more and no copy.
 *
 * The client sees the rules of natlet/host.h: OPEN comes when the handshake is over,
 * READABLE when there are bytes, CLOSED when all before it was read, with a status that
 * says what became of TLS. */
#ifndef NATLET_TLS_STAGE_H
#define NATLET_TLS_STAGE_H

#include "base/runtime.h"
#include "tls/engine.h"

typedef struct natlet__tls_stage natlet__tls_stage;

/* The stage of `rt`, made and put before its host if there is none; each take is given
 * back.  Returns NULL without memory. */
natlet__tls_stage *natlet__tls_stage_take(natlet_runtime *rt);
void natlet__tls_stage_give_back(natlet__tls_stage *stage);

/* TLS on connection `conn`, which was just opened (`is_open` false: OPEN then waits for the
 * handshake) or has carried plain bytes that were all read.  `profile` lives as long as the
 * connection; `name` is the server's.  Returns OK or E_NO_MEMORY. */
natlet_status natlet__tls_stage_start(natlet__tls_stage *stage, uint32_t conn, bool is_open,
                                      natlet__tls_profile *profile, natlet_slice name);

/* What protects an open connection, for people; empty if nothing of ours does.  Valid until
 * it ends. */
natlet_slice natlet__tls_stage_text(const natlet__tls_stage *stage, uint32_t conn);

#endif
