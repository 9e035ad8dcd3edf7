/* The connections of a verb and the waiting for them: the blocking convenience
 * that the client itself does not have.
 *
 * A verb starts something, calls cli_wait, and a callback of the client calls
 * cli_finish when it is over. */
#ifndef NATLET_CLI_SESSION_H
#define NATLET_CLI_SESSION_H

#include <stdbool.h>

#include "base/runtime.h"
#include "natlet/client.h"
#include "wasm/cli/options.h"
#include "wasm/cli/secret.h"
#include "wasm/cli/text.h"
#include "wasm/cli/tls.h"

typedef struct cli_session cli_session;

/* One of them. */
typedef struct cli_link {
    cli_session *session;
    natlet_client *client;
} cli_link;

struct cli_session {
    natlet__part part; /* first: the runtime hands it back */
    const cli_options *options;
    const natlet_host *door;
    natlet_runtime *rt;
    cli_link *links;
    uint32_t link_count;   /* 0 stands for 1 */
    natlet_client *client; /* the first one */
    natlet_client *failed; /* the one that `status` is about; may be NULL */
    size_t outbox_bytes;   /* what one publish may need */
    bool is_measured;      /* buffers have room for two of these from the start, and stay */
    bool comes_back;       /* reconnect after the connection broke */
    bool is_finished;      /* cli_finish was called since the last wait */
    bool is_closed;        /* a client is, for good */
    bool is_leaving;       /* our own close is no news */
    bool has_told_retry;   /* since the last connect */
    uint32_t connects;
    uint32_t due_ms;       /* until the next turn; 0: there is work */
    uint32_t terminations; /* times that the user or the system asked us to end */
    natlet_status status;  /* the first failure that nothing else reported */
    cli_text reason;       /* what the server or the host said about it */
    cli_secret secret;     /* who we are */
    cli_tls tls;           /* whom we trust */

    /* Sees every event, and then nothing else is told about them.  May be NULL. */
    void (*watch)(cli_session *session, const natlet_client *client,
                  const natlet_client_event *event);
    /* Called at `alarm_us`; returns when next. */
    uint64_t (*alarm)(cli_session *session, uint64_t now_us);
    uint64_t alarm_us; /* UINT64_MAX: never; only counts with `alarm` */
};

/* Starts to connect.  False after a notice that says why not. */
bool cli_start(cli_session *session);

/* Connects.  False after a notice that says why not. */
bool cli_open(cli_session *session);

/* Runs until cli_finish, the end of a connection for good, or a termination.
 * Returns OK, what cli_finish was given, E_CANCELLED for a termination, or why
 * the connection ended. */
natlet_status cli_wait(cli_session *session);

/* One turn, which waits for the next event. */
void cli_turn(cli_session *session);

/* One turn, which does not. */
void cli_glance(cli_session *session);

/* Whether there is nothing to wait for any more, because of a termination, the
 * end of a connection, or a failure. */
bool cli_is_over(const cli_session *session);

void cli_finish(cli_session *session, natlet_status st);

/* Closes at once and frees; also after a failed cli_open. */
void cli_close(cli_session *session);

/* Says on standard error what failed, why, and what to do about it.  `what` ends
 * in a blank where `about` follows.  Returns the exit status. */
int cli_failed(cli_session *session, const char *what, natlet_slice about, natlet_status st);

#endif
