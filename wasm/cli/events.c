/* events: what becomes of the connection, as it happens. */
#include "wasm/cli/verbs.h"

#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "natlet/json.h"
#include "wasm/cli/message.h"
#include "wasm/cli/session.h"

typedef struct watcher {
    cli_session session; /* first: its watch hands it back */
    uint64_t shown;
    cli_text time;
    cli_text out;
} watcher;

/* ---- names ---- */

static const char *kind_name(natlet_client_event_kind kind)
{
    switch (kind) {
    case NATLET_CLIENT_EV_STATE:
        return "state";
    case NATLET_CLIENT_EV_ERROR:
        return "error";
    case NATLET_CLIENT_EV_SERVERS:
        return "servers";
    case NATLET_CLIENT_EV_LAME_DUCK:
        return "lame_duck";
    case NATLET_CLIENT_EV_SLOW_CONSUMER:
        return "slow_consumer";
    case NATLET_CLIENT_EV_AUTH_EXPIRING:
        return "auth_expiring";
    case NATLET_CLIENT_EV_MIGRATED:
        return "migrated";
    }
    return "unknown";
}

/* ---- time ---- */

static void add_digits(cli_text *text, uint32_t value, uint32_t digits, char behind)
{
    uint8_t out[8];
    natlet_slice all = {out, digits + 1};

    out[digits] = (uint8_t)behind;
    for (; digits > 0; digits--) {
        out[digits - 1] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
    cli_text_add(text, all);
}

/* "2026-01-31T23:59:59.999Z" */
static void write_time(cli_text *text, uint64_t wall_ns)
{
    uint64_t ms = wall_ns / 1000000;
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc = {0};

    (void)gmtime_r(&seconds, &utc);
    text->len = 0;
    add_digits(text, (uint32_t)utc.tm_year + 1900, 4, '-');
    add_digits(text, (uint32_t)utc.tm_mon + 1, 2, '-');
    add_digits(text, (uint32_t)utc.tm_mday, 2, 'T');
    add_digits(text, (uint32_t)utc.tm_hour, 2, ':');
    add_digits(text, (uint32_t)utc.tm_min, 2, ':');
    add_digits(text, (uint32_t)utc.tm_sec, 2, '.');
    add_digits(text, (uint32_t)(ms % 1000), 3, 'Z');
}

/* ---- one event ---- */

static void put_text(natlet_json_out *json, const char *key, natlet_slice text)
{
    natlet_json_out_key(json, key);
    cli_message_string(json, text);
}

static void put_event(natlet_json_out *json, const watcher *w, natlet_slice server,
                      const natlet_client_event *event)
{
    natlet_json_out_open(json, '{');
    put_text(json, "time", cli_text_slice(&w->time));
    put_text(json, "kind", natlet__text(kind_name(event->kind)));
    put_text(json, "state", natlet__text(natlet_client_state_text(event->state)));
    put_text(json, "status", natlet__text(natlet_status_name(event->status)));
    put_text(json, "text", event->text);
    natlet_json_out_member_u64(json, "close_code", event->close_code);
    natlet_json_out_member_u64(json, "sid", event->sid);
    put_text(json, "server", server);
    natlet_json_out_close(json, '}');
}

static void add_json(watcher *w, natlet_slice server, const natlet_client_event *event)
{
    natlet_json_out json;

    cli_text_room(&w->out, 1);
    do { /* a second time only after the first one measured more than there was room for */
        natlet_json_out_init(&json, w->out.ptr, w->out.cap);
        put_event(&json, w, server, event);
        cli_text_room(&w->out, json.len);
    } while (json.len > json.cap);
    w->out.len = json.len;
}

/* "TIME KIND STATE SERVER: E_STATUS what it means (what was said), close code N" */
static void add_line(watcher *w, natlet_slice server, const natlet_client_event *event)
{
    cli_text *out = &w->out;

    cli_text_add(out, cli_text_slice(&w->time));
    cli_text_puts(out, " ");
    cli_text_puts(out, kind_name(event->kind));
    cli_text_puts(out, " ");
    cli_text_puts(out, natlet_client_state_text(event->state));
    cli_text_puts(out, server.len > 0 ? " " : "");
    cli_text_add(out, server);
    if (event->status < 0) {
        cli_text_puts(out, ": ");
        cli_text_puts(out, natlet_status_name(event->status));
        cli_text_puts(out, " ");
        cli_text_puts(out, natlet_status_text(event->status));
    }
    if (event->text.len > 0) {
        cli_text_puts(out, " (");
        cli_text_add(out, event->text);
        cli_text_puts(out, ")");
    }
    if (event->close_code != 0) {
        cli_text_puts(out, ", close code ");
        cli_text_u64(out, event->close_code);
    }
    cli_text_clean(out, 0);
}

static void show_event(cli_session *session, const natlet_client *client,
                       const natlet_client_event *event)
{
    watcher *w = (watcher *)session;
    natlet_slice server = natlet_client_server(client);

    if (session->is_leaving) {
        return;
    }
    write_time(&w->time, natlet_runtime_wall_ns(session->rt));
    (session->options->json ? add_json : add_line)(w, server, event);
    cli_text_puts(&w->out, "\n");
    cli_text_print(&w->out);
    w->shown++;
    if (w->shown == session->options->count) {
        session->is_leaving = true;
        cli_finish(session, NATLET_OK);
    }
}

/* The session's wait ends with the first connect, too. */
static natlet_status watch_to_end(cli_session *session)
{
    natlet_status st = NATLET_OK;

    while (st >= 0 && !session->is_closed && !session->is_leaving) {
        st = cli_wait(session);
    }
    return st;
}

int cli_events(const cli_options *options)
{
    cli_options own = *options;
    watcher w = {.session = {.options = &own, .comes_back = true, .watch = show_event}};
    int code = EXIT_FAILURE;

    own.retry_connect = true;
    if (cli_start(&w.session)) {
        natlet_status st = watch_to_end(&w.session);
        if (st < 0 && st != NATLET_E_CANCELLED) {
            cli_failed(&w.session, "the connection is closed for good", (natlet_slice){0}, st);
        } else {
            code = EXIT_SUCCESS;
        }
    }
    cli_close(&w.session);
    cli_text_free(&w.time);
    cli_text_free(&w.out);
    return code;
}
