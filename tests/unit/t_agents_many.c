/* Goal: many agents cost no more memory than is promised, and short-lived ones go as
 * fast as they come.
 *
 * Method: 10 000 agents with the default mailbox, whose lanes have 8 and 16 places, and
 * 216 bytes of state.  What the pool hands out for them is counted, and each one's share
 * of the table of slots and of the table of names.  Then one agent spawns a hundred that
 * end with their first mail, again and again, as soon as the last of them had it. */
#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

enum {
    AGENTS = 10000,
    STATE_BYTES = 216,
    BYTES_MAX = sizeof(void *) == 4 ? 1400 : 1600,
};

_Static_assert(NATLET_MAILBOX_SYS_DEFAULT == 8 && NATLET_MAILBOX_NORMAL_DEFAULT == 16,
               "the mailbox for which it is promised");

_Static_assert(sizeof(natlet__agent) + sizeof(natlet__block) + STATE_BYTES <=
                   NATLET__POOL_STEP * NATLET__POOL_CLASSES,
               "its block is in a list when it is free: no search for the next one");

static int32_t ignore(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    (void)mail;
    return NATLET_DONE;
}

static const natlet_behaviour idle = {
    .name = "idle", .state_bytes = STATE_BYTES, .on_mail = ignore};

static void ten_thousand_agents(void)
{
    static const natlet_child pattern = {.behaviour = &idle};
    static const natlet_supervisor_spec tree = {
        .strategy = NATLET_DYNAMIC, .children = &pattern, .count = 1};
    static const natlet_child nameless = {0};
    const natlet_cell_config config = {.bytes = AGENTS * (BYTES_MAX + 64),
                                       .agents_max = AGENTS + 1};
    static cell_rig r;
    natlet_pid supervisor, pid;

    cell_rig_init(&r, &config);
    size_t empty = r.cell->pool.used_bytes;
    CHECK(natlet_supervisor_start(r.cell, &tree, &supervisor) == NATLET_OK);
    size_t before = r.cell->pool.used_bytes;
    for (uint32_t i = 0; i < AGENTS; i++) {
        CHECK(natlet_supervisor_add(r.cell, supervisor, &nameless, &pid) == NATLET_OK);
    }
    size_t in_tables = sizeof(natlet__slot) + 2 * sizeof(natlet__agent *);
    size_t each = (r.cell->pool.used_bytes - before) / AGENTS + in_tables;
    CHECK(each > STATE_BYTES && each <= BYTES_MAX);
    CHECK(natlet_supervisor_add(r.cell, supervisor, &nameless, &pid) == NATLET_E_LIMIT);
    CHECK(natlet_supervisor_stop(r.cell, supervisor) == NATLET_OK);
    cell_rig_run(&r);
    CHECK_INT(r.cell->pool.used_bytes, empty);
    cell_rig_end(&r);
}

/* ---- lives of one mail ---- */

enum { CHUNK = 100, CHUNKS = 50 };

static natlet_pid nursery;

static int32_t spawn_chunk(natlet_cell *cell, void *state, natlet_mail *mail)
{
    static const natlet_child nameless = {0};
    uint32_t *chunks = state;
    natlet_pid pid;

    (void)mail;
    ++*chunks;
    for (uint32_t i = 1; i <= CHUNK && *chunks <= CHUNKS; i++) {
        CHECK(natlet_supervisor_add(cell, nursery, &nameless, &pid) == NATLET_OK);
        CHECK(natlet_agent_send(cell, pid, &(natlet_mail){.tag = i}) == NATLET_OK);
    }
    return NATLET_DONE;
}

static int32_t live_once(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    if (mail->tag == CHUNK) {
        CHECK(natlet_agent_send(cell, mail->from, &(natlet_mail){0}) == NATLET_OK);
    }
    return NATLET_STOP;
}

static void short_lives_do_not_pile_up(void)
{
    static const natlet_behaviour spawner = {
        .name = "spawner", .state_bytes = sizeof(uint32_t), .on_mail = spawn_chunk};
    static const natlet_behaviour mayfly = {.name = "mayfly", .on_mail = live_once};
    static const natlet_child pattern = {.behaviour = &mayfly, .restart = NATLET_TEMPORARY};
    static const natlet_supervisor_spec dynamic = {
        .strategy = NATLET_DYNAMIC, .children = &pattern, .count = 1};
    static const natlet_child children[] = {
        {.name = NATLET_TEXT("nursery"), .supervisor = &dynamic},
        {.name = NATLET_TEXT("spawner"), .behaviour = &spawner},
    };
    static const natlet_supervisor_spec tree = {.children = children, .count = 2};
    const natlet_cell_config config = {.agents_max = 3 + 2 * CHUNK};
    static cell_rig r;
    natlet_pid root;

    cell_rig_init(&r, &config);
    CHECK(natlet_supervisor_start(r.cell, &tree, &root) == NATLET_OK);
    nursery = cell_rig_find(&r, "nursery");
    CHECK(cell_rig_tell(&r, "spawner", "go") == NATLET_OK);
    CHECK_INT(natlet_cell_stats_now(r.cell).agents, 3);
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, (CHUNK + 1) * CHUNKS + 1);
    cell_rig_end(&r);
}

int main(void)
{
    RUN(ten_thousand_agents);
    RUN(short_lives_do_not_pile_up);
    return test_done();
}
