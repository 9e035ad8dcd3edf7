/* One table says what options there are; an option is "--name value",
 * "--name=value" or "-n value", anywhere before "--". */
#include "wasm/cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"

enum { TIMEOUT_MS = 5000, MS_PER_S = 1000, SIZE_BYTES = 128 };

#define SERVER_DEFAULT "nats://127.0.0.1:4222"
#define TIMEOUT_MS_MAX 86400000u /* a day */
#define SIZE_BYTES_MAX 67108864u /* beyond it no server takes a message */

typedef enum value_kind { TEXT, FLAG, COUNT, SIZE, DURATION, HEADER, WS_HEADER } value_kind;

typedef struct option {
    const char *name;
    uint8_t letter; /* 0: none */
    value_kind kind;
    size_t offset; /* in cli_options */
    uint32_t verbs;
    uint64_t max; /* of a COUNT; 0: any */
} option;

#define AT(member) offsetof(cli_options, member)

enum {
    LISTENERS = CLI_SUB | CLI_REPLY,
    SENDERS = CLI_PUB | CLI_REQUEST | CLI_REPLY,
    BENCHES = CLI_BENCH_PUB | CLI_BENCH_SUB | CLI_BENCH_REQUEST,
    COUNTED = CLI_ANY & ~(uint32_t)(CLI_INFO | BENCHES),
    CONCURRENCY_MAX = 65536,
};

static const option known[] = {
    {"server", 's', TEXT, AT(server), CLI_ANY, 0},
    {"user", 0, TEXT, AT(user), CLI_ANY, 0},
    {"password", 0, TEXT, AT(password), CLI_ANY, 0},
    {"token", 0, TEXT, AT(token), CLI_ANY, 0},
    {"creds", 0, TEXT, AT(creds), CLI_ANY, 0},
    {"nkey", 0, TEXT, AT(nkey), CLI_ANY, 0},
    {"tlsca", 0, TEXT, AT(tls_ca), CLI_ANY, 0},
    {"tlscert", 0, TEXT, AT(tls_certificate), CLI_ANY, 0},
    {"tlskey", 0, TEXT, AT(tls_key), CLI_ANY, 0},
    {"tlspin", 0, TEXT, AT(tls_pins), CLI_ANY, 0},
    {"tlsfirst", 0, FLAG, AT(tls_first), CLI_ANY, 0},
    {"tls", 0, TEXT, AT(tls_mode), CLI_ANY, 0},
    {"name", 0, TEXT, AT(name), CLI_ANY, 0},
    {"inbox-prefix", 0, TEXT, AT(inbox_prefix), CLI_ANY, 0},
    {"timeout", 0, DURATION, AT(timeout_ms), CLI_ANY, 0},
    {"connect-timeout", 0, DURATION, AT(connect_ms), CLI_ANY, 0},
    {"drain-timeout", 0, DURATION, AT(drain_ms), LISTENERS, 0},
    {"retry-connect", 0, FLAG, AT(retry_connect), CLI_ANY, 0},
    {"retry-auth", 0, FLAG, AT(retry_auth), CLI_ANY, 0},
    {"no-reconnect", 0, FLAG, AT(no_reconnect), CLI_ANY, 0},
    {"max-reconnects", 0, COUNT, AT(reconnects_max), CLI_ANY, INT32_MAX},
    {"reconnect-wait", 0, DURATION, AT(reconnect_ms), CLI_ANY, 0},
    {"no-randomize", 0, FLAG, AT(keep_order), CLI_ANY, 0},
    {"ignore-discovered", 0, FLAG, AT(ignore_discovered), CLI_ANY, 0},
    {"ping-interval", 0, DURATION, AT(ping_ms), CLI_ANY, 0},
    {"max-pings", 0, COUNT, AT(pings_max), CLI_ANY, UINT32_MAX},
    {"no-echo", 0, FLAG, AT(no_echo), CLI_ANY, 0},
    {"compress", 0, FLAG, AT(compress), CLI_ANY, 0},
    {"ws-header", 0, WS_HEADER, AT(ws_headers), CLI_ANY, 0},
    {"header", 'H', HEADER, AT(headers), SENDERS, 0},
    {"count", 0, COUNT, AT(count), COUNTED, 0},
    {"wait", 0, DURATION, AT(wait_ms), LISTENERS, 0},
    {"replies", 0, COUNT, AT(replies), CLI_REQUEST, UINT32_MAX},
    {"reply-timeout", 0, DURATION, AT(stall_ms), CLI_REQUEST, 0},
    {"queue", 0, TEXT, AT(queue), LISTENERS | CLI_BENCH_SUB, 0},
    {"reply", 0, TEXT, AT(reply), CLI_PUB, 0},
    {"echo", 0, FLAG, AT(echo), CLI_REPLY, 0},
    {"raw", 0, FLAG, AT(raw), CLI_SUB, 0},
    {"msgs", 0, COUNT, AT(msgs), BENCHES, 0},
    {"size", 0, SIZE, AT(size), BENCHES, 0},
    {"clients", 0, COUNT, AT(clients), BENCHES, CLI_CLIENTS_MAX},
    {"concurrency", 0, COUNT, AT(concurrency), CLI_BENCH_REQUEST, CONCURRENCY_MAX},
    {"no-progress", 0, FLAG, AT(no_progress), BENCHES, 0},
    {"json", 0, FLAG, AT(json), (CLI_ANY & ~(uint32_t)CLI_PUB) | CLI_SUBJECTS_CHECK, 0},
    {"help", 'h', FLAG, AT(help), CLI_ANY, 0},
    {"version", 0, FLAG, AT(version), CLI_ANY, 0},
};

enum { KNOWN = sizeof known / sizeof known[0] };

_Static_assert(KNOWN <= 64, "one bit each in cli_options.given");

/* The words that are left to read. */
typedef struct words {
    char **at;
    int count;
} words;

static bool refuse(const char *what, natlet_slice word, const char *advice)
{
    cli_text line = cli_notice(what);

    cli_text_add(&line, word);
    cli_text_puts(&line, advice);
    cli_notice_end(&line);
    return false;
}

static const option *find_option(natlet_slice name)
{
    for (size_t i = 0; i < KNOWN; i++) {
        bool is_letter = name.len == 2 && name.ptr[0] == '-' && name.ptr[1] == known[i].letter;
        bool is_name =
            name.len > 2 && name.ptr[0] == '-' && name.ptr[1] == '-' &&
            natlet__equal((natlet_slice){name.ptr + 2, name.len - 2}, natlet__text(known[i].name));
        if (is_letter || is_name) {
            return &known[i];
        }
    }
    return NULL;
}

/* Milliseconds in one unit at the head of `text`, which is cut off; 0: no unit. */
static uint32_t take_unit(natlet_slice *text)
{
    static const struct {
        const char *name;
        uint32_t ms;
    } units[] = {{"ms", 1}, {"s", MS_PER_S}, {"m", 60 * MS_PER_S}, {"h", 3600 * MS_PER_S}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t len = strlen(units[i].name);
        if (text->len >= len && memcmp(text->ptr, units[i].name, len) == 0) {
            natlet__take(text, len);
            return units[i].ms;
        }
    }
    return 0;
}

/* "2s", "500ms", "1m30s"; a number alone is in seconds. */
static bool read_duration(natlet_slice text, uint32_t *ms)
{
    uint64_t total = 0;
    uint64_t value = 0;

    if (natlet__read_decimal(text, TIMEOUT_MS_MAX / MS_PER_S, &value)) {
        total = value * MS_PER_S;
        text.len = 0;
    }
    while (text.len > 0) {
        size_t digits = 0;
        while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
            digits++;
        }
        if (!natlet__read_decimal(natlet__take(&text, digits), TIMEOUT_MS_MAX, &value)) {
            return false;
        }
        uint32_t unit = take_unit(&text);
        total += value * unit;
        if (unit == 0 || total > TIMEOUT_MS_MAX) {
            return false;
        }
    }
    *ms = (uint32_t)total;
    return total > 0;
}

/* "Key: value", blanks around the value are not part of it. */
static bool read_header(natlet_headers *headers, natlet_slice text)
{
    const uint8_t *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;

    if (colon == NULL) {
        return false;
    }
    size_t at = (size_t)(colon - text.ptr);
    natlet_slice key = {text.ptr, at};
    natlet_slice value = {colon + 1, text.len - at - 1};
    return natlet_headers_add(headers, key, natlet__trim(value)) >= 0;
}

/* "128", "4k", "1m", a "b" behind it or not, in either case. */
static bool read_size(natlet_slice text, uint64_t *bytes)
{
    uint32_t shift = 0;

    if (text.len > 1 && natlet__lower(text.ptr[text.len - 1]) == 'b') {
        text.len--;
    }
    if (text.len > 1 && natlet__lower(text.ptr[text.len - 1]) == 'k') {
        shift = 10;
    } else if (text.len > 1 && natlet__lower(text.ptr[text.len - 1]) == 'm') {
        shift = 20;
    }
    text.len -= shift > 0 ? 1 : 0;
    if (!natlet__read_decimal(text, SIZE_BYTES_MAX >> shift, bytes)) {
        return false;
    }
    *bytes <<= shift;
    return true;
}

/* A line of the upgrade request, which nothing in it may end early. */
static bool read_ws_header(cli_text *lines, natlet_slice text)
{
    natlet_slice value = text;
    natlet_slice key;

    if (!natlet__cut(&value, ':', &key) || key.len == 0 || !natlet__is_clean(key, '!') ||
        !natlet__is_clean(value, ' ') || !natlet__utf8_valid(text)) {
        return false;
    }
    cli_text_add(lines, key);
    cli_text_puts(lines, ": ");
    cli_text_add(lines, natlet__trim(value));
    cli_text_puts(lines, "\r\n");
    return true;
}

static bool read_value(cli_options *options, const option *opt, const char *value)
{
    void *field = (uint8_t *)options + opt->offset;
    natlet_slice text = natlet__text(value);
    uint64_t max = opt->max != 0 ? opt->max : UINT64_MAX;

    switch (opt->kind) {
    case TEXT:
        *(const char **)field = value;
        return true;
    case FLAG:
        *(bool *)field = true;
        return true;
    case COUNT:
        return natlet__read_decimal(text, max, field) && *(uint64_t *)field > 0;
    case SIZE:
        return read_size(text, field);
    case DURATION:
        return read_duration(text, field);
    case HEADER:
        return read_header(field, text);
    case WS_HEADER:
        return read_ws_header(field, text);
    }
    return false;
}

/* What a value has to look like. */
static const char *form_of(value_kind kind)
{
    switch (kind) {
    case COUNT:
        return " takes a number from 1";
    case SIZE:
        return " takes bytes like 128, 4k or 1m, up to 64m";
    case DURATION:
        return " takes a time like 2s, 500ms or 1m30s";
    case HEADER:
    case WS_HEADER:
        return " takes Key:value in one line";
    case TEXT:
    case FLAG:
        break;
    }
    return "";
}

static bool set_value(cli_options *options, const option *opt, const char *value)
{
    if (read_value(options, opt, value)) {
        return true;
    }
    cli_text line = cli_notice("--");
    cli_text_puts(&line, opt->name);
    cli_text_puts(&line, form_of(opt->kind));
    if (opt->max != 0) {
        cli_text_puts(&line, " to ");
        cli_text_u64(&line, opt->max);
    }
    cli_text_puts(&line, ", not ");
    cli_text_puts(&line, value);
    cli_text_puts(&line, ": see natlet --help");
    cli_notice_end(&line);
    return false;
}

/* Reads the option at the head of `left`, with its value. */
static bool read_option(cli_options *options, words *left)
{
    natlet_slice word = natlet__text(*left->at++);
    const uint8_t *equals = memchr(word.ptr, '=', word.len);
    natlet_slice name = {word.ptr, equals != NULL ? (size_t)(equals - word.ptr) : word.len};
    const option *opt = find_option(name);
    const char *value = equals != NULL ? (const char *)equals + 1 : NULL;

    left->count--;
    if (opt == NULL || (opt->kind == FLAG && value != NULL)) {
        return refuse("there is no option ", word, ": see natlet --help");
    }
    if (opt->kind == FLAG) {
        value = "";
    } else if (value == NULL && left->count == 0) {
        return refuse("a value is missing after ", word, ": see natlet --help");
    } else if (value == NULL) {
        value = *left->at++;
        left->count--;
    }
    options->given |= UINT64_C(1) << (opt - known);
    return set_value(options, opt, value);
}

static bool add_operand(cli_options *options, const char *word)
{
    if (options->operand_count == CLI_OPERANDS_MAX) {
        return refuse("too many arguments, beginning with ", natlet__text(word),
                      ": put quotes around a payload with blanks");
    }
    options->operands[options->operand_count++] = word;
    return true;
}

/* The headers given can never outgrow what they were given in. */
static void init_headers(cli_options *options, words all)
{
    size_t bytes = NATLET_HEADER_BYTES_MIN;

    for (int i = 0; i < all.count; i++) {
        bytes += strlen(all.at[i]) + sizeof ": \r\n";
    }
    cli_text_room(&options->header_mem, bytes);
    (void)natlet_headers_init(&options->headers, options->header_mem.ptr, options->header_mem.cap);
}

/* An empty variable counts as none. */
static const char *from_environment(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && *value != '\0' ? value : NULL;
}

/* Who we are, if nothing given says it: the first of these that is set. */
static void read_identity(cli_options *options)
{
    static const struct {
        const char *variable;
        size_t offset;
    } identities[] = {
        {"NATS_USER", AT(user)},
        {"NATS_CREDS", AT(creds)},
        {"NATS_NKEY", AT(nkey)},
        {"NATS_TOKEN", AT(token)},
    };
    const char *value = NULL;

    for (size_t i = 0; i < sizeof identities / sizeof *identities && value == NULL; i++) {
        value = from_environment(identities[i].variable);
        *(const char **)((uint8_t *)options + identities[i].offset) = value;
    }
}

/* What is given wins. */
static void read_environment(cli_options *options)
{
    if (options->server == NULL) {
        options->server = from_environment("NATS_URL");
    }
    if (options->server == NULL) {
        options->server = SERVER_DEFAULT;
    }
    if (options->user == NULL && options->creds == NULL && options->nkey == NULL &&
        options->token == NULL) {
        read_identity(options);
    }
    if (options->user != NULL && options->password == NULL) {
        options->password = from_environment("NATS_PASSWORD");
    }
    if (options->tls_ca == NULL) {
        options->tls_ca = from_environment("NATS_CA");
    }
    if (options->tls_certificate == NULL && options->tls_key == NULL) {
        options->tls_certificate = from_environment("NATS_CERT");
        options->tls_key = from_environment("NATS_KEY");
    }
}

bool cli_options_read(cli_options *options, int argc, char **argv)
{
    words left = {argv + 1, argc > 0 ? argc - 1 : 0};
    bool only_operands = false;

    *options = (cli_options){.timeout_ms = TIMEOUT_MS, .size = SIZE_BYTES};
    init_headers(options, left);
    while (left.count > 0) {
        const char *word = *left.at;
        if (!only_operands && strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (!only_operands && word[0] == '-' && word[1] != '\0') {
            if (!read_option(options, &left)) {
                return false;
            }
            continue;
        } else if (!add_operand(options, word)) {
            return false;
        }
        left.at++;
        left.count--;
    }
    read_environment(options);
    return true;
}

const char *cli_options_stray(const cli_options *options, uint32_t verb_bit)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if ((options->given >> i & 1) != 0 && (known[i].verbs & verb_bit) == 0) {
            return known[i].name;
        }
    }
    return NULL;
}

void cli_options_free(cli_options *options)
{
    cli_text_free(&options->header_mem);
    cli_text_free(&options->ws_headers);
}
