/* Orders from the network.  The door belongs to the client, too: its memory is given back
 * when the subscription is over. */
#include "agent/inspect.h"
#include "bridge/bridge.h"
#include "natlet/inspect.h"
#include "natlet/introspect.h"

typedef struct door {
    natlet_client *client;
    natlet__memory *memory;
    natlet_bridge *bridge; /* NULL: it is gone, and the subscription is to end */
    uint32_t sid;          /* 0: it is over */
} door;

typedef struct admin {
    natlet__extra extra; /* first */
    door *door;
} admin;

typedef struct order {
    natlet_cell *cell;
    natlet__agent *agent; /* NULL: none was named, or there is none */
    natlet_status status;
} order;

/* ---- verbs ---- */

static natlet_status put_tree(natlet_json_out *out, const order *o)
{
    return natlet_cell_tree_json(o->cell, out);
}

static natlet_status put_dead(natlet_json_out *out, const order *o)
{
    return natlet_cell_dead_json(o->cell, UINT32_MAX, out);
}

static natlet_status put_info(natlet_json_out *out, const order *o)
{
    natlet_agent_info info;

    natlet__agent_describe(o->agent, &info);
    natlet__inspect_info(out, &info);
    return NATLET_OK;
}

static natlet_status put_status(natlet_json_out *out, const order *o)
{
    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "status");
    natlet_json_out_string(out, natlet__text(natlet_status_name(o->status)));
    natlet_json_out_key(out, "text");
    natlet_json_out_string(out, natlet__text(natlet_status_text(o->status)));
    natlet_json_out_close(out, '}');
    return NATLET_OK;
}

static natlet_status kill(const order *o)
{
    const natlet_reason why = {NATLET_EXIT_KILLED, NATLET_E_CANCELLED};

    return natlet_agent_exit(o->cell, o->agent->pid, why);
}

static natlet_status restart(const order *o)
{
    const natlet_reason why = {NATLET_EXIT_ERROR, NATLET_E_CANCELLED};
    const natlet__agent *agent = o->agent;
    natlet_pid pid;

    return agent->phase == NATLET_AGENT_DOWN
               ? natlet_supervisor_restart(o->cell, agent->parent->pid, agent->child.name, &pid)
               : natlet_agent_exit(o->cell, agent->pid, why);
}

static natlet_status suspend(const order *o)
{
    return natlet_agent_suspend(o->cell, o->agent->pid);
}

static natlet_status resume(const order *o)
{
    return natlet_agent_resume(o->cell, o->agent->pid);
}

typedef struct verb {
    const char *name;
    natlet_status (*put)(natlet_json_out *out, const order *o);
    natlet_status (*act)(const order *o);
    bool needs_agent;
} verb;

static const verb verbs[] = {
    {"tree", put_tree, NULL, false},        {"dead", put_dead, NULL, false},
    {"info", put_info, NULL, true},         {"kill", put_status, kill, true},
    {"restart", put_status, restart, true}, {"suspend", put_status, suspend, true},
    {"resume", put_status, resume, true},
};

/* ---- an order ---- */

static natlet__agent *find_agent(const natlet_cell *cell, natlet_slice name)
{
    natlet__agent *agent = name.len > 0 ? natlet__registry_find(cell, name) : NULL;
    uint64_t pid;

    return agent == NULL && natlet__read_decimal(name, UINT64_MAX, &pid)
               ? natlet__registry_at(cell, pid)
               : agent;
}

static const verb *find_verb(natlet_slice subject)
{
    natlet_slice token;

    while (natlet__cut(&subject, '.', &token)) {
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (natlet__equal(subject, natlet__text(verbs[i].name))) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* Measures, then writes into a block of that size, or of what the server takes. */
static void answer(natlet_bridge *bridge, natlet_slice reply, const order *o,
                   natlet_status (*put)(natlet_json_out *out, const order *o))
{
    natlet__memory *memory = &bridge->cell->rt->memory;
    uint32_t max = natlet_client_max_payload(bridge->client);
    natlet_json_out out;

    natlet_json_out_init(&out, NULL, 0);
    (void)put(&out, o);
    size_t bytes = out.len < max ? out.len : max;
    void *block = natlet__memory_take(memory, bytes);
    natlet_status st = NATLET_E_NO_MEMORY;
    if (block != NULL) {
        natlet_json_out_init(&out, block, bytes);
        (void)put(&out, o);
        st = out.len > 0 && out.len <= bytes
                 ? natlet_client_publish(
                       bridge->client, &(natlet_msg){.subject = reply, .payload = {block, out.len}})
                 : NATLET_E_TOO_LARGE;
        natlet__memory_give_back(memory, block, bytes);
    }
    natlet__bridge_count_out(bridge, st);
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    const door *d = self;

    if (d->bridge == NULL) { /* there was no room for the UNSUB: once more */
        (void)natlet_client_unsubscribe(d->client, sid, 0);
        return;
    }
    const verb *v = find_verb(msg->subject);
    order o = {.cell = d->bridge->cell, .agent = find_agent(d->bridge->cell, msg->payload)};
    if (v == NULL) {
        o.status = NATLET_E_UNSUPPORTED;
    } else if (v->needs_agent && o.agent == NULL) {
        o.status = NATLET_E_NO_AGENT;
    } else {
        o.status = v->act != NULL ? v->act(&o) : NATLET_OK;
    }
    if (msg->reply.len > 0) {
        answer(d->bridge, msg->reply, &o, o.status < 0 ? put_status : v->put);
    }
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    door *d = self;

    (void)sid;
    (void)why;
    d->sid = 0;
    if (d->bridge == NULL) {
        natlet__memory_give_back(d->memory, d, sizeof *d);
    }
}

/* ---- life ---- */

static void end(natlet_bridge *bridge, natlet__extra *extra)
{
    admin *a = (admin *)extra;
    door *d = a->door;

    d->bridge = NULL;
    if (d->sid == 0) {
        natlet__memory_give_back(d->memory, d, sizeof *d);
    } else {
        (void)natlet_client_unsubscribe(d->client, d->sid, 0);
    }
    natlet__memory_give_back(&bridge->cell->rt->memory, a, sizeof *a);
}

static bool is_name(natlet_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = natlet__lower(name.ptr[i]);
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '-' && c != '_') {
            return false;
        }
    }
    return name.len > 0 && name.len <= NATLET_INTROSPECT_NAME_MAX;
}

static natlet_status open_door(natlet_bridge *bridge, natlet_slice subject, door **out)
{
    natlet__memory *memory = &bridge->cell->rt->memory;
    door *d = natlet__memory_take(memory, sizeof *d);

    if (d == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    *d = (door){.client = bridge->client, .memory = memory, .bridge = bridge};
    const natlet_sink sink = {d, on_message, on_ended};
    natlet_status st = natlet_client_subscribe(bridge->client, &d->sid, subject, NULL, &sink);
    if (st < 0) {
        natlet__memory_give_back(memory, d, sizeof *d);
    }
    *out = d;
    return st;
}

natlet_status natlet_bridge_admin(natlet_bridge *bridge, natlet_slice ns, natlet_slice node)
{
    const natlet_slice parts[] = {NATLET_TEXT("natlet."), ns, NATLET_TEXT(".sys."), node,
                                  NATLET_TEXT(".*")};
    uint8_t subject[sizeof "natlet..sys..*" + (size_t)2 * NATLET_INTROSPECT_NAME_MAX];
    uint8_t *at = subject;

    if (!is_name(ns) || !is_name(node)) {
        return NATLET_E_CONFIG;
    }
    if (natlet__extra_find(bridge, end) != NULL) {
        return NATLET_E_STATE;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        at = natlet__put(at, parts[i]);
    }
    admin *a = natlet__memory_take(&bridge->cell->rt->memory, sizeof *a);
    if (a == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = open_door(bridge, (natlet_slice){subject, (size_t)(at - subject)}, &a->door);
    if (st < 0) {
        natlet__memory_give_back(&bridge->cell->rt->memory, a, sizeof *a);
        return st;
    }
    natlet__extra_add(bridge, &a->extra, end);
    return NATLET_OK;
}
