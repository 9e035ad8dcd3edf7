/* Goal: what an agent puts aside comes back in order and before all else, within its
 * bounds, and is never lost: neither by a restart nor at the end.
 *
 * Method: an agent that takes nothing but "open" and "timer" until it is open; a log shows
 * what it handles and in which order. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static natlet_child child;
static natlet_supervisor_spec tree;

/* An agent becomes another one by what `now` points to: a state of a state machine is a
 * function. */
typedef struct door door;

struct door {
    int32_t (*now)(natlet_cell *cell, door *d, natlet_mail *mail);
    uint32_t token;
};

static bool says(const natlet_mail *mail, const char *text)
{
    return natlet__equal(mail->payload, cell_rig_text(text));
}

static int32_t when_closed(natlet_cell *cell, door *d, natlet_mail *mail);

static int32_t when_open(natlet_cell *cell, door *d, natlet_mail *mail)
{
    (void)cell;
    if (says(mail, "close")) {
        d->now = when_closed;
    }
    natlet_slice text = mail->payload.len > 0 ? mail->payload : cell_rig_text("timer");
    cell_rig_note(&r, "%.*s", (int)text.len, (const char *)text.ptr);
    return says(mail, "crash") ? -7 : NATLET_DONE;
}

static int32_t when_closed(natlet_cell *cell, door *d, natlet_mail *mail)
{
    if (says(mail, "crash") || says(mail, "stop")) {
        return says(mail, "crash") ? -7 : NATLET_STOP;
    }
    if (says(mail, "later")) {
        return natlet_agent_later(cell, &d->token);
    }
    if (!says(mail, "open")) {
        return NATLET_STASH;
    }
    d->now = when_open;
    return natlet_agent_unstash(cell);
}

static int32_t init(natlet_cell *cell, void *state, void *arg)
{
    door *d = state;

    (void)arg;
    d->now = when_closed;
    cell_rig_note(&r, "start");
    return natlet_agent_unstash(cell);
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    door *d = state;

    return d->now(cell, d, mail);
}

static const natlet_behaviour behaviour = {
    .name = "door", .state_bytes = sizeof(door), .init = init, .on_mail = on_mail};

static natlet__agent *agent(void)
{
    return natlet__registry_find(r.cell, cell_rig_text("door"));
}

static void begin_with(natlet_mailbox_config config, bool drop_mail)
{
    cell_rig_init(&r, NULL);
    child = (natlet_child){.name = NATLET_TEXT("door"),
                           .behaviour = &behaviour,
                           .mailbox = config,
                           .drop_mail = drop_mail};
    tree = (natlet_supervisor_spec){.children = &child, .count = 1, .intensity = 100};
    CHECK(natlet_supervisor_start(r.cell, &tree, &r.root) == NATLET_OK);
    CHECK_TEXT(cell_rig_log(&r), "start\n");
}

static void begin(natlet_mailbox_config config)
{
    begin_with(config, false);
}

/* Sends words, which are one mail each; '!' in front: HIGH. */
static void send(const char *words)
{
    while (*words != '\0') {
        bool is_high = *words == '!';
        words += is_high ? 1 : 0;
        size_t len = strcspn(words, " ");
        natlet_mail mail = {
            .payload = {(const uint8_t *)words, len},
            .priority = is_high ? NATLET_PRIORITY_HIGH : NATLET_PRIORITY_NORMAL,
        };
        CHECK(natlet_agent_send_name(r.cell, cell_rig_text("door"), &mail) == NATLET_OK);
        words += len + (words[len] == ' ' ? 1 : 0);
    }
}

static const char *after(const char *words)
{
    send(words);
    cell_rig_run(&r);
    return cell_rig_log(&r);
}

static natlet_mailbox_stats stats_now(void)
{
    natlet_agent_info info;

    natlet__agent_describe(agent(), &info);
    return info.mailbox;
}

static void it_comes_back_first_and_in_order(void)
{
    begin((natlet_mailbox_config){.high = 4, .low = 4});
    CHECK_TEXT(after("1 !2 3"), "");
    natlet_mailbox_stats stats = stats_now();
    CHECK(stats.stash_used == 3 && stats.stash_free_min == 13 && stats.bytes == 3);
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, 0);
    CHECK_TEXT(after("open 4 !5 6"), "2\n1\n3\n5\n4\n6\n"); /* HIGH was put aside first */
    stats = stats_now();
    CHECK(stats.stash_used == 0 && stats.bytes == 0 && stats.bytes_free_min == 65536 - 10);
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, 7);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 0);
    cell_rig_end(&r);
}

/* What is put aside again stands behind what comes back. */
static void it_can_be_put_aside_again(void)
{
    begin((natlet_mailbox_config){.stash = 4});
    CHECK_TEXT(after("1 close 2 3"), "");
    CHECK_TEXT(after("open"), "1\nclose\n");
    CHECK_INT(stats_now().stash_used, 2);
    CHECK_TEXT(after("4 5 open"), "2\n3\n4\n5\n");
    CHECK_INT(stats_now().stash_free_min, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 0);
    cell_rig_end(&r);
}

static void it_has_bounds(void)
{
    begin((natlet_mailbox_config){.stash = 2});
    CHECK_TEXT(after("1 2 3"), "dead letter door: stash full [3]\n");
    natlet_mailbox_stats stats = stats_now();
    CHECK(stats.stash_used == 2 && stats.stash_free_min == 0 && stats.stash_refused == 1);
    CHECK_INT(natlet_cell_stats_now(r.cell).dead[NATLET_DEAD_STASH_FULL], 1);
    CHECK_TEXT(natlet_dead_text(NATLET_DEAD_STASH_FULL), "stash full");
    CHECK_TEXT(after("open"), "1\n2\n");
    cell_rig_end(&r);
}

/* Its bytes are the mailbox's, so that it can leave no room for anything else. */
static void its_bytes_count(void)
{
    begin((natlet_mailbox_config){.bytes_max = 10});
    CHECK_TEXT(after("aaaaa bbbb"), "");
    CHECK_INT(stats_now().bytes, 9);
    natlet_mail mail = {.payload = cell_rig_text("cc")};
    CHECK(natlet_agent_send(r.cell, agent()->pid, &mail) == NATLET_E_FULL);
    CHECK_TEXT(after("d"), "");
    CHECK_INT(stats_now().bytes_free_min, 0);
    cell_rig_end(&r);

    /* The mail in the agent's hands has no claim to the bytes that it had. */
    begin((natlet_mailbox_config){.bytes_max = 10});
    CHECK_TEXT(after("later"), "");
    const door *d = agent()->state;
    CHECK_TEXT(after("777777"), "");
    CHECK(natlet_cell_settle(r.cell, agent()->pid, d->token, NATLET_STASH) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter door: stash full [later]\n");
    CHECK(stats_now().stash_used == 1 && stats_now().bytes == 6);
    cell_rig_end(&r);
}

static void a_new_incarnation_gets_it(void)
{
    begin((natlet_mailbox_config){0});
    CHECK_TEXT(after("1 2 crash 3"), "dead letter door: the agent crashed on it [crash] error\n"
                                     "start\n");
    CHECK_INT(stats_now().stash_used, 3);
    CHECK_TEXT(after("4 open"), "1\n2\n3\n4\n");
    cell_rig_end(&r);
}

static void drop_mail_drops_it(void)
{
    begin_with((natlet_mailbox_config){0}, true);
    CHECK_TEXT(after("1 2 crash 3"), "dead letter door: the agent crashed on it [crash] error\n"
                                     "dead letter door: dropped by a restart [1]\n"
                                     "dead letter door: dropped by a restart [2]\n"
                                     "dead letter door: dropped by a restart [3]\n"
                                     "start\n");
    CHECK(stats_now().stash_used == 0 && stats_now().bytes == 0);
    cell_rig_end(&r);
}

static void it_is_not_lost_at_the_end(void)
{
    begin((natlet_mailbox_config){0});
    CHECK_TEXT(after("1 2"), "");
    CHECK(natlet_supervisor_stop(r.cell, r.root) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_TEXT(cell_rig_log(&r), "dead letter door: left over at the end [1]\n"
                                 "dead letter door: left over at the end [2]\n");
    cell_rig_end(&r);

    begin((natlet_mailbox_config){0});
    agent()->child.restart = NATLET_TEMPORARY;
    CHECK_TEXT(after("1 stop 2"), "dead letter door: no such agent [1]\n"
                                  "dead letter door: no such agent [2]\n");
    cell_rig_end(&r);
}

/* A timer or an answer is nothing to an incarnation that did not ask for it. */
static void sys_mail_ends_with_its_incarnation(void)
{
    begin((natlet_mailbox_config){0});
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    CHECK(natlet_agent_send_after(r.cell, agent()->pid, 1, 7, NULL) == NATLET_OK);
    CHECK_TEXT(after("1"), "");
    cell_rig_wait_ms(&r, 2);
    cell_rig_run(&r);
    CHECK_INT(stats_now().stash_used, 2);
    CHECK_TEXT(after("open"), "1\ntimer\n");
    CHECK_TEXT(after("close"), "close\n");
    CHECK(natlet_agent_send_after(r.cell, agent()->pid, 1, 7, NULL) == NATLET_OK);
    cell_rig_wait_ms(&r, 2);
    CHECK_TEXT(after("2 crash"), "dead letter door: the agent crashed on it [crash] error\n"
                                 "start\n");
    CHECK_INT(stats_now().stash_used, 1);
    CHECK_TEXT(after("open"), "2\n");
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    cell_rig_end(&r);
}

/* For agents whose mail is settled from outside. */
static void it_is_returned_from_outside(void)
{
    begin((natlet_mailbox_config){0});
    CHECK(natlet_agent_unstash(r.cell) == NATLET_E_STATE);
    CHECK(natlet_cell_unstash(r.cell, 0) == NATLET_E_NO_AGENT);
    CHECK(natlet_cell_unstash(r.cell, r.root) == NATLET_OK);
    CHECK_TEXT(after("1 2 later"), "");
    door *d = agent()->state;
    CHECK(natlet_cell_unstash(r.cell, agent()->pid) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_INT(stats_now().stash_used, 2); /* it is busy */
    d->now = when_open;
    CHECK(natlet_cell_settle(r.cell, agent()->pid, d->token, NATLET_DONE) == NATLET_OK);
    CHECK_TEXT(after(""), "1\n2\n");
    CHECK_TEXT(after("close"), "close\n");
    CHECK_TEXT(after("3"), "");
    d->now = when_open;
    CHECK(natlet_cell_unstash(r.cell, agent()->pid) == NATLET_OK);
    CHECK_TEXT(after(""), "3\n");
    cell_rig_end(&r);
}

int main(void)
{
    RUN(it_comes_back_first_and_in_order);
    RUN(it_can_be_put_aside_again);
    RUN(it_has_bounds);
    RUN(its_bytes_count);
    RUN(a_new_incarnation_gets_it);
    RUN(drop_mail_drops_it);
    RUN(it_is_not_lost_at_the_end);
    RUN(sys_mail_ends_with_its_incarnation);
    RUN(it_is_returned_from_outside);
    return test_done();
}
