/* ws-echo [--cut BYTES | --seed NUMBER] [--connect-ms MS] [--deflate] URL...
 *
 * Connects to one URL after the other and sends every WebSocket message back as it came,
 * until the server ends the connection; for any WebSocket test server to drive.  For each
 * URL one line tells how that was: the status, the close code and reason that the server
 * gave (0: none), the code with which a frame was refused (0: none was), the messages sent
 * back, the most memory ever in use, and what the host said of the connection:
 *
 *     1 E_FRAME heard=0 "" refused=1002 messages=0 memory=71520
 *
 * Exits with 0 if every connection was closed with 1000 or without a code, 1 if not, 2 for
 * wrong usage.
 *
 * All but one part is the client: dialling, upgrade, window, frames, pongs, outbox, end.
 * Instead of NATS's parser there is the one below, for which an operation is a message.
 *
 * --cut lets the host hand over and take that many bytes at most at a time, --seed so many
 * as a row of random numbers says: what is sent must not depend on it.
 *
 * --deflate offers permessage-deflate, and compresses what gets shorter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "client/client.h"
#include "client/origin.h"
#include "natlet/compress.h"
#include "support/hosted.h"

enum {
    FAILED = 1,
    USAGE = 2,
    PENDING_MAX = 32 << 20, /* the longest message that is sent back */
    INFLATED_MAX = 262144,  /* of a compressed one, in all */
    TAKEN_AT = 16384,       /* of fragments: what is longer goes from the window to the side */
};

/* ---- a door that hands over little at a time ---- */

static struct {
    const natlet_host *door;
    uint32_t cut; /* bytes; 0: as many as there are */
    uint64_t seed;
    uint32_t owed; /* connection whose send was cut short: WRITABLE is ours to tell */
} cuts;

static uint32_t next_cut(uint32_t len)
{
    uint32_t max = cuts.cut;

    if (cuts.seed != 0) {
        cuts.seed = cuts.seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t bits = (uint32_t)(cuts.seed >> 60); /* as often few as many */
        max = 1 + ((uint32_t)(cuts.seed >> 33) & ((1u << bits) - 1));
    }
    return max == 0 || len < max ? len : max;
}

static int32_t cut_recv(void *self, uint32_t conn, uint8_t *buf, uint32_t cap)
{
    return cuts.door->recv(self, conn, buf, next_cut(cap));
}

/* Control frames go whole: the client sends no rest of a close frame. */
static int32_t cut_send(void *self, uint32_t conn, const uint8_t *buf, uint32_t len)
{
    uint32_t part = len > NATLET__WS_CONTROL_FRAME_MAX ? next_cut(len) : len;
    int32_t taken = cuts.door->send(self, conn, buf, part);

    if (taken == (int32_t)part && part < len) {
        cuts.owed = conn;
    }
    return taken;
}

static int32_t cut_poll(void *self, natlet_host_event *events, uint32_t cap, int32_t timeout_ms)
{
    if (cuts.owed == 0) {
        return cuts.door->poll(self, events, cap, timeout_ms);
    }
    NATLET_ASSERT(cap > 1);
    int32_t count = cuts.door->poll(self, events, cap - 1, 0);
    natlet_host_event *end = events + count;
    for (const natlet_host_event *ev = events; ev < end; ev++) {
        cuts.owed = ev->type == NATLET_EV_CLOSED && ev->conn == cuts.owed ? 0 : cuts.owed;
    }
    if (cuts.owed != 0) {
        *end = (natlet_host_event){.conn = cuts.owed, .type = NATLET_EV_WRITABLE};
        cuts.owed = 0;
        count++;
    }
    return count;
}

/* ---- messages for operations ---- */

static struct {
    natlet_client *client;
    const uint8_t *raw_end; /* of the window, while it is kept from reading so far; else NULL */
    bool is_empty_due;      /* what it reads now is the head of a frame without payload */
    uint8_t *taken;         /* of the message now arriving, moved out of the window */
    size_t taken_len;
    uint32_t number, messages;
    uint32_t unpacked; /* messages that compression had brought to their end */
    bool is_over, has_failed;
} echo;

static void forget_message(void)
{
    natlet__memory_give_back(&echo.client->rt->memory, echo.taken, echo.taken_len);
    echo.taken = NULL;
    echo.taken_len = 0;
    echo.is_empty_due = false;
}

void natlet__parser_init(natlet__parser *p, uint32_t message_max)
{
    *p = (natlet__parser){.message_max = message_max};
    echo.raw_end = NULL;
    echo.unpacked = 0;
    forget_message();
}

/* The upgrade is over: messages in and out, and no deadline for an INFO. */
static void greet(natlet_client *client)
{
    if (client->link.state == NATLET__LINK_GREETING) {
        client->link.state = NATLET__LINK_JOINING;
        natlet__timers_stop(&client->timers, client->timer);
        natlet__outbox_frame(&client->outbox, NATLET_FRAME_PAYLOAD_MAX);
        natlet__outbox_open(&client->outbox);
    }
}

/* A frame without payload makes no event, so reading stops right behind its head. */
static void stop_at_empty_frame(natlet__window *w)
{
    const natlet__ws *ws = w->ws;
    size_t raw_len = (size_t)(w->raw_end - w->raw);
    size_t missing = ws->payload_left == 0 && ws->head_len < 2 ? 2u - ws->head_len : 0;

    if (missing == 0 || missing > raw_len) {
        return;
    }
    uint8_t first = ws->head_len == 0 ? w->raw[0] : ws->head[0];
    if ((first & 8) == 0 && (w->raw[missing - 1] & 0x7f) == 0) {
        echo.raw_end = w->raw_end;
        echo.is_empty_due = true;
        w->raw_end = w->raw + missing;
    }
}

static bool is_whole(const natlet__ws *ws, size_t len)
{
    return ws->payload_left == 0 && ws->head_len == 0 && !ws->in_message &&
           (len > 0 || echo.is_empty_due);
}

static void put_message(uint8_t *out, natlet_slice rest)
{
    (void)natlet__put(natlet__put(out, (natlet_slice){echo.taken, echo.taken_len}), rest);
}

/* A frame that is longer than the client's own ever are. */
static natlet_status send_large(natlet_client *client, size_t len, natlet_slice rest)
{
    natlet__outbox *box = &client->outbox;
    uint8_t key[4];
    natlet_status st = natlet__outbox_begin(box, NATLET__WS_HEAD_MAX + len, true);

    if (st < 0) {
        return st;
    }
    uint8_t *out = natlet__outbox_at(box);
    natlet__random_bytes(&client->rt->random, key, sizeof key);
    size_t head = natlet__ws_write_head(out, NATLET__WS_BINARY, len, key);
    put_message(out + head, rest);
    natlet__ws_mask(out + head, len, key);
    natlet__outbox_wrote(box, head + len);
    box->sealed = box->end;
    return NATLET_OK;
}

static natlet_status send_message(natlet_client *client, natlet_slice rest)
{
    natlet__outbox *box = &client->outbox;
    size_t len = echo.taken_len + rest.len;
    natlet_status st;

    if (len > NATLET_FRAME_PAYLOAD_MAX) {
        return send_large(client, len, rest);
    }
    if (len == 0) {
        return natlet__outbox_put_control(box, NATLET__WS_BINARY, rest) ? NATLET_OK
                                                                        : NATLET_E_AGAIN;
    }
    st = natlet__outbox_begin(box, len, true);
    if (st == NATLET_OK) {
        put_message(natlet__outbox_at(box), rest);
        natlet__outbox_wrote(box, len);
    }
    return st;
}

/* The outbox may join what waits in it, so each message waits for the one before. */
static natlet_status send_back(natlet_client *client, natlet_slice *in)
{
    natlet__link_send(client);
    natlet_status st =
        natlet__outbox_used(&client->outbox) == 0 ? send_message(client, *in) : NATLET_E_AGAIN;

    if (st == NATLET_E_AGAIN) {
        natlet__client_hold(client);
    }
    if (st < 0) {
        return st;
    }
    natlet__link_send(client);
    natlet__skip(in, in->len);
    forget_message();
    echo.messages++;
    return NATLET_EVENT;
}

static natlet_status take(natlet_client *client, natlet_slice *in)
{
    size_t len = echo.taken_len + in->len;
    natlet__memory *memory = &client->rt->memory;
    uint8_t *taken =
        len > PENDING_MAX ? NULL : natlet__memory_resize(memory, echo.taken, echo.taken_len, len);

    if (taken == NULL) {
        return len > PENDING_MAX ? NATLET_E_TOO_LARGE : NATLET_E_NO_MEMORY;
    }
    (void)natlet__put(taken + echo.taken_len, *in);
    echo.taken = taken;
    echo.taken_len = len;
    natlet__skip(in, in->len);
    return NATLET_EVENT;
}

/* With compression on no message is read beyond its end. */
static natlet_status next_unpacked(natlet_client *client, natlet_slice *in)
{
    uint32_t messages = natlet__codec_messages(client);

    if (messages != echo.unpacked) {
        natlet_status st = send_back(client, in);
        echo.unpacked = st == NATLET_EVENT ? messages : echo.unpacked;
        return st;
    }
    return in->len > TAKEN_AT ? take(client, in) : NATLET_MORE;
}

/* A message's last frame says how long it will be; before that what comes is short, or goes
 * to the side.  The kind of an event that means nothing to the client is OK. */
natlet_status natlet__parser_next(natlet__parser *p, natlet_slice *in, natlet__event *ev)
{
    natlet_client *client = echo.client;
    const natlet__ws *ws = &client->link.ws;

    greet(client);
    *ev = (natlet__event){.kind = NATLET__EV_OK};
    if (client->outbox.codec != NULL) {
        return next_unpacked(client, in);
    }
    if (echo.raw_end != NULL) {
        client->window.raw_end = echo.raw_end;
        echo.raw_end = NULL;
    }
    if (is_whole(ws, echo.taken_len + in->len)) {
        return send_back(client, in);
    }
    echo.is_empty_due = false;
    if (ws->in_message && in->len > TAKEN_AT) {
        return take(client, in);
    }
    p->need = 0;
    if (in->len > 0 && !ws->in_message) {
        uint64_t need = in->len + ws->payload_left;
        if (need > PENDING_MAX) {
            return NATLET_E_TOO_LARGE;
        }
        p->need = (size_t)need;
    }
    stop_at_empty_frame(&client->window);
    return NATLET_MORE;
}

size_t natlet__parser_need(const natlet__parser *p, natlet_slice in)
{
    return p->need > 0 ? p->need : in.len + TAKEN_AT;
}

/* ---- one connection after the other ---- */

static void print_text(natlet_slice text)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ' || text.ptr[i] == '"' || text.ptr[i] == '\\') {
            printf("\\x%02x", (unsigned)text.ptr[i]);
        } else {
            putchar(text.ptr[i]);
        }
    }
    putchar('"');
}

static void note_event(void *self, const natlet_client_event *event)
{
    (void)self;
    if (event->kind != NATLET_CLIENT_EV_STATE || event->state != NATLET_CLIENT_CLOSED) {
        return;
    }
    bool is_normal = event->close_code == 1000 || event->close_code == 1005;
    echo.is_over = true;
    echo.has_failed |= !is_normal;
    printf("%u %s heard=%u ", (unsigned)echo.number, natlet_status_name(event->status),
           (unsigned)event->close_code);
    print_text(event->text);
    printf(" refused=%u messages=%u memory=%zu\n", (unsigned)echo.client->link.ws.close_code,
           (unsigned)echo.messages, natlet_runtime_stats_now(echo.client->rt).memory_max);
    (void)fflush(stdout);
}

static bool is_any_open(const natlet_runtime *rt)
{
    for (size_t i = 0; i < NATLET__CONNS_MAX; i++) {
        if (rt->conns[i].taken) {
            return true;
        }
    }
    return false;
}

typedef struct settings {
    uint32_t connect_ms;
    bool has_deflate;
} settings;

static natlet_status begin(const settings *with)
{
    const natlet_compress_options options = {
        .inflated_bytes_max = INFLATED_MAX,
        .threshold_bytes = 1,
        .message_bytes_max = NATLET_FRAME_PAYLOAD_MAX,
        .window_bits = 15,
    };
    natlet_status st =
        with->has_deflate ? natlet_client_compress(echo.client, &options) : NATLET_OK;

    return st < 0 ? st : natlet_client_connect(echo.client);
}

static bool serve(const natlet_host *door, const char *url, const settings *with)
{
    natlet_client_config config;
    natlet_allocator libc = hosted_allocator();
    natlet_runtime *rt;

    natlet_client_config_init(&config);
    config.servers = natlet__text(url);
    config.no_reconnect = true;
    config.connect_ms = with->connect_ms;
    config.pending_bytes_max = PENDING_MAX + NATLET__WS_HEAD_MAX;
    config.on_event = note_event;
    echo.messages = 0;
    echo.is_over = false;
    if (natlet_runtime_new(&rt, door, &libc, 0) < 0) {
        return false;
    }
    natlet_status st = natlet_client_new(&echo.client, rt, &config);
    if (st >= 0) {
        st = begin(with);
    }
    while (st >= 0 && (!echo.is_over || is_any_open(rt))) {
        (void)natlet_runtime_run(rt, 10000, NATLET_NEVER_MS);
    }
    if (echo.client != NULL) {
        forget_message();
    }
    natlet_client_free(echo.client);
    natlet_runtime_free(rt);
    if (st < 0) {
        printf("%u %s\n", (unsigned)echo.number, natlet_status_name(st));
    }
    return st >= 0;
}

/* Reads one option; returns how many arguments it took, 0 if there is none. */
static int read_option(char **arguments, settings *with)
{
    const char *name = arguments[0];
    const char *value = arguments[1];

    if (name != NULL && strcmp(name, "--deflate") == 0) {
        with->has_deflate = true;
        return 1;
    }
    if (name == NULL || value == NULL || strncmp(name, "--", 2) != 0) {
        return 0;
    }
    if (strcmp(name, "--cut") == 0) {
        cuts.cut = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(name, "--seed") == 0) {
        cuts.seed = strtoull(value, NULL, 10) * 2 + 1;
    } else if (strcmp(name, "--connect-ms") == 0) {
        with->connect_ms = (uint32_t)strtoul(value, NULL, 10);
    } else {
        return 0;
    }
    return 2;
}

int main(int argc, char **argv)
{
    settings with = {.connect_ms = NATLET_CONNECT_MS_DEFAULT};
    int at = 1;
    int used;

    while (at < argc && (used = read_option(argv + at, &with)) > 0) {
        at += used;
    }
    cuts.door = hosted_door();
    if (at == argc || cuts.door == NULL || argv[at][0] == '-') {
        fprintf(
            stderr,
            "usage: ws-echo [--cut BYTES | --seed NUMBER] [--connect-ms MS] [--deflate] URL...\n");
        return USAGE;
    }
    natlet_host door = *cuts.door;
    door.recv = cut_recv;
    door.send = cut_send;
    door.poll = cut_poll;
    for (; at < argc; at++) {
        echo.number++;
        if (!serve(&door, argv[at], &with)) {
            return FAILED;
        }
    }
    return echo.has_failed ? FAILED : EXIT_SUCCESS;
}
