#include "wasm/cli/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/compress.h"
#include "natlet/subject.h"
#include "wasm/cli/door.h"

/* Long enough to be rare, short enough that a termination is seen at once. */
enum { BUDGET_US = 20000 };

/* Buffers of a bench, beside the messages themselves. */
enum { MEASURED_BYTES = 131072 };

/* nats-server refuses a larger max_payload in its configuration. */
#define MESSAGE_BYTES_MAX 67108864u

/* ---- telling people ---- */

/* What to do about a failure, as the end of a sentence. */
static const char *advice(natlet_status st)
{
    static const struct {
        natlet_status st;
        const char *text;
    } known[] = {
        {NATLET_E_URL, "give --server ws://host:port/path or nats://host:port"},
        {NATLET_E_UNSUPPORTED, "use nats:// or tls:// here, or another --tls"},
        {NATLET_E_TLS, "check the name in --server, --tlsca, and the server's certificate"},
        {NATLET_E_CLOCK, "set the clock, or name the server's key with --tlspin"},
        {NATLET_E_CERTIFICATE, "check --tlsca, --tlscert and --tlskey"},
        {NATLET_E_DENIED, "let the host allow this server (NATLET_ALLOW)"},
        {NATLET_E_UPGRADE, "check that this is the server's WebSocket port, else use nats://"},
        {NATLET_E_HANDSHAKE, "check that this is the server's WebSocket port, else use nats://"},
        {NATLET_E_AUTH, "check --user and --password, --token, --creds or --nkey"},
        {NATLET_E_NOT_FOUND, "check --creds (NATS_CREDS) or --nkey (NATS_NKEY)"},
        {NATLET_E_CREDS_JWT, "get the creds file anew, or name another one"},
        {NATLET_E_CREDS_SEED, "get the creds file anew, or name another one"},
        {NATLET_E_JWT, "get the creds file anew, or name another one"},
        {NATLET_E_NKEY, "put the seed into the file, or name another one"},
        {NATLET_E_NKEY_CHECKSUM, "put the seed into the file, or name another one"},
        {NATLET_E_NKEY_KIND, "put the seed into the file, or name another one"},
        {NATLET_E_PERMISSION, "ask for the permission, or use another subject"},
        {NATLET_E_NO_RESPONDERS, "start a responder, for instance natlet reply"},
        {NATLET_E_SUBJECT, "correct the subject"},
        {NATLET_E_CONFIG, "check --name, --queue and --inbox-prefix"},
        {NATLET_E_TOO_LARGE, "send less at once, or raise the server's max_payload"},
        {NATLET_E_TIMEOUT, "try again, or raise --timeout"},
        {NATLET_E_CANCELLED, "let it run to its end"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].st == st) {
            return known[i].text;
        }
    }
    return "check --server (or NATS_URL) and that the server runs";
}

static void add_fault(cli_text *line, natlet_slice subject)
{
    natlet_subject_fault fault = natlet_subject_check(subject, NATLET_SUBJECT_SUBSCRIBE);

    if (fault == NATLET_SUBJECT_NONE) {
        fault = natlet_subject_check(subject, NATLET_SUBJECT_PUBLISH);
    }
    cli_text_puts(line, natlet_subject_fault_text(fault));
}

/* What is wrong with a file says all, with its name. */
static void add_reason(cli_text *line, const cli_session *session, natlet_status st,
                       natlet_slice reason)
{
    if (cli_secret_failed(&session->secret, st)) {
        cli_text_add(line, cli_text_slice(&session->secret.fault));
        return;
    }
    cli_text_puts(line, natlet_status_text(st));
    if (reason.len > 0) {
        cli_text_puts(line, " (");
        cli_text_add(line, reason);
        cli_text_puts(line, ")");
    }
}

int cli_failed(cli_session *session, const char *what, natlet_slice about, natlet_status st)
{
    cli_text line = cli_notice(what);

    cli_text_add(&line, about);
    cli_text_puts(&line, ": ");
    if (st == NATLET_E_SUBJECT) {
        add_fault(&line, about);
    } else {
        add_reason(&line, session, st, cli_text_slice(&session->reason));
    }
    cli_text_puts(&line, ": ");
    cli_text_puts(&line, advice(st));
    cli_notice_end(&line);
    return EXIT_FAILURE;
}

/* ---- what the client reports ---- */

static void keep_failure(cli_link *link, const natlet_client_event *event)
{
    cli_session *session = link->session;

    if (session->status >= 0 && event->status < 0) {
        session->status = event->status;
        session->failed = link->client;
        session->reason.len = 0;
        cli_text_add(&session->reason, event->text);
    }
}

/* "natlet: " before, the server, after, and why. */
static void tell(const cli_link *link, const char *before, const char *after,
                 const natlet_client_event *event)
{
    if (link->session->watch != NULL) {
        return;
    }
    cli_text line = cli_notice(before);
    cli_text_add(&line, natlet_client_server(link->client));
    cli_text_puts(&line, after);
    if (event->status < 0) {
        cli_text_puts(&line, ": ");
        add_reason(&line, link->session, event->status, event->text);
    }
    cli_notice_end(&line);
}

static void note_connected(cli_link *link, const natlet_client_event *event)
{
    cli_session *session = link->session;

    session->connects++;
    session->has_told_retry = false;
    if (session->connects > session->link_count) {
        tell(link, "connected again to ", "", event);
    } else if (session->connects == session->link_count) {
        session->status = NATLET_OK; /* another server may have failed before */
        session->reason.len = 0;
        cli_finish(session, NATLET_OK);
    }
}

static void note_state(cli_link *link, const natlet_client_event *event)
{
    cli_session *session = link->session;

    if (event->state == NATLET_CLIENT_CONNECTED) {
        note_connected(link, event);
    } else if (event->state == NATLET_CLIENT_RECONNECTING && event->status < 0) {
        tell(link, "lost the connection to ", ", reconnecting", event);
    } else if (event->state == NATLET_CLIENT_CLOSED && !session->is_leaving) {
        keep_failure(link, event);
        session->is_closed = true;
        cli_finish(session, event->status < 0 ? event->status : NATLET_E_CLOSED);
    }
}

/* Said once, however often the attempt is repeated. */
static void note_retry(cli_link *link, const natlet_client_event *event)
{
    if (!link->session->has_told_retry) {
        link->session->has_told_retry = true;
        tell(link, "cannot connect to ", " yet, trying again", event);
    }
}

/* An attempt to come back that fails where only people can help. */
static bool needs_help(const cli_session *session, const natlet_client_event *event)
{
    return event->state == NATLET_CLIENT_RECONNECTING &&
           (event->status == NATLET_E_AUTH || cli_secret_failed(&session->secret, event->status));
}

/* What comes back is told of errors as they come, but for attempts that failed;
 * what ends a subscription, and all others, fail with the first one. */
static void note_error(cli_link *link, const natlet_client_event *event)
{
    const cli_session *session = link->session;

    if ((event->state == NATLET_CLIENT_CONNECTING && session->options->retry_connect) ||
        needs_help(session, event)) {
        note_retry(link, event);
    }
    if (!session->comes_back || event->sid != 0) {
        keep_failure(link, event);
    } else if (event->state == NATLET_CLIENT_CONNECTED) {
        tell(link, "", " reports", event);
    }
}

static void watch_event(const cli_link *link, natlet_client_event event)
{
    cli_session *session = link->session;

    if (cli_secret_failed(&session->secret, event.status)) {
        event.text = cli_text_slice(&session->secret.fault);
    }
    session->watch(session, link->client, &event);
}

static void note_event(void *self, const natlet_client_event *event)
{
    cli_link *link = self;

    if (link->session->watch != NULL) {
        watch_event(link, *event);
    }
    switch (event->kind) {
    case NATLET_CLIENT_EV_STATE:
        note_state(link, event);
        break;
    case NATLET_CLIENT_EV_ERROR:
        note_error(link, event);
        break;
    case NATLET_CLIENT_EV_LAME_DUCK:
        tell(link, "", " is about to shut down", event);
        break;
    case NATLET_CLIENT_EV_SLOW_CONSUMER:
        tell(link, "messages from ", " were dropped: the output is too slow", event);
        break;
    case NATLET_CLIENT_EV_AUTH_EXPIRING:
        tell(link, "the JWT for ", " expires soon, reading the file anew", event);
        break;
    case NATLET_CLIENT_EV_MIGRATED:
        tell(link, "moved to ", "", event);
        break;
    case NATLET_CLIENT_EV_SERVERS:
        break;
    }
}

/* ---- waiting ---- */

void cli_finish(cli_session *session, natlet_status st)
{
    session->is_finished = true;
    if (session->status >= 0) {
        session->status = st;
    }
    session->door->wake(session->door->self); /* the turn may be about to sleep */
}

void cli_turn(cli_session *session)
{
    uint32_t wait_ms = session->due_ms == 0 ? 0 : NATLET_NEVER_MS;

    session->due_ms = natlet_runtime_run(session->rt, BUDGET_US, wait_ms);
}

void cli_glance(cli_session *session)
{
    session->due_ms = natlet_runtime_run(session->rt, BUDGET_US, 0);
}

bool cli_is_over(const cli_session *session)
{
    return session->is_closed || session->terminations > 0 || session->status < 0;
}

natlet_status cli_wait(cli_session *session)
{
    uint32_t terminations = session->terminations;

    while (!session->is_finished && !session->is_closed) {
        cli_turn(session);
        if (session->terminations != terminations) {
            return NATLET_E_CANCELLED;
        }
    }
    session->is_finished = false;
    return session->status;
}

/* ---- as a part of the runtime: terminations, and the alarm ---- */

static void note_hint(natlet__part *part, const natlet_host_event *event)
{
    cli_session *session = (cli_session *)part; /* its first member */

    if (event->type == NATLET_EV_HINT && event->a == NATLET_HINT_TERMINATE) {
        session->terminations++;
    }
}

static bool sound_alarm(natlet__part *part, uint64_t until_us)
{
    cli_session *session = (cli_session *)part;

    (void)until_us;
    if (session->alarm != NULL && session->alarm_us <= session->rt->now_us) {
        session->alarm_us = session->alarm(session, session->rt->now_us);
    }
    return false;
}

static void have_no_output(natlet__part *part)
{
    (void)part;
}

static uint64_t alarm_due(natlet__part *part)
{
    const cli_session *session = (const cli_session *)part;

    return session->alarm != NULL ? session->alarm_us : UINT64_MAX;
}

/* ---- begin and end ---- */

static void *resize_block(void *self, void *ptr, size_t old_bytes, size_t new_bytes)
{
    (void)self;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

static natlet_slice text_or_none(const char *text)
{
    return text != NULL ? natlet__text(text) : (natlet_slice){0};
}

static void configure_buffers(const cli_session *session, natlet_client_config *config)
{
    uint32_t bytes = (uint32_t)session->outbox_bytes;

    config->message_bytes_max = MESSAGE_BYTES_MAX;
    config->pending_bytes_max += bytes;
    if (session->is_measured) {
        config->tx_bytes = MEASURED_BYTES + 2 * bytes;
        config->pending_bytes_max = config->tx_bytes;
        config->rx_bytes = MEASURED_BYTES + 2 * bytes;
    }
}

static void configure_link(const cli_options *options, natlet_client_config *config)
{
    config->connect_ms = options->connect_ms != 0 ? options->connect_ms : options->timeout_ms;
    config->retry_first_connect = options->retry_connect;
    config->reconnect_ms = options->reconnect_ms;
    config->reconnects_max = options->reconnects_max != 0 ? (int32_t)options->reconnects_max : -1;
    config->keep_order = options->keep_order;
    config->ignore_discovered = options->ignore_discovered;
    config->no_echo = options->no_echo;
    config->retry_auth_errors = options->retry_auth;
    config->ping_ms = options->ping_ms;
    if (options->pings_max != 0) {
        config->pings_out_max = (uint32_t)options->pings_max;
    }
    config->headers = cli_text_slice(&options->ws_headers);
}

static natlet_status make_client(cli_session *session, cli_link *link)
{
    const cli_options *options = session->options;
    natlet_client_config config;

    natlet_client_config_init(&config);
    config.servers = text_or_none(options->server);
    config.name = text_or_none(options->name != NULL ? options->name : "natlet");
    config.user = text_or_none(options->user);
    config.password = text_or_none(options->password);
    config.token = text_or_none(options->token);
    if (options->inbox_prefix != NULL) {
        config.inbox_prefix = natlet__text(options->inbox_prefix);
    }
    if (session->secret.path != NULL) {
        config.authenticators = &session->secret.authenticator;
        config.authenticator_count = 1;
    }
    configure_link(options, &config);
    configure_buffers(session, &config);
    config.no_reconnect = !session->comes_back || options->no_reconnect;
    config.on_event = note_event;
    config.self = link;
    link->session = session;
    natlet_status st = natlet_client_new(&link->client, session->rt, &config);
    session->client = session->links->client;
    if (st == NATLET_OK) {
        st = natlet_client_tls(link->client, &session->tls.config);
    }
    if (st == NATLET_OK && options->compress) {
        st = natlet_client_compress(link->client, NULL);
    }
    return st < 0 ? st : natlet_client_connect(link->client);
}

static natlet_status start(cli_session *session)
{
    static const natlet_allocator libc = {.resize = resize_block};

    session->part = (natlet__part){
        .event = note_hint,
        .turn = sound_alarm,
        .flush = have_no_output,
        .due_us = alarm_due,
    };
    session->door = cli_door_open();
    if (session->door == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = natlet_runtime_new(&session->rt, session->door, &libc, 0);
    if (st < 0) {
        return st;
    }
    natlet__runtime_add(session->rt, &session->part);
    cli_secret_init(&session->secret, session->options);
    session->link_count += session->link_count == 0 ? 1 : 0;
    session->links = calloc(session->link_count, sizeof *session->links);
    st = session->links != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
    for (uint32_t i = 0; i < session->link_count && st >= 0; i++) {
        st = make_client(session, &session->links[i]);
    }
    return st;
}

static bool check_started(cli_session *session, natlet_status st)
{
    const natlet_client *client = session->failed != NULL ? session->failed : session->client;

    if (st < 0 && client == NULL) {
        cli_failed(session, "cannot start", (natlet_slice){0}, st);
    } else if (st < 0) {
        natlet_slice server = natlet_client_server(client);
        if (server.len == 0) { /* those that failed too often are forgotten */
            server = natlet__text("any server");
        }
        cli_failed(session, "cannot connect to ", server, st);
    }
    return st >= 0;
}

bool cli_start(cli_session *session)
{
    return cli_tls_read(&session->tls, session->options) && check_started(session, start(session));
}

bool cli_open(cli_session *session)
{
    return cli_start(session) && check_started(session, cli_wait(session));
}

static void free_links(cli_session *session)
{
    for (uint32_t i = 0; session->links != NULL && i < session->link_count; i++) {
        natlet_client_free(session->links[i].client);
    }
    free(session->links);
}

void cli_close(cli_session *session)
{
    session->is_leaving = true;
    free_links(session);
    if (session->rt != NULL) {
        natlet__runtime_remove(session->rt, &session->part);
        natlet_runtime_free(session->rt);
    }
    if (session->door != NULL) {
        cli_door_close();
    }
    cli_secret_free(&session->secret);
    cli_tls_free(&session->tls);
    cli_text_free(&session->reason);
}
