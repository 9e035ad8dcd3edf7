/* Goal: a cell keeps within its memory and its tables, takes nothing more once it is
 * made, and keeps its names straight.
 *
 * Method: every size from 0 up; every allocation refused once; random names beside a
 * plain list. */
#include "natlet/cell.h"

#include "agent/kernel.h"
#include "support/cell_rig.h"
#include "support/test.h"

static cell_rig r;
static puppet p[16];

static const natlet_supervisor_spec nobody = {.intensity = 1000};

static natlet_status make(natlet_cell **cell, natlet_cell_config config)
{
    config.size = sizeof config;
    return natlet_cell_new(cell, r.rt, &config);
}

static void sizes_are_checked(void)
{
    natlet_cell *cell;

    cell_rig_init(&r, NULL);
    CHECK(make(&cell, (natlet_cell_config){.agents_max = 0x100000}) == NATLET_E_CONFIG);
    CHECK(make(&cell, (natlet_cell_config){.waits_max = 65536}) == NATLET_E_CONFIG);
    CHECK(natlet_cell_new(&cell, r.rt, &(natlet_cell_config){0}) == NATLET_E_CONFIG);
    CHECK(cell == NULL);
    CHECK(make(&cell, (natlet_cell_config){.bytes = 4096, .agents_max = 0xfffff}) ==
          NATLET_E_NO_MEMORY);
    size_t before = r.memory.live_blocks;
    bool fitted = false;
    for (uint32_t bytes = 1; bytes < 2048; bytes += 7) {
        natlet_cell_config config = {
            .bytes = bytes, .agents_max = 4, .waits_max = 4, .dead_letters = 1};
        natlet_status st = make(&cell, config);
        CHECK(st == NATLET_OK || (st == NATLET_E_NO_MEMORY && cell == NULL && !fitted));
        fitted |= st == NATLET_OK;
        natlet_cell_free(cell);
        CHECK_INT(r.memory.live_blocks, before);
    }
    CHECK(fitted);
    cell_rig_end(&r);
}

static void a_refused_block_is_an_answer(void)
{
    test_host host;
    test_memory memory;
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_cell_config config = {.size = sizeof config};

    test_host_init(&host, 1);
    test_memory_init(&memory);
    CHECK(natlet_runtime_new(&rt, &host.host, &memory.allocator, 0) == NATLET_OK);
    memory.fail_at = memory.requests + 1;
    CHECK(natlet_cell_new(&cell, rt, &config) == NATLET_E_NO_MEMORY && cell == NULL);
    CHECK(natlet_cell_new(&cell, rt, &config) == NATLET_OK);
    natlet_cell_free(cell);
    natlet_runtime_free(rt);
    CHECK_INT(memory.live_blocks, 0);
    test_host_free(&host);
}

/* What agents do all day takes nothing from the runtime, and the pool ends where it
 * began. */
static void steady_state_allocates_nothing(void)
{
    cell_rig_init(&r, NULL);
    p[0] = (puppet){.name = "a"};
    p[1] = (puppet){.name = "b"};
    cell_rig_tree(&r, p, 2);
    uint32_t requests = r.memory.requests;
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    for (int i = 0; i < 100; i++) {
        (void)cell_rig_tell(&r, "a", "call b reply hello");
        (void)cell_rig_tell(&r, "a", "to b hi");
        (void)cell_rig_tell(&r, "b", "tick 3");
        (void)cell_rig_tell(&r, "b", "boom");
        cell_rig_wait_ms(&r, 10000);
        (void)cell_rig_log(&r);
    }
    CHECK_INT(natlet_cell_stats_now(r.cell).restarts, 100);
    CHECK_INT(r.memory.requests, requests);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    cell_rig_end(&r);
}

static int32_t sleep_on(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)cell;
    (void)state;
    (void)mail;
    return NATLET_DONE;
}

static const natlet_behaviour sleeper = {
    .name = "sleeper", .state_bytes = 216, .on_mail = sleep_on};

/* Bytes of one agent with 8 + 16 places and 216 bytes of state. */
static void an_agent_is_small(void)
{
    enum { COUNT = 100 };
    natlet_child child = {.behaviour = &sleeper};
    natlet_pid pid;

    cell_rig_init(&r, NULL);
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    size_t before = natlet_cell_stats_now(r.cell).pool_used;
    for (int i = 0; i < COUNT; i++) {
        CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    }
    size_t each = (natlet_cell_stats_now(r.cell).pool_used - before) / COUNT;
    printf("    %u bytes an agent\n", (unsigned)each);
    CHECK(each <= 1000);
    cell_rig_end(&r);
}

static void tables_end(void)
{
    natlet_child child = {.behaviour = &sleeper};
    natlet_pid pid;

    cell_rig_init(&r, &(natlet_cell_config){.agents_max = 3, .waits_max = 2});
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    natlet_pid last = pid;
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_E_LIMIT);
    size_t used = natlet_cell_stats_now(r.cell).pool_used;
    uint32_t ref;
    CHECK(natlet_agent_send_after(r.cell, last, 10, 0, &ref) == NATLET_OK);
    CHECK(natlet_agent_send_after(r.cell, last, 10, 0, NULL) == NATLET_OK);
    CHECK(natlet_agent_send_after(r.cell, last, 10, 0, NULL) == NATLET_E_FULL);
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 2);
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_OK);
    uint32_t again;
    CHECK(natlet_agent_send_after(r.cell, last, 10, 0, &again) == NATLET_OK);
    CHECK(again != ref); /* the same slot, another generation */
    CHECK(natlet_agent_cancel(r.cell, ref) == NATLET_E_NOT_FOUND);
    cell_rig_wait_ms(&r, 20);
    CHECK_INT(natlet_cell_stats_now(r.cell).waits, 0);
    CHECK_INT(natlet_cell_stats_now(r.cell).pool_used, used);
    cell_rig_end(&r);
}

/* Mail and agents share the pool: when it is used up, everything says so and
 * everything works again afterwards. */
static void the_pool_ends(void)
{
    natlet_child child = {.behaviour = &sleeper,
                          .mailbox = {.normal = 1000, .bytes_max = 1u << 20}};
    static uint8_t payload[600];
    natlet_pid pid;
    natlet_pid other;
    natlet_status st;
    uint32_t sent = 0;

    cell_rig_init(&r, &(natlet_cell_config){.bytes = 65536, .agents_max = 8, .waits_max = 8});
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    for (size_t len = 0;; len = (len + 37) % sizeof payload) { /* of all classes, and larger */
        st = natlet_agent_send(r.cell, pid, &(natlet_mail){.payload = {payload, len}});
        if (st < 0) {
            break;
        }
        sent++;
    }
    CHECK(st == NATLET_E_FULL && sent > 50);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &other) == NATLET_E_NO_MEMORY);
    CHECK(natlet_cell_stats_now(r.cell).pool_refused > 0);
    cell_rig_run(&r);
    CHECK_INT(natlet_cell_stats_now(r.cell).handled, sent);
    /* What small mail left behind becomes one large block again. */
    static uint8_t large[40000];
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){.payload = {large, sizeof large}}) ==
          NATLET_OK);
    cell_rig_run(&r);
    cell_rig_end(&r);
}

/* Names come and go in any order, and are always found. */
static void names_are_found(void)
{
    enum { NAMES = 60, ROUNDS = 3000 };
    static char names[NAMES][16];
    natlet_pid pids[NAMES] = {0};
    uint64_t seed = 5;
    natlet_child child = {.behaviour = &puppet_behaviour, .restart = NATLET_TEMPORARY};
    puppet q = {.rig = &r, .name = "q"};

    cell_rig_init(&r, &(natlet_cell_config){.agents_max = NAMES + 1});
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    child.arg = &q;
    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
    }
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t i = (uint32_t)(test_random(&seed) % NAMES);
        child.name = cell_rig_text(names[i]);
        if (pids[i] == 0) {
            CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pids[i]) == NATLET_OK);
        } else {
            CHECK(cell_rig_tell(&r, names[i], "normal") == NATLET_OK);
            pids[i] = 0;
        }
        (void)cell_rig_log(&r);
        for (uint32_t k = 0; k < NAMES; k += round % 50 == 0 ? 1 : 7) {
            CHECK(cell_rig_find(&r, names[k]) == pids[k]);
        }
    }
    CHECK(cell_rig_find(&r, "") == 0);
    cell_rig_end(&r);
}

static void dead_letters_are_remembered(void)
{
    cell_rig_init(&r, &(natlet_cell_config){.dead_letters = 3});
    CHECK(natlet_cell_dead_letter(r.cell, 0) == NULL);
    for (uint32_t i = 0; i < 10; i++) {
        static const char subject[] = "0123456789012345678901234567890123456789012345";
        natlet_mail mail = {.subject = {(const uint8_t *)subject, i * 5},
                            .payload = {(const uint8_t *)subject, i}};
        CHECK(natlet_agent_send(r.cell, 0, &mail) == NATLET_E_NO_AGENT);
    }
    for (uint32_t back = 0; back < 5; back++) {
        const natlet_dead_letter *letter = natlet_cell_dead_letter(r.cell, back);
        CHECK((letter != NULL) == (back < 3));
        CHECK(letter == NULL || (letter->payload_len == 9 - back &&
                                 letter->subject_len == (back == 0 ? 40 : (9 - back) * 5)));
    }
    CHECK_INT(natlet_cell_stats_now(r.cell).dead_total, 10);
    (void)cell_rig_log(&r);
    cell_rig_end(&r);
}

static void children_are_listed(void)
{
    natlet_agent_info infos[3];

    cell_rig_init(&r, NULL);
    CHECK_INT(natlet_cell_children(r.cell, 0, infos, 3), 0);
    p[0] = (puppet){.name = "a"};
    p[1] = (puppet){.name = "b"};
    cell_rig_tree(&r, p, 2);
    CHECK_INT(natlet_cell_children(r.cell, 0, infos, 3), 1);
    CHECK(infos[0].pid == r.root && infos[0].parent == 0 && infos[0].children == 2);
    CHECK_TEXT(infos[0].kind, "supervisor");
    CHECK_INT(natlet_cell_children(r.cell, r.root, infos, 1), 2);
    CHECK_SLICE(infos[0].name, "a");
    CHECK_INT(natlet_cell_children(r.cell, r.root, infos, 3), 2);
    CHECK_SLICE(infos[1].name, "b");
    CHECK(infos[1].parent == r.root && infos[1].state == NATLET_AGENT_RUNNING);
    CHECK_INT(natlet_cell_children(r.cell, infos[1].pid, infos, 3), 0);
    CHECK_INT(natlet_cell_children(r.cell, 999, infos, 3), 0);
    CHECK_TEXT(natlet_agent_state_text(NATLET_AGENT_BUSY), "busy");
    CHECK_TEXT(natlet_exit_text(NATLET_EXIT_TRAP), "trap");
    CHECK_TEXT(natlet_dead_text(NATLET_DEAD_OVERFLOW), "mailbox full");
    CHECK_TEXT(natlet_dead_text((natlet_dead_reason)99), "unknown");
    cell_rig_end(&r);
}

/* A turn ends when its time is up, and the next one goes on. */
static int32_t burn(natlet_cell *cell, void *state, natlet_mail *mail)
{
    (void)state;
    test_host_advance_us(&r.host, 100);
    return natlet_agent_send(cell, mail->to, &(natlet_mail){0}); /* for ever */
}

static void turns_keep_their_budget(void)
{
    static const natlet_behaviour burning = {.name = "burner", .on_mail = burn};
    natlet_child child = {.behaviour = &burning};
    natlet_pid pid;

    cell_rig_init(&r, NULL);
    CHECK(natlet_supervisor_start(r.cell, &nobody, &r.root) == NATLET_OK);
    CHECK(natlet_supervisor_add(r.cell, r.root, &child, &pid) == NATLET_OK);
    CHECK(natlet_agent_send(r.cell, pid, &(natlet_mail){0}) == NATLET_OK);
    for (int turn = 0; turn < 10; turn++) {
        uint64_t start = r.host.now_us;
        CHECK_INT(natlet_runtime_run(r.rt, 5000, 0), 0);
        uint64_t took = r.host.now_us - start;
        CHECK(took >= 5000 && took <= 5000 + 32 * 100);
    }
    cell_rig_end(&r);
}

int main(void)
{
    RUN(sizes_are_checked);
    RUN(a_refused_block_is_an_answer);
    RUN(steady_state_allocates_nothing);
    RUN(an_agent_is_small);
    RUN(tables_end);
    RUN(the_pool_ends);
    RUN(names_are_found);
    RUN(dead_letters_are_remembered);
    RUN(children_are_listed);
    RUN(turns_keep_their_budget);
    return test_done();
}
