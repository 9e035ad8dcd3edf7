/* natlet as a peer of the benchmark:
 *
 *     natlet_bench publish|receive URL SUBJECT BYTES
 *
 * says "ready" once it is connected.  For each number N on standard input it then
 * publishes and flushes, or receives, N messages and says "done".  Time and
 * processor time are measured from outside, for all peers in the same way. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/client.h"
#include "support/hosted.h"

enum { BUDGET_US = 20000, TIMEOUT_MS = 60000, LINE_MAX = 32 };

typedef struct bench {
    natlet_runtime *rt;
    natlet_client *client;
    const natlet_host *door;
    natlet_msg msg; /* to publish */
    uint64_t left;  /* messages to receive */
    bool is_over;   /* what is waited for */
} bench;

static void fail(const char *what, natlet_status st)
{
    printf("%s: %s\n", what, natlet_status_text(st));
    exit(EXIT_FAILURE);
}

static void note_over(bench *b)
{
    b->is_over = true;
    b->door->wake(b->door->self); /* the turn may be about to sleep */
}

static void note_event(void *self, const natlet_client_event *event)
{
    if (event->status < 0) {
        fail("event", event->status);
    }
    if (event->kind == NATLET_CLIENT_EV_STATE && event->state == NATLET_CLIENT_CONNECTED) {
        note_over(self);
    }
}

static void note_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    bench *b = self;

    (void)sid;
    if (msg->payload.len != b->msg.payload.len) {
        fail("payload", NATLET_E_PROTOCOL);
    }
    if (--b->left == 0) {
        b->is_over = true;
    }
}

static void note_flushed(void *self, natlet_status st, uint64_t elapsed_us)
{
    (void)elapsed_us;
    if (st < 0) {
        fail("flush", st);
    }
    note_over(self);
}

static void wait_over(bench *b)
{
    uint32_t due_ms = 0;

    while (!b->is_over) {
        due_ms = natlet_runtime_run(b->rt, BUDGET_US, due_ms == 0 ? 0 : NATLET_NEVER_MS);
    }
    b->is_over = false;
}

static void flush(bench *b)
{
    natlet_status st = natlet_client_flush(b->client, TIMEOUT_MS, note_flushed, b);

    if (st < 0) {
        fail("flush", st);
    }
    wait_over(b);
}

static void publish(bench *b, uint64_t count)
{
    while (count > 0) {
        natlet_status st = natlet_client_publish(b->client, &b->msg);
        if (st >= 0) {
            count--;
        } else if (st == NATLET_E_FULL) {
            (void)natlet_runtime_run(b->rt, BUDGET_US, NATLET_NEVER_MS);
        } else {
            fail("publish", st);
        }
    }
    flush(b);
}

static void receive(bench *b, uint64_t count)
{
    b->left = count;
    wait_over(b);
}

static void say(const char *word)
{
    printf("%s\n", word);
    (void)fflush(stdout);
}

static void connect_to(bench *b, const char *url)
{
    natlet_allocator libc = hosted_allocator();
    natlet_client_config config;

    b->door = hosted_door();
    natlet_status st = natlet_runtime_new(&b->rt, b->door, &libc, 0);
    natlet_client_config_init(&config);
    config.servers = natlet__text(url);
    config.no_reconnect = true;
    config.on_event = note_event;
    config.self = b;
    st = st < 0 ? st : natlet_client_new(&b->client, b->rt, &config);
    st = st < 0 ? st : natlet_client_connect(b->client);
    if (st < 0) {
        fail("connect", st);
    }
    wait_over(b);
}

int main(int argc, char **argv)
{
    static bench b;
    char line[LINE_MAX];

    if (argc != 5) {
        return EXIT_FAILURE;
    }
    bool receives = strcmp(argv[1], "receive") == 0;
    size_t bytes = strtoul(argv[4], NULL, 10);
    uint8_t *payload = malloc(bytes + 1);
    if (payload == NULL) {
        return EXIT_FAILURE;
    }
    memset(payload, 'x', bytes);
    b.msg = (natlet_msg){.subject = natlet__text(argv[3]), .payload = {payload, bytes}};
    connect_to(&b, argv[2]);
    if (receives) {
        uint32_t sid;
        natlet_sink sink = {.self = &b, .message = note_message};
        natlet_status st = natlet_client_subscribe(b.client, &sid, b.msg.subject, NULL, &sink);
        if (st < 0) {
            fail("subscribe", st);
        }
        flush(&b);
    }
    say("ready");
    while (fgets(line, sizeof line, stdin) != NULL) {
        (receives ? receive : publish)(&b, strtoull(line, NULL, 10));
        say("done");
    }
    natlet_client_free(b.client);
    natlet_runtime_free(b.rt);
    free(payload);
    return EXIT_SUCCESS;
}
