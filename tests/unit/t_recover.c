/* Goal: a trap in a handler crashes that agent and nobody else; a trap anywhere else
 * is never mistaken for one.
 *
 * Method: a handler leaves by longjmp, as a trap unwinds the stack, and the test does
 * what a host does: natlet_cell_recover, then the next turn.  In WebAssembly, which
 * has no longjmp here, the same is shown by hand: the cell is put where a trap leaves
 * it.  (Real traps: the tests of the modules.) */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;

static void nothing_ran(void)
{
    cell_rig_init(&r, NULL);
    CHECK(natlet_cell_recover(r.cell) == NATLET_E_POISONED);
    cell_rig_end(&r);
}

/* ---- by hand ---- */

static void begin(void)
{
    static puppet p[2];

    cell_rig_init(&r, NULL);
    p[0] = (puppet){.name = "a"};
    p[1] = (puppet){.name = "b"};
    cell_rig_tree(&r, p, 2);
    (void)cell_rig_log(&r);
}

/* Puts the cell where a trap in the on_mail of `name` leaves it. */
static natlet__agent *trap_in(const char *name)
{
    natlet__agent *agent = natlet__registry_find(r.cell, cell_rig_text(name));

    CHECK(natlet_agent_send(r.cell, agent->pid, &(natlet_mail){.payload = cell_rig_text("bad")}) ==
          NATLET_OK);
    CHECK(r.cell->ready.next == &agent->turn && r.cell->ready.prev == &agent->turn);
    natlet__list_cut(&agent->turn);
    agent->mail = natlet__mailbox_take(&agent->mailbox);
    r.cell->running = agent;
    r.cell->locked = 0;
    return agent;
}

static void the_blamed_agent_is_restarted(void)
{
    begin();
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    natlet_pid old = trap_in("a")->pid;
    CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
    CHECK(natlet_cell_recover(r.cell) == NATLET_E_POISONED); /* there was one trap */
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: the agent crashed on it [bad] trap\n");
    CHECK(cell_rig_find(&r, "a") == 0);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start a 2\n");
    CHECK(cell_rig_find(&r, "a") != 0 && cell_rig_find(&r, "a") != old);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    CHECK(cell_rig_tell(&r, "a", "hi") == NATLET_OK && cell_rig_tell(&r, "b", "hi") == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "a: hi\nb: hi\n");
    cell_rig_end(&r);
}

static void a_trap_in_the_kernel_is_the_end(void)
{
    begin();
    natlet__agent *agent = trap_in("a");
    r.cell->locked = 1; /* in a function that the handler called */
    CHECK(natlet_cell_recover(r.cell) == NATLET_E_POISONED);
    CHECK_TEXT(cell_rig_log(&r), "");
    natlet__mail_free(r.cell, agent->mail);
    r.cell->running = NULL;
    cell_rig_end(&r);
}

#ifndef __wasm__

/* ---- by longjmp ---- */

#include <setjmp.h>

static jmp_buf host;

/* How many of the next calls trap. */
typedef struct traps {
    uint32_t init, mail, terminate;
} traps;

static traps left;

static void trap_if(uint32_t *count, const void *arg)
{
    if (arg != NULL && *count > 0) {
        --*count;
        longjmp(host, 1);
    }
}

/* Only the agent with an argument traps. */
typedef struct trapper {
    void *arg;
    uint64_t dirt;
} trapper;

static int32_t trapper_init(natlet_cell *cell, void *state, void *arg)
{
    trapper *t = state;

    (void)cell;
    CHECK(t->arg == NULL && t->dirt == 0); /* what a trap left behind is gone */
    *t = (trapper){arg, UINT64_MAX};
    trap_if(&left.init, arg);
    cell_rig_note(&r, "start %s", arg != NULL ? "trapper" : "quiet");
    return NATLET_DONE;
}

static int32_t trapper_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    const trapper *t = state;

    (void)cell;
    trap_if(&left.mail, t->arg);
    cell_rig_note(&r, "mail [%.*s]", (int)mail->payload.len, (const char *)mail->payload.ptr);
    return mail->payload.len == 4 ? -1 : NATLET_DONE;
}

static void trapper_terminate(natlet_cell *cell, void *state, natlet_reason why)
{
    const trapper *t = state;

    (void)cell;
    cell_rig_note(&r, "terminate %s", natlet_exit_text(why.kind));
    trap_if(&left.terminate, t->arg);
}

static const natlet_behaviour trapping = {.name = "trapper",
                                          .state_bytes = sizeof(trapper),
                                          .init = trapper_init,
                                          .on_mail = trapper_mail,
                                          .terminate = trapper_terminate};
static const natlet_child pair[] = {
    {.name = NATLET_TEXT("quiet"), .behaviour = &trapping},
    {.name = NATLET_TEXT("trapper"), .behaviour = &trapping, .arg = &left},
};
static const natlet_supervisor_spec tree = {.intensity = 1000, .children = pair, .count = 2};
static const natlet_child nest[] = {{.name = NATLET_TEXT("inner"), .supervisor = &tree}};
static const natlet_supervisor_spec outer = {.intensity = 1000, .children = nest, .count = 1};

/* Starts a tree and runs as a host does: a trap unwinds to here, then comes recover.
 * Answers how many traps there were. */
static uint32_t run(const natlet_supervisor_spec *spec)
{
    static const natlet_supervisor_spec *todo;
    static uint32_t trapped;

    todo = spec;
    trapped = 0;
    if (setjmp(host) != 0) {
        trapped++;
        CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
        natlet__runtime_recover(r.rt);
    }
    if (todo != NULL) {
        const natlet_supervisor_spec *now = todo;
        todo = NULL;
        CHECK(natlet_supervisor_start(r.cell, now, &r.root) == NATLET_OK);
    }
    cell_rig_run(&r);
    return trapped;
}

static void start_trappers(const natlet_supervisor_spec *spec)
{
    left = (traps){0};
    cell_rig_init(&r, NULL);
    CHECK_INT(run(spec), 0);
    CHECK_TEXT(cell_rig_log(&r), "start quiet\nstart trapper\n");
}

static void send_trapper(const char *payload)
{
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("trapper"),
                                 &(natlet_mail){.payload = cell_rig_text(payload)}) == NATLET_OK);
}

#define DEAD "dead letter trapper: the agent crashed on it "

static void a_trap_in_on_mail(void)
{
    start_trappers(&tree);
    send_trapper("bad");
    send_trapper("behind");
    left.mail = 1;
    CHECK_INT(run(NULL), 1);
    CHECK_TEXT(cell_rig_log(&r), DEAD "[bad] trap\nstart trapper\nmail [behind]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 1);
    cell_rig_end(&r);
}

static void traps_in_a_restart(void)
{
    start_trappers(&tree);
    send_trapper("bad");
    left.mail = 1;
    left.init = 2;
    CHECK_INT(run(NULL), 3);
    CHECK_TEXT(cell_rig_log(&r), DEAD "[bad] trap\nstart trapper\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 3); /* each attempt counts */
    cell_rig_end(&r);
}

/* The first start of a tree, of one in another, and of an added child. */
static void traps_in_a_first_start(void)
{
    static const natlet_supervisor_spec *const specs[] = {&tree, &outer};

    for (int i = 0; i < 2; i++) {
        left = (traps){.init = 1};
        cell_rig_init(&r, NULL);
        CHECK_INT(run(specs[i]), 1);
        CHECK_TEXT(cell_rig_log(&r), "start quiet\nterminate shutdown\n");
        CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
        CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
        CHECK_INT(run(specs[i]), 0);
        CHECK_TEXT(cell_rig_log(&r), "start quiet\nstart trapper\n");
        cell_rig_end(&r);
    }
    natlet_child child = {.behaviour = &trapping, .arg = &left};
    natlet_pid pid;
    start_trappers(&tree);
    left.init = 1;
    if (setjmp(host) == 0) {
        (void)natlet_supervisor_add(r.cell, r.root, &child, &pid);
        CHECK(false);
    }
    CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 3);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    cell_rig_end(&r);
}

static void traps_in_terminate(void)
{
    start_trappers(&outer);
    send_trapper("fail"); /* an error, and then a trap on the way out */
    left.terminate = 1;
    CHECK_INT(run(NULL), 1);
    CHECK_TEXT(cell_rig_log(&r),
               "mail [fail]\n" DEAD "[fail] error\nterminate error\nstart trapper\n");
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    left.terminate = 1;
    CHECK_INT(run(NULL), 1);
    CHECK_TEXT(cell_rig_log(&r), "terminate shutdown\nterminate shutdown\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

/* In a start of the group what stands behind waits for the next try; in a stop of it
 * the others are stopped all the same. */
static void traps_in_a_group(void)
{
    static const natlet_child three[] = {
        {.name = NATLET_TEXT("quiet"), .behaviour = &trapping},
        {.name = NATLET_TEXT("trapper"), .behaviour = &trapping, .arg = &left},
        {.name = NATLET_TEXT("last"), .behaviour = &trapping},
    };
    static const natlet_supervisor_spec group = {
        .strategy = NATLET_ONE_FOR_ALL, .children = three, .count = 3};
    const natlet_mail fail = {.payload = cell_rig_text("fail")};

    left = (traps){0};
    cell_rig_init(&r, NULL);
    CHECK_INT(run(&group), 0);
    CHECK_TEXT(cell_rig_log(&r), "start quiet\nstart trapper\nstart quiet\n");
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("quiet"), &fail) == NATLET_OK);
    left = (traps){.init = 1, .terminate = 1};
    CHECK_INT(run(NULL), 2);
    CHECK_TEXT(cell_rig_log(&r),
               "mail [fail]\ndead letter quiet: the agent crashed on it [fail] error\n"
               "terminate error\nterminate shutdown\nterminate shutdown\n"
               "start quiet\nterminate shutdown\n" /* and again */
               "start quiet\nstart trapper\nstart quiet\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 4);
    cell_rig_end(&r);
}

/* Two things went wrong inside each other: that is not tried. */
static void check_poisoned(const natlet_supervisor_spec *spec)
{
    left = (traps){.terminate = 1};
    cell_rig_init(&r, NULL);
    if (setjmp(host) == 0) {
        (void)natlet_supervisor_start(r.cell, spec, &r.root);
        CHECK(false);
    }
    CHECK(natlet_cell_recover(r.cell) == NATLET_E_POISONED);
    r.cell->running = NULL;
    cell_rig_end(&r);
}

static void a_trap_while_a_start_is_undone(void)
{
    static const natlet_child twin[] = {{.name = NATLET_TEXT("twin"), .behaviour = &trapping},
                                        {.name = NATLET_TEXT("twin"), .behaviour = &trapping}};
    static const natlet_supervisor_spec twins = {.children = twin, .count = 2};
    static const natlet_child children[] = {{.behaviour = &trapping, .arg = &left},
                                            {.supervisor = &twins}};
    static const natlet_child deeper[] = {{.supervisor = &tree}, {.supervisor = &twins}};

    check_poisoned(&(natlet_supervisor_spec){.children = children, .count = 2});
    check_poisoned(&(natlet_supervisor_spec){.children = deeper, .count = 2});
}

static void many_traps_leak_nothing(void)
{
    start_trappers(&tree);
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    uint32_t requests = r.memory.requests;
    for (int i = 0; i < 20000; i++) {
        send_trapper("bad");
        left.mail = 1;
        CHECK(run(NULL) == 1);
        test_host_advance_ms(&r.host, 6);
        (void)cell_rig_log(&r);
    }
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 20000);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    CHECK_INT(r.memory.requests, requests);
    cell_rig_end(&r);
}

static void run_real_ones(void)
{
    RUN(a_trap_in_on_mail);
    RUN(traps_in_a_restart);
    RUN(traps_in_a_first_start);
    RUN(traps_in_terminate);
    RUN(traps_in_a_group);
    RUN(a_trap_while_a_start_is_undone);
    RUN(many_traps_leak_nothing);
}

#else

static void run_real_ones(void)
{
}

#endif

int main(void)
{
    RUN(nothing_ran);
    RUN(the_blamed_agent_is_restarted);
    RUN(a_trap_in_the_kernel_is_the_end);
    run_real_ones();
    return test_done();
}
