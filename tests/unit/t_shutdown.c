/* Goal: a suspended agent takes only signals; a cell ends in order, by its deadline, and
 * says so once; what is left of mail is a dead letter.
 *
 * Method: puppets in two trees, virtual time, no network (with one: t_bridge_end). */
#include "agent/kernel.h"
#include "natlet/link.h"
#include "support/cell_rig.h"
#include "support/test.h"

enum { PUPPETS = 4 };

static cell_rig r;
static puppet p[PUPPETS];
static natlet_child children[PUPPETS];

/* Trees of a, b and of c, d. */
static void begin(void)
{
    static const char *const names[PUPPETS] = {"a", "b", "c", "d"};
    static natlet_supervisor_spec trees[2];

    cell_rig_init(&r, NULL);
    for (uint32_t i = 0; i < PUPPETS; i++) {
        p[i] = (puppet){.rig = &r, .name = names[i]};
        children[i] = puppet_child(&p[i], NATLET_PERMANENT);
    }
    for (uint32_t i = 0; i < 2; i++) {
        trees[i] = (natlet_supervisor_spec){.children = &children[2 * i], .count = 2};
        CHECK(natlet_supervisor_start(r.cell, &trees[i], &r.root) == NATLET_OK);
    }
    cell_rig_run(&r);
    (void)cell_rig_log(&r);
}

static natlet_status post(const char *name, const char *text)
{
    return natlet_agent_send_name(r.cell, cell_rig_text(name),
                                  &(natlet_mail){.payload = cell_rig_text(text)});
}

static natlet_agent_state state_of(const char *name)
{
    natlet_agent_info info;

    CHECK(natlet_agent_info_of(r.cell, cell_rig_find(&r, name), &info) == NATLET_OK);
    return info.state;
}

/* ---- suspended ---- */

static void only_signals_come_through(void)
{
    uint32_t ref;

    begin();
    natlet_pid a = cell_rig_find(&r, "a");
    CHECK(natlet_agent_suspend(r.cell, a) == NATLET_OK);
    CHECK(natlet_agent_suspend(r.cell, a) == NATLET_OK);
    CHECK(state_of("a") == NATLET_AGENT_SUSPENDED);
    CHECK_TEXT(natlet_agent_state_text(state_of("a")), "suspended");
    CHECK(post("a", "1") == NATLET_OK && post("a", "2") == NATLET_OK);
    CHECK(natlet_agent_send_after(r.cell, a, 10, 5, NULL) == NATLET_OK);
    CHECK(natlet_agent_monitor(r.cell, a, 1, 0, &ref) == NATLET_OK);
    cell_rig_wait_ms(&r, 10);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: down ?, noproc -96\na: timer 5\n");
    CHECK(natlet_agent_resume(r.cell, a) == NATLET_OK);
    CHECK(state_of("a") == NATLET_AGENT_RUNNING);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: 1\na: 2\n");
    CHECK(natlet_agent_resume(r.cell, a) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(natlet_agent_suspend(r.cell, r.root) == NATLET_E_INVALID);
    CHECK(natlet_agent_resume(r.cell, r.root) == NATLET_E_INVALID);
    CHECK(natlet_agent_suspend(r.cell, 1) == NATLET_E_NO_AGENT);
    cell_rig_end(&r);
}

/* Its supervisor stops it, signals end it, and its next incarnation is not suspended. */
static void the_suspended_can_end(void)
{
    begin();
    natlet_pid a = cell_rig_find(&r, "a");
    CHECK(natlet_agent_suspend(r.cell, a) == NATLET_OK);
    CHECK(post("a", "1") == NATLET_OK);
    CHECK(natlet_agent_signal(r.cell, a, (natlet_reason){NATLET_EXIT_ERROR, -9}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end a error\nstart a 2\na: 1\n");
    CHECK(natlet_agent_suspend(r.cell, cell_rig_find(&r, "c")) == NATLET_OK);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop d\nstop c\n");
    cell_rig_end(&r);
}

/* While it keeps a mail: what came by then waits for resume too. */
static void a_busy_one_is_suspended(void)
{
    begin();
    natlet_pid a = cell_rig_find(&r, "a");
    (void)cell_rig_tell(&r, "a", "later");
    CHECK(natlet_agent_suspend(r.cell, a) == NATLET_OK && post("a", "1") == NATLET_OK);
    CHECK(natlet_cell_settle(r.cell, a, p[0].token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(natlet_agent_resume(r.cell, a) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: 1\n");
    cell_rig_end(&r);
}

/* ---- the end ---- */

static void the_last_tree_stops_first(void)
{
    begin();
    CHECK(post("a", "to c hello") == NATLET_OK);
    CHECK(natlet_cell_shutdown(r.cell, 1000) == NATLET_OK);
    CHECK(natlet_cell_shutdown(r.cell, 1000) == NATLET_E_STATE);
    CHECK_TEXT(cell_rig_log(&r), "");
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: sent, done\nc: hello\n"
                                 "stop d\nstop c\nstop b\nstop a\nclosed shutdown\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_wait_ms(&r, 5000);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "");
    cell_rig_end(&r);
}

static void nothing_comes_in_any_more(void)
{
    static puppet late = {.rig = &r, .name = "late"};
    static natlet_child child;
    static natlet_supervisor_spec tree;
    natlet_pid pid = 1;

    begin();
    child = puppet_child(&late, NATLET_PERMANENT);
    tree = (natlet_supervisor_spec){.children = &child, .count = 1};
    CHECK(natlet_cell_shutdown(r.cell, 1000) == NATLET_OK);
    CHECK(post("a", "1") == NATLET_E_STATE);
    CHECK(natlet_agent_send(r.cell, cell_rig_find(&r, "a"), &(natlet_mail){0}) == NATLET_E_STATE);
    CHECK(natlet_supervisor_start(r.cell, &tree, &pid) == NATLET_E_STATE && pid == 0);
    cell_rig_run(&r);
    CHECK(post("a", "1") == NATLET_E_STATE);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 0);
    cell_rig_end(&r);
}

/* A busy agent has half of the time; then it is asked, and settles, or is killed. */
static void half_of_the_time_is_for_mail(void)
{
    for (int settles = 0; settles <= 1; settles++) {
        begin();
        natlet_pid a = cell_rig_find(&r, "a");
        (void)cell_rig_tell(&r, "a", "later");
        CHECK(post("a", "left") == NATLET_OK);
        CHECK(natlet_cell_shutdown(r.cell, 1000) == NATLET_OK);
        cell_rig_wait_ms(&r, 499);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "");
        cell_rig_wait_ms(&r, 1);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "stop d\nstop c\nstop b\n");
        if (settles) {
            CHECK(natlet_cell_settle(r.cell, a, p[0].token, NATLET_DONE) == NATLET_OK);
            cell_rig_run(&r);
            CHECK_TEXT(cell_rig_log(&r), "stop a\ndead letter a: left over at the end [left]\n"
                                         "closed shutdown\n");
        }
        cell_rig_wait_ms(&r, 499);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "");
        cell_rig_wait_ms(&r, 1);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), settles ? ""
                                             : "dead letter a: left over at the end [later]\n"
                                               "dead letter a: left over at the end [left]\n"
                                               "closed killed\n");
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
        CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_SHUTDOWN], settles ? 1 : 2);
        cell_rig_end(&r);
    }
}

/* It settles in the first half: all is handled. */
static void mail_is_handled_first(void)
{
    begin();
    (void)cell_rig_tell(&r, "a", "later");
    CHECK(post("a", "left") == NATLET_OK);
    CHECK(natlet_cell_shutdown(r.cell, 1000) == NATLET_OK);
    cell_rig_wait_ms(&r, 100);
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "a"), p[0].token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: left\nstop d\nstop c\nstop b\nstop a\nclosed shutdown\n");
    cell_rig_end(&r);
}

/* Two that never stop talking do not keep the cell. */
static void talk_is_cut_short(void)
{
    begin();
    natlet_pid a = cell_rig_find(&r, "a");
    CHECK(natlet_agent_send_every(r.cell, a, 1, 1, NULL) == NATLET_OK);
    CHECK(natlet_agent_suspend(r.cell, a) == NATLET_OK);
    CHECK(post("a", "never") == NATLET_OK);
    CHECK(natlet_cell_shutdown(r.cell, 100) == NATLET_OK);
    cell_rig_wait_ms(&r, 49);
    CHECK(strstr(cell_rig_log(&r), "stop") == NULL);
    cell_rig_wait_ms(&r, 2);
    CHECK(strstr(cell_rig_log(&r), "stop d\nstop c\nstop b\nstop a\n"
                                   "dead letter a: left over at the end [never]\n"
                                   "closed shutdown\n") != NULL);
    cell_rig_end(&r);
}

static void no_time_at_all(void)
{
    begin();
    (void)cell_rig_tell(&r, "c", "later");
    CHECK(natlet_cell_shutdown(r.cell, 0) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter c: left over at the end [later]\nclosed killed\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
    cell_rig_init(&r, NULL); /* a cell without agents */
    CHECK(natlet_cell_shutdown(r.cell, 10) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "closed shutdown\n");
    cell_rig_end(&r);
}

static int32_t end_all(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    (void)mail;
    return natlet_cell_shutdown(cell, 50);
}

static void a_handler_can_end_it_all(void)
{
    static const natlet_behaviour last = {.name = "last", .on_mail = end_all};
    static const natlet_child child = {.name = NATLET_TEXT("l"), .behaviour = &last};
    natlet_pid pid;

    begin();
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    (void)cell_rig_tell(&r, "l", "now");
    CHECK_TEXT(cell_rig_log(&r), "stop d\nstop c\nstop b\nstop a\nclosed shutdown\n");
    cell_rig_end(&r);
}

int main(void)
{
    RUN(only_signals_come_through);
    RUN(the_suspended_can_end);
    RUN(a_busy_one_is_suspended);
    RUN(the_last_tree_stops_first);
    RUN(nothing_comes_in_any_more);
    RUN(half_of_the_time_is_for_mail);
    RUN(mail_is_handled_first);
    RUN(talk_is_cut_short);
    RUN(no_time_at_all);
    RUN(a_handler_can_end_it_all);
    return test_done();
}
