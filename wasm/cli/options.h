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
    CLI_EVENTS = 1u << 6,
    CLI_BENCH_PUB = 1u << 7,
    CLI_BENCH_SUB = 1u << 8,
    CLI_BENCH_REQUEST = 1u << 9,
    CLI_ANY = (1u << 10) - 1, /* that connects */
    CLI_SUBJECTS_CHECK = 1u << 10,
};

enum { CLI_OPERANDS_MAX = 3, CLI_CLIENTS_MAX = 64 };

typedef struct cli_options {
    const char *server, *name, *user, *password, *token, *creds, *nkey, *inbox_prefix;
    const char *tls_ca, *tls_certificate, *tls_key, *tls_pins, *tls_mode;
    const char *queue, *reply; /* NULL: not given, as above */
    uint32_t timeout_ms;
    /* 0: not given, for numbers and times from here on. */
    uint32_t connect_ms, drain_ms, reconnect_ms, ping_ms, wait_ms, stall_ms;
    uint64_t count, msgs, clients, concurrency;
    uint64_t reconnects_max, pings_max, replies;
    uint64_t size; /* payload of a bench, in bytes; has a default */
    natlet_headers headers;
    cli_text header_mem; /* where they lie */
    cli_text ws_headers; /* lines for the upgrade request */
    bool json, raw, echo, help, version, no_progress;
    bool keep_order, no_reconnect, retry_connect, ignore_discovered, no_echo, retry_auth;
    bool tls_first, compress;
    const char *operands[CLI_OPERANDS_MAX]; /* the verb and what follows it */
    uint32_t operand_count;
    uint64_t given; /* a bit for each option, in the order of the table */
} cli_options;

/* Reads them; false after a notice that says what is wrong. */
bool cli_options_read(cli_options *options, int argc, char **argv);

/* The name of an option that was given and does not go with a verb; NULL: none. */
const char *cli_options_stray(const cli_options *options, uint32_t verb_bit);

/* Frees what reading took; also after it failed. */
void cli_options_free(cli_options *options);

#endif
