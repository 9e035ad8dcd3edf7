/* Mail is what an agent receives: a message of the network, of another agent,
 * an answer, a timer, or the news that an agent ended.
 *
 * It lies in its cell's pool and is borrowed: everything in it is valid until the
 * handler returns, or, after NATLET_LATER, until the mail is settled.  Handlers
 * read it and never write to it.  Views into it (natlet_mail_json_get, an envelope's
 * parts) live as long as it does; natlet_mail_keep makes a copy that lives longer. */
#ifndef NATLET_MAIL_H
#define NATLET_MAIL_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

/* Names one incarnation of one agent: incarnation << 20 | slot, exact in a double.
 * 0 is nobody.  A restarted agent has another one; an old one never names
 * somebody else. */
typedef uint64_t natlet_pid;

#define NATLET_PID_SLOT_BITS 20u
#define NATLET_PID_SLOT_MASK ((1u << NATLET_PID_SLOT_BITS) - 1u)

typedef enum natlet_mail_kind {
    NATLET_MAIL_USER,       /* another agent, or the program around the cell, sent it */
    NATLET_MAIL_CALL,       /* the same, and the sender waits for natlet_agent_reply */
    NATLET_MAIL_NATS,       /* came from a subscription */
    NATLET_MAIL_REPLY,      /* ends a call or request: see status and tag */
    NATLET_MAIL_TIMER,      /* natlet_agent_send_after: see tag */
    NATLET_MAIL_EXIT,       /* a linked agent ended, and this one traps exits: natlet/link.h */
    NATLET_MAIL_DOWN,       /* a monitored agent ended */
    NATLET_MAIL_CONNECTION, /* natlet_bridge_watch: see tag, status and seq */
} natlet_mail_kind;

/* Lanes of a mailbox.  SYS is the cell's own and always served first; the others
 * share what an agent handles like 4 (HIGH) : 2 (NORMAL) : 1 (LOW). */
typedef enum natlet_priority {
    NATLET_PRIORITY_NORMAL,
    NATLET_PRIORITY_HIGH,
    NATLET_PRIORITY_LOW,
    NATLET_PRIORITY_SYS, /* answers, timers and signals; nobody sends with it */
} natlet_priority;
#define NATLET_PRIORITIES 4

/* To send, fill what is wanted and leave the rest zero:
 *
 *     natlet_agent_send(cell, pid, &(natlet_mail){.payload = text, .tag = 7});
 */
typedef struct natlet_mail {
    natlet_slice subject; /* NATS: the concrete one, not the pattern */
    natlet_slice reply;   /* NATS: where an answer goes; empty: nobody asked */
    natlet_slice headers; /* a whole "NATS/1.0..." block, or empty */
    natlet_slice payload;
    natlet_pid from; /* 0: not an agent; EXIT DOWN: who ended */
    natlet_pid to;
    uint64_t id_ns;       /* wall time of receipt, strictly increasing in a cell */
    uint64_t seq;         /* in a stream, 0: none; TIMER of natlet_agent_send_every: skipped */
    uint32_t tag;         /* USER CALL TIMER: the sender's; REPLY DOWN: what the call or monitor
                             gave as ref; EXIT: 0 */
    natlet_status status; /* REPLY: OK, or why there is no answer: E_TIMEOUT, E_NO_AGENT ...;
                             EXIT DOWN: the reason's code, see natlet_mail_reason */
    uint32_t call;        /* the cell's: CALL and ticks: its number; NATS: its deadline */
    uint32_t bytes;       /* of subject, reply, headers and payload together */
    uint16_t attempt;     /* 1: first delivery */
    uint8_t kind;         /* natlet_mail_kind */
    uint8_t priority;     /* natlet_priority */
    uint8_t json;         /* whether the payload is JSON: 0 not looked yet, 1 yes, 2 no */
    uint16_t key;         /* the cell's: hash of what COALESCE compares */
    uint8_t exit_kind;    /* EXIT DOWN: natlet_exit_kind */
} natlet_mail;

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the payload is one JSON document, by serde_json's rules; looks once. */
bool natlet_mail_is_json(natlet_mail *mail);

/* Finds the value at `pointer` (RFC 6901: "/a/0/b") in a JSON payload: its raw
 * text, quotes and escapes included, borrowed from the mail.
 *
 * Returns OK, E_NOT_FOUND, or E_JSON (the payload is not JSON). */
natlet_status natlet_mail_json_get(natlet_mail *mail, natlet_slice pointer, natlet_slice *value);

/* Seconds since the Unix epoch at receipt. */
uint64_t natlet_mail_unix_s(const natlet_mail *mail);

/* Writes the mail as one JSON object:
 *
 *     {"id":"nats_<ns>","from":"nats","to":"<subject>","payload":...,"timestamp":<s>}
 *
 * The payload stands verbatim if it is JSON, else as {"raw":"<base64>"}; `from` is
 * the pid in decimal if an agent sent it.  Returns the object's length; if that is
 * more than `cap`, what was written is cut. */
size_t natlet_mail_to_json(natlet_mail *mail, void *out, size_t cap);

/* The same with what the five fields leave out, before the closing bracket:
 *
 *     ,"reply":"<subject>","headers":{"<key>":["<value>",...]},"seq":<n>,"attempt":<n>
 *
 * without `reply` if nobody asked, without `headers` if there are none.  A value of a
 * header that is not UTF-8 stands as {"raw":"<base64>"}.  Lies in the bridge. */
size_t natlet_mail_to_json_ext(natlet_mail *mail, void *out, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
