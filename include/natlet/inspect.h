/* A cell as JSON, for people and their tools: the tree of its agents, one agent, the
 * dead letters, a crash.
 *
 * All of it is written behind what `out` holds already, and allocates nothing.  What
 * stands there is always whole: an element that finds no room is left out and counted
 * as "left_out".  With a `cap` of 0 nothing is left out and nothing written: `out->len`
 * says how long the whole is. */
#ifndef NATLET_INSPECT_H
#define NATLET_INSPECT_H

#include "natlet/cell.h"
#include "natlet/json.h"

/* A log of dead letters.  The memory is the caller's, and stays in place as long as the
 * cell. */
typedef struct natlet_dead_log {
    void *witness[3]; /* the library's, as all here */
    natlet_cell *cell;
    uint64_t lines;
    uint64_t silent; /* dead letters without a line */
} natlet_dead_log;

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the cell: its counters, and its trees with all agents below each other:
 *
 *     {"agents":2,"restarts":0,"dead":{"overflow":1},"children":[{"pid":..,"name":"a",
 *      "kind":"counter","state":"running","restarts":0,"handled":7,"refused":0,
 *      "last_exit":{"kind":"normal","code":0,"text":"done"},
 *      "mailbox":{"normal":{"used":0,"free_min":15}, ..},"bytes":0},..]}
 *
 * Returns OK, or E_FULL (something is left out; with `out` as it was, all). */
natlet_status natlet_cell_tree_json(const natlet_cell *cell, natlet_json_out *out);

/* Writes one agent, a supervisor without its children.  Returns OK, E_NO_AGENT, or
 * E_FULL; on failure `out` is as it was. */
natlet_status natlet_agent_json(const natlet_cell *cell, natlet_pid pid, natlet_json_out *out);

/* Writes the last dead letters that are remembered, at most `max`, the last one first.
 * Returns OK, or E_FULL (some are left out; with `out` as it was, all). */
natlet_status natlet_cell_dead_json(const natlet_cell *cell, uint32_t max, natlet_json_out *out);

/* For on_event: writes what is known of a crash.
 *
 *     {"agent":"a","pid":..,"reason":{"kind":"trap",..},"message":{"id":"nats_..",
 *      "subject":"in","attempt":1},"info":{..}}
 *
 * "message" is what it was handling, if that became a dead letter.  Returns OK; E_INVALID (the
 * event is no crash: not EXITED, or NORMAL or SHUTDOWN); E_FULL (`out` is as it was). */
natlet_status natlet_cell_crash_json(const natlet_cell *cell, const natlet_cell_event *event,
                                     natlet_json_out *out);

/* From now on writes a line to the host's log for the 1st, 2nd, 4th, 8th ... dead letter
 * of each reason; the number is that of its reason.  Call it once for a cell.
 *
 *     dead letter 8: overflow, "in.x" for "a", attempt 0, exit normal */
void natlet_cell_log_dead(natlet_cell *cell, natlet_dead_log *log);

#ifdef __cplusplus
}
#endif

#endif
