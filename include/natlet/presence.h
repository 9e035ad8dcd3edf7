/* Presence: who publishes a sign of life every so often, and who watches for it.
 *
 * Both ends live on a runtime and a client, and take all their memory when they are made.
 * Free them before the client, not in a callback. */
#ifndef NATLET_PRESENCE_H
#define NATLET_PRESENCE_H

#include "natlet/client.h"
#include "natlet/json.h"

#define NATLET_PRESENCE_MAP(X)                                                                     \
    X(UNKNOWN, 0, "unknown")     /* nothing was heard of it yet */                                 \
    X(HEALTHY, 1, "healthy")     /* heard within 1.5 intervals */                                  \
    X(LATE, 2, "late")           /* within 3 */                                                    \
    X(UNHEALTHY, 3, "unhealthy") /* not within 3, or it says so */                                 \
    X(DRAINING, 4, "draining")   /* it says that it takes no new work */

typedef enum natlet_presence_status {
#define X(name, value, text) NATLET_PRESENCE_##name = (value),
    NATLET_PRESENCE_MAP(X)
#undef X
} natlet_presence_status;

#define NATLET_PRESENCE_INTERVAL_MS_DEFAULT 30000u
#define NATLET_PRESENCE_INTERVAL_MS_MAX 3600000u
#define NATLET_PRESENCE_BYTES_DEFAULT 1024u
#define NATLET_PRESENCE_ID_BYTES_MAX 64u
#define NATLET_PRESENCE_PEERS_DEFAULT 64u
#define NATLET_PRESENCE_PEERS_MAX 65535u

/* ---- to be seen ---- */

typedef struct natlet_presence natlet_presence;

/* Zeroed fields take their defaults.  Subject and id are copied. */
typedef struct natlet_presence_config {
    uint32_t size; /* sizeof(natlet_presence_config) */
    natlet_slice subject;
    natlet_slice id;      /* UTF-8; of the default document */
    uint32_t interval_ms; /* 30 000, each time 10 % more or less; at most an hour */
    uint32_t bytes;       /* memory for the document: 1 024 */
    /* Writes the document; NULL: {"id":"..","status":"healthy","timestamp":"<RFC 3339>"}. */
    void (*write)(void *self, natlet_presence_status status, natlet_json_out *out);
    void *self;
} natlet_presence_config;

typedef struct natlet_presence_stats {
    uint64_t published;
    uint64_t refused; /* by the client, or longer than `bytes` */
} natlet_presence_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Static text: "healthy". */
const char *natlet_presence_text(natlet_presence_status status);

/* Begins to publish, as HEALTHY: in the next turn, and then after each interval.  What
 * the client refuses is tried again after a tenth of it.
 *
 * Returns OK; E_SUBJECT; E_CONFIG (a number out of range, an id that is not UTF-8);
 * E_NO_MEMORY.  On failure *out is NULL. */
natlet_status natlet_presence_new(natlet_presence **out, natlet_runtime *rt, natlet_client *client,
                                  const natlet_presence_config *config);
void natlet_presence_free(natlet_presence *presence);

/* From now on says HEALTHY, UNHEALTHY or DRAINING; a change is published in the next
 * turn.  Returns OK or E_INVALID. */
natlet_status natlet_presence_set(natlet_presence *presence, natlet_presence_status status);

natlet_presence_stats natlet_presence_stats_now(const natlet_presence *presence);

#ifdef __cplusplus
}
#endif

/* ---- to see ---- */

typedef struct natlet_peers natlet_peers;

typedef struct natlet_peer {
    natlet_slice id; /* as in its document, without quotes; valid until the next turn */
    natlet_presence_status status;
    uint64_t age_ms; /* since it was heard last */
    uint64_t heard;  /* how often */
} natlet_peer;

/* Zeroed fields take their defaults.  All of it is copied. */
typedef struct natlet_peers_config {
    uint32_t size;        /* sizeof(natlet_peers_config) */
    natlet_slice subject; /* wildcards allowed */
    natlet_slice id;      /* where in the document (RFC 6901): "/id", for example; empty: the
                             subject of the message is the id */
    natlet_slice status;  /* the same of its status: "/status" */
    uint32_t interval_ms; /* that they are expected to keep: 30 000 */
    uint32_t peers_max;   /* 64, at most 65 535 */
    /* May be NULL.  A peer is new or its status is another one. */
    void (*on_change)(void *self, const natlet_peer *peer, natlet_presence_status before);
    void *self;
} natlet_peers_config;

typedef struct natlet_peers_stats {
    uint32_t peers;    /* now */
    uint32_t free_min; /* places that were always free */
    uint64_t heard;
    uint64_t ignored;  /* messages without an id, or with one longer than 64 bytes */
    uint64_t refused;  /* of strangers when the table was full */
    uint64_t replaced; /* peers that had gone silent and made room for others */
} natlet_peers_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Begins to listen.  A full table gives up the peer that was silent longest, if that is
 * UNHEALTHY for its silence; else a stranger is refused.
 *
 * Returns OK; E_CONFIG (a number out of range, a pointer longer than 64 bytes); E_NO_MEMORY; or as
 * natlet_client_subscribe.  On failure *out is NULL. */
natlet_status natlet_peers_new(natlet_peers **out, natlet_runtime *rt, natlet_client *client,
                               const natlet_peers_config *config);
void natlet_peers_free(natlet_peers *peers);

/* How the peer of that id is: UNKNOWN if it was not heard. */
natlet_presence_status natlet_peers_status(const natlet_peers *peers, natlet_slice id);

/* Describes the peer in place `index`, from 0 to peers_max - 1.  Returns OK, or
 * E_NOT_FOUND (nobody there). */
natlet_status natlet_peers_at(const natlet_peers *peers, uint32_t index, natlet_peer *out);

/* Forgets a peer.  Returns OK or E_NOT_FOUND. */
natlet_status natlet_peers_forget(natlet_peers *peers, natlet_slice id);

natlet_peers_stats natlet_peers_stats_now(const natlet_peers *peers);

#ifdef __cplusplus
}
#endif

#endif
