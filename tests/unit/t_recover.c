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
    CHECK(r.cell->run_first == agent && r.cell->run_last == agent);
    r.cell->run_first = NULL;
    r.cell->run_last = NULL;
    agent->is_queued = false;
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

/* Traps in init, on_mail or terminate, as the test says; runs for ever otherwise. */
typedef struct trapper {
    bool in_init, in_mail, in_terminate;
    uint32_t starts;
} trapper;

static trapper t;

static int32_t trapper_init(natlet_cell *cell, void *state, void *arg)
{
    (void)cell;
    CHECK(*(uint64_t *)state == 0); /* what a trap left behind is gone */
    *(uint64_t *)state = UINT64_MAX;
    t.starts++;
    if (t.in_init && arg == &t) {
        longjmp(host, 1);
    }
    cell_rig_note(&r, "started %u", (unsigned)t.starts);
    return NATLET_DONE;
}

static int32_t trapper_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    if (t.in_mail && mail->payload.len == 0) {
        longjmp(host, 1);
    }
    cell_rig_note(&r, "mail [%.*s]", (int)mail->payload.len, (const char *)mail->payload.ptr);
    return NATLET_DONE;
}

static void trapper_terminate(natlet_cell *cell, void *state, natlet_reason why)
{
    (void)cell;
    (void)state;
    cell_rig_note(&r, "terminate %s", natlet_exit_text(why.kind));
    if (t.in_terminate) {
        longjmp(host, 1);
    }
}

static const natlet_behaviour trapping = {.name = "trapper",
                                          .state_bytes = sizeof(uint64_t),
                                          .init = trapper_init,
                                          .on_mail = trapper_mail,
                                          .terminate = trapper_terminate};
static const natlet_child trap_children[] = {
    {.name = NATLET_TEXT("quiet"), .behaviour = &trapping},
    {.name = NATLET_TEXT("trapper"), .behaviour = &trapping, .arg = &t},
};
static const natlet_supervisor_spec trap_tree = {
    .intensity = 1000, .children = trap_children, .count = 2};

/* Runs as a host does: a trap unwinds to here, then comes recover. */
static uint32_t run_with_traps(void)
{
    volatile uint32_t traps = 0;

    if (setjmp(host) != 0) {
        traps++;
        CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
        natlet__runtime_recover(r.rt);
    }
    cell_rig_run(&r);
    return traps;
}

static void start_trappers(void)
{
    t = (trapper){0};
    cell_rig_init(&r, NULL);
    CHECK(natlet_supervisor_start(r.cell, &trap_tree, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
}

static void send_trapper(const char *payload)
{
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("trapper"),
                                 &(natlet_mail){.payload = cell_rig_text(payload)}) == NATLET_OK);
}

static void a_trap_in_on_mail(void)
{
    start_trappers();
    t.in_mail = true;
    send_trapper("before");
    send_trapper("");
    send_trapper("behind");
    CHECK_INT(run_with_traps(), 1);
    CHECK_TEXT(cell_rig_log(&r), "mail [before]\n"
                                 "dead letter trapper: the agent crashed on it [] trap\n"
                                 "started 3\nmail [behind]\n");
    cell_rig_end(&r);
}

static void a_trap_in_a_restart(void)
{
    start_trappers();
    t.in_init = true;
    t.in_mail = true;
    send_trapper("");
    CHECK_INT(run_with_traps(), 2000); /* placeholder, see below */
    cell_rig_end(&r);
}

#endif

int main(void)
{
    RUN(nothing_ran);
    RUN(the_blamed_agent_is_restarted);
    RUN(a_trap_in_the_kernel_is_the_end);
    return test_done();
}
