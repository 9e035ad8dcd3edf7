#include "support/client_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ws/frame.h"
#include "ws/handshake.h"

/* What the rig itself finds wrong ends the test: counting it would take the
 * counters of test.h, which belong to the test's own file. */
#define MUST(cond) ((cond) ? (void)0 : give_up(__LINE__, #cond))

static void give_up(int line, const char *what)
{
    printf("%s:%d: failed: %s\n", __FILE__, line, what);
    abort();
}

/* ---- the log ---- */

void rig_note(rig *r, const char *format, ...)
{
    va_list args;
    size_t room = sizeof r->log - r->log_len;

    va_start(args, format);
    int len = vsnprintf(r->log + r->log_len, room, format, args);
    va_end(args);
    r->log_len += len > 0 && (size_t)len < room ? (size_t)len : 0;
}

const char *rig_log(rig *r)
{
    static char text[RIG_LOG_MAX];

    memcpy(text, r->log, r->log_len);
    text[r->log_len] = '\0';
    r->log_len = 0;
    return text;
}

#define TEXT(slice) (int)(slice).len, (slice).len > 0 ? (const char *)(slice).ptr : ""

static void on_event(void *self, const natlet_client_event *ev)
{
    static const char *const kinds[] = {"state", "error",         "servers", "lame duck",
                                        "slow",  "auth expiring", "migrated"};
    rig *r = self;

    rig_note(r, "%s", kinds[ev->kind]);
    if (ev->kind == NATLET_CLIENT_EV_STATE) {
        rig_note(r, " %s", natlet_client_state_text(ev->state));
    }
    if (ev->status != NATLET_OK) {
        rig_note(r, ": %s", natlet_status_text(ev->status));
    }
    if (ev->text.len > 0) {
        rig_note(r, " (%.*s)", TEXT(ev->text));
    }
    if (ev->close_code != 0) {
        rig_note(r, " %u", (unsigned)ev->close_code);
    }
    if (ev->sid != 0) {
        rig_note(r, " sid %u", (unsigned)(ev->sid & 0xfffff));
    }
    rig_note(r, "\n");
}

static void note_message(rig *r, const natlet_msg *msg)
{
    rig_note(r, "%.*s", TEXT(msg->subject));
    if (msg->reply.len > 0) {
        rig_note(r, " > %.*s", TEXT(msg->reply));
    }
    if (msg->headers.len > 0) {
        rig_note(r, " h=%u", (unsigned)msg->headers.len);
    }
    if (msg->payload.len > 100) {
        rig_note(r, " (%u)\n", (unsigned)msg->payload.len);
    } else {
        rig_note(r, " [%.*s]\n", TEXT(msg->payload));
    }
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    rig_note(self, "message %u ", (unsigned)(sid & 0xfffff));
    note_message(self, msg);
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    rig_note(self, "ended %u: %s\n", (unsigned)(sid & 0xfffff), natlet_status_text(why));
}

natlet_sink rig_sink(rig *r)
{
    return (natlet_sink){r, on_message, on_ended};
}

void rig_on_reply(void *self, natlet_status st, const natlet_msg *reply)
{
    if (reply != NULL) {
        rig_note(self, "reply ");
        note_message(self, reply);
    } else {
        rig_note(self, "reply: %s\n", natlet_status_text(st));
    }
}

void rig_on_done(void *self, natlet_status st, uint64_t elapsed_us)
{
    rig_note(self, "done: %s %lu us\n", natlet_status_text(st), (unsigned long)elapsed_us);
}

/* ---- life ---- */

natlet_slice rig_text(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

void rig_init(rig *r, rig_way way)
{
    memset(r, 0, sizeof *r);
    r->way = way;
    test_host_init(&r->host, 1);
    test_memory_init(&r->memory);
    if (way == RIG_FRAMED) {
        r->host.info.caps &= ~NATLET_CAP_WS;
    }
    natlet_client_config_init(&r->config);
    r->config.servers = rig_text(way == RIG_NATS ? "nats://one:4222" : "ws://one:8080/path");
    r->config.keep_order = true;
    r->config.on_event = on_event;
    r->config.self = r;
}

void rig_start(rig *r)
{
    MUST(natlet_runtime_new(&r->rt, &r->host.host, &r->memory.allocator, 0) == NATLET_OK);
    MUST(natlet_client_new(&r->client, r->rt, &r->config) == NATLET_OK);
    MUST(natlet_client_connect(r->client) == NATLET_OK);
    rig_run(r);
}

void rig_start_with(rig *r, rig_way way, const char *servers)
{
    rig_init(r, way);
    if (servers != NULL) {
        r->config.servers = rig_text(servers);
    }
    rig_start(r);
    (void)rig_log(r);
}

void rig_end(rig *r)
{
    natlet_client_free(r->client);
    if (r->rt != NULL) {
        natlet_runtime_free(r->rt);
    }
    MUST(r->memory.live_bytes == 0 && r->memory.live_blocks == 0);
    MUST(r->memory.errors == 0);
    MUST(r->host.violations == 0);
    MUST(r->same_keys == 0);
    free(r->sent.ptr);
    free(r->framed);
    test_host_free(&r->host);
}

void rig_connected(rig *r, rig_way way)
{
    rig_init(r, way);
    rig_start(r);
    rig_accept(r);
    rig_greet(r);
    MUST(natlet_client_state_now(r->client) == NATLET_CLIENT_CONNECTED);
    (void)rig_log(r);
}

void rig_run(rig *r)
{
    for (int i = 0; i < 20000; i++) {
        uint32_t wait = natlet_runtime_run(r->rt, 1000000, 0);
        if (wait != 0 && r->host.event_count == 0) {
            return;
        }
    }
    give_up(__LINE__, "the client never comes to rest");
}

void rig_wait_ms(rig *r, uint64_t ms)
{
    uint64_t end_us = r->host.now_us + ms * 1000;

    while (r->host.now_us < end_us) {
        uint32_t wait = natlet_runtime_run(r->rt, 1000000, 0);
        uint64_t left_us = end_us - r->host.now_us;
        uint64_t step_us = wait == 0 ? 1 : (uint64_t)wait * 1000;
        test_host_advance_us(&r->host, step_us < left_us ? step_us : left_us);
    }
    rig_run(r);
}

/* ---- the server speaks ---- */

void rig_say_raw(rig *r, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        size_t n = r->chop > 0 && r->chop < len ? r->chop : len;
        test_conn_feed(&r->host, r->conn, at, n);
        at += n;
        len -= n;
    }
    rig_run(r);
}

/* A server's frame has no mask. */
static size_t write_head(uint8_t out[10], uint8_t opcode, size_t len)
{
    out[0] = 0x80 | opcode;
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    size_t bytes = len <= UINT16_MAX ? 2 : 8;
    out[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++) {
        out[1 + bytes - i] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    return 2 + bytes;
}

void rig_say_bytes(rig *r, const void *bytes, size_t len)
{
    if (r->way != RIG_FRAMED) {
        rig_say_raw(r, bytes, len);
        return;
    }
    size_t step = r->frame_bytes > 0 ? r->frame_bytes : len;
    size_t framed_len = 0;
    uint8_t *framed = realloc(r->framed, len * 11 + 16);
    MUST(framed != NULL);
    r->framed = framed;
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        framed_len += write_head(framed + framed_len, NATLET__WS_BINARY, n);
        memcpy(framed + framed_len, (const uint8_t *)bytes + at, n);
        framed_len += n;
    }
    rig_say_raw(r, framed, framed_len);
}

void rig_say(rig *r, const char *text)
{
    rig_say_bytes(r, text, strlen(text));
}

void rig_closed(rig *r, uint32_t code, natlet_status st)
{
    test_conn_closed(&r->host, r->conn, code, st);
    rig_run(r);
}

static void answer_upgrade(rig *r)
{
    static const char mark[] = "Sec-WebSocket-Key: ";
    char answer[256];
    uint8_t accept[28];
    natlet_slice sent = test_conn_sent(r->conn);
    size_t at = 0;

    while (at + sizeof mark + 24 < sent.len && memcmp(sent.ptr + at, mark, sizeof mark - 1) != 0) {
        at++;
    }
    MUST(at + sizeof mark + 24 < sent.len);
    natlet__handshake_accept(accept, sent.ptr + at + sizeof mark - 1);
    test_conn_take_sent(r->conn, sent.len);
    (void)snprintf(
        answer, sizeof answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %.28s\r\n\r\n",
        (const char *)accept);
    rig_say_raw(r, answer, strlen(answer));
}

void rig_accept(rig *r)
{
    r->conn = test_host_last(&r->host);
    MUST(r->conn != NULL && !r->conn->is_open);
    test_conn_opened(&r->host, r->conn);
    rig_run(r);
    if (r->way == RIG_FRAMED) {
        answer_upgrade(r);
    }
}

void rig_greet(rig *r)
{
    rig_say(r, RIG_INFO);
    const char *sent = rig_sent(r);
    size_t len = strlen(sent);
    MUST(strncmp(sent, "CONNECT {", 9) == 0 && len > 6 && strcmp(sent + len - 6, "PING\r\n") == 0);
    rig_say(r, "PONG\r\n");
}

uint64_t rig_wait_for_dial(rig *r, uint64_t limit_ms)
{
    uint32_t before = r->host.conn_count;
    uint64_t start_us = r->host.now_us;

    while (r->host.conn_count == before && r->host.now_us - start_us < limit_ms * 1000) {
        uint32_t wait = natlet_runtime_run(r->rt, 1000000, 0);
        if (r->host.conn_count == before) {
            test_host_advance_us(&r->host, wait == 0 ? 1 : 1000);
        }
    }
    return (r->host.now_us - start_us) / 1000;
}

void rig_come_back(rig *r)
{
    rig_accept(r);
    rig_forget_sent(r);
    rig_greet(r);
}

void rig_fail_attempt(rig *r)
{
    r->conn = test_host_last(&r->host);
    rig_closed(r, 0, NATLET_E_IO);
}

/* ---- the server listens ---- */

static void append_sent(rig *r, const uint8_t *bytes, size_t len)
{
    if (r->sent.cap - r->sent.len <= len) {
        r->sent.cap = (r->sent.len + len + 1) * 2;
        uint8_t *moved = realloc(r->sent.ptr, r->sent.cap);
        MUST(moved != NULL);
        r->sent.ptr = moved;
    }
    memcpy(r->sent.ptr + r->sent.len, bytes, len);
    r->sent.len += len;
    r->sent.ptr[r->sent.len] = 0;
}

static void take_frame(rig *r, uint8_t opcode, const uint8_t *key, const uint8_t *bytes, size_t len)
{
    uint8_t *payload = malloc(len + 1);

    r->same_keys += r->frames > 0 && memcmp(r->key, key, 4) == 0;
    memcpy(r->key, key, 4);
    for (size_t i = 0; i < len; i++) {
        payload[i] = bytes[i] ^ key[i % 4];
    }
    r->frames++;
    if (opcode == NATLET__WS_BINARY) {
        r->largest = len > r->largest ? (uint32_t)len : r->largest;
        append_sent(r, payload, len);
    } else if (opcode == NATLET__WS_PONG) {
        r->pongs++;
    } else if (opcode == NATLET__WS_CLOSE && len >= 2) {
        r->close_code = (uint32_t)payload[0] << 8 | payload[1];
    }
    free(payload);
}

/* Reads one frame strictly; 0 if it is not complete. */
static size_t read_frame(rig *r, natlet_slice in)
{
    size_t head = 2;
    size_t len;

    if (in.len < 2) {
        return 0;
    }
    MUST((in.ptr[0] & 0xf0) == 0x80); /* whole messages only */
    MUST((in.ptr[1] & 0x80) != 0);
    len = in.ptr[1] & 0x7f;
    MUST(len != 127); /* none of ours is that long */
    if (len == 126) {
        if (in.len < 4) {
            return 0;
        }
        len = (size_t)in.ptr[2] << 8 | in.ptr[3];
        MUST(len >= 126);
        head = 4;
    }
    if (in.len < head + 4 + len) {
        return 0;
    }
    take_frame(r, in.ptr[0] & 0x0f, in.ptr + head, in.ptr + head + 4, len);
    return head + 4 + len;
}

natlet_slice rig_sent_bytes(rig *r)
{
    natlet_slice in;

    while (r->conn != NULL && (in = test_conn_sent(r->conn)).len > 0) {
        size_t used = in.len;
        if (r->way == RIG_FRAMED) {
            used = read_frame(r, in);
        } else {
            append_sent(r, in.ptr, in.len);
        }
        if (used == 0) {
            break;
        }
        test_conn_take_sent(r->conn, used);
    }
    return (natlet_slice){r->sent.ptr, r->sent.len};
}

void rig_forget_sent(rig *r)
{
    (void)rig_sent_bytes(r);
    r->sent.len = 0;
}

const char *rig_sent(rig *r)
{
    natlet_slice sent = rig_sent_bytes(r);

    r->sent.len = 0;
    return sent.len > 0 ? (const char *)sent.ptr : "";
}

/* ---- short forms ---- */

uint32_t rig_subscribe(rig *r, const char *subject)
{
    natlet_sink sink = rig_sink(r);
    uint32_t sid;

    MUST(natlet_client_subscribe(r->client, &sid, rig_text(subject), NULL, &sink) == NATLET_OK);
    return sid;
}

natlet_status rig_publish(rig *r, const char *subject, const char *payload)
{
    const natlet_msg msg = {.subject = rig_text(subject), .payload = rig_text(payload)};

    return natlet_client_publish(r->client, &msg);
}

const char *rig_meet(rig *r, const char *info)
{
    rig_accept(r);
    rig_forget_sent(r);
    rig_say(r, info);
    return rig_sent(r);
}
