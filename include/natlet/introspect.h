/* A cell shown to, and ruled by, people on the network.  Each function here is a feature
 * of its own, of which a program has nothing that does not call it; all of them end with
 * the bridge. */
#ifndef NATLET_INTROSPECT_H
#define NATLET_INTROSPECT_H

#include "natlet/bridge.h"
#include "natlet/presence.h"

#define NATLET_INTROSPECT_NAME_MAX 64u /* bytes of a namespace or node */

#ifdef __cplusplus
extern "C" {
#endif

/* Shows the cell as a micro service (ADR-32) "natlet-<ns>", for every tool that knows
 * $SRV.PING, INFO and STATS.  Each agent with a name is an endpoint: its subject is what it
 * subscribes first, else "agent.<name>"; in STATS num_requests is the mail it handled,
 * num_errors its restarts, last_error how it crashed last, and data what
 * natlet_agent_json writes.  `ns` has A-Z a-z 0-9 - _; `version` is as semver.org has it.
 *
 * Returns OK; E_STATE (called before); or as natlet_service_new. */
natlet_status natlet_bridge_service(natlet_bridge *bridge, natlet_slice ns, natlet_slice version);

/* Lets `presence` say DRAINING when the cell is shut down; it must outlive the bridge.  The
 * service above ends then by itself.  Returns OK or E_NO_MEMORY. */
natlet_status natlet_bridge_presence(natlet_bridge *bridge, natlet_presence *presence);

/* Takes orders on "natlet.<ns>.sys.<node>.<verb>"; who may give them is the server's to
 * say.  The payload is the name of an agent, or its pid in decimal.
 *
 *     tree     natlet_cell_tree_json          info     natlet_agent_json
 *     dead     natlet_cell_dead_json          kill     natlet_agent_exit, KILLED
 *     suspend  natlet_agent_suspend           resume   natlet_agent_resume
 *     restart  starts one that is down; ends another with ERROR, so that its supervisor
 *              restarts it and counts that
 *
 * The answer is the document, or {"status":"OK","text":"done"} with a status of
 * natlet/status.h.  What does not fit into the server's max_payload is left out.
 *
 * Returns OK; E_CONFIG (ns or node: A-Z a-z 0-9 - _); E_STATE (called before);
 * E_NO_MEMORY; or as natlet_client_subscribe. */
natlet_status natlet_bridge_admin(natlet_bridge *bridge, natlet_slice ns, natlet_slice node);

/* Publishes natlet_cell_crash_json once for each crash, best to "natlet.<ns>.ev.crash".
 * What the client refuses is counted in out_refused.
 *
 * Returns OK; E_SUBJECT; E_STATE (called before); E_NO_MEMORY. */
natlet_status natlet_bridge_crashes(natlet_bridge *bridge, natlet_slice subject);

#ifdef __cplusplus
}
#endif

#endif
