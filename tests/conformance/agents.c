/* A cell of agents behind a real server, for tests/conformance/client/agents.mjs.
 *
 *     agents URL
 *
 * Agents "a" and "b" share "work.plain", "q1" and "q2" the queue group "pool" on
 * "work.queue"; "w" watches the connection.  A payload tells an agent what to do: boom
 * crashes it, no is rejected, "ask SUBJECT" and "tell SUBJECT" make it ask or publish,
 * everything else is answered.  The cell is shown as service natlet-conf, takes orders as
 * node n1, and publishes crashes and dead letters.  Every line says what happened;
 * "work.stop" ends it all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natlet/bridge.h"
#include "natlet/deadletters.h"
#include "natlet/introspect.h"
#include "natlet/presence.h"
#include "support/hosted.h"

enum { BUDGET_US = 20000, ASK_MS = 300, BEAT_MS = 100 };

typedef struct program {
    natlet_runtime *rt;
    natlet_client *client;
    natlet_cell *cell;
    natlet_bridge *bridge;
    bool is_over;
} program;

static program p;

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

static bool begins(natlet_slice a, const char *b)
{
    return a.len >= strlen(b) && memcmp(a.ptr, b, strlen(b)) == 0;
}

static void end_line(void)
{
    printf("\n");
    (void)fflush(stdout);
}

static void must(natlet_status st, const char *what)
{
    if (st < 0) {
        printf("cannot %s: %s\n", what, natlet_status_name(st));
        exit(EXIT_FAILURE);
    }
}

/* ---- agents ---- */

static int32_t watch(natlet_cell *cell, void *state, void *arg)
{
    (void)state;
    (void)arg;
    return natlet_bridge_watch(p.bridge, natlet_agent_self(cell));
}

static void note_connection(const natlet_mail *mail)
{
    static const char *const words[] = {"down", "up", "lame duck", "closed"};

    printf("connection %s %llu %s", words[mail->tag], (unsigned long long)mail->seq,
           natlet_status_name(mail->status));
    end_line();
}

static void note_reply(const natlet_mail *mail)
{
    printf("reply %s %.*s h=%d", natlet_status_name(mail->status), (int)mail->payload.len,
           mail->payload.len > 0 ? (const char *)mail->payload.ptr : "", mail->headers.len > 0);
    end_line();
}

static int32_t act(natlet_cell *cell, const natlet_mail *mail)
{
    natlet_slice subject = {mail->payload.ptr + 4, mail->payload.len - 4};
    const natlet_msg msg = {.subject = {subject.ptr + 1, subject.len - 1},
                            .headers = NATLET_TEXT("NATS/1.0\r\nFrom: agent\r\n\r\n"),
                            .payload = NATLET_TEXT("from an agent")};
    bool asks = begins(mail->payload, "ask ");
    uint32_t ref;
    natlet_status st =
        asks ? natlet_agent_request(cell, &msg, ASK_MS, &ref) : natlet_agent_publish(cell, &msg);

    printf("%s %s", asks ? "asked" : "told", natlet_status_name(st));
    end_line();
    return NATLET_DONE;
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    natlet_agent_info info;
    natlet_msg answer = {.headers = NATLET_TEXT("NATS/1.0\r\nBy: natlet\r\n\r\n")};

    (void)state;
    if (mail->kind == NATLET_MAIL_CONNECTION) {
        note_connection(mail);
        return NATLET_DONE;
    }
    if (mail->kind == NATLET_MAIL_REPLY) {
        note_reply(mail);
        return NATLET_DONE;
    }
    if (begins(mail->payload, "boom")) {
        return -7;
    }
    if (begins(mail->payload, "no")) {
        return NATLET_REJECT;
    }
    if (mail->payload.len > 5 &&
        (begins(mail->payload, "ask  ") || begins(mail->payload, "tell "))) {
        return act(cell, mail);
    }
    (void)natlet_agent_info_of(cell, natlet_agent_self(cell), &info);
    answer.payload = info.name;
    printf("mail %.*s %.*s", (int)info.name.len, (const char *)info.name.ptr,
           (int)mail->payload.len, mail->payload.len > 0 ? (const char *)mail->payload.ptr : "");
    end_line();
    return mail->reply.len > 0 ? natlet_agent_reply_msg(cell, mail, &answer) : NATLET_DONE;
}

static const natlet_behaviour working = {.name = "worker", .on_mail = on_mail};
static const natlet_behaviour watching = {.name = "watcher", .init = watch, .on_mail = on_mail};

static void make_agents(void)
{
    static const natlet_child children[] = {
        {.name = NATLET_TEXT("a"), .behaviour = &working},
        {.name = NATLET_TEXT("b"), .behaviour = &working},
        {.name = NATLET_TEXT("q1"), .behaviour = &working},
        {.name = NATLET_TEXT("q2"), .behaviour = &working},
        {.name = NATLET_TEXT("w"), .behaviour = &watching},
    };
    static const natlet_supervisor_spec tree = {
        .intensity = 1000, .children = children, .count = 5};
    static const char *const wanted[][3] = {{"a", "work.plain", ""},
                                            {"b", "work.plain", ""},
                                            {"q1", "work.queue", "pool"},
                                            {"q2", "work.queue", "pool"},
                                            {"a", "work.a", ""}};
    natlet_pid root;

    must(natlet_supervisor_start(p.cell, &tree, &root), "start");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        must(natlet_bridge_subscribe(p.bridge, natlet_cell_find(p.cell, text(wanted[i][0])),
                                     text(wanted[i][1]), text(wanted[i][2]), NULL),
             "subscribe");
    }
}

/* ---- the program ---- */

static void on_stop(void *self, uint32_t sid, const natlet_msg *msg)
{
    (void)self;
    (void)sid;
    (void)msg;
    p.is_over = true;
}

static void show_all(void)
{
    const natlet_dlq_options dlq = {.size = sizeof dlq};
    const natlet_sink stop = {.message = on_stop};
    uint32_t sid;

    must(natlet_bridge_service(p.bridge, text("conf"), text("1.0.0")), "be a service");
    must(natlet_bridge_admin(p.bridge, text("conf"), text("n1")), "take orders");
    must(natlet_bridge_crashes(p.bridge, text("natlet.conf.ev.crash")), "report");
    must(natlet_bridge_dlq(p.bridge, text("conf"), &dlq), "keep dead letters");
    must(natlet_client_subscribe(p.client, &sid, text("work.stop"), NULL, &stop), "subscribe");
}

static void begin(const char *url)
{
    const natlet_cell_config cell = {.size = sizeof cell};
    natlet_client_config config;

    natlet_client_config_init(&config);
    config.servers = text(url);
    config.reconnect_ms = 50;
    config.name = text("agents");
    must(natlet_client_new(&p.client, p.rt, &config), "make a client");
    must(natlet_client_connect(p.client), "connect");
    must(natlet_cell_new(&p.cell, p.rt, &cell), "make a cell");
    must(natlet_bridge_new(&p.bridge, p.cell, p.client), "make a bridge");
}

static void print_counts(void)
{
    natlet_bridge_stats n = natlet_bridge_stats_now(p.bridge);
    natlet_dlq_stats dlq = natlet_bridge_dlq_stats_now(p.bridge);

    printf("counts {\"in\":%llu,\"copies\":%llu,\"subscriptions\":%u,\"dlq\":%llu,"
           "\"refused\":%llu}",
           (unsigned long long)n.in_messages, (unsigned long long)n.in_copies,
           (unsigned)n.subscriptions, (unsigned long long)dlq.published,
           (unsigned long long)n.out_refused);
    end_line();
}

int main(int argc, char **argv)
{
    natlet_allocator libc = hosted_allocator();
    const natlet_presence_config beat = {.subject = NATLET_TEXT("work.beat"),
                                         .id = NATLET_TEXT("n1"),
                                         .size = sizeof beat,
                                         .interval_ms = BEAT_MS};
    natlet_presence *presence;

    if (argc < 2 || natlet_runtime_new(&p.rt, hosted_door(), &libc, 0) < 0) {
        printf("usage: agents URL\n");
        return EXIT_FAILURE;
    }
    size_t empty = natlet_runtime_stats_now(p.rt).memory_bytes;
    begin(argv[1]);
    make_agents();
    show_all();
    must(natlet_presence_new(&presence, p.rt, p.client, &beat), "be present");
    while (!p.is_over) {
        (void)natlet_runtime_run(p.rt, BUDGET_US, NATLET_NEVER_MS);
    }
    print_counts();
    natlet_presence_free(presence);
    natlet_bridge_free(p.bridge);
    (void)natlet_runtime_run(p.rt, BUDGET_US, 0);
    natlet_client_free(p.client);
    natlet_cell_free(p.cell);
    printf("left %zu bytes", natlet_runtime_stats_now(p.rt).memory_bytes - empty);
    end_line();
    natlet_runtime_free(p.rt);
    return EXIT_SUCCESS;
}
