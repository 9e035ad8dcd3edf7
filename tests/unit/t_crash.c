/* Goal: who runs an agent's code elsewhere can crash it, by the rules of any crash, with
 * the mail in its hands as the dead letter, and nothing but an agent.
 *
 * Method: puppets that keep a mail, or are idle, are crashed from outside; the log says
 * what followed. */
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static puppet p[2];

static const natlet_reason fuel = {NATLET_EXIT_FUEL, NATLET_E_TIMEOUT};
static const natlet_reason memory = {NATLET_EXIT_MEMORY, NATLET_E_NO_MEMORY};

static void begin(void)
{
    cell_rig_init(&r, NULL);
    p[0] = (puppet){.name = "a"};
    p[1] = (puppet){.name = "b"};
    cell_rig_tree(&r, p, 2);
    (void)cell_rig_log(&r);
}

static natlet_status crash(const char *name, natlet_reason why)
{
    return natlet_cell_crash(r.cell, cell_rig_find(&r, name), why);
}

static void the_mail_in_its_hands_is_blamed(void)
{
    begin();
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    natlet_pid old = cell_rig_find(&r, "a");
    CHECK(cell_rig_tell(&r, "a", "later") == NATLET_OK);
    CHECK(cell_rig_tell(&r, "a", "behind") == NATLET_OK);
    (void)cell_rig_log(&r);
    CHECK_INT(natlet_cell_queued(r.cell), 2);
    CHECK(crash("a", fuel) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "dead letter a: the agent crashed on it [later] fuel\n");
    CHECK(natlet_cell_crash(r.cell, old, fuel) == NATLET_E_NO_AGENT);
    CHECK(natlet_cell_settle(r.cell, old, p[0].token, NATLET_DONE) == NATLET_E_NO_AGENT);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start a 2\na: behind\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_CRASHED], 1);
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 1);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    CHECK_INT(natlet_cell_queued(r.cell), 0);
    cell_rig_end(&r);
}

/* After settle the mail is still in its hands, until its turn. */
static void a_settled_mail_is_not_settled_twice(void)
{
    begin();
    CHECK(cell_rig_tell(&r, "a", "later") == NATLET_OK);
    CHECK(natlet_cell_settle(r.cell, cell_rig_find(&r, "a"), p[0].token, NATLET_DONE) == NATLET_OK);
    CHECK(crash("a", fuel) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 1);
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, 0);
    cell_rig_end(&r);
}

static void an_idle_agent_has_no_dead_letter(void)
{
    begin();
    CHECK(crash("b", memory) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "start b 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 0);
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(r.cell, cell_rig_find(&r, "b"), &info) == NATLET_OK);
    CHECK_INT(info.last_exit.kind, NATLET_EXIT_MEMORY);
    CHECK_INT(info.last_exit.code, NATLET_E_NO_MEMORY);
    CHECK_INT(info.restarts, 1);
    cell_rig_end(&r);
}

static void too_many_end_the_tree(void)
{
    begin();
    for (int i = 0; i < 4; i++) {
        CHECK(crash("a", fuel) == NATLET_OK);
        cell_rig_run(&r);
    }
    CHECK(cell_rig_find(&r, "a") == 0 && cell_rig_find(&r, "b") == 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

static natlet_status inside;

static int32_t crash_other(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    (void)mail;
    inside = natlet_cell_crash(cell, natlet_cell_find(cell, cell_rig_text("a")), fuel);
    return NATLET_DONE;
}

static void what_is_refused(void)
{
    static const natlet_behaviour meddling = {.name = "meddler", .on_mail = crash_other};
    const natlet_child child = {.name = NATLET_TEXT("meddler"), .behaviour = &meddling};
    natlet_pid pid;

    begin();
    CHECK(natlet_cell_crash(r.cell, 0, fuel) == NATLET_E_NO_AGENT);
    CHECK(natlet_cell_crash(r.cell, r.root, fuel) == NATLET_E_STATE);
    CHECK(crash("a", (natlet_reason){NATLET_EXIT_NORMAL, 0}) == NATLET_E_INVALID);
    CHECK(crash("a", (natlet_reason){NATLET_EXIT_SHUTDOWN, 0}) == NATLET_E_INVALID);
    CHECK(crash("a", (natlet_reason){(natlet_exit_kind)(NATLET_EXIT_FUEL + 1), -1}) ==
          NATLET_E_INVALID);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(cell_rig_tell(&r, "meddler", "go") == NATLET_OK);
    CHECK(inside == NATLET_E_STATE);
    CHECK(cell_rig_find(&r, "a") != 0);
    cell_rig_end(&r);
}

static void kinds_have_texts(void)
{
    CHECK_TEXT(natlet_exit_text(NATLET_EXIT_MEMORY), "mem");
    CHECK_TEXT(natlet_exit_text(NATLET_EXIT_FUEL), "fuel");
    CHECK_TEXT(natlet_exit_text((natlet_exit_kind)(NATLET_EXIT_FUEL + 1)), "unknown");
}

int main(void)
{
    RUN(the_mail_in_its_hands_is_blamed);
    RUN(a_settled_mail_is_not_settled_twice);
    RUN(an_idle_agent_has_no_dead_letter);
    RUN(too_many_end_the_tree);
    RUN(what_is_refused);
    RUN(kinds_have_texts);
    return test_done();
}
