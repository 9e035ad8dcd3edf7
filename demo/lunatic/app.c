/* The program: the supervisor tree over the agents that the configuration names, the
 * network, and how the cell is shown to people on it.
 *
 *     one_for_one   pipeline   one_for_all   collectors, summariser, coordinator
 *                   model
 */
#include "natlet/app.h"

#include <string.h>

#include "demo/shared/tell.h"
#include "lunatic.h"

enum { BACKEND_BYTES = 16384 };

static lunatic the;
static member members[AGENTS_MAX];
static uint32_t member_count;
static member model_member = {.of = &the, .nats_enabled = true, .id = "model", .id_len = 5};
static _Alignas(uint64_t) uint8_t backend_block[BACKEND_BYTES];

/* ---- the model's breaker ---- */

/* Where people find it: in the model's state. */
static void on_breaker(void *self, natlet_breaker *breaker, natlet_breaker_state was)
{
    static const char *const counted[] = {"closed", "opened", "probed"};
    const natlet_slice name = NATLET_TEXT("breaker");

    (void)self, (void)was;
    tell(name, ": ", natlet_breaker_state_text(breaker->state));
    remember(&model_member, counted[breaker->state],
             recall(&model_member, counted[breaker->state]) + 1);
    remember(&model_member, "breaker", (uint32_t)breaker->state);
}

static natlet_status make_breaker(void)
{
    const natlet_breaker_config config = {.name = NATLET_TEXT("model"),
                                          .failures = 3,
                                          .percent = 100,
                                          .jitter_percent = NATLET_BREAKER_NO_JITTER,
                                          .successes = 2,
                                          .open_ms = 150,
                                          .open_max_ms = 300,
                                          .probe_ms = 200,
                                          .on_change = on_breaker};

    return natlet_breaker_init(&the.breaker, &config);
}

/* ---- state ---- */

static natlet_status make_backend(void)
{
    static natlet_allocator memory;
    const natlet_backend_config config = {
        .keys_max = 64, .value_bytes_max = 256, .bytes_max = BACKEND_BYTES / 2};
    natlet_arena *arena;

    natlet_status st = natlet_arena_init(&arena, backend_block, sizeof backend_block, NULL);
    if (st < 0) {
        return st;
    }
    memory = natlet_arena_allocator(arena);
    st = natlet_memory_backend_new(&the.memory, &memory, &config);
    if (st == NATLET_OK) {
        the.backend = natlet_memory_backend_of(the.memory);
    }
    return st;
}

/* ---- the tree ---- */

static natlet_status read_member(natlet_slice text, member *out)
{
    uint8_t mem[256];
    natlet_seed_config config;
    natlet_status st = natlet_seed_config_read(text, mem, sizeof mem, &config);

    if (st < 0) {
        return st;
    }
    if (config.id.len > sizeof out->id || config.path.len > 0) {
        return NATLET_E_CONFIG;
    }
    *out = (member){.of = &the,
                    .type = config.agent_type,
                    .nats_enabled = config.nats_enabled,
                    .id_len = config.id.len};
    memcpy(out->id, config.id.ptr, config.id.len);
    return NATLET_OK;
}

static natlet_status read_members(natlet_slice config)
{
    static char pointer[] = "/agents/N";

    for (member_count = 0; member_count < AGENTS_MAX; member_count++) {
        natlet_slice text;
        pointer[sizeof pointer - 2] = (char)('0' + member_count);
        if (natlet_json_find(config, slice_of(pointer), &text) < 0) {
            break;
        }
        natlet_status st = read_member(text, &members[member_count]);
        if (st < 0) {
            return st;
        }
    }
    return NATLET_OK;
}

static const natlet_behaviour *behaviour_of(natlet_seed_agent_type type)
{
    switch (type) {
    case NATLET_SEED_AGENT_DATA_COLLECTOR:
        return &collector;
    case NATLET_SEED_AGENT_SUMMARIZER:
        return &summariser;
    case NATLET_SEED_AGENT_WORKFLOW_COORDINATOR:
        return &coordinator;
    case NATLET_SEED_AGENT_NONE:
    case NATLET_SEED_AGENT_WEB_SCRAPER:
    case NATLET_SEED_AGENT_GENERIC:
        break;
    }
    return NULL; /* the supervisor refuses it */
}

/* Mail that crashed its agent three times is poison.  Mail that could not be handled now
 * comes again, the sooner the less often it did. */
static natlet_child child_of(member *of, const natlet_behaviour *behaviour)
{
    static const natlet_shield shield = {NATLET_WITH_SHIELD, .poison_after = 3};
    static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 20, .cap_ms = 80, .tries = 50,
                                       .jitter_percent = 20};

    return (natlet_child){.name = {(const uint8_t *)of->id, of->id_len},
                          .behaviour = behaviour,
                          .arg = of,
                          .mailbox = {.high = 16},
                          .shield = &shield,
                          .retry = &retry};
}

static natlet_status start_tree(void)
{
    static natlet_child workers[AGENTS_MAX];
    static natlet_supervisor_spec pipeline = {
        .strategy = NATLET_ONE_FOR_ALL, .intensity = 5, .children = workers};
    static natlet_child tops[2] = {{.name = NATLET_TEXT("pipeline"), .supervisor = &pipeline}};
    const natlet_supervisor_spec tree = {.children = tops, .count = 2};
    natlet_pid pid;

    for (uint32_t i = 0; i < member_count; i++) {
        workers[i] = child_of(&members[i], behaviour_of(members[i].type));
    }
    pipeline.count = member_count;
    tops[1] = child_of(&model_member, &model);
    return natlet_supervisor_start(the.cell, &tree, &pid);
}

/* ---- the network ---- */

static natlet_status start_client(natlet_slice config)
{
    static const natlet_slice pointer = NATLET_TEXT("/nats");
    natlet_client_config client;
    natlet_slice text;
    uint8_t mem[256];

    natlet_status st = natlet_json_find(config, pointer, &text);
    if (st == NATLET_OK) {
        st = natlet_seed_client_read(text, mem, sizeof mem, &client);
    }
    if (st < 0) {
        return st;
    }
    client.retry_first_connect = true;
    st = natlet_client_new(&the.client, the.rt, &client);
    return st < 0 ? st : natlet_client_connect(the.client);
}

static natlet_status subscribe(const member *of, natlet_slice subject)
{
    const natlet_slice name = {(const uint8_t *)of->id, of->id_len};

    return natlet_bridge_subscribe(the.bridge, natlet_cell_find(the.cell, name), subject,
                                   (natlet_slice){0}, NULL);
}

static natlet_status subscribe_member(const member *of)
{
    static const natlet_slice results = NATLET_TEXT("results.summaries");
    uint8_t subject[sizeof "agent." + ID_BYTES_MAX] = "agent.";
    const size_t head = sizeof "agent." - 1;

    if (!of->nats_enabled) {
        return NATLET_OK;
    }
    memcpy(subject + head, of->id, of->id_len);
    natlet_status st = subscribe(of, (natlet_slice){subject, head + of->id_len});
    return st == NATLET_OK && of->type == NATLET_SEED_AGENT_WORKFLOW_COORDINATOR
               ? subscribe(of, results)
               : st;
}

static natlet_status subscribe_all(void)
{
    natlet_status st = subscribe_member(&model_member);

    for (uint32_t i = 0; i < member_count && st == NATLET_OK; i++) {
        st = subscribe_member(&members[i]);
    }
    return st;
}

static natlet_status show_cell(void)
{
    const natlet_slice ns = NATLET_TEXT("lunatic");
    const natlet_slice node = NATLET_TEXT("demo");
    const natlet_slice version = NATLET_TEXT("1.0.0");
    const natlet_dlq_options dlq = {.size = sizeof dlq};

    natlet_status st = natlet_bridge_dlq(the.bridge, ns, &dlq);
    if (st == NATLET_OK) {
        st = natlet_bridge_service(the.bridge, ns, version);
    }
    return st == NATLET_OK ? natlet_bridge_admin(the.bridge, ns, node) : st;
}

static natlet_status start_network(natlet_slice config)
{
    natlet_status st = start_client(config);

    if (st == NATLET_OK) {
        st = natlet_bridge_new(&the.bridge, the.cell, the.client);
    }
    if (st == NATLET_OK) {
        st = subscribe_all();
    }
    return st == NATLET_OK ? show_cell() : st;
}

/* ---- hooks ---- */

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    static const natlet_slice seed = NATLET_TEXT("/model/seed");
    static const natlet_slice silent = NATLET_TEXT("/model/silent_percent");
    const natlet_cell_config cell = {
        .size = sizeof cell, .bytes = 65536, .agents_max = 16, .on_event = tell_event};

    the = (lunatic){.rt = rt,
                    .seed = number_of(config, seed, 1),
                    .silent_percent = number_of(config, silent, 30)};
    natlet_status st = read_members(config);
    if (st == NATLET_OK) {
        st = make_breaker();
    }
    if (st == NATLET_OK) {
        st = make_backend();
    }
    if (st == NATLET_OK) {
        st = natlet_cell_new(&the.cell, rt, &cell);
    }
    if (st == NATLET_OK) {
        st = start_tree();
    }
    if (st == NATLET_OK) {
        st = start_network(config);
    }
    if (st < 0) {
        natlet_app_fini(rt);
    }
    return st;
}

uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_NEVER_MS;
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
    return natlet_cell_recover(the.cell);
}

void natlet_app_fini(natlet_runtime *rt)
{
    (void)rt;
    if (the.bridge != NULL) {
        natlet_bridge_free(the.bridge);
    }
    if (the.client != NULL) {
        natlet_client_free(the.client);
    }
    if (the.cell != NULL) {
        natlet_cell_free(the.cell);
    }
    natlet_memory_backend_free(the.memory);
    the = (lunatic){0};
}
