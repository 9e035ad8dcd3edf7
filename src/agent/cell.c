/* A cell as a part of the runtime, and as one block of memory:
 *
 *     natlet_cell | slots | waits | names | dead letters | pool ...
 *
 * A turn fires due timers, then serves the run queue until it is empty or time is
 * up.  Agents stand in it once, however much mail they have. */
#include "natlet/cell.h"

#include "agent/kernel.h"

enum {
    ALIGN = 8,
    CLOCK_EVERY = 32, /* mails and switches between two looks at the host's clock */
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

static void fire_timers(natlet_cell *cell)
{
    uint64_t now_us = natlet_runtime_now_us(cell->rt);
    natlet__timer *timer;

    while ((timer = natlet__timers_take(&cell->timers, now_us)) != NULL) {
        if (timer->kind == NATLET__TIMER_WAIT) {
            natlet__wait_due(cell, timer);
        } else {
            natlet__supervisor_impatient(cell, timer);
        }
    }
}

static natlet__agent *next_agent(natlet_cell *cell)
{
    natlet__agent *agent = cell->run_first;

    if (agent != NULL) {
        cell->run_first = agent->run_next;
        cell->run_last = cell->run_first != NULL ? cell->run_last : NULL;
    }
    return agent;
}

static bool part_turn(natlet__part *part, uint64_t until_us)
{
    natlet_cell *cell = cell_of(part);
    natlet__agent *agent;
    uint32_t unchecked = 0;

    fire_timers(cell);
    while ((agent = next_agent(cell)) != NULL) {
        unchecked += natlet__agent_run(cell, agent);
        if (unchecked >= CLOCK_EVERY) {
            unchecked = 0;
            if (natlet__runtime_clock_us(cell->rt) >= until_us) {
                break;
            }
        }
    }
    return cell->run_first != NULL;
}

static void part_flush(natlet__part *part)
{
    (void)part;
}

static uint64_t part_due_us(natlet__part *part)
{
    const natlet_cell *cell = cell_of(part);

    return cell->run_first != NULL ? 0 : natlet__timers_due(&cell->timers);
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

/* A power of two with room for twice the agents, so that searches stay short. */
static uint32_t names_cap(uint32_t agents_max)
{
    uint32_t cap = 4;

    while (cap < agents_max * 2) {
        cap *= 2;
    }
    return cap;
}

/* The limits of the configuration keep the sum far below 32 bits. */
static size_t table_bytes(const natlet_cell_config *config)
{
    return config->agents_max * sizeof(natlet__agent_slot) +
           config->waits_max * sizeof(natlet__wait_slot) +
           config->dead_letters * sizeof(natlet_dead_letter) +
           names_cap(config->agents_max) * sizeof(uint32_t);
}

_Static_assert(sizeof(natlet_cell) % ALIGN == 0, "each table is aligned, as is the pool");
_Static_assert(sizeof(natlet__agent_slot) % ALIGN == 0, "each table is aligned");
_Static_assert(sizeof(natlet__wait_slot) % ALIGN == 0, "each table is aligned");
_Static_assert(sizeof(natlet_dead_letter) % ALIGN == 0, "each table is aligned");

static void place_tables(natlet_cell *cell)
{
    cell->slots = (natlet__agent_slot *)(cell + 1);
    cell->wait_slots = (natlet__wait_slot *)(cell->slots + cell->config.agents_max);
    cell->dead = (natlet_dead_letter *)(cell->wait_slots + cell->config.waits_max);
    cell->names = (uint32_t *)(cell->dead + cell->config.dead_letters);
    cell->names_mask = names_cap(cell->config.agents_max) - 1;
}

static void link_free_slots(natlet_cell *cell)
{
    for (uint32_t i = 0; i < cell->config.agents_max; i++) {
        cell->slots[i].next_free = i + 1 < cell->config.agents_max ? i + 1 : NATLET__NONE;
    }
    for (uint32_t i = 0; i < cell->config.waits_max; i++) {
        cell->wait_slots[i].next_free =
            i + 1 < cell->config.waits_max ? (uint16_t)(i + 1) : NATLET__NO_WAIT;
    }
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
    place_tables(cell);
    link_free_slots(cell);
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

void natlet__cell_set_outlet(natlet_cell *cell, natlet__outlet *outlet)
{
    cell->outlet = outlet;
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

void natlet__cell_tell(natlet_cell *cell, natlet_cell_event_kind kind, const natlet__agent *agent)
{
    if (cell->config.on_event == NULL) {
        return;
    }
    natlet_cell_event event = {.kind = kind,
                               .pid = agent->pid,
                               .parent = agent->parent != NULL ? agent->parent->pid : 0,
                               .name = agent->child.name};
    if (kind != NATLET_CELL_STARTED) {
        event.reason = agent->exit;
    }
    cell->config.on_event(cell->config.self, &event);
}

uint32_t natlet_cell_children(const natlet_cell *cell, natlet_pid supervisor,
                              natlet_agent_info *out, uint32_t cap)
{
    const natlet__agent *parent = natlet__registry_at(cell, supervisor);
    const natlet__family *family = supervisor == 0 ? &cell->roots : NULL;
    uint32_t at = 0;

    if (parent != NULL && natlet__is_supervisor(parent)) {
        family = &((const natlet__supervisor *)parent->state)->children;
    }
    if (family == NULL) {
        return 0;
    }
    for (const natlet__agent *child = family->first; child != NULL && at < cap;
         child = child->younger) {
        natlet__agent_describe(child, &out[at++]);
    }
    return family->count;
}

natlet_cell_stats natlet_cell_stats_now(const natlet_cell *cell)
{
    natlet_cell_stats stats = cell->stats;

    stats.pool_bytes = cell->pool_bytes;
    stats.pool_used = cell->pool.used_bytes;
    stats.pool_max = cell->pool.used_max;
    stats.pool_refused = cell->pool.refused;
    return stats;
}
