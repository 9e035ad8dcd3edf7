/* The natlet command, one source for Linux and for a WASI module. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/version.h"
#include "wasm/cli/options.h"
#include "wasm/cli/text.h"
#include "wasm/cli/verbs.h"

enum { EXIT_USAGE = 2 };

typedef struct verb {
    const char *name;
    uint32_t bit;
    uint32_t operands_min, operands_max; /* the verb itself counts */
    const char *usage;
    int (*run)(const cli_options *options);
} verb;

static const verb verbs[] = {
    {"pub", CLI_PUB, 2, 3, "pub SUBJECT [PAYLOAD]", cli_pub},
    {"sub", CLI_SUB, 2, 2, "sub SUBJECT", cli_sub},
    {"request", CLI_REQUEST, 2, 3, "request SUBJECT [PAYLOAD]", cli_request},
    {"reply", CLI_REPLY, 2, 3, "reply SUBJECT PAYLOAD, or reply SUBJECT --echo", cli_reply},
    {"rtt", CLI_RTT, 1, 1, "rtt", cli_rtt},
    {"info", CLI_INFO, 1, 1, "server info", cli_info},
};

static const char help[] =
    "natlet VERB [ARGUMENTS] [OPTIONS]\n"
    "\n"
    "  pub SUBJECT [PAYLOAD]      publishes; without PAYLOAD, or with -, from standard input\n"
    "  sub SUBJECT                shows what arrives, until interrupted\n"
    "  request SUBJECT [PAYLOAD]  shows the answer; PAYLOAD as for pub\n"
    "  reply SUBJECT PAYLOAD      answers every request\n"
    "  rtt                        measures round trips to the server\n"
    "  server info                shows what the server says about itself\n"
    "\n"
    "  -s, --server URL       ws://host:port/path or nats://host:port; several with commas\n"
    "                         [NATS_URL, else nats://127.0.0.1:4222]\n"
    "      --user NAME        [NATS_USER]\n"
    "      --password TEXT    [NATS_PASSWORD]\n"
    "      --token TEXT       [NATS_TOKEN]\n"
    "      --name NAME        of the connection, shown by the server\n"
    "      --inbox-prefix S   subject before the inboxes for answers\n"
    "      --timeout TIME     for connecting and for an answer: 2s, 500ms, 1m30s [5s]\n"
    "  -H, --header K:V       adds a header; as often as wanted\n"
    "      --reply SUBJECT    where answers to a pub shall go\n"
    "      --queue NAME       joins a queue group (sub, reply)\n"
    "      --count N          ends after N messages, requests or round trips\n"
    "      --echo             answers with the payload of the request (reply)\n"
    "      --json             for programs: one JSON document a line\n"
    "  -h, --help\n"
    "      --version\n"
    "\n"
    "Words behind -- are never options.  Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static int print_line(const char *text, const char *more)
{
    cli_text out = {0};

    cli_text_puts(&out, text);
    cli_text_puts(&out, more);
    cli_text_print(&out);
    cli_text_free(&out);
    return EXIT_SUCCESS;
}

static int refuse_usage(const char *what, const char *about, const char *advice)
{
    cli_text line = cli_notice(what);

    cli_text_puts(&line, about);
    cli_text_puts(&line, advice);
    cli_notice_end(&line);
    return EXIT_USAGE;
}

static const verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* "server info" is the long name of "info". */
static void join_server_info(cli_options *options)
{
    if (options->operand_count >= 2 && strcmp(options->operands[0], "server") == 0 &&
        strcmp(options->operands[1], "info") == 0) {
        options->operands[0] = options->operands[1];
        options->operands[1] = options->operands[2];
        options->operand_count--;
    }
}

static int run_verb(const verb *v, const cli_options *options)
{
    uint32_t count = options->operand_count;
    bool has_answer = options->echo || count > 2;

    if (count < v->operands_min || count > v->operands_max ||
        (v->bit == CLI_REPLY && !has_answer)) {
        return refuse_usage("call it as: natlet ", v->usage, "; see natlet --help");
    }
    if ((options->verbs & v->bit) == 0) {
        return refuse_usage("an option does not go with ", v->name, ": see natlet --help");
    }
    return v->run(options);
}

static int run(cli_options *options)
{
    if (options->help) {
        return print_line(help, "");
    }
    if (options->version) {
        return print_line("natlet ", NATLET_VERSION "\n");
    }
    if (options->operand_count == 0) {
        return refuse_usage("say what to do", "", ": see natlet --help");
    }
    join_server_info(options);
    const verb *v = find_verb(options->operands[0]);
    if (v == NULL) {
        return refuse_usage("there is no verb ", options->operands[0], ": see natlet --help");
    }
    return run_verb(v, options);
}

int main(int argc, char **argv)
{
    cli_options options;
    int code = cli_options_read(&options, argc, argv) ? run(&options) : EXIT_USAGE;

    cli_options_free(&options);
    return code;
}
