/* Goal: a link is symmetric, there once, bounded, and gone with either side; a monitor
 * gives exactly one DOWN, in time and in its place.
 *
 * Method: links and monitors between puppets, made from outside; their log is one text.
 * Random runs are held against a model that counts. */
#include "agent/kernel.h"
#include "natlet/link.h"
#include "support/cell_rig.h"
#include "support/test.h"

enum { PUPPETS = 4 };

static cell_rig r;
static puppet p[PUPPETS];
static natlet_child children[PUPPETS];

static natlet_pid pid_of(const char *name)
{
    return cell_rig_find(&r, name);
}

static void begin_with(uint16_t sys, const natlet_cell_config *config)
{
    static const char *const names[PUPPETS] = {"a", "b", "c", "d"};
    static natlet_supervisor_spec tree;

    cell_rig_init(&r, config);
    for (uint32_t i = 0; i < PUPPETS; i++) {
        p[i] = (puppet){.rig = &r, .name = names[i]};
        children[i] = puppet_child(&p[i], NATLET_TEMPORARY);
        children[i].mailbox.sys = sys;
    }
    tree = (natlet_supervisor_spec){.children = children, .count = PUPPETS};
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
}

static void begin(void)
{
    begin_with(0, NULL);
}

static void end_of(const char *name, natlet_exit_kind kind)
{
    CHECK(natlet_agent_exit(r.cell, pid_of(name), (natlet_reason){kind, 0}) == NATLET_OK);
    cell_rig_run(&r);
}

static uint32_t waits(void)
{
    return natlet_cell_stats_now(r.cell).waits;
}

/* ---- links ---- */

static void a_link_is_there_once(void)
{
    begin();
    natlet_pid a = pid_of("a");
    natlet_pid b = pid_of("b");
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    for (int i = 0; i < 3; i++) {
        CHECK(natlet_agent_link(r.cell, a, b) == NATLET_OK);
        CHECK(natlet_agent_link(r.cell, b, a) == NATLET_OK);
    }
    CHECK_INT(waits(), 2);
    CHECK(natlet_agent_link(r.cell, a, a) == NATLET_OK);
    CHECK_INT(waits(), 2);
    CHECK(natlet_agent_unlink(r.cell, b, a) == NATLET_OK);
    CHECK(natlet_agent_unlink(r.cell, b, a) == NATLET_E_NOT_FOUND);
    CHECK(natlet_agent_unlink(r.cell, a, b) == NATLET_E_NOT_FOUND);
    CHECK_INT(waits(), 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    end_of("a", NATLET_EXIT_ERROR);
    CHECK_TEXT(cell_rig_log(&r), "end a error\n");
    CHECK(natlet_agent_link(r.cell, a, b) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_unlink(r.cell, a, b) == NATLET_E_NO_AGENT);
    cell_rig_end(&r);
}

/* A whole ring, a chain and a star come down, each agent once. */
static void an_end_goes_through(void)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    for (uint32_t first = 0; first < PUPPETS; first++) {
        begin();
        for (uint32_t i = 0; i < PUPPETS; i++) {
            CHECK(natlet_agent_link(r.cell, pid_of(names[i]), pid_of(names[(i + 1) % PUPPETS])) ==
                  NATLET_OK);
        }
        end_of(names[first], NATLET_EXIT_ERROR);
        CHECK_INT(waits(), 0);
        const char *log = cell_rig_log(&r);
        for (uint32_t i = 0; i < PUPPETS; i++) {
            char line[16];
            snprintf(line, sizeof line, "end %s error\n", names[i]);
            const char *at = strstr(log, line);
            CHECK(at != NULL && strstr(at + 1, line) == NULL);
            CHECK(pid_of(names[i]) == 0);
        }
        CHECK_INT(strlen(log), PUPPETS * strlen("end a error\n"));
        cell_rig_end(&r);
    }
}

/* Both sides have a place in their SYS lane, or there is no link. */
static void a_link_has_its_places(void)
{
    begin_with(2, NULL);
    natlet_pid a = pid_of("a");
    CHECK(natlet_agent_send_after(r.cell, a, 10, 1, NULL) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, a, pid_of("b")) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, a, pid_of("c")) == NATLET_E_FULL);
    CHECK(natlet_agent_link(r.cell, pid_of("c"), a) == NATLET_E_FULL);
    CHECK_INT(waits(), 3);
    CHECK_INT(natlet_cell_stats_now(r.cell).refused, 2);
    CHECK(natlet_agent_send_after(r.cell, a, 10, 2, NULL) == NATLET_E_FULL);
    CHECK(natlet_agent_trap_exits(r.cell, a, true) == NATLET_OK);
    end_of("b", NATLET_EXIT_ERROR);
    cell_rig_wait_ms(&r, 10);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end b error\na: exit of b, error 0\na: timer 1\n");
    CHECK(natlet_agent_link(r.cell, pid_of("c"), a) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, pid_of("d"), a) == NATLET_OK);
    cell_rig_end(&r);
}

static void the_table_of_waits_bounds_links(void)
{
    begin_with(0, &(natlet_cell_config){.waits_max = 3});
    CHECK(natlet_agent_link(r.cell, pid_of("a"), pid_of("b")) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, pid_of("a"), pid_of("c")) == NATLET_E_FULL);
    CHECK_INT(waits(), 2); /* the half that there was room for is gone */
    uint32_t ref;
    CHECK(natlet_agent_monitor(r.cell, pid_of("a"), pid_of("c"), 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_monitor(r.cell, pid_of("a"), pid_of("c"), 0, &ref) == NATLET_E_FULL);
    CHECK(ref == 0);
    cell_rig_end(&r);
}

/* What is not yet handled dies with the incarnation, and is no dead letter. */
static void signals_are_for_one_incarnation(void)
{
    begin();
    natlet__agent *a = natlet__registry_at(r.cell, pid_of("a"));
    uint32_t ref;
    a->child.restart = NATLET_PERMANENT;
    CHECK(natlet_agent_trap_exits(r.cell, a->pid, true) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, a->pid, pid_of("b")) == NATLET_OK);
    CHECK(natlet_agent_monitor(r.cell, a->pid, pid_of("b"), 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_monitor(r.cell, a->pid, pid_of("b"), NATLET_DOWN_IN_ORDER, &ref) ==
          NATLET_OK);
    (void)cell_rig_tell(&r, "a", "later");
    end_of("b", NATLET_EXIT_ERROR);
    CHECK_INT(a->mailbox.queued, 3);
    end_of("a", NATLET_EXIT_KILLED);
    CHECK_TEXT(cell_rig_log(&r), "end b error\n"
                                 "dead letter a: left over at the end [later]\n"
                                 "start a 2\n");
    CHECK_INT(a->mailbox.queued, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 1);
    cell_rig_end(&r);
}

/* ---- monitors ---- */

static void each_monitor_has_one_down(void)
{
    static const natlet_exit_kind kinds[] = {NATLET_EXIT_NORMAL, NATLET_EXIT_SHUTDOWN,
                                             NATLET_EXIT_ERROR, NATLET_EXIT_KILLED};
    static const char *const wanted[] = {"a: down b, normal 0\n", "a: down b, shutdown 0\n",
                                         "a: down b, error 0\n", "a: down b, killed 0\n"};

    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (uint32_t count = 0; count <= 3; count++) {
            uint32_t refs[3];
            begin();
            natlet_pid a = pid_of("a");
            natlet_pid b = pid_of("b");
            for (uint32_t n = 0; n < count; n++) {
                CHECK(natlet_agent_monitor(r.cell, a, b, 0, &refs[n]) == NATLET_OK);
                CHECK(refs[n] != 0 && (n == 0 || refs[n] != refs[n - 1]));
            }
            end_of("b", kinds[i]);
            const char *log = cell_rig_log(&r);
            for (uint32_t n = 0; n < count; n++) {
                const char *at = strstr(log, wanted[i]);
                CHECK(at != NULL);
                log = at != NULL ? at + 1 : log;
            }
            CHECK(strstr(log, wanted[i]) == NULL);
            CHECK(pid_of("a") == a && waits() == 0);
            cell_rig_end(&r);
        }
    }
}

static void a_monitor_is_one_way(void)
{
    uint32_t ref;

    begin();
    CHECK(natlet_agent_monitor(r.cell, pid_of("a"), pid_of("b"), 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_monitor(r.cell, pid_of("a"), pid_of("a"), 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_monitor(r.cell, pid_of("c"), r.root, 0, &ref) == NATLET_OK);
    end_of("a", NATLET_EXIT_ERROR);
    CHECK_TEXT(cell_rig_log(&r), "end a error\n");
    CHECK_INT(waits(), 1);
    CHECK(natlet_agent_monitor(r.cell, p[0].rig->pids[0], pid_of("b"), 0, &ref) ==
          NATLET_E_NO_AGENT);
    CHECK(natlet_agent_monitor(r.cell, r.root, pid_of("b"), 0, &ref) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_monitor(r.cell, pid_of("b"), pid_of("c"), 2, &ref) == NATLET_E_INVALID);
    CHECK(ref == 0);
    cell_rig_end(&r);
}

/* Nobody hears of its own end, nor does its next incarnation. */
static void a_monitor_of_oneself_is_idle(void)
{
    uint32_t ref;

    begin();
    natlet__agent *a = natlet__registry_at(r.cell, pid_of("a"));
    a->child.restart = NATLET_PERMANENT;
    for (uint32_t flags = 0; flags <= NATLET_DOWN_IN_ORDER; flags++) {
        CHECK(natlet_agent_monitor(r.cell, a->pid, a->pid, flags, &ref) == NATLET_OK);
    }
    end_of("a", NATLET_EXIT_ERROR);
    CHECK_TEXT(cell_rig_log(&r), "end a error\nstart a 2\n");
    CHECK_INT(waits(), 0);
    cell_rig_end(&r);
}

/* DOWN comes at once; its ref is known before. */
static void a_dead_target_is_down_at_once(void)
{
    uint32_t ref;

    begin();
    natlet_pid b = pid_of("b");
    end_of("b", NATLET_EXIT_NORMAL);
    (void)cell_rig_log(&r);
    for (uint32_t flags = 0; flags <= NATLET_DOWN_IN_ORDER; flags++) {
        CHECK(natlet_agent_monitor(r.cell, pid_of("a"), b, flags, &ref) == NATLET_OK);
        CHECK(ref != 0);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "a: down b, noproc -96\n");
    }
    CHECK_INT(waits(), 0);
    cell_rig_end(&r);
}

static void demonitor_takes_a_queued_down_back(void)
{
    for (uint32_t flags = 0; flags <= NATLET_DOWN_IN_ORDER; flags++) {
        uint32_t ref;
        uint32_t other;
        begin();
        natlet_pid a = pid_of("a");
        natlet_pid b = pid_of("b");
        CHECK(natlet_agent_monitor(r.cell, a, b, flags, &ref) == NATLET_OK);
        CHECK(natlet_agent_demonitor(r.cell, pid_of("c"), ref) == NATLET_E_NOT_FOUND); /* not his */
        CHECK(natlet_agent_demonitor(r.cell, a, ref) == NATLET_OK);
        CHECK(natlet_agent_demonitor(r.cell, a, ref) == NATLET_E_NOT_FOUND);
        CHECK(natlet_agent_demonitor(r.cell, a, 0) == NATLET_E_NOT_FOUND);
        CHECK(natlet_agent_monitor(r.cell, a, b, flags, &ref) == NATLET_OK);
        CHECK(natlet_agent_monitor(r.cell, a, b, flags, &other) == NATLET_OK);
        (void)cell_rig_tell(&r, "a", "later");
        CHECK(natlet_agent_send(r.cell, a, &(natlet_mail){.payload = cell_rig_text("1")}) ==
              NATLET_OK);
        end_of("b", NATLET_EXIT_NORMAL);
        CHECK(natlet_agent_send(r.cell, a, &(natlet_mail){.payload = cell_rig_text("2")}) ==
              NATLET_OK);
        CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_E_NOT_FOUND);
        CHECK(natlet_agent_demonitor(r.cell, pid_of("c"), ref) == NATLET_E_NOT_FOUND);
        CHECK(natlet_agent_demonitor(r.cell, a, ref) == NATLET_OK);
        CHECK(natlet_agent_demonitor(r.cell, a, ref) == NATLET_E_NOT_FOUND);
        (void)cell_rig_log(&r);
        CHECK(natlet_cell_settle(r.cell, a, p[0].token, NATLET_DONE) == NATLET_OK);
        cell_rig_run(&r); /* the others are where they were */
        CHECK_TEXT(cell_rig_log(&r), flags == 0 ? "a: down b, normal 0\na: 1\na: 2\n"
                                                : "a: 1\na: down b, normal 0\na: 2\n");
        CHECK(natlet_agent_demonitor(r.cell, a, other) == NATLET_E_NOT_FOUND);
        CHECK(natlet_agent_demonitor(r.cell, b, other) == NATLET_E_NO_AGENT);
        cell_rig_end(&r);
    }
}

/* A timer's ref, or a call's, is no monitor's. */
static void a_ref_of_another_kind(void)
{
    uint32_t ref;

    begin();
    CHECK(natlet_agent_send_after(r.cell, pid_of("a"), 5, 1, &ref) == NATLET_OK);
    CHECK(natlet_agent_demonitor(r.cell, pid_of("a"), ref) == NATLET_E_NOT_FOUND);
    CHECK_INT(waits(), 1);
    CHECK(natlet_agent_monitor(r.cell, pid_of("a"), pid_of("b"), 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_OK);
    end_of("b", NATLET_EXIT_NORMAL);
    CHECK_TEXT(cell_rig_log(&r), "end b normal\n");
    cell_rig_end(&r);
}

/* SYS overtakes; in order, DOWN is the last that is heard of b, though NORMAL is full. */
static void down_can_wait_for_its_turn(void)
{
    for (uint32_t flags = 0; flags <= NATLET_DOWN_IN_ORDER; flags++) {
        uint32_t ref;
        begin();
        natlet_pid a = pid_of("a");
        CHECK(natlet_agent_monitor(r.cell, a, pid_of("b"), flags, &ref) == NATLET_OK);
        (void)cell_rig_tell(&r, "a", "later");
        for (uint32_t i = 0; i < NATLET_MAILBOX_NORMAL_DEFAULT; i++) {
            (void)cell_rig_tell(&r, "b", i == 0 ? "to a first" : "to a x");
        }
        end_of("b", NATLET_EXIT_NORMAL);
        CHECK(natlet_agent_send(r.cell, a, &(natlet_mail){0}) == NATLET_E_FULL);
        (void)cell_rig_log(&r);
        CHECK(natlet_cell_settle(r.cell, a, p[0].token, NATLET_DONE) == NATLET_OK);
        cell_rig_run(&r);
        const char *log = cell_rig_log(&r);
        const char *down = strstr(log, "a: down b, normal 0\n");
        CHECK(down == (flags == 0 ? log : log + strlen(log) - strlen("a: down b, normal 0\n")));
        CHECK(strstr(log, "a: first\n") != NULL);
        CHECK(natlet_cell_settle(r.cell, a, p[0].token, NATLET_DONE) == NATLET_E_STATE);
        cell_rig_end(&r);
    }
}

/* DOWNs that lie in NORMAL count as if they had their place still. */
static void downs_in_order_are_bounded(void)
{
    uint32_t ref;

    begin_with(3, NULL);
    natlet_pid a = pid_of("a");
    (void)cell_rig_tell(&r, "a", "later");
    for (int i = 0; i < 3; i++) {
        CHECK(natlet_agent_monitor(r.cell, a, pid_of("b"), NATLET_DOWN_IN_ORDER, &ref) ==
              NATLET_OK);
    }
    CHECK(natlet_agent_monitor(r.cell, a, pid_of("c"), NATLET_DOWN_IN_ORDER, &ref) ==
          NATLET_E_FULL);
    end_of("b", NATLET_EXIT_NORMAL);
    CHECK(natlet_agent_monitor(r.cell, a, pid_of("c"), NATLET_DOWN_IN_ORDER, &ref) ==
          NATLET_E_FULL);
    CHECK(natlet_agent_monitor(r.cell, a, pid_of("c"), 0, &ref) == NATLET_OK);
    CHECK(natlet_cell_settle(r.cell, a, p[0].token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK(natlet_agent_monitor(r.cell, a, pid_of("c"), NATLET_DOWN_IN_ORDER, &ref) == NATLET_OK);
    cell_rig_end(&r);
}

/* DROP_OLD passes a DOWN by: with nothing before it, it moves to SYS. */
static void no_policy_drops_a_down(void)
{
    uint32_t ref;

    begin();
    natlet__agent *a = natlet__registry_at(r.cell, pid_of("a"));
    a->child.mailbox.overflow = &natlet_overflow_drop_old;
    a->mailbox.lanes[NATLET_PRIORITY_NORMAL].cap = 2;
    a->mailbox.lanes[NATLET_PRIORITY_SYS].cap = 2;
    CHECK(natlet_agent_monitor(r.cell, a->pid, pid_of("b"), NATLET_DOWN_IN_ORDER, &ref) ==
          NATLET_OK);
    (void)cell_rig_tell(&r, "a", "later");
    CHECK(cell_rig_tell(&r, "a", "1") == NATLET_OK && cell_rig_tell(&r, "a", "2") == NATLET_OK);
    end_of("b", NATLET_EXIT_NORMAL);
    for (int i = 0; i < 2; i++) { /* their places, and more than the lane has */
        CHECK(natlet_agent_send_after(r.cell, a->pid, 5, 5, NULL) == NATLET_OK);
    }
    CHECK(cell_rig_tell(&r, "a", "3") == NATLET_OK && cell_rig_tell(&r, "a", "4") == NATLET_OK);
    CHECK(natlet_agent_send_after(r.cell, a->pid, 5, 5, NULL) == NATLET_E_FULL);
    CHECK_TEXT(cell_rig_log(&r), "end b normal\n"
                                 "dead letter a: mailbox full [1]\n"
                                 "dead letter a: mailbox full [2]\n");
    CHECK_INT(a->mailbox.dropped, 2);
    CHECK(natlet_cell_settle(r.cell, a->pid, p[0].token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: down b, normal 0\na: 3\na: 4\n");
    cell_rig_end(&r);
}

/* Puts all mail aside. */
static int32_t put_aside(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    CHECK(mail->kind == NATLET_MAIL_USER || mail->kind == NATLET_MAIL_DOWN);
    cell_rig_note(&r, "aside %u", (unsigned)mail->kind);
    return NATLET_STASH;
}

/* What was put aside of signals ends with the incarnation, in order or not. */
static void a_stash_does_not_pass_signals_on(void)
{
    static const natlet_behaviour aside = {.name = "aside", .on_mail = put_aside};
    static const natlet_child child = {.behaviour = &aside};
    natlet_pid pid;
    uint32_t ref;

    begin();
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_cell_unstash(r.cell, 0) == NATLET_E_NO_AGENT); /* this links the stash */
    for (uint32_t flags = 0; flags <= NATLET_DOWN_IN_ORDER; flags++) {
        CHECK(natlet_agent_monitor(r.cell, pid, pid_of("b"), flags, &ref) == NATLET_OK);
    }
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){0}) == NATLET_OK);
    end_of("b", NATLET_EXIT_NORMAL);
    const char *log = cell_rig_log(&r);
    CHECK_TEXT(log, "aside 0\nend b normal\naside 6\naside 6\n");
    CHECK(natlet_agent_exit(r.cell, pid, (natlet_reason){NATLET_EXIT_ERROR, -1}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "aside 0\n");
    cell_rig_end(&r);
}

/* The pool is full: no watch, no half of one, and nothing of it is left. */
static void the_pool_runs_out(void)
{
    uint32_t ref;

    begin_with(1000, &(natlet_cell_config){.bytes = 16384, .agents_max = 8, .waits_max = 256});
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    natlet_status st = NATLET_OK;
    while (st == NATLET_OK) {
        st = natlet_agent_monitor(r.cell, pid_of("a"), pid_of("b"), waits() % 2, &ref);
    }
    CHECK(st == NATLET_E_FULL && waits() < 256);
    CHECK(natlet_agent_link(r.cell, pid_of("c"), pid_of("d")) == NATLET_E_FULL);
    end_of("a", NATLET_EXIT_NORMAL);
    CHECK_INT(waits(), 0);
    CHECK(natlet_agent_link(r.cell, pid_of("c"), pid_of("d")) == NATLET_OK);
    end_of("c", NATLET_EXIT_NORMAL);
    CHECK(natlet_cell_stats_now(r.cell).pool_used < used); /* a and c are gone */
    cell_rig_end(&r);
}

/* ---- names ---- */

/* Who hears of an end can give the name away at once. */
static void a_name_is_free_when_its_end_is_heard(void)
{
    natlet_pid pid;

    begin();
    cell_rig_run(&r);
    natlet__agent *b = natlet__registry_at(r.cell, pid_of("b"));
    natlet_pid old = b->pid;
    CHECK(natlet_supervisor_add(r.cell, r.root, &children[1], &pid) == NATLET_E_NAME_TAKEN);
    natlet__agent_end(r.cell, b, (natlet_reason){NATLET_EXIT_NORMAL, 0}, NATLET_AGENT_EXITED);
    CHECK(pid_of("b") == 0); /* its supervisor has not had its turn */
    CHECK(natlet_supervisor_add(r.cell, r.root, &children[1], &pid) == NATLET_OK);
    CHECK(pid_of("b") == pid && pid != old);
    cell_rig_run(&r);
    CHECK(pid_of("b") == pid);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, PUPPETS + 1);
    cell_rig_end(&r);
}

/* ---- against a model ---- */

static uint32_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

/* What the model knows: the monitors that go on, and whom they are about. */
static struct model {
    natlet_pid pids[PUPPETS];
    uint32_t refs[64];
    uint32_t watched[64];
    uint32_t count;
} m;

static void forget(uint32_t i)
{
    m.count--;
    m.refs[i] = m.refs[m.count];
    m.watched[i] = m.watched[m.count];
}

/* Runs: a DOWN came for each monitor of one that is gone, and for no other. */
static void hear(void)
{
    uint32_t downs = 0;

    cell_rig_run(&r);
    for (const char *log = cell_rig_log(&r); (log = strstr(log, "a: down")) != NULL; log++) {
        downs++;
    }
    for (uint32_t i = 0; i < m.count;) {
        if (pid_of(p[m.watched[i]].name) != 0) {
            i++;
        } else {
            downs--;
            forget(i);
        }
    }
    CHECK_INT(downs, 0);
    CHECK_INT(waits(), m.count);
}

static void every_monitor_ends_once(void)
{
    for (uint32_t run = 0; run < 200; run++) {
        seed = run;
        begin_with(100, NULL);
        m.count = 0;
        for (uint32_t i = 0; i < PUPPETS; i++) {
            m.pids[i] = pid_of(p[i].name);
        }
        for (uint32_t step = 0; step < 60; step++) {
            uint32_t which = 1 + below(PUPPETS - 1);
            uint32_t dice = below(12);
            if (dice < 6) {
                CHECK(natlet_agent_monitor(r.cell, m.pids[0], m.pids[which], below(2),
                                           &m.refs[m.count]) == NATLET_OK);
                m.watched[m.count++] = which;
            } else if (dice < 9 && m.count > 0) {
                uint32_t i = below(m.count);
                CHECK(natlet_agent_demonitor(r.cell, m.pids[0], m.refs[i]) == NATLET_OK);
                forget(i);
            } else if (dice == 9 && pid_of(p[which].name) != 0) {
                (void)natlet_agent_exit(r.cell, m.pids[which],
                                        (natlet_reason){NATLET_EXIT_ERROR, 0});
                hear();
            } else if (dice == 10) {
                hear();
            }
        }
        hear();
        cell_rig_end(&r);
    }
}

int main(void)
{
    RUN(a_link_is_there_once);
    RUN(an_end_goes_through);
    RUN(a_link_has_its_places);
    RUN(the_table_of_waits_bounds_links);
    RUN(signals_are_for_one_incarnation);
    RUN(each_monitor_has_one_down);
    RUN(a_monitor_is_one_way);
    RUN(a_monitor_of_oneself_is_idle);
    RUN(a_dead_target_is_down_at_once);
    RUN(demonitor_takes_a_queued_down_back);
    RUN(a_ref_of_another_kind);
    RUN(down_can_wait_for_its_turn);
    RUN(downs_in_order_are_bounded);
    RUN(no_policy_drops_a_down);
    RUN(a_stash_does_not_pass_signals_on);
    RUN(the_pool_runs_out);
    RUN(a_name_is_free_when_its_end_is_heard);
    RUN(every_monitor_ends_once);
    return test_done();
}
