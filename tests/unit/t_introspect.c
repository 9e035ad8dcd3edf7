/* Goal: people on the network see a cell as it is and can give orders; crashes are
 * reported once; nothing is left behind.
 *
 * Method: as t_bridge: a client on the test host, the server played by the rig. */
#include "natlet/introspect.h"

#include "natlet/json.h"
#include "support/client_rig.h"
#include "support/test.h"
#include "json/reader.h"

static rig r;
static natlet_cell *cell;
static natlet_bridge *bridge;
static natlet_pid root;

static natlet_slice text(const char *s)
{
    return rig_text(s);
}

static int32_t on_mail(natlet_cell *c, void *state, natlet_mail *mail)
{
    (void)c;
    (void)state;
    return mail->payload.len == 4 && memcmp(mail->payload.ptr, "boom", 4) == 0 ? -7 : NATLET_DONE;
}

static const natlet_behaviour plain = {.name = "plain", .on_mail = on_mail};

static natlet_pid add(const char *name)
{
    natlet_child child = {.name = text(name), .behaviour = &plain};
    natlet_pid pid;

    CHECK(natlet_supervisor_add(cell, root, &child, &pid) == NATLET_OK);
    return pid;
}

static void begin(void)
{
    static const natlet_supervisor_spec nobody = {.intensity = 1000};
    const natlet_cell_config config = {.size = sizeof config};

    rig_connected(&r, RIG_NATS);
    CHECK(natlet_cell_new(&cell, r.rt, &config) == NATLET_OK);
    CHECK(natlet_bridge_new(&bridge, cell, r.client) == NATLET_OK);
    CHECK(natlet_supervisor_start(cell, &nobody, &root) == NATLET_OK);
    rig_forget_sent(&r);
    (void)rig_log(&r);
}

static void end(void)
{
    natlet_bridge_free(bridge);
    natlet_client_free(r.client);
    r.client = NULL;
    natlet_cell_free(cell);
    rig_end(&r);
}

static void tell(natlet_pid pid, const char *payload)
{
    CHECK(natlet_agent_send(cell, pid, &(natlet_mail){.payload = text(payload)}) == NATLET_OK);
    rig_run(&r);
}

static unsigned sid_of(const char *sent, const char *subject)
{
    char line[128];
    unsigned sid = 0;

    snprintf(line, sizeof line, "SUB %s ", subject);
    const char *found = strstr(sent, line);
    CHECK(found != NULL && sscanf(found + strlen(line), "%u", &sid) == 1);
    return sid;
}

/* What is published to `reply`; valid until the next call. */
static natlet_slice published(const char *reply)
{
    static char sent[65536];
    char line[128];
    unsigned len = 0;

    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    snprintf(line, sizeof line, "PUB %s ", reply);
    const char *found = strstr(sent, line);
    CHECK(found != NULL && sscanf(found + strlen(line), "%u", &len) == 1);
    return found != NULL ? (natlet_slice){(const uint8_t *)strstr(found, "\r\n") + 2, len}
                         : (natlet_slice){0};
}

static natlet_slice ask(unsigned sid, const char *subject, const char *payload)
{
    char line[256];

    rig_forget_sent(&r);
    snprintf(line, sizeof line, "MSG %s %u box %u\r\n%s\r\n", subject, sid,
             (unsigned)strlen(payload), payload);
    rig_say(&r, line);
    return published("box");
}

static natlet_slice at(natlet_slice json, const char *pointer)
{
    natlet_slice value = {0};

    CHECK(natlet_json_find(json, text(pointer), &value) == NATLET_OK);
    return value;
}

static void the_cell_is_a_service(void)
{
    char sent[4096];

    begin();
    natlet_pid pid = add("a");
    (void)add("b c");
    CHECK(natlet_bridge_subscribe(bridge, pid, text("in.>"), text("workers"), NULL) == NATLET_OK);
    CHECK(natlet_bridge_service(bridge, text("demo"), text("1.0.0")) == NATLET_OK);
    CHECK(natlet_bridge_service(bridge, text("demo"), text("1.0.0")) == NATLET_E_STATE);
    rig_run(&r);
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    natlet_slice got = ask(sid_of(sent, "$SRV.PING"), "$SRV.PING", "");
    CHECK_SLICE(at(got, "/name"), "\"natlet-demo\"");
    got = ask(sid_of(sent, "$SRV.INFO.natlet-demo"), "$SRV.INFO.natlet-demo", "");
    CHECK(natlet__json_valid(got));
    CHECK_SLICE(at(got, "/endpoints/0"),
                "{\"name\":\"a\",\"subject\":\"in.>\",\"queue_group\":\"workers\","
                "\"metadata\":{\"kind\":\"plain\"}}");
    CHECK_SLICE(at(got, "/endpoints/1/name"), "\"b_c\"");
    CHECK_SLICE(at(got, "/endpoints/1/subject"), "\"agent.b_c\"");
    tell(pid, "hi");
    tell(pid, "boom");
    got = ask(sid_of(sent, "$SRV.STATS"), "$SRV.STATS", "");
    CHECK(natlet__json_valid(got));
    CHECK_SLICE(at(got, "/endpoints/0/num_requests"), "1");
    CHECK_SLICE(at(got, "/endpoints/0/num_errors"), "1");
    CHECK_SLICE(at(got, "/endpoints/0/last_error"), "\"error\"");
    CHECK_SLICE(at(got, "/endpoints/0/data/state"), "\"running\"");
    CHECK_SLICE(at(got, "/endpoints/0/data/last_exit/code"), "-7");
    CHECK_SLICE(at(got, "/endpoints/0/data/mailbox/normal/free_min"), "15");
    end();
}

static void orders(void)
{
    char sent[4096];
    char number[32];

    begin();
    (void)add("a");
    natlet_pid nameless = add("");
    CHECK(natlet_bridge_admin(bridge, text("demo"), text("n1")) == NATLET_OK);
    CHECK(natlet_bridge_admin(bridge, text("demo"), text("n1")) == NATLET_E_STATE);
    rig_run(&r);
    snprintf(sent, sizeof sent, "%s", rig_sent(&r));
    unsigned sid = sid_of(sent, "natlet.demo.sys.n1.*");

    natlet_slice got = ask(sid, "natlet.demo.sys.n1.tree", "");
    CHECK_SLICE(at(got, "/children/0/children/0/name"), "\"a\"");
    got = ask(sid, "natlet.demo.sys.n1.info", "a");
    CHECK_SLICE(at(got, "/kind"), "\"plain\"");
    snprintf(number, sizeof number, "%llu", (unsigned long long)nameless);
    got = ask(sid, "natlet.demo.sys.n1.info", number);
    CHECK_SLICE(at(got, "/name"), "\"\"");
    got = ask(sid, "natlet.demo.sys.n1.dead", "");
    CHECK_SLICE(at(got, "/total"), "0");
    got = ask(sid, "natlet.demo.sys.n1.info", "b");
    CHECK_SLICE(got, "{\"status\":\"E_NO_AGENT\",\"text\":\"the agent is gone or was never "
                     "there\"}");
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.fly", "a"), "/status"), "\"E_UNSUPPORTED\"");

    natlet_pid before = natlet_cell_find(cell, text("a"));
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.restart", "a"), "/status"), "\"OK\"");
    natlet_pid after = natlet_cell_find(cell, text("a"));
    CHECK(after != 0 && after != before);
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.kill", "a"), "/status"), "\"OK\"");
    CHECK(natlet_cell_find(cell, text("a")) != after);
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 2);
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.suspend", "a"), "/status"), "\"OK\"");
    tell(natlet_cell_find(cell, text("a")), "hi");
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(cell, natlet_cell_find(cell, text("a")), &info) == NATLET_OK);
    CHECK_INT(info.mailbox.used[NATLET_PRIORITY_NORMAL], 1);
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.info", "a"), "/state"), "\"suspended\"");
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.resume", "a"), "/status"), "\"OK\"");
    CHECK(natlet_agent_info_of(cell, natlet_cell_find(cell, text("a")), &info) == NATLET_OK);
    CHECK_INT(info.mailbox.used[NATLET_PRIORITY_NORMAL], 0);
    CHECK(natlet_supervisor_terminate(cell, root, text("a")) == NATLET_OK);
    rig_run(&r);
    CHECK_INT(natlet_cell_find(cell, text("a")), 0);
    got = ask(sid, "natlet.demo.sys.n1.info", "a");
    CHECK_SLICE(at(got, "/state"), "\"down\"");
    CHECK_SLICE(at(ask(sid, "natlet.demo.sys.n1.restart", "a"), "/status"), "\"OK\"");
    CHECK(natlet_cell_find(cell, text("a")) != 0);

    char line[128]; /* nobody waits for an answer */
    snprintf(line, sizeof line, "MSG natlet.demo.sys.n1.kill %u 1\r\na\r\n", sid);
    rig_forget_sent(&r);
    rig_say(&r, line);
    CHECK_TEXT(rig_sent(&r), "");
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 3);
    end();
}

static void names_are_checked(void)
{
    char longest[NATLET_INTROSPECT_NAME_MAX + 2];

    begin();
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(natlet_bridge_admin(bridge, text("a.b"), text("n")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_admin(bridge, text("a"), text("*")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_admin(bridge, text("a"), text("")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_admin(bridge, text(longest), text("n")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_service(bridge, text(longest), text("1.0.0")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_service(bridge, text(""), text("1.0.0")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_service(bridge, text("a.b"), text("1.0.0")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_service(bridge, text("a"), text("1")) == NATLET_E_CONFIG);
    CHECK(natlet_bridge_crashes(bridge, text("a.*")) == NATLET_E_SUBJECT);
    end();
}

static void crashes_are_reported(void)
{
    begin();
    natlet_pid pid = add("a");
    CHECK(natlet_bridge_crashes(bridge, text("natlet.demo.ev.crash")) == NATLET_OK);
    CHECK(natlet_bridge_crashes(bridge, text("x")) == NATLET_E_STATE);
    tell(pid, "boom");
    natlet_slice got = published("natlet.demo.ev.crash");
    CHECK(natlet__json_valid(got));
    CHECK_SLICE(at(got, "/agent"), "\"a\"");
    CHECK_SLICE(at(got, "/reason/code"), "-7");
    CHECK_SLICE(at(got, "/message/attempt"), "1");
    CHECK(natlet_supervisor_terminate(cell, root, text("a")) == NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "");
    pid = add("b");
    natlet_client_close(r.client);
    tell(pid, "boom");
    CHECK_INT(natlet_bridge_stats_now(bridge).out_refused, 1);
    end();
}

static void memory_runs_out(void)
{
    for (uint32_t n = 1; n < 30; n++) {
        begin();
        (void)add("a");
        r.memory.fail_at = r.memory.requests + n;
        natlet_status st = natlet_bridge_crashes(bridge, text("x"));
        CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
        st = natlet_bridge_admin(bridge, text("demo"), text("n"));
        CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
        st = natlet_bridge_service(bridge, text("demo"), text("1.0.0"));
        CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
        end();
    }
}

int main(void)
{
    RUN(the_cell_is_a_service);
    RUN(orders);
    RUN(names_are_checked);
    RUN(crashes_are_reported);
    RUN(memory_runs_out);
    return test_done();
}
