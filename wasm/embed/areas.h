/* The inside of the embedding areas, shared by areas.c and agents.c. */
#ifndef NATLET_WASM_AREAS_H
#define NATLET_WASM_AREAS_H

#include "base/runtime.h"
#include "config.h"
#include "natlet/client.h"
#include "natlet/embed.h"

/* Appends a record; the area grows when it is full, so nothing is ever dropped.
 * If even that fails the module traps: the glue replaces the instance. */
natlet_embed_record *natlet__embed_append(uint8_t kind, uint32_t id, int32_t status);

/* Names the parts of `msg`, which lie in linear memory, in one record. */
void natlet__embed_place(natlet_embed_record *record, const natlet_msg *msg);

/* TLS of the module's own; NULL in a module without it (client/optional.h).  Returns as
 * natlet_client_tls, or what is wrong with the document that says how. */
natlet_status natlet__embed_tls_start(natlet_client *client);

/* The agents' side; in a module without agents every operation of theirs is
 * answered E_UNSUPPORTED. */
natlet_status natlet__embed_agents_init(natlet_runtime *rt, natlet_client *client,
                                        const natlet__embed_config *config);
natlet_status natlet__embed_agents_take(const natlet_embed_op *op, const natlet_msg *parts);
natlet_status natlet__embed_agents_recover(void);
/* Before the client is freed, and after it. */
void natlet__embed_agents_detach(void);
void natlet__embed_agents_fini(void);

#endif
