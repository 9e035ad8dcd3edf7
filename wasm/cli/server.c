/* rtt and info: what asks about the server itself. */
#include "wasm/cli/verbs.h"

#include "base/bytes.h"
#include "natlet/json.h"
#include "wasm/cli/session.h"
#include "json/reader.h"

/* ---- rtt ---- */

enum { ROUND_TRIPS = 5, RTT_LINE_BYTES = NATLET_URL_BYTES_MAX * 6 + 128 };

typedef struct rtt {
    cli_session session;
    uint64_t count, done;
    uint64_t min_us, max_us, sum_us;
} rtt;

static void start_trip(rtt *r);

static void end_trip(void *self, natlet_status st, uint64_t elapsed_us)
{
    rtt *r = self;

    if (st < 0) {
        cli_finish(&r->session, st);
        return;
    }
    r->min_us = r->done == 0 || elapsed_us < r->min_us ? elapsed_us : r->min_us;
    r->max_us = elapsed_us > r->max_us ? elapsed_us : r->max_us;
    r->sum_us += elapsed_us;
    r->done++;
    start_trip(r);
}

static void start_trip(rtt *r)
{
    natlet_status st = NATLET_OK;

    if (r->done < r->count) {
        st = natlet_client_flush(r->session.client, r->session.options->timeout_ms, end_trip, r);
    }
    if (st < 0 || r->done == r->count) {
        cli_finish(&r->session, st);
    }
}

static void add_trips_json(cli_text *out, const rtt *r, natlet_slice server)
{
    natlet_json_out json;

    cli_text_room(out, RTT_LINE_BYTES);
    natlet_json_out_init(&json, out->ptr, out->cap);
    natlet_json_out_open(&json, '{');
    natlet_json_out_key(&json, "server");
    natlet_json_out_string(&json, server);
    natlet_json_out_key(&json, "count");
    natlet_json_out_u64(&json, r->count);
    natlet_json_out_key(&json, "min_us");
    natlet_json_out_u64(&json, r->min_us);
    natlet_json_out_key(&json, "avg_us");
    natlet_json_out_u64(&json, r->sum_us / r->count);
    natlet_json_out_key(&json, "max_us");
    natlet_json_out_u64(&json, r->max_us);
    natlet_json_out_close(&json, '}');
    out->len = json.len;
}

static void add_trips(cli_text *out, const rtt *r, natlet_slice server)
{
    cli_text_add(out, server);
    cli_text_puts(out, ": ");
    cli_text_u64(out, r->count);
    cli_text_puts(out, r->count == 1 ? " round trip, min " : " round trips, min ");
    cli_text_ms(out, r->min_us);
    cli_text_puts(out, ", avg ");
    cli_text_ms(out, r->sum_us / r->count);
    cli_text_puts(out, ", max ");
    cli_text_ms(out, r->max_us);
}

int cli_rtt(const cli_options *options)
{
    rtt r = {.session = {.options = options}};
    cli_text out = {0};
    int code = 1;

    r.count = options->count > 0 ? options->count : ROUND_TRIPS;
    if (cli_open(&r.session)) {
        start_trip(&r);
        natlet_status st = cli_wait(&r.session);
        natlet_slice server = natlet_client_server(r.session.client);
        if (st < 0) {
            code = cli_failed(&r.session, "no answer from ", server, st);
        } else {
            (options->json ? add_trips_json : add_trips)(&out, &r, server);
            cli_text_puts(&out, "\n");
            cli_text_print(&out);
            code = 0;
        }
    }
    cli_close(&r.session);
    cli_text_free(&out);
    return code;
}

/* ---- info ---- */

/* As it stands in the document, but for the quotes of a string. */
static void add_value(cli_text *out, natlet_slice value)
{
    while (value.len > 0 && (value.ptr[0] == ':' || value.ptr[0] == ' ')) {
        natlet__take(&value, 1);
    }
    if (value.len > 1 && value.ptr[0] == '"') {
        value = (natlet_slice){value.ptr + 1, value.len - 2};
    }
    cli_text_add(out, value);
    cli_text_puts(out, "\n");
}

/* One field a line. */
static void add_fields(cli_text *out, natlet_slice info)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, info, NATLET_INFO_DEPTH_MAX);
    natlet_status st = natlet__json_next(&json, &token); /* the opening brace */
    while (st >= 0 && natlet__json_next(&json, &token) >= 0 && token.kind == NATLET__JSON_KEY) {
        const uint8_t *start = json.in.ptr;
        st = natlet__json_skip(&json, &token);
        cli_text_add(out, token.text);
        cli_text_puts(out, ": ");
        add_value(out, (natlet_slice){start, (size_t)(json.in.ptr - start)});
    }
}

int cli_info(const cli_options *options)
{
    cli_session session = {.options = options};
    cli_text out = {0};
    int code = 1;

    if (cli_open(&session)) {
        natlet_slice info = natlet_client_info(session.client);
        if (options->json) {
            cli_text_add(&out, info);
            cli_text_puts(&out, "\n");
        } else {
            add_fields(&out, info);
        }
        cli_text_print(&out);
        code = 0;
    }
    cli_close(&session);
    cli_text_free(&out);
    return code;
}
