/* Goal: a crash is charged to the mail that caused it: the mail comes back, and after
 * `poison_after` crashes it is a dead letter, with a restart that counts for nothing.
 *
 * Method: workers that crash on mail that begins with "bad", in each way in which an agent
 * can crash, log each delivery with its attempt; texts are compared.  At random, the books
 * of the cell are held against what was sent. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

#ifndef __wasm__
#include <setjmp.h>
static jmp_buf out; /* of a handler, as a trap leaves it */
#endif

static cell_rig r;
static uint32_t token;
static uint32_t ref;

static int32_t work_begins(natlet_cell *cell, void *state, void *arg)
{
    (void)cell;
    (void)state;
    (void)arg;
    cell_rig_note(&r, "start");
    return NATLET_DONE;
}

static bool begins(const natlet_mail *mail, const char *text)
{
    size_t len = strlen(text);

    return mail->payload.len >= len && memcmp(mail->payload.ptr, text, len) == 0;
}

static int32_t act(natlet_cell *cell, natlet_mail *mail)
{
    natlet_pid self = natlet_agent_self(cell);

    if (begins(mail, "bad once")) {
        return mail->attempt == 1 ? -7 : NATLET_DONE;
    }
    if (begins(mail, "bad later")) {
        return natlet_agent_later(cell, &token);
    }
    if (begins(mail, "bad fill")) {
        while (natlet_agent_send(cell, self, &(natlet_mail){.payload = cell_rig_text("x")}) == 0) {
        }
    }
#ifndef __wasm__
    if (begins(mail, "bad trap")) {
        longjmp(out, 1);
    }
#endif
    if (begins(mail, "tick")) {
        return natlet_agent_send_after(cell, self, 10, 0, NULL);
    }
    if (begins(mail, "call")) {
        return natlet_agent_call(cell, natlet_cell_find(cell, cell_rig_text("w")),
                                 &(natlet_mail){.payload = cell_rig_text("bad call")}, 1000, &ref);
    }
    return begins(mail, "bad") ? -7 : NATLET_DONE;
}

static int32_t work(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (mail->kind == NATLET_MAIL_TIMER) {
        cell_rig_note(&r, "timer");
        return -8;
    }
    if (mail->kind == NATLET_MAIL_REPLY) {
        cell_rig_note(&r, "reply, %s", natlet_status_text(mail->status));
        return NATLET_DONE;
    }
    cell_rig_note(&r, "%.*s #%u", (int)mail->payload.len, (const char *)mail->payload.ptr,
                  (unsigned)mail->attempt);
    return act(cell, mail);
}

static void work_ends(natlet_cell *cell, void *state, natlet_reason why)
{
    (void)cell;
    (void)state;
    (void)why;
#ifndef __wasm__
    if (token == UINT32_MAX) { /* once */
        token = 0;
        longjmp(out, 1);
    }
#endif
}

static const natlet_behaviour working = {.name = "worker",
                                         .state_bytes = 8,
                                         .init = work_begins,
                                         .on_mail = work,
                                         .terminate = work_ends};

static natlet_child child;
static natlet_supervisor_spec spec;

static void begin(int32_t intensity, const natlet_shield *shield)
{
    cell_rig_init(&r, NULL);
    token = 0;
    child = (natlet_child){.name = NATLET_TEXT("w"), .behaviour = &working, .shield = shield};
    spec = (natlet_supervisor_spec){.intensity = intensity, .children = &child, .count = 1};
}

static void start(void)
{
    CHECK(natlet_supervisor_start(r.cell, &spec, &r.root) == NATLET_OK);
    (void)cell_rig_log(&r);
}

static void send(const char *text)
{
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("w"),
                                 &(natlet_mail){.payload = cell_rig_text(text)}) == NATLET_OK);
}

static void expect(const char *log)
{
    cell_rig_run(&r);
    const char *got = cell_rig_log(&r); /* what it returns is taken */
    CHECK_TEXT(got, log);
}

/* Everything that was delivered has come to an end, and the pool holds what it held. */
static void end(uint32_t queued)
{
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);

    CHECK_INT(stats.delivered, stats.handled + stats.dead_total + queued);
    (void)natlet_supervisor_stop(r.cell, r.root);
    cell_rig_run(&r);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

static const natlet_shield after_2 = {NATLET_WITH_SHIELD, .poison_after = 2};
static const natlet_shield after_3 = {NATLET_WITH_SHIELD, .poison_after = 3};

#define POISONED(text) "dead letter w: the agent crashed on it too often [" text "]\n"

static void a_bad_mail_among_good_ones(void)
{
    begin(1, &after_2);
    start();
    send("m1");
    send("bad");
    send("m2");
    send("m3");
    expect("m1 #1\nbad #1\nstart\nbad #2\n" POISONED("bad") "start\nm2 #1\nm3 #1\n");
    const natlet_dead_letter *letter = natlet_cell_dead_letter(r.cell, 0);
    CHECK(letter->reason == NATLET_DEAD_POISON && letter->exit.kind == NATLET_EXIT_ERROR);
    CHECK_INT(letter->exit.code, -7);
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 2);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_POISON], 1);
    end(0);
}

/* As OTP does it. */
static void without_shield_and_mailbox(void)
{
    begin(1, NULL);
    child.drop_mail = true;
    start();
    send("m1");
    send("bad");
    send("m2");
    send("m3");
    expect("m1 #1\nbad #1\ndead letter w: the agent crashed on it [bad] error\n"
           "dead letter w: dropped by a restart [m2]\ndead letter w: dropped by a restart [m3]\n"
           "start\n");
    end(0);
}

static void without_shield_at_once(void)
{
    static const natlet_shield after_0 = {NATLET_WITH_SHIELD};

    begin(1, &after_0);
    start();
    send("bad");
    send("m2");
    expect("bad #1\ndead letter w: the agent crashed on it [bad] error\nstart\nm2 #1\n");
    end(0);
}

/* Poison at the first crash: no restart counts, though none is allowed. */
static void poison_is_not_charged(void)
{
    static const natlet_shield after_1 = {NATLET_WITH_SHIELD, .poison_after = 1};

    begin(NATLET_NO_RESTART, &after_1);
    start();
    for (uint32_t i = 0; i < 50; i++) {
        send("bad");
        expect("bad #1\n" POISONED("bad") "start\n");
    }
    CHECK(natlet_cell_find(r.cell, cell_rig_text("w")) != 0);
    send("tick"); /* what is not the mail's fault is charged at once */
    cell_rig_wait_ms(&r, 10);
    expect("tick #1\ntimer\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

static void other_crashes_are_charged(void)
{
    begin(2, &after_3);
    start();
    send("bad");
    expect("bad #1\nstart\nbad #2\nstart\nbad #3\n" POISONED("bad") "start\n");
    send("bad 2");
    send("x");
    expect("bad 2 #1\ndead letter w: no such agent [bad 2]\ndead letter w: no such agent [x]\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0); /* the third within the period */
    cell_rig_end(&r);
}

static void poison_does_not_wait(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};

    begin(1000, &after_3);
    child.backoff = &backoff;
    start();
    send("bad");
    expect("bad #1\n");
    cell_rig_wait_ms(&r, 100);
    expect("start\nbad #2\n");
    cell_rig_wait_ms(&r, 199);
    expect("");
    cell_rig_wait_ms(&r, 1);
    expect("start\nbad #3\n" POISONED("bad") "start\n");
    send("bad other");
    expect("bad other #1\n");
    cell_rig_wait_ms(&r, 399); /* the third delay, not the fourth */
    expect("");
    cell_rig_wait_ms(&r, 1);
    expect("start\nbad other #2\n");
    end(1);
}

static void it_comes_before_all_but_timers(void)
{
    begin(10, &after_2);
    child.mailbox = (natlet_mailbox_config){.high = 4, .low = 4};
    start();
    natlet_slice name = cell_rig_text("w");
    natlet_mail bad = {.payload = cell_rig_text("bad low"), .priority = NATLET_PRIORITY_LOW};
    natlet_mail high = {.payload = cell_rig_text("high"), .priority = NATLET_PRIORITY_HIGH};
    natlet_mail low = {.payload = cell_rig_text("low"), .priority = NATLET_PRIORITY_LOW};
    CHECK(natlet_agent_send_name(r.cell, name, &bad) == NATLET_OK);
    cell_rig_run(&r);
    (void)cell_rig_log(&r);
    CHECK(natlet_agent_send_name(r.cell, name, &low) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, name, &high) == NATLET_OK);
    expect("high #1\nlow #1\n");
    bad.payload = cell_rig_text("bad two");
    CHECK(natlet_agent_send_name(r.cell, name, &low) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, name, &bad) == NATLET_OK);
    CHECK(natlet_agent_send_name(r.cell, name, &low) == NATLET_OK);
    expect("low #1\nbad two #1\nstart\nbad two #2\n" POISONED("bad two") "start\nlow #1\n");
    end(0);
}

/* The mailbox by itself: it is full when what was taken out is put back. */
static void what_was_put_back_comes_first(void)
{
    static struct {
        natlet__block head;
        natlet_mail mail;
    } blocks[4];
    natlet_mailbox_config config = {.normal = 1, .high = 1, .bytes_max = 9};
    natlet__mailbox box = {0};

    CHECK(natlet__mailbox_init(&box, &config) > 0);
    blocks[0].mail.bytes = 9;
    blocks[1].mail.bytes = 9;
    blocks[2].mail.priority = NATLET_PRIORITY_HIGH;
    natlet__mailbox_push(&box, &blocks[0].mail);
    CHECK(natlet__mailbox_take(&box) == &blocks[0].mail);
    natlet__mailbox_push(&box, &blocks[1].mail);
    natlet__mailbox_push(&box, &blocks[2].mail);
    CHECK(natlet__mailbox_reserve(&box) == NATLET_OK);
    natlet__mailbox_push_reserved(&box, &blocks[3].mail);
    natlet__mailbox_put_back(&box, &blocks[0].mail);
    natlet_mailbox_stats stats = natlet__mailbox_stats_now(&box);
    CHECK(stats.used[NATLET_PRIORITY_NORMAL] == 2 && stats.bytes == 9);
    CHECK_INT(stats.free_min[NATLET_PRIORITY_NORMAL], 0);
    CHECK(natlet__mailbox_take(&box) == &blocks[3].mail);
    CHECK(natlet__mailbox_take_sys(&box) == NULL);
    CHECK(natlet__mailbox_take(&box) == &blocks[0].mail);
    CHECK(natlet__mailbox_take(&box) == &blocks[2].mail);
    CHECK(natlet__mailbox_take(&box) == &blocks[1].mail);
    CHECK(natlet__mailbox_take(&box) == NULL);
}

static void a_full_mailbox_takes_it_back(void)
{
    begin(10, &after_2);
    child.mailbox = (natlet_mailbox_config){.normal = 2};
    start();
    send("bad fill");
    send("m");
    expect("bad fill #1\nstart\nbad fill #2\n" POISONED("bad fill") "start\nm #1\nx #1\n");
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(r.cell, natlet_cell_find(r.cell, cell_rig_text("w")), &info) ==
          NATLET_OK);
    CHECK_INT(info.mailbox.free_min[NATLET_PRIORITY_NORMAL], 0);
    CHECK_INT(info.mailbox.bytes, 0);
    end(0);
}

static void while_it_waits_it_is_queued(void)
{
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 100};
    natlet_agent_info info = {0};

    begin(10, &after_2);
    child.backoff = &backoff;
    start();
    send("bad");
    cell_rig_run(&r);
    CHECK_INT(natlet_cell_children(r.cell, r.root, &info, 1), 1);
    CHECK_INT(info.mailbox.used[NATLET_PRIORITY_NORMAL], 1);
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    CHECK_INT(stats.delivered, 1);
    CHECK_INT(stats.handled + stats.dead_total, 0);
    CHECK(natlet_supervisor_terminate(r.cell, r.root, child.name) == NATLET_OK);
    expect("bad #1\ndead letter w: left over at the end [bad]\n");
    end(0);
}

static void later_and_an_error(void)
{
    begin(10, &after_2);
    start();
    natlet_slice name = cell_rig_text("w");
    send("bad later");
    send("m");
    expect("bad later #1\n");
    CHECK(natlet_cell_settle(r.cell, natlet_cell_find(r.cell, name), token, -9) == NATLET_OK);
    expect("start\nbad later #2\n");
    CHECK(natlet_cell_settle(r.cell, natlet_cell_find(r.cell, name), token, -9) == NATLET_OK);
    expect(POISONED("bad later") "start\nm #1\n");
    CHECK_INT(natlet_cell_dead_letter(r.cell, 0)->exit.code, -9);
    /* Ends that are not the mail's fault. */
    send("bad later");
    expect("bad later #1\n");
    natlet_pid pid = natlet_cell_find(r.cell, name);
    CHECK(natlet_agent_exit(r.cell, pid, (natlet_reason){NATLET_EXIT_KILLED, 0}) == NATLET_OK);
    expect("dead letter w: left over at the end [bad later]\nstart\n");
    end(0);
}

static void the_caller_hears_it_at_the_end(void)
{
    static natlet_child children[2];

    begin(10, &after_2);
    children[0] = child;
    children[1] = child;
    children[1].name = cell_rig_text("caller");
    spec.children = children;
    spec.count = 2;
    start();
    CHECK(cell_rig_tell(&r, "caller", "call") == NATLET_OK);
    expect("call #1\nbad call #1\nstart\nbad call #2\n" POISONED(
        "bad call") "reply, the agent is gone or was never there\nstart\n");
    end(0);
}

static void temporary_children_have_no_shield(void)
{
    begin(10, &after_2);
    child.restart = NATLET_TEMPORARY;
    start();
    send("bad");
    expect("bad #1\ndead letter w: the agent crashed on it [bad] error\n");
    end(0);
}

/* ---- what is the same mail ---- */

static void crash_on(natlet_mail mail, const char *log)
{
    CHECK(natlet_agent_send_name(r.cell, cell_rig_text("w"), &mail) == NATLET_OK);
    expect(log);
}

#define TWICE(text) text " #1\nstart\n" text " #2\n" POISONED(text) "start\n"
#define ONCE(text) text " #1\n" POISONED(text) "start\n"

static void mail_of_one_kind(void)
{
    natlet_mail bad = {.payload = cell_rig_text("bad")};
    natlet_mail other = {.payload = cell_rig_text("bad"), .subject = cell_rig_text("s")};
    natlet_mail first = {.payload = cell_rig_text("bad 1"), .seq = 1};
    natlet_mail same = {.payload = cell_rig_text("bad 2"), .seq = 1};
    natlet_mail next = {.payload = cell_rig_text("bad 2"), .seq = 2};

    begin(1000, &after_2);
    start();
    crash_on(bad, TWICE("bad"));
    crash_on(bad, ONCE("bad")); /* known already */
    crash_on(other, TWICE("bad"));
    crash_on(first, TWICE("bad 1"));
    crash_on(same, ONCE("bad 2"));
    crash_on(next, TWICE("bad 2"));
    crash_on(bad, ONCE("bad")); /* the fourth, the latest again */
    bad.payload = cell_rig_text("bad 5");
    crash_on(bad, TWICE("bad 5"));
    bad.payload = cell_rig_text("bad");
    crash_on(bad, ONCE("bad"));
    crash_on(other, TWICE("bad")); /* forgotten for the fifth */
    crash_on(next, ONCE("bad 2"));
    end(0);
}

static void what_was_handled_is_forgotten(void)
{
    begin(1000, &after_2);
    start();
    send("bad");
    expect(TWICE("bad"));
    for (uint32_t i = 0; i < 5; i++) {
        send("bad once");
        expect("bad once #1\nstart\nbad once #2\n");
    }
    send("bad");
    expect(ONCE("bad"));
    end(0);
}

static void a_group_is_restarted_for_nothing_too(void)
{
    static natlet_child children[2];
    static const natlet_shield after_1 = {NATLET_WITH_SHIELD, .poison_after = 1};

    begin(NATLET_NO_RESTART, &after_1);
    children[0] = child;
    children[1] = child;
    children[1].name = cell_rig_text("other");
    spec.children = children;
    spec.count = 2;
    spec.strategy = NATLET_ONE_FOR_ALL;
    start();
    send("bad");
    expect("bad #1\n" POISONED("bad") "start\nstart\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 2);
    send("tick");
    cell_rig_wait_ms(&r, 10); /* what was for nothing is so once */
    expect("tick #1\ntimer\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 0);
    cell_rig_end(&r);
}

/* ---- traps ---- */

/* Puts the cell where a trap in the on_mail leaves it. */
static void by_hand(void)
{
    natlet__agent *agent = natlet__registry_find(r.cell, cell_rig_text("w"));

    natlet__list_cut(&agent->turn);
    agent->mail = natlet__mailbox_take(&agent->mailbox);
    CHECK(agent->mail != NULL);
    r.cell->running = agent;
    r.cell->locked = 0;
    CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
    CHECK(r.cell->running == NULL && agent->mail == NULL && r.cell->locked == 1);
    CHECK(natlet_cell_recover(r.cell) == NATLET_E_POISONED);
}

static void traps_are_charged(void)
{
    begin(10, &after_3);
    start();
    send("bad");
    send("m");
    by_hand();
    expect("start\nbad #2\nstart\nbad #3\n" POISONED("bad") "start\nm #1\n");
    send("bad last");
    by_hand();
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 1);
    end(1);
}

#ifndef __wasm__

/* Turns with a host that recovers after each trap. */
static uint32_t run_with_traps(void)
{
    volatile uint32_t traps = 0;

    if (setjmp(out) != 0) {
        traps++;
        CHECK(natlet_cell_recover(r.cell) == NATLET_OK);
        natlet__runtime_recover(r.rt);
    }
    cell_rig_run(&r);
    return traps;
}

static void real_unwinding(void)
{
    begin(10, &after_2);
    start();
    send("bad trap");
    send("m");
    CHECK_INT(run_with_traps(), 2);
    CHECK_TEXT(cell_rig_log(&r), TWICE("bad trap") "m #1\n");
    CHECK(natlet_cell_dead_letter(r.cell, 0)->exit.kind == NATLET_EXIT_TRAP);
    send("bad end"); /* a trap in the terminate after the crash is charged once */
    token = UINT32_MAX;
    CHECK_INT(run_with_traps(), 1);
    CHECK_TEXT(cell_rig_log(&r), TWICE("bad end"));
    end(0);
}

#endif

/* ---- at random ---- */

static void the_books_balance_at_random(void)
{
    static const char *const texts[] = {"bad", "bad once", "bad fill", "m", "n", "bad later"};
    static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 5, .cap_ms = 40};
    uint64_t seed = 7;

    begin(1000, &after_2);
    child.mailbox.normal = 5;
    child.backoff = &backoff;
    start();
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t draw = test_random(&seed);
        natlet_mail mail = {.payload = cell_rig_text(texts[draw % 6]), .seq = draw / 8 % 7};
        (void)natlet_agent_send_name(r.cell, child.name, &mail);
        if (draw / 64 % 4 == 0) {
            cell_rig_run(&r);
            natlet_pid pid = natlet_cell_find(r.cell, child.name);
            (void)natlet_cell_settle(r.cell, pid, token, draw / 256 % 2 == 0 ? -1 : 0);
        }
        test_host_advance_ms(&r.host, draw / 1024 % 8);
        (void)cell_rig_log(&r);
    }
    natlet_agent_info info = {0};
    CHECK_INT(natlet_cell_children(r.cell, r.root, &info, 1), 1);
    uint32_t queued = info.mailbox.used[NATLET_PRIORITY_NORMAL];
    queued += info.state == NATLET_AGENT_BUSY ? 1 : 0;
    natlet_cell_stats stats = natlet_cell_stats_now(r.cell);
    CHECK_INT(stats.delivered, stats.handled + stats.dead_total + queued);
    CHECK(stats.dead[NATLET_DEAD_POISON] > 50 && stats.restarts > 100);
    CHECK(stats.handled > 100);
    (void)natlet_supervisor_stop(r.cell, r.root);
    cell_rig_wait_ms(&r, 6000); /* one may be busy */
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, 0);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(a_bad_mail_among_good_ones);
    RUN(without_shield_and_mailbox);
    RUN(without_shield_at_once);
    RUN(poison_is_not_charged);
    RUN(other_crashes_are_charged);
    RUN(poison_does_not_wait);
    RUN(it_comes_before_all_but_timers);
    RUN(what_was_put_back_comes_first);
    RUN(a_full_mailbox_takes_it_back);
    RUN(while_it_waits_it_is_queued);
    RUN(later_and_an_error);
    RUN(the_caller_hears_it_at_the_end);
    RUN(temporary_children_have_no_shield);
    RUN(mail_of_one_kind);
    RUN(what_was_handled_is_forgotten);
    RUN(a_group_is_restarted_for_nothing_too);
    RUN(traps_are_charged);
#ifndef __wasm__
    RUN(real_unwinding);
#endif
    RUN(the_books_balance_at_random);
    return test_done();
}
