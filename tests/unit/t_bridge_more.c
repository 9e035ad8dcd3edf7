/* Goal: what a program may add to a bridge: news of the connection as mail, and dead
 * letters on a subject of their own; and what agents are told when they send offline.
 *
 * Method: as t_bridge: a client on the test host, the server played by the rig. */
#include "natlet/bridge.h"
#include "natlet/deadletters.h"
#include "natlet/headers.h"

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

static int32_t watching_init(natlet_cell *c, void *state, void *arg)
{
    (void)state;
    (void)arg;
    return natlet_bridge_watch(bridge, natlet_agent_self(c));
}

static int32_t on_mail(natlet_cell *c, void *state, natlet_mail *mail)
{
    static const char *const words[] = {"down", "up", "lame duck", "closed"};
    const natlet_msg out = {.subject = NATLET_TEXT("out"), .payload = mail->payload};
    uint32_t ref;

    (void)state;
    if (mail->kind == NATLET_MAIL_CONNECTION) {
        CHECK(mail->from == 0 && mail->to == natlet_agent_self(c) && mail->id_ns > 0);
        rig_note(&r, "%s %u: %s\n", words[mail->tag], (unsigned)mail->seq,
                 natlet_status_text(mail->status));
        return NATLET_DONE;
    }
    if (mail->kind == NATLET_MAIL_REPLY) {
        rig_note(&r, "reply %s [%.*s] h=%u\n", natlet_status_text(mail->status),
                 (int)mail->payload.len,
                 mail->payload.len > 0 ? (const char *)mail->payload.ptr : "",
                 (unsigned)mail->headers.len);
        return NATLET_DONE;
    }
    if (is(mail->payload, "boom")) {
        return -7;
    }
    if (is(mail->payload, "no")) {
        return NATLET_REJECT;
    }
    if (is(mail->payload, "later")) {
        return NATLET_RETRY;
    }
    if (is(mail->payload, "tell")) {
        rig_note(&r, "publish: %s\n", natlet_status_text(natlet_agent_publish(c, &out)));
    }
    if (is(mail->payload, "ask")) {
        rig_note(&r, "request: %s\n", natlet_status_text(natlet_agent_request(c, &out, 100, &ref)));
    }
    if (mail->reply.len > 0 || mail->kind == NATLET_MAIL_CALL) {
        const natlet_msg answer = {.payload = NATLET_TEXT("pong"),
                                   .headers = NATLET_TEXT("NATS/1.0\r\nA: b\r\n\r\n")};
        rig_note(&r, "answer: %s\n", natlet_status_text(natlet_agent_reply_msg(c, mail, &answer)));
    }
    return NATLET_DONE;
}

static const natlet_behaviour plain = {.name = "plain", .on_mail = on_mail};
static const natlet_behaviour watching = {
    .name = "watching", .init = watching_init, .on_mail = on_mail};

static natlet_pid add_with(const char *name, const natlet_behaviour *behaviour,
                           natlet_mailbox_config mailbox)
{
    natlet_child child = {.name = text(name), .behaviour = behaviour, .mailbox = mailbox};
    natlet_pid pid;

    CHECK(natlet_supervisor_add(cell, root, &child, &pid) == NATLET_OK);
    return pid;
}

static natlet_pid add(const char *name, const natlet_behaviour *behaviour)
{
    return add_with(name, behaviour, (natlet_mailbox_config){.normal = 4});
}

static uint32_t seen; /* events that the program was shown */

static void count_event(void *self, const natlet_cell_event *event)
{
    (void)self;
    seen += event->kind == NATLET_CELL_DEAD_LETTER;
}

static void make_agents(void)
{
    static const natlet_supervisor_spec nobody = {.intensity = 1000};
    const natlet_cell_config config = {.size = sizeof config, .on_event = count_event};

    seen = 0;
    CHECK(natlet_cell_new(&cell, r.rt, &config) == NATLET_OK);
    CHECK(natlet_bridge_new(&bridge, cell, r.client) == NATLET_OK);
    CHECK(natlet_supervisor_start(cell, &nobody, &root) == NATLET_OK);
    rig_forget_sent(&r);
    (void)rig_log(&r);
}

static void begin(void)
{
    rig_connected(&r, RIG_NATS);
    make_agents();
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

static uint32_t subscribe(natlet_pid pid, const char *subject)
{
    uint32_t sid = 0;

    CHECK(natlet_bridge_subscribe(bridge, pid, text(subject), (natlet_slice){0}, &sid) ==
          NATLET_OK);
    rig_run(&r);
    rig_forget_sent(&r);
    return sid;
}

static void deliver(uint32_t sid, const char *subject, const char *headers, const char *payload)
{
    char line[2048];

    if (*headers == '\0') {
        snprintf(line, sizeof line, "MSG %s %u %u\r\n%s\r\n", subject, (unsigned)sid,
                 (unsigned)strlen(payload), payload);
    } else {
        snprintf(line, sizeof line, "HMSG %s %u %u %u\r\n%s%s\r\n", subject, (unsigned)sid,
                 (unsigned)strlen(headers), (unsigned)(strlen(headers) + strlen(payload)), headers,
                 payload);
    }
    rig_say(&r, line);
}

/* ---- the connection as mail ---- */

static void the_connection_is_told(void)
{
    begin();
    natlet_pid pid = add("a", &watching);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "up 1: done\n");
    CHECK(natlet_bridge_watch(bridge, pid) == NATLET_OK); /* twice is once */
    CHECK(natlet_bridge_watch(bridge, root) == NATLET_E_NO_AGENT);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_TEXT(rig_log(&r), "state reconnecting: the network failed\ndown 1: the network failed\n");
    rig_wait_ms(&r, 600);
    rig_come_back(&r);
    CHECK_TEXT(rig_log(&r), "state connected\nup 2: done\n");
    natlet_client_close(r.client);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "state closed\nclosed 2: done\n");
    end();
}

static void a_lame_duck_is_told(void)
{
    begin();
    (void)add("a", &watching);
    rig_run(&r);
    (void)rig_log(&r);
    rig_say(&r, "INFO {\"server_id\":\"a\",\"max_payload\":1048576,\"headers\":true,"
                "\"ldm\":true}\r\n");
    CHECK(strstr(rig_log(&r), "lame duck 1: done\n") != NULL);
    end();
}

/* What is unread says the newest state: two changes in one turn are one mail. */
static void the_last_state_wins(void)
{
    begin();
    natlet_pid pid = add("a", &watching);
    rig_run(&r);
    (void)rig_log(&r);
    test_conn_closed(&r.host, r.conn, 0, NATLET_E_IO);
    CHECK(natlet_client_reconnect(r.client) == NATLET_OK);
    natlet_client_close(r.client);
    rig_run(&r);
    const char *log = rig_log(&r);
    CHECK(strstr(log, "closed 1: done\n") != NULL);
    CHECK(strstr(log, "\ndown") == NULL);
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(cell, pid, &info) == NATLET_OK && info.handled == 2);
    end();
}

/* The pool is full when the connection breaks: the news comes as soon as there is room. */
static void news_is_not_lost_without_memory(void)
{
    static uint8_t block[4096];
    uint32_t held = 0;

    begin();
    (void)add("a", &watching);
    natlet_pid full =
        add_with("b", &plain, (natlet_mailbox_config){.normal = 500, .bytes_max = 1u << 20});
    rig_run(&r);
    (void)rig_log(&r);
    for (size_t len = sizeof block; len > 0; len /= 2) { /* the last one has one byte */
        const natlet_mail mail = {.payload = {block, len}};
        while (natlet_agent_send(cell, full, &mail) == NATLET_OK) {
            held++;
        }
    }
    CHECK(held > 50);
    natlet_client_close(r.client); /* in this turn nothing is given back */
    CHECK(strstr(rig_log(&r), "closed 1") == NULL);
    rig_wait_ms(&r, 25);
    CHECK_TEXT(rig_log(&r), "closed 1: done\n");
    end();
}

static void a_watch_ends_with_its_incarnation(void)
{
    begin();
    natlet_pid pid = add("a", &watching);
    rig_run(&r);
    (void)rig_log(&r);
    tell(pid, "boom"); /* the next one watches anew */
    CHECK_TEXT(rig_log(&r), "up 1: done\n");
    natlet_agent_info info;
    CHECK(natlet_agent_info_of(cell, natlet_cell_find(cell, text("a")), &info) == NATLET_OK);
    CHECK_INT(info.mailbox.used[NATLET_PRIORITY_SYS], 0);
    CHECK(natlet_supervisor_terminate(cell, root, text("a")) == NATLET_OK);
    rig_run(&r);
    natlet_client_close(r.client);
    rig_run(&r);
    CHECK_TEXT(rig_log(&r), "state closed\n");
    end();
}

static void a_watch_needs_a_place(void)
{
    begin();
    natlet_pid pid = add_with("a", &plain, (natlet_mailbox_config){.sys = 1});
    CHECK(natlet_agent_send_after(cell, pid, 1000, 1, NULL) == NATLET_OK);
    CHECK(natlet_bridge_watch(bridge, pid) == NATLET_E_FULL);
    CHECK(natlet_bridge_watch(bridge, 1) == NATLET_E_NO_AGENT);
    end();
}

static void one_place_is_enough(void)
{
    begin();
    natlet_pid pid = add_with("a", &plain, (natlet_mailbox_config){.sys = 1});
    CHECK(natlet_bridge_watch(bridge, pid) == NATLET_OK);
    rig_run(&r);
    rig_closed(&r, 0, NATLET_E_IO);
    rig_wait_ms(&r, 600);
    rig_come_back(&r);
    rig_wait_ms(&r, 25);
    CHECK_TEXT(rig_log(&r), "up 1: done\nstate reconnecting: the network failed\n"
                            "down 1: the network failed\nstate connected\nup 2: done\n");
    end();
}

/* ---- out ---- */

static void what_is_sent_offline_is_refused(void)
{
    begin();
    natlet_pid pid = add("a", &plain);
    uint32_t sid = subscribe(pid, "in");
    rig_say(&r, "MSG in 1048577 box 4\r\nask?\r\n");
    CHECK_TEXT(rig_log(&r), "answer: done\n");
    CHECK_TEXT(rig_sent(&r), "HPUB box 18 22\r\nNATS/1.0\r\nA: b\r\n\r\npong\r\n");
    (void)sid;
    rig_closed(&r, 0, NATLET_E_IO);
    (void)rig_log(&r);
    tell(pid, "tell");
    tell(pid, "ask");
    CHECK_TEXT(rig_log(&r), "publish: there is no connection to a server right now\n"
                            "request: there is no connection to a server right now\n");
    CHECK_INT(natlet_bridge_stats_now(bridge).out_refused, 2);
    CHECK_INT(natlet_cell_stats_now(cell).waits, 0);
    end();
}

static void what_is_tracked_waits(void)
{
    const natlet_track_options options = {.offline_bytes_max = 16384, .offline_ms = 1000};

    rig_init(&r, RIG_NATS);
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
    CHECK(natlet_client_track(r.client, &options) == NATLET_OK);
    CHECK(natlet_client_connect(r.client) == NATLET_OK);
    rig_run(&r);
    make_agents();
    natlet_pid pid = add("a", &plain);
    tell(pid, "tell");
    CHECK_TEXT(rig_log(&r), "publish: done\n");
    rig_accept(&r);
    rig_greet(&r);
    CHECK(strstr(rig_sent(&r), "PUB out 4\r\ntell\r\n") != NULL);
    end();
}

/* The request ends when the connection does. */
static void a_request_ends_with_the_connection(void)
{
    begin();
    natlet_pid pid = add("a", &plain);
    tell(pid, "ask");
    CHECK_TEXT(rig_log(&r), "request: done\n");
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK(strstr(rig_log(&r), "reply there is no connection to a server right now [] h=0\n") !=
          NULL);
    end();
}

static void nobody_answers(void)
{
    char line[256];
    char inbox[64];
    unsigned sid = 0;

    begin();
    natlet_pid pid = add("a", &plain);
    tell(pid, "ask");
    const char *sent = rig_sent(&r);
    CHECK(sscanf(strstr(sent, "SUB _INBOX."), "SUB %*s %u", &sid) == 1);
    CHECK(sscanf(strstr(sent, "PUB out "), "PUB out %63s", inbox) == 1);
    snprintf(line, sizeof line, "HMSG %s %u 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", inbox, sid);
    rig_say(&r, line);
    CHECK_TEXT(rig_log(&r), "request: done\n"
                            "reply nobody is subscribed to the subject of the request [] h=0\n");
    end();
}

/* ---- dead letters ---- */

static const natlet_dlq_options usual = {.size = sizeof usual};

static void what_failed_is_published(void)
{
    begin();
    CHECK(natlet_bridge_dlq(bridge, text("app"), &usual) == NATLET_OK);
    natlet_pid pid = add("a%b", &plain);
    uint32_t sid = subscribe(pid, "in.>");
    deliver(sid, "in.x", "NATS/1.0\r\nOwn: 1\r\nNatlet-Dlq-Reason: lie\r\nNats-Rollup: all\r\n\r\n",
            "no");
    char *sent = strdup(rig_sent(&r));
    CHECK(strncmp(sent, "HPUB app.dlq.in.x ", 18) == 0);
    const char *time = strstr(sent, "Natlet-Orig-Time: ");
    CHECK(time != NULL && time[22] == '-' && time[47] == 'Z');
    CHECK(strstr(sent, "NATS/1.0\r\nNatlet-Dlq-Reason: rejected\r\nNatlet-Attempts: 1\r\n"
                       "Natlet-Agent: a%25b\r\nNatlet-Orig-Time: ") != NULL);
    CHECK(strstr(sent, "Natlet-Orig-Subject: in.x\r\nOwn: 1\r\n"
                       "Natlet-Orig-Nats-Rollup: all\r\n\r\nno\r\n") != NULL);
    CHECK(strstr(sent, "lie") == NULL && strstr(sent, "\r\nNats-") == NULL);
    free(sent);

    deliver(sid, "in.y", "", "boom");
    CHECK(strstr(rig_sent(&r), "Natlet-Dlq-Reason: crashed\r\nNatlet-Dlq-Error: "
                               "{\"kind\":\"error\",\"code\":-7,\"text\":") != NULL);
    natlet_dlq_stats stats = natlet_bridge_dlq_stats_now(bridge);
    CHECK_INT(stats.published, 2);
    CHECK_INT(stats.refused, 0);
    CHECK_INT(stats.fields_lost, 0);
    CHECK_INT(seen, 2);
    end();
}

/* Each kind of failure is one letter, with the number of deliveries, when all patience is
 * over and not before. */
static void retries_and_poison(void)
{
    static const natlet_retry retry = {NATLET_WITH_RETRY, .base_ms = 1000, .tries = 2};
    static const natlet_shield shield = {NATLET_WITH_SHIELD, .poison_after = 3};
    natlet_child child = {
        .name = NATLET_TEXT("a"), .behaviour = &plain, .shield = &shield, .retry = &retry};
    natlet_pid pid;

    begin();
    CHECK(natlet_bridge_dlq(bridge, text("app"), &usual) == NATLET_OK);
    CHECK(natlet_supervisor_add(cell, root, &child, &pid) == NATLET_OK);
    uint32_t sid = subscribe(pid, "in.>");
    deliver(sid, "in.x", "", "later");
    rig_wait_ms(&r, 2990); /* delivered at 0 and 1 s, and next at 3 s */
    CHECK_TEXT(rig_sent(&r), "");
    rig_wait_ms(&r, 20);
    const char *sent = rig_sent(&r);
    CHECK(strncmp(sent, "HPUB app.dlq.in.x ", 18) == 0);
    CHECK(strstr(sent, "Natlet-Dlq-Reason: retries\r\nNatlet-Attempts: 3\r\n") != NULL);
    deliver(sid, "in.y", "", "boom");
    sent = rig_sent(&r);
    CHECK(strstr(sent, "Natlet-Dlq-Reason: poison\r\nNatlet-Dlq-Error: {\"kind\":\"error\","
                       "\"code\":-7,") != NULL);
    CHECK(strstr(sent, "\r\nNatlet-Attempts: 3\r\n") != NULL);
    CHECK_INT(natlet_bridge_dlq_stats_now(bridge).published, 2);
    CHECK_INT(seen, 2);
    end();
}

/* Other mail, other reasons, and what came from there are left alone. */
static void what_is_not_published(void)
{
    begin();
    CHECK(natlet_bridge_dlq(bridge, text("app"), &usual) == NATLET_OK);
    natlet_pid pid = add("a", &plain);
    uint32_t sid = subscribe(pid, ">");
    rig_forget_sent(&r);
    tell(pid, "no");
    deliver(sid, "app.dlq.in", "", "no");
    CHECK_TEXT(rig_sent(&r), "");
    CHECK_INT(natlet_bridge_dlq_stats_now(bridge).circular, 1);
    CHECK(natlet_supervisor_terminate(cell, root, text("a")) == NATLET_OK);
    rig_run(&r);
    deliver(sid, "in", "", "nobody home"); /* NO_AGENT was not asked for */
    CHECK_TEXT(rig_sent(&r), "");
    CHECK_INT(seen, 3);
    end();
}

static void an_overflow_on_request(void)
{
    const natlet_dlq_options options = {.size = sizeof options,
                                        .reasons = NATLET_DLQ_BIT(NATLET_DEAD_OVERFLOW)};
    char all[512] = "";

    begin();
    CHECK(natlet_bridge_dlq(bridge, text("app"), &options) == NATLET_OK);
    uint32_t sid = subscribe(add("a", &plain), "in");
    for (int i = 0; i < 5; i++) {
        char line[64];
        snprintf(line, sizeof line, "MSG in %u r.%d 1\r\n%d\r\n", (unsigned)sid, i, i);
        strcat(all, line);
    }
    rig_say(&r, all);
    const char *sent = rig_sent(&r);
    CHECK(strstr(sent, "Natlet-Dlq-Reason: overflow\r\nNatlet-Attempts: 0\r\n") != NULL);
    CHECK(strstr(sent, "Natlet-Orig-Reply: r.4\r\n\r\n4\r\n") != NULL);
    CHECK_INT(natlet_bridge_dlq_stats_now(bridge).published, 1);
    end();
}

/* Headers beyond the memory are counted, and the letter goes without them. */
static void headers_are_bounded(void)
{
    const natlet_dlq_options options = {.size = sizeof options,
                                        .header_bytes = NATLET_DLQ_HEADER_BYTES_MIN};
    char headers[1100];
    size_t len = (size_t)snprintf(headers, sizeof headers, "NATS/1.0\r\nLong: ");

    begin();
    CHECK(natlet_bridge_dlq(bridge, text("app"), &options) == NATLET_OK);
    uint32_t sid = subscribe(add("a", &plain), "in");
    memset(headers + len, 'x', 1000);
    snprintf(headers + len + 1000, sizeof headers - len - 1000, "\r\nShort: 1\r\n\r\n");
    deliver(sid, "in", headers, "no");
    const char *sent = rig_sent(&r);
    CHECK(strstr(sent, "\r\nShort: 1\r\n\r\nno\r\n") != NULL && strstr(sent, "xxx") == NULL);
    CHECK_INT(natlet_bridge_dlq_stats_now(bridge).fields_lost, 1);
    end();
}

static void offline_letters_are_counted(void)
{
    begin();
    CHECK(natlet_bridge_dlq(bridge, text("app"), &usual) == NATLET_OK);
    uint32_t sid = subscribe(add("a", &plain), "in");
    test_conn_feed(&r.host, r.conn, "MSG in 1048577 2\r\nno\r\n", 22);
    test_conn_closed(&r.host, r.conn, 0, NATLET_E_IO);
    rig_run(&r);
    (void)sid;
    natlet_dlq_stats stats = natlet_bridge_dlq_stats_now(bridge);
    CHECK_INT(stats.published, 0);
    CHECK_INT(stats.refused, 1);
    CHECK_INT(stats.last, NATLET_E_DISCONNECTED);
    CHECK_INT(seen, 1);
    end();
}

static void a_prefix_that_is_none(void)
{
    char longest[NATLET_DLQ_PREFIX_BYTES_MAX + 2];
    natlet_dlq_options odd = usual;

    begin();
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(natlet_bridge_dlq(bridge, text(""), &usual) == NATLET_E_SUBJECT);
    CHECK(natlet_bridge_dlq(bridge, text("a.*"), &usual) == NATLET_E_SUBJECT);
    CHECK(natlet_bridge_dlq(bridge, text("a b"), &usual) == NATLET_E_SUBJECT);
    CHECK(natlet_bridge_dlq(bridge, text(longest), &usual) == NATLET_E_SUBJECT);
    odd.header_bytes = 1;
    CHECK(natlet_bridge_dlq(bridge, text("a"), &odd) == NATLET_E_CONFIG);
    odd = (natlet_dlq_options){0};
    CHECK(natlet_bridge_dlq(bridge, text("a"), &odd) == NATLET_E_CONFIG);
    r.memory.fail_at = r.memory.requests + 1;
    CHECK(natlet_bridge_dlq(bridge, text("a"), &usual) == NATLET_E_NO_MEMORY);
    CHECK_INT(natlet_bridge_dlq_stats_now(bridge).published, 0);
    CHECK(natlet_bridge_dlq(bridge, text("a"), &usual) == NATLET_OK);
    CHECK(natlet_bridge_dlq(bridge, text("b"), &usual) == NATLET_E_STATE);
    end();
}

int main(void)
{
    RUN(the_connection_is_told);
    RUN(a_lame_duck_is_told);
    RUN(the_last_state_wins);
    RUN(news_is_not_lost_without_memory);
    RUN(a_watch_ends_with_its_incarnation);
    RUN(a_watch_needs_a_place);
    RUN(one_place_is_enough);
    RUN(what_is_sent_offline_is_refused);
    RUN(what_is_tracked_waits);
    RUN(a_request_ends_with_the_connection);
    RUN(nobody_answers);
    RUN(what_failed_is_published);
    RUN(retries_and_poison);
    RUN(what_is_not_published);
    RUN(an_overflow_on_request);
    RUN(headers_are_bounded);
    RUN(offline_letters_are_counted);
    RUN(a_prefix_that_is_none);
    return test_done();
}
