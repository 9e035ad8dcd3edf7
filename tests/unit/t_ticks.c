/* Goal: timers come in the order of their deadlines, once; those that go on say what they
 * skipped; each says how long it has left.
 *
 * Method: virtual time, which also jumps. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static natlet_pid pid;
static uint32_t token;

/* Logs its timers: "7" or "7 skipped 3"; keeps other mail. */
static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (mail->kind != NATLET_MAIL_TIMER) {
        return natlet_agent_later(cell, &token);
    }
    CHECK(mail->from == 0 && mail->status == NATLET_OK && mail->payload.len == 0);
    if (mail->seq == 0) {
        cell_rig_note(&r, "%u", (unsigned)mail->tag);
    } else {
        cell_rig_note(&r, "%u skipped %u", (unsigned)mail->tag, (unsigned)mail->seq);
    }
    return mail->tag == 99 ? NATLET_STOP : NATLET_DONE;
}

static void begin(uint16_t sys)
{
    static const natlet_behaviour ticking = {.name = "ticking", .on_mail = on_mail};
    static const natlet_supervisor_spec nobody = {.count = 0};
    const natlet_child child = {
        .name = NATLET_TEXT("t"), .behaviour = &ticking, .mailbox = {.sys = sys}};

    cell_rig_init(&r, NULL);
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    cell_rig_run(&r);
}

static uint32_t every(uint32_t ms, uint32_t tag)
{
    uint32_t ref = 0;

    CHECK(natlet_agent_send_every(r.cell, pid, ms, tag, &ref) == NATLET_OK);
    CHECK(ref != 0);
    return ref;
}

/* Time passes at once: the next turn comes late. */
static void jump(uint64_t ms)
{
    test_host_advance_ms(&r.host, ms);
    cell_rig_run(&r);
}

static void ticks_come_in_time(void)
{
    begin(0);
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    uint32_t requests = r.memory.requests;
    uint32_t ref = every(100, 7);
    cell_rig_wait_ms(&r, 99);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "");
    jump(1);
    CHECK_TEXT(cell_rig_log(&r), "7\n");
    for (int i = 0; i < 50; i++) {
        jump(100);
        CHECK_TEXT(cell_rig_log(&r), "7\n");
    }
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 1);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_OK);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_E_NOT_FOUND);
    jump(1000);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    CHECK_INT(r.memory.requests, requests);
    cell_rig_end(&r);
}

/* No burst: one tick, which says how many it stands for; and the beat is kept. */
static void late_ticks_are_skipped(void)
{
    begin(0);
    (void)every(100, 7);
    jump(100);
    CHECK_TEXT(cell_rig_log(&r), "7\n");
    jump(350);
    CHECK_TEXT(cell_rig_log(&r), "7 skipped 2\n");
    jump(49);
    CHECK_TEXT(cell_rig_log(&r), "");
    jump(1);
    CHECK_TEXT(cell_rig_log(&r), "7\n");
    jump(199);
    CHECK_TEXT(cell_rig_log(&r), "7\n"); /* one is due, 99 ms late */
    jump(86400000);
    CHECK_TEXT(cell_rig_log(&r), "7 skipped 863999\n");
    cell_rig_end(&r);
}

/* The agent is busy: one tick waits, the others are skipped. */
static void ticks_do_not_pile_up(void)
{
    begin(0);
    (void)every(100, 7);
    (void)cell_rig_tell(&r, "t", "keep");
    for (int i = 0; i < 5; i++) {
        jump(100);
    }
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK(natlet_cell_settle(r.cell, pid, token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "7\n");
    jump(100);
    CHECK_TEXT(cell_rig_log(&r), "7 skipped 4\n");
    jump(100);
    CHECK_TEXT(cell_rig_log(&r), "7\n");
    cell_rig_end(&r);
}

/* Two share a lane with one place to spare. */
static void ticks_without_a_place_are_skipped(void)
{
    begin(3);
    (void)every(100, 1);
    (void)every(100, 2);
    CHECK(natlet_agent_send_every(r.cell, pid, 0, 3, NULL) == NATLET_E_INVALID);
    (void)cell_rig_tell(&r, "t", "keep");
    jump(100);
    CHECK(natlet_cell_settle(r.cell, pid, token, NATLET_DONE) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "1\n");
    (void)every(1000, 3); /* no place is left */
    CHECK(natlet_agent_send_every(r.cell, pid, 5, 4, NULL) == NATLET_E_FULL);
    jump(100);
    CHECK_TEXT(cell_rig_log(&r), "");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 3);
    cell_rig_end(&r);
}

static void ticks_end_with_their_agent(void)
{
    begin(0);
    uint32_t ref = every(100, 99);
    (void)every(50, 1);
    jump(100);
    CHECK_TEXT(cell_rig_log(&r), "1 skipped 1\n99\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_E_NOT_FOUND);
    CHECK(natlet_agent_send_every(r.cell, pid, 5, 1, &ref) == NATLET_E_NO_AGENT && ref == 0);
    CHECK(natlet_agent_send_every(r.cell, r.root, 5, 1, &ref) == NATLET_E_NO_AGENT);
    cell_rig_end(&r);
}

static void late_timers_come_in_order(void)
{
    begin(0);
    static const uint32_t delays[] = {50, 10, 40, 20, 30, 20};
    for (uint32_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        CHECK(natlet_agent_send_after(r.cell, pid, delays[i], delays[i] + i, NULL) == NATLET_OK);
    }
    jump(3600000);
    CHECK_TEXT(cell_rig_log(&r), "11\n23\n25\n34\n42\n50\n");
    cell_rig_end(&r);
}

static uint32_t left_of(uint32_t ref)
{
    uint32_t left;

    CHECK(natlet_agent_time_left(r.cell, ref, &left) == NATLET_OK);
    return left;
}

static void timers_say_what_is_left(void)
{
    uint32_t ref;
    uint32_t left;

    begin(0);
    CHECK(natlet_agent_send_after(r.cell, pid, 100, 5, &ref) == NATLET_OK);
    CHECK_INT(left_of(ref), 100);
    cell_rig_wait_ms(&r, 30);
    cell_rig_run(&r);
    CHECK_INT(left_of(ref), 70);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_OK);
    CHECK(natlet_agent_time_left(r.cell, ref, &left) == NATLET_E_NOT_FOUND && left == 0);
    CHECK(natlet_agent_time_left(r.cell, 0, &left) == NATLET_E_NOT_FOUND);
    ref = every(40, 6);
    jump(10);
    CHECK_INT(left_of(ref), 30);
    jump(35);
    CHECK_INT(left_of(ref), 35);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(ticks_come_in_time);
    RUN(late_ticks_are_skipped);
    RUN(ticks_do_not_pile_up);
    RUN(ticks_without_a_place_are_skipped);
    RUN(ticks_end_with_their_agent);
    RUN(late_timers_come_in_order);
    RUN(timers_say_what_is_left);
    return test_done();
}
