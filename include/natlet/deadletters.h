/* Dead letters of the network, published to a subject of their own.
 *
 * Core NATS does not deliver again: a message that an agent failed on, rejected, or had
 * no room for is gone from the broker.  Here it is kept where people and streams
 * can get at it. */
#ifndef NATLET_DEADLETTERS_H
#define NATLET_DEADLETTERS_H

#include "natlet/bridge.h"

/* Bit of a reason in natlet_dlq_options.reasons. */
#define NATLET_DLQ_BIT(reason) (1u << (reason))

#define NATLET_DLQ_HEADER_BYTES_DEFAULT 4096u
#define NATLET_DLQ_HEADER_BYTES_MIN 1024u
#define NATLET_DLQ_PREFIX_BYTES_MAX 256u

/* Zeroed fields take their defaults. */
typedef struct natlet_dlq_options {
    uint32_t size;         /* sizeof(natlet_dlq_options) */
    uint32_t reasons;      /* NATLET_DLQ_BIT of natlet_dead_reason, or-ed; 0: REJECTED, CRASHED,
                              POISON and RETRIES */
    uint32_t header_bytes; /* memory for the headers of a letter: 4 096; 1 024 or more */
} natlet_dlq_options;

typedef struct natlet_dlq_stats {
    uint64_t published;
    uint64_t refused;     /* not taken by the client: gone but for its event */
    uint64_t circular;    /* not published: came from the prefix itself */
    uint64_t fields_lost; /* header fields that found no room, or were not well-formed */
    natlet_status last;   /* of the last refusal */
} natlet_dlq_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* From now on publishes dead letters that came from the network to
 * "<prefix>.dlq.<original subject>": the original payload, and the headers
 *
 *     Natlet-Dlq-Reason    rejected, crashed, poison, retries, overflow ...
 *     Natlet-Dlq-Error     how the agent ended: {"kind":"error","code":-7,"text":".."}
 *     Natlet-Attempts      how often it was delivered; 0: never
 *     Natlet-Agent         the agent's name, else its pid
 *     Natlet-Orig-Subject, Natlet-Orig-Reply, Natlet-Orig-Time (RFC 3339)
 *
 * then those of the original, but those with such a name.  "Nats-..." of the original
 * are orders to a stream, which a dead letter must not carry out: they stand there as
 * "Natlet-Orig-Nats-...".  A server without headers gets the payload alone.
 *
 * While disconnected the client's rules hold (natlet_client_track); what it refuses is
 * counted.  The program's on_event sees every dead letter all the same.  What came from
 * "<prefix>.dlq." itself is not published again.  Ends with the bridge.
 *
 * Returns OK; E_SUBJECT (the prefix); E_CONFIG (a number out of range); E_STATE (called
 * before); E_NO_MEMORY. */
natlet_status natlet_bridge_dlq(natlet_bridge *bridge, natlet_slice prefix,
                                const natlet_dlq_options *options);

/* All zero if natlet_bridge_dlq was not called. */
natlet_dlq_stats natlet_bridge_dlq_stats_now(const natlet_bridge *bridge);

#ifdef __cplusplus
}
#endif

#endif
