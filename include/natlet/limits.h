/* Every limit that has a number, with its unit and what happens at it.  The
 * ones that can be changed are the defaults of a configuration field. */
#ifndef NATLET_LIMITS_H
#define NATLET_LIMITS_H

/* A control line with its CRLF, as nats-server's max_control_line.  Longer: E_LINE_TOO_LONG. */
#define NATLET_LINE_BYTES_MAX 4096u

/* An INFO line, which lists every server of a cluster.  Longer: E_LINE_TOO_LONG. */
#define NATLET_INFO_BYTES_MAX 65536u

/* The largest message accepted, header block and payload together: the default
 * of natlet_client_config.message_bytes_max.  Larger: E_TOO_LARGE, reconnect. */
#define NATLET_MESSAGE_BYTES_MAX 1048576u

/* No configuration goes beyond this, so that sums of two sizes fit 32 bits. */
#define NATLET_MESSAGE_BYTES_LIMIT 0x10000000u

/* A header block, and the fields in it.  Sending more: E_HEADER; a received block
 * that is larger: its message is dropped and counted. */
#define NATLET_HEADER_BYTES_MAX 65535u
#define NATLET_HEADER_FIELDS_MAX 256u

/* "NATS/1.0\r\n\r\n": no header block is shorter (ADR-4). */
#define NATLET_HEADER_BYTES_MIN 12u

/* One WebSocket message that we send, at most; also at most max_payload. */
#define NATLET_FRAME_PAYLOAD_MAX 65535u

/* Servers in the pool, and bytes of one server's URL.  More: E_CONFIG, E_URL. */
#define NATLET_SERVERS_MAX 32u
#define NATLET_URL_BYTES_MAX 512u

/* Authenticators of one client.  More: E_CONFIG. */
#define NATLET_AUTHENTICATORS_MAX 8u

/* Buffers of one client, in bytes; natlet_client_config can change them. */
#define NATLET_RX_BYTES_DEFAULT 32768u
#define NATLET_TX_BYTES_DEFAULT 32768u
#define NATLET_PENDING_BYTES_MAX_DEFAULT 8388608u /* what the outbox may grow to; then E_FULL */

/* Publishes that wait for a connection take memory in blocks of this size; a larger one
 * has a block of its own (natlet_client_track).  Beyond offline_bytes_max: E_FULL. */
#define NATLET_OFFLINE_BLOCK_BYTES 16384u

/* What waits in a pulled subscription until the program takes it.  More: dropped,
 * counted and told. */
#define NATLET_PENDING_MESSAGES_DEFAULT 65536u
#define NATLET_PENDING_BYTES_DEFAULT 67108864u

/* Nesting of a JSON document from the wire: INFO, status; agents' payloads: 127. */
#define NATLET_INFO_DEPTH_MAX 8u
#define NATLET_JSON_DEPTH_MAX 127u

/* Mail that one agent keeps (natlet_mail_keep), beside the bytes of its mailbox.  More: E_FULL. */
#define NATLET_KEPT_MAIL_MAX 64u

/* Times, in milliseconds. */
#define NATLET_CONNECT_MS_DEFAULT 5000u /* TCP, TLS, upgrade and INFO together */
#define NATLET_DRAIN_MS_DEFAULT 30000u
#define NATLET_PING_WS_MS_DEFAULT 50000u /* below the 60 s of common proxies */
#define NATLET_PING_TCP_MS_DEFAULT 60000u
#define NATLET_PINGS_OUT_MAX_DEFAULT 2u
#define NATLET_BACKOFF_BASE_MS 250u
#define NATLET_BACKOFF_CAP_MS 30000u
#define NATLET_BACKOFF_FIRST_MS 500u   /* after a lone drop */
#define NATLET_BACKOFF_SHARED_MS 5000u /* after a lame duck or a server shutdown */
#define NATLET_STABLE_MS 10000u        /* service this long resets the backoff */

/* Subscriptions of one client: the default, and 20 bits of slot.  More: E_LIMIT. */
#define NATLET_SUBSCRIPTIONS_DEFAULT 4096u
#define NATLET_SUBSCRIPTIONS_MAX 1048575u

#endif
