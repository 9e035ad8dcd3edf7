/* Goal: each exit signal does to each kind of agent what the table of natlet/link.h says.
 *
 * Method: the whole table.  Agent b ends for each reason, or is gone, or signals; agent a
 * traps exits or not; what then became of a is one text. */
#include "agent/kernel.h"
#include "natlet/link.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static puppet p[3];

static natlet_pid pid_of(const char *name)
{
    return cell_rig_find(&r, name);
}

static void begin(void)
{
    static natlet_child children[3];
    static natlet_supervisor_spec tree;

    cell_rig_init(&r, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};
        p[i] = (puppet){.rig = &r, .name = names[i]};
        children[i] = puppet_child(&p[i], NATLET_TEMPORARY);
    }
    tree = (natlet_supervisor_spec){.children = children, .count = 3};
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
}

static void end_b(natlet_exit_kind kind)
{
    natlet__agent *b = natlet__registry_at(r.cell, pid_of("b"));

    if (kind == NATLET_EXIT_TRAP) { /* where a trap in its handler leaves the cell */
        r.cell->running = b;
        r.cell->locked = 0;
        CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
        return;
    }
    CHECK(natlet_agent_exit(r.cell, b->pid,
                            (natlet_reason){kind, kind == NATLET_EXIT_ERROR ? -7 : 0}) ==
          NATLET_OK);
}

typedef struct row {
    natlet_exit_kind kind;
    const char *trapped, *plain; /* what a then logs, and how it ended */
    const char *exit;
} row;

/* ---- from a link ---- */

static const row by_link[] = {
    {NATLET_EXIT_NORMAL, "a: exit of b, normal 0\n", "", NULL},
    {NATLET_EXIT_SHUTDOWN, "a: exit of b, shutdown 0\n", "stop a\n", "shutdown"},
    {NATLET_EXIT_ERROR, "a: exit of b, error -7\n", "end a error\n", "error"},
    {NATLET_EXIT_TRAP, "a: exit of b, trap -99\n", "end a trap\n", "trap"},
    {NATLET_EXIT_KILLED, "a: exit of b, killed 0\n", "end a killed\n", "killed"},
};

/* What was logged, without what b itself said of its end. */
static const char *log_of_a(void)
{
    const char *log = cell_rig_log(&r);
    const char *line = strstr(log, " b");

    return line != NULL && line - log <= 4 ? strchr(log, '\n') + 1 : log;
}

static void from_a_link(void)
{
    for (uint32_t i = 0; i < sizeof by_link / sizeof *by_link; i++) {
        for (int traps = 0; traps <= 1; traps++) {
            for (int reversed = 0; reversed <= 1; reversed++) { /* links are symmetric */
                const row *want = &by_link[i];
                begin();
                natlet_pid a = pid_of("a");
                natlet_pid b = pid_of("b");
                CHECK(natlet_agent_trap_exits(r.cell, a, traps) == NATLET_OK);
                CHECK(natlet_agent_link(r.cell, reversed ? b : a, reversed ? a : b) == NATLET_OK);
                CHECK_INT(natlet_cell_stats_now(r.cell).waits, 2);
                end_b(want->kind);
                cell_rig_run(&r);
                CHECK_TEXT(log_of_a(), traps ? want->trapped : want->plain);
                CHECK((pid_of("a") == a) == (traps || want->exit == NULL));
                CHECK(pid_of("b") == 0 && pid_of("c") != 0);
                CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
                cell_rig_end(&r);
            }
        }
    }
}

static void from_one_that_was_gone(void)
{
    for (int traps = 0; traps <= 1; traps++) {
        begin();
        natlet_pid b = pid_of("b");
        end_b(NATLET_EXIT_NORMAL);
        cell_rig_run(&r);
        (void)cell_rig_log(&r);
        CHECK(natlet_agent_trap_exits(r.cell, pid_of("a"), traps) == NATLET_OK);
        CHECK(natlet_agent_link(r.cell, pid_of("a"), b) == NATLET_OK);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), traps ? "a: exit of b, noproc -96\n" : "end a noproc\n");
        CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
        cell_rig_end(&r);
    }
}

/* ---- sent ---- */

static const row sent[] = {
    {NATLET_EXIT_NORMAL, "a: exit of nobody, normal 0\n", "", NULL},
    {NATLET_EXIT_SHUTDOWN, "a: exit of nobody, shutdown 0\n", "stop a\n", "shutdown"},
    {NATLET_EXIT_ERROR, "a: exit of nobody, error -9\n", "end a error\n", "error"},
    {NATLET_EXIT_KILLED, "", "", "killed"}, /* untrappable, and no terminate */
};

static void from_outside(void)
{
    for (uint32_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        for (int traps = 0; traps <= 1; traps++) {
            const row *want = &sent[i];
            natlet_reason why = {want->kind, want->kind == NATLET_EXIT_ERROR ? -9 : 0};
            begin();
            natlet_pid a = pid_of("a");
            bool dies = want->exit != NULL && (!traps || want->kind == NATLET_EXIT_KILLED);
            CHECK(natlet_agent_trap_exits(r.cell, a, traps) == NATLET_OK);
            CHECK(natlet_agent_signal(r.cell, a, why) == NATLET_OK);
            cell_rig_run(&r);
            CHECK_TEXT(cell_rig_log(&r), traps ? want->trapped : want->plain);
            CHECK((pid_of("a") == 0) == dies);
            cell_rig_end(&r);
        }
    }
}

/* KILL by one is KILLED for those who are linked: they can trap it. */
static void a_kill_is_seen_as_killed(void)
{
    begin();
    CHECK(natlet_agent_link(r.cell, pid_of("a"), pid_of("b")) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, pid_of("b"), pid_of("c")) == NATLET_OK);
    CHECK(natlet_agent_trap_exits(r.cell, pid_of("a"), true) == NATLET_OK);
    CHECK(natlet_agent_trap_exits(r.cell, pid_of("b"), true) == NATLET_OK);
    CHECK(natlet_agent_signal(r.cell, pid_of("b"), (natlet_reason){NATLET_EXIT_KILLED, 5}) ==
          NATLET_OK);
    cell_rig_run(&r);
    const char *log = cell_rig_log(&r);
    CHECK_TEXT(log, "end c killed\na: exit of b, killed 5\n");
    cell_rig_end(&r);
}

/* ---- by the parent ---- */

/* A supervisor stops its child, traps or not, linked or not: terminate, no mail. */
static void from_the_parent(void)
{
    for (int traps = 0; traps <= 1; traps++) {
        begin();
        CHECK(natlet_agent_trap_exits(r.cell, pid_of("a"), traps) == NATLET_OK);
        CHECK(natlet_agent_link(r.cell, pid_of("a"), r.root) == NATLET_OK);
        CHECK_INT(natlet_cell_stats_now(r.cell).waits, 1); /* its end is none to a supervisor */
        CHECK(natlet_supervisor_terminate(r.cell, r.root, cell_rig_text("a")) == NATLET_OK);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "stop a\n");
        CHECK(pid_of("b") != 0 && natlet_cell_stats_now(r.cell).waits == 0);
        CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
        cell_rig_run(&r);
        CHECK_TEXT(cell_rig_log(&r), "stop c\nstop b\n");
        cell_rig_end(&r);
    }
}

static void the_end_of_a_supervisor_is_a_signal(void)
{
    static puppet q = {.rig = &r, .name = "q"};
    static natlet_supervisor_spec other;
    static natlet_child child;
    natlet_pid tree;

    begin();
    child = puppet_child(&q, NATLET_PERMANENT);
    other = (natlet_supervisor_spec){.children = &child, .count = 1};
    q.starts = 0;
    CHECK(natlet_supervisor_start(r.cell, &other, &tree) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, pid_of("a"), tree) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, tree, pid_of("a")) == NATLET_E_NO_AGENT);
    (void)cell_rig_log(&r);
    CHECK(natlet_supervisor_stop(r.cell, tree) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "stop q\nstop a\n");
    cell_rig_end(&r);
}

/* ---- of itself ---- */

typedef struct own {
    natlet_reason why;
    bool traps;
} own;

static int32_t own_init(natlet_cell *cell, void *state, void *arg)
{
    *(own **)state = arg;
    return natlet_agent_trap_exits(cell, natlet_agent_self(cell), ((own *)arg)->traps);
}

static int32_t own_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    own *o = *(own **)state;

    if (mail->kind == NATLET_MAIL_EXIT) {
        CHECK(mail->from == natlet_agent_self(cell) && mail->from == mail->to);
        cell_rig_note(&r, "own exit %s", natlet_exit_text(natlet_mail_reason(mail).kind));
        return NATLET_DONE;
    }
    return natlet_agent_signal(cell, natlet_agent_self(cell), o->why);
}

static void own_end(natlet_cell *cell, void *state, natlet_reason why)
{
    (void)cell;
    (void)state;
    cell_rig_note(&r, "own end %s", natlet_exit_text(why.kind));
}

static const natlet_behaviour selfish = {.name = "selfish",
                                         .state_bytes = sizeof(own *),
                                         .init = own_init,
                                         .on_mail = own_mail,
                                         .terminate = own_end};

static void of_itself(void)
{
    static const row rows[] = {
        {NATLET_EXIT_NORMAL, "own exit normal\n", "own end normal\n", "normal"},
        {NATLET_EXIT_SHUTDOWN, "own exit shutdown\n", "own end shutdown\n", "shutdown"},
        {NATLET_EXIT_ERROR, "own exit error\n", "own end error\n", "error"},
        {NATLET_EXIT_KILLED, "", "", "killed"},
    };
    static own o;
    static natlet_child child;

    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int traps = 0; traps <= 1; traps++) {
            natlet_pid pid;
            begin();
            o = (own){{rows[i].kind, 0}, traps};
            child = (natlet_child){.behaviour = &selfish, .arg = &o, .restart = NATLET_TEMPORARY};
            CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
            CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){0}) == NATLET_OK);
            natlet__agent *agent = natlet__registry_at(r.cell, pid);
            CHECK(agent != NULL);
            cell_rig_run(&r);
            CHECK_TEXT(cell_rig_log(&r), traps ? rows[i].trapped : rows[i].plain);
            natlet_agent_info info;
            bool is_there = natlet_agent_info_of(r.cell, pid, &info) == NATLET_OK;
            CHECK(is_there == (traps && rows[i].kind != NATLET_EXIT_KILLED));
            cell_rig_end(&r);
        }
    }
}

/* ---- when ---- */

/* Who keeps a mail takes signals when it is settled; the first one counts. */
static void the_busy_take_signals_later(void)
{
    begin();
    CHECK(natlet_agent_link(r.cell, pid_of("a"), pid_of("b")) == NATLET_OK);
    (void)cell_rig_tell(&r, "a", "later");
    end_b(NATLET_EXIT_ERROR);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end b error\n");
    CHECK(natlet_agent_signal(r.cell, pid_of("a"), (natlet_reason){NATLET_EXIT_SHUTDOWN, 0}) ==
          NATLET_OK);
    CHECK(natlet_cell_settle(r.cell, pid_of("a"), p[0].token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end a error\n");
    cell_rig_end(&r);
}

/* A signal that came before the supervisor's order is the reason. */
static void the_first_signal_counts(void)
{
    begin();
    CHECK(natlet_agent_signal(r.cell, pid_of("a"), (natlet_reason){NATLET_EXIT_ERROR, -9}) ==
          NATLET_OK);
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end a error\nstop c\nstop b\n");
    cell_rig_end(&r);
    begin(); /* the supervisor's turn is first, its order is not */
    natlet_pid a = pid_of("a");
    CHECK(natlet_supervisor_terminate(r.cell, r.root, cell_rig_text("a")) == NATLET_OK);
    CHECK(natlet_agent_signal(r.cell, a, (natlet_reason){NATLET_EXIT_ERROR, -9}) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end a error\n");
    cell_rig_end(&r);
}

/* What a restarted agent was told before is not told to it. */
static void an_incarnation_begins_anew(void)
{
    begin();
    natlet__agent *a = natlet__registry_at(r.cell, pid_of("a"));
    a->child.restart = NATLET_PERMANENT;
    CHECK(natlet_agent_trap_exits(r.cell, a->pid, true) == NATLET_OK);
    CHECK(natlet_agent_link(r.cell, a->pid, pid_of("b")) == NATLET_OK);
    CHECK(natlet_agent_exit(r.cell, pid_of("c"), (natlet_reason){NATLET_EXIT_NORMAL, 0}) ==
          NATLET_OK);
    (void)cell_rig_tell(&r, "a", "normal");
    CHECK_TEXT(cell_rig_log(&r), "end c normal\ndie a normal\nend a normal\nstart a 2\n");
    CHECK(!a->traps_exits && pid_of("b") != 0);
    end_b(NATLET_EXIT_ERROR);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end b error\n");
    CHECK(pid_of("a") != 0);
    cell_rig_end(&r);
}

static void nonsense_is_refused(void)
{
    const natlet_reason error = {NATLET_EXIT_ERROR, -1};

    begin();
    natlet_pid a = pid_of("a");
    natlet_pid gone = (natlet_pid)999 << NATLET_PID_SLOT_BITS;
    CHECK(natlet_agent_trap_exits(r.cell, gone, true) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_trap_exits(r.cell, r.root, true) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_signal(r.cell, gone, error) == NATLET_E_NO_AGENT);
    CHECK(natlet_agent_signal(r.cell, r.root, error) == NATLET_E_INVALID);
    CHECK(natlet_agent_signal(r.cell, a, (natlet_reason){NATLET_EXIT_TRAP, 0}) == NATLET_E_INVALID);
    CHECK(natlet_agent_signal(r.cell, a, (natlet_reason){NATLET_EXIT_NO_AGENT, 0}) ==
          NATLET_E_INVALID);
    CHECK(natlet_agent_trap_exits(r.cell, a, true) == NATLET_OK);
    for (uint32_t i = 0; i < NATLET_MAILBOX_SYS_DEFAULT; i++) {
        CHECK(natlet_agent_signal(r.cell, a, error) == NATLET_OK);
    }
    CHECK(natlet_agent_signal(r.cell, a, error) == NATLET_E_FULL);
    cell_rig_run(&r);
    CHECK(natlet_agent_signal(r.cell, a, error) == NATLET_OK);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(from_a_link);
    RUN(from_one_that_was_gone);
    RUN(from_outside);
    RUN(a_kill_is_seen_as_killed);
    RUN(from_the_parent);
    RUN(the_end_of_a_supervisor_is_a_signal);
    RUN(of_itself);
    RUN(the_busy_take_signals_later);
    RUN(the_first_signal_counts);
    RUN(an_incarnation_begins_anew);
    RUN(nonsense_is_refused);
    return test_done();
}
