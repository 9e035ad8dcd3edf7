/* A client is one logical connection to a NATS system: it finds a server, keeps
 * the connection alive, comes back after it broke, and routes messages.
 *
 * It lives on a natlet_runtime, which calls it; nothing here blocks.  Every
 * wait has a deadline and ends exactly once, in its callback.  Callbacks may call
 * any function here but natlet_client_free; slices given to a callback are valid
 * until it returns, slices given to a function may die when it returns. */
#ifndef NATLET_CLIENT_H
#define NATLET_CLIENT_H

#include <stdbool.h>

#include "natlet/auth.h"
#include "natlet/limits.h"
#include "natlet/runtime.h"
#include "natlet/slice.h"
#include "natlet/status.h"

typedef struct natlet_client natlet_client;

#define NATLET_CLIENT_STATE_MAP(X)                                                                 \
    X(IDLE, 0, "idle")                                                                             \
    X(CONNECTING, 1, "connecting")                                                                 \
    X(CONNECTED, 2, "connected")                                                                   \
    X(RECONNECTING, 3, "reconnecting")                                                             \
    X(DRAINING, 4, "draining")                                                                     \
    X(CLOSED, 5, "closed")

typedef enum natlet_client_state {
#define X(name, value, text) NATLET_CLIENT_##name = (value),
    NATLET_CLIENT_STATE_MAP(X)
#undef X
} natlet_client_state;

/* A server that is about to shut down is left for another one of the pool, if there is
 * one: it serves until the new one has all subscriptions.  While both do, a message of
 * a plain subscription may come twice, that of a queue group does not; answers come
 * once. */
typedef enum natlet_client_event_kind {
    NATLET_CLIENT_EV_STATE = 0,         /* state changed; status and text say why it was left */
    NATLET_CLIENT_EV_ERROR = 1,         /* something failed that ends nothing: -ERR, a permission */
    NATLET_CLIENT_EV_SERVERS = 2,       /* the server named servers that were not in the pool */
    NATLET_CLIENT_EV_LAME_DUCK = 3,     /* the server is about to shut down */
    NATLET_CLIENT_EV_SLOW_CONSUMER = 4, /* a pulled subscription drops messages: E_FULL (its
                                           limit) or E_NO_MEMORY; told again when half was free */
    NATLET_CLIENT_EV_AUTH_EXPIRING = 5, /* the JWT expires soon: reconnects for a new one */
    NATLET_CLIENT_EV_MIGRATED = 6, /* another server, text, serves from now on, without a gap */
} natlet_client_event_kind;

typedef struct natlet_client_event {
    natlet_client_event_kind kind;
    natlet_client_state state; /* the present one */
    natlet_status status;      /* OK, or the typed reason */
    natlet_slice text;         /* what the server or the host said about it; may be empty */
    uint32_t close_code;       /* of the WebSocket, 0: none */
    uint32_t sid;              /* of the subscription concerned, 0: none */
    natlet_slice subject;      /* that the server does not permit; else empty */
} natlet_client_event;

/* Zeroed fields take their defaults; natlet_client_config_init sets them all.
 * The client copies what it keeps. */
typedef struct natlet_client_config {
    uint32_t size;        /* sizeof(natlet_client_config) */
    natlet_slice servers; /* URLs separated by commas: ws wss nats tls; user:password@ allowed */
    natlet_slice name;    /* shown by the server's monitoring */
    natlet_slice user, password, token;
    natlet_slice inbox_prefix; /* "_INBOX" */
    natlet_slice headers;      /* "Name: value\r\n" lines for the upgrade request; Host too */
    bool no_echo;              /* do not deliver what this client published */
    bool verbose, pedantic;
    bool keep_order;        /* try servers in the order given, else shuffled */
    bool ignore_discovered; /* do not add servers that INFO names */
    bool no_reconnect;
    bool retry_first_connect; /* a failed first connect is retried like a reconnect */
    bool retry_auth_errors;   /* a server that refused the credentials twice is tried again */
    bool host_auth;           /* the host is asked, too, who we are (CTL_SIGN) */
    uint32_t connect_ms, ping_ms, pings_out_max, drain_ms;
    uint32_t reconnect_ms;       /* > 0: fixed delay instead of backoff */
    int32_t reconnects_max;      /* attempts in a row per server; -1 (default) without end */
    uint32_t rx_bytes, tx_bytes; /* buffers */
    uint32_t pending_bytes_max;  /* what the outbox may grow to */
    uint32_t message_bytes_max;  /* larger messages are refused */
    uint32_t subscriptions_max;  /* default 4096; the table grows in steps */
    void (*on_event)(void *self, const natlet_client_event *event);
    /* Both may be NULL, and may call the functions that only look.  The first answers
     * which server, by its index, is dialled next; < 0: the one `proposed`.  The second
     * answers the wait in ms before a pass over the servers, instead of the backoff;
     * `attempt` counts from 0 since the service was stable. */
    int32_t (*choose_server)(void *self, uint32_t proposed);
    uint32_t (*reconnect_delay)(void *self, uint32_t attempt);
    void *self;
    /* Asked in this order at every connect who we are; what a later one says wins over
     * an earlier one and user, password and token, and what the host says over all.
     * The list is copied.  When nobody says anything CONNECT has no credentials, as for
     * a page whose cookies say it.  A JWT is replaced a minute before it expires, or after
     * half of what is left, by a reconnect (not with no_reconnect): once for each date. */
    const natlet_authenticator *authenticators;
    uint32_t authenticator_count; /* 0..NATLET_AUTHENTICATORS_MAX */
} natlet_client_config;

/* Where the messages of a subscription go. */
typedef struct natlet_sink {
    void *self;
    /* One message of subscription `sid`.  NULL: the subscription is a pulled one, see
     * natlet_client_next. */
    void (*message)(void *self, uint32_t sid, const natlet_msg *msg);
    /* The last call: the subscription is over, and is before unsubscribe returns.
     * `why` is OK (unsubscribed, max reached, drained), E_CLOSED, or E_PERMISSION
     * (the server refused it, or takes no more of them).  May be NULL. */
    void (*ended)(void *self, uint32_t sid, natlet_status why);
} natlet_sink;

/* Ends a request; for request-many see natlet_client_request_many.  `st` is OK (then *reply is the
 * answer), E_NO_RESPONDERS, E_TIMEOUT, E_PERMISSION (the server refused the subject or the inbox),
 * E_DISCONNECTED (the connection broke before the answer came), E_CANCELLED or
 * E_CLOSED (then reply is NULL). */
typedef void (*natlet_reply_fn)(void *self, natlet_status st, const natlet_msg *reply);

/* Ends a flush or a drain with OK, E_TIMEOUT, E_DISCONNECTED or E_CLOSED;
 * `elapsed_us` is what it took, the round trip for a flush.  May be NULL. */
typedef void (*natlet_done_fn)(void *self, natlet_status st, uint64_t elapsed_us);

typedef struct natlet_client_stats {
    uint64_t in_messages, in_bytes;   /* MSG and HMSG; bytes of header block and payload */
    uint64_t out_messages, out_bytes; /* accepted publishes, requests included */
    uint64_t received_bytes;          /* from the host, protocol and framing included */
    uint64_t sent_bytes;              /* to the host */
    uint64_t recv_calls, send_calls;  /* of the host; E_AGAIN counts too */
    uint64_t copied_bytes;            /* moved again after recv wrote them */
    uint64_t unrouted;                /* messages of subscriptions that are gone */
    uint64_t late_replies;            /* replies nobody waits for any more */
    uint64_t dropped;                 /* header block beyond NATLET_HEADER_BYTES_MAX; or pulled
                                         subscription, and full, out of memory or ended */
    uint64_t refused;                 /* operations answered E_FULL */
    uint64_t expired, unknown;        /* publishes reported E_TIMEOUT, E_DISCONNECTED */
    uint32_t reconnects;
    uint32_t migrations;                      /* from one server to another without a gap */
    uint32_t probes;                          /* PINGs because the link seemed dead */
    uint32_t connects;                        /* successful ones, the first included */
    uint32_t errors;                          /* -ERR and protocol failures */
    uint32_t subscriptions, requests;         /* live now */
    uint32_t subscriptions_max, requests_max; /* most ever, the shared inbox included */
    uint32_t outbox_bytes, outbox_max;        /* waiting now; most ever */
    uint32_t rx_block_max;               /* largest block taken for a message beyond the buffer */
    uint32_t offline_messages;           /* publishes that wait */
    uint32_t offline_bytes, offline_max; /* memory for them now, a kept block too; most ever */
} natlet_client_stats;

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the defaults of natlet/limits.h. */
void natlet_client_config_init(natlet_client_config *config);

/* Makes an idle client on `rt`.
 *
 * Returns OK; E_URL (a server address); E_CONFIG (a number out of range, too many
 * servers, a name, user, token or prefix that is not well-formed); E_NO_MEMORY.  On failure
 * *out is NULL. */
natlet_status natlet_client_new(natlet_client **out, natlet_runtime *rt,
                                const natlet_client_config *config);

/* Closes if need be (callbacks are called) and frees.  Not from a callback. */
void natlet_client_free(natlet_client *client);

/* Starts to connect; the outcome is an EV_STATE event.
 * Returns OK, E_STATE (not idle or closed) or E_NO_MEMORY. */
natlet_status natlet_client_connect(natlet_client *client);

/* Ends at once: pending requests, flushes and subscriptions get E_CLOSED.
 * What was published and not yet handed to the host is sent first if the host
 * takes it. */
void natlet_client_close(natlet_client *client);

/* Drops the connection and dials again without delay.  Returns OK or E_STATE. */
natlet_status natlet_client_reconnect(natlet_client *client);

/* The pool of servers: those of the configuration and those that INFO names. */
typedef struct natlet_server_info {
    natlet_slice url;       /* without credentials; valid until the pool changes */
    uint32_t failures;      /* attempts in a row that failed */
    uint32_t auth_failures; /* ... for credentials */
    natlet_status last;     /* why its last connection or attempt ended; OK since it serves */
    bool is_current;        /* in use or last tried */
    bool is_discovered;     /* named by INFO only */
} natlet_server_info;

/* How many there are, those that INFO named included. */
uint32_t natlet_client_server_count(const natlet_client *client);

/* Describes server `index`, from 0.  Returns OK or E_NOT_FOUND. */
natlet_status natlet_client_server_at(const natlet_client *client, uint32_t index,
                                      natlet_server_info *out);

/* Replaces the pool by `urls`, written as in the configuration, for later connects too.
 * A connection stays, also to a server that is no longer named: it is not dialled again.
 * Returns OK, E_URL, E_CONFIG (too many) or E_NO_MEMORY; on failure nothing changed. */
natlet_status natlet_client_set_servers(natlet_client *client, natlet_slice urls);

/* How a client keeps account of its publishes. */
typedef struct natlet_track_options {
    uint32_t offline_bytes_max; /* memory for publishes that wait; 0: none waits */
    uint32_t offline_ms;        /* one that has waited so long is refused; 0: never */
    /* Publishes `first` to `last`, counted as natlet_client_published does, have ended.
     * Every number is told once and in order, at the end of a turn or while the
     * client closes.  `st` is
     *
     *   OK                     sent: the server has read them, for it answered a PING
     *                          that went after them
     *   E_DISCONNECTED         unknown: handed over, and the connection ended before
     *                          such an answer came.  They are never sent again
     *   E_TIMEOUT              refused: waited longer than offline_ms
     *   E_TOO_LARGE,           refused: by the time of sending, the server was one that
     *   E_HEADERS_UNSUPPORTED  takes less
     *   E_CLOSED               refused: waited when the client closed.
     *
     * What is refused was never sent, not in part either.  May be NULL. */
    void (*on_published)(void *self, uint64_t first, uint64_t last, natlet_status st);
    void *self;
} natlet_track_options;

/* Lets publishes wait for a connection, and tells what became of each.
 *
 * From then on at most tx_bytes of the configuration, or one larger message, are
 * handed over without being known to be sent, so that no more than that can become
 * unknown; the client sends the PINGs for it.  What is beyond waits, and so does all
 * that is published before the first connect, between connections, or while the host
 * takes nothing: whole, in order, up to offline_bytes_max, then E_FULL.  After a
 * connect, subscriptions go first, what waits second, later publishes last.  A flush
 * or a drain includes what waits; natlet_client_close refuses it.
 *
 * Call it once, between natlet_client_new and natlet_client_connect.  It costs no
 * memory beyond what waits: blocks of NATLET_OFFLINE_BLOCK_BYTES, one of which is
 * kept.  Returns OK, E_STATE (not idle, or called before) or E_NO_MEMORY. */
natlet_status natlet_client_track(natlet_client *client, const natlet_track_options *options);

/* The number of the last publish that was accepted, a request too: they count
 * 1, 2, 3 ... over the whole life of the client.  0: none yet. */
uint64_t natlet_client_published(const natlet_client *client);

/* Publishes.  Subject and reply are checked, headers must be one well-formed
 * block (natlet/headers.h).
 *
 * Returns OK (in the outbox whole, in order; or it waits: natlet_client_track);
 * E_SUBJECT; E_HEADER; E_TOO_LARGE (beyond the server's max_payload,
 * pending_bytes_max or offline_bytes_max); E_HEADERS_UNSUPPORTED; E_FULL (outbox or
 * what waits at its limit: wait for room); E_NO_MEMORY (the outbox is empty and there
 * is no room, or none for what would wait); E_DISCONNECTED (publishes do not wait);
 * E_DRAINING; E_CLOSED. */
natlet_status natlet_client_publish(natlet_client *client, const natlet_msg *msg);

typedef struct natlet_subscribe_options {
    natlet_slice queue; /* queue group; empty: none */
    uint64_t max;       /* ends by itself after so many messages; 0: never */
    /* Of a pulled one: what waits at most, 0 for the defaults of natlet/limits.h. */
    uint32_t pending_messages_max, pending_bytes_max;
} natlet_subscribe_options;

/* Subscribes; `options` may be NULL, `sink` too: then it is a pulled subscription.  While
 * disconnected the subscription is kept and sent with the next connect, as after every reconnect.
 *
 * Returns OK; E_SUBJECT; E_LIMIT (subscriptions_max); E_NO_MEMORY; E_FULL;
 * E_DRAINING; E_CLOSED. */
natlet_status natlet_client_subscribe(natlet_client *client, uint32_t *sid, natlet_slice subject,
                                      const natlet_subscribe_options *options,
                                      const natlet_sink *sink);

/* Ends subscription `sid`: at once (max 0), after which no message of it is
 * delivered, or after `max` messages counted from its start.
 * Returns OK, E_NOT_FOUND or E_FULL. */
natlet_status natlet_client_unsubscribe(natlet_client *client, uint32_t sid, uint64_t max);

/* Lends the oldest message that a pulled subscription holds: its slices are valid
 * until natlet_client_release or the end of the subscription.  Twice without a
 * release lends the same message again.
 *
 * Messages wait in memory of the client up to the limits of the subscription; one
 * that finds no room is dropped, counted, and told as EV_SLOW_CONSUMER.  After `max`
 * messages, or drained, it lives until the last one was released; unsubscribed at once
 * or closed, it ends with what it holds.
 *
 * Returns OK, EMPTY or E_NOT_FOUND (over, or not a pulled one). */
natlet_status natlet_client_next(natlet_client *client, uint32_t sid, natlet_msg *msg);

/* Gives the lent message back.  Returns OK, EMPTY (none is lent) or E_NOT_FOUND. */
natlet_status natlet_client_release(natlet_client *client, uint32_t sid);

typedef struct natlet_subscription_info {
    uint64_t delivered; /* to the program, since the subscription began */
    uint64_t dropped;
    uint32_t pending_messages, pending_bytes; /* all parts; a lent message is pending */
    uint32_t most_messages, most_bytes;       /* most ever pending */
    bool is_draining;
} natlet_subscription_info;

/* How a subscription is doing; what is not pulled has nothing pending.  Returns OK or
 * E_NOT_FOUND. */
natlet_status natlet_client_subscription_info(const natlet_client *client, uint32_t sid,
                                              natlet_subscription_info *out);

/* Ends it after what the server had sent was delivered, and taken if it is pulled; without a
 * connection at once.  `timeout_ms` 0 stands for the client's drain_ms. Returns OK, E_NOT_FOUND,
 * E_FULL or E_NO_MEMORY; after OK `done` is called once. */
natlet_status natlet_client_drain_subscription(natlet_client *client, uint32_t sid,
                                               uint32_t timeout_ms, natlet_done_fn done,
                                               void *self);

/* Publishes a request; the answer comes through one shared inbox, so msg->reply
 * is not looked at.  *id (may be NULL) is for natlet_client_cancel.
 *
 * Returns as natlet_client_publish, or E_NO_MEMORY, E_LIMIT; after OK `reply` is
 * called exactly once, by the deadline at the latest. */
natlet_status natlet_client_request(natlet_client *client, const natlet_msg *msg,
                                    uint32_t timeout_ms, natlet_reply_fn reply, void *self,
                                    uint32_t *id);

typedef struct natlet_request_options {
    uint32_t timeout_ms;  /* for all of it */
    uint32_t replies_max; /* 0 or 1: one answer; more: request-many */
    uint32_t stall_ms;    /* request-many: over when no further answer came for so long; 0: none */
    bool many;            /* request-many, however many answers come */
    bool until_empty;     /* request-many: an empty message is the end, and not an answer */
    bool own_inbox;       /* a subscription of its own instead of the shared inbox */
} natlet_request_options;

/* A request with several answers (request-many, ADR-47): each is given to `reply` with
 * MORE, then comes the end, without a message: OK (the number of answers, the sentinel
 * or a stall; or the time is up and some came), E_TIMEOUT (none came), or as for a
 * request.  A message with a status and no payload ends it too: 503 with
 * E_NO_RESPONDERS, others with OK.  Options for one answer make it a
 * natlet_client_request.
 *
 * Returns as natlet_client_request; after OK `reply` is called as said, and not again
 * after it was called with anything but MORE. */
natlet_status natlet_client_request_many(natlet_client *client, const natlet_msg *msg,
                                         const natlet_request_options *options,
                                         natlet_reply_fn reply, void *self, uint32_t *id);

/* Ends a request with E_CANCELLED.  Returns OK or E_NOT_FOUND. */
natlet_status natlet_client_cancel(natlet_client *client, uint32_t id);

/* Calls `done` when the server has read all that was published before.
 * Returns OK, E_DISCONNECTED, E_CLOSED, E_FULL or E_NO_MEMORY. */
natlet_status natlet_client_flush(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                  void *self);

/* The round trip to the server, which is what a flush takes.  Returns as
 * natlet_client_flush. */
natlet_status natlet_client_rtt(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                void *self);

/* Unsubscribes everything, delivers what is on the way (callbacks may still
 * publish then), waits until pulled subscriptions are empty, flushes, closes.  `timeout_ms` 0
 * stands for the client's drain_ms. Returns OK, E_STATE (not connected), E_CLOSED, E_FULL or
 * E_NO_MEMORY; after OK `done` is called once. */
natlet_status natlet_client_drain(natlet_client *client, uint32_t timeout_ms, natlet_done_fn done,
                                  void *self);

/* Writes a fresh inbox "<prefix>.<22 characters>" into `out`; returns its length,
 * 0 if `cap` is too small. */
size_t natlet_client_inbox(natlet_client *client, uint8_t *out, size_t cap);

natlet_client_state natlet_client_state_now(const natlet_client *client);

/* As readyState of a WebSocket: 0 connecting, 1 open, 2 closing, 3 closed.  Idle is 3. */
uint32_t natlet_client_ready_state(const natlet_client *client);

/* Whether what is published now goes to a server: in CONNECTED only. */
bool natlet_client_is_connected(const natlet_client *client);

natlet_client_stats natlet_client_stats_now(const natlet_client *client);

/* Static text: "connected". */
const char *natlet_client_state_text(natlet_client_state state);

/* The last INFO document, empty before the first; valid until the next turn. */
natlet_slice natlet_client_info(const natlet_client *client);

/* URL of the server in use or last tried, else of the next one, without credentials; empty
 * if the pool is.  Same validity. */
natlet_slice natlet_client_server(const natlet_client *client);

/* The server's max_payload, or the configured limit while it is unknown. */
uint32_t natlet_client_max_payload(const natlet_client *client);

#ifdef __cplusplus
}
#endif

#endif
