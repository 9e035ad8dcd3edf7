/* Goal: agents meet the network: messages become mail, mail is answered, subscriptions
 * follow the child through restarts and end with it.
 *
 * Method: a client on the test host, the server played by the rig; agents write what
 * they get to the rig's log. */
#include "natlet/bridge.h"

#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static natlet_cell *cell;
static natlet_bridge *bridge;
static natlet_pid root;

static natlet_slice text(const char *s)
{
    return rig_text(s);
}

static bool is(natlet_slice a, const char *b)
{
    return a.len == strlen(b) && (a.len == 0 || memcmp(a.ptr, b, a.len) == 0);
}

static const natlet_slice service = NATLET_TEXT("service");

/* Logs what it gets; some payloads tell it what to do. */
static int32_t on_mail(natlet_cell *c, void *state, natlet_mail *mail)
{
    uint32_t ref;

    (void)state;
    rig_note(&r, "mail %.*s > %.*s [%.*s] %s\n", (int)mail->subject.len,
             (const char *)mail->subject.ptr, (int)mail->reply.len, (const char *)mail->reply.ptr,
             (int)mail->payload.len, (const char *)mail->payload.ptr,
             natlet_status_text(mail->status));
    if (mail->kind == NATLET_MAIL_NATS) {
        CHECK(mail->from == 0 && mail->to == natlet_agent_self(c));
    }
    if (is(mail->payload, "boom")) {
        return -1;
    }
    if (is(mail->payload, "stop")) {
        return NATLET_STOP;
    }
    if (is(mail->payload, "ask")) {
        return natlet_agent_request(c, &(natlet_msg){.subject = service, .payload = text("?")}, 100,
                                    &ref);
    }
    if (is(mail->payload, "tell")) {
        return natlet_agent_publish(c, &(natlet_msg){.subject = service, .payload = text("!")});
    }
    return mail->reply.len > 0 ? natlet_agent_reply(c, mail, text("pong")) : NATLET_DONE;
}

static const natlet_behaviour noting = {.name = "noting", .on_mail = on_mail};

static natlet_pid add(const char *name, natlet_restart restart)
{
    natlet_child child = {.name = text(name),
                          .behaviour = &noting,
                          .restart = restart,
                          .mailbox = {.high = 4, .normal = 4, .low = 4}};
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

/* Bridge, client, cell: as the header says. */
static void end(void)
{
    natlet_bridge_free(bridge);
    natlet_client_free(r.client);
    r.client = NULL;
    natlet_cell_free(cell);
    rig_end(&r);
}

static uint32_t subscribe(natlet_pid pid, const char *subject)
{
    uint32_t sid = 0;

    CHECK(natlet_bridge_subscribe(bridge, pid, text(subject), (natlet_slice){0}, &sid) ==
          NATLET_OK);
    rig_run(&r);
    return sid;
}

/* The server delivers a message to `sid`. */
static void deliver(uint32_t sid, const char *head, const char *payload)
{
    char line[256];

    snprintf(line, sizeof line, "MSG %s %u %u\r\n%s\r\n", head, (unsigned)sid,
             (unsigned)strlen(payload), payload);
    rig_say(&r, line);
}

static void deliver_to(uint32_t sid, const char *subject, const char *reply, const char *payload)
{
    char line[256];

    snprintf(line, sizeof line, "MSG %s %u %s %u\r\n%s\r\n", subject, (unsigned)sid, reply,
             (unsigned)strlen(payload), payload);
    rig_say(&r, line);
}

static void messages_become_mail(void)
{
    char line[64];

    begin();
    natlet_pid pid = add("a", NATLET_PERMANENT);
    uint32_t sid = 0;
    CHECK(natlet_bridge_subscribe(bridge, pid, text("in.*"), text("workers"), &sid) == NATLET_OK);
    rig_run(&r);
    snprintf(line, sizeof line, "SUB in.* workers %u\r\n", (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), line);
    deliver(sid, "in.x", "hello");
    CHECK_TEXT(rig_log(&r), "mail in.x >  [hello] done\n");
    deliver_to(sid, "in.y", "box.7", "ping");
    CHECK_TEXT(rig_log(&r), "mail in.y > box.7 [ping] done\n");
    CHECK_TEXT(rig_sent(&r), "PUB box.7 4\r\npong\r\n");
    deliver(sid, "in.z", "tell");
    CHECK_TEXT(rig_sent(&r), "PUB service 1\r\n!\r\n");
    natlet_bridge_stats stats = natlet_bridge_stats_now(bridge);
    CHECK_INT(stats.in_messages, 3);
    CHECK_INT(stats.out_messages, 2);
    CHECK_INT(stats.subscriptions, 1);
    CHECK_INT(natlet_client_stats_now(r.client).copied_bytes, 0);
    CHECK(natlet_bridge_unsubscribe(bridge, sid) == NATLET_OK);
    CHECK(natlet_bridge_unsubscribe(bridge, sid) == NATLET_E_NOT_FOUND);
    CHECK(natlet_bridge_subscribe(bridge, 1, text("x"), (natlet_slice){0}, NULL) ==
          NATLET_E_NO_AGENT);
    CHECK(natlet_bridge_subscribe(bridge, root, text("x"), (natlet_slice){0}, NULL) ==
          NATLET_E_NO_AGENT);
    CHECK(natlet_bridge_subscribe(bridge, pid, text("x y"), (natlet_slice){0}, NULL) ==
          NATLET_E_SUBJECT);
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
    end();
}

/* From the network to the agent and back: no block is taken, and a mailbox copies
 * once. */
static void steady_state_allocates_nothing(void)
{
    begin();
    uint32_t sid = subscribe(add("a", NATLET_PERMANENT), "in");
    deliver_to(sid, "in", "box", "warm");
    uint32_t requests = r.memory.requests;
    size_t used = natlet_cell_stats_now(cell).pool_used;
    for (int i = 0; i < 1000; i++) {
        deliver_to(sid, "in", "box", "ping");
        (void)rig_log(&r);
        rig_forget_sent(&r);
    }
    CHECK_INT(natlet_bridge_stats_now(bridge).out_messages, 1001);
    CHECK_INT(r.memory.requests, requests);
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, used);
    CHECK_INT(natlet_client_stats_now(r.client).copied_bytes, 0);
    end();
}

static void a_subscription_survives_restarts(void)
{
    begin();
    uint32_t sid = subscribe(add("a", NATLET_PERMANENT), "in");
    deliver(sid, "in", "boom");
    deliver(sid, "in", "again");
    CHECK_TEXT(rig_log(&r), "mail in >  [boom] done\nmail in >  [again] done\n");
    CHECK_INT(natlet_cell_stats_now(cell).restarts, 1);
    CHECK_INT(natlet_cell_stats_now(cell).dead[NATLET_DEAD_CRASHED], 1);
    end();
}

static void a_subscription_ends_with_its_child(void)
{
    char line[64];

    begin();
    natlet_pid pid = add("a", NATLET_TEMPORARY);
    uint32_t sid = subscribe(pid, "in");
    uint32_t other = subscribe(pid, "more");
    uint32_t kept = subscribe(add("b", NATLET_PERMANENT), "kept");
    rig_forget_sent(&r);
    deliver(sid, "in", "stop");
    snprintf(line, sizeof line, "UNSUB %u\r\nUNSUB %u\r\n", (unsigned)other, (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), line);
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 1);
    deliver(sid, "in", "late"); /* was on its way */
    deliver(kept, "kept", "hi");
    CHECK_TEXT(rig_log(&r), "mail in >  [stop] done\nmail kept >  [hi] done\n");
    end();
}

/* Agents, and one twice, on the same subject: one SUB, a copy for each; the UNSUB goes
 * with the last of them. */
static void agents_share_a_subscription(void)
{
    char line[64];

    begin();
    natlet_pid a = add("a", NATLET_TEMPORARY);
    natlet_pid b = add("b", NATLET_PERMANENT);
    uint32_t sid = subscribe(a, "in");
    uint32_t second = subscribe(b, "in");
    uint32_t third = subscribe(b, "in");
    snprintf(line, sizeof line, "SUB in %u\r\n", (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), line);
    CHECK(second != sid && third != sid && third != second);
    deliver(sid, "in", "x");
    CHECK_TEXT(rig_log(&r), "mail in >  [x] done\nmail in >  [x] done\nmail in >  [x] done\n");
    natlet_bridge_stats stats = natlet_bridge_stats_now(bridge);
    CHECK_INT(stats.in_messages, 1);
    CHECK_INT(stats.in_copies, 3);
    CHECK_INT(stats.subscriptions, 1);
    CHECK_INT(natlet_client_stats_now(r.client).copied_bytes, 0);

    CHECK(natlet_bridge_unsubscribe(bridge, sid) == NATLET_OK);
    CHECK(natlet_bridge_unsubscribe(bridge, sid) == NATLET_E_NOT_FOUND);
    deliver(sid, "in", "y");
    CHECK_TEXT(rig_log(&r), "mail in >  [y] done\nmail in >  [y] done\n");
    CHECK(natlet_bridge_unsubscribe(bridge, third) == NATLET_OK);
    uint32_t fourth = subscribe(a, "in"); /* joins what its own first one had opened */
    CHECK_TEXT(rig_sent(&r), "");
    CHECK(fourth != second && fourth != third && fourth != sid);
    CHECK(natlet_agent_send(cell, a, &(natlet_mail){.payload = text("stop")}) == NATLET_OK);
    rig_run(&r);
    (void)rig_log(&r);
    deliver(sid, "in", "z");
    CHECK_TEXT(rig_log(&r), "mail in >  [z] done\n");
    CHECK_TEXT(rig_sent(&r), "");
    CHECK(natlet_bridge_unsubscribe(bridge, second) == NATLET_OK);
    rig_run(&r);
    snprintf(line, sizeof line, "UNSUB %u\r\n", (unsigned)sid);
    CHECK_TEXT(rig_sent(&r), line);
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
    end();
}

/* A mailbox that is full loses its own copy only. */
static void one_full_mailbox_among_those_that_share(void)
{
    char all[512] = "";

    begin();
    uint32_t sid = subscribe(add("a", NATLET_PERMANENT), "in");
    natlet_child wide = {.name = text("b"), .behaviour = &noting, .mailbox = {.normal = 8}};
    natlet_pid b;
    CHECK(natlet_supervisor_add(cell, root, &wide, &b) == NATLET_OK);
    (void)subscribe(b, "in");
    for (int i = 0; i < 6; i++) {
        char line[64];
        snprintf(line, sizeof line, "MSG in %u 1\r\n%d\r\n", (unsigned)sid, i);
        strcat(all, line);
    }
    rig_say(&r, all);
    CHECK_INT(natlet_bridge_stats_now(bridge).in_copies, 12);
    CHECK_INT(natlet_bridge_stats_now(bridge).in_overflow, 2);
    CHECK_INT(natlet_cell_stats_now(cell).handled, 10);
    end();
}

/* Members of a queue group in one cell: one SUB, each message to one of them. */
static void a_queue_group_takes_turns(void)
{
    char line[64];

    begin();
    natlet_pid a = add("a", NATLET_PERMANENT);
    natlet_pid b = add("b", NATLET_PERMANENT);
    uint32_t first;
    uint32_t second;
    uint32_t plain;
    CHECK(natlet_bridge_subscribe(bridge, a, text("in"), text("q"), &first) == NATLET_OK);
    CHECK(natlet_bridge_subscribe(bridge, b, text("in"), text("q"), &second) == NATLET_OK);
    CHECK(natlet_bridge_subscribe(bridge, b, text("in"), (natlet_slice){0}, &plain) == NATLET_OK);
    rig_run(&r);
    snprintf(line, sizeof line, "SUB in q %u\r\nSUB in %u\r\n", (unsigned)first, (unsigned)plain);
    CHECK_TEXT(rig_sent(&r), line);
    for (int i = 0; i < 6; i++) {
        deliver(first, "in", "x");
    }
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(cell, a, &info) == NATLET_OK && info.handled == 3);
    CHECK(natlet_agent_info_of(cell, b, &info) == NATLET_OK && info.handled == 3);
    CHECK_INT(natlet_bridge_stats_now(bridge).in_copies, 6);
    CHECK(natlet_bridge_unsubscribe(bridge, first) == NATLET_OK);
    deliver(first, "in", "x");
    CHECK(natlet_agent_info_of(cell, b, &info) == NATLET_OK && info.handled == 4);
    end();
}

/* The server ends what they share: all of it is over, and the next one opens anew. */
static void what_is_shared_ends_for_all(void)
{
    begin();
    natlet_pid a = add("a", NATLET_PERMANENT);
    uint32_t sid = subscribe(a, "in");
    uint32_t second = subscribe(add("b", NATLET_PERMANENT), "in");
    rig_forget_sent(&r);
    rig_say(&r, "-ERR 'Permissions Violation for Subscription to \"in\"'\r\n");
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
    CHECK(natlet_bridge_unsubscribe(bridge, sid) == NATLET_E_NOT_FOUND);
    CHECK(natlet_bridge_unsubscribe(bridge, second) == NATLET_E_NOT_FOUND);
    (void)subscribe(a, "in");
    CHECK(strstr(rig_sent(&r), "SUB in ") != NULL);
    end();
}

/* ---- PAUSE_SRC ---- */

static natlet_pid add_pausing_with(const char *name, uint16_t places)
{
    natlet_child child = {.name = text(name),
                          .behaviour = &noting,
                          .mailbox = {.normal = places, .overflow = &natlet_overflow_pause_src}};
    natlet_pid pid;

    CHECK(natlet_supervisor_add(cell, root, &child, &pid) == NATLET_OK);
    return pid;
}

static natlet_pid add_pausing(const char *name)
{
    return add_pausing_with(name, 4);
}

/* So many messages in one read: the agent has no turn in between. */
static void flood(uint32_t sid, int count)
{
    char all[1024] = "";

    for (int i = 0; i < count; i++) {
        char line[64];
        snprintf(line, sizeof line, "MSG in %u 1\r\n%d\r\n", (unsigned)sid, i);
        strcat(all, line);
    }
    rig_say(&r, all);
}

/* UNSUB with the last place, SUB when half of the mail was handled; what was on its way
 * after that is the server's to keep, and nothing is a dead letter. */
static void a_full_mailbox_stops_its_subscription(void)
{
    unsigned again = 0;
    char line[64];

    begin();
    natlet_pid pid = add_pausing("a");
    uint32_t sid = subscribe(pid, "in");
    rig_forget_sent(&r);
    flood(sid, 6);
    const char *sent = rig_sent(&r);
    snprintf(line, sizeof line, "UNSUB %u\r\n", (unsigned)sid);
    CHECK(strncmp(sent, line, strlen(line)) == 0);
    CHECK(sscanf(sent + strlen(line), "SUB in %u", &again) == 1 && again != sid);
    CHECK_INT(natlet_bridge_stats_now(bridge).in_copies, 4);
    CHECK_INT(natlet_cell_stats_now(cell).handled, 4);
    CHECK_INT(natlet_cell_stats_now(cell).dead_total, 0);
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 1);
    (void)rig_log(&r);
    deliver(again, "in", "x");
    CHECK_TEXT(rig_log(&r), "mail in >  [x] done\n");
    CHECK(natlet_bridge_unsubscribe(bridge, sid) == NATLET_OK); /* its number stayed */
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
    end();
}

/* Of those that share one stops, with both of its places in line; the others go on.  With
 * three places it stops when only the first of the two has got the message. */
static void one_of_several_stops(void)
{
    for (uint16_t places = 3; places <= 4; places++) {
        begin();
        natlet_pid a = add_pausing_with("a", places);
        uint32_t sid = subscribe(a, "in");
        (void)subscribe(a, "in");
        natlet_child wide = {.name = text("b"), .behaviour = &noting, .mailbox = {.normal = 16}};
        natlet_pid b;
        CHECK(natlet_supervisor_add(cell, root, &wide, &b) == NATLET_OK);
        (void)subscribe(b, "in");
        rig_forget_sent(&r);
        flood(sid, 5);
        CHECK_TEXT(rig_sent(&r), ""); /* the subscription stayed, and a came back to it */
        natlet_agent_info info;
        CHECK(natlet_agent_info_of(cell, a, &info) == NATLET_OK && info.handled == places);
        CHECK(natlet_agent_info_of(cell, b, &info) == NATLET_OK && info.handled == 5);
        CHECK_INT(natlet_cell_stats_now(cell).dead_total, 0);
        (void)rig_log(&r);
        deliver(sid, "in", "x");
        CHECK_TEXT(rig_log(&r), "mail in >  [x] done\nmail in >  [x] done\nmail in >  [x] done\n");
        end();
    }
}

/* It ends while it is stopped: with its child, with the bridge, with the client. */
static void the_end_of_what_is_stopped(void)
{
    for (int way = 0; way < 3; way++) {
        begin();
        natlet_pid pid = add_pausing("a");
        (void)subscribe(pid, "in");
        for (int i = 0; i < 4; i++) { /* from inside: no turn, so it stays full */
            CHECK(natlet_agent_send(cell, pid, &(natlet_mail){.payload = text("x")}) == NATLET_OK);
        }
        CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
        if (way == 0) {
            CHECK(natlet_agent_exit(cell, root, (natlet_reason){NATLET_EXIT_SHUTDOWN, 0}) ==
                  NATLET_OK);
            rig_run(&r);
        } else if (way == 1) {
            natlet_bridge_free(bridge);
            bridge = NULL;
        } else {
            natlet_client_close(r.client);
            rig_run(&r);
            CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
        }
        end();
    }
}

/* The client has no memory for the SUB: it is tried again. */
static void going_on_is_tried_again(void)
{
    begin();
    natlet_pid pid = add_pausing("a");
    (void)subscribe(pid, "in");
    for (int i = 0; i < 4; i++) {
        CHECK(natlet_agent_send(cell, pid, &(natlet_mail){.payload = text("x")}) == NATLET_OK);
    }
    r.memory.fail_at = r.memory.requests + 1;
    rig_run(&r);
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 0);
    rig_wait_ms(&r, 60);
    CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 1);
    end();
}

/* A transient child that ended well is still there, but takes nothing. */
static void a_child_that_is_down(void)
{
    begin();
    uint32_t sid = subscribe(add("a", NATLET_TRANSIENT), "in");
    deliver(sid, "in", "stop");
    deliver(sid, "in", "x");
    CHECK_TEXT(rig_log(&r), "mail in >  [stop] done\n");
    CHECK_INT(natlet_bridge_stats_now(bridge).in_no_agent, 1);
    CHECK_INT(natlet_cell_stats_now(cell).dead[NATLET_DEAD_NO_AGENT], 1);
    end();
}

static void what_finds_no_room_is_a_dead_letter(void)
{
    char all[1024] = "";

    begin();
    uint32_t sid = subscribe(add("a", NATLET_PERMANENT), "in");
    for (int i = 0; i < 6; i++) { /* in one read: the agent has no turn in between */
        char line[64];
        snprintf(line, sizeof line, "MSG in %u 1\r\n%d\r\n", (unsigned)sid, i);
        strcat(all, line);
    }
    rig_say(&r, all);
    CHECK_TEXT(rig_log(&r), "mail in >  [0] done\nmail in >  [1] done\n"
                            "mail in >  [2] done\nmail in >  [3] done\n");
    CHECK_INT(natlet_bridge_stats_now(bridge).in_overflow, 2);
    CHECK_INT(natlet_cell_stats_now(cell).dead[NATLET_DEAD_OVERFLOW], 2);
    const natlet_dead_letter *letter = natlet_cell_dead_letter(cell, 0);
    CHECK(letter != NULL && letter->kind == NATLET_MAIL_NATS && letter->payload_len == 1);
    CHECK(letter != NULL && letter->subject_len == 2 && letter->id_ns > 0);
    end();
}

static void the_header_chooses_the_lane(void)
{
    static const char *const names[] = {"low",  "normal", "critical", "medium",
                                        "high", "odd",    "LOW"};
    char all[2048] = "";

    begin();
    uint32_t sid = subscribe(add("a", NATLET_PERMANENT), "in");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char head[64];
        char line[160];
        snprintf(head, sizeof head, "NATS/1.0\r\nNatlet-Priority: %s\r\n\r\n", names[i]);
        snprintf(line, sizeof line, "HMSG in %u %u %u\r\n%s%s\r\n", (unsigned)sid,
                 (unsigned)strlen(head), (unsigned)(strlen(head) + strlen(names[i])), head,
                 names[i]);
        strcat(all, line);
    }
    rig_say(&r, all);
    CHECK_TEXT(rig_log(&r), "mail in >  [critical] done\nmail in >  [high] done\n"
                            "mail in >  [normal] done\nmail in >  [medium] done\n"
                            "mail in >  [low] done\nmail in >  [odd] done\n"
                            "mail in >  [LOW] done\n");
    CHECK_INT(natlet_bridge_stats_now(bridge).priority_unknown, 1);
    end();
}

/* The inbox of the last request that was sent, and its sid. */
static void find_inbox(char inbox[64], uint32_t *sid)
{
    static uint32_t first; /* the inbox is subscribed once a connection */
    const char *sent = rig_sent(&r);
    const char *sub = strstr(sent, "SUB _INBOX.");
    const char *pub = strstr(sent, "PUB service ");
    unsigned number;

    if (sub != NULL && sscanf(sub, "SUB %*s %u", &number) == 1) {
        first = number;
    }
    CHECK(pub != NULL && sscanf(pub, "PUB service %63s 1", inbox) == 1);
    *sid = first;
}

static void requests_end_as_mail(void)
{
    char inbox[64];
    uint32_t inbox_sid;

    begin();
    natlet_pid pid = add("a", NATLET_PERMANENT);
    uint32_t sid = subscribe(pid, "in");
    rig_forget_sent(&r);
    deliver(sid, "in", "ask");
    find_inbox(inbox, &inbox_sid);
    CHECK_INT(natlet_cell_stats_now(cell).waits, 1);
    (void)rig_log(&r);
    deliver(inbox_sid, inbox, "42");
    const char *log = rig_log(&r);
    CHECK(strstr(log, "[42] done\n") != NULL);
    CHECK_INT(natlet_cell_stats_now(cell).waits, 0);

    deliver(sid, "in", "ask"); /* nobody answers */
    (void)rig_log(&r);
    rig_wait_ms(&r, 110);
    CHECK_TEXT(rig_log(&r), "mail  >  [] the deadline passed\n");

    deliver(sid, "in", "ask"); /* the agent ends before the answer comes */
    find_inbox(inbox, &inbox_sid);
    deliver(sid, "in", "boom");
    (void)rig_log(&r);
    CHECK_INT(natlet_cell_stats_now(cell).waits, 0);
    CHECK_INT(natlet_client_stats_now(r.client).requests, 0);
    deliver(inbox_sid, inbox, "43");
    CHECK_TEXT(rig_log(&r), "");
    end();
}

/* Everything asked of the network ends when bridge and client go away. */
static void the_end_with_open_requests(void)
{
    begin();
    size_t used = natlet_cell_stats_now(cell).pool_used;
    natlet_pid pid = add("a", NATLET_TEMPORARY);
    uint32_t sid = subscribe(pid, "in");
    deliver(sid, "in", "ask");
    natlet_bridge_free(bridge);
    CHECK(natlet_agent_publish(cell, &(natlet_msg){.subject = service}) == NATLET_E_UNSUPPORTED);
    CHECK(natlet_agent_send(cell, pid, &(natlet_mail){.payload = text("stop")}) == NATLET_OK);
    rig_run(&r); /* its request is still the client's */
    natlet_client_free(r.client);
    r.client = NULL;
    CHECK_INT(natlet_cell_stats_now(cell).pool_used, used);
    natlet_cell_free(cell);
    rig_end(&r);
}

/* The client has no room for the UNSUB: the next message asks for it again. */
static void an_unsub_that_found_no_room(void)
{
    for (int whole = 0; whole <= 1; whole++) { /* the child goes, or the bridge */
        char line[64];
        begin();
        natlet_pid pid = add("a", NATLET_TEMPORARY);
        uint32_t sid = subscribe(pid, "in");
        test_conn_congest(r.conn, 0);
        static uint8_t payload[60000];
        while (natlet_client_publish(
                   r.client, &(natlet_msg){.subject = service, .payload = {payload, 60000}}) ==
               NATLET_OK) {
        }
        while (natlet_client_publish(r.client, &(natlet_msg){.subject = service}) == NATLET_OK) {
        }
        if (whole) {
            natlet_bridge_free(bridge);
            bridge = NULL;
        } else {
            CHECK(natlet_agent_send(cell, pid, &(natlet_mail){.payload = text("stop")}) ==
                  NATLET_OK);
            rig_run(&r);
            CHECK_INT(natlet_bridge_stats_now(bridge).subscriptions, 1);
        }
        test_conn_relieve(&r.host, r.conn);
        rig_run(&r);
        rig_forget_sent(&r);
        deliver(sid, "in", "late");
        snprintf(line, sizeof line, "UNSUB %u\r\n", (unsigned)sid);
        CHECK_TEXT(rig_sent(&r), line);
        end();
    }
}

static void one_bridge_a_cell(void)
{
    natlet_bridge *second;

    begin();
    CHECK(natlet_bridge_new(&second, cell, r.client) == NATLET_E_STATE && second == NULL);
    natlet_bridge_free(NULL);
    end();
}

/* The n-th block is refused, for every n: the answer says so, and nothing leaks. */
static void memory_runs_out(void)
{
    for (uint32_t n = 1; n < 9; n++) {
        begin();
        natlet_pid pid = add("a", NATLET_PERMANENT);
        natlet_bridge_free(bridge);
        r.memory.fail_at = r.memory.requests + n;
        natlet_status st = natlet_bridge_new(&bridge, cell, r.client);
        CHECK(st == (n == 1 ? NATLET_E_NO_MEMORY : NATLET_OK));
        if (st == NATLET_OK) {
            uint32_t sid;
            st = natlet_bridge_subscribe(bridge, pid, text("in"), (natlet_slice){0}, &sid);
            CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
        }
        end();
    }
}

int main(void)
{
    RUN(messages_become_mail);
    RUN(steady_state_allocates_nothing);
    RUN(a_subscription_survives_restarts);
    RUN(a_subscription_ends_with_its_child);
    RUN(agents_share_a_subscription);
    RUN(one_full_mailbox_among_those_that_share);
    RUN(a_queue_group_takes_turns);
    RUN(what_is_shared_ends_for_all);
    RUN(a_full_mailbox_stops_its_subscription);
    RUN(one_of_several_stops);
    RUN(the_end_of_what_is_stopped);
    RUN(going_on_is_tried_again);
    RUN(a_child_that_is_down);
    RUN(what_finds_no_room_is_a_dead_letter);
    RUN(the_header_chooses_the_lane);
    RUN(requests_end_as_mail);
    RUN(the_end_with_open_requests);
    RUN(an_unsub_that_found_no_room);
    RUN(one_bridge_a_cell);
    RUN(memory_runs_out);
    return test_done();
}
