/* The cell as a micro service: its agents are the endpoints. */
#include "agent/inspect.h"
#include "base/utf8.h"
#include "bridge/bridge.h"
#include "natlet/introspect.h"
#include "natlet/service.h"

typedef struct shown {
    natlet__extra extra; /* first */
    natlet_bridge *bridge;
    natlet_service *service;
} shown;

typedef struct short_name {
    uint8_t text[NATLET_INTROSPECT_NAME_MAX];
    size_t len;
} short_name;

/* What tools take for a name; an agent may have any bytes. */
static short_name name_of(const natlet__agent *agent)
{
    natlet_slice name = agent->child.name;
    short_name out;

    out.len = name.len < sizeof out.text ? name.len : sizeof out.text;
    for (size_t i = 0; i < out.len; i++) {
        uint8_t c = natlet__lower(name.ptr[i]);
        bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        out.text[i] = is_good ? name.ptr[i] : '_';
    }
    return out;
}

static const natlet__taker *find_taker(const natlet_bridge *bridge, const natlet__agent *agent)
{
    const natlet__link *feeds = &bridge->feeds;

    for (const natlet__link *at = feeds->next; at != feeds; at = at->next) {
        const natlet__link *takers = &((const natlet__feed *)at)->takers;
        for (const natlet__link *one = takers->next; one != takers; one = one->next) {
            const natlet__taker *taker = (const natlet__taker *)one;
            if (taker->agent == agent && natlet__utf8_valid(taker->subject)) {
                return taker;
            }
        }
    }
    return NULL;
}

static void put_place(natlet_json_out *out, const natlet_bridge *bridge, const natlet__agent *agent)
{
    static const natlet_slice head = NATLET_TEXT("agent.");
    const natlet__taker *taker = find_taker(bridge, agent);
    const short_name name = name_of(agent);
    uint8_t inbox[sizeof "agent." + NATLET_INTROSPECT_NAME_MAX];
    size_t len =
        (size_t)(natlet__put(natlet__put(inbox, head), (natlet_slice){name.text, name.len}) -
                 inbox);

    natlet_json_out_member(out, "name", (natlet_slice){name.text, name.len});
    natlet_json_out_member(out, "subject",
                           taker != NULL ? taker->subject : (natlet_slice){inbox, len});
    natlet_json_out_member(out, "queue_group", taker != NULL ? taker->queue : (natlet_slice){0});
}

static void put_stats(natlet_json_out *out, const natlet_agent_info *info)
{
    bool has_crashed = info->last_exit.kind > NATLET_EXIT_SHUTDOWN;

    natlet_json_out_member_u64(out, "num_requests", info->handled);
    natlet_json_out_member_u64(out, "num_errors", info->restarts);
    natlet_json_out_member(out, "last_error",
                           natlet__text(has_crashed ? natlet_exit_text(info->last_exit.kind) : ""));
    natlet_json_out_member_u64(out, "processing_time", 0);
    natlet_json_out_member_u64(out, "average_processing_time", 0);
    natlet_json_out_key(out, "data");
    natlet__inspect_info(out, info);
}

static void put_endpoint(natlet_json_out *out, const natlet_bridge *bridge,
                         const natlet__agent *agent, bool stats)
{
    natlet_agent_info info;

    natlet__agent_describe(agent, &info);
    natlet_json_out_open(out, '{');
    put_place(out, bridge, agent);
    if (stats) {
        put_stats(out, &info);
    } else {
        natlet_json_out_key(out, "metadata");
        natlet_json_out_open(out, '{');
        natlet_json_out_member(out, "kind", natlet__text(info.kind != NULL ? info.kind : ""));
        natlet_json_out_close(out, '}');
    }
    natlet_json_out_close(out, '}');
}

static void put_agents(void *self, natlet_json_out *out, bool stats)
{
    const natlet_bridge *bridge = ((const shown *)self)->bridge;
    const natlet__table *agents = &bridge->cell->agents;

    for (uint32_t slot = 0; slot < agents->cap; slot++) {
        const natlet__agent *agent = natlet__table_at(agents, slot);
        if (agent != NULL && agent->child.name.len > 0 && !natlet__is_supervisor(agent)) {
            const natlet_json_out before = *out;
            put_endpoint(out, bridge, agent, stats);
            (void)natlet_service_element(out, &before);
        }
    }
}

/* Who looks for services does not find this one any more. */
static void drain(natlet_bridge *bridge, natlet__extra *extra)
{
    shown *s = (shown *)extra;

    (void)bridge;
    natlet_service_free(s->service);
    s->service = NULL;
}

static void end(natlet_bridge *bridge, natlet__extra *extra)
{
    shown *s = (shown *)extra;

    natlet_service_free(s->service);
    natlet__memory_give_back(&bridge->cell->rt->memory, s, sizeof *s);
}

natlet_status natlet_bridge_service(natlet_bridge *bridge, natlet_slice ns, natlet_slice version)
{
    static const natlet_slice head = NATLET_TEXT("natlet-");
    uint8_t name[sizeof "natlet-" + NATLET_INTROSPECT_NAME_MAX];

    if (ns.len == 0 || ns.len > NATLET_INTROSPECT_NAME_MAX) {
        return NATLET_E_CONFIG;
    }
    if (natlet__extra_find(bridge, end) != NULL) {
        return NATLET_E_STATE;
    }
    shown *s = natlet__memory_take(&bridge->cell->rt->memory, sizeof *s);
    if (s == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    s->bridge = bridge;
    (void)natlet__put(natlet__put(name, head), ns);
    const natlet_service_config config = {
        .size = sizeof config,
        .name = {name, head.len + ns.len},
        .version = version,
        .description = NATLET_TEXT("supervised agents"),
        .more = put_agents,
        .self = s,
    };
    natlet_status st = natlet_service_new(&s->service, bridge->client, &config);
    if (st < 0) {
        natlet__memory_give_back(&bridge->cell->rt->memory, s, sizeof *s);
        return st;
    }
    natlet__extra_add(bridge, &s->extra, end);
    s->extra.drain = drain;
    return NATLET_OK;
}
