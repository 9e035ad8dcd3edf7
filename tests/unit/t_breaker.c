/* Goal: a breaker opens, probes and closes when its numbers say, in the same short time
 * however much was called, and calls are never let through that it should have held back.
 *
 * Method: tables of what is done and what state follows, in virtual time; then random walks
 * against a naive model that keeps every outcome of the window in a list. */
#include "natlet/breaker.h"

#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static natlet_breaker b;
static char changes[256];

static void on_change(void *self, natlet_breaker *breaker, natlet_breaker_state was)
{
    size_t len = strlen(changes);

    CHECK(breaker == &b && self == changes);
    (void)snprintf(changes + len, sizeof changes - len, "%s > %s\n", natlet_breaker_state_text(was),
                   natlet_breaker_state_text(breaker->state));
}

static void begin(natlet_breaker_config config)
{
    cell_rig_init(&r, NULL);
    changes[0] = '\0';
    config.on_change = on_change;
    config.self = changes;
    CHECK(natlet_breaker_init(&b, &config) == NATLET_OK);
}

static void wait_ms(uint64_t ms)
{
    test_host_advance_ms(&r.host, ms);
    cell_rig_run(&r);
}

static bool allowed(uint32_t *pass)
{
    natlet_status st = natlet_breaker_allow(r.cell, &b, pass);

    CHECK(st == NATLET_OK || st == NATLET_E_OPEN);
    CHECK((st == NATLET_OK) == (*pass != 0));
    return st == NATLET_OK;
}

/* One step a letter: + and - are calls that succeed and fail, x one that must be refused. */
static void go(const char *steps)
{
    uint32_t pass;

    for (; *steps != '\0'; steps++) {
        CHECK(allowed(&pass) == (*steps != 'x'));
        if (*steps != 'x') {
            natlet_breaker_report(r.cell, &b, pass, *steps == '+');
        }
    }
}

static void expect(natlet_breaker_state state, const char *text)
{
    CHECK_TEXT(natlet_breaker_state_text(natlet_breaker_stats_now(r.cell, &b).state),
               natlet_breaker_state_text(state));
    CHECK_TEXT(changes, text);
    changes[0] = '\0';
}

static const natlet_breaker_config exact = {.jitter_percent = NATLET_BREAKER_NO_JITTER};

static void five_failures_in_a_row(void)
{
    begin(exact);
    go("----+----+----");
    expect(NATLET_BREAKER_CLOSED, "");
    go("-xx");
    expect(NATLET_BREAKER_OPEN, "closed > open\n");
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).wait_ms, 30000);
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).refused, 2);
    wait_ms(29999);
    go("x");
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).wait_ms, 1);
    wait_ms(1);
    expect(NATLET_BREAKER_OPEN, "");
    go("+");
    expect(NATLET_BREAKER_HALF_OPEN, "open > half open\n");
    go("+");
    expect(NATLET_BREAKER_CLOSED, "half open > closed\n");
    go("----");
    expect(NATLET_BREAKER_CLOSED, "");
    cell_rig_end(&r);
}

static void half_of_twenty(void)
{
    begin(exact);
    go("+-+-+-+-+-+-+-+-+-");
    expect(NATLET_BREAKER_CLOSED, "");
    go("+-");
    expect(NATLET_BREAKER_OPEN, "closed > open\n");
    cell_rig_end(&r);

    begin(exact);
    go("+-+-+-+-+-+-+-+-+-++-"); /* 10 of 21 */
    expect(NATLET_BREAKER_CLOSED, "");
    go("-");
    expect(NATLET_BREAKER_OPEN, "closed > open\n");
    cell_rig_end(&r);
}

static void old_outcomes_are_forgotten(void)
{
    begin(exact);
    for (uint32_t i = 0; i < 9; i++) { /* two each three seconds: 18 of them in the window */
        go("+-");
        wait_ms(3000);
    }
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).calls, 18);
    go("+");
    expect(NATLET_BREAKER_CLOSED, "");
    go("-");
    expect(NATLET_BREAKER_OPEN, "closed > open\n");
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).calls, 20);
    cell_rig_end(&r);

    begin(exact);
    for (uint32_t i = 0; i < 40; i++) {
        go("+-");
        wait_ms(3400); /* never twenty within the window */
    }
    expect(NATLET_BREAKER_CLOSED, "");
    wait_ms(3600000);
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).calls, 0);
    go("-+-+");
    expect(NATLET_BREAKER_CLOSED, "");
    cell_rig_end(&r);
}

static void open_lasts_longer_each_time(void)
{
    static const uint32_t lasts_ms[] = {30000, 60000, 120000, 240000, 300000, 300000};

    begin(exact);
    go("-----");
    for (uint32_t i = 0; i < sizeof lasts_ms / sizeof *lasts_ms; i++) {
        wait_ms(lasts_ms[i] - 1);
        go("x");
        wait_ms(1);
        go(i % 2 == 0 ? "-" : "+-"); /* one good probe is not enough */
        CHECK_INT(natlet_breaker_stats_now(r.cell, &b).state, NATLET_BREAKER_OPEN);
    }
    wait_ms(300000);
    go("++");
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).state, NATLET_BREAKER_CLOSED);
    go("-----");
    wait_ms(29999);
    go("x");
    wait_ms(1);
    go("+");
    cell_rig_end(&r);
}

static void jitter_shortens(void)
{
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;

    begin((natlet_breaker_config){.failures = 1});
    for (uint32_t i = 0; i < 300; i++) {
        go("-");
        uint64_t ms = natlet_breaker_stats_now(r.cell, &b).wait_ms;
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
        wait_ms(ms - 1);
        go("x");
        wait_ms(1);
        go("++");
        changes[0] = '\0';
    }
    CHECK(least >= 24000 && least < 24500 && most <= 30000 && most > 29500);
    cell_rig_end(&r);
}

static void one_probe_at_a_time(void)
{
    uint32_t pass;
    uint32_t other;

    begin(exact);
    CHECK(allowed(&other)); /* of the time before */
    go("-----");
    natlet_breaker_report(r.cell, &b, other, true);
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).late, 1);
    wait_ms(30000);
    CHECK(allowed(&pass));
    go("xxx");
    natlet_breaker_report(r.cell, &b, other, false);
    natlet_breaker_report(r.cell, &b, 0, false);
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).late, 3);
    expect(NATLET_BREAKER_HALF_OPEN, "closed > open\nopen > half open\n");
    natlet_breaker_report(r.cell, &b, pass, true);
    natlet_breaker_report(r.cell, &b, pass, true); /* once more does not count */
    expect(NATLET_BREAKER_HALF_OPEN, "");
    CHECK(allowed(&other) && other != pass);
    natlet_breaker_report(r.cell, &b, pass, false);
    expect(NATLET_BREAKER_HALF_OPEN, "");
    natlet_breaker_report(r.cell, &b, other, true);
    expect(NATLET_BREAKER_CLOSED, "half open > closed\n");
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).late, 5);
    cell_rig_end(&r);
}

static void a_probe_that_is_lost(void)
{
    uint32_t pass;

    begin(exact);
    go("-----");
    wait_ms(30000);
    CHECK(allowed(&pass));
    wait_ms(29999);
    go("x");
    expect(NATLET_BREAKER_HALF_OPEN, "closed > open\nopen > half open\n");
    wait_ms(1);
    go("x");
    expect(NATLET_BREAKER_OPEN, "half open > open\n");
    natlet_breaker_report(r.cell, &b, pass, true);
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).late, 1);
    wait_ms(59999);
    go("x");
    wait_ms(1);
    CHECK(allowed(&pass));
    wait_ms(30000);
    natlet_breaker_report(r.cell, &b, pass, true); /* too late */
    expect(NATLET_BREAKER_OPEN, "open > half open\nhalf open > open\n");
    cell_rig_end(&r);
}

static void looking(void)
{
    uint32_t pass;

    begin(exact);
    CHECK(natlet_breaker_look(r.cell, &b) == NATLET_BREAKER_CLOSED);
    CHECK_INT(natlet_breaker_stats_now(r.cell, &b).wait_ms, 0);
    go("-----");
    wait_ms(29999);
    CHECK(natlet_breaker_look(r.cell, &b) == NATLET_BREAKER_OPEN);
    wait_ms(1);
    CHECK(natlet_breaker_look(r.cell, &b) == NATLET_BREAKER_HALF_OPEN);
    CHECK(allowed(&pass)); /* looking was no probe */
    wait_ms(30000);
    CHECK(natlet_breaker_look(r.cell, &b) == NATLET_BREAKER_OPEN);
    expect(NATLET_BREAKER_OPEN, "closed > open\nopen > half open\nhalf open > open\n");
    cell_rig_end(&r);
}

static void by_order(void)
{
    begin(exact);
    natlet_breaker_trip(r.cell, &b);
    go("x");
    expect(NATLET_BREAKER_OPEN, "closed > open\n");
    wait_ms(10000);
    natlet_breaker_trip(r.cell, &b);
    expect(NATLET_BREAKER_OPEN, "");
    wait_ms(59999);
    go("x");
    wait_ms(1);
    go("++");
    expect(NATLET_BREAKER_CLOSED, "open > half open\nhalf open > closed\n");
    cell_rig_end(&r);
}

static void configurations(void)
{
    static const natlet_breaker_config bad[] = {
        {.window_ms = 9}, {.percent = 101}, {.jitter_percent = 101}, {.jitter_percent = 254}};

    begin(exact);
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        b.pass = 77;
        CHECK(natlet_breaker_init(&b, &bad[i]) == NATLET_E_CONFIG);
        CHECK(b.pass == 77 && b.config.failures == 5);
    }
    CHECK_TEXT(natlet_breaker_state_text((natlet_breaker_state)9), "unknown");
    CHECK_TEXT(natlet_status_text(NATLET_E_OPEN), "the circuit breaker is open");
    CHECK_INT(NATLET_E_OPEN, -101);
    cell_rig_end(&r);
}

/* ---- a naive model ---- */

enum { KEPT = 4096 };

typedef struct model {
    natlet_breaker_config config;
    natlet_breaker_state state;
    uint64_t tenths[KEPT]; /* of each outcome since CLOSED */
    bool failed[KEPT];
    uint32_t count;
    uint32_t in_a_row;
    uint32_t opened;
    uint64_t until_ms;
    bool is_probing;
    uint32_t period; /* which calls belong to now */
} model;

static uint64_t now_ms(void)
{
    return natlet_runtime_now_us(r.rt) / 1000;
}

static void model_opens(model *m)
{
    uint64_t ms = m->config.open_ms;

    for (uint32_t i = 0; i < m->opened && ms < m->config.open_max_ms; i++) {
        ms *= 2;
    }
    m->opened++;
    m->until_ms = now_ms() + (ms < m->config.open_max_ms ? ms : m->config.open_max_ms);
    m->state = NATLET_BREAKER_OPEN;
    m->is_probing = false;
    m->period++;
}

static void model_looks(model *m)
{
    if (m->state == NATLET_BREAKER_OPEN && now_ms() >= m->until_ms) {
        m->state = NATLET_BREAKER_HALF_OPEN;
        m->in_a_row = 0;
        m->period++;
    } else if (m->state == NATLET_BREAKER_HALF_OPEN && m->is_probing && now_ms() >= m->until_ms) {
        model_opens(m);
    }
}

static bool model_allows(model *m)
{
    model_looks(m);
    if (m->state == NATLET_BREAKER_OPEN || m->is_probing) {
        return false;
    }
    if (m->state == NATLET_BREAKER_HALF_OPEN) {
        m->is_probing = true;
        m->until_ms = now_ms() + m->config.probe_ms;
    }
    return true;
}

static bool model_is_sick(const model *m)
{
    uint64_t tenth = now_ms() / (m->config.window_ms / 10);
    uint32_t calls = 0;
    uint32_t failures = 0;
    uint32_t last = 0;

    for (uint32_t i = 0; i < m->count; i++) {
        bool counts = tenth - m->tenths[i] < 10;
        calls += counts ? 1 : 0;
        failures += counts && m->failed[i] ? 1 : 0;
        last = m->failed[i] ? last + 1 : 0;
    }
    return last >= m->config.failures ||
           (calls >= m->config.calls_min && failures * 100 >= calls * m->config.percent);
}

static void model_hears(model *m, uint32_t period, bool is_ok)
{
    model_looks(m);
    if (period != m->period || m->state == NATLET_BREAKER_OPEN) {
        return;
    }
    if (m->state == NATLET_BREAKER_CLOSED) {
        CHECK(m->count < KEPT);
        m->tenths[m->count] = now_ms() / (m->config.window_ms / 10);
        m->failed[m->count++] = !is_ok;
        if (!is_ok && model_is_sick(m)) {
            model_opens(m);
        }
    } else if (m->is_probing && !is_ok) {
        model_opens(m);
    } else if (m->is_probing) {
        m->is_probing = false;
        m->period++;
        if (++m->in_a_row == m->config.successes) {
            m->state = NATLET_BREAKER_CLOSED;
            m->count = 0;
            m->opened = 0;
        }
    }
}

typedef struct called {
    uint32_t pass, period;
} called;

/* Up to eight calls are under way; `bad` of 64 outcomes fail. */
static uint32_t seen[3]; /* steps in each state */

static void walk(uint64_t seed, natlet_breaker_config config, uint32_t bad)
{
    static model m;
    called calls[8];
    uint32_t count = 0;
    uint64_t state = seed;

    config.jitter_percent = NATLET_BREAKER_NO_JITTER;
    begin(config);
    m = (model){.config = b.config, .period = 1};
    for (uint32_t i = 0; i < 2000; i++) {
        uint64_t draw = test_random(&state);
        if (draw % 3 == 0 && count < 8) {
            called one = {0, 0};
            bool is = model_allows(&m);
            CHECK(allowed(&one.pass) == is);
            one.period = m.period;
            if (is) {
                calls[count++] = one;
            }
        } else if (draw % 3 == 1 && count > 0) {
            uint32_t which = (uint32_t)(draw / 64 % count);
            called one = calls[which];
            bool is_ok = draw / 1024 % 64 >= bad;
            calls[which] = calls[--count];
            if (draw / 65536 % 16 > 0) { /* some are never reported */
                natlet_breaker_report(r.cell, &b, one.pass, is_ok);
                model_hears(&m, one.period, is_ok);
            }
        } else {
            wait_ms(draw / 64 % 8 == 0 ? draw / 1024 % (config.window_ms / 3) : draw / 1024 % 8);
        }
        CHECK(natlet_breaker_stats_now(r.cell, &b).state == m.state);
        seen[m.state]++;
        changes[0] = '\0';
    }
    cell_rig_end(&r);
}

static void as_the_model_at_random(void)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        walk(seed, (natlet_breaker_config){.window_ms = 200, .open_ms = 50, .probe_ms = 40},
             (uint32_t)(seed * 7 % 64));
        walk(seed,
             (natlet_breaker_config){.window_ms = 1000,
                                     .failures = 9,
                                     .calls_min = (uint32_t)seed % 7 + 3,
                                     .percent = (uint8_t)(seed % 90 + 10),
                                     .open_ms = 30,
                                     .open_max_ms = 100,
                                     .successes = (uint8_t)(seed % 4 + 1),
                                     .probe_ms = 100},
             (uint32_t)(seed * 5 % 64));
    }
    CHECK(seen[NATLET_BREAKER_CLOSED] > 10000 && seen[NATLET_BREAKER_OPEN] > 10000 &&
          seen[NATLET_BREAKER_HALF_OPEN] > 10000);
}

/* ---- an agent that it rules ---- */

static uint32_t handled;

static int32_t count(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    (void)mail;
    handled++;
    return NATLET_DONE;
}

static void it_rules_an_agent(void)
{
    static const natlet_behaviour counting = {.name = "counter", .on_mail = count};
    static const natlet_child child = {.name = NATLET_TEXT("ruled"), .behaviour = &counting};
    static const natlet_supervisor_spec tree = {.children = &child, .count = 1};
    natlet_guard guard;

    begin((natlet_breaker_config){.jitter_percent = NATLET_BREAKER_NO_JITTER});
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    natlet_guard_begin(&guard, r.cell, &b, cell_rig_text("ruled"));
    handled = 0;
    (void)cell_rig_tell(&r, "ruled", "1");
    CHECK_INT(handled, 1);
    go("-----");
    (void)cell_rig_tell(&r, "ruled", "2");
    CHECK_INT(handled, 1); /* it waits */
    wait_ms(29000);
    natlet_breaker_trip(r.cell, &b); /* 60 s from now */
    wait_ms(59000);
    CHECK_INT(handled, 1);
    wait_ms(1001); /* half open: the agent goes on, and asks */
    CHECK_INT(handled, 2);
    go("-");
    (void)cell_rig_tell(&r, "ruled", "3");
    CHECK_INT(handled, 2);
    natlet_guard_end(&guard);
    cell_rig_run(&r);
    CHECK_INT(handled, 3);
    wait_ms(1000000);                                /* nothing rings any more */
    CHECK(strstr(changes, "closed > open") != NULL); /* the program hears it, too */
    cell_rig_end(&r);
}

int main(void)
{
    RUN(five_failures_in_a_row);
    RUN(half_of_twenty);
    RUN(old_outcomes_are_forgotten);
    RUN(open_lasts_longer_each_time);
    RUN(jitter_shortens);
    RUN(one_probe_at_a_time);
    RUN(a_probe_that_is_lost);
    RUN(looking);
    RUN(by_order);
    RUN(configurations);
    RUN(as_the_model_at_random);
    RUN(it_rules_an_agent);
    return test_done();
}
