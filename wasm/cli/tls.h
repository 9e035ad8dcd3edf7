/* What the options say about TLS, and the files that they name. */
#ifndef NATLET_CLI_TLS_H
#define NATLET_CLI_TLS_H

#include <stdbool.h>

#include "natlet/tls.h"
#include "wasm/cli/options.h"
#include "wasm/cli/text.h"

enum { CLI_PINS_MAX = 8 };

typedef struct cli_tls {
    natlet_tls_config config;
    natlet_secret system; /* whom the system trusts, read when it is needed */
    cli_text ca, certificate, key, bundle;
    uint8_t pins[CLI_PINS_MAX][NATLET_TLS_PIN_BYTES];
} cli_tls;

/* Reads the files.  It stays in place as long as the clients that get its config.  False
 * after a notice that says what is wrong. */
bool cli_tls_read(cli_tls *tls, const cli_options *options);

/* Frees what reading took, the key wiped; also after it failed. */
void cli_tls_free(cli_tls *tls);

#endif
