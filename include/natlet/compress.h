/* Compression on a client's own WebSocket: permessage-deflate (RFC 7692), as nats-server
 * with `compression: true` speaks it.
 *
 * zlib does it.  It is part of a program that calls natlet_client_compress, and of no
 * other.  A host with a WebSocket of its own (a browser) negotiates by itself and is not
 * asked; nats:// and tls:// know no compression.  Compressing hides no length: what an
 * attacker can mix into a message beside a secret, he may guess at; natlet_client_publish_plain
 * is for such messages.  Credentials are never compressed.
 *
 * Memory, in the client's budget, for each connection that compresses and no other:
 *
 *     reading    42.5 KiB and recv_bytes
 *     writing    9 KiB + 4 << window_bits + 576 << memory_level, and message_bytes_max
 *
 * which with the defaults is 106 KiB in all.  Nothing more is taken while it lasts, whatever
 * a server sends. */
#ifndef NATLET_COMPRESS_H
#define NATLET_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "natlet/client.h"

#define NATLET_COMPRESS_THRESHOLD_BYTES_DEFAULT 64u
#define NATLET_COMPRESS_MESSAGE_BYTES_DEFAULT 16384u
#define NATLET_COMPRESS_RECV_BYTES_DEFAULT 4096u
#define NATLET_COMPRESS_INFLATED_BYTES_DEFAULT 67108864u /* nats-server's max_pending */
#define NATLET_COMPRESS_WINDOW_BITS_DEFAULT 12
#define NATLET_COMPRESS_MEMORY_LEVEL_DEFAULT 5
#define NATLET_COMPRESS_LEVEL_DEFAULT 6

/* Zeroed fields take their defaults. */
typedef struct natlet_compress_options {
    /* Of a WebSocket message that the server sends.  Beyond it the connection ends with
     * E_TOO_LARGE; a message of NATS in it has its own limit, as always. */
    uint32_t inflated_bytes_max;
    uint32_t recv_bytes;        /* read from the host at a time: 512 to 1 MiB */
    uint32_t threshold_bytes;   /* what is sent at a time and is shorter goes as it is */
    uint32_t message_bytes_max; /* compressed at a time: 126 to NATLET_FRAME_PAYLOAD_MAX */
    uint8_t window_bits;        /* how far back it looks for what repeats: 9 to 15 */
    uint8_t memory_level;       /* 1 to 9 */
    uint8_t level;              /* 1: fast, to 9: small */
    bool receive_only;          /* what we send goes as it is, without memory for writing */
} natlet_compress_options;

/* Since the client was made, over all connections. */
typedef struct natlet_compress_stats {
    uint64_t received_bytes, inflated_bytes; /* of compressed messages: on the way, and then */
    uint64_t plain_bytes, deflated_bytes;    /* of those we compressed: before, and on the way */
    uint64_t received_messages;              /* of WebSocket; of those ... */
    uint64_t inflated_messages;              /* ... were compressed */
    uint64_t sent_messages, deflated_messages;
    uint64_t incompressible_messages; /* tried, and sent as they were */
    bool is_on;                       /* the server of the moment agreed */
} natlet_compress_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Offers compression to servers from the next connection on.  One that does not know it is
 * used without.  `options` may be NULL, and is copied.
 *
 * A server that breaks the agreement or the format ends the connection, as one does that
 * sends too much: E_HANDSHAKE, E_FRAME (close code 1007) or E_TOO_LARGE (1009).  If there
 * is no memory for it, so does E_NO_MEMORY.
 *
 * Call it once, between natlet_client_new and natlet_client_connect.  Returns OK; E_STATE
 * (not idle, or called before); E_CONFIG (out of range); E_NO_MEMORY. */
natlet_status natlet_client_compress(natlet_client *client, const natlet_compress_options *options);

/* natlet_client_publish for what shall not be compressed: because it cannot get shorter,
 * or because it must not.  It goes in a WebSocket message of its own, or together with its like.
 * What waits for a connection (natlet_client_track) is not told from the rest later.
 *
 * Returns as natlet_client_publish, or E_AGAIN (it would have to wait: not published). */
natlet_status natlet_client_publish_plain(natlet_client *client, const natlet_msg *msg);

/* What compression did so far; all 0 without natlet_client_compress. */
natlet_compress_stats natlet_client_compress_stats(const natlet_client *client);

#ifdef __cplusplus
}
#endif

#endif
