#include "wasm/cli/measure.h"

#include "base/bytes.h"
#include "natlet/json.h"

#define NS_PER_S 1e9
#define NS_PER_MS 1e6

enum { NS_PER_US = 1000, LINE_BYTES = 16384 };

static const struct {
    uint32_t permille;
    const char *name;
    const char *key;
} percentiles[] = {
    {500, "p50", "p50_us"},
    {900, "p90", "p90_us"},
    {990, "p99", "p99_us"},
    {999, "p99.9", "p999_us"},
};

enum { PERCENTILES = sizeof percentiles / sizeof percentiles[0] };

uint64_t cli_measure_now_ns(const cli_measure *m)
{
    return (uint64_t)(m->door->clock(m->door->self, NATLET_CLOCK_MONOTONIC) * NS_PER_MS);
}

static uint64_t rate(uint64_t amount, uint64_t ns)
{
    return (uint64_t)((double)amount * NS_PER_S / (double)(ns > 0 ? ns : 1));
}

static uint64_t elapsed_ns(const cli_measure *m)
{
    return m->end_ns - m->begin_ns;
}

/* ---- for people ---- */

/* "97.6 MiB": three digits and a fraction at most. */
static void add_size(cli_text *out, uint64_t bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    uint64_t tenths = bytes * 10;
    uint32_t unit = 0;

    while (tenths >= 10240 && unit < sizeof units / sizeof units[0] - 1) {
        tenths /= 1024;
        unit++;
    }
    cli_text_u64(out, tenths / 10);
    if (unit > 0) {
        uint8_t fraction[] = {'.', (uint8_t)('0' + tenths % 10)};
        cli_text_add(out, (natlet_slice){fraction, sizeof fraction});
    }
    cli_text_puts(out, units[unit]);
}

static void add_count(cli_text *out, uint64_t count, const char *one)
{
    cli_text_u64(out, count);
    cli_text_puts(out, one);
    cli_text_puts(out, count == 1 ? "" : "s");
}

static void add_name(cli_text *out, const cli_measure *m)
{
    cli_text_puts(out, "bench ");
    cli_text_puts(out, m->name);
    cli_text_puts(out, " ");
    cli_text_add(out, m->subject);
    cli_text_puts(out, ": ");
}

void cli_measure_tell(cli_measure *m)
{
    if (m->options->no_progress || m->done == m->told || m->done == m->total) {
        return;
    }
    m->told = m->done;
    cli_text line = cli_notice("");
    add_name(&line, m);
    cli_text_u64(&line, m->done);
    cli_text_puts(&line, " of ");
    cli_text_u64(&line, m->total);
    cli_text_puts(&line, ", ");
    cli_text_u64(&line, rate(m->done, cli_measure_now_ns(m) - m->begin_ns));
    cli_text_puts(&line, " messages/s");
    cli_notice_end(&line);
}

static void add_trips(cli_text *out, const cli_histogram *trips)
{
    cli_text_puts(out, "round trips: ");
    for (uint32_t i = 0; i < PERCENTILES; i++) {
        cli_text_puts(out, percentiles[i].name);
        cli_text_puts(out, " ");
        cli_text_ms(out, cli_histogram_at(trips, percentiles[i].permille) / NS_PER_US);
        cli_text_puts(out, ", ");
    }
    cli_text_puts(out, "max ");
    cli_text_ms(out, trips->max_ns / NS_PER_US);
    cli_text_puts(out, "\n");
}

static void add_lines(cli_text *out, const cli_measure *m)
{
    add_name(out, m);
    add_count(out, m->done, " message");
    cli_text_puts(out, " (");
    add_size(out, m->bytes);
    cli_text_puts(out, ") in ");
    cli_text_ms(out, elapsed_ns(m) / NS_PER_US);
    cli_text_puts(out, " by ");
    add_count(out, m->clients, " client");
    cli_text_puts(out, ": ");
    cli_text_u64(out, rate(m->done, elapsed_ns(m)));
    cli_text_puts(out, " messages/s, ");
    add_size(out, rate(m->bytes, elapsed_ns(m)));
    cli_text_puts(out, "/s\n");
    if (m->trips != NULL) {
        add_trips(out, m->trips);
    }
}

/* ---- for programs ---- */

static void put_us(natlet_json_out *json, const char *key, uint64_t ns)
{
    cli_text number = {0};

    cli_text_milli(&number, ns);
    natlet_json_out_key(json, key);
    natlet_json_out_raw(json, cli_text_slice(&number));
    cli_text_free(&number);
}

/* Subject and server are short, so the line is. */
static void add_json(cli_text *out, const cli_measure *m)
{
    natlet_json_out json;

    cli_text_room(out, LINE_BYTES);
    natlet_json_out_init(&json, out->ptr, LINE_BYTES - 1);
    natlet_json_out_open(&json, '{');
    natlet_json_out_key(&json, "bench");
    natlet_json_out_string(&json, natlet__text(m->name));
    natlet_json_out_key(&json, "subject");
    natlet_json_out_string(&json, m->subject);
    natlet_json_out_key(&json, "server");
    natlet_json_out_string(&json, m->server);
    natlet_json_out_member_u64(&json, "clients", m->clients);
    natlet_json_out_member_u64(&json, "messages", m->done);
    natlet_json_out_member_u64(&json, "bytes", m->bytes);
    put_us(&json, "elapsed_us", elapsed_ns(m));
    natlet_json_out_member_u64(&json, "messages_per_s", rate(m->done, elapsed_ns(m)));
    natlet_json_out_member_u64(&json, "bytes_per_s", rate(m->bytes, elapsed_ns(m)));
    for (uint32_t i = 0; m->trips != NULL && i < PERCENTILES; i++) {
        put_us(&json, percentiles[i].key, cli_histogram_at(m->trips, percentiles[i].permille));
    }
    if (m->trips != NULL) {
        put_us(&json, "max_us", m->trips->max_ns);
    }
    natlet_json_out_close(&json, '}');
    out->len = json.len;
    cli_text_puts(out, "\n");
}

void cli_measure_print(const cli_measure *m)
{
    cli_text out = {0};

    (m->options->json ? add_json : add_lines)(&out, m);
    cli_text_print(&out);
    cli_text_free(&out);
}
