/* The guest as a reactor: natlet_init, then natlet_run until it says never. */
#include "guest.h"

static guest the;
static uint8_t scratch[SCRATCH_BYTES];
static natlet_host_event events[EVENTS_MAX];

static void say(guest *g, const char *line, uint32_t len)
{
    g->is_inside = true;
    g->host->log(g->host->self, NATLET_LOG_INFO, line, len);
    g->is_inside = false;
}

static void note_entry(void)
{
    the.was_entered_inside |= the.is_inside;
    the.was_nested |= the.is_running;
}

uint32_t natlet_abi(void)
{
    note_entry();
    return NATLET_ABI;
}

/* Memory that is there only from now on: the host has to look again (H3). */
uint32_t natlet_mem(uint32_t len)
{
    note_entry();
    return (uint32_t)__builtin_wasm_memory_grow(0, len / 65536 + 1) * 65536;
}

int32_t natlet_init(uint32_t config, uint32_t config_len)
{
    note_entry();
    the.say = say;
    the.is_reactor = true;
    the.scratch = scratch;
    the.events = events;
    bool is_good =
        guest_init(&the, natlet_host_imports(), (const char *)(uintptr_t)config, config_len);
    return is_good ? NATLET_OK : NATLET_E_CONFIG;
}

uint32_t natlet_run(uint32_t budget_us)
{
    (void)budget_us;
    note_entry();
    if (the.is_running) {
        return 1;
    }
    the.is_running = true;
    guest_turn(&the, 0);
    the.is_running = false;
    if (the.is_done) {
        say(&the, the.failed > 0 ? "done: failed" : "done", the.failed > 0 ? 12 : 4);
        return UINT32_MAX;
    }
    return the.wait_ms;
}

int32_t natlet_recover(void)
{
    return NATLET_E_POISONED;
}

void natlet_fini(void)
{
    note_entry();
}
