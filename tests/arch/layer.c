/* What the agent layer costs: one program as a reactor, three times.  With a client alone;
 * with AGENTS also a cell, its bridge and a tree that has a supervisor of each strategy; with
 * ALL everything else that agents can have.  Built and subtracted for `make size`, never run. */
#include "natlet/app.h"
#include "natlet/client.h"
#include "natlet/host.h"
#ifdef AGENTS
#include "natlet/bridge.h"
#endif
#ifdef ALL
#include "natlet/deadletters.h"
#include "natlet/envelope.h"
#include "natlet/inspect.h"
#include "natlet/introspect.h"
#include "natlet/link.h"
#include "natlet/presence.h"
#endif

static const natlet_slice subject = NATLET_TEXT("in");
static natlet_client *client;
static uint32_t sid;

/* ---- the client ---- */

static void on_message(void *self, uint32_t number, const natlet_msg *msg)
{
    natlet_msg answer = {.subject = msg->reply, .payload = msg->payload};

    (void)self;
    (void)number;
    (void)natlet_client_publish(client, &answer);
}

static void on_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    (void)self;
    (void)st;
    (void)reply;
}

static natlet_status start_client(natlet_runtime *rt, natlet_slice url)
{
    const natlet_client_config config = {.size = sizeof config, .servers = url};
    const natlet_sink sink = {NULL, on_message, NULL};
    const natlet_msg msg = {.subject = subject};
    natlet_status st = natlet_client_new(&client, rt, &config);
    uint32_t id;

    st = st < 0 ? st : natlet_client_connect(client);
    st = st < 0 ? st : natlet_client_subscribe(client, &sid, subject, NULL, &sink);
    st = st < 0 ? st : natlet_client_request(client, &msg, 1000, on_reply, NULL, &id);
    st = st < 0 ? st : natlet_client_cancel(client, id);
    st = st < 0 ? st : natlet_client_drain_subscription(client, sid, 1000, NULL, NULL);
    st = st < 0 ? st : natlet_client_unsubscribe(client, sid, 1);
    return st < 0 ? st : natlet_client_flush(client, 1000, NULL, NULL);
}

/* ---- agents ---- */

#ifdef AGENTS

static natlet_cell *cell;
static natlet_bridge *bridge;
static natlet_pid root;

#ifdef ALL

static const natlet_backoff backoff = {NATLET_WITH_BACKOFF, .base_ms = 250};
static const natlet_shield shield = {NATLET_WITH_SHIELD, .poison_after = 3};
static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 1000, .tries = 10};
static natlet_presence *presence;
static natlet_peers *peers;
static natlet_breaker breaker;
static natlet_dead_log dead_log;

/* Calls what agents have for each other, and answers how much of it did well. */
static int32_t use_more(natlet_mail *mail, natlet_pid self)
{
    static uint8_t mem[256];
    natlet_json_out out = {.ptr = mem, .cap = sizeof mem};
    natlet_envelope envelope;
    natlet_mail *kept;
    uint32_t ref;
    int32_t well = natlet_agent_link(cell, self, mail->from);

    well += natlet_agent_unlink(cell, self, mail->from);
    well += natlet_agent_monitor(cell, self, mail->from, 0, &ref);
    well += natlet_agent_demonitor(cell, self, ref);
    well += natlet_agent_trap_exits(cell, self, true);
    well += natlet_agent_signal(cell, mail->from, natlet_mail_reason(mail));
    well += natlet_agent_send_every(cell, self, 1000, 2, &ref);
    well += natlet_agent_time_left(cell, ref, &ref);
    well += natlet_agent_suspend(cell, mail->from) + natlet_agent_resume(cell, mail->from);
    well += natlet_agent_unstash(cell);
    well += natlet_mail_keep(cell, mail, &kept);
    natlet_mail_drop(cell, kept);
    well += natlet_breaker_allow(cell, &breaker, &ref);
    natlet_breaker_report(cell, &breaker, ref, well >= 0);
    natlet_breaker_trip(cell, &breaker);
    well += natlet_envelope_read(mail, NATLET_ENVELOPE_AUTO, mem, sizeof mem, &envelope);
    well += natlet_envelope_send(cell, envelope.from, envelope.payload);
    well += (int32_t)natlet_mail_to_json_ext(mail, mem, sizeof mem);
    well += natlet_cell_tree_json(cell, &out) + natlet_cell_dead_json(cell, 1, &out);
    return well < 0 ? NATLET_RETRY : NATLET_STASH;
}

static natlet_status start_more(natlet_runtime *rt, natlet_pid worker)
{
    const natlet_dlq_options letters = {.size = sizeof letters};
    const natlet_presence_config alive = {.size = sizeof alive, .subject = subject};
    const natlet_peers_config others = {.size = sizeof others, .subject = subject};
    const natlet_breaker_config breaking = {0};
    natlet_status st = natlet_bridge_watch(bridge, worker);

    st = st < 0 ? st : natlet_bridge_dlq(bridge, subject, &letters);
    st = st < 0 ? st : natlet_bridge_service(bridge, subject, subject);
    st = st < 0 ? st : natlet_bridge_admin(bridge, subject, subject);
    st = st < 0 ? st : natlet_bridge_crashes(bridge, subject);
    st = st < 0 ? st : natlet_breaker_init(&breaker, &breaking);
    st = st < 0 ? st : natlet_presence_new(&presence, rt, client, &alive);
    st = st < 0 ? st : natlet_peers_new(&peers, rt, client, &others);
    natlet_cell_log_dead(cell, &dead_log);
    return st < 0 ? st : natlet_cell_shutdown(cell, 5000);
}

#endif

/* Asks another agent on a timer, hands what the network brings to it, answers the rest. */
static int32_t work(natlet_cell *c, void *state, natlet_mail *mail)
{
    uint32_t ref;

    (void)state;
    switch (mail->kind) {
    case NATLET_MAIL_NATS:
        return natlet_agent_send_name(c, subject, mail);
    case NATLET_MAIL_TIMER:
        return natlet_agent_call(c, mail->from, mail, 1000, &ref);
    case NATLET_MAIL_REPLY:
        return natlet_agent_send_after(c, natlet_agent_self(c), 1000, 1, NULL);
#ifdef ALL
    case NATLET_MAIL_USER:
        return use_more(mail, natlet_agent_self(c));
#endif
    default:
        return natlet_agent_reply(c, mail, mail->payload);
    }
}

static const natlet_behaviour working = {.name = "worker", .on_mail = work};
static const natlet_child workers[] = {
    {.name = NATLET_TEXT("a"), .behaviour = &working},
    {.name = NATLET_TEXT("b"), .behaviour = &working, .restart = NATLET_TRANSIENT}};
static const natlet_child pattern[] = {{.behaviour = &working, .restart = NATLET_TEMPORARY}};
static const natlet_supervisor_spec one = {.children = workers, .count = 1};
static const natlet_supervisor_spec all = {
    .children = &workers[1], .count = 1, .strategy = NATLET_ONE_FOR_ALL};
static const natlet_supervisor_spec many = {
    .children = pattern, .count = 1, .strategy = NATLET_DYNAMIC};
static const natlet_child trees[] = {
    {.supervisor = &one}, {.supervisor = &all}, {.name = NATLET_TEXT("many"), .supervisor = &many}};
static const natlet_supervisor_spec tree = {
    .children = trees, .count = 3, .strategy = NATLET_REST_FOR_ONE};

static natlet_status start_agents(natlet_runtime *rt)
{
    const natlet_cell_config config = {.size = sizeof config};
    natlet_child child = {.name = subject};
    natlet_pid pid = 0;
    natlet_status st = natlet_cell_new(&cell, rt, &config);

#ifdef ALL
    child.behaviour = &working;
    child.backoff = &backoff;
    child.shield = &shield;
    child.retry = &retry;
    child.expiry = &natlet_drop_expired;
    child.mailbox.overflow = natlet_overflow_of(rt != NULL);
#endif
    st = st < 0 ? st : natlet_bridge_new(&bridge, cell, client);
    st = st < 0 ? st : natlet_supervisor_start(cell, &tree, &root);
    st = st < 0 ? st
                : natlet_supervisor_add(cell, natlet_cell_find(cell, trees[2].name), &child, &pid);
    st = st < 0 ? st : natlet_bridge_subscribe(bridge, pid, subject, (natlet_slice){0}, NULL);
#ifdef ALL
    st = st < 0 ? st : start_more(rt, pid);
#endif
    return st;
}

static void end_agents(void)
{
#ifdef ALL
    natlet_peers_free(peers);
    natlet_presence_free(presence);
#endif
    natlet_bridge_free(bridge);
}

#endif

/* ---- the program ---- */

natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    natlet_status st = start_client(rt, config);

#ifdef AGENTS
    st = st < 0 ? st : start_agents(rt);
#endif
    return st;
}

uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_NEVER_MS;
}

void natlet_app_fini(natlet_runtime *rt)
{
    (void)rt;
#ifdef AGENTS
    end_agents();
#endif
    natlet_client_free(client);
#ifdef AGENTS
    natlet_cell_free(cell);
#endif
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
#ifdef AGENTS
    return natlet_cell_recover(cell);
#else
    return NATLET_E_POISONED;
#endif
}
