/* A client on the test host, and the server's end of its connections.
 *
 * The same scenario runs over all three ways to a server; what the client sent
 * is read back as protocol text, with every frame checked on the way.  What the
 * client reports is written to a log, one line each, so that a test compares one
 * text.  A rule that holds in every test, e.g. that nothing leaks, is the rig's own
 * to check: what breaks it ends the program. */
#ifndef CLIENT_RIG_H
#define CLIENT_RIG_H

#include "base/runtime.h"
#include "natlet/client.h"
#include "support/test_host.h"

typedef enum rig_way {
    RIG_NATS,   /* nats:// over TCP */
    RIG_WS,     /* ws:// through the host's WebSocket */
    RIG_FRAMED, /* ws:// over TCP, RFC 6455 in the module */
} rig_way;

#define RIG_WAYS (RIG_FRAMED + 1)

enum { RIG_LOG_MAX = 65536 };

#define RIG_INFO                                                                                   \
    "INFO {\"server_id\":\"S1\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,"              \
    "\"max_payload\":1048576}\r\n"

typedef struct rig {
    test_host host;
    test_memory memory;
    natlet_runtime *rt;
    natlet_client *client;
    natlet_client_config config;
    rig_way way;
    test_conn *conn;     /* the one that the server talks on */
    test_bytes sent;     /* protocol bytes that the client sent, unframed */
    uint32_t frames;     /* that they came in */
    uint32_t largest;    /* payload of the largest */
    uint8_t key[4];      /* of the last one */
    uint32_t same_keys;  /* frames with the key of the one before */
    uint32_t pongs;      /* WebSocket pongs of the client */
    uint32_t close_code; /* of its close frame; 0: none */
    size_t chop;         /* > 0: the server's bytes come in reads of this many ... */
    size_t frame_bytes;  /* > 0: ... and in frames of this many */
    uint8_t *framed;     /* what the server says, in frames: kept, as a trap may skip a free */
    char log[RIG_LOG_MAX];
    size_t log_len;
} rig;

/* Prepares a rig; its config may then be changed. */
void rig_init(rig *r, rig_way way);

/* Makes runtime and client, and connects up to the dial. */
void rig_start(rig *r);

/* rig_init and rig_start with these servers (NULL: the way's own); the log is empty. */
void rig_start_with(rig *r, rig_way way, const char *servers);

/* Ends all; checks that nothing leaked and no rule of the host was broken. */
void rig_end(rig *r);

/* rig_init, rig_start and a whole greeting. */
void rig_connected(rig *r, rig_way way);

/* Turns until nothing is left to do now. */
void rig_run(rig *r);

/* Lets time pass, a turn each time the client asks for one. */
void rig_wait_ms(rig *r, uint64_t ms);

/* The server: takes the newest connection, answers the upgrade, says INFO, and
 * answers CONNECT. */
void rig_accept(rig *r);
void rig_greet(rig *r);

/* Lets time pass until the next dial; returns the milliseconds it took. */
uint64_t rig_wait_for_dial(rig *r, uint64_t limit_ms);

/* The newest dial succeeds, up to the PONG; or fails. */
void rig_come_back(rig *r);
void rig_fail_attempt(rig *r);

/* The server says something; in frames where there are some.  Then a run. */
void rig_say(rig *r, const char *text);
void rig_say_bytes(rig *r, const void *bytes, size_t len);

/* The server says raw bytes, whatever the way. */
void rig_say_raw(rig *r, const void *bytes, size_t len);

/* The host reports the end of the connection.  Then a run. */
void rig_closed(rig *r, uint32_t code, natlet_status st);

/* What the client sent since the last call, as protocol text. */
const char *rig_sent(rig *r);

/* Takes the connection up and says `info`; what the client answers, up to CONNECT and PING. */
const char *rig_meet(rig *r, const char *info);
natlet_slice rig_sent_bytes(rig *r);
void rig_forget_sent(rig *r);

/* What was logged since the last call. */
const char *rig_log(rig *r);
void rig_note(rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Callbacks that log: "message 1 a.b > reply [payload]", "ended 1: done", ... */
natlet_sink rig_sink(rig *r);
void rig_on_reply(void *self, natlet_status st, const natlet_msg *reply);
void rig_on_done(void *self, natlet_status st, uint64_t elapsed_us);

/* Short forms. */
natlet_slice rig_text(const char *text);
uint32_t rig_subscribe(rig *r, const char *subject);
natlet_status rig_publish(rig *r, const char *subject, const char *payload);

#endif
