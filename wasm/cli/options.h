/* What the command line and the environment ask for. */
#ifndef NATLET_CLI_OPTIONS_H
#define NATLET_CLI_OPTIONS_H

#include <stdbool.h>

#include "natlet/headers.h"
#include "wasm/cli/text.h"

/* Verbs, as bits: an option says with which of them it goes. */
enum {
    CLI_PUB = 1u << 0,
    CLI_SUB = 1u << 1,
    CLI_REQUEST = 1u << 2,
    CLI_REPLY = 1u << 3,
    CLI_RTT = 1u << 4,
    CLI_INFO = 1u << 5,
    CLI_ANY = (1u << 6) - 1,
};

enum { CLI_OPERANDS_MAX = 3 };

typedef struct cli_options {
    const char *server, *name, *user, *password, *token, *inbox_prefix;
    const char *queue, *reply; /* NULL: not given, as above */
    uint32_t timeout_ms;
    uint64_t count; /* 0: not given */
    natlet_headers headers;
    cli_text header_mem; /* where they lie */
    bool json, echo, help, version;
    const char *operands[CLI_OPERANDS_MAX]; /* the verb and what follows it */
    uint32_t operand_count;
    uint32_t verbs; /* the ones that go with all options given */
} cli_options;

/* Reads them; false after a notice that says what is wrong. */
bool cli_options_read(cli_options *options, int argc, char **argv);

/* Frees what reading took; also after it failed. */
void cli_options_free(cli_options *options);

#endif
