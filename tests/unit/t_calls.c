/* Goal: a call ends once, whatever becomes of who was asked, and at once if that ends.
 *
 * Method: puppet a calls puppet b, which answers, keeps the call, or ends with the call
 * in its hands, in its mailbox, or behind it. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static puppet p[2];

#define GONE "a: reply, the agent is gone or was never there []\n"

static void begin(void)
{
    cell_rig_init(&r, NULL);
    p[0] = (puppet){.name = "a"};
    p[1] = (puppet){.name = "b"};
    cell_rig_tree(&r, p, 2);
    cell_rig_run(&r);
    (void)cell_rig_log(&r);
}

static natlet__agent *agent(const char *name)
{
    return natlet__registry_at(r.cell, cell_rig_find(&r, name));
}

static void end_b(natlet_exit_kind kind)
{
    CHECK(natlet_agent_exit(r.cell, agent("b")->pid, (natlet_reason){kind, 0}) == NATLET_OK);
    cell_rig_run(&r);
}

/* In its hands, by LATER. */
static void who_keeps_the_call_ends(void)
{
    begin();
    (void)cell_rig_tell(&r, "a", "call b later");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\n");
    end_b(NATLET_EXIT_KILLED);
    CHECK_TEXT(cell_rig_log(&r),
               "dead letter b: left over at the end [later]\n" GONE "start b 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 0);
    cell_rig_end(&r);
}

/* Queued: the caller hears at once; the mail itself survives, its answer is late. */
static void who_has_the_call_queued_ends(void)
{
    begin();
    (void)cell_rig_tell(&r, "b", "later");
    (void)cell_rig_tell(&r, "a", "call b reply 1");
    end_b(NATLET_EXIT_KILLED);
    CHECK_TEXT(cell_rig_log(&r),
               "a: called, done\n"
               "dead letter b: left over at the end [later]\n" GONE "start b 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 1);
    cell_rig_end(&r);
}

/* Handled, and not answered: nobody will answer any more. */
static void who_did_not_answer_ends(void)
{
    static const natlet_exit_kind kinds[] = {NATLET_EXIT_NORMAL, NATLET_EXIT_SHUTDOWN,
                                             NATLET_EXIT_ERROR, NATLET_EXIT_KILLED};

    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        begin();
        (void)cell_rig_tell(&r, "a", "call b silence");
        CHECK_INT(natlet_cell_stats_now(r.cell).waits, 1);
        CHECK(!natlet__list_is_empty(&agent("b")->waits));
        end_b(kinds[i]);
        CHECK(strstr(cell_rig_log(&r), GONE) != NULL);
        CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
        cell_rig_wait_ms(&r, 200);
        CHECK_TEXT(cell_rig_log(&r), "");
        cell_rig_end(&r);
    }
}

/* A call that is over has left who was asked. */
static void what_is_over_hangs_on_nobody(void)
{
    begin();
    natlet__agent *b = agent("b");
    (void)cell_rig_tell(&r, "a", "call b reply x");
    CHECK(natlet__list_is_empty(&b->waits));
    (void)cell_rig_tell(&r, "a", "call b silence");
    CHECK(natlet_agent_cancel(r.cell, p[0].ref) == NATLET_OK);
    CHECK(natlet__list_is_empty(&b->waits));
    (void)cell_rig_tell(&r, "a", "call b silence");
    cell_rig_wait_ms(&r, 100);
    cell_rig_run(&r);
    CHECK(natlet__list_is_empty(&b->waits));
    (void)cell_rig_tell(&r, "a", "call b silence");
    CHECK(natlet_agent_exit(r.cell, agent("a")->pid, (natlet_reason){NATLET_EXIT_NORMAL, 0}) ==
          NATLET_OK);
    cell_rig_run(&r);
    CHECK(natlet__list_is_empty(&b->waits));
    (void)cell_rig_log(&r);
    end_b(NATLET_EXIT_NORMAL);
    CHECK_TEXT(cell_rig_log(&r), "end b normal\nstart b 2\n");
    cell_rig_end(&r);
}

static void an_agent_can_call_itself_in_vain(void)
{
    begin();
    (void)cell_rig_tell(&r, "a", "call a silence");
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\na: silence\n");
    CHECK(natlet_agent_exit(r.cell, agent("a")->pid, (natlet_reason){NATLET_EXIT_NORMAL, 0}) ==
          NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "end a normal\nstart a 2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    cell_rig_end(&r);
}

/* ---- answers ---- */

/* Keeps calls and answers the mail in its hands, as often as it is asked. */
static natlet_mail *kept;
static uint32_t token;

static int32_t keep(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    kept = mail;
    return natlet_agent_later(cell, &token);
}

static void an_answer_can_come_later_and_once(void)
{
    static const natlet_behaviour keeping = {.name = "keeping", .on_mail = keep};
    static const natlet_child child = {.name = NATLET_TEXT("k"), .behaviour = &keeping};
    natlet_pid pid;

    begin();
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    (void)cell_rig_tell(&r, "a", "call k question");
    cell_rig_wait_ms(&r, 50);
    CHECK(natlet_agent_reply(r.cell, kept, cell_rig_text("one")) == NATLET_OK);
    CHECK(natlet_agent_reply(r.cell, kept, cell_rig_text("two")) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\na: reply, done [one]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 1);
    CHECK(natlet_cell_settle(r.cell, pid, token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);

    (void)cell_rig_tell(&r, "a", "call k question"); /* too late */
    cell_rig_wait_ms(&r, 100);
    cell_rig_run(&r);
    CHECK(natlet_agent_reply(r.cell, kept, cell_rig_text("three")) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\na: reply, the deadline passed []\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 2);
    cell_rig_end(&r);
}

/* The next call in the same slot is not answered by an old mail. */
static void an_old_call_does_not_answer_a_new_one(void)
{
    begin();
    (void)cell_rig_tell(&r, "b", "later");
    (void)cell_rig_tell(&r, "a", "call b reply old");
    cell_rig_wait_ms(&r, 100);
    cell_rig_run(&r);
    (void)cell_rig_tell(&r, "a", "call b reply new");
    CHECK(natlet_cell_settle(r.cell, agent("b")->pid, p[1].token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "a: called, done\na: reply, the deadline passed []\n"
                                 "a: called, done\na: reply, done [new]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).late, 1);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(who_keeps_the_call_ends);
    RUN(who_has_the_call_queued_ends);
    RUN(who_did_not_answer_ends);
    RUN(what_is_over_hangs_on_nobody);
    RUN(an_agent_can_call_itself_in_vain);
    RUN(an_answer_can_come_later_and_once);
    RUN(an_old_call_does_not_answer_a_new_one);
    return test_done();
}
