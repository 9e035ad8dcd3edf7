/* A reactor of agents that trap in every way a C program can when their mail says so,
 * beside neighbours that only count.  tests/traps/cases.mjs is the host.
 *
 * A mail is one letter: `+` counts, a letter of `ways` traps, `i` ends with an error
 * and lets the next two inits trap, `t` ends with an error and traps in terminate, `k`
 * has a function of natlet trap; any other is rejected. */
#include "natlet/app.h"
#include "natlet/cell.h"
#include "natlet/host.h"

#include <string.h>

enum { AGENTS = 4, DIRT = 32 };

/* What an agent knows: `dirt` depends on all it has counted, so that a byte that a
 * neighbour's trap changed is seen. */
typedef struct counter {
    uint32_t index;
    uint32_t count;
    uint32_t dirt[DIRT];
} counter;

static natlet_cell *cell;
static natlet_pid supervisor;
static const uint32_t indexes[AGENTS] = {0, 1, 2, 3};
static counter *states[AGENTS];
static uint32_t init_traps;      /* how many of the next inits trap */
static uint32_t terminate_traps; /* and of the next terminates */

/* ---- ways to trap; volatile, so that the compiler cannot know ---- */

static volatile int32_t zero;
static volatile uint32_t sink;

static void out_of_bounds(void)
{
    sink = *(volatile uint32_t *)(uintptr_t)(0xfffffff0u + (uint32_t)zero);
}

static void write_out_of_bounds(void)
{
    *(volatile uint32_t *)(uintptr_t)(0xffffff00u + (uint32_t)zero) = 1;
}

static void divide_by_zero(void)
{
    sink = (uint32_t)(1000 / zero);
}

static void call_null(void)
{
    ((void (*)(void))(uintptr_t)(uint32_t)zero)();
}

/* A function of another type; in WebAssembly that is found out. */
static void call_illegally(void)
{
    void (*volatile other)(void) = out_of_bounds;

    sink = (uint32_t)((double (*)(double, double))(uintptr_t)other)(1, 2);
}

static void be_unreachable(void)
{
    __builtin_trap();
}

/* Uses up the module's own stack, which lies below everything else. */
__attribute__((noinline)) static uint32_t dig(uint32_t depth)
{
    volatile uint8_t room[512] = {0};

    return depth == UINT32_MAX ? 0 : dig(depth + 1) + room[depth % sizeof room];
}

static void overflow_own_stack(void)
{
    sink = dig(0);
}

/* Uses up the engine's stack: these frames need none of the module's. */
static uint32_t (*volatile deeper)(uint32_t);

__attribute__((noinline)) static uint32_t descend(uint32_t depth)
{
    return deeper(depth + 1) + depth;
}

static void overflow_engine_stack(void)
{
    deeper = descend;
    sink = deeper(0);
}

static const struct {
    char letter;
    void (*trap)(void);
} ways[] = {{'o', out_of_bounds},      {'w', write_out_of_bounds},  {'d', divide_by_zero},
            {'n', call_null},          {'c', call_illegally},       {'u', be_unreachable},
            {'s', overflow_own_stack}, {'r', overflow_engine_stack}};

/* ---- the agents ---- */

static void trap_if(uint32_t *count)
{
    if (*count > 0) {
        --*count;
        __builtin_trap();
    }
}

static int32_t start(natlet_cell *self, void *state, void *arg)
{
    counter *c = state;

    (void)self;
    memcpy(&c->index, arg, sizeof c->index);
    states[c->index] = c;
    trap_if(&init_traps);
    return NATLET_DONE;
}

static void count(counter *c)
{
    c->count++;
    for (uint32_t i = 0; i < DIRT; i++) {
        c->dirt[i] = c->dirt[i] * 31 + c->count + i;
    }
}

/* The kernel copies what lies beyond the memory, and traps under its lock. */
static int32_t trap_in_natlet(natlet_cell *self)
{
    const natlet_slice beyond = {(const uint8_t *)(uintptr_t)(0xfff00000u + (uint32_t)zero), 64};

    return natlet_agent_send(self, natlet_agent_self(self), &(natlet_mail){.payload = beyond});
}

static int32_t handle(natlet_cell *self, void *state, natlet_mail *mail)
{
    char letter = mail->payload.len == 1 ? (char)mail->payload.ptr[0] : '?';

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (ways[i].letter == letter) {
            ways[i].trap();
        }
    }
    switch (letter) {
    case '+':
        count(state);
        return NATLET_DONE;
    case 'k':
        return trap_in_natlet(self);
    case 'i':
        init_traps = 2;
        return NATLET_E_INVALID;
    case 't':
        terminate_traps = 1;
        return NATLET_E_INVALID;
    default:
        return NATLET_REJECT;
    }
}

static void stop(natlet_cell *self, void *state, natlet_reason why)
{
    (void)self;
    (void)state;
    (void)why;
    trap_if(&terminate_traps);
}

static const natlet_behaviour behaviour = {.name = "counter",
                                           .state_bytes = sizeof(counter),
                                           .init = start,
                                           .on_mail = handle,
                                           .terminate = stop};

/* ---- what the host calls between two runs ---- */

#define EXPORT(type, name, ...)                                                                    \
    NATLET_EXPORT(name) type name(__VA_ARGS__);                                                    \
    type name(__VA_ARGS__)

EXPORT(int32_t, traps_send, uint32_t index, uint32_t letter)
{
    const uint8_t text = (uint8_t)letter;
    static const natlet_slice names[AGENTS] = {NATLET_TEXT("a"), NATLET_TEXT("b"), NATLET_TEXT("c"),
                                               NATLET_TEXT("d")};

    return natlet_agent_send_name(cell, names[index], &(natlet_mail){.payload = {&text, 1}});
}

EXPORT(uint32_t, traps_state, uint32_t index)
{
    return (uint32_t)(uintptr_t)states[index];
}

EXPORT(uint32_t, traps_state_bytes, void)
{
    return sizeof(counter);
}

/* Numbers of one agent: mail handled, restarts, mail queued, kind of the last exit; all
 * of them 0xffffffff if it is not there. */
EXPORT(uint32_t, traps_agent, uint32_t index, uint32_t what)
{
    natlet_agent_info info[AGENTS];

    if (natlet_cell_children(cell, supervisor, info, AGENTS) != AGENTS || info[index].pid == 0) {
        return UINT32_MAX;
    }
    const uint32_t numbers[] = {(uint32_t)info[index].handled, info[index].restarts,
                                info[index].mailbox.used[NATLET_PRIORITY_NORMAL],
                                info[index].last_exit.kind};
    return numbers[what];
}

/* Numbers of the cell: pool, waits, agents, restarts, all dead letters, those by a crash,
 * mail delivered, handled, and of the last dead letter reason, exit kind and code. */
EXPORT(uint32_t, traps_cell, uint32_t what)
{
    natlet_cell_stats stats = natlet_cell_stats_now(cell);
    const natlet_dead_letter *last = natlet_cell_dead_letter(cell, 0);
    const uint32_t numbers[] = {stats.pool_used,
                                stats.waits,
                                stats.agents,
                                stats.restarts,
                                (uint32_t)stats.dead_total,
                                (uint32_t)stats.dead[NATLET_DEAD_CRASHED],
                                (uint32_t)stats.delivered,
                                (uint32_t)stats.handled,
                                last != NULL ? (uint32_t)last->reason : UINT32_MAX,
                                last != NULL ? (uint32_t)last->exit.kind : UINT32_MAX,
                                last != NULL ? (uint32_t)-last->exit.code : UINT32_MAX};

    return numbers[what];
}

/* Stops the tree, and traps in that many terminates. */
EXPORT(int32_t, traps_stop, uint32_t traps)
{
    terminate_traps = traps;
    return natlet_supervisor_stop(cell, supervisor);
}

/* ---- the program ---- */

#define ARG(i) ((void *)(uintptr_t)&indexes[i])

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    static const natlet_child children[AGENTS] = {
        {.name = NATLET_TEXT("a"), .behaviour = &behaviour, .arg = ARG(0)},
        {.name = NATLET_TEXT("b"), .behaviour = &behaviour, .arg = ARG(1)},
        {.name = NATLET_TEXT("c"), .behaviour = &behaviour, .arg = ARG(2)},
        {.name = NATLET_TEXT("d"), .behaviour = &behaviour, .arg = ARG(3)},
    };
    static const natlet_supervisor_spec tree = {
        .intensity = NATLET_INTENSITY_MAX, .period_ms = 1, .children = children, .count = AGENTS};
    const natlet_cell_config settings = {.size = sizeof settings, .bytes = 65536, .agents_max = 8};

    (void)config;
    natlet_status st = natlet_cell_new(&cell, rt, &settings);
    return st == NATLET_OK ? natlet_supervisor_start(cell, &tree, &supervisor) : st;
}

uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_NEVER_MS;
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
    return natlet_cell_recover(cell);
}

void natlet_app_fini(natlet_runtime *rt)
{
    (void)rt;
    natlet_cell_free(cell);
    cell = NULL;
}
