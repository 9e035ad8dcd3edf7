/* Goal: requests say until when they are wanted, and a child that wants to know is not
 * bothered with later ones; a shutdown stops what comes in, and flushes what goes out.
 *
 * Method: a client on the test host, the server played by the rig; agents write what
 * they get to the rig's log. */
#include "natlet/bridge.h"
#include "natlet/headers.h"
#include "natlet/introspect.h"

#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static natlet_cell *cell;
static natlet_bridge *bridge;
static natlet_pid root;
static natlet_slice ask_headers;
static uint32_t token;

static natlet_slice text(const char *s)
{
    return rig_text(s);
}

static bool is(natlet_slice a, const char *b)
{
    return a.len == strlen(b) && (a.len == 0 || memcmp(a.ptr, b, a.len) == 0);
}

static int32_t on_mail(natlet_cell *c, void *state, natlet_mail *mail)
{
    uint32_t ref;

    (void)state;
    rig_note(&r, "mail [%.*s] %s\n", (int)mail->payload.len, (const char *)mail->payload.ptr,
             natlet_status_text(mail->status));
    if (is(mail->payload, "ask")) {
        return natlet_agent_request(
            c, &(natlet_msg){.subject = text("s"), .headers = ask_headers, .payload = text("?")},
            100, &ref);
    }
    return is(mail->payload, "later") ? natlet_agent_later(c, &token) : NATLET_DONE;
}

static void on_end(natlet_cell *c, void *state, natlet_reason why)
{
    (void)state;
    (void)why;
    natlet_status st = natlet_agent_publish(c, &(natlet_msg){.subject = text("bye")});
    rig_note(&r, st == NATLET_OK ? "end\n" : "end unsaid\n");
}

static const natlet_behaviour noting = {.name = "noting", .on_mail = on_mail, .terminate = on_end};

static void on_event(void *self, const natlet_cell_event *event)
{
    (void)self;
    if (event->kind == NATLET_CELL_DEAD_LETTER) {
        rig_note(&r, "dead [%.*s] %s\n", (int)event->mail->payload.len,
                 (const char *)event->mail->payload.ptr, natlet_dead_text(event->dead));
    } else if (event->kind == NATLET_CELL_CLOSED) {
        rig_note(&r, "closed %s\n", natlet_exit_text(event->reason.kind));
    }
}

static natlet_pid pid;
static uint32_t sid;

static void begin_at(const char *info, bool drop_expired)
{
    static const natlet_supervisor_spec nobody = {.intensity = 1000};
    const natlet_cell_config config = {.size = sizeof config, .on_event = on_event};
    const natlet_child child = {.behaviour = &noting,
                                .expiry = drop_expired ? &natlet_drop_expired : NULL};

    if (info == NULL) {
        rig_connected(&r, RIG_NATS);
    } else {
        rig_init(&r, RIG_NATS);
        rig_start(&r);
        (void)rig_meet(&r, info);
        rig_say(&r, "PONG\r\n");
    }
    CHECK(natlet_cell_new(&cell, r.rt, &config) == NATLET_OK);
    CHECK(natlet_bridge_new(&bridge, cell, r.client) == NATLET_OK);
    CHECK(natlet_supervisor_start(cell, &nobody, &root) == NATLET_OK);
    CHECK(natlet_supervisor_add(cell, root, &child, &pid) == NATLET_OK);
    CHECK(natlet_bridge_subscribe(bridge, pid, text("in"), (natlet_slice){0}, &sid) == NATLET_OK);
    rig_run(&r);
    rig_forget_sent(&r);
    (void)rig_log(&r);
    ask_headers = (natlet_slice){0};
}

static void end(void)
{
    natlet_bridge_free(bridge);
    natlet_client_free(r.client);
    r.client = NULL;
    natlet_cell_free(cell);
    rig_end(&r);
}

static void deliver(const char *payload)
{
    char line[128];

    snprintf(line, sizeof line, "MSG in %u %u\r\n%s\r\n", (unsigned)sid, (unsigned)strlen(payload),
             payload);
    rig_say(&r, line);
}

/* A message with one header field. */
static void deliver_with(const char *field, const char *payload)
{
    char line[512];
    char headers[256];

    snprintf(headers, sizeof headers, "NATS/1.0\r\n%s\r\n\r\n", field);
    snprintf(line, sizeof line, "HMSG in %u %u %u\r\n%s%s\r\n", (unsigned)sid,
             (unsigned)strlen(headers), (unsigned)(strlen(headers) + strlen(payload)), headers,
             payload);
    rig_say(&r, line);
}

static uint64_t wall_ms(void)
{
    return natlet_runtime_wall_ns(r.rt) / 1000000;
}

/* ---- deadlines ---- */

static void requests_say_their_deadline(void)
{
    char want[128];

    for (int with = 0; with <= 1; with++) {
        begin_at(NULL, false);
        ask_headers = with ? text("NATS/1.0\r\nA: b\r\n\r\n") : (natlet_slice){0};
        uint64_t due = wall_ms() + 100;
        deliver("ask");
        snprintf(want, sizeof want, "NATS/1.0\r\nNatlet-Deadline: %llu\r\n%s\r\n?\r\n",
                 (unsigned long long)due, with ? "A: b\r\n" : "");
        const char *sent = rig_sent(&r);
        CHECK(strstr(sent, "HPUB s ") != NULL);
        CHECK(strstr(sent, want) != NULL);
        rig_wait_ms(&r, 200);
        end();
    }
}

/* The pool lends the room for it, and has it back. */
static void a_deadline_costs_nothing_for_long(void)
{
    begin_at(NULL, false);
    ask_headers = text("NATS/1.0\r\nA: b\r\n\r\n");
    deliver("ask");
    rig_wait_ms(&r, 200);
    uint32_t requests = r.memory.requests;
    size_t used = natlet_cell_stats_now(cell).pool_used;
    for (int i = 0; i < 20; i++) {
        deliver("ask");
        rig_wait_ms(&r, 200);
    }
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, used);
    CHECK_INT(r.memory.requests, requests);
    end();
}

static void a_server_without_headers_gets_none(void)
{
    begin_at("INFO {\"server_id\":\"S1\",\"version\":\"2.1.0\",\"proto\":1,"
             "\"max_payload\":1048576}\r\n",
             false);
    deliver("ask");
    const char *sent = rig_sent(&r);
    CHECK(strstr(sent, "PUB s ") != NULL && strstr(sent, "HPUB") == NULL);
    CHECK_INT(natlet_bridge_stats_now(bridge).out_messages, 1);
    CHECK_INT(natlet_bridge_stats_now(bridge).out_refused, 0);
    rig_wait_ms(&r, 200);
    end();
}

static void what_is_late_is_not_handled(void)
{
    char field[64];

    for (int wants = 0; wants <= 1; wants++) {
        begin_at(NULL, wants);
        snprintf(field, sizeof field, "Natlet-Deadline: %llu", (unsigned long long)wall_ms() - 1);
        deliver_with(field, "past");
        CHECK_TEXT(rig_log(&r),
                   wants ? "dead [past] its deadline had passed\n" : "mail [past] done\n");
        CHECK_INT(natlet_cell_stats_now(cell).dead[NATLET_DEAD_EXPIRED], wants);
        snprintf(field, sizeof field, "Natlet-Deadline:%llu", (unsigned long long)wall_ms() + 50);
        deliver_with(field, "soon");
        CHECK_TEXT(rig_log(&r), "mail [soon] done\n");
        deliver("later"); /* the next one's turn comes too late */
        deliver_with(field, "queued");
        rig_wait_ms(&r, 60);
        CHECK(natlet_cell_settle(cell, pid, token, NATLET_DONE) == NATLET_OK);
        rig_run(&r);
        CHECK_TEXT(rig_log(&r), wants ? "mail [later] done\ndead [queued] its deadline had passed\n"
                                      : "mail [later] done\nmail [queued] done\n");
        end();
    }
}

/* Who cannot be understood has no deadline. */
static void deadlines_can_be_nonsense(void)
{
    static const char *const fields[] = {
        "Natlet-Deadline: ",     "Natlet-Deadline: -1",
        "Natlet-Deadline: soon", "Natlet-Deadline: 99999999999999999999999",
        "Natlet-Deadline",       "natlet-deadline: 1",
        "X-Natlet-Deadline: 1",  "A: Natlet-Deadline: 1",
        "Natlet-Deadline: 1.5",  "Natlet-Deadline: 18446744073709",
        "Natlet-Deadline: 1e3",
    };

    begin_at(NULL, true);
    for (uint32_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        deliver_with(fields[i], "x");
        CHECK_TEXT(rig_log(&r), "mail [x] done\n");
    }
    deliver_with("A: b\r\nNatlet-Deadline: 1\r\nC: d", "x");
    CHECK_TEXT(rig_log(&r), "dead [x] its deadline had passed\n");
    end();
}

/* ---- the end ---- */

static void intake_stops_and_output_is_flushed(void)
{
    char want[64];

    begin_at(NULL, false);
    CHECK(natlet_cell_shutdown(cell, 1000) == NATLET_OK);
    rig_run(&r);
    snprintf(want, sizeof want, "UNSUB %u\r\nPING\r\n", (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), want);
    deliver("last"); /* it was on its way */
    CHECK_TEXT(rig_log(&r), "mail [last] done\n");
    CHECK_TEXT(rig_sent(&r), "");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "end\n");
    CHECK_TEXT(rig_sent(&r), "PUB bye 0\r\n\r\nPING\r\n");
    rig_say(&r, "PONG\r\n");
    CHECK_TEXT(rig_log(&r), "closed shutdown\n");
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
    CHECK_INT(natlet_cell_stats_now(cell).dead_total, 0);
    end();
}

/* The server says nothing any more: each stage has its time, and the whole its deadline. */
static void a_silent_server_does_not_hold_it(void)
{
    begin_at(NULL, false);
    CHECK(natlet_cell_shutdown(cell, 1000) == NATLET_OK);
    rig_wait_ms(&r, 499);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 2);
    CHECK_TEXT(rig_log(&r), "end\n");
    rig_wait_ms(&r, 497);
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 3);
    CHECK_TEXT(rig_log(&r), "closed shutdown\n");
    end();
}

static void without_a_connection_nothing_is_waited_for(void)
{
    begin_at(NULL, false);
    rig_closed(&r, 0, NATLET_E_IO);
    (void)rig_log(&r);
    CHECK(natlet_cell_shutdown(cell, 1000) == NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "end unsaid\nclosed shutdown\n");
    end();
}

/* Who looks on hears it first, and finds no service any more. */
static void the_others_are_told(void)
{
    const natlet_presence_config config = {
        .size = sizeof config, .subject = text("here"), .id = text("me")};
    natlet_presence *presence;

    begin_at(NULL, false);
    CHECK(natlet_bridge_service(bridge, text("ns"), text("1.0.0")) == NATLET_OK);
    CHECK(natlet_presence_new(&presence, r.rt, r.client, &config) == NATLET_OK);
    CHECK(natlet_bridge_presence(bridge, presence) == NATLET_OK);
    rig_run(&r);
    CHECK(strstr(rig_sent(&r), "healthy") != NULL);
    uint32_t before = natlet_client_stats_now(r.client).subscriptions;
    rig_forget_sent(&r);
    CHECK(natlet_cell_shutdown(cell, 1000) == NATLET_OK);
    rig_run(&r);
    CHECK(strstr(rig_sent(&r), "draining") != NULL);
    CHECK(before > 2 && natlet_client_stats_now(r.client).subscriptions <= 1);
    natlet_bridge_free(bridge);
    bridge = NULL;
    natlet_presence_free(presence);
    end();
}

/* Bridge and client may go while it is under way. */
static void the_bridge_goes_first(void)
{
    for (int stage = 0; stage <= 1; stage++) {
        begin_at(NULL, false);
        CHECK(natlet_cell_shutdown(cell, 1000) == NATLET_OK);
        rig_run(&r);
        if (stage == 1) {
            rig_say(&r, "PONG\r\n");
            CHECK_TEXT(rig_log(&r), "end\n");
        }
        end();
    }
}

int main(void)
{
    RUN(requests_say_their_deadline);
    RUN(a_deadline_costs_nothing_for_long);
    RUN(a_server_without_headers_gets_none);
    RUN(what_is_late_is_not_handled);
    RUN(deadlines_can_be_nonsense);
    RUN(intake_stops_and_output_is_flushed);
    RUN(a_silent_server_does_not_hold_it);
    RUN(without_a_connection_nothing_is_waited_for);
    RUN(the_others_are_told);
    RUN(the_bridge_goes_first);
    return test_done();
}
