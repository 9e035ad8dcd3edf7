/* Goal: what a program orders of supervisors and agents is done, or refused with the
 * right status; groups keep their mail.
 *
 * Method: what Erlang also has is compared in tests/oracle.  Here is the rest: orders
 * from handlers, orders while children take their time, limits, mail. */
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;

static puppet a, b, c;
static natlet_child children[3];
static natlet_supervisor_spec tree;

static void begin(natlet_strategy strategy)
{
    cell_rig_init(&r, NULL);
    a = (puppet){.rig = &r, .name = "a"};
    b = (puppet){.rig = &r, .name = "b"};
    c = (puppet){.rig = &r, .name = "c"};
    children[0] = puppet_child(&a, NATLET_PERMANENT);
    children[1] = puppet_child(&b, NATLET_PERMANENT);
    children[2] = puppet_child(&c, NATLET_PERMANENT);
    tree = (natlet_supervisor_spec){.strategy = strategy, .children = children, .count = 3};
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start a 1\nstart b 1\nstart c 1\n");
}

static natlet_status terminate(const char *name)
{
    return natlet_supervisor_terminate(r.cell, r.root, cell_rig_text(name));
}

static natlet_status restart(const char *name)
{
    natlet_pid pid;
    natlet_status st = natlet_supervisor_restart(r.cell, r.root, cell_rig_text(name), &pid);

    CHECK(pid == (st == NATLET_OK ? cell_rig_find(&r, name) : 0));
    return st;
}

static natlet_status forget(const char *name)
{
    return natlet_supervisor_delete(r.cell, r.root, cell_rig_text(name));
}

static natlet_supervisor_counts counts(void)
{
    natlet_supervisor_counts now;

    CHECK(natlet_supervisor_count(r.cell, r.root, &now) == NATLET_OK);
    return now;
}

static void a_child_is_stopped_started_and_forgotten(void)
{
    begin(NATLET_ONE_FOR_ALL);
    CHECK(restart("b") == NATLET_E_STATE && forget("b") == NATLET_E_STATE);
    CHECK(terminate("b") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), ""); /* in the next turn */
    CHECK(terminate("a") == NATLET_E_AGAIN && restart("b") == NATLET_E_AGAIN);
    CHECK(forget("b") == NATLET_E_AGAIN);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop b\n");
    CHECK_INT(counts().specs, 3);
    CHECK_INT(counts().active, 2);
    CHECK(cell_rig_tell(&r, "b", "hi") == NATLET_E_NO_AGENT);
    (void)cell_rig_log(&r);
    CHECK(terminate("b") == NATLET_OK); /* as often as one likes */
    cell_rig_run(&r);
    CHECK(restart("b") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start b 2\n");
    CHECK(terminate("b") == NATLET_OK);
    cell_rig_run(&r);
    CHECK(forget("b") == NATLET_OK && forget("b") == NATLET_E_NOT_FOUND);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 3);
    (void)cell_rig_log(&r);
    (void)cell_rig_tell(&r, "a", "normal"); /* b is not started with the group */
    CHECK_TEXT(cell_rig_log(&r), "die a normal\nend a normal\nstop c\nstart a 2\nstart c 2\n");
    cell_rig_end(&r);
}

static void orders_for_nobody(void)
{
    natlet_supervisor_counts now;
    natlet_pid pid;

    begin(NATLET_ONE_FOR_ONE);
    natlet_slice name = cell_rig_text("a");
    natlet_pid worker = cell_rig_find(&r, "a");
    CHECK(terminate("x") == NATLET_E_NOT_FOUND && restart("x") == NATLET_E_NOT_FOUND);
    CHECK(terminate("") == NATLET_E_NOT_FOUND);
    CHECK(natlet_supervisor_terminate(r.cell, 12345, name) == NATLET_E_NO_AGENT);
    CHECK(natlet_supervisor_restart(r.cell, 12345, name, &pid) == NATLET_E_NO_AGENT && pid == 0);
    CHECK(natlet_supervisor_delete(r.cell, worker, name) == NATLET_E_INVALID);
    CHECK(natlet_supervisor_count(r.cell, worker, &now) == NATLET_E_INVALID);
    CHECK(natlet_supervisor_count(r.cell, 12345, &now) == NATLET_E_NO_AGENT);
    natlet_pid first = r.root; /* a child of one supervisor is none of another */
    natlet_supervisor_spec other = {0};
    CHECK(natlet_supervisor_start(r.cell, &other, &r.root) == NATLET_OK);
    CHECK(terminate("a") == NATLET_E_NOT_FOUND);
    r.root = first;
    CHECK(terminate("a") == NATLET_OK);
    cell_rig_end(&r);
}

static void orders_wait_for_the_busy(void)
{
    natlet_child more = puppet_child(&a, NATLET_PERMANENT);
    natlet_pid pid;

    begin(NATLET_ONE_FOR_ONE);
    (void)cell_rig_tell(&r, "b", "later");
    CHECK(terminate("b") == NATLET_OK);
    cell_rig_run(&r);
    more.name = cell_rig_text("more");
    CHECK(natlet_supervisor_add(r.cell, r.root, &more, &pid) == NATLET_E_AGAIN && pid == 0);
    (void)cell_rig_tell(&r, "c", "boom"); /* is acted on when b has stopped */
    CHECK(terminate("a") == NATLET_E_AGAIN);
    CHECK_TEXT(cell_rig_log(&r),
               "die c boom\ndead letter c: the agent crashed on it [boom] error\nend c error\n");
    cell_rig_wait_ms(&r, 4999);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "b"), b.token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop b\nstart c 2\n");
    CHECK(terminate("a") == NATLET_OK);
    cell_rig_end(&r);
}

/* What a handler orders happens after it. */
static int32_t give_orders(natlet_cell *cell, void *state, natlet_mail *mail)
{
    natlet_pid pid;

    (void)state;
    if (mail->tag == 1) {
        CHECK(natlet_supervisor_terminate(cell, r.root, cell_rig_text("a")) == NATLET_OK);
    } else if (mail->tag == 2) {
        CHECK(natlet_supervisor_restart(cell, r.root, cell_rig_text("a"), &pid) == NATLET_OK);
        CHECK(natlet_supervisor_delete(cell, r.root, cell_rig_text("a")) == NATLET_E_STATE);
        natlet_mail hi = {.payload = cell_rig_text("hi")};
        CHECK(natlet_agent_send(cell, pid, &hi) == NATLET_OK);
    } else {
        CHECK(natlet_supervisor_terminate(cell, r.root, cell_rig_text("boss")) == NATLET_OK);
    }
    cell_rig_note(&r, "ordered %u", (unsigned)mail->tag);
    return NATLET_DONE;
}

static void order(uint32_t tag)
{
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("boss"), &(natlet_mail){.tag = tag}) ==
          NATLET_OK);
    cell_rig_run(&r);
}

static void handlers_give_orders(void)
{
    static const natlet_behaviour bossing = {.name = "boss", .on_mail = give_orders};
    static const natlet_child boss = {.name = NATLET_TEXT("boss"), .behaviour = &bossing};
    natlet_pid pid;

    begin(NATLET_ONE_FOR_ONE);
    CHECK(natlet_supervisor_add(r.cell, r.root, &boss, &pid) == NATLET_OK);
    order(1);
    CHECK_TEXT(cell_rig_log(&r), "ordered 1\nstop a\n");
    order(2);
    CHECK_TEXT(cell_rig_log(&r), "ordered 2\nstart a 2\na: hi\n");
    order(1);
    a.fail_from = a.fail_to = 3;
    (void)cell_rig_log(&r);
    order(2); /* cannot start: stays down */
    CHECK_TEXT(cell_rig_log(&r), "ordered 2\nstartfail a 3\n"
                                 "dead letter a: no such agent [hi]\n");
    CHECK_INT(counts().specs, 4);
    CHECK(restart("a") == NATLET_OK);
    (void)cell_rig_log(&r);
    order(3); /* itself */
    CHECK_TEXT(cell_rig_log(&r), "ordered 3\n");
    CHECK_INT(counts().active, 3);
    cell_rig_end(&r);
}

/* ---- groups ---- */

static void a_group_keeps_its_mail(void)
{
    begin(NATLET_ONE_FOR_ALL);
    (void)cell_rig_tell(&r, "a", "later");
    (void)cell_rig_tell(&r, "b", "boom"); /* c is down then, and a busy */
    (void)cell_rig_log(&r);
    CHECK(cell_rig_tell(&r, "b", "to c from b") == NATLET_OK);
    CHECK(cell_rig_tell(&r, "c", "to b") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "a"), a.token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop a\nstart a 2\nstart b 2\nstart c 2\n"
                                 "b: sent, done\nc: sent, done\nc: from b\nb: \n");
    cell_rig_end(&r);
}

/* Asks the one behind it to end before that has started. */
static int32_t hurt_sibling(natlet_cell *cell, void *state, void *arg)
{
    (void)state;
    (void)arg;
    natlet_pid next = cell_rig_find(&r, "c");
    return natlet_agent_exit(cell, next, (natlet_reason){NATLET_EXIT_SHUTDOWN, 0});
}

static int32_t fail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    (void)mail;
    return -1;
}

static void who_is_asked_before_the_start_starts_and_ends(void)
{
    static const natlet_behaviour hurting = {
        .name = "hurting", .init = hurt_sibling, .on_mail = fail};
    natlet_child pair[2] = {{.name = NATLET_TEXT("h"), .behaviour = &hurting}};
    const natlet_supervisor_spec spec = {
        .strategy = NATLET_REST_FOR_ONE, .children = pair, .count = 2};

    begin(NATLET_ONE_FOR_ONE);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    (void)cell_rig_log(&r);
    pair[1] = puppet_child(&c, NATLET_TRANSIENT);
    CHECK(natlet_supervisor_start(r.cell, &spec, &r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start c 2\nstop c\n");
    c.fail_from = c.fail_to = 3; /* of a group: one that cannot start is tried again */
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("h"), &(natlet_mail){0}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter h: the agent crashed on it [] error\n"
                                 "startfail c 3\nstart c 4\n");
    cell_rig_end(&r);
}

static void what_stays_down_takes_no_mail(void)
{
    begin(NATLET_REST_FOR_ONE);
    b.fail_from = 2;
    b.fail_to = 99; /* gives up after three tries, and a goes with it */
    (void)cell_rig_tell(&r, "b", "boom");
    CHECK_TEXT(cell_rig_log(&r),
               "die b boom\ndead letter b: the agent crashed on it [boom] error\nend b error\n"
               "stop c\nstartfail b 2\nstartfail b 3\nstartfail b 4\nstop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

/* A supervisor that gives up and is restarted has the mail of its children still. */
static void mail_survives_the_supervisor(void)
{
    static const natlet_child inner = {.name = NATLET_TEXT("inner"), .supervisor = &tree};
    static const natlet_supervisor_spec outer = {.children = &inner, .count = 1};
    const natlet_mail hi = {.payload = cell_rig_text("hi")};

    begin(NATLET_ONE_FOR_ONE);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    tree.intensity = NATLET_NO_RESTART;
    CHECK(natlet_supervisor_start(r.cell, &outer, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("a"),
                                 &(natlet_mail){.payload = cell_rig_text("normal")}) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("a"), &hi) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "die a normal\nend a normal\nstop c\nstop b\n"
                                 "start a 3\nstart b 3\nstart c 3\na: hi\n");
    cell_rig_end(&r);
}

/* ---- dynamic ones ---- */

static natlet_status add(puppet *p)
{
    natlet_pid pid;
    natlet_child child = {.name = cell_rig_text(p->name), .arg = p};

    return natlet_supervisor_add(r.cell, r.root, &child, &pid);
}

static void begin_dynamic(uint32_t children_max)
{
    begin(NATLET_ONE_FOR_ONE);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    children[0] = puppet_child(&a, NATLET_TRANSIENT);
    tree = (natlet_supervisor_spec){
        .strategy = NATLET_DYNAMIC, .children = children, .count = 1, .children_max = children_max};
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
}

static void dynamic_children_have_a_limit(void)
{
    begin_dynamic(2);
    CHECK(add(&a) == NATLET_OK && add(&b) == NATLET_OK && add(&c) == NATLET_E_LIMIT);
    CHECK_INT(counts().specs, 1);
    CHECK_INT(counts().workers, 2);
    CHECK(restart("a") == NATLET_E_INVALID && forget("a") == NATLET_E_INVALID);
    CHECK(terminate("a") == NATLET_OK);
    cell_rig_run(&r);
    CHECK(terminate("a") == NATLET_E_NOT_FOUND && add(&c) == NATLET_OK);
    (void)cell_rig_tell(&r, "c", "normal"); /* transient, and forgotten */
    CHECK(add(&c) == NATLET_OK);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 3);
    cell_rig_end(&r);
}

/* All in one time, however many are busy. */
static void dynamic_children_stop_together(void)
{
    begin_dynamic(0);
    puppet d = {.rig = &r, .name = "d"};
    CHECK(add(&a) == NATLET_OK && add(&b) == NATLET_OK && add(&c) == NATLET_OK);
    CHECK(add(&d) == NATLET_OK);
    (void)cell_rig_tell(&r, "a", "later");
    (void)cell_rig_tell(&r, "d", "later");
    (void)cell_rig_tell(&r, "c", "later");
    (void)cell_rig_log(&r);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop b\n");
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "a"), a.token, NATLET_DONE) == NATLET_OK);
    cell_rig_wait_ms(&r, 4999);
    CHECK_TEXT(cell_rig_log(&r), "stop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 3);
    cell_rig_wait_ms(&r, 1);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter d: left over at the end [later]\n"
                                 "dead letter c: left over at the end [later]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

/* The pattern may be a whole tree; its children are nameless, for there are many. */
static void trees_can_be_added(void)
{
    static const natlet_child leaf = {.behaviour = &puppet_behaviour, .arg = &a};
    static const natlet_supervisor_spec branch = {
        .intensity = NATLET_NO_RESTART, .children = &leaf, .count = 1};
    natlet_agent_info infos[3];
    natlet_agent_info below;

    begin_dynamic(0);
    children[0] = (natlet_child){.supervisor = &branch};
    CHECK(add(&b) == NATLET_OK && add(&c) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start a 2\nstart a 3\n");
    CHECK_INT(counts().supervisors, 2);
    CHECK_INT(natlet_cell_children(r.cell, r.root, infos, 3), 2);
    CHECK_INT(natlet_cell_children(r.cell, infos[0].pid, &below, 1), 1);
    CHECK(natlet_agent_exit(r.cell, below.pid, (natlet_reason){NATLET_EXIT_ERROR, -1}) ==
          NATLET_OK);
    cell_rig_run(&r); /* the branch gives up, and is started again */
    CHECK_TEXT(cell_rig_log(&r), "end a error\nstart a 4\n");
    CHECK_INT(counts().active, 2);
    CHECK(terminate("b") == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 3);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop a\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

static void nonsense_is_refused(void)
{
    natlet_pid pid;

    begin(NATLET_ONE_FOR_ONE);
    children[0].significant = true;
    children[0].name = cell_rig_text("x");
    natlet_supervisor_spec specs[] = {
        {.strategy = NATLET_DYNAMIC},
        {.strategy = NATLET_DYNAMIC, .children = children, .count = 2},
        {.strategy = (natlet_strategy)4},
        {.auto_shutdown = (natlet_auto_shutdown)3},
        {.children = children, .count = 1}, /* significant, for nothing */
        {.children = children, .count = 1, .auto_shutdown = NATLET_AUTO_SHUTDOWN_ANY},
    };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        CHECK(natlet_supervisor_start(r.cell, &specs[i], &pid) == NATLET_E_CONFIG && pid == 0);
    }
    children[0].restart = NATLET_TRANSIENT; /* PERMANENT was what was wrong with the last */
    CHECK(natlet_supervisor_start(r.cell, &specs[5], &pid) == NATLET_OK);
    cell_rig_end(&r);
}

/* ---- exits on order ---- */

static natlet_status exit_of(const char *name, natlet_exit_kind kind, int32_t code)
{
    return natlet_agent_exit(r.cell, cell_rig_find(&r, name), (natlet_reason){kind, code});
}

static void agents_are_ended_for_a_reason(void)
{
    natlet_agent_info infos[3];

    begin(NATLET_ONE_FOR_ONE);
    CHECK(exit_of("a", NATLET_EXIT_TRAP, 0) == NATLET_E_INVALID);
    CHECK(exit_of("x", NATLET_EXIT_ERROR, 0) == NATLET_E_NO_AGENT);
    CHECK(exit_of("a", NATLET_EXIT_ERROR, -3) == NATLET_OK);
    CHECK(exit_of("a", NATLET_EXIT_NORMAL, 0) == NATLET_OK); /* the first reason counts */
    CHECK(exit_of("b", NATLET_EXIT_SHUTDOWN, 7) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end a error\nstop b\nstart a 2\nstart b 2\n");
    CHECK_INT(natlet_cell_children(r.cell, r.root, infos, 3), 3);
    CHECK(infos[0].last_exit.kind == NATLET_EXIT_ERROR && infos[0].last_exit.code == -3);
    CHECK(infos[1].last_exit.kind == NATLET_EXIT_SHUTDOWN && infos[1].last_exit.code == 7);
    (void)cell_rig_tell(&r, "c", "later");
    CHECK(exit_of("c", NATLET_EXIT_NORMAL, 0) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), ""); /* it has time */
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "c"), c.token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end c normal\nstart c 2\n");
    CHECK(natlet_agent_exit(r.cell, r.root, (natlet_reason){NATLET_EXIT_NORMAL, 0}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop c\nstop b\nstop a\n");
    cell_rig_end(&r);
}

/* Nothing is waited for, and nothing told. */
static void agents_are_killed(void)
{
    begin(NATLET_ONE_FOR_ONE);
    (void)cell_rig_tell(&r, "a", "later");
    CHECK(exit_of("a", NATLET_EXIT_SHUTDOWN, 0) == NATLET_OK);
    CHECK(exit_of("a", NATLET_EXIT_KILLED, 0) == NATLET_OK);
    CHECK(cell_rig_find(&r, "a") == 0);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: left over at the end [later]\nstart a 2\n");
    CHECK(terminate("b") == NATLET_OK);
    CHECK(exit_of("b", NATLET_EXIT_KILLED, 0) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(counts().active, 2);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(a_child_is_stopped_started_and_forgotten);
    RUN(orders_for_nobody);
    RUN(orders_wait_for_the_busy);
    RUN(handlers_give_orders);
    RUN(a_group_keeps_its_mail);
    RUN(who_is_asked_before_the_start_starts_and_ends);
    RUN(what_stays_down_takes_no_mail);
    RUN(mail_survives_the_supervisor);
    RUN(dynamic_children_have_a_limit);
    RUN(dynamic_children_stop_together);
    RUN(trees_can_be_added);
    RUN(nonsense_is_refused);
    RUN(agents_are_ended_for_a_reason);
    RUN(agents_are_killed);
    return test_done();
}
