/* The demo as a reactor module: one client, one cell, one supervisor over four
 * agents, and a bridge between cell and client. */
#include "natlet/app.h"

#include "demo/shared/tell.h"
#include "station.h"

static station the;

/* A string member of the configuration, without its quotes. */
static natlet_slice text_of(natlet_slice config, natlet_slice pointer)
{
    natlet_slice raw;

    if (natlet_json_find(config, pointer, &raw) < 0 || raw.len < 2 || raw.ptr[0] != '"') {
        return (natlet_slice){0};
    }
    return (natlet_slice){raw.ptr + 1, raw.len - 2};
}

static natlet_status start_tree(void)
{
    static const natlet_child children[] = {
        {.name = NATLET_TEXT("meter"), .behaviour = &meter, .arg = &the},
        {.name = NATLET_TEXT("aggregator"), .behaviour = &aggregator},
        {.name = NATLET_TEXT("clerk"), .behaviour = &clerk},
        {.name = NATLET_TEXT("reporter"), .behaviour = &reporter, .arg = &the},
    };
    static const natlet_supervisor_spec tree = {.intensity = 10, .children = children, .count = 4};
    natlet_pid pid;

    return natlet_supervisor_start(the.cell, &tree, &pid);
}

static natlet_status subscribe_agents(void)
{
    static const struct {
        natlet_slice agent, subject;
    } table[] = {
        {NATLET_TEXT("aggregator"), NATLET_TEXT("demo.readings")},
        {NATLET_TEXT("aggregator"), NATLET_TEXT("demo.stats")},
        {NATLET_TEXT("clerk"), NATLET_TEXT("demo.orders")},
        {NATLET_TEXT("reporter"), NATLET_TEXT("demo.report")},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        natlet_status st =
            natlet_bridge_subscribe(the.bridge, natlet_cell_find(the.cell, table[i].agent),
                                    table[i].subject, (natlet_slice){0}, NULL);
        if (st < 0) {
            return st;
        }
    }
    return NATLET_OK;
}

static natlet_status start_client(natlet_runtime *rt, natlet_slice config)
{
    static const natlet_slice url = NATLET_TEXT("/url");
    static const natlet_slice name = NATLET_TEXT("natlet demo");
    natlet_client_config client;

    natlet_client_config_init(&client);
    client.servers = text_of(config, url);
    client.name = name;
    client.retry_first_connect = true;
    natlet_status st = natlet_client_new(&the.client, rt, &client);
    return st < 0 ? st : natlet_client_connect(the.client);
}

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    static const natlet_slice readings = NATLET_TEXT("/readings");
    static const natlet_slice interval = NATLET_TEXT("/interval_ms");
    const natlet_cell_config cell = {
        .size = sizeof cell, .bytes = 65536, .agents_max = 8, .on_event = tell_event};

    the = (station){.rt = rt,
                    .readings = number_of(config, readings, 100),
                    .interval_ms = number_of(config, interval, 20)};
    natlet_status st = start_client(rt, config);
    if (st == NATLET_OK) {
        st = natlet_cell_new(&the.cell, rt, &cell);
    }
    if (st == NATLET_OK) {
        st = natlet_bridge_new(&the.bridge, the.cell, the.client);
    }
    if (st == NATLET_OK) {
        st = start_tree();
    }
    if (st == NATLET_OK) {
        st = subscribe_agents();
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
    the = (station){0};
}
