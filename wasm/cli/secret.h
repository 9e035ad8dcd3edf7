/* The file that says who the command is: a creds file, or the seed of an nkey.
 *
 * It is read anew at every connect, so that a fresh one counts from the next on,
 * and what was read of it is wiped as soon as CONNECT is written. */
#ifndef NATLET_CLI_SECRET_H
#define NATLET_CLI_SECRET_H

#include <stdbool.h>

#include "natlet/auth.h"
#include "wasm/cli/options.h"
#include "wasm/cli/text.h"

typedef struct cli_secret {
    const char *path; /* NULL: none */
    uint8_t *mem;     /* what is lent; NULL: nothing is */
    natlet_signer signer;
    natlet_authenticator signing;       /* by the signer */
    natlet_authenticator authenticator; /* the same, and keeps why it failed */
    natlet_status status;               /* of the last answer */
    cli_text fault;                     /* what is wrong with the file, and its name */
} cli_secret;

/* Takes the file that the options name, if any.  It stays in place, and serves any
 * number of clients: none is answered before another one's answer is done with. */
void cli_secret_init(cli_secret *secret, const cli_options *options);

/* Whether `st`, of an attempt to connect, is about the file. */
bool cli_secret_failed(const cli_secret *secret, natlet_status st);

void cli_secret_free(cli_secret *secret);

#endif
