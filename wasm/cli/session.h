/* One connection and the waiting for it: the blocking convenience that the
 * client itself does not have.
 *
 * A verb starts something, calls cli_wait, and a callback of the client calls
 * cli_finish when it is over. */
#ifndef NATLET_CLI_SESSION_H
#define NATLET_CLI_SESSION_H

#include <stdbool.h>

#include "base/runtime.h"
#include "natlet/client.h"
#include "wasm/cli/options.h"
#include "wasm/cli/text.h"

typedef struct cli_session {
    natlet__part part; /* first: the runtime hands it back; it listens for a termination */
    const cli_options *options;
    const natlet_host *door;
    natlet_runtime *rt;
    natlet_client *client;
    size_t outbox_bytes; /* what one publish may need */
    bool comes_back;     /* reconnect after the connection broke */
    bool is_finished;    /* cli_finish was called since the last wait */
    bool is_closed;      /* the client is, for good */
    bool is_leaving;     /* our own close is no news */
    uint32_t connects;
    uint32_t due_ms;       /* until the next turn; 0: there is work */
    uint32_t terminations; /* times that the user or the system asked us to end */
    natlet_status status;  /* the first failure that nothing else reported */
    cli_text reason;       /* what the server or the host said about it */
} cli_session;

/* Connects.  False after a notice that says why not. */
bool cli_open(cli_session *session);

/* Runs until cli_finish, the end of the connection for good, or a termination.
 * Returns OK, what cli_finish was given, E_CANCELLED for a termination, or why
 * the connection ended. */
natlet_status cli_wait(cli_session *session);

/* One turn, which waits for the next event. */
void cli_turn(cli_session *session);

void cli_finish(cli_session *session, natlet_status st);

/* Closes at once and frees; also after a failed cli_open. */
void cli_close(cli_session *session);

/* Says on standard error what failed, why, and what to do about it.  `what` ends
 * in a blank where `about` follows.  Returns the exit status. */
int cli_failed(cli_session *session, const char *what, natlet_slice about, natlet_status st);

#endif
