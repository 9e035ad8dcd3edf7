/* Goal: a turn hands every event to its owner and to nobody else, calls the
 * parts in order, stops when its time is up, and says right when it wants to be
 * called again.
 * Method: parts that write what they are called for into one log, on a host
 * with a virtual clock. */
#include "base/runtime.h"
#include "support/test.h"
#include "support/test_host.h"

enum { BUDGET_US = 100000 };
#define MS ((uint64_t)1000) /* in microseconds */

/* ---- a part that logs ---- */

typedef struct probe {
    natlet__part part; /* first, so that a part is its probe */
    char letter;
    uint64_t due_us;
    uint32_t work;       /* turns that still leave work */
    uint64_t turn_us;    /* what a turn costs on the virtual clock */
    uint64_t fired_at;   /* when due_us was found to be over */
    struct probe *wakes; /* becomes ready when this one has a turn */
    bool reopens;        /* opens again when it hears CLOSED */
    uint32_t events;
} probe;

static test_host host;
static test_memory memory;
static natlet_runtime *rt;
static char log_text[4096];

static void note(char letter, const char *what)
{
    size_t len = strlen(log_text);
    (void)snprintf(log_text + len, sizeof log_text - len, "%s%c%s", len > 0 ? " " : "", letter,
                   what);
}

static void clear_log(void)
{
    log_text[0] = '\0';
}

static uint32_t open_for(probe *p)
{
    static const natlet_slice url = NATLET_TEXT("ws://a:1/");
    static const natlet_slice none = {NULL, 0};
    uint32_t conn = 0;

    CHECK_INT(natlet__runtime_open(rt, &p->part, NATLET_TRANSPORT_TCP, url, none, &conn),
              NATLET_OK);
    return conn;
}

static void probe_event(natlet__part *part, const natlet_host_event *event)
{
    probe *p = (probe *)part;
    char text[16];

    (void)snprintf(text, sizeof text, ".%u", (unsigned)event->type);
    note(p->letter, text);
    p->events++;
    if (p->reopens && event->type == NATLET_EV_CLOSED) {
        open_for(p);
    }
}

static bool probe_turn(natlet__part *part, uint64_t until_us)
{
    probe *p = (probe *)part;

    CHECK(until_us >= natlet_runtime_now_us(rt));
    note(p->letter, "t");
    test_host_advance_us(&host, p->turn_us);
    if (p->due_us <= natlet_runtime_now_us(rt)) {
        p->due_us = UINT64_MAX;
        p->fired_at = natlet_runtime_now_us(rt);
    }
    if (p->wakes != NULL) {
        p->wakes->due_us = 0;
        p->wakes = NULL;
    }
    p->work -= p->work > 0;
    return p->work > 0;
}

static void probe_flush(natlet__part *part)
{
    note(((probe *)part)->letter, "f");
}

static uint64_t probe_due(natlet__part *part)
{
    return ((probe *)part)->due_us;
}

static probe make_probe(char letter)
{
    return (probe){.part = {.event = probe_event,
                            .turn = probe_turn,
                            .flush = probe_flush,
                            .due_us = probe_due},
                   .letter = letter,
                   .due_us = UINT64_MAX};
}

/* ---- set-up ---- */

static void begin(uint32_t more_caps)
{
    test_host_init(&host, 5);
    test_memory_init(&memory);
    host.info.caps |= more_caps;
    CHECK_INT(natlet_runtime_new(&rt, &host.host, &memory.allocator, 0), NATLET_OK);
    clear_log();
}

static void end(probe *a, probe *b)
{
    if (a != NULL) {
        natlet__runtime_remove(rt, &a->part);
    }
    if (b != NULL) {
        natlet__runtime_remove(rt, &b->part);
    }
    natlet_runtime_free(rt);
    CHECK_INT(host.violations, 0);
    CHECK_INT(memory.live_blocks + memory.errors, 0);
    test_host_free(&host);
}

static void add(probe *p)
{
    natlet__runtime_add(rt, &p->part);
}

static uint32_t run(void)
{
    return natlet_runtime_run(rt, BUDGET_US, 0);
}

/* ---- life ---- */

static natlet_status try_new(size_t budget)
{
    natlet_status st = natlet_runtime_new(&rt, &host.host, &memory.allocator, budget);

    CHECK((rt != NULL) == (st == NATLET_OK));
    natlet_runtime_free(rt);
    CHECK_INT(memory.live_blocks, 0);
    return st;
}

static void what_a_runtime_needs(void)
{
    test_host_init(&host, 5);
    test_memory_init(&memory);
    CHECK_INT(try_new(0), NATLET_OK);
    CHECK_INT(try_new(sizeof *rt), NATLET_OK);
    CHECK_INT(try_new(sizeof *rt - 1), NATLET_E_NO_MEMORY);
    memory.fail_at = memory.requests + 1;
    CHECK_INT(try_new(0), NATLET_E_NO_MEMORY);
    host.random_fails = true; /* rule H11: no weaker source */
    CHECK_INT(try_new(0), NATLET_E_UNSUPPORTED);
    host.random_fails = false;
    host.info.abi = (NATLET_ABI_MAJOR + 1) << 16;
    CHECK_INT(try_new(0), NATLET_E_UNSUPPORTED);
    host.info.abi = NATLET_ABI | 7; /* a later minor is welcome */
    CHECK_INT(try_new(0), NATLET_OK);
    test_host_free(&host);
}

/* ---- events ---- */

static void a_turn_has_its_order(void)
{
    probe a = make_probe('a');
    probe b = make_probe('b');

    begin(0);
    add(&a);
    add(&b);
    test_host_event(&host, open_for(&b), NATLET_EV_OPEN, 0, 0);
    test_host_event(&host, open_for(&a), NATLET_EV_OPEN, 0, 0);
    test_host_hint(&host, NATLET_HINT_RESUME);
    CHECK_INT(run(), NATLET_NEVER_MS);
    CHECK_TEXT(log_text, "b.1 a.1 a.5 b.5 at bt af bf");
    end(&a, &b);
}

static void stale_events_are_dropped(void)
{
    probe a = make_probe('a');

    begin(0);
    add(&a);
    open_for(&a);
    uint32_t conn = open_for(&a); /* in slot 1: in slot 0 the name before it would be 0 */
    test_host_event(&host, conn + (1u << 16), NATLET_EV_OPEN, 0, 0); /* another generation */
    test_host_event(&host, conn - (1u << 16), NATLET_EV_OPEN, 0, 0);
    test_host_event(&host, conn + 1, NATLET_EV_OPEN, 0, 0); /* a slot that is not open */
    test_host_event(&host, conn | 0xffff, NATLET_EV_OPEN, 0, 0);
    test_host_event(&host, conn | NATLET__CONNS_MAX, NATLET_EV_OPEN, 0, 0);
    run();
    CHECK_TEXT(log_text, "at af");
    CHECK_INT(natlet_runtime_stats_now(rt).events, 5);

    clear_log();
    test_conn_closed(&host, test_host_last(&host), 0, NATLET_E_IO);
    test_host_event(&host, conn, NATLET_EV_READABLE, 1, 0); /* behind CLOSED */
    run();
    CHECK_TEXT(log_text, "a.4 at af");
    end(&a, NULL);
}

static void a_slot_is_used_again_under_another_name(void)
{
    probe a = make_probe('a');

    test_host_init(&host, 5);
    test_memory_init(&memory);
    host.info.conns_max = 1;
    CHECK_INT(natlet_runtime_new(&rt, &host.host, &memory.allocator, 0), NATLET_OK);
    clear_log();
    add(&a);
    uint32_t first = open_for(&a);
    a.reopens = true;
    test_conn_closed(&host, test_host_last(&host), 1001, NATLET_OK);
    run();
    uint32_t second = test_host_last(&host)->id;
    CHECK(host.conn_count == 2 && second != first && (second & 0xffff) == (first & 0xffff));

    clear_log();
    test_host_event(&host, first, NATLET_EV_READABLE, 1, 0);
    test_host_event(&host, second, NATLET_EV_OPEN, 0, 0);
    run();
    CHECK_TEXT(log_text, "a.1 at af");
    end(&a, NULL);
}

static void names_are_never_zero(void)
{
    probe a = make_probe('a');

    begin(0);
    add(&a);
    rt->conns[0].name = (uint32_t)UINT16_MAX << 16;
    CHECK_INT(open_for(&a), 1u << 16);
    end(&a, NULL);
}

static void slots_end_and_failed_opens_give_theirs_back(void)
{
    const natlet_slice url = NATLET_TEXT("ws://a:1/");
    const natlet_slice none = {NULL, 0};
    probe a = make_probe('a');
    uint32_t conn = 0;

    begin(0);
    add(&a);
    host.open_answer = NATLET_E_DENIED;
    for (int i = 0; i < 200; i++) {
        CHECK_INT(natlet__runtime_open(rt, &a.part, NATLET_TRANSPORT_WS, url, none, &conn),
                  NATLET_E_DENIED);
    }
    host.open_answer = NATLET_OK;
    for (int i = 0; i < NATLET__CONNS_MAX; i++) {
        open_for(&a);
    }
    CHECK_INT(natlet__runtime_open(rt, &a.part, NATLET_TRANSPORT_WS, url, none, &conn),
              NATLET_E_LIMIT);
    test_conn_closed(&host, host.conns[17], 0, NATLET_E_IO);
    run();
    CHECK_INT(open_for(&a) & 0xffff, host.conns[17]->id & 0xffff);
    CHECK_TEXT(test_host_last(&host)->url, "ws://a:1/");
    end(&a, NULL);
}

/* The slot of a part that went away stays taken until the host says CLOSED. */
static void a_part_that_left_hears_nothing(void)
{
    probe a = make_probe('a');
    probe b = make_probe('b');

    begin(0);
    add(&a);
    add(&b);
    uint32_t conn = open_for(&a);
    natlet__runtime_remove(rt, &a.part);
    test_host_event(&host, conn, NATLET_EV_OPEN, 0, 0);
    test_host_hint(&host, NATLET_HINT_ONLINE);
    run();
    CHECK_TEXT(log_text, "b.5 bt bf");
    CHECK(rt->conns[conn & 0xffff].taken);
    test_conn_closed(&host, test_host_last(&host), 0, NATLET_OK);
    run();
    CHECK(!rt->conns[conn & 0xffff].taken);
    CHECK_INT(a.events, 0);
    end(&b, NULL);
}

static void events_come_in_batches(void)
{
    static const uint32_t counts[] = {0, 1, 31, 32, 33, 64, 100};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        probe a = make_probe('a');
        begin(0);
        add(&a);
        for (uint32_t k = 0; k < counts[i]; k++) {
            test_host_hint(&host, NATLET_HINT_ONLINE);
        }
        run();
        CHECK_INT(a.events, counts[i]);
        CHECK_INT(natlet_runtime_stats_now(rt).polls, counts[i] / 32 + 1);
        end(&a, NULL);
    }
}

static void a_trap_loses_no_later_event(void)
{
    probe a = make_probe('a');

    begin(0);
    add(&a);
    for (uint16_t type = 0; type < 4; type++) {
        rt->events[type] = (natlet_host_event){.conn = 0, .type = type};
    }
    rt->event_count = 4; /* as if the handler of the second one had trapped */
    rt->event_at = 2;
    rt->in_turn = true;
    CHECK_INT(run(), 1);
    natlet__runtime_recover(rt);
    CHECK_INT(natlet_runtime_run(rt, 0, 0), 0);
    clear_log();
    run();
    CHECK_TEXT(log_text, "a.2 a.3 at af");
    end(&a, NULL);
}

/* ---- work and budget ---- */

static void a_turn_ends_when_nothing_is_left(void)
{
    probe a = make_probe('a');
    probe b = make_probe('b');

    begin(0);
    add(&a);
    add(&b);
    b.work = 3;
    CHECK_INT(run(), NATLET_NEVER_MS);
    CHECK_TEXT(log_text, "at bt at bt at bt af bf");
    end(&a, &b);
}

static void work_for_an_earlier_part_is_done_in_the_same_turn(void)
{
    probe a = make_probe('a');
    probe b = make_probe('b');

    begin(0);
    add(&a);
    add(&b);
    b.wakes = &a;
    CHECK_INT(run(), NATLET_NEVER_MS);
    CHECK_TEXT(log_text, "at bt at bt af bf");
    end(&a, &b);
}

static void a_turn_ends_when_its_time_is_up(void)
{
    probe a = make_probe('a');

    begin(0);
    add(&a);
    a.work = 10;
    a.turn_us = 300;
    CHECK_INT(natlet_runtime_run(rt, 1000, 0), 0);
    CHECK_TEXT(log_text, "at at at at af");
    clear_log();
    CHECK_INT(natlet_runtime_run(rt, 0, 0), 0); /* flush only */
    CHECK_TEXT(log_text, "af");
    CHECK_INT(host.calls.poll, 1);
    clear_log();
    CHECK_INT(natlet_runtime_run(rt, 1, 0), 0);
    CHECK_TEXT(log_text, "at af");
    CHECK_INT(run(), NATLET_NEVER_MS);
    end(&a, NULL);
}

static void nested_turn(natlet__part *part)
{
    uint32_t polls = host.calls.poll;

    note(((probe *)part)->letter, "f");
    CHECK_INT(run(), 1);
    CHECK_INT(host.calls.poll, polls);
}

static void a_nested_turn_does_nothing(void)
{
    probe a = make_probe('a');

    begin(0);
    a.part.flush = nested_turn;
    add(&a);
    CHECK_INT(run(), NATLET_NEVER_MS);
    CHECK_TEXT(log_text, "at af");
    CHECK_INT(natlet_runtime_stats_now(rt).turns, 1);
    end(&a, NULL);
}

/* ---- time ---- */

static void the_next_turn_is_due_rounded_up(void)
{
    static const struct {
        uint64_t in_us;
        uint32_t want_ms;
    } cases[] = {{1, 1},
                 {999, 1},
                 {1000, 1},
                 {1001, 2},
                 {60000000, 60000},
                 {(uint64_t)UINT32_MAX * 1000, NATLET_NEVER_MS - 1},
                 {(uint64_t)1 << 60, NATLET_NEVER_MS - 1}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        probe a = make_probe('a');
        probe b = make_probe('b');
        begin(0);
        add(&a);
        add(&b);
        a.due_us = host.now_us + cases[i].in_us;
        b.due_us = a.due_us + 5;
        CHECK_INT(run(), cases[i].want_ms);
        CHECK(a.fired_at == 0);
        end(&a, &b);
    }
}

/* The time the turn itself takes is not waited for again. */
static void a_slow_turn_shortens_the_wait(void)
{
    probe a = make_probe('a');

    begin(0);
    add(&a);
    a.due_us = host.now_us + 10 * MS;
    a.turn_us = 7 * MS;
    CHECK_INT(run(), 3);
    a.turn_us = 4 * MS;
    CHECK_INT(run(), 0); /* became due during the turn */
    CHECK_INT(run(), NATLET_NEVER_MS);
    CHECK(a.fired_at > 0);
    end(&a, NULL);
}

static void lateness_is_noted(void)
{
    probe a = make_probe('a');

    begin(0);
    add(&a);
    a.due_us = host.now_us + 2 * MS;
    run();
    CHECK_INT(natlet_runtime_stats_now(rt).late_us_max, 0);
    test_host_advance_us(&host, 5 * MS + 7);
    run();
    CHECK_INT(natlet_runtime_stats_now(rt).late_us_max, 3 * MS + 7);
    a.due_us = host.now_us - 10;
    run();
    a.due_us = 0; /* ready, but not late */
    run();
    CHECK_INT(natlet_runtime_stats_now(rt).late_us_max, 3 * MS + 7);
    end(&a, NULL);
}

static void time_never_runs_backwards(void)
{
    begin(0);
    uint64_t before = natlet_runtime_now_us(rt);
    host.now_us -= 500;
    run();
    CHECK(natlet_runtime_now_us(rt) == before);
    test_host_advance_us(&host, 501);
    run();
    CHECK(natlet_runtime_now_us(rt) == before + 1);

    /* A double of milliseconds since 1970 is exact to a quarter of a microsecond. */
    CHECK((natlet_runtime_wall_ns(rt) + 500) / 1000 == host.unix_us);
    uint64_t stamp = natlet__runtime_stamp_ns(rt);
    CHECK(natlet__runtime_stamp_ns(rt) == stamp + 1);
    host.unix_us -= 1000000;
    CHECK(natlet__runtime_stamp_ns(rt) == stamp + 2);
    host.unix_us += 2000000;
    CHECK(natlet__runtime_stamp_ns(rt) > stamp + 900000000);
    end(NULL, NULL);
}

static double broken_ms;

static double broken_clock(void *self, uint32_t which)
{
    (void)self;
    (void)which;
    return broken_ms;
}

static void a_broken_clock_is_no_harm(void)
{
    static const double values[] = {-1.0, 1e300, -1e300};

    begin(0);
    uint64_t before = natlet_runtime_now_us(rt);
    host.host.clock = broken_clock;
    for (size_t i = 0; i <= sizeof values / sizeof values[0]; i++) {
        broken_ms = i < 3 ? values[i] : (1e308 * 10) - (1e308 * 10); /* not a number */
        CHECK_INT(run(), NATLET_NEVER_MS);
        CHECK(natlet_runtime_now_us(rt) == before && natlet_runtime_wall_ns(rt) == 0);
    }
    end(NULL, NULL);
}

/* ---- waiting ---- */

static void a_host_that_cannot_block_is_not_asked_to(void)
{
    begin(0);
    CHECK_INT(natlet_runtime_run(rt, BUDGET_US, NATLET_NEVER_MS), NATLET_NEVER_MS);
    CHECK_INT(host.last_timeout_ms, 0);
    end(NULL, NULL);
}

static void it_flushes_then_waits_for_the_next_timer(void)
{
    probe a = make_probe('a');

    begin(NATLET_CAP_BLOCK);
    add(&a);
    a.due_us = host.now_us + 1500;
    CHECK_INT(natlet_runtime_run(rt, BUDGET_US, NATLET_NEVER_MS), NATLET_NEVER_MS);
    CHECK_TEXT(log_text, "at af at af");
    CHECK_INT(host.last_timeout_ms, 2);
    CHECK_INT(host.calls.poll, 1);
    CHECK_INT(host.waited_us, 2 * MS);
    CHECK(a.fired_at == host.now_us); /* in the same turn, with the clock read again */
    end(&a, NULL);
}

static void it_waits_no_longer_than_told(void)
{
    probe a = make_probe('a');

    begin(NATLET_CAP_BLOCK);
    add(&a);
    a.due_us = host.now_us + 50 * MS;
    CHECK_INT(natlet_runtime_run(rt, BUDGET_US, 20), 30);
    CHECK_INT(host.last_timeout_ms, 20);
    a.due_us = UINT64_MAX;
    natlet_runtime_run(rt, BUDGET_US, NATLET_NEVER_MS);
    CHECK_INT(host.last_timeout_ms, -1);
    a.due_us = (uint64_t)1 << 60;
    natlet_runtime_run(rt, BUDGET_US, NATLET_NEVER_MS);
    CHECK_INT(host.last_timeout_ms, INT32_MAX);
    end(&a, NULL);
}

static void it_does_not_wait_with_work_left(void)
{
    probe a = make_probe('a');

    begin(NATLET_CAP_BLOCK);
    add(&a);
    a.work = 3;
    a.turn_us = 2 * (uint64_t)BUDGET_US;
    CHECK_INT(natlet_runtime_run(rt, BUDGET_US, NATLET_NEVER_MS), 0);
    CHECK_TEXT(log_text, "at af at af");
    CHECK_INT(host.last_timeout_ms, 0);

    a.work = 0; /* a timer that is over already is work, too */
    a.turn_us = 0;
    a.due_us = host.now_us;
    natlet_runtime_run(rt, BUDGET_US, 1);
    CHECK(a.fired_at == host.now_us - 1 * MS);
    end(&a, NULL);
}

static void an_event_ends_the_wait(void)
{
    probe a = make_probe('a');

    begin(NATLET_CAP_BLOCK);
    add(&a);
    test_host_event(&host, open_for(&a), NATLET_EV_OPEN, 0, 0);
    natlet_runtime_run(rt, BUDGET_US, NATLET_NEVER_MS);
    CHECK_TEXT(log_text, "at af a.1 at af");
    CHECK_INT(host.waits_for_ever, 0);
    CHECK_INT(host.calls.poll, 1);
    end(&a, NULL);
}

int main(void)
{
    RUN(what_a_runtime_needs);
    RUN(a_turn_has_its_order);
    RUN(stale_events_are_dropped);
    RUN(a_slot_is_used_again_under_another_name);
    RUN(names_are_never_zero);
    RUN(slots_end_and_failed_opens_give_theirs_back);
    RUN(a_part_that_left_hears_nothing);
    RUN(events_come_in_batches);
    RUN(a_trap_loses_no_later_event);
    RUN(a_turn_ends_when_nothing_is_left);
    RUN(work_for_an_earlier_part_is_done_in_the_same_turn);
    RUN(a_turn_ends_when_its_time_is_up);
    RUN(a_nested_turn_does_nothing);
    RUN(the_next_turn_is_due_rounded_up);
    RUN(a_slow_turn_shortens_the_wait);
    RUN(lateness_is_noted);
    RUN(time_never_runs_backwards);
    RUN(a_broken_clock_is_no_harm);
    RUN(a_host_that_cannot_block_is_not_asked_to);
    RUN(it_flushes_then_waits_for_the_next_timer);
    RUN(it_waits_no_longer_than_told);
    RUN(it_does_not_wait_with_work_left);
    RUN(an_event_ends_the_wait);
    return test_done();
}
