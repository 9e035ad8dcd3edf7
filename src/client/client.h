/* The inside of a client, and what its files call of one another.
 *
 *     client.c         public life, events, the part of the runtime
 *     config.c         defaults, checks, the client's own copy
 *     reconnect.c      which server is dialled next, and when
 *     link.c           one connection: open, upgrade, send, end
 *     greeting.c       INFO, PONG, -ERR: joining and being told
 *     identity.c       who we are: asked, said in CONNECT, and renewed
 *     pump.c           from recv to the callback
 *     publish.c        from a message to the outbox
 *     subscribe.c      subscriptions as the caller and the server see them
 *     waiters.c        what waits for a reply or a PONG, and its deadline
 *     queue.c          pulled subscriptions
 *     requests.c       requests over one shared inbox
 *     many.c           requests with several answers, or an inbox of their own
 *     pongs.c          PING and PONG: flush, liveness, drains
 *     drain.c          the orderly end of it all
 *     move.c           from a server that will shut down to another one
 *     pool.c           the servers as the caller sees them
 *     ledger.c         what became of each publish; optional.h says how it costs nothing
 *     offline.c        publishes that wait for a connection
 *     secure.c         TLS of the client's own; likewise
 *     compress.c       permessage-deflate; likewise
 *
 * Internal.  A callback may call anything but free, so every function that runs
 * one looks again afterwards at what it holds: link->conn changes when the
 * connection does.  A callback may also trap, which unwinds the whole turn: what
 * must not be repeated is done before it is called. */
#ifndef NATLET_CLIENT_CLIENT_H
#define NATLET_CLIENT_CLIENT_H

#include "base/bytes.h"
#include "base/runtime.h"
#include "base/timers.h"
#include "client/backoff.h"
#include "client/compress.h"
#include "client/ledger.h"
#include "client/outbox.h"
#include "client/queue.h"
#include "client/secure.h"
#include "client/servers.h"
#include "client/subscriptions.h"
#include "client/window.h"
#include "natlet/client.h"
#include "proto/info.h"
#include "proto/parser.h"
#include "ws/handshake.h"

/* ---- one connection ---- */

/* State       waits for                    then
 * ---------   --------------------------   -------------------------------------
 * DOWN        nothing                      natlet__link_dial
 * OPENING     OPEN of the host             UPGRADING, or GREETING without it
 * UPGRADING   the answer to our upgrade    GREETING
 * GREETING    the first INFO               AUTHENTICATING
 * AUTHENT...  the host's word who we are   CONNECT and PING are sent -> JOINING
 * JOINING     the PONG to that PING        UP
 * UP          the end */
typedef enum natlet__link_state {
    NATLET__LINK_DOWN,
    NATLET__LINK_OPENING,
    NATLET__LINK_UPGRADING,
    NATLET__LINK_GREETING,
    NATLET__LINK_AUTHENTICATING,
    NATLET__LINK_JOINING,
    NATLET__LINK_UP,
} natlet__link_state;

enum { NATLET__REASON_MAX = 128, NATLET__NONCE_MAX = 128, NATLET__US_PER_MS = 1000 };

/* What most functions look at stands first, here and in the client: short offsets
 * are short instructions. */
typedef struct natlet__link {
    natlet__link_state state;
    uint32_t conn; /* as the host knows it; 0: none */
    uint32_t transport;
    uint32_t close_code;         /* of the WebSocket; 0: none */
    natlet_status why;           /* it ends, as far as the server or the host said; OK: not said */
    natlet_status closed_status; /* of the CLOSED event */
    bool is_framed;              /* RFC 6455 is ours */
    bool is_sealed;              /* TLS is ours: bytes are not as the host got them */
    bool is_readable;            /* the host may have bytes: recv has not said E_AGAIN */
    bool is_blocked;             /* the last send was short: WRITABLE will come */
    bool is_closed;              /* CLOSED came: what is left to read is all there will be */
    bool is_reported;            /* why it ends was told as an error of its own */
    bool pong_is_due;            /* however many PINGs came since the last flush */
    bool ws_pong_is_due;         /* to the latest WebSocket ping */
    uint8_t ws_pong_len;
    uint8_t reason_len;
    uint8_t nonce_len;
    natlet__parser parser;
    uint64_t up_since_us;
    uint64_t received_at_look; /* stats.received_bytes when it was last looked whether it lives */
    uint64_t sent_at_look;     /* stats.sent_bytes then */
    uint64_t wall_ahead_us;    /* of the monotonic clock, then */
    natlet__url url;           /* its slices lie in the server's text */
    natlet__handshake handshake;
    natlet__ws ws;
    uint8_t ws_pong[NATLET__WS_CONTROL_MAX];
    uint8_t reason[NATLET__REASON_MAX];
    uint8_t nonce[NATLET__NONCE_MAX];
} natlet__link;

/* ---- who we are ---- */

typedef struct natlet__identity {
    natlet__timer timer;  /* when the JWT is to be renewed */
    uint64_t expires_s;   /* when what CONNECT said ends; 0: never */
    uint64_t refreshed_s; /* that of the one which was renewed last */
    natlet_authenticator authenticators[NATLET_AUTHENTICATORS_MAX];
} natlet__identity;

/* ---- what waits ---- */

typedef enum natlet__waiter_kind {
    NATLET__WAITER_REPLY, /* a request */
    NATLET__WAITER_PONG,  /* a flush, or the drain of a subscription */
    NATLET__WAITER_DRAIN, /* the client's drain */
} natlet__waiter_kind;

typedef struct natlet__waiter {
    natlet__member member; /* first */
    natlet__waiter_kind kind;
    uint32_t key;       /* REPLY: hash of the subject, for "Permissions Violation for Publish";
                         * else: number of the PING; 0: it came, and a queue has to be emptied */
    uint32_t published; /* not REPLY: so many publishes have to be settled */
    uint32_t sid;       /* the subscription that ends with it; 0: none */
    uint32_t answers;   /* so far */
    natlet_request_options options; /* REPLY */
    void *self;
    union {
        natlet_reply_fn reply;
        natlet_done_fn done; /* may be NULL */
    } fn;
    natlet__timer timer; /* its deadline */
    uint64_t asked_us;   /* REPLY of request-many: the end of all of it */
} natlet__waiter;

enum {
    NATLET__INBOX_RANDOM = 22,
    NATLET__INBOX_PREFIX_MAX = 128,
    NATLET__INBOX_MAX = NATLET__INBOX_PREFIX_MAX + 1 + NATLET__INBOX_RANDOM,
};

typedef struct natlet__requests {
    natlet__roster waiters;
    uint32_t inbox_sid; /* 0: not subscribed yet */
    uint32_t inbox_len; /* "<prefix>.<22 characters>.", then room for a number */
    uint8_t inbox[NATLET__INBOX_MAX + 1 + NATLET__DECIMAL_MAX];
    uint8_t
        own[NATLET__INBOX_MAX]; /* the inbox that one request has for itself, while it is sent */
} natlet__requests;

typedef struct natlet__pongs {
    uint32_t sent, answered; /* PINGs of ours behind the joining one, and their PONGs */
    uint32_t silent;         /* liveness PINGs since the server was last heard */
} natlet__pongs;

/* All that belongs to one connection, by the names that it has in the client. */
#define NATLET__LINE                                                                               \
    natlet__timer *timer; /* a moment to dial, a deadline, a look whether it lives */              \
    bool is_shared_end;   /* others lose this server too: spread out */                            \
    bool headers;         /* the server knows HPUB */                                              \
    uint32_t max_payload; /* of the server; 0: not said */                                         \
    natlet__pongs pongs;                                                                           \
    uint8_t *info; /* the last document */                                                         \
    size_t info_len;                                                                               \
    natlet__outbox outbox;                                                                         \
    natlet__link link;                                                                             \
    natlet__window window;

typedef struct natlet__line {
    NATLET__LINE
} natlet__line;

/* The second line, while the client moves to another server (move.c). */
typedef enum natlet__move_stage {
    NATLET__MOVE_JOINING,  /* it is to become the client's: a wait, or an attempt */
    NATLET__MOVE_SETTLING, /* it was: what the new server does not know yet comes through it */
    NATLET__MOVE_LEAVING,  /* UNSUB and PING were sent: the last messages are on the way */
} natlet__move_stage;

typedef struct natlet__move {
    natlet__line line;
    natlet__move_stage stage;
    bool is_in_place; /* its contents are in the client, the client's are here */
    uint32_t tried;   /* servers */
} natlet__move;

typedef struct natlet__drain {
    bool is_flushing; /* second stage: all was delivered, publishing is over */
} natlet__drain;

/* What is told while a client closes; it may have to be told on after a trap. */
typedef struct natlet__end {
    natlet_status why, drain, waiting;
} natlet__end;

struct natlet_client {
    natlet__part part; /* first, so that a part is its client */
    natlet_runtime *rt;
    natlet__ledger *ledger; /* NULL: natlet_client_track was not called */
    natlet_client_state state;
    natlet__end end;
    bool is_ending;     /* the callbacks of the end are running, or one of them trapped */
    natlet__move *move; /* NULL: there is one connection at most */
    union {
        natlet__line line;
        struct {
            NATLET__LINE
        };
    };
    natlet__roster subs;
    natlet__timers timers;
    natlet__timer line_timers[2];
    natlet__backoff backoff;
    natlet__roster pong_waiters;
    natlet__drain drain;
    natlet__identity identity;
    natlet__requests requests;
    natlet_client_stats stats;
    uint64_t held_turn;          /* of the runtime, in which no more is read */
    bool has_own_servers;        /* natlet_client_set_servers was called */
    natlet_client_config config; /* its slices lie in config_text */
    uint8_t *config_text;
    size_t config_text_bytes;
    natlet__servers servers;
    natlet__secure *secure;     /* NULL: natlet_client_tls was not called */
    natlet__compress *compress; /* NULL: natlet_client_compress was not called */
};

/* ---- client.c ---- */

/* The clock for a deadline: that of the turn inside one, else the host's. */
uint64_t natlet__client_now_us(natlet_client *client);

/* Starts a timer of the client's. */
void natlet__client_start(natlet_client *client, natlet__timer *timer, uint64_t wait_us);

void natlet__client_tell(natlet_client *client, natlet_client_event_kind kind, natlet_status st,
                         natlet_slice text, uint32_t sid);

/* Says it; state and close code are filled in. */
void natlet__client_tell_event(natlet_client *client, natlet_client_event *event);

/* The text to an `st` < 0 is the link's reason. */
void natlet__client_tell_reason(natlet_client *client, natlet_client_event_kind kind,
                                natlet_status st);

/* Changes the state and says so. */
void natlet__client_enter(natlet_client *client, natlet_client_state state, natlet_status why);

/* What waits for an answer of this connection will not get it; because the
 * connection broke, nor will some subscriptions. */
void natlet__client_fail_waiting(natlet_client *client, natlet_status why);

/* Closes for good: every callback that is due is called, with `drain` that of a
 * drain, with `waiting` those that wait for an answer of the server. */
void natlet__client_end(natlet_client *client, natlet_status why, natlet_status drain,
                        natlet_status waiting);

/* ---- config.c ---- */

/* Checks `config` and copies it.  Returns OK, E_CONFIG or E_NO_MEMORY. */
natlet_status natlet__config_take(natlet_client *client, const natlet_client_config *config);
void natlet__config_give_back(natlet_client *client);

/* ---- reconnect.c ---- */

/* The link is gone (natlet__link_drop): decides what comes next. */
void natlet__client_lost(natlet_client *client, natlet__link_state was, natlet_status why);

/* Dials the next server after `wait_ms`. */
void natlet__client_dial_in(natlet_client *client, uint32_t wait_ms);

/* The wait is over. */
void natlet__client_dial(natlet_client *client);

/* ---- link.c ---- */

/* What the link waited for did not come, or is due. */
void natlet__link_timeout(natlet_client *client);

/* Begins to connect to the present server.  Returns OK, or why it cannot. */
natlet_status natlet__link_dial(natlet_client *client);

void natlet__link_event(natlet_client *client, const natlet_host_event *event);

/* Keeps the first reason that somebody gave. */
void natlet__link_blame(natlet__link *link, natlet_status why, natlet_slice text);

/* The server closes the WebSocket, and says why. */
void natlet__link_told(natlet_client *client, uint32_t code, natlet_slice text);

/* Reads the answer to the upgrade.  Returns as natlet__handshake_read. */
natlet_status natlet__link_upgraded(natlet_client *client, natlet_slice *in);

/* CLOSED came and all before it was read. */
void natlet__link_over(natlet_client *client);

/* Ends the connection because of `st`, with the WebSocket code that says so, and
 * goes on with natlet__client_lost. */
void natlet__link_fail(natlet_client *client, natlet_status st, uint16_t close_code);

/* Ends the connection without further consequences. */
void natlet__link_drop(natlet_client *client, uint16_t close_code);

/* Hands to the host what it takes. */
void natlet__link_send(natlet_client *client);

/* Pongs that are due, then what waits: last in a turn. */
void natlet__link_flush(natlet_client *client);

/* Bytes one WebSocket message of ours has at most. */
uint32_t natlet__link_message_max(const natlet_client *client);

/* ---- greeting.c ---- */

void natlet__greeting_info(natlet_client *client, natlet_slice json);
void natlet__greeting_error(natlet_client *client, natlet_slice text);
void natlet__greeting_pong(natlet_client *client);

/* ---- identity.c ---- */

/* INFO came: finds out who we are and sends CONNECT. */
void natlet__identity_ask(natlet_client *client, natlet_slice nonce);

/* The host has answered; `st` says how. */
void natlet__identity_told(natlet_client *client, natlet_status st);

/* The link is up: what is to be renewed will be. */
void natlet__identity_watch(natlet_client *client);

/* Its time came. */
void natlet__identity_expires(natlet_client *client);

/* ---- pump.c ---- */

/* A WebSocket control frame came.  Returns OK, or E_CLOSED: it ended the connection. */
natlet_status natlet__pump_control(natlet_client *client, const natlet__ws_event *ev);

/* Reads and routes until the host has no more or the time is up.  Returns true if
 * work is left. */
bool natlet__pump_run(natlet_client *client, uint64_t until_us);

/* ---- publish.c ---- */

/* Starts an operation of `bytes`, after which natlet__outbox_at may be written.
 * Returns OK, E_FULL, E_TOO_LARGE or E_NO_MEMORY. */
natlet_status natlet__client_begin(natlet_client *client, size_t bytes);

/* Writes a line without parts: "PING\r\n".  Returns as natlet__client_begin. */
natlet_status natlet__client_write_line(natlet_client *client, natlet_slice line);

/* State, subject and body of a publish, but not its reply.  Returns as
 * natlet_client_publish. */
natlet_status natlet__publish_check(const natlet_client *client, const natlet_msg *msg);

/* Writes a checked message.  Returns as natlet__client_begin. */
natlet_status natlet__publish(natlet_client *client, const natlet_msg *msg);

/* ---- subscribe.c ---- */

/* Subscribes without checks of state and subject. */
natlet_status natlet__subscribe(natlet_client *client, natlet_slice subject,
                                const natlet_subscribe_options *options, const natlet_sink *sink,
                                uint32_t *sid);

/* Routes one message. */
void natlet__subscribe_deliver(natlet_client *client, uint64_t sid, const natlet_msg *msg);

/* Ends a subscription, and calls its `ended`; if `why` is OK and it holds messages,
 * it ends when they were taken. */
void natlet__subscribe_end(natlet_client *client, uint32_t sid, natlet_status why);

/* Ends all of them; if `why` is OK those that will get nothing more. */
void natlet__subscribe_end_all(natlet_client *client, natlet_status why);

/* Sends UNSUB for it and marks it as draining.  Returns OK or E_FULL ... */
natlet_status natlet__subscribe_drain(natlet_client *client, natlet__subscription *sub);

/* UNSUB for all on a connection that is left.  Returns OK or why it failed. */
natlet_status natlet__subscribe_leave(natlet_client *client);

/* After a connect: SUB for all.  Returns OK or why it failed. */
natlet_status natlet__subscribe_again(natlet_client *client);

/* The live one that an error is about; 0: none.  `subject` lies in `text`; empty: the
 * server takes no more of them. */
uint32_t natlet__subscribe_refused(const natlet_client *client, natlet_slice subject,
                                   natlet_slice text);

/* ---- queue.c ---- */

/* Makes it a pulled one.  Returns OK or E_NO_MEMORY. */
natlet_status natlet__queue_open(natlet__subscription *sub, natlet__memory *memory,
                                 const natlet_subscribe_options *options);
void natlet__queue_free(natlet__subscription *sub, natlet__memory *memory);

/* Keeps a message; may call back. */
void natlet__queue_put(natlet_client *client, natlet__subscription *sub, const natlet_msg *msg);

/* It is to end.  Returns true if it has to wait until its messages were taken. */
bool natlet__queue_end(natlet_client *client, natlet__subscription *sub, natlet_status why);

/* What it holds is dropped, if it is a pulled one. */
void natlet__queue_clear(natlet_client *client, uint32_t sid);

/* Whether subscription `sid`, which has got all, or any (0) is over but for what it
 * holds. */
bool natlet__queue_waits(natlet_client *client, uint32_t sid);

/* ---- waiters.c ---- */

/* Begins to wait; key, sid, fn and asked_us are the caller's to set.  Returns NULL
 * if there is no room: natlet__roster_refusal says why. */
natlet__waiter *natlet__waiter_begin(natlet_client *client, natlet__waiter_kind kind,
                                     uint32_t wait_ms, void *self);

/* The oldest one with this key, or NULL. */
natlet__waiter *natlet__waiter_find(const natlet__roster *waiters, uint32_t key);

/* One whose PONG came and that waits for messages of subscription `sid` to be taken
 * (0: of any), or NULL. */
natlet__waiter *natlet__waiter_held(const natlet__roster *waiters, uint32_t sid);

/* It never was. */
void natlet__waiter_drop(natlet_client *client, natlet__waiter *waiter);

/* Ends it and calls back; `reply` is that of a request that ends with OK. */
void natlet__waiter_end(natlet_client *client, natlet__waiter *waiter, natlet_status st,
                        const natlet_msg *reply);
void natlet__waiter_end_all(natlet_client *client, const natlet__roster *waiters,
                            natlet_status why);
void natlet__waiter_timeout(natlet_client *client, natlet__timer *timer);

/* ---- requests.c ---- */

/* The server refused a publish to `subject`, or one with that reply: ends the oldest
 * request to it. */
void natlet__requests_refused(natlet_client *client, natlet_slice subject);

/* Asks, with checked options.  Returns as natlet_client_request. */
natlet_status natlet__request(natlet_client *client, const natlet_msg *msg,
                              const natlet_request_options *options, natlet_reply_fn reply,
                              void *self, uint32_t *id);

/* `msg` answers the request of `waiter`; NULL: nobody waits for it. */
void natlet__requests_answered(natlet_client *client, natlet__waiter *waiter,
                               const natlet_msg *msg);

/* ---- many.c ---- */

/* Subscribes an inbox of its own, whose name is written to natlet__requests.own.
 * Returns as natlet__subscribe. */
natlet_status natlet__many_open(natlet_client *client, natlet__waiter *waiter);

/* One of several answers, or a sign that there will be no more. */
void natlet__many_answered(natlet_client *client, natlet__waiter *waiter, const natlet_msg *msg);

/* Gives up the inbox of a request that is over. */
void natlet__many_over(natlet_client *client, uint32_t sid);

/* ---- pongs.c ---- */

/* Sends PING, whose PONG is for `waiter` (NULL: for nothing that waits).  Returns OK,
 * E_FULL or E_NO_MEMORY. */
natlet_status natlet__pongs_ask(natlet_client *client, natlet__waiter *waiter);

/* Begins to wait for a PONG, or without a connection as if it had come.  Returns OK, E_FULL or
 * E_NO_MEMORY. */
natlet_status natlet__pongs_wait(natlet_client *client, natlet__waiter_kind kind, uint32_t wait_ms,
                                 natlet_done_fn done, void *self, uint32_t sid);
void natlet__pongs_answered(natlet_client *client);

/* The host takes no more for now: if that lasts, the link may be dead. */
void natlet__pongs_blocked(natlet_client *client);

/* A request waits for its answer: in silence, the same. */
void natlet__pongs_awaited(natlet_client *client);

/* The link is up: looks begin whether it lives. */
void natlet__pongs_start(natlet_client *client);

/* Its time came: asks, or finds the server dead. */
void natlet__pongs_tick(natlet_client *client);

/* The waiters that the end of a move left without an answer ask again; those whose
 * PING went to the server that was left, from `answered` to `sent`, end. */
void natlet__pongs_settle(natlet_client *client, uint32_t answered, uint32_t sent);

/* Something suggests that the link may be dead: asks now, with a short deadline. */
void natlet__pongs_probe(natlet_client *client);

/* ---- move.c ---- */

/* Memory of a line, for a configuration that was taken.  Returns OK or E_NO_MEMORY. */
natlet_status natlet__line_init(natlet_client *client, natlet__timer *timer);
void natlet__line_free(natlet_client *client);

/* Begins to move to another server within `wait_ms`, if there is one and none is on. */
void natlet__move_begin(natlet_client *client, uint32_t wait_ms);

/* Puts the second line in place, if there is one; or the first one back, which every
 * callback has to find there.  Returns whether that changed something. */
bool natlet__move_in(natlet_client *client);
bool natlet__move_back(natlet_client *client);

/* Whether the line in place is the second one. */
static inline bool natlet__move_is_in(const natlet_client *client)
{
    return client->move != NULL && client->move->is_in_place;
}

/* Whether a server that was left has still something to say. */
static inline bool natlet__move_is_late(const natlet_client *client)
{
    return client->move != NULL && client->move->stage != NATLET__MOVE_JOINING;
}

/* The connection in place is about to serve: if it is the second one, the new server's, it
 * stays in place.  Returns OK: it was not; MORE: it was; or < 0: it must not serve. */
natlet_status natlet__move_joined(natlet_client *client);

/* The second line's connection, in place, ended; it goes back.  Returns false if the one
 * in place is not it. */
bool natlet__move_lost(natlet_client *client, natlet_status why);

/* A PONG came that no waiter expects. */
void natlet__move_answered(natlet_client *client);

/* The second line's timer. */
void natlet__move_tick(natlet_client *client);

/* Ends the second connection, if there is one. */
void natlet__move_stop(natlet_client *client);

/* ---- drain.c ---- */

/* The PONG of a drain came, or what it waited for was taken: the next stage. */
void natlet__drain_answered(natlet_client *client, natlet__waiter *waiter);

#endif
