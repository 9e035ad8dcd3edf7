/* Goal: envelopes are looked for where the mode says, lent where they lie, written cut to
 * any capacity, and sent from an agent to an agent over the network; and mail is exported
 * with all that came with it.
 *
 * Method: texts beside the whole; an agent on the test host, the server played by the rig.
 * What serde makes of envelopes is t_mail_golden's. */
#include "natlet/envelope.h"

#include "natlet/bridge.h"
#include "support/client_rig.h"
#include "support/test.h"

#define WHOLE "{\"id\":\"m1\",\"from\":\"a\",\"to\":\"b\",\"payload\":{\"x\":[1]},\"timestamp\":7}"

static natlet_slice text(const char *s)
{
    return rig_text(s);
}

static natlet_status read_in(const char *subject, natlet_envelope_mode mode)
{
    natlet_mail mail = {.subject = text(subject), .payload = text(WHOLE)};
    natlet_envelope envelope;

    return natlet_envelope_read(&mail, mode, NULL, 0, &envelope);
}

static void the_mode_says_where_they_are_looked_for(void)
{
    CHECK_INT(read_in("agent.b", NATLET_ENVELOPE_AUTO), NATLET_OK);
    CHECK_INT(read_in("agent.b.c", NATLET_ENVELOPE_AUTO), NATLET_OK);
    CHECK_INT(read_in("agent.", NATLET_ENVELOPE_AUTO), NATLET_E_NOT_FOUND);
    CHECK_INT(read_in("agent", NATLET_ENVELOPE_AUTO), NATLET_E_NOT_FOUND);
    CHECK_INT(read_in("agents.b", NATLET_ENVELOPE_AUTO), NATLET_E_NOT_FOUND);
    CHECK_INT(read_in("my.agent.b", NATLET_ENVELOPE_AUTO), NATLET_E_NOT_FOUND);
    CHECK_INT(read_in("", NATLET_ENVELOPE_AUTO), NATLET_E_NOT_FOUND);
    CHECK_INT(read_in("x", NATLET_ENVELOPE_ALWAYS), NATLET_OK);
    CHECK_INT(read_in("", NATLET_ENVELOPE_ALWAYS), NATLET_OK);
    CHECK_INT(read_in("agent.b", NATLET_ENVELOPE_NEVER), NATLET_E_NOT_FOUND);
}

static void parts_are_lent_and_the_mail_stays(void)
{
    natlet_mail mail = {.subject = text("agent.b"), .payload = text(WHOLE)};
    natlet_envelope e;

    CHECK_INT(natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, NULL, 0, &e), NATLET_OK);
    CHECK(e.payload.ptr == mail.payload.ptr + 41);
    CHECK_SLICE(e.payload, "{\"x\":[1]}");
    CHECK(e.id.ptr == mail.payload.ptr + 7);
    CHECK_SLICE(mail.payload, WHOLE);
    CHECK_INT(e.timestamp, 7);
}

/* Three texts with escapes need as many bytes as they have without them. */
static void escapes_need_memory(void)
{
    static const char escaped[] = "{\"id\":\"\\u0041\\n\",\"from\":\"plain\",\"to\":\"\\\"\\\"\","
                                  "\"payload\":0,\"timestamp\":1}";
    natlet_mail mail = {.subject = text("agent.b"), .payload = text(escaped)};
    natlet_envelope e;
    char mem[sizeof escaped];
    size_t enough = sizeof escaped - 1;

    CHECK_INT(natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, mem, 7, &e), NATLET_E_TOO_LARGE);
    CHECK_INT(natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, NULL, 0, &e), NATLET_E_TOO_LARGE);
    CHECK_INT(natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, mem, enough, &e), NATLET_OK);
    CHECK_SLICE(e.id, "A\n");
    CHECK_SLICE(e.from, "plain");
    CHECK_SLICE(e.to, "\"\"");
    mail.payload = text("{\"id\":\"\\n\\n\",\"from\":\"a\",\"to\":\"\\n\\n\\n\",\"payload\":0,"
                        "\"timestamp\":1}"); /* the first one takes 2 of the bytes */
    CHECK_INT(natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, mem, 7, &e), NATLET_E_TOO_LARGE);
    CHECK_INT(natlet_envelope_read(&mail, NATLET_ENVELOPE_AUTO, mem, 8, &e), NATLET_OK);
}

static void check_cuts(const natlet_envelope *e, const char *want)
{
    char out[256];
    size_t len = strlen(want);

    for (size_t cap = 0; cap <= len; cap++) {
        memset(out, '#', sizeof out);
        CHECK_INT(natlet_envelope_write(e, out, cap), len);
        CHECK(out[cap] == '#');
    }
    out[len] = '\0';
    CHECK_TEXT(out, want);
}

static void every_capacity_cuts(void)
{
    natlet_envelope e = {.id = text("m1"),
                         .from = text("a"),
                         .to = text("b"),
                         .payload = text("{\"x\":[1]}"),
                         .timestamp = 7};

    check_cuts(&e, WHOLE);
    e.payload = text("hi");
    check_cuts(&e, "{\"id\":\"m1\",\"from\":\"a\",\"to\":\"b\",\"payload\":{\"raw\":\"aGk=\"},"
                   "\"timestamp\":7}");
}

/* ---- over the network ---- */

static rig r;
static natlet_cell *cell;
static natlet_bridge *bridge;
static natlet_status sent; /* what the last send came to */

/* Sends its payload to the agent that the mail's subject names. */
static int32_t send_on(natlet_cell *c, void *state, natlet_mail *mail)
{
    (void)state;
    sent = natlet_envelope_send(c, mail->subject, mail->payload);
    return NATLET_DONE;
}

static const natlet_behaviour sending = {.name = "sending", .on_mail = send_on};

static natlet_pid start(const char *name)
{
    static const natlet_supervisor_spec nobody = {0};
    const natlet_cell_config config = {.size = sizeof config};
    natlet_child child = {.name = text(name), .behaviour = &sending};
    natlet_pid root;
    natlet_pid pid;

    rig_connected(&r, RIG_NATS);
    CHECK_INT(natlet_cell_new(&cell, r.rt, &config), NATLET_OK);
    CHECK_INT(natlet_supervisor_start(cell, &nobody, &root), NATLET_OK);
    CHECK_INT(natlet_supervisor_add(cell, root, &child, &pid), NATLET_OK);
    rig_forget_sent(&r);
    return pid;
}

static void end(void)
{
    natlet_client_free(r.client);
    r.client = NULL;
    natlet_cell_free(cell);
    rig_end(&r);
}

static void tell(natlet_pid pid, const char *name, const char *payload)
{
    const natlet_mail mail = {.subject = text(name), .payload = text(payload)};

    CHECK_INT(natlet_agent_send(cell, pid, &mail), NATLET_OK);
    rig_run(&r);
}

static void an_agent_sends_to_an_agent(void)
{
    char want[256];
    natlet_pid pid = start("anna");

    CHECK_INT(natlet_bridge_new(&bridge, cell, r.client), NATLET_OK);
    size_t before = natlet_cell_stats_now(cell).pool_used;
    for (int i = 0; i < 2; i++) { /* no id comes twice */
        uint64_t ns = r.host.unix_us * 1000;
        tell(pid, "bob", "{\"type\":\"ping\"}");
        CHECK_INT(sent, NATLET_OK);
        unsigned long long id = r.rt->wall_ns;
        CHECK(id >= ns);
        int len = snprintf(want, sizeof want,
                           "{\"id\":\"nats_%llu\",\"from\":\"anna\",\"to\":\"bob\",\"payload\":"
                           "{\"type\":\"ping\"},\"timestamp\":%llu}",
                           id, id / 1000000000);
        char line[300];
        snprintf(line, sizeof line, "PUB agent.bob %d\r\n%s\r\n", len, want);
        CHECK_TEXT(rig_sent(&r), line);
    }
    tell(pid, "bob", "\xff");
    CHECK(strstr(rig_sent(&r), "\"payload\":{\"raw\":\"/w==\"}") != NULL);
    tell(pid, "b ob", "1");
    CHECK_INT(sent, NATLET_E_SUBJECT);
    tell(pid, "", "1");
    CHECK_INT(sent, NATLET_E_SUBJECT);
    tell(pid, "*", "1");
    CHECK_INT(sent, NATLET_E_SUBJECT);
    CHECK_TEXT(rig_sent(&r), "");
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, before);
    CHECK_INT(natlet_envelope_send(cell, text("bob"), text("1")), NATLET_E_STATE);
    natlet_bridge_free(bridge);
    end();
}

static void who_has_no_name_signs_with_the_pid(void)
{
    char want[64];
    natlet_pid pid = start("");

    tell(pid, "bob", "1");
    CHECK_INT(sent, NATLET_E_UNSUPPORTED);
    CHECK_INT(natlet_bridge_new(&bridge, cell, r.client), NATLET_OK);
    tell(pid, "bob", "1");
    snprintf(want, sizeof want, "\"from\":\"%llu\",", (unsigned long long)pid);
    CHECK(strstr(rig_sent(&r), want) != NULL);
    natlet_bridge_free(bridge);
    end();
}

/* ---- all that came with a mail ---- */

static void check_ext(natlet_mail mail, const char *want)
{
    char out[512];
    size_t len = strlen(want);

    for (size_t cap = 0; cap <= len; cap++) {
        memset(out, '#', sizeof out);
        CHECK_INT(natlet_mail_to_json_ext(&mail, out, cap), len);
        CHECK(out[cap] == '#');
    }
    out[len] = '\0';
    CHECK_TEXT(out, want);
}

static void mail_is_exported_with_all_that_came_with_it(void)
{
    natlet_mail mail = {
        .subject = text("a"), .payload = text("1"), .id_ns = 5000000001, .attempt = 1};
#define FIVE                                                                                       \
    "{\"id\":\"nats_5000000001\",\"from\":\"nats\",\"to\":\"a\",\"payload\":1,\"timestamp\":5"

    check_ext(mail, FIVE ",\"seq\":0,\"attempt\":1}");
    mail.reply = text("_INBOX.\"1");
    mail.seq = UINT64_MAX;
    mail.attempt = 65535;
    check_ext(mail, FIVE ",\"reply\":\"_INBOX.\\\"1\",\"seq\":18446744073709551615,"
                         "\"attempt\":65535}");
    mail.reply = (natlet_slice){0};
    mail.headers = text("NATS/1.0\r\nA: 1\r\nB: x\"y\r\nbad\r\nA: 2\r\nC: \xff\xfe\r\nD:\r\n\r\n");
    check_ext(mail, FIVE ",\"headers\":{\"A\":[\"1\",\"2\"],\"B\":[\"x\\\"y\"],"
                         "\"C\":[{\"raw\":\"//4=\"}],\"D\":[\"\"]},"
                         "\"seq\":18446744073709551615,\"attempt\":65535}");
    mail.headers = text("NATS/1.0 503\r\n\r\n");
    mail.seq = 0;
    check_ext(mail, FIVE ",\"headers\":{},\"seq\":0,\"attempt\":65535}");
}

int main(void)
{
    RUN(the_mode_says_where_they_are_looked_for);
    RUN(parts_are_lent_and_the_mail_stays);
    RUN(escapes_need_memory);
    RUN(every_capacity_cuts);
    RUN(an_agent_sends_to_an_agent);
    RUN(who_has_no_name_signs_with_the_pid);
    RUN(mail_is_exported_with_all_that_came_with_it);
    return test_done();
}
