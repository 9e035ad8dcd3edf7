/* Outcomes are counted in tenths of the window.  Whenever time has gone on, the oldest
 * tenths are taken from the sum and become the newest, empty ones: ten at most. */
#include "natlet/breaker.h"

#include "agent/delay.h"
#include "agent/kernel.h"

enum { US_PER_MS = 1000, PERCENT = 100 };

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value > 0 ? value : otherwise;
}

natlet_status natlet_breaker_init(natlet_breaker *breaker, const natlet_breaker_config *config)
{
    enum { FAILURES = 5, WINDOW = 30000, CALLS = 20, SHARE = 50, JITTER = 20, SUCCESSES = 2 };
    enum { OPEN = 30000, OPEN_MAX = 300000, PROBE = 30000 };
    natlet_breaker_config whole = *config;

    whole.failures = or_default(whole.failures, FAILURES);
    whole.window_ms = or_default(whole.window_ms, WINDOW);
    whole.calls_min = or_default(whole.calls_min, CALLS);
    whole.percent = (uint8_t)or_default(whole.percent, SHARE);
    whole.jitter_percent = (uint8_t)or_default(whole.jitter_percent, JITTER);
    whole.successes = (uint8_t)or_default(whole.successes, SUCCESSES);
    whole.open_ms = or_default(whole.open_ms, OPEN);
    whole.open_max_ms = or_default(whole.open_max_ms, OPEN_MAX);
    whole.probe_ms = or_default(whole.probe_ms, PROBE);
    if (whole.window_ms < NATLET_BREAKER_BUCKETS || whole.percent > PERCENT ||
        (whole.jitter_percent > PERCENT && whole.jitter_percent != NATLET_BREAKER_NO_JITTER)) {
        return NATLET_E_CONFIG;
    }
    whole.jitter_percent = whole.jitter_percent <= PERCENT ? whole.jitter_percent : 0;
    *breaker = (natlet_breaker){.config = whole, .pass = 1};
    return NATLET_OK;
}

static uint64_t now_us(const natlet_cell *cell)
{
    return natlet_runtime_now_us(cell->rt);
}

/* ---- the window ---- */

/* Lets the tenths that are over go. */
static void move_on(natlet_breaker *breaker, uint64_t now)
{
    uint64_t tenth =
        now / ((uint64_t)breaker->config.window_ms * US_PER_MS / NATLET_BREAKER_BUCKETS);
    uint64_t steps = tenth - breaker->tenth;

    steps = steps < NATLET_BREAKER_BUCKETS ? steps : NATLET_BREAKER_BUCKETS;
    for (; steps > 0; steps--) {
        natlet_breaker_bucket *oldest =
            &breaker->buckets[(tenth - steps + 1) % NATLET_BREAKER_BUCKETS];
        breaker->sum.calls -= oldest->calls;
        breaker->sum.failures -= oldest->failures;
        *oldest = (natlet_breaker_bucket){0};
    }
    breaker->tenth = tenth;
}

static void count(natlet_breaker *breaker, uint64_t now, bool is_ok)
{
    natlet_breaker_bucket *newest;

    move_on(breaker, now);
    newest = &breaker->buckets[breaker->tenth % NATLET_BREAKER_BUCKETS];
    if (breaker->sum.calls == UINT32_MAX) {
        return; /* so many say what one more would */
    }
    newest->calls++;
    newest->failures += is_ok ? 0 : 1;
    breaker->sum.calls++;
    breaker->sum.failures += is_ok ? 0 : 1;
}

static bool is_too_much(const natlet_breaker *breaker)
{
    const natlet_breaker_bucket *sum = &breaker->sum;

    return breaker->in_a_row >= breaker->config.failures ||
           (sum->calls >= breaker->config.calls_min &&
            (uint64_t)sum->failures * PERCENT >= (uint64_t)sum->calls * breaker->config.percent);
}

/* ---- states ---- */

/* From here on outcomes of what was allowed before are late. */
static void enter(natlet_breaker *breaker, natlet_breaker_state state)
{
    natlet_breaker_state was = breaker->state;

    breaker->state = state;
    breaker->pass += breaker->pass == UINT32_MAX ? 2 : 1; /* never 0 */
    breaker->in_a_row = 0;
    breaker->is_probing = false;
    if (was != state && breaker->config.on_change != NULL) {
        breaker->config.on_change(breaker->config.self, breaker, was);
    }
}

static void open(natlet_cell *cell, natlet_breaker *breaker)
{
    const natlet_breaker_config *config = &breaker->config;

    breaker->opened += breaker->opened < UINT32_MAX;
    uint32_t ms = natlet__delay_ms(config->open_ms, config->open_max_ms, breaker->opened);
    ms = natlet__delay_jitter(&cell->rt->random, ms, config->jitter_percent);
    breaker->until_us = now_us(cell) + (uint64_t)ms * US_PER_MS;
    enter(breaker, NATLET_BREAKER_OPEN);
}

static void close(natlet_breaker *breaker)
{
    breaker->opened = 0;
    breaker->sum = (natlet_breaker_bucket){0};
    memset(breaker->buckets, 0, sizeof breaker->buckets);
    enter(breaker, NATLET_BREAKER_CLOSED);
}

/* What time alone has changed. */
static void look_at_clock(natlet_cell *cell, natlet_breaker *breaker)
{
    if (now_us(cell) < breaker->until_us) {
        return;
    }
    if (breaker->state == NATLET_BREAKER_OPEN) {
        enter(breaker, NATLET_BREAKER_HALF_OPEN);
    } else if (breaker->is_probing) {
        open(cell, breaker);
    }
}

/* ---- calls ---- */

static natlet_status allow(natlet_cell *cell, natlet_breaker *breaker)
{
    look_at_clock(cell, breaker);
    if (breaker->state == NATLET_BREAKER_OPEN || breaker->is_probing) {
        breaker->refused++;
        return NATLET_E_OPEN;
    }
    if (breaker->state == NATLET_BREAKER_HALF_OPEN) {
        breaker->is_probing = true;
        breaker->until_us = now_us(cell) + (uint64_t)breaker->config.probe_ms * US_PER_MS;
    }
    return NATLET_OK;
}

natlet_status natlet_breaker_allow(natlet_cell *cell, natlet_breaker *breaker, uint32_t *pass)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = allow(cell, breaker);

    *pass = st == NATLET_OK ? breaker->pass : 0;
    natlet__unlock(cell, was);
    return st;
}

static void report_closed(natlet_cell *cell, natlet_breaker *breaker, bool is_ok)
{
    count(breaker, now_us(cell), is_ok);
    breaker->in_a_row = is_ok ? 0 : breaker->in_a_row + 1;
    if (!is_ok && is_too_much(breaker)) {
        open(cell, breaker);
    }
}

static void report_probe(natlet_cell *cell, natlet_breaker *breaker, bool is_ok)
{
    uint32_t good = breaker->in_a_row + 1;

    if (!is_ok) {
        open(cell, breaker);
    } else if (good >= breaker->config.successes) {
        close(breaker);
    } else {
        enter(breaker, NATLET_BREAKER_HALF_OPEN); /* with a new pass */
        breaker->in_a_row = good;
    }
}

static void report(natlet_cell *cell, natlet_breaker *breaker, uint32_t pass, bool is_ok)
{
    look_at_clock(cell, breaker);
    if (pass != breaker->pass || breaker->state == NATLET_BREAKER_OPEN ||
        (breaker->state == NATLET_BREAKER_HALF_OPEN && !breaker->is_probing)) {
        breaker->late++;
    } else if (breaker->state == NATLET_BREAKER_CLOSED) {
        report_closed(cell, breaker, is_ok);
    } else {
        report_probe(cell, breaker, is_ok);
    }
}

void natlet_breaker_report(natlet_cell *cell, natlet_breaker *breaker, uint32_t pass, bool is_ok)
{
    uint32_t was = natlet__lock(cell);

    report(cell, breaker, pass, is_ok);
    natlet__unlock(cell, was);
}

natlet_breaker_state natlet_breaker_look(natlet_cell *cell, natlet_breaker *breaker)
{
    uint32_t was = natlet__lock(cell);

    look_at_clock(cell, breaker);
    natlet__unlock(cell, was);
    return breaker->state;
}

void natlet_breaker_trip(natlet_cell *cell, natlet_breaker *breaker)
{
    uint32_t was = natlet__lock(cell);

    open(cell, breaker);
    natlet__unlock(cell, was);
}

/* ---- what others can see ---- */

natlet_breaker_stats natlet_breaker_stats_now(const natlet_cell *cell,
                                              const natlet_breaker *breaker)
{
    natlet_breaker seen = *breaker;
    uint64_t now = now_us(cell);

    move_on(&seen, now);
    bool is_open = seen.state == NATLET_BREAKER_OPEN && now < seen.until_us;
    return (natlet_breaker_stats){
        .state = seen.state,
        .calls = seen.sum.calls,
        .failures = seen.sum.failures,
        .refused = seen.refused,
        .late = seen.late,
        .wait_ms = is_open ? (uint32_t)((seen.until_us - now + US_PER_MS - 1) / US_PER_MS) : 0,
    };
}

const char *natlet_breaker_state_text(natlet_breaker_state state)
{
    static const char *const texts[] = {"closed", "open", "half open"};

    return (uint32_t)state < sizeof texts / sizeof *texts ? texts[state] : "unknown";
}
