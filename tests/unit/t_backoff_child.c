/* Goal: a child with a backoff is restarted after exactly the delay that its numbers say,
 * and waiting never stands in anybody's way: mail, orders, the end of its supervisor.
 *
 * Method: puppets crash, virtual time passes up to one millisecond before a delay is over,
 * then that one.  Random orders, crashes and waits at the end hold the kernel's counts
 * against what can be seen. */
#include "agent/delay.h"
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

enum { CHILDREN = 8, OFTEN = 1000 };

static cell_rig r;
static puppet p[CHILDREN];
static natlet_child children[CHILDREN];
static natlet_supervisor_spec spec;

/* A tree over puppets a, b, c ..., all permanent and with this backoff. */
static void begin(uint32_t count, natlet_strategy strategy, const natlet_backoff *backoff)
{
    static const char *const names[CHILDREN] = {"a", "b", "c", "d", "e", "f", "g", "h"};

    cell_rig_init(&r, NULL);
    for (uint32_t i = 0; i < count; i++) {
        p[i] = (puppet){.rig = &r, .name = names[i]};
        children[i] = puppet_child(&p[i], NATLET_PERMANENT);
        children[i].backoff = backoff;
    }
    spec = (natlet_supervisor_spec){
        .intensity = OFTEN, .strategy = strategy, .children = children, .count = count};
}

static void start(void)
{
    CHECK(natlet_supervisor_start(r.cell, &spec, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
}

static natlet_agent_info info(uint32_t i)
{
    natlet_agent_info infos[CHILDREN] = {0};

    CHECK(natlet_cell_children(r.cell, r.root, infos, CHILDREN) > i);
    return infos[i];
}

static void crash(const char *name)
{
    CHECK(cell_rig_tell(&r, name, "boom") == NATLET_OK);
    (void)cell_rig_log(&r);
}

/* It is restarted after exactly `ms`. */
static void check_delay(uint32_t ms, const char *log)
{
    if (ms > 0) {
        cell_rig_wait_ms(&r, ms - 1);
        CHECK_TEXT(cell_rig_log(&r), "");
        cell_rig_wait_ms(&r, 1);
    }
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), log);
}

static void delays_double_up_to_the_cap(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100, .cap_ms = 1000};
    static const uint32_t delays[] = {100, 200, 400, 800, 1000, 1000, 1000};
    char log[32];

    begin(1, NATLET_ONE_FOR_ONE, &backoff);
    start();
    for (uint32_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        crash("a");
        (void)snprintf(log, sizeof log, "start a %u\n", (unsigned)i + 2);
        check_delay(delays[i], log);
        CHECK_INT(info(0).restarts, i + 1);
    }
    cell_rig_end(&r);
}

static void base_0_waits_for_nothing(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .cap_ms = 1000, .tries_max = 1};

    begin(1, NATLET_ONE_FOR_ONE, &backoff);
    start();
    for (uint32_t i = 2; i < 6; i++) {
        CHECK(cell_rig_tell(&r, "a", "boom") == NATLET_OK);
        CHECK_INT(p[0].starts, i);
    }
    cell_rig_end(&r);
}

static void maths(void)
{
    natlet__random *random;

    begin(1, NATLET_ONE_FOR_ONE, NULL);
    CHECK_INT(natlet__delay_ms(1000, 300000, 1), 1000);
    CHECK_INT(natlet__delay_ms(1000, 300000, 9), 256000);
    CHECK_INT(natlet__delay_ms(1000, 300000, 10), 300000);
    CHECK_INT(natlet__delay_ms(1, UINT32_MAX, 32), 1u << 31);
    CHECK_INT(natlet__delay_ms(1, UINT32_MAX, 33), UINT32_MAX);
    CHECK_INT(natlet__delay_ms(1, UINT32_MAX, UINT32_MAX), UINT32_MAX);
    CHECK_INT(natlet__delay_ms(UINT32_MAX, 5, 33), 5);
    CHECK_INT(natlet__delay_ms(0, 5, UINT32_MAX), 0);
    random = &r.rt->random;
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t ms = natlet__delay_jitter(random, 1000, 20);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    CHECK_INT(least, 800);
    CHECK_INT(most, 1000);
    CHECK_INT(natlet__delay_jitter(random, 1000, 0), 1000);
    CHECK(natlet__delay_jitter(random, UINT32_MAX, 200) <= UINT32_MAX);
    cell_rig_end(&r);
}

static void jitter_shortens(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 1000, .cap_ms = 1000,
                                           .jitter_percent = 20};
    uint32_t before_900 = 0;

    begin(1, NATLET_ONE_FOR_ONE, &backoff);
    start();
    for (uint32_t i = 0; i < 200; i++) {
        crash("a");
        cell_rig_wait_ms(&r, 799);
        CHECK_INT(p[0].starts, i + 1);
        cell_rig_wait_ms(&r, 101);
        before_900 += p[0].starts == i + 2 ? 1 : 0;
        cell_rig_wait_ms(&r, 100);
        cell_rig_run(&r);
        CHECK_INT(p[0].starts, i + 2);
    }
    CHECK(before_900 > 50 && before_900 < 150);
    cell_rig_end(&r);
}

static void a_stable_child_begins_anew(void)
{
    static const natlet_backoff backoffs[] = {
        {NATLET_WITH_BACKOFF, .base_ms = 100, .stable_ms = 500},
        {NATLET_WITH_BACKOFF, .base_ms = 100},   /* 10 s */
        {NATLET_WITH_BACKOFF, .base_ms = 8000}}; /* 2 * 16 s after two delays */
    static const uint32_t stable_ms[] = {500, 10000, 32000};

    for (uint32_t i = 0; i < sizeof stable_ms / sizeof *stable_ms; i++) {
        uint32_t base = backoffs[i].base_ms;
        begin(1, NATLET_ONE_FOR_ONE, &backoffs[i]);
        start();
        crash("a");
        check_delay(base, "start a 2\n");
        crash("a");
        check_delay(base * 2, "start a 3\n");
        cell_rig_wait_ms(&r, stable_ms[i]);
        crash("a");
        check_delay(base, "start a 4\n");
        crash("a");
        check_delay(base * 2, "start a 5\n");
        cell_rig_wait_ms(&r, stable_ms[i] - 1);
        crash("a");
        check_delay(base * 4, "start a 6\n");
        cell_rig_end(&r);
    }
}

/* Waiting is not running: a start that fails late does not make the child a stable one. */
static void starts_that_fail_wait_too(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 20000,
                                           .stable_ms = 10000, .cap_ms = 1000000};

    begin(2, NATLET_ONE_FOR_ONE, NULL);
    children[0].backoff = &backoff;
    p[0].fail_from = 2;
    p[0].fail_to = 3;
    start();
    crash("a");
    check_delay(20000, "startfail a 2\n");
    check_delay(40000, "startfail a 3\n");
    CHECK_TEXT(natlet_agent_state_text(info(0).state), "backoff");
    check_delay(80000, "start a 4\n");
    CHECK_INT(p[1].starts, 1);
    cell_rig_end(&r);
}

static void mail_waits_along(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};

    begin(2, NATLET_ONE_FOR_ONE, &backoff);
    start();
    crash("a");
    CHECK_TEXT(natlet_agent_state_text(info(0).state), "backoff");
    CHECK(info(0).pid == 0 && cell_rig_find(&r, "a") == 0);
    CHECK(cell_rig_tell(&r, "a", "one") == NATLET_OK);
    CHECK(cell_rig_tell(&r, "a", "two") == NATLET_OK);
    CHECK(cell_rig_tell(&r, "b", "three") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "b: three\n");
    check_delay(100, "start a 2\na: one\na: two\n");
    CHECK_TEXT(natlet_agent_state_text(info(0).state), "running");
    cell_rig_end(&r);
}

static void a_supervisor_stops_while_a_child_waits(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};

    begin(3, NATLET_ONE_FOR_ONE, &backoff);
    start();
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    crash("b");
    CHECK(cell_rig_tell(&r, "b", "late") == NATLET_OK);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop c\nstop a\ndead letter b: no such agent [late]\n");
    cell_rig_wait_ms(&r, 1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK(natlet_cell_stats_now(r.cell).pool_used < used);
    cell_rig_end(&r);
}

static void orders_to_one_that_waits(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};
    natlet_slice a = cell_rig_text("a");
    natlet_pid pid;

    begin(2, NATLET_ONE_FOR_ONE, &backoff);
    start();
    crash("a");
    CHECK(natlet_supervisor_restart(r.cell, r.root, a, &pid) == NATLET_E_STATE);
    CHECK(natlet_supervisor_delete(r.cell, r.root, a) == NATLET_E_STATE);
    CHECK(natlet_supervisor_terminate(r.cell, r.root, a) == NATLET_OK);
    cell_rig_wait_ms(&r, 1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_TEXT(natlet_agent_state_text(info(0).state), "down");
    CHECK(natlet_supervisor_restart(r.cell, r.root, a, &pid) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start a 2\n");
    crash("a");
    CHECK(natlet_supervisor_terminate(r.cell, r.root, a) == NATLET_OK);
    cell_rig_run(&r);
    CHECK(natlet_supervisor_delete(r.cell, r.root, a) == NATLET_OK);
    cell_rig_wait_ms(&r, 1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    cell_rig_end(&r);
}

/* The moment at which the alarm rang and the supervisor did not act yet. */
static void an_order_after_the_alarm(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};

    begin(1, NATLET_ONE_FOR_ONE, &backoff);
    start();
    crash("a");
    CHECK(natlet_supervisor_terminate(r.cell, r.root, cell_rig_text("a")) == NATLET_OK);
    test_host_advance_ms(&r.host, 100);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_TEXT(natlet_agent_state_text(info(0).state), "down");
    cell_rig_end(&r);
}

static void giving_up_ends_the_supervisor(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100, .tries_max = 2};

    begin(2, NATLET_ONE_FOR_ONE, &backoff);
    start();
    crash("a");
    check_delay(100, "start a 2\n");
    crash("a");
    check_delay(200, "start a 3\n");
    CHECK(cell_rig_tell(&r, "a", "boom") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "die a boom\ndead letter a: the agent crashed on it [boom] error\n"
                                 "end a error\nstop b\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

static void a_parked_child(void)
{
    static natlet_breaker breaker;
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100, .tries_max = 1,
                                           .give_up = NATLET_GIVE_UP_PARK, .breaker = &breaker};
    natlet_pid pid;
    uint32_t pass;

    begin(2, NATLET_ONE_FOR_ONE, &backoff);
    start();
    CHECK(natlet_breaker_init(&breaker, &(natlet_breaker_config){0}) == NATLET_OK);
    crash("a");
    check_delay(100, "start a 2\n");
    CHECK(natlet_breaker_allow(r.cell, &breaker, &pass) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("a"),
                                 &(natlet_mail){.payload = cell_rig_text("boom")}) == NATLET_OK);
    CHECK(cell_rig_tell(&r, "a", "behind") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "die a boom\ndead letter a: the agent crashed on it [boom] error\n"
                                 "end a error\ndead letter a: no such agent [behind]\n");
    CHECK_TEXT(natlet_agent_state_text(info(0).state), "down");
    CHECK(natlet_breaker_allow(r.cell, &breaker, &pass) == NATLET_E_OPEN);
    CHECK(cell_rig_tell(&r, "a", "hi") == NATLET_E_NO_AGENT);
    CHECK(cell_rig_tell(&r, "b", "hi") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: no such agent [hi]\nb: hi\n");
    CHECK(natlet_supervisor_restart(r.cell, r.root, cell_rig_text("a"), &pid) == NATLET_OK);
    (void)cell_rig_log(&r);
    crash("a");
    check_delay(100, "start a 4\n"); /* it counts anew */
    cell_rig_end(&r);
}

static void a_parked_dynamic_child_is_forgotten(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100, .tries_max = 1,
                                           .give_up = NATLET_GIVE_UP_PARK};
    natlet_pid pid;

    begin(1, NATLET_DYNAMIC, &backoff);
    start();
    CHECK(natlet_supervisor_add(r.cell, r.root, &children[0], &pid) == NATLET_OK);
    (void)cell_rig_log(&r);
    crash("a");
    check_delay(100, "start a 2\n");
    crash("a");
    CHECK_INT(natlet_cell_children(r.cell, r.root, NULL, 0), 0);
    cell_rig_end(&r);
}

static void the_group_waits_for_the_one(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};

    begin(3, NATLET_ONE_FOR_ALL, &backoff);
    start();
    crash("b");
    CHECK(cell_rig_tell(&r, "a", "hi") == NATLET_OK && cell_rig_tell(&r, "c", "hi") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "a: hi\nc: hi\n");
    check_delay(100, "stop c\nstop a\nstart a 2\nstart b 2\nstart c 2\n");
    crash("a");
    crash("c"); /* comes back with the one that is due first */
    check_delay(100, "stop b\nstart a 3\nstart b 3\nstart c 3\n");
    cell_rig_wait_ms(&r, 1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    p[2].fail_from = 4;
    p[2].fail_to = 4;
    crash("a");
    check_delay(200, "stop c\nstop b\nstart a 4\nstart b 4\nstartfail c 4\n");
    check_delay(200, "stop b\nstop a\nstart a 5\nstart b 5\nstart c 5\n");
    cell_rig_end(&r);

    begin(3, NATLET_REST_FOR_ONE, &backoff);
    start();
    crash("b");
    CHECK(cell_rig_tell(&r, "c", "hi") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "c: hi\n");
    check_delay(100, "stop c\nstart b 2\nstart c 2\n");
    cell_rig_end(&r);
}

static void in_a_storm_delays_are_the_cap(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100, .cap_ms = 5000};

    begin(8, NATLET_ONE_FOR_ONE, &backoff);
    start();
    crash("a");
    crash("b");
    crash("c"); /* two of eight wait */
    crash("d"); /* three do: too many */
    check_delay(100, "start a 2\nstart b 2\nstart c 2\n");
    crash("e"); /* one waits */
    check_delay(100, "start e 2\n");
    check_delay(4800, "start d 2\n");
    crash("d"); /* its second */
    check_delay(200, "start d 3\n");
    cell_rig_end(&r);
}

static void intensity_counts_restarts_as_they_are_tried(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};

    begin(2, NATLET_ONE_FOR_ONE, &backoff);
    spec.intensity = 1;
    start();
    crash("a");
    check_delay(100, "start a 2\n");
    crash("a");
    check_delay(200, "stop b\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);

    static const natlet_backoff longer = {NATLET_WITH_BACKOFF, .base_ms = 6000};
    begin(2, NATLET_ONE_FOR_ONE, &longer);
    spec.intensity = 1;
    start();
    crash("a");
    check_delay(6000, "start a 2\n");
    crash("a");
    check_delay(12000, "start a 3\n"); /* the first is no more in the period */
    cell_rig_end(&r);
}

static void supervisors_wait_like_others(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};
    static natlet_supervisor_spec inner;
    static natlet_child inside;

    begin(2, NATLET_ONE_FOR_ONE, NULL);
    inside = children[1];
    inner =
        (natlet_supervisor_spec){.intensity = NATLET_NO_RESTART, .children = &inside, .count = 1};
    children[1] =
        (natlet_child){.name = cell_rig_text("sup"), .supervisor = &inner, .backoff = &backoff};
    start();
    crash("b");
    CHECK_TEXT(natlet_agent_state_text(info(1).state), "backoff");
    CHECK(cell_rig_tell(&r, "b", "hi") == NATLET_E_NO_AGENT);
    (void)cell_rig_log(&r);
    check_delay(100, "start b 2\n");
    CHECK(cell_rig_tell(&r, "b", "hi") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "b: hi\n");
    cell_rig_end(&r);
}

static void what_is_not_linked_is_refused(void)
{
    static const natlet_backoff backoff = {.base_ms = 100};

    begin(1, NATLET_ONE_FOR_ONE, &backoff);
    CHECK(natlet_supervisor_start(r.cell, &spec, &r.root) == NATLET_E_CONFIG);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

/* ---- at random ---- */

static void check_counts(void)
{
    const natlet__agent *root = natlet__registry_at(r.cell, r.root);
    natlet_agent_info infos[CHILDREN] = {0};
    uint32_t waiting = 0;
    uint32_t count = natlet_cell_children(r.cell, r.root, infos, CHILDREN);
    uint32_t seen = 0;

    if (root == NULL) {
        return;
    }
    natlet__supervisor *sup = natlet__supervisor_of(root);
    for (natlet__link *at = sup->children.next; at != &sup->children; at = at->next) {
        const natlet__agent *child = natlet__child_at(at);
        bool waits = child->phase == NATLET_AGENT_BACKOFF;
        waiting += waits ? 1 : 0;
        CHECK(child->care->alarm.timer.running == waits);
        CHECK(child->phase == infos[seen].state && (child->pid == 0) == (child->phase > 3));
        seen++;
    }
    CHECK_INT(seen, count);
    CHECK_INT(sup->waiting, waiting);
}

static void step(uint64_t *seed)
{
    uint64_t draw = test_random(seed);
    const char *name = p[draw / 16 % CHILDREN].name;
    natlet_pid pid;

    switch (draw % 8) {
    case 0:
        (void)natlet_supervisor_terminate(r.cell, r.root, cell_rig_text(name));
        break;
    case 1:
        (void)natlet_supervisor_restart(r.cell, r.root, cell_rig_text(name), &pid);
        break;
    case 2:
    case 3:
        test_host_advance_ms(&r.host, draw / 128 % 300);
        break;
    case 4:
        if (draw / 128 % 64 == 0) {
            (void)natlet_supervisor_stop(r.cell, r.root);
        }
        break;
    case 5:
        p[draw / 16 % CHILDREN].fail_from = draw / 128 % 4 == 0 ? 1 : 0;
        p[draw / 16 % CHILDREN].fail_to = UINT32_MAX;
        break;
    default:
        (void)natlet_agent_send_name(r.cell, cell_rig_text(name),
                                     &(natlet_mail){.payload = cell_rig_text("boom")});
    }
    if (draw / 8 % 2 == 0) {
        cell_rig_run(&r);
        check_counts();
    }
    (void)cell_rig_log(&r);
}

static void counts_hold_at_random(void)
{
    static const natlet_backoff backoffs[] = {
        {NATLET_WITH_BACKOFF, .base_ms = 10, .cap_ms = 500, .jitter_percent = 30},
        {NATLET_WITH_BACKOFF, .base_ms = 20, .tries_max = 3, .give_up = NATLET_GIVE_UP_PARK},
        {NATLET_WITH_BACKOFF, .base_ms = 20, .tries_max = 6}};

    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t state = seed;
        begin(CHILDREN, (natlet_strategy)(seed % 3), &backoffs[seed / 3 % 3]);
        spec.intensity = seed % 5 == 0 ? 3 : OFTEN;
        start();
        for (uint32_t i = 0; i < 400; i++) {
            step(&state);
        }
        (void)natlet_supervisor_stop(r.cell, r.root);
        cell_rig_run(&r);
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
        CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
        CHECK(natlet__timers_due(&r.cell->timers) == NATLET__NEVER_US);
        cell_rig_end(&r);
    }
}

int main(void)
{
    RUN(maths);
    RUN(delays_double_up_to_the_cap);
    RUN(base_0_waits_for_nothing);
    RUN(jitter_shortens);
    RUN(a_stable_child_begins_anew);
    RUN(starts_that_fail_wait_too);
    RUN(mail_waits_along);
    RUN(a_supervisor_stops_while_a_child_waits);
    RUN(orders_to_one_that_waits);
    RUN(an_order_after_the_alarm);
    RUN(giving_up_ends_the_supervisor);
    RUN(a_parked_child);
    RUN(a_parked_dynamic_child_is_forgotten);
    RUN(the_group_waits_for_the_one);
    RUN(in_a_storm_delays_are_the_cap);
    RUN(intensity_counts_restarts_as_they_are_tried);
    RUN(supervisors_wait_like_others);
    RUN(what_is_not_linked_is_refused);
    RUN(counts_hold_at_random);
    return test_done();
}
