/* A cell as a part of the runtime, and as one block of memory:
 *
 *     natlet_cell | slots | waits | names | dead letters | pool ...
 *
 * A turn fires due timers, then serves the run queue until it is empty or time is
 * up.  Agents stand in it once, however much mail they have. */
#include "natlet/cell.h"

#include "agent/kernel.h"
#include "base/optional.h"

NATLET__OPTIONAL(natlet_cell_shutdown)

enum {
    US_PER_MS = 1000,
    CLOCK_EVERY = 64, /* mails and switches between two looks at the host's clock */
    BATCH_DEFAULT = 16,
    AGENTS_DEFAULT = 256,
    WAITS_DEFAULT = 512,
    WAITS_MAX = 65535,
    DEAD_DEFAULT = 64,
    BYTES_DEFAULT = 262144,
};

/* ---- a part of the runtime ---- */

static natlet_cell *cell_of(natlet__part *part)
{
    return (natlet_cell *)part;
}

static void part_event(natlet__part *part, const natlet_host_event *event)
{
    (void)part;
    (void)event;
}

void natlet__cell_alarm(natlet_cell *cell, natlet__alarm *alarm, uint64_t delay_ms)
{
    natlet__timers_start(&cell->timers, &alarm->timer,
                         natlet_runtime_now_us(cell->rt) + delay_ms * US_PER_MS);
}

static void ring_alarms(natlet_cell *cell)
{
    uint64_t now_us = natlet_runtime_now_us(cell->rt);
    natlet__timer *timer;

    while ((timer = natlet__timers_take(&cell->timers, now_us)) != NULL) {
        natlet__alarm *alarm = (natlet__alarm *)timer;
        alarm->ring(cell, alarm);
    }
}

static bool part_turn(natlet__part *part, uint64_t until_us)
{
    natlet_cell *cell = cell_of(part);
    uint32_t unchecked = 0;

    ring_alarms(cell);
    while (!natlet__list_is_empty(&cell->ready)) {
        natlet__agent *agent = (natlet__agent *)cell->ready.next;
        natlet__list_cut(&agent->turn);
        unchecked += natlet__agent_run(cell, agent);
        if (unchecked >= CLOCK_EVERY) {
            unchecked = 0;
            if (natlet__runtime_clock_us(cell->rt) >= until_us) {
                break;
            }
        }
    }
    if (cell->closing.step != NULL && NATLET__IS_LINKED(natlet_cell_shutdown)) {
        cell->closing.step(cell);
    }
    return !natlet__list_is_empty(&cell->ready);
}

static void part_flush(natlet__part *part)
{
    (void)part;
}

static uint64_t part_due_us(natlet__part *part)
{
    const natlet_cell *cell = cell_of(part);

    return natlet__list_is_empty(&cell->ready) ? natlet__timers_due(&cell->timers) : 0;
}

/* ---- making one ---- */

static bool read_config(natlet_cell_config *config)
{
    config->bytes = config->bytes > 0 ? config->bytes : BYTES_DEFAULT;
    config->agents_max = config->agents_max > 0 ? config->agents_max : AGENTS_DEFAULT;
    config->waits_max = config->waits_max > 0 ? config->waits_max : WAITS_DEFAULT;
    config->batch = config->batch > 0 ? config->batch : BATCH_DEFAULT;
    config->dead_letters = config->dead_letters > 0 ? config->dead_letters : DEAD_DEFAULT;
    return config->size == sizeof *config && config->agents_max <= NATLET_PID_SLOT_MASK &&
           config->waits_max <= WAITS_MAX;
}

/* The limits of the configuration keep the sum far below 32 bits. */
static size_t table_bytes(const natlet_cell_config *config)
{
    return (config->agents_max + config->waits_max) * sizeof(natlet__slot) +
           config->dead_letters * sizeof(natlet_dead_letter) +
           2 * sizeof(natlet__agent *) * config->agents_max;
}

_Static_assert(sizeof(natlet_cell) % sizeof(uint64_t) == 0, "each table is aligned, and the pool");
_Static_assert(sizeof(natlet__slot) % sizeof(uint64_t) == 0, "each table is aligned");
_Static_assert(sizeof(natlet_dead_letter) % sizeof(uint64_t) == 0, "each table is aligned");

static void place_tables(natlet_cell *cell)
{
    const natlet_cell_config *config = &cell->config;

    cell->agents = (natlet__table){.slots = (natlet__slot *)(cell + 1), .cap = config->agents_max};
    cell->waits =
        (natlet__table){.slots = cell->agents.slots + config->agents_max, .cap = config->waits_max};
    cell->dead = (natlet_dead_letter *)(cell->waits.slots + config->waits_max);
    cell->names = (natlet__agent **)(cell->dead + config->dead_letters);
}

static void plant_root(natlet_cell *cell)
{
    static const natlet_supervisor_spec trees = {0};

    cell->root.state = &cell->root_state;
    cell->root.phase = NATLET_AGENT_RUNNING;
    cell->root.child.supervisor = &trees;
    natlet__supervisor_init(&cell->root);
}

natlet_status natlet_cell_new(natlet_cell **out, natlet_runtime *rt,
                              const natlet_cell_config *config)
{
    natlet_cell_config whole = *config;

    *out = NULL;
    if (!read_config(&whole)) {
        return NATLET_E_CONFIG;
    }
    size_t tables = table_bytes(&whole);
    size_t bytes = sizeof(natlet_cell) + whole.bytes;
    natlet_cell *cell = tables < whole.bytes && bytes > whole.bytes
                            ? natlet__memory_take(&rt->memory, bytes)
                            : NULL;
    if (cell == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    cell->rt = rt;
    cell->config = whole;
    cell->block_bytes = bytes;
    cell->locked = 1;
    cell->stamped_us = UINT64_MAX; /* not in any turn yet */
    cell->part = (natlet__part){
        .event = part_event, .turn = part_turn, .flush = part_flush, .due_us = part_due_us};
    natlet__list_init(&cell->ready);
    place_tables(cell);
    plant_root(cell);
    cell->pool_bytes = whole.bytes - tables;
    natlet_status st =
        natlet__pool_init(&cell->pool, (uint8_t *)(cell + 1) + tables, cell->pool_bytes);
    if (st < 0) {
        natlet__memory_give_back(&rt->memory, cell, bytes);
        return st;
    }
    natlet__runtime_add(rt, &cell->part);
    *out = cell;
    return NATLET_OK;
}

void natlet_cell_free(natlet_cell *cell)
{
    if (cell == NULL) {
        return;
    }
    NATLET_ASSERT(cell->running == NULL && cell->outlet == NULL && cell->asked == 0);
    natlet__runtime_remove(cell->rt, &cell->part);
    natlet__memory_give_back(&cell->rt->memory, cell, cell->block_bytes);
}

/* ---- after a trap ---- */

natlet_status natlet_cell_recover(natlet_cell *cell)
{
    natlet__agent *agent = cell->running;

    if (agent == NULL || cell->locked != 0) {
        return NATLET_E_POISONED;
    }
    (void)natlet__lock(cell);
    cell->running = NULL;
    if (agent->phase == NATLET_AGENT_STARTING) {
        natlet__supervisor_start_trapped(cell, agent);
        return NATLET_OK;
    }
    for (const natlet__agent *above = agent->parent; above != NULL; above = above->parent) {
        if (above->phase == NATLET_AGENT_STARTING) {
            return NATLET_E_POISONED; /* in a terminate, while a start was undone */
        }
    }
    natlet__agent_crash(cell, agent, (natlet_reason){NATLET_EXIT_TRAP, NATLET_E_TRAP});
    return NATLET_OK;
}

/* ---- what others can see ---- */

void natlet__cell_show(natlet_cell *cell, natlet_cell_event *event, const natlet__agent *agent)
{
    if (cell->config.on_event == NULL) {
        return;
    }
    if (agent != NULL) {
        event->name = agent->child.name;
        event->parent = agent->parent->pid;
    }
    cell->config.on_event(cell->config.self, event);
}

uint32_t natlet_cell_children(const natlet_cell *cell, natlet_pid supervisor,
                              natlet_agent_info *out, uint32_t cap)
{
    const natlet__agent *parent =
        supervisor != 0 ? natlet__registry_at(cell, supervisor) : &cell->root;

    if (parent == NULL || !natlet__is_supervisor(parent)) {
        return 0;
    }
    natlet__link *children = &natlet__supervisor_of(parent)->children;
    natlet__link *at = children->next;
    for (uint32_t i = 0; i < cap && at != children; i++) {
        natlet__agent_describe(natlet__child_at(at), &out[i]);
        at = at->next;
    }
    return natlet__supervisor_count(parent);
}

natlet_cell_stats natlet_cell_stats_now(const natlet_cell *cell)
{
    natlet_cell_stats stats = cell->stats;

    stats.agents = cell->agents.used;
    stats.waits = cell->waits.used;
    stats.agents_max = cell->agents.used_max;
    stats.waits_max = cell->waits.used_max;
    stats.pool_bytes = cell->pool_bytes;
    stats.pool_used = cell->pool.used_bytes;
    stats.pool_max = cell->pool.used_max;
    stats.pool_refused = cell->pool.refused;
    return stats;
}
