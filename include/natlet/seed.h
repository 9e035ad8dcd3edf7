/* The vocabulary of the Lunatic agents that natlet's mail is made for: their
 * configuration, the actions on their state, the words in their messages, and the
 * order in which a message is looked at.
 *
 * Everything here is optional; a program that calls nothing of it does not carry it. */
#ifndef NATLET_SEED_H
#define NATLET_SEED_H

#include "natlet/backend.h"
#include "natlet/client.h"
#include "natlet/envelope.h"

/* ---- words; 0 is none that we know ---- */

#define NATLET_SEED_TASK_MAP(X)                                                                    \
    X(SUMMARIZE, 1, "summarize")                                                                   \
    X(PLAN_WORKFLOW, 2, "plan_workflow")                                                           \
    X(REASON, 3, "reason")

#define NATLET_SEED_TYPE_MAP(X)                                                                    \
    X(STATE_UPDATE, 1, "state_update")                                                             \
    X(COORDINATION, 2, "coordination")                                                             \
    X(DATA_TRANSFER, 3, "data_transfer")                                                           \
    X(SCRAPING_TASK, 4, "scraping_task")

#define NATLET_SEED_PRIORITY_MAP(X)                                                                \
    X(CRITICAL, 1, "critical")                                                                     \
    X(HIGH, 2, "high")                                                                             \
    X(MEDIUM, 3, "medium")                                                                         \
    X(NORMAL, 4, "normal")                                                                         \
    X(LOW, 5, "low")

#define NATLET_SEED_AGENT_MAP(X)                                                                   \
    X(DATA_COLLECTOR, 1, "DataCollector")                                                          \
    X(SUMMARIZER, 2, "Summarizer")                                                                 \
    X(WORKFLOW_COORDINATOR, 3, "WorkflowCoordinator")                                              \
    X(WEB_SCRAPER, 4, "WebScraper")                                                                \
    X(GENERIC, 5, "Generic")

#define X(name, value, text) NATLET_SEED_TASK_##name = (value),
typedef enum natlet_seed_task { NATLET_SEED_TASK_NONE, NATLET_SEED_TASK_MAP(X) } natlet_seed_task;
#undef X
#define X(name, value, text) NATLET_SEED_TYPE_##name = (value),
typedef enum natlet_seed_type { NATLET_SEED_TYPE_NONE, NATLET_SEED_TYPE_MAP(X) } natlet_seed_type;
#undef X
#define X(name, value, text) NATLET_SEED_PRIORITY_##name = (value),
typedef enum natlet_seed_priority {
    NATLET_SEED_PRIORITY_NONE,
    NATLET_SEED_PRIORITY_MAP(X)
} natlet_seed_priority;
#undef X
#define X(name, value, text) NATLET_SEED_AGENT_##name = (value),
typedef enum natlet_seed_agent_type {
    NATLET_SEED_AGENT_NONE,
    NATLET_SEED_AGENT_MAP(X)
} natlet_seed_agent_type;
#undef X

/* ---- actions on an agent's state ---- */

typedef enum natlet_seed_action_kind {
    NATLET_SEED_ACTION_NONE,
    NATLET_SEED_ACTION_STORE,  /* {"Store":{"key":"...","value":...}} */
    NATLET_SEED_ACTION_GET,    /* {"Get":{"key":"..."}} */
    NATLET_SEED_ACTION_DELETE, /* {"Delete":{"key":"..."}} */
    NATLET_SEED_ACTION_CLEAR,  /* "Clear" */
    NATLET_SEED_ACTION_LIST,   /* "List" */
} natlet_seed_action_kind;

typedef struct natlet_seed_action {
    natlet_seed_action_kind kind;
    natlet_slice key;   /* STORE GET DELETE: text */
    natlet_slice value; /* STORE: JSON */
} natlet_seed_action;

/* ---- messages ---- */

/* What is to be done with a message; the first that fits, in this order. */
typedef enum natlet_seed_step {
    NATLET_SEED_STATE,       /* the payload is an action on the state */
    NATLET_SEED_LLM,         /* it has a member llm_task */
    NATLET_SEED_FORWARD,     /* its envelope is to somebody else */
    NATLET_SEED_PING,        /* its member type says "ping" */
    NATLET_SEED_DATA_UPDATE, /* "data_update" */
    NATLET_SEED_SHUTDOWN,    /* "shutdown" */
    NATLET_SEED_OTHER,
} natlet_seed_step;

typedef struct natlet_seed_message {
    natlet_seed_step step;
    natlet_seed_action action; /* STATE */
    natlet_seed_task task;     /* LLM: NONE if it is another one */
    natlet_seed_type type;     /* member message_type */
    natlet_seed_priority priority;
    bool has_envelope;
    natlet_envelope envelope; /* without one only its payload is set: the mail's */
} natlet_seed_message;

/* ---- agents ---- */

typedef struct natlet_seed_config {
    natlet_slice id;
    natlet_slice path; /* of the folder for files; empty: the state is kept in memory */
    bool nats_enabled;
    bool llm_enabled;                  /* false if it is not said */
    natlet_seed_agent_type agent_type; /* GENERIC if it is not said */
} natlet_seed_config;

/* How an agent of this kind lives; what its behaviour's on_mail hands to
 * natlet_seed_handle. */
typedef struct natlet_seed_agent {
    natlet_slice id;
    const natlet_backend *backend; /* of its state; NULL: actions on it are rejected */
    natlet_envelope_mode mode;
    /* Everything but actions and what is forwarded; answers as on_mail does.  May be NULL:
     * all is DONE. */
    int32_t (*on_message)(natlet_cell *cell, void *state, natlet_mail *mail,
                          const natlet_seed_message *message);
} natlet_seed_agent;

#ifdef __cplusplus
extern "C" {
#endif

/* Words and texts, both ways; a text is NULL for NONE. */
natlet_seed_task natlet_seed_task_of(natlet_slice text);

/* As above. */
const char *natlet_seed_task_text(natlet_seed_task task);

/* As above. */
natlet_seed_type natlet_seed_type_of(natlet_slice text);

/* As above. */
const char *natlet_seed_type_text(natlet_seed_type type);

/* As above. */
natlet_seed_priority natlet_seed_priority_of(natlet_slice text);

/* As above. */
const char *natlet_seed_priority_text(natlet_seed_priority priority);

/* As above. */
natlet_seed_agent_type natlet_seed_agent_type_of(natlet_slice text);

/* As above. */
const char *natlet_seed_agent_type_text(natlet_seed_agent_type type);

/* The lane for mail with that priority: HIGH for critical and high, LOW for low, else
 * NORMAL. */
natlet_priority natlet_seed_lane(natlet_seed_priority priority);

/* Reads an action.  A key with escapes is written to `mem`; payload.len bytes are always
 * enough.  Returns OK; E_NOT_FOUND (it is none); E_TOO_LARGE (`cap` is too small). */
natlet_status natlet_seed_action_read(natlet_slice payload, void *mem, size_t cap,
                                      natlet_seed_action *action);

/* Does an action on the state of the agent `id`, whose keys in the backend are
 * "<id>:<key>", and answers `mail` if it is a call or has a reply subject:
 *
 *     {"ok":true}   Get: {"ok":true,"value":...}   List: {"ok":true,"keys":["..."]}
 *     {"ok":false,"error":"E_NOT_FOUND"}
 *
 * From a handler.  Returns OK; E_STATE (outside of one); E_INVALID (id and key are too
 * long together, or the id has a colon); E_JSON (what the backend has is no JSON);
 * E_FULL (the pool has no room for the answer); as the backend; or, when the action was
 * done, as natlet_agent_reply. */
natlet_status natlet_seed_act(natlet_cell *cell, const natlet_backend *backend, natlet_slice id,
                              const natlet_seed_action *action, const natlet_mail *mail);

/* Says what a message is to the agent `id`.  Parts are borrowed from the mail; texts with
 * escapes are written to `mem`, 2 * mail->payload.len bytes are always enough.
 *
 * Returns OK or E_TOO_LARGE (`cap` is too small). */
natlet_status natlet_seed_read(natlet_mail *mail, natlet_slice id, natlet_envelope_mode mode,
                               void *mem, size_t cap, natlet_seed_message *message);

/* An agent's on_mail: acts on the state; publishes an envelope for somebody else on
 * agent.<to>, unless the cell has no network; hands all else to on_message; and stops after
 * a shutdown.  What cannot be done and has nobody to be told is rejected.  Mail that is
 * no message (answers, timers) goes to on_message as OTHER. */
int32_t natlet_seed_handle(natlet_cell *cell, const natlet_seed_agent *agent, void *state,
                           natlet_mail *mail);

/* Reads an agent's configuration:
 *
 *     {"id":"a","memory_backend_type":"InMemory","nats_enabled":true,
 *      "llm_enabled":false,"agent_type":"Generic"}
 *
 * or {"File":{"path":"..."}} for the backend; the last two may be missing.  Texts with
 * escapes are written to `mem`; text.len bytes are always enough.
 *
 * Returns OK; E_JSON; E_CONFIG (something is missing, of the wrong type or twice, or the id is
 * no token of a subject, or has a colon); E_TOO_LARGE (`cap` is too small). */
natlet_status natlet_seed_config_read(natlet_slice text, void *mem, size_t cap,
                                      natlet_seed_config *config);

/* Reads a connection's configuration into the fields of a client's that it speaks of,
 * the others being set to their defaults:
 *
 *     {"websocket_url":"ws://localhost:8080/nats","timeout":10,"max_reconnects":10,
 *      "reconnect_delay":1}
 *
 * which are the defaults of what is missing.  A time is whole seconds or
 * {"secs":1,"nanos":500000000}; `null` reconnects without end, 0 never.  `mem` as above; the
 * text of the URL is borrowed until natlet_client_new has copied it.
 *
 * Returns OK; E_JSON; E_CONFIG (of the wrong type, out of range or twice); E_TOO_LARGE. */
natlet_status natlet_seed_client_read(natlet_slice text, void *mem, size_t cap,
                                      natlet_client_config *config);

#ifdef __cplusplus
}
#endif

#endif
