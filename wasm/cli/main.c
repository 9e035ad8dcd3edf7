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
    uint32_t operands_min, operands_max; /* the verb itself counts as one; min > max: never right */
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
    {"server info", CLI_INFO, 1, 1, "server info", cli_info},
    {"events", CLI_EVENTS, 1, 1, "events", cli_events},
    {"bench pub", CLI_BENCH_PUB, 2, 2, "bench pub SUBJECT", cli_bench_pub},
    {"bench sub", CLI_BENCH_SUB, 2, 2, "bench sub SUBJECT", cli_bench_sub},
    {"bench request", CLI_BENCH_REQUEST, 2, 2, "bench request SUBJECT", cli_bench_request},
    {"subjects check", CLI_SUBJECTS_CHECK, 2, 2, "subjects check FILE", cli_subjects_check},
    {"subjects", CLI_ANY, 2, 1, "subjects check FILE", NULL},
    {"bench", CLI_ANY, 2, 1, "bench pub SUBJECT, bench sub SUBJECT or bench request SUBJECT", NULL},
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
    "  events                     shows what becomes of the connection, until interrupted\n"
    "  subjects check FILE        says which claims about subjects do not hold\n"
    "  bench pub SUBJECT          measures how fast the server takes messages\n"
    "  bench sub SUBJECT          measures how fast messages arrive\n"
    "  bench request SUBJECT      measures round trips to a responder\n"
    "\n"
    "  -s, --server URL       ws://host:port/path, wss:, nats: or tls:; several with commas\n"
    "                         [NATS_URL, else nats://127.0.0.1:4222]\n"
    "      --user NAME        [NATS_USER]\n"
    "      --password TEXT    [NATS_PASSWORD]\n"
    "      --token TEXT       [NATS_TOKEN]\n"
    "      --creds FILE       JWT and seed of a user, read anew at each connect [NATS_CREDS]\n"
    "      --nkey FILE        seed of a user, likewise [NATS_NKEY]\n"
    "      --tlsca FILE       whom to trust as CA [NATS_CA, else SSL_CERT_FILE, else the "
    "system's]\n"
    "      --tlscert FILE     our certificate [NATS_CERT] ...\n"
    "      --tlskey FILE      ... and its key [NATS_KEY]\n"
    "      --tlspin HASH      SHA-256 of a public key that the server may have; with commas\n"
    "      --tlsfirst         TLS before the server says anything\n"
    "      --tls MODE         auto, module or host: whose TLS is used [auto]\n"
    "      --compress         offers compression to a server reached by ws or wss\n"
    "      --name NAME        of the connection, shown by the server\n"
    "      --inbox-prefix S   subject before the inboxes for answers\n"
    "      --timeout TIME     for connecting and for an answer: 2s, 500ms, 1m30s [5s]\n"
    "  -H, --header K:V       adds a header; as often as wanted\n"
    "      --reply SUBJECT    where answers to a pub shall go\n"
    "      --queue NAME       joins a queue group (sub, reply, bench sub)\n"
    "      --count N          ends after N messages, requests, round trips or events\n"
    "      --wait TIME        ends after so long without a message (sub, reply)\n"
    "      --replies N        so many answers to one request [1]; or as many as came in time\n"
    "      --reply-timeout T  the longest wait from one of them to the next\n"
    "      --echo             answers with the payload of the request (reply)\n"
    "      --raw              payloads alone, one a line (sub)\n"
    "      --json             for programs: one JSON document a line\n"
    "  -h, --help\n"
    "      --version\n";

static const char more_help[] =
    "\n"
    "Measuring:\n"
    "      --msgs N           messages or requests in all [100000; requests: 10000]\n"
    "      --size BYTES       of a payload: 128, 4k, 1m [128]; bench sub: so much is expected\n"
    "      --clients N        connections that share the messages [1]; those of bench sub\n"
    "                         are a queue group\n"
    "      --concurrency N    requests under way on each connection [1]\n"
    "      --no-progress      nothing on standard error meanwhile\n"
    "  bench sub ends without success when no message came for --timeout.\n"
    "\n"
    "Checking subjects (FILE is - for standard input):\n"
    "      subject PATTERN                     declares one, with {placeholders} for single "
    "tokens\n"
    "      claim PATTERN covers PATTERN        every subject of the second one matches the first\n"
    "      claim PATTERN covers each PATTERN   the same for all declared under the second one\n"
    "  A line each; from # on it is a comment.  {a} is one value, so {a} covers {a}, not {b}.\n"
    "\n"
    "The connection:\n"
    "      --connect-timeout TIME  for an attempt to connect [--timeout]\n"
    "      --retry-connect         a first attempt that fails is not the last\n"
    "      --retry-auth            a server that refused us twice is tried again\n"
    "      --no-reconnect          a broken connection is the end\n"
    "      --max-reconnects N      attempts in a row on each server [without end]\n"
    "      --reconnect-wait TIME   between attempts [random, and longer each time]\n"
    "      --no-randomize          servers in the order given\n"
    "      --ignore-discovered     only servers given, not those that they name\n"
    "      --ping-interval TIME    between signs of life [ws: 50s, nats: 1m]\n"
    "      --max-pings N           without an answer, and the connection is given up [2]\n"
    "      --no-echo               does not get what it published itself\n"
    "      --drain-timeout TIME    for the last messages at the end (sub, reply) [--timeout]\n"
    "      --ws-header K:V         adds a line to the WebSocket request; as often as wanted\n"
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

static int refuse_option(const char *option, const char *verb_name)
{
    cli_text line = cli_notice("--");

    cli_text_puts(&line, option);
    cli_text_puts(&line, " does not go with ");
    cli_text_puts(&line, verb_name);
    cli_text_puts(&line, ": see natlet --help");
    cli_notice_end(&line);
    return EXIT_USAGE;
}

/* Whether the operands begin with a name of one word or of two. */
static bool is_named(const cli_options *options, const char *name)
{
    size_t len = strlen(options->operands[0]);

    if (strncmp(name, options->operands[0], len) != 0) {
        return false;
    }
    return name[len] == '\0' || (name[len] == ' ' && options->operand_count > 1 &&
                                 strcmp(name + len + 1, options->operands[1]) == 0);
}

static void drop_operand(cli_options *options)
{
    options->operand_count--;
    for (uint32_t i = 0; i < options->operand_count; i++) {
        options->operands[i] = options->operands[i + 1];
    }
}

/* The operands of a verb with two words then begin with the second one. */
static const verb *take_verb(cli_options *options)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (is_named(options, verbs[i].name)) {
            if (strchr(verbs[i].name, ' ') != NULL) {
                drop_operand(options);
            }
            return &verbs[i];
        }
    }
    return NULL;
}

static int run_verb(const verb *v, const cli_options *options)
{
    uint32_t count = options->operand_count;
    bool has_answer = options->echo || count > 2;

    if (count < v->operands_min || count > v->operands_max ||
        (v->bit == CLI_REPLY && !has_answer)) {
        return refuse_usage("call it as: natlet ", v->usage, "; see natlet --help");
    }
    const char *stray = cli_options_stray(options, v->bit);
    if (stray != NULL) {
        return refuse_option(stray, v->name);
    }
    if (options->raw && options->json) {
        return refuse_usage("--raw and --json exclude each other", "", ": see natlet --help");
    }
    if (options->creds != NULL && options->nkey != NULL) {
        return refuse_usage("--creds and --nkey exclude each other", "", ": see natlet --help");
    }
    return v->run(options);
}

static int run(cli_options *options)
{
    if (options->help) {
        return print_line(help, more_help);
    }
    if (options->version) {
        return print_line("natlet ", NATLET_VERSION "\n");
    }
    if (options->operand_count == 0) {
        return refuse_usage("say what to do", "", ": see natlet --help");
    }
    const verb *v = take_verb(options);
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
