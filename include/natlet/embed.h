/* The embedding areas: how a host language uses the module without crossing the
 * boundary per message.
 *
 * Two areas lie in the module's linear memory.  Into the *submission* area the
 * glue appends operations; from the *completion* area it reads 32-byte records.
 * One turn of the glue is
 *
 *     wait = natlet_run(budget); drain the records; run the handlers
 *
 * Handlers run only after natlet_run has returned, and what they call only
 * appends: nothing is ever re-entered.  All numbers are little endian. */
#ifndef NATLET_EMBED_H
#define NATLET_EMBED_H

#include <stdint.h>

#include "natlet/host.h"

/* What natlet_areas returns the address of.  Addresses are offsets in the linear
 * memory; read them again after every call, the areas may have moved. */
typedef struct natlet_embed_areas {
    uint32_t version;          /* 1 */
    uint32_t submission;       /* address of the submission area, aligned to 8 */
    uint32_t submission_bytes; /* its size */
    uint32_t submitted;        /* written by the glue: bytes appended */
    uint32_t taken;            /* written by the module: bytes it is done with; when both
                                  are equal after a run, the module has set both to 0 */
    uint32_t completion;       /* address of the records */
    uint32_t completion_cap;   /* records there is room for */
    uint32_t completed;        /* records to read, from the first on; the glue sets it to 0 */
    uint32_t segment;          /* recvs that brought bytes so far, over all connections */
    uint32_t state;            /* natlet_client_state of the client */
    uint32_t memory_bytes;     /* taken from the heap now */
    uint32_t refused;          /* operations answered with E_FULL so far */
    uint32_t lost;             /* written by a natlet_recover that poisons: mail that was queued
                                  or in hands; 0xffffffff: nobody knows */
} natlet_embed_areas;

/* One operation: this head, then subject, reply (SUB: queue group), headers and
 * payload back to back, then padding to a multiple of 8.  `id` is the glue's own
 * number and comes back in the records about the operation. */
typedef struct natlet_embed_op {
    uint32_t bytes; /* of the whole operation, padding included */
    uint16_t kind;  /* NATLET_OP_* */
    uint16_t flags;
    uint32_t id;  /* SUB UNSUB REQUEST FLUSH DRAIN SPAWN SUPERVISE LIST ORDER SHUTDOWN: non-zero,
                     unique among the live ones */
    uint32_t arg; /* REQUEST FLUSH DRAIN: timeout in ms; UNSUB: max, 0 at once;
                     SETTLE: NATLET_SETTLE_*; SPAWN: natlet_restart; SEND: natlet_priority;
                     LIST: slot of a supervisor, NATLET_SLOT_CELL: the trees; ORDER: slot of a
                     supervisor; SUPERVISE: natlet_restart of a DYNAMIC one's children;
                     SHUTDOWN: deadline in ms */
    uint32_t part_len[4]; /* subject, reply, headers (a whole "NATS/1.0..." block), payload */
} natlet_embed_op;

enum {
    NATLET_OP_PUB = 1,
    NATLET_OP_SUB = 2,
    NATLET_OP_UNSUB = 3,
    NATLET_OP_REQUEST = 4, /* answered by one REPLY record; with flag MANY by one for each answer,
                              of status MORE, and one for the end.  reply: empty, or 2 numbers
                              of 4 bytes, answers at most and stall in ms, 0: none */
    NATLET_OP_FLUSH = 5,   /* answered by one DONE record when the server's PONG is in */
    NATLET_OP_DRAIN = 6,   /* id of a subscription, or a new one with flag ALL; then DONE */
    NATLET_OP_CLOSE = 7,
    NATLET_OP_RECONNECT = 8,
    NATLET_OP_SPAWN = 9,   /* subject: agent name; reply: subjects to subscribe it to, with blanks
                              between them, may be empty; headers: queue group, may be empty;
                              payload: a natlet_embed_child, and then it is answered by DONE;
                              empty: under a supervisor of the module */
    NATLET_OP_SETTLE = 10, /* id: slot of the agent; payload: 4 bytes, the token of its MAIL */
    NATLET_OP_SEND = 11,   /* subject: name of the agent; reply, headers, payload: the message */
    NATLET_OP_SET_SERVERS = 12, /* subject: URLs separated by commas (natlet_client_set_servers) */
    NATLET_OP_SUPERVISE = 13,   /* payload: a natlet_embed_tree, DYNAMIC: and a natlet_embed_child,
                                   the pattern of its children; a new supervisor; then DONE */
    NATLET_OP_EXIT = 14,     /* id: slot of an agent or supervisor; payload: a natlet_embed_exit */
    NATLET_OP_LIST = 15,     /* answered by a CHILD for each, then DONE */
    NATLET_OP_READY = 16,    /* as EXIT: an agent of SPAWN with payload, once started, gets no mail
                                before this */
    NATLET_OP_ORDER = 17,    /* subject: name of a child; flags: NATLET_ORDER_*; then DONE */
    NATLET_OP_UNSTASH = 18,  /* id: slot of the agent: natlet_cell_unstash */
    NATLET_OP_SHUTDOWN = 19, /* natlet_cell_shutdown; DONE when all is down, E_TIMEOUT: killed */
};

/* What a supervisor is to do with a child: natlet_supervisor_terminate, ... */
enum { NATLET_ORDER_TERMINATE = 0, NATLET_ORDER_RESTART = 1, NATLET_ORDER_DELETE = 2 };

#define NATLET_SLOT_CELL 0xffffffffu

/* A supervisor without children; they come by SPAWN, in the order of their start. */
typedef struct natlet_embed_tree {
    int32_t intensity; /* all five: as in natlet_supervisor_spec */
    uint32_t period_ms;
    uint32_t strategy;
    uint32_t auto_shutdown;
    uint32_t children_max;
} natlet_embed_tree;

/* Its place, its limits and its recovery; what is 0 takes the default of natlet_child.
 * What follows it in the payload is the key of COALESCE, a header's name. */
typedef struct natlet_embed_child {
    uint32_t supervisor; /* slot */
    uint32_t shutdown_ms;
    uint32_t mailbox_bytes;
    uint16_t mailbox_normal; /* places */
    uint8_t significant;     /* 0 or 1 */
    uint8_t drop_mail;       /* 0 or 1 */
    uint16_t mailbox_high;   /* places */
    uint16_t mailbox_low;
    uint16_t mailbox_stash;
    uint8_t overflow;         /* natlet_overflow */
    uint8_t care;             /* NATLET_CARE_*: which of the rest counts */
    uint32_t backoff_base_ms; /* these four: natlet_backoff */
    uint32_t backoff_cap_ms;
    uint32_t backoff_stable_ms;
    uint32_t backoff_tries;
    uint32_t retry_base_ms; /* these four: natlet_retry */
    uint32_t retry_cap_ms;
    uint16_t retry_tries;
    uint16_t retry_parked;
    uint16_t poison_after;  /* natlet_shield */
    uint8_t backoff_jitter; /* percent */
    uint8_t retry_jitter;
} natlet_embed_child;

#define NATLET_CARE_BACKOFF (1u << 0)
#define NATLET_CARE_SHIELD (1u << 1)
#define NATLET_CARE_RETRY (1u << 2)
#define NATLET_CARE_PARK (1u << 3) /* backoff: NATLET_GIVE_UP_PARK */

/* Of an EXIT; a READY needs the incarnation only.  NORMAL and SHUTDOWN end in order what
 * runs there: natlet_agent_exit.  A crash, whose code is below 0, ends an agent at once:
 * natlet_cell_crash.  Who is not there any more has ended already, so that E_NO_AGENT
 * says nothing new. */
typedef struct natlet_embed_exit {
    uint32_t incarnation; /* as its AGENT record had it */
    uint32_t kind;        /* natlet_exit_kind */
    int32_t code;
} natlet_embed_exit;

#define NATLET_OP_FLAG_ALL (1u << 0)         /* DRAIN: the whole client */
#define NATLET_OP_FLAG_MANY (1u << 0)        /* REQUEST: several answers, see natlet/client.h */
#define NATLET_OP_FLAG_UNTIL_EMPTY (1u << 1) /* REQUEST with MANY: an empty message ends it */
#define NATLET_OP_FLAG_OWN_INBOX (1u << 2)   /* REQUEST: not over the shared inbox */

/* A record that needs more than its fields names bytes.  A MESSAGE or REPLY that
 * lies in one segment (the bytes of one recv) names it by `segment` and `at`, so
 * that the glue can make views of the buffer it gave to that recv.  With the
 * flag COPIED the bytes were joined in linear memory and `at` is an address
 * there, valid until the next natlet_run. */
typedef struct natlet_embed_record {
    uint8_t kind;  /* NATLET_REC_* */
    uint8_t flags; /* NATLET_REC_FLAG_* */
    uint16_t subject_len;
    uint32_t id;         /* SUB's, REQUEST's, ... of the operation; MAIL: slot of the agent */
    int32_t status;      /* natlet_status; MESSAGE: 0; MAIL: the token */
    uint32_t segment;    /* number of the recv, as counted in natlet_embed_areas.segment, from 1 */
    uint32_t at;         /* of the subject: offset in the segment, or address when COPIED */
    uint16_t reply_skip; /* reply begins so many bytes behind the subject's first, 0: none */
    uint16_t reply_len;
    uint16_t body_skip; /* header block and payload begin so many bytes behind it */
    uint16_t headers_len;
    uint32_t payload_len;
} natlet_embed_record;

enum {
    NATLET_REC_MESSAGE = 1, /* id of the subscription */
    NATLET_REC_REPLY = 2,   /* status < 0: the request failed and there are no bytes */
    NATLET_REC_DONE = 3,    /* FLUSH, DRAIN, SUPERVISE, LIST, a SPAWN with payload, or a refused
                               operation but SETTLE: status says how it ended, segment is the
                               NATLET_OP_*, payload_len microseconds or the slot */
    NATLET_REC_ENDED = 4,   /* the subscription ended by itself: max reached, drained, closed */
    NATLET_REC_STATE = 5,   /* status: the new natlet_client_state; payload: text of the reason */
    NATLET_REC_ERROR = 6,   /* status: typed; payload: text; id of a subscription or 0 */
    NATLET_REC_EVENT = 11,  /* what else happened: status is a natlet_client_event_kind; payload:
                               text; id of a subscription or 0 */
    NATLET_REC_INFO = 7,    /* payload: the INFO document */
    NATLET_REC_MAIL = 8,    /* to a remote agent: subject, reply, headers, payload; a STAMP is
                               the next record; then SETTLE */
    NATLET_REC_AGENT = 9,   /* a natlet_embed_agent; status: 1 started, 0 ended normally, < 0
                               crashed */
    NATLET_REC_CHILD = 12,  /* a natlet_embed_agent; status: code of the last exit */
    NATLET_REC_DEAD = 13,   /* a natlet_embed_agent: mail for it was not handled; status:
                               natlet_dead_reason */
    NATLET_REC_STAMP = 14,  /* a natlet_embed_stamp: what else a mail has */
    NATLET_REC_PUBLISHED = 10, /* the next `id` publishes, PUB and REQUEST as they were accepted,
                                  ended with status (natlet_client_track); with the configuration
                                  report_publishes 1 */
};

#define NATLET_REC_FLAG_COPIED (1u << 0)

/* AGENT, CHILD and DEAD records. */
typedef struct natlet_embed_agent {
    uint8_t kind;
    uint8_t flags; /* NATLET_REC_FLAG_COPIED, and the natlet_exit_kind << 4 */
    uint16_t name_len;
    uint32_t id; /* slot */
    int32_t status;
    uint32_t incarnation; /* 0: it does not run */
    uint32_t at;          /* address of its name, which stays; a supervisor has none */
    uint32_t count;       /* CHILD: restarts; DEAD: so many of them in a row */
    uint16_t queued;      /* CHILD: mail in its mailbox, without what it has in hands */
    uint8_t state;        /* CHILD: natlet_agent_state */
    uint8_t children;     /* CHILD: 1 if it is a supervisor */
    uint32_t handled;     /* CHILD: mail, modulo 2^32 */
} natlet_embed_agent;

/* STAMP records: as in natlet_mail. */
typedef struct natlet_embed_stamp {
    uint8_t kind;
    uint8_t mail_kind; /* natlet_mail_kind */
    uint16_t attempt;
    uint32_t id; /* slot of the agent */
    uint64_t id_ns;
    uint64_t from; /* natlet_pid */
    uint64_t seq;
} natlet_embed_stamp;

/* How a remote agent ended with a mail (SETTLE). */
enum {
    NATLET_SETTLE_DONE = 0,
    NATLET_SETTLE_REJECT = 1, /* straight to the dead letters */
    NATLET_SETTLE_STOP = 2,   /* the agent ends normally */
    NATLET_SETTLE_ERROR = 3,  /* the agent crashed: the supervisor decides (EXIT: with a reason) */
    NATLET_SETTLE_STASH = 4,  /* put aside until UNSTASH */
    NATLET_SETTLE_RETRY = 5,  /* comes again later; without NATLET_CARE_RETRY: E_INVALID, and the
                                 mail still waits for its end */
};

#ifndef __cplusplus
_Static_assert(sizeof(natlet_embed_op) == 32, "glue and module agree on the layout");
_Static_assert(sizeof(natlet_embed_record) == 32, "glue and module agree on the layout");
_Static_assert(sizeof(natlet_embed_agent) == 32, "it lies in place of a record");
_Static_assert(sizeof(natlet_embed_stamp) == 32, "it lies in place of a record");
_Static_assert(sizeof(natlet_embed_tree) == 20 && sizeof(natlet_embed_child) == 56 &&
                   sizeof(natlet_embed_exit) == 12,
               "glue and module agree on the layout");
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Address of the areas, 0 before natlet_init. */
NATLET_EXPORT(natlet_areas) uint32_t natlet_areas(void);

/* Makes room for an operation of `bytes` behind what is submitted, for payloads
 * larger than the submission area; the area may move.  Returns 0, or a status
 * below 0 when there is no memory. */
NATLET_EXPORT(natlet_reserve) int32_t natlet_reserve(uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif
