/* Goal: the vocabulary of the seed: words both ways, configurations with their defaults,
 * messages looked at in the order that is promised, actions done on an agent's own state
 * and answered, and that state is there after a restart.
 *
 * Method: tables; agents on the test host, the server played by the rig, with the backend
 * in memory. */
#include "natlet/seed.h"

#include "natlet/bridge.h"
#include "seed/scratch.h"
#include "support/client_rig.h"
#include "support/test.h"

static natlet_slice text(const char *s)
{
    return rig_text(s);
}

/* ---- words ---- */

#define X(name, value, word)                                                                       \
    CHECK_INT(OF(text(word)), value);                                                              \
    CHECK_TEXT(TEXT(value), word);

static void words_go_both_ways(void)
{
#define OF natlet_seed_task_of
#define TEXT natlet_seed_task_text
    NATLET_SEED_TASK_MAP(X)
#undef OF
#undef TEXT
#define OF natlet_seed_type_of
#define TEXT natlet_seed_type_text
    NATLET_SEED_TYPE_MAP(X)
#undef OF
#undef TEXT
#define OF natlet_seed_priority_of
#define TEXT natlet_seed_priority_text
    NATLET_SEED_PRIORITY_MAP(X)
#undef OF
#undef TEXT
#define OF natlet_seed_agent_type_of
#define TEXT natlet_seed_agent_type_text
    NATLET_SEED_AGENT_MAP(X)
#undef OF
#undef TEXT
    CHECK_INT(natlet_seed_task_of(text("Summarize")), NATLET_SEED_TASK_NONE);
    CHECK_INT(natlet_seed_type_of(text("")), NATLET_SEED_TYPE_NONE);
    CHECK(natlet_seed_task_text(NATLET_SEED_TASK_NONE) == NULL);
    CHECK(natlet_seed_agent_type_text((natlet_seed_agent_type)6) == NULL);
    CHECK_INT(natlet_seed_lane(NATLET_SEED_PRIORITY_CRITICAL), NATLET_PRIORITY_HIGH);
    CHECK_INT(natlet_seed_lane(NATLET_SEED_PRIORITY_HIGH), NATLET_PRIORITY_HIGH);
    CHECK_INT(natlet_seed_lane(NATLET_SEED_PRIORITY_MEDIUM), NATLET_PRIORITY_NORMAL);
    CHECK_INT(natlet_seed_lane(NATLET_SEED_PRIORITY_NORMAL), NATLET_PRIORITY_NORMAL);
    CHECK_INT(natlet_seed_lane(NATLET_SEED_PRIORITY_LOW), NATLET_PRIORITY_LOW);
    CHECK_INT(natlet_seed_lane(NATLET_SEED_PRIORITY_NONE), NATLET_PRIORITY_NORMAL);
}

/* ---- configurations ---- */

static natlet_status read_config(const char *json, natlet_seed_config *config)
{
    static char mem[256];

    return natlet_seed_config_read(text(json), mem, sizeof mem, config);
}

static void an_agent_is_configured(void)
{
    natlet_seed_config c;

    CHECK_INT(read_config("{\"id\":\"w1\",\"memory_backend_type\":\"InMemory\",\"nats_enabled\":"
                          "true,\"llm_enabled\":true,\"agent_type\":\"Summarizer\"}",
                          &c),
              NATLET_OK);
    CHECK_SLICE(c.id, "w1");
    CHECK(c.path.len == 0 && c.nats_enabled && c.llm_enabled);
    CHECK_INT(c.agent_type, NATLET_SEED_AGENT_SUMMARIZER);
    CHECK_INT(
        read_config("{\"agent_type\":\"Web\\u0053craper\",\"nats_enabled\":false,\"more\":[],"
                    "\"memory_backend_type\":{\"File\":{\"path\":\"a\\/b\"}},\"id\":\"\\u0077\"}",
                    &c),
        NATLET_OK);
    CHECK_SLICE(c.id, "w");
    CHECK_SLICE(c.path, "a/b");
    CHECK(!c.nats_enabled && !c.llm_enabled);
    CHECK_INT(c.agent_type, NATLET_SEED_AGENT_WEB_SCRAPER);
    CHECK_INT(read_config("{\"id\":\"w\",\"memory_backend_type\":{\"InMemory\":null},"
                          "\"nats_enabled\":false}",
                          &c),
              NATLET_OK);
    CHECK_INT(c.agent_type, NATLET_SEED_AGENT_GENERIC);
    CHECK_INT(natlet_seed_config_read(text("{\"id\":\"\\u0077\"}"), NULL, 0, &c),
              NATLET_E_TOO_LARGE);
}

static void a_wrong_configuration_is_refused(void)
{
#define WITH(id, backend, rest)                                                                    \
    "{\"id\":" id ",\"memory_backend_type\":" backend ",\"nats_enabled\":" rest "}"
    static const struct {
        const char *json;
        natlet_status st;
    } cases[] = {
        {"", NATLET_E_JSON},
        {"[]", NATLET_E_JSON},
        {"{\"id\":\"w\"", NATLET_E_JSON},
        {"{}", NATLET_E_CONFIG},
        {WITH("1", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("{\"0\":\"w\"}", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"\"", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"a.b\"", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"a:b\"", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"a b\"", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"*\"", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\">\"", "\"InMemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "\"inmemory\"", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "{}", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "{\"InMemory\":1}", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "{\"File\":{}}", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "{\"File\":{\"path\":\"\"}}", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "{\"File\":{\"path\":\"p\"},\"InMemory\":null}", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "{\"File\":{\"path\":\"p\"},\"x\":1}", "true"), NATLET_E_CONFIG},
        {WITH("\"a\"", "\"InMemory\"", "1"), NATLET_E_CONFIG},
        {WITH("\"a\"", "\"InMemory\"", "true,\"llm_enabled\":null"), NATLET_E_CONFIG},
        {WITH("\"a\"", "\"InMemory\"", "true,\"agent_type\":\"generic\""), NATLET_E_CONFIG},
        {WITH("\"a\"", "\"InMemory\"", "true,\"agent_type\":5"), NATLET_E_CONFIG},
        {WITH("\"a\"", "\"InMemory\"", "true,\"id\":\"b\""), NATLET_E_CONFIG},
        {"{\"id\":\"a\",\"memory_backend_type\":\"InMemory\"}", NATLET_E_CONFIG},
    };
    natlet_seed_config c;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        natlet_status st = read_config(cases[i].json, &c);
        if (st != cases[i].st) {
            printf("%s\n", cases[i].json);
        }
        CHECK_INT(st, cases[i].st);
    }
}

static natlet_status read_client(const char *json, natlet_client_config *config)
{
    static char mem[256];

    return natlet_seed_client_read(text(json), mem, sizeof mem, config);
}

static void a_connection_is_configured(void)
{
    natlet_client_config c;

    CHECK_INT(read_client("{}", &c), NATLET_OK);
    CHECK_SLICE(c.servers, "ws://localhost:8080/nats");
    CHECK_INT(c.connect_ms, 10000);
    CHECK_INT(c.reconnects_max, 10);
    CHECK_INT(c.reconnect_ms, 1000);
    CHECK(!c.no_reconnect && c.size == sizeof c);
    CHECK_INT(
        read_client("{\"websocket_url\":\"wss:\\/\\/nats.example.com/ws\",\"timeout\":{\"secs\":"
                    "2,\"nanos\":1},\"max_reconnects\":5,\"reconnect_delay\":2}",
                    &c),
        NATLET_OK);
    CHECK_SLICE(c.servers, "wss://nats.example.com/ws");
    CHECK_INT(c.connect_ms, 2001);
    CHECK_INT(c.reconnects_max, 5);
    CHECK_INT(c.reconnect_ms, 2000);
    CHECK_INT(read_client("{\"max_reconnects\":null}", &c), NATLET_OK);
    CHECK(c.reconnects_max == -1 && !c.no_reconnect);
    CHECK_INT(read_client("{\"max_reconnects\":0}", &c), NATLET_OK);
    CHECK(c.no_reconnect);
    static const char *const wrong[] = {
        "{\"timeout\":0}",
        "{\"timeout\":-1}",
        "{\"timeout\":1.5}",
        "{\"timeout\":\"10\"}",
        "{\"timeout\":4294967}",
        "{\"timeout\":{\"secs\":1}}",
        "{\"timeout\":{\"secs\":1,\"nanos\":1000000000}}",
        "{\"max_reconnects\":2147483648}",
        "{\"max_reconnects\":\"\"}",
        "{\"websocket_url\":1}",
        "{\"timeout\":1,\"timeout\":1}",
        "{\"reconnect_delay\":0}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(read_client(wrong[i], &c), NATLET_E_CONFIG);
    }
    CHECK_INT(read_client("5", &c), NATLET_E_JSON);
    CHECK_INT(natlet_seed_client_read(text("{\"websocket_url\":\"\\u0077\"}"), NULL, 0, &c),
              NATLET_E_TOO_LARGE);
}

/* ---- what a message is ---- */

static void messages_are_looked_at_in_order(void)
{
#define TO(to, payload)                                                                            \
    "{\"id\":\"i\",\"from\":\"f\",\"to\":\"" to "\",\"payload\":" payload ",\"timestamp\":1}"
    static const struct {
        const char *payload;
        natlet_seed_step step;
    } cases[] = {
        {"\"Clear\"", NATLET_SEED_STATE},
        {TO("other", "\"Clear\""), NATLET_SEED_STATE},
        {"{\"llm_task\":\"reason\",\"type\":\"ping\"}", NATLET_SEED_LLM},
        {TO("other", "{\"llm_task\":null}"), NATLET_SEED_LLM},
        {TO("other", "{\"type\":\"ping\"}"), NATLET_SEED_FORWARD},
        {TO("other", "7"), NATLET_SEED_FORWARD},
        {TO("me", "{\"type\":\"ping\"}"), NATLET_SEED_PING},
        {TO("m\\u0065", "{\"type\":\"ping\"}"), NATLET_SEED_PING},
        {TO("me", "{\"type\":\"pong\"}"), NATLET_SEED_OTHER},
        {TO("me", "7"), NATLET_SEED_OTHER},
        {"{\"type\":\"ping\"}", NATLET_SEED_PING},
        {"{\"type\":\"x\",\"type\":\"p\\u0069ng\"}", NATLET_SEED_PING},
        {"{\"type\":\"data_update\",\"data\":1}", NATLET_SEED_DATA_UPDATE},
        {"{\"type\":\"shutdown\"}", NATLET_SEED_SHUTDOWN},
        {"{\"type\":[\"shutdown\"]}", NATLET_SEED_OTHER},
        {"{\"Type\":\"ping\"}", NATLET_SEED_OTHER},
        {"{\"Store\":{\"key\":1,\"value\":2},\"type\":\"ping\"}", NATLET_SEED_PING},
        {"{\"type\":\"ping\"", NATLET_SEED_OTHER},
        {"", NATLET_SEED_OTHER},
    };
    char mem[512];
    natlet_seed_message m;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        natlet_mail mail = {.subject = text("agent.me"), .payload = text(cases[i].payload)};
        CHECK_INT(natlet_seed_read(&mail, text("me"), NATLET_ENVELOPE_AUTO, mem,
                                   2 * mail.payload.len, &m),
                  NATLET_OK);
        if (m.step != cases[i].step) {
            printf("%s\n", cases[i].payload);
        }
        CHECK_INT(m.step, cases[i].step);
    }
}

static void words_in_a_message_are_read(void)
{
    char mem[512];
    natlet_seed_message m;
    natlet_mail mail = {.payload = text("{\"llm_task\":\"plan_workflow\",\"message_type\":"
                                        "\"coordination\",\"priority\":\"critical\"}")};

    CHECK_INT(natlet_seed_read(&mail, text("me"), NATLET_ENVELOPE_AUTO, mem, sizeof mem, &m),
              NATLET_OK);
    CHECK_INT(m.task, NATLET_SEED_TASK_PLAN_WORKFLOW);
    CHECK_INT(m.type, NATLET_SEED_TYPE_COORDINATION);
    CHECK_INT(m.priority, NATLET_SEED_PRIORITY_CRITICAL);
    CHECK(!m.has_envelope && m.envelope.payload.ptr == mail.payload.ptr);
    mail.payload = text("{\"llm_task\":{},\"message_type\":\"coordinate\",\"priority\":1}");
    CHECK_INT(natlet_seed_read(&mail, text("me"), NATLET_ENVELOPE_AUTO, mem, sizeof mem, &m),
              NATLET_OK);
    CHECK(m.step == NATLET_SEED_LLM && m.task == NATLET_SEED_TASK_NONE);
    CHECK(m.type == NATLET_SEED_TYPE_NONE && m.priority == NATLET_SEED_PRIORITY_NONE);
    mail.payload = text("{\"Get\":{\"key\":\"\\n\"}}");
    CHECK_INT(natlet_seed_read(&mail, text("me"), NATLET_ENVELOPE_AUTO, NULL, 0, &m),
              NATLET_E_TOO_LARGE);
}

/* ---- agents ---- */

static rig r;
static natlet_cell *cell;
static natlet_bridge *bridge;
static natlet_memory_backend *memory;
static natlet_backend backend;
static natlet_seed_agent worker = {.id = NATLET_TEXT("w")};
static natlet_pid worker_pid;
static uint32_t sid;
static int32_t next_answer; /* of note_message */
static bool is_unwound;     /* note_message does not give back what it took, as after a trap */

static int32_t note_message(natlet_cell *c, void *state, natlet_mail *mail,
                            const natlet_seed_message *m)
{
    (void)state;
    (void)mail;
    rig_note(&r, "step %d [%.*s]\n", (int)m->step, (int)m->envelope.payload.len,
             (const char *)m->envelope.payload.ptr);
    if (is_unwound) {
        CHECK(natlet__scratch_take(c, 1000) != NULL);
    }
    return next_answer;
}

static bool are_answers; /* all mail, to the worker */

static int32_t work(natlet_cell *c, void *state, natlet_mail *mail)
{
    natlet_mail answer = *mail;

    answer.kind = NATLET_MAIL_REPLY;
    mail = are_answers ? &answer : mail;
    return natlet_seed_handle(c, &worker, state, mail);
}

static const natlet_behaviour working = {.name = "worker", .on_mail = work};

static void begin(bool has_network)
{
    static const natlet_supervisor_spec nobody = {.intensity = 100};
    const natlet_cell_config config = {.size = sizeof config};
    natlet_child child = {.name = text("w"), .behaviour = &working, .restart = NATLET_TRANSIENT};
    natlet_pid root;

    next_answer = NATLET_DONE;
    rig_connected(&r, RIG_NATS);
    CHECK_INT(natlet_cell_new(&cell, r.rt, &config), NATLET_OK);
    CHECK_INT(natlet_memory_backend_new(&memory, &r.memory.allocator, NULL), NATLET_OK);
    backend = natlet_memory_backend_of(memory);
    worker.backend = &backend;
    worker.on_message = note_message;
    CHECK_INT(natlet_supervisor_start(cell, &nobody, &root), NATLET_OK);
    CHECK_INT(natlet_supervisor_add(cell, root, &child, &worker_pid), NATLET_OK);
    if (has_network) {
        CHECK_INT(natlet_bridge_new(&bridge, cell, r.client), NATLET_OK);
        CHECK_INT(
            natlet_bridge_subscribe(bridge, worker_pid, text("agent.w"), (natlet_slice){0}, &sid),
            NATLET_OK);
    }
    rig_run(&r);
    rig_forget_sent(&r);
    (void)rig_log(&r);
}

static void end(bool has_network)
{
    if (has_network) {
        natlet_bridge_free(bridge);
    }
    natlet_client_free(r.client);
    r.client = NULL;
    natlet_cell_free(cell);
    natlet_memory_backend_free(memory);
    rig_end(&r);
}

static void deliver(const char *reply, const char *payload)
{
    char line[1024];

    snprintf(line, sizeof line, "MSG agent.w %u%s%s %u\r\n%s\r\n", (unsigned)sid,
             *reply != '\0' ? " " : "", reply, (unsigned)strlen(payload), payload);
    rig_say(&r, line);
}

/* What a request with that payload is answered. */
static void check_answer(const char *payload, const char *want)
{
    char line[1024];

    deliver("box", payload);
    snprintf(line, sizeof line, "PUB box %u\r\n%s\r\n", (unsigned)strlen(want), want);
    CHECK_TEXT(rig_sent(&r), line);
}

static void actions_are_done_and_answered(void)
{
    begin(true);
    natlet_slice value;
    size_t used = natlet_cell_stats_now(cell).pool_used;
    CHECK_INT(backend.store(backend.self, text("other:k"), text("0")), NATLET_OK);
    check_answer("{\"Get\":{\"key\":\"k\"}}", "{\"ok\":false,\"error\":\"E_NOT_FOUND\"}");
    check_answer("{\"Store\":{\"key\":\"k\",\"value\":{\"n\": 1}}}", "{\"ok\":true}");
    check_answer("{\"Store\":{\"key\":\"\\u0061\\n\",\"value\":null}}", "{\"ok\":true}");
    check_answer("{\"Get\":{\"key\":\"k\"}}", "{\"ok\":true,\"value\":{\"n\": 1}}");
    check_answer(" \"List\" ", "{\"ok\":true,\"keys\":[\"a\\n\",\"k\"]}");
    CHECK_INT(backend.get(backend.self, text("w:k"), &value), NATLET_OK);
    check_answer("{\"Delete\":{\"key\":\"k\"}}", "{\"ok\":true}");
    check_answer("{\"Delete\":{\"key\":\"k\"}}", "{\"ok\":false,\"error\":\"E_NOT_FOUND\"}");
    check_answer("\"Clear\"", "{\"ok\":true}");
    check_answer("\"List\"", "{\"ok\":true,\"keys\":[]}");
    CHECK_INT(backend.get(backend.self, text("other:k"), &value), NATLET_OK);
    CHECK_INT(backend.store(backend.self, text("w:bad"), text("no json")), NATLET_OK);
    check_answer("{\"Get\":{\"key\":\"bad\"}}", "{\"ok\":false,\"error\":\"E_JSON\"}");
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, used);
    CHECK_INT(natlet_cell_stats_now(cell).dead_total, 0);
    CHECK_TEXT(rig_log(&r), "");
    end(true);
}

static void keys_stay_with_their_agent(void)
{
    char action[160];
    char key[NATLET_BACKEND_KEY_BYTES_MAX] = "";

    begin(true);
    memset(key, 'k', sizeof key - 2);
    snprintf(action, sizeof action, "{\"Store\":{\"key\":\"%s\",\"value\":1}}", key);
    check_answer(action, "{\"ok\":true}");
    snprintf(action, sizeof action, "{\"Store\":{\"key\":\"%sk\",\"value\":1}}", key);
    check_answer(action, "{\"ok\":false,\"error\":\"E_INVALID\"}");
    worker.id = text("w:x");
    check_answer("\"Clear\"", "{\"ok\":false,\"error\":\"E_INVALID\"}");
    worker.id = text("w");
    end(true);
}

static void what_nobody_hears_of_is_a_dead_letter(void)
{
    begin(true);
    deliver("", "{\"Store\":{\"key\":\"k\",\"value\":1}}");
    deliver("", "{\"Delete\":{\"key\":\"x\"}}");
    deliver("", "\"List\"");
    CHECK_INT(natlet_cell_stats_now(cell).dead_total, 0);
    worker.backend = NULL;
    deliver("", "\"List\"");
    CHECK_INT(natlet_cell_stats_now(cell).dead[NATLET_DEAD_REJECTED], 1);
    CHECK_TEXT(rig_sent(&r), "");
    end(true);
}

static void state_outlives_a_restart(void)
{
    begin(true);
    check_answer("{\"Store\":{\"key\":\"k\",\"value\":7}}", "{\"ok\":true}");
    next_answer = -5;
    deliver("", "{\"type\":\"ping\"}");
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 1);
    check_answer("{\"Get\":{\"key\":\"k\"}}", "{\"ok\":true,\"value\":7}");
    end(true);
}

static void what_a_trap_leaves_goes_with_the_incarnation(void)
{
    begin(true);
    size_t used = natlet_cell_stats_now(cell).pool_used;
    next_answer = -5;
    is_unwound = true;
    deliver("", "{\"type\":\"ping\"}");
    is_unwound = false;
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 1);
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, used);
    end(true);
}

static void messages_for_others_go_on_as_they_came(void)
{
    static const char envelope[] = " " TO("o\\u0074her", "{\"type\":\"ping\"}");
    char line[256];

    begin(true);
    size_t used = natlet_cell_stats_now(cell).pool_used;
    deliver("", envelope);
    snprintf(line, sizeof line, "PUB agent.other %u\r\n%s\r\n", (unsigned)strlen(envelope),
             envelope);
    CHECK_TEXT(rig_sent(&r), line);
    CHECK_TEXT(rig_log(&r), "");
    deliver("", TO("w", "{\"type\":\"ping\"}"));
    CHECK_TEXT(rig_log(&r), "step 3 [{\"type\":\"ping\"}]\n");
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, used);
    deliver("", TO("no where", "1")); /* no subject */
    CHECK_INT(natlet_cell_stats_now(cell).dead[NATLET_DEAD_REJECTED], 1);
    CHECK_TEXT(rig_sent(&r), "");
    end(true);
}

static void without_a_network_all_is_ours(void)
{
    begin(false);
    CHECK_INT(
        natlet_agent_send(cell, worker_pid,
                          &(natlet_mail){.subject = text("agent.w"),
                                         .payload = text(TO("other", "{\"type\":\"ping\"}"))}),
        NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "step 3 [{\"type\":\"ping\"}]\n");
    end(false);
}

static void a_shutdown_stops_and_timers_and_answers_are_no_messages(void)
{
    natlet_agent_info info;

    begin(true);
    CHECK_INT(natlet_agent_send_after(cell, worker_pid, 5, 1, NULL), NATLET_OK);
    rig_wait_ms(&r, 10);
    CHECK_TEXT(rig_log(&r), "step 6 []\n");
    CHECK_INT(backend.store(backend.self, text("w:k"), text("1")), NATLET_OK);
    are_answers = true; /* nobody's answer acts on our state */
    deliver("", "\"Clear\"");
    are_answers = false;
    CHECK_TEXT(rig_log(&r), "step 6 [\"Clear\"]\n");
    check_answer("{\"Get\":{\"key\":\"k\"}}", "{\"ok\":true,\"value\":1}");
    deliver("", "{\"type\":\"shutdown\"}");
    CHECK_TEXT(rig_log(&r), "step 5 [{\"type\":\"shutdown\"}]\n");
    CHECK_INT(natlet_agent_info_of(cell, worker_pid, &info), NATLET_E_NO_AGENT);
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 0);
    end(true);
}

int main(void)
{
    RUN(words_go_both_ways);
    RUN(an_agent_is_configured);
    RUN(a_wrong_configuration_is_refused);
    RUN(a_connection_is_configured);
    RUN(messages_are_looked_at_in_order);
    RUN(words_in_a_message_are_read);
    RUN(actions_are_done_and_answered);
    RUN(keys_stay_with_their_agent);
    RUN(what_nobody_hears_of_is_a_dead_letter);
    RUN(state_outlives_a_restart);
    RUN(what_a_trap_leaves_goes_with_the_incarnation);
    RUN(messages_for_others_go_on_as_they_came);
    RUN(without_a_network_all_is_ours);
    RUN(a_shutdown_stops_and_timers_and_answers_are_no_messages);
    return test_done();
}
