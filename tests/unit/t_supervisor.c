/* Goal: a supervisor does what one of OTP 25 does, in the same order.
 *
 * Method: the traces of one_for_one scenarios that were recorded from Erlang, word
 * for word; then what Erlang has no word for: mail that survives, busy children,
 * children added from handlers, trees in trees. */
#include "natlet/supervisor.h"

#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;

static puppet a = {.name = "a"}, b = {.name = "b"}, c = {.name = "c"};

/* Fresh puppets on a fresh cell. */
static void begin(void)
{
    cell_rig_init(&r, NULL);
    a = (puppet){.rig = &r, .name = "a"};
    b = (puppet){.rig = &r, .name = "b"};
    c = (puppet){.rig = &r, .name = "c"};
}

static natlet_status start(int32_t intensity, natlet_restart restart_a, natlet_restart restart_b,
                           natlet_restart restart_c)
{
    static natlet_child children[3];
    static natlet_supervisor_spec tree;

    children[0] = puppet_child(&a, restart_a);
    children[1] = puppet_child(&b, restart_b);
    children[2] = puppet_child(&c, restart_c);
    tree = (natlet_supervisor_spec){.intensity = intensity, .children = children, .count = 3};
    return natlet_supervisor_start(r.cell, &tree, &r.root);
}

static void start_permanent(int32_t intensity)
{
    CHECK(start(intensity, NATLET_PERMANENT, NATLET_PERMANENT, NATLET_PERMANENT) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\nstart b 1\nstart c 1\n");
}

/* What a puppet's crash logs besides. */
#define CRASH(name)                                                                                \
    "die " name " boom\ndead letter " name ": the agent crashed on it [boom] error\nend " name     \
    " error\n"

static void one_for_one_restarts_only_what_crashed(void)
{
    begin();
    start_permanent(3);
    CHECK(cell_rig_tell(&r, "b", "boom") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 2\n");
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "");
    r.logs_events = true;
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop c\nexited c shutdown\nstop b\nexited b shutdown\n"
                                 "stop a\nexited a shutdown\nexited  shutdown\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_E_NO_AGENT);
    cell_rig_end(&r);
}

static void too_many_restarts_end_it(void)
{
    begin();
    start_permanent(2);
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 2\n");
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 3\n");
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "stop c\nstop a\n");
    CHECK(cell_rig_find(&r, "a") == 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

static void intensity_none_forgives_nothing(void)
{
    begin();
    start_permanent(NATLET_NO_RESTART);
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "stop c\nstop a\n");
    cell_rig_end(&r);
}

/* The window slides: what matters is how many restarts lie within the last
 * period, to the millisecond. */
static void the_period_is_exact(void)
{
    for (uint64_t last_ms = 4999; last_ms <= 5001; last_ms++) {
        begin();
        start_permanent(2);
        (void)cell_rig_tell(&r, "a", "boom");
        cell_rig_wait_ms(&r, 2000);
        (void)cell_rig_tell(&r, "b", "boom");
        cell_rig_wait_ms(&r, last_ms - 2000);
        (void)cell_rig_tell(&r, "c", "boom");
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, last_ms > 5000 ? 4 : 0);
        cell_rig_wait_ms(&r, 1999);
        (void)cell_rig_tell(&r, "c", "boom"); /* with the second one: 2 of 2 */
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
        cell_rig_end(&r);
    }
}

static void a_permanent_child_may_not_even_end_well(void)
{
    begin();
    start_permanent(1);
    (void)cell_rig_tell(&r, "b", "normal");
    CHECK_TEXT(cell_rig_log(&r), "die b normal\nend b normal\nstart b 2\n");
    (void)cell_rig_tell(&r, "b", "normal");
    CHECK_TEXT(cell_rig_log(&r), "die b normal\nend b normal\nstop c\nstop a\n");
    cell_rig_end(&r);
}

static void transient_and_temporary(void)
{
    natlet_agent_info infos[4];

    begin();
    CHECK(start(3, NATLET_TRANSIENT, NATLET_TRANSIENT, NATLET_TEMPORARY) == NATLET_OK);
    (void)cell_rig_log(&r);
    (void)cell_rig_tell(&r, "a", "normal");
    (void)cell_rig_tell(&r, "b", "boom");
    (void)cell_rig_tell(&r, "c", "boom");
    CHECK_TEXT(cell_rig_log(&r),
               "die a normal\nend a normal\n" CRASH("b") "start b 2\n" CRASH("c"));
    CHECK_INT(natlet_cell_children(r.cell, r.root, infos, 4), 2);
    CHECK(infos[0].state == NATLET_AGENT_DOWN && infos[0].pid == 0);
    CHECK(infos[1].state == NATLET_AGENT_RUNNING && infos[1].restarts == 1);
    CHECK(infos[1].last_exit.kind == NATLET_EXIT_ERROR && infos[1].last_exit.code == -7);
    CHECK(cell_rig_tell(&r, "a", "hi") == NATLET_E_NO_AGENT);
    CHECK(cell_rig_tell(&r, "c", "hi") == NATLET_E_NO_AGENT);
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: no such agent [hi]\n"
                                 "dead letter : no such agent [hi]\n");
    cell_rig_end(&r);
}

static void failed_restarts_count(void)
{
    begin();
    b.fail_from = 2;
    b.fail_to = 3;
    start_permanent(3);
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "startfail b 2\nstartfail b 3\nstart b 4\n");
    cell_rig_end(&r);

    begin();
    b.fail_from = 2;
    b.fail_to = 9;
    start_permanent(3);
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r),
               CRASH("b") "startfail b 2\nstartfail b 3\nstartfail b 4\nstop c\nstop a\n");
    cell_rig_end(&r);
}

static void a_failed_first_start_leaves_nothing(void)
{
    begin();
    c.fail_from = 1;
    c.fail_to = 9;
    CHECK(start(3, NATLET_PERMANENT, NATLET_PERMANENT, NATLET_PERMANENT) == -5);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\nstart b 1\nstartfail c 1\nstop b\nstop a\n");
    CHECK(r.root == 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    c.fail_from = 0;
    CHECK(start(3, NATLET_PERMANENT, NATLET_PERMANENT, NATLET_PERMANENT) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start a 2\nstart b 2\nstart c 2\n");
    cell_rig_end(&r);
}

/* ---- what Erlang does not have ---- */

static void mail_survives_a_restart(void)
{
    begin();
    start_permanent(3);
    for (int i = 0; i < 2; i++) {
        CHECK(natlet_agent_send_name(
                  r.cell, cell_rig_text("b"),
                  &(natlet_mail){.payload = cell_rig_text(i == 0 ? "boom" : "still there")}) ==
              NATLET_OK);
    }
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 2\nb: still there\n");
    cell_rig_end(&r);
}

static void mail_is_dropped_where_that_is_asked_for(void)
{
    static natlet_child child;
    static const natlet_supervisor_spec tree = {.children = &child, .count = 1};

    begin();
    child = puppet_child(&a, NATLET_PERMANENT);
    child.drop_mail = true;
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    natlet_mail boom = {.payload = cell_rig_text("boom")};
    natlet_mail lost = {.payload = cell_rig_text("lost")};
    CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"), &boom) == NATLET_OK);
    CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"), &lost) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\n" CRASH("a") "dead letter a: dropped by a restart "
                                                          "[lost]\nstart a 2\n");
    cell_rig_end(&r);
}

/* A busy child has its time to settle; one that does not is killed, and keeps the
 * older ones waiting until then. */
static void stopping_waits_for_the_busy(void)
{
    for (int settles = 0; settles <= 1; settles++) {
        begin();
        start_permanent(3);
        (void)cell_rig_tell(&r, "b", "later");
        CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "stop c\n");
        cell_rig_wait_ms(&r, 4999);
        CHECK_TEXT(cell_rig_log(&r), "");
        if (settles) {
            natlet_pid pid = cell_rig_find(&r, "b");
            CHECK(natlet_cell_settle(r.cell, pid, b.token, NATLET_DONE) == NATLET_OK);
            cell_rig_run(&r);
            CHECK_TEXT(cell_rig_log(&r), "stop b\nstop a\n");
        }
        cell_rig_wait_ms(&r, 1);
        cell_rig_run(&r);
        if (!settles) {
            CHECK_TEXT(cell_rig_log(&r), "dead letter b: left over at the end [later]\nstop a\n");
        }
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
        CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
        cell_rig_end(&r);
    }
}

static void brutal_means_at_once(void)
{
    static natlet_child child;
    static const natlet_supervisor_spec tree = {.children = &child, .count = 1};

    begin();
    child = puppet_child(&a, NATLET_PERMANENT);
    child.shutdown_ms = NATLET_SHUTDOWN_BRUTAL;
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    (void)cell_rig_tell(&r, "a", "later");
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    r.logs_events = true;
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\ndead letter a: left over at the end [later]\n"
                                 "exited a killed\nexited  shutdown\n");
    cell_rig_end(&r);
}

static natlet_child inner_children[2];
static const natlet_supervisor_spec inner = {
    .intensity = 1, .children = inner_children, .count = 2};
static natlet_child outer_children[2];
static const natlet_supervisor_spec outer = {
    .intensity = 1, .children = outer_children, .count = 2};

/* a beside a supervisor over b and c. */
static natlet_status start_nested(void)
{
    inner_children[0] = puppet_child(&b, NATLET_PERMANENT);
    inner_children[1] = puppet_child(&c, NATLET_TEMPORARY);
    outer_children[0] = puppet_child(&a, NATLET_PERMANENT);
    outer_children[1] = (natlet_child){.name = cell_rig_text("inner"), .supervisor = &inner};
    return natlet_supervisor_start(r.cell, &outer, &r.root);
}

static void a_supervisor_is_a_child(void)
{
    begin();
    CHECK(start_nested() == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\nstart b 1\nstart c 1\n");
    (void)cell_rig_tell(&r, "c", "boom"); /* temporary: forgotten until inner is restarted */
    CHECK_TEXT(cell_rig_log(&r), CRASH("c"));
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 2\n");
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 3\nstart c 2\n");
    (void)cell_rig_tell(&r, "b", "boom"); /* a new supervisor counts anew */
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 4\n");
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "stop c\nstop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

/* SHUTDOWN is no crash. */
static void a_transient_supervisor_that_gave_up(void)
{
    begin();
    CHECK(start_nested() == NATLET_OK); /* fills the children; this time transient */
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    outer_children[1].restart = NATLET_TRANSIENT;
    CHECK(natlet_supervisor_start(r.cell, &outer, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "start b 3\n");
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "stop c\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 5);
    CHECK(cell_rig_tell(&r, "a", "hi") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "a: hi\n");
    cell_rig_end(&r);
}

static void added_children_end_with_their_supervisor(void)
{
    natlet_agent_info infos[2];
    natlet_pid pid;

    begin();
    CHECK(start_nested() == NATLET_OK);
    puppet d = {.rig = &r, .name = "d"};
    natlet_child child = puppet_child(&d, NATLET_PERMANENT);
    CHECK_INT(natlet_cell_children(r.cell, r.root, infos, 2), 2);
    CHECK(natlet_supervisor_add(r.cell, infos[1].pid, &child, &pid) == NATLET_OK);
    (void)cell_rig_tell(&r, "b", "boom");
    (void)cell_rig_log(&r);
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r), CRASH("b") "stop d\nstop c\nstart b 3\nstart c 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 5);
    CHECK(cell_rig_find(&r, "d") == 0);
    cell_rig_end(&r);
}

/* Sends to the younger sibling before that has started. */
static int32_t greet_sibling(natlet_cell *cell, void *state, void *arg)
{
    (void)state;
    (void)arg;
    return natlet_agent_send_name(cell, cell_rig_text("b"),
                                  &(natlet_mail){.payload = cell_rig_text("hello")});
}

static int32_t fail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    (void)mail;
    return -1;
}

static void siblings_take_mail_before_they_start(void)
{
    static const natlet_behaviour greeting = {
        .name = "greeter", .init = greet_sibling, .on_mail = fail};
    static const natlet_supervisor_spec touchy = {
        .intensity = NATLET_NO_RESTART, .children = inner_children, .count = 2};
    static const natlet_child nest = {.supervisor = &touchy};
    static const natlet_supervisor_spec tree = {.children = &nest, .count = 1};

    begin();
    inner_children[0] = (natlet_child){.name = cell_rig_text("g"), .behaviour = &greeting};
    inner_children[1] = puppet_child(&b, NATLET_PERMANENT);
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start b 1\nb: hello\n");
    (void)cell_rig_tell(&r, "g", "x");
    CHECK_TEXT(cell_rig_log(&r), "dead letter g: the agent crashed on it [x] error\n"
                                 "stop b\nstart b 2\nb: hello\n");
    cell_rig_end(&r);
}

static void a_tree_stops_from_its_end(void)
{
    begin();
    CHECK(start_nested() == NATLET_OK);
    (void)cell_rig_tell(&r, "b", "later"); /* deep inside: everything above waits */
    (void)cell_rig_log(&r);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop c\n");
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "b"), b.token, -9) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter b: the agent crashed on it [later] error\n"
                                 "end b error\nstop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

static void a_nested_start_that_fails_takes_all_back(void)
{
    begin();
    c.fail_from = 1;
    c.fail_to = 1;
    CHECK(start_nested() == -5);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\nstart b 1\nstartfail c 1\nstop b\nstop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

static void children_can_be_added(void)
{
    natlet_pid pid;
    natlet_child child;

    begin();
    start_permanent(3);
    puppet d = {.rig = &r, .name = "d"};
    child = puppet_child(&d, NATLET_TEMPORARY);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start d 1\n");
    CHECK(pid == cell_rig_find(&r, "d"));
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_E_NAME_TAKEN && pid == 0);
    CHECK(natlet_supervisor_add(r.cell, cell_rig_find(&r, "a"), &child, &pid) == NATLET_E_INVALID);
    CHECK(natlet_supervisor_add(r.cell, 12345, &child, &pid) == NATLET_E_NO_AGENT);
    (void)cell_rig_tell(&r, "d", "normal");
    CHECK(cell_rig_find(&r, "d") == 0);
    d.fail_from = 2;
    d.fail_to = 2;
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == -5 && pid == 0);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop d\nstop c\nstop b\nstop a\n");
    cell_rig_end(&r);
}

/* An agent that adds the child `arg` to its own supervisor for each mail. */
static int32_t add_child(natlet_cell *cell, void *state, natlet_mail *mail)
{
    natlet_agent_info me;
    natlet_pid pid = 0;
    puppet *p = *(puppet **)state;
    natlet_child child = puppet_child(p, NATLET_TEMPORARY);
    natlet_supervisor_spec none = {0};

    (void)mail;
    CHECK(natlet_supervisor_start(cell, &none, &pid) == NATLET_E_STATE);
    CHECK(natlet_agent_info_of(cell, natlet_agent_self(cell), &me) == NATLET_OK);
    natlet_status st = natlet_supervisor_add(cell, me.parent, &child, &pid);
    cell_rig_note(p->rig, "added, %s", natlet_status_text(st));
    return natlet_agent_send(cell, pid, &(natlet_mail){.payload = cell_rig_text("welcome")});
}

static int32_t keep_arg(natlet_cell *cell, void *state, void *arg)
{
    (void)cell;
    *(void **)state = arg;
    return NATLET_DONE;
}

static void a_handler_can_add_siblings(void)
{
    static const natlet_behaviour adding = {
        .name = "adder", .state_bytes = sizeof(void *), .init = keep_arg, .on_mail = add_child};
    natlet_child adder = {.name = cell_rig_text("adder"), .behaviour = &adding, .arg = &a};
    natlet_supervisor_spec tree = {.children = &adder, .count = 1};

    for (uint32_t fails = 0; fails <= 1; fails++) {
        begin();
        a.fail_from = fails;
        a.fail_to = fails;
        CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
        CHECK(cell_rig_tell(&r, "adder", "go") == NATLET_OK);
        CHECK_TEXT(cell_rig_log(&r), fails == 0 ? "added, done\nstart a 1\na: welcome\n"
                                                : "added, done\nstartfail a 1\n"
                                                  "dead letter a: no such agent [welcome]\n");
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, fails == 0 ? 3 : 2);
        cell_rig_end(&r);
    }
}

/* Added and stopped before it could start: it starts, and stops. */
static int32_t add_and_stop(natlet_cell *cell, void *state, natlet_mail *mail)
{
    static const natlet_child child = {.supervisor = &inner, .restart = NATLET_TEMPORARY};
    natlet_pid pid;

    (void)state;
    (void)mail;
    CHECK(natlet_supervisor_add(cell, r.root, &child, &pid) == NATLET_OK);
    return natlet_supervisor_stop(cell, pid);
}

static void a_stop_can_come_before_the_start(void)
{
    static const natlet_behaviour stopping = {.name = "stopper", .on_mail = add_and_stop};
    static const natlet_child child = {.behaviour = &stopping};
    static const natlet_supervisor_spec nobody = {0};
    natlet_pid pid;

    begin();
    inner_children[0] = puppet_child(&b, NATLET_PERMANENT);
    inner_children[1] = puppet_child(&c, NATLET_TEMPORARY);
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){0}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start b 1\nstart c 1\nstop c\nstop b\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 2);
    cell_rig_end(&r);
}

static void nonsense_is_refused(void)
{
    natlet_child both = {.behaviour = &puppet_behaviour, .supervisor = &inner};
    natlet_child neither = {0};
    natlet_behaviour deaf = {.name = "deaf"};
    natlet_child silent = {.behaviour = &deaf};
    natlet_child twins[2];
    natlet_pid pid;

    begin();
    twins[0] = puppet_child(&a, NATLET_PERMANENT);
    twins[1] = twins[0];
    natlet_child many = twins[0];
    many.mailbox.normal = 65535;
    natlet_supervisor_spec specs[] = {
        {.children = &both, .count = 1},
        {.children = &neither, .count = 1},
        {.children = &silent, .count = 1},
        {.children = &many, .count = 1},
        {.intensity = -2},
        {.intensity = NATLET_INTENSITY_MAX + 1},
        {.children = twins, .count = 2},
    };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        CHECK(natlet_supervisor_start(r.cell, &specs[i], &pid) ==
              (i < 6 ? NATLET_E_CONFIG : NATLET_E_NAME_TAKEN));
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
        CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    }
    natlet_supervisor_spec bottomless = {.count = 1};
    natlet_child itself = {.supervisor = &bottomless};
    bottomless.children = &itself;
    CHECK(natlet_supervisor_start(r.cell, &bottomless, &pid) == NATLET_E_LIMIT);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

/* A supervisor that is killed forgets what its children reported: the next start
 * frees the added ones, and a crash after that must not find them in a list. */
static void a_killed_supervisor_forgets_events(void)
{
    puppet x = {.rig = &r, .name = "x"};
    puppet y = {.rig = &r, .name = "y"};
    puppet z = {.rig = &r, .name = "z"};
    const natlet_mail boom = {.payload = cell_rig_text("boom")};
    natlet_pid pid;

    cell_rig_init(&r, NULL);
    natlet_child below[] = {puppet_child(&z, NATLET_PERMANENT)};
    const natlet_supervisor_spec lowest = {.children = below, .count = 1, .intensity = 5};
    natlet_child middle[] = {puppet_child(&y, NATLET_PERMANENT),
                             {.name = cell_rig_text("lowest"),
                              .supervisor = &lowest,
                              .shutdown_ms = NATLET_SHUTDOWN_BRUTAL}};
    const natlet_supervisor_spec strict = {
        .children = middle, .count = 2, .intensity = NATLET_NO_RESTART};
    natlet_child top[] = {{.name = cell_rig_text("strict"), .supervisor = &strict}};
    const natlet_supervisor_spec tree = {.children = top, .count = 1, .intensity = 5};
    natlet_child added = puppet_child(&x, NATLET_PERMANENT);

    CHECK(natlet_supervisor_start(r.cell, &tree, &pid) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, cell_rig_find(&r, "lowest"), &added, &pid) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("y"), &boom) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("x"), &boom) == NATLET_OK);
    cell_rig_run(&r);
    CHECK(cell_rig_find(&r, "x") == 0);
    const natlet__agent *agent = natlet__registry_at(r.cell, cell_rig_find(&r, "lowest"));
    CHECK(agent != NULL && natlet__list_is_empty(&natlet__supervisor_of(agent)->events));
    CHECK(cell_rig_tell(&r, "z", "boom") == NATLET_OK);
    CHECK(strstr(cell_rig_log(&r), "start z 3") != NULL);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(one_for_one_restarts_only_what_crashed);
    RUN(too_many_restarts_end_it);
    RUN(intensity_none_forgives_nothing);
    RUN(the_period_is_exact);
    RUN(a_permanent_child_may_not_even_end_well);
    RUN(transient_and_temporary);
    RUN(failed_restarts_count);
    RUN(a_failed_first_start_leaves_nothing);
    RUN(mail_survives_a_restart);
    RUN(mail_is_dropped_where_that_is_asked_for);
    RUN(stopping_waits_for_the_busy);
    RUN(brutal_means_at_once);
    RUN(a_supervisor_is_a_child);
    RUN(a_transient_supervisor_that_gave_up);
    RUN(added_children_end_with_their_supervisor);
    RUN(siblings_take_mail_before_they_start);
    RUN(a_tree_stops_from_its_end);
    RUN(a_nested_start_that_fails_takes_all_back);
    RUN(children_can_be_added);
    RUN(a_handler_can_add_siblings);
    RUN(a_stop_can_come_before_the_start);
    RUN(nonsense_is_refused);
    RUN(a_killed_supervisor_forgets_events);
    return test_done();
}
