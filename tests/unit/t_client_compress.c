/* Goal: with compression a client reports what it reports without, however the server's
 * bytes are cut, compressed and fragmented; what it sends can be read back; a server that
 * breaks the agreement or sends a bomb loses the connection, and memory stays bounded.
 *
 * Method: a client on the test host, and a server made of the engine's own deflater and
 * inflater; one transcript in many forms, whose logs must be the same text. */
#include "natlet/compress.h"

#include <stdio.h>

#include "base/bytes.h"
#include "client/client.h"
#include "support/client_rig.h"
#include "support/test.h"
#include "ws/deflate.h"

enum { WIRE_MAX = 400000, TEXT_MAX = 200000, BINARY = 2, PING = 9 };

static rig r;
static natlet_compress_options options;
static uint8_t wire[WIRE_MAX];
static size_t wire_len;
static natlet__deflater *deflater;
static natlet__inflater *inflater;

/* ---- the server ---- */

static void make_server(void)
{
    static const natlet__deflate_shape shape = {15, 8, 1};

    deflater = natlet__deflater_init(calloc(1, natlet__deflater_bytes(&shape)), &shape);
    inflater = natlet__inflater_init(calloc(1, natlet__inflater_bytes()));
}

static void put_frame(uint8_t first, const uint8_t *payload, size_t len)
{
    wire[wire_len++] = first;
    if (len < 126) {
        wire[wire_len++] = (uint8_t)len;
    } else if (len <= UINT16_MAX) {
        wire[wire_len++] = 126;
        wire[wire_len++] = (uint8_t)(len >> 8);
        wire[wire_len++] = (uint8_t)len;
    } else {
        wire[wire_len++] = 127;
        for (int shift = 56; shift >= 0; shift -= 8) {
            wire[wire_len++] = (uint8_t)((uint64_t)len >> shift);
        }
    }
    if (len > 0) {
        memcpy(wire + wire_len, payload, len);
    }
    wire_len += len;
}

typedef struct form {
    size_t message;  /* bytes of the protocol in one message */
    size_t fragment; /* > 0: payload bytes of one frame; an empty last one ends it */
    bool compressed, pings;
} form;

static void put_message(const uint8_t *text, size_t len, const form *f)
{
    static uint8_t packed[TEXT_MAX + NATLET__DEFLATE_TAIL];
    size_t n =
        f->compressed ? natlet__deflater_message(deflater, (natlet_slice){text, len}, packed) : 0;
    const uint8_t *payload = n > 0 ? packed : text;
    uint8_t first = (uint8_t)(BINARY | (n > 0 ? 0x40 : 0));

    n = n > 0 ? n : len;
    if (f->fragment == 0) {
        put_frame(0x80 | first, payload, n);
        return;
    }
    for (size_t at = 0; at < n; at += f->fragment) {
        put_frame(first, payload + at, n - at < f->fragment ? n - at : f->fragment);
        first = 0;
        if (f->pings) {
            put_frame(0x80 | PING, (const uint8_t *)"beat", 4);
        }
    }
    put_frame(0x80, NULL, 0);
}

static void say(const void *text, size_t len, const form *f)
{
    wire_len = 0;
    for (size_t at = 0; at < len; at += f->message) {
        put_message((const uint8_t *)text + at, len - at < f->message ? len - at : f->message, f);
    }
    rig_say_raw(&r, wire, wire_len);
}

static const form plain = {.message = 100000};
static const form packed = {.message = 100000, .compressed = true};

static void say_text(const char *text, const form *f)
{
    say(text, strlen(text), f);
}

#define AGREED "Sec-WebSocket-Extensions: " NATLET__DEFLATE_OFFER "\r\n"

static void answer(const char *extension, const void *rest, size_t rest_len)
{
    static const char mark[] = "Sec-WebSocket-Key: ";
    static uint8_t text[WIRE_MAX];
    uint8_t accept[28];
    natlet_slice sent = test_conn_sent(r.conn);
    natlet_slice line;
    bool has_offer = false;

    while (natlet__cut(&sent, '\n', &line)) {
        if (line.len > sizeof mark && memcmp(line.ptr, mark, sizeof mark - 1) == 0) {
            natlet__handshake_accept(accept, line.ptr + sizeof mark - 1);
        }
        has_offer |= line.len + 1 == sizeof AGREED - 1 && memcmp(line.ptr, AGREED, line.len) == 0;
    }
    CHECK(has_offer && sent.len == 0);
    test_conn_take_sent(r.conn, test_conn_sent(r.conn).len);
    int len = snprintf((char *)text, sizeof text,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Accept: %.28s\r\n%s\r\n",
                       (const char *)accept, extension);
    if (rest_len > 0) {
        memcpy(text + len, rest, rest_len);
    }
    rig_say_raw(&r, text, (size_t)len + rest_len);
}

static void prepare(void)
{
    rig_init(&r, RIG_FRAMED);
    memset(&options, 0, sizeof options);
    make_server();
}

static void start(void)
{
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
    CHECK_INT(natlet_client_compress(r.client, &options), NATLET_OK);
    CHECK(natlet_client_connect(r.client) == NATLET_OK);
    rig_run(&r);
    r.conn = test_host_last(&r.host);
    test_conn_opened(&r.host, r.conn);
    rig_run(&r);
}

/* What the client sent, inflated; how many of its messages were compressed. */
static uint32_t packed_frames;
static uint8_t heard[TEXT_MAX];
static size_t heard_len;

static void hear_frame(uint8_t first, const uint8_t *key, const uint8_t *bytes, size_t len)
{
    static uint8_t payload[UINT16_MAX];
    natlet_slice in = {payload, len};
    size_t n = len;

    for (size_t i = 0; i < len; i++) {
        payload[i] = bytes[i] ^ key[i % 4];
    }
    CHECK((first & 0xb0) == 0x80);
    if ((first & 15) != BINARY) {
        CHECK((first & 0x40) == 0);
        r.pongs += (first & 15) == 10;
        r.close_code =
            (first & 15) == 8 && len >= 2 ? payload[0] * 256u + payload[1] : r.close_code;
        return;
    }
    if ((first & 0x40) != 0) {
        packed_frames++;
        natlet__inflater_start(inflater, UINT16_MAX);
        CHECK_INT(natlet__inflater_read(inflater, &in, true, heard + heard_len,
                                        sizeof heard - heard_len, &n),
                  NATLET_OK);
        CHECK(n > len);
    } else {
        memcpy(heard + heard_len, payload, len);
    }
    CHECK(n <= NATLET_FRAME_PAYLOAD_MAX);
    heard_len += n;
}

static void hear(void)
{
    natlet_slice sent = test_conn_sent(r.conn);

    heard_len = 0;
    packed_frames = 0;
    while (sent.len > 0) {
        size_t len = sent.ptr[1] & 127;
        size_t head = 6;
        if (len == 126) {
            len = sent.ptr[2] * 256u + sent.ptr[3];
            head = 8;
        }
        CHECK(sent.len >= head + len);
        hear_frame(sent.ptr[0], sent.ptr + head - 4, sent.ptr + head, len);
        natlet__skip(&sent, head + len);
    }
    test_conn_take_sent(r.conn, test_conn_sent(r.conn).len);
}

static void greet(const form *f)
{
    answer(AGREED, NULL, 0);
    say_text(RIG_INFO, f);
    hear();
    CHECK(heard_len > 9 && memcmp(heard, "CONNECT {", 9) == 0);
    CHECK_INT(packed_frames, 0); /* what is secret is not compressed */
    say_text("PONG\r\n", f);
    CHECK(natlet_client_is_connected(r.client));
    CHECK(natlet_client_compress_stats(r.client).is_on);
    (void)rig_log(&r);
}

static void finish(void)
{
    rig_end(&r);
    free(deflater);
    free(inflater);
}

static void connect_with(const form *f)
{
    prepare();
    start();
    greet(f);
}

/* ---- reading ---- */

static char transcript[TEXT_MAX];
static size_t transcript_len;

static void write_transcript(uint32_t sid, bool has_big)
{
    size_t at = 0;

    for (size_t i = 0; i < 30; i++) {
        size_t len = has_big && i == 20 ? 70000 : i * 5;
        at += (size_t)snprintf(transcript + at, sizeof transcript - at, "MSG t.%u %u box %u\r\n",
                               (unsigned)i, (unsigned)sid, (unsigned)len);
        for (size_t k = 0; k < len; k++) {
            transcript[at++] = (char)('a' + (k * k + i) % 11);
        }
        at += (size_t)snprintf(transcript + at, sizeof transcript - at, "\r\n%s",
                               i % 7 == 0 ? "PING\r\n" : "");
    }
    transcript_len = at;
}

static char want[RIG_LOG_MAX];

static const char *play(const form *f, size_t chop, size_t recv_bytes, bool has_big)
{
    prepare();
    r.config.rx_bytes = 1024;
    r.chop = chop;
    options.recv_bytes = (uint32_t)recv_bytes;
    start();
    greet(f);
    write_transcript(rig_subscribe(&r, "t.>"), has_big);
    say(transcript, transcript_len, f);
    CHECK(natlet_client_is_connected(r.client));
    natlet_compress_stats stats = natlet_client_compress_stats(r.client);
    CHECK(f->compressed ? stats.inflated_messages > 0 && stats.inflated_bytes > stats.received_bytes
                        : stats.inflated_messages == 0);
    finish();
    return rig_log(&r);
}

static void every_form(void)
{
    static const size_t sizes[] = {1, 7, 100, 1500, 100000};
    static const size_t fragments[] = {0, 1, 5, 100};
    static const size_t reads[] = {1, 3, 600, 0};

    (void)snprintf(want, sizeof want, "%s", play(&plain, 0, 0, false));
    CHECK(strstr(want, "message 1 t.29 > box (145)\n") != NULL);
    for (size_t m = 2; m < sizeof sizes / sizeof *sizes; m++) {
        for (size_t g = 0; g < sizeof fragments / sizeof *fragments; g++) {
            for (size_t c = 0; c < sizeof reads / sizeof *reads; c++) {
                const form f = {sizes[m], fragments[g], true, g % 2 == 1};
                CHECK_TEXT(play(&f, reads[c], 512, false), want);
            }
        }
    }
    for (size_t m = 0; m < sizeof sizes / sizeof *sizes; m++) {
        const form f = {.message = sizes[m], .fragment = m};
        CHECK_TEXT(play(&f, 600, 0, false), want);
    }
}

static void every_read_size(void)
{
    for (size_t chop = 1; chop <= 64; chop++) {
        const form f = {700, 40, true, true};
        CHECK_TEXT(play(&f, chop, 512, false), want);
    }
}

static void messages_beyond_the_window(void)
{
    static char big[RIG_LOG_MAX];
    const form f = {90000, 1000, true, false};

    (void)snprintf(big, sizeof big, "%s", play(&plain, 0, 0, true));
    CHECK(strstr(big, "box (70000)\n") != NULL);
    CHECK_TEXT(play(&packed, 0, 0, true), big);
    CHECK_TEXT(play(&f, 100, 512, true), big);
    CHECK_TEXT(play(&f, 0, 100000, true), big);
}

/* nats-server compresses all from the first message on, and may send both at once. */
static void info_behind_the_answer(void)
{
    static uint8_t text[2000];

    prepare();
    options.recv_bytes = 600;
    start();
    wire_len = 0;
    put_message((const uint8_t *)RIG_INFO, sizeof RIG_INFO - 1, &packed);
    memcpy(text, wire, wire_len);
    answer(AGREED, text, wire_len);
    hear();
    CHECK(heard_len > 9 && memcmp(heard, "CONNECT {", 9) == 0);
    say_text("PONG\r\n", &packed);
    CHECK(natlet_client_is_connected(r.client));
    finish();
}

static void without_agreement(void)
{
    prepare();
    start();
    answer("", NULL, 0);
    r.chop = 3;
    rig_greet(&r);
    CHECK(natlet_client_is_connected(r.client));
    CHECK(!natlet_client_compress_stats(r.client).is_on);
    CHECK(r.memory.live_bytes < 120000);    /* its memory was given back */
    say_text("MSG a 1 0\r\n\r\n", &packed); /* too short to shrink */
    CHECK(natlet_client_is_connected(r.client));
    put_frame(0xc2, (const uint8_t *)"\x00", 1);
    rig_say_raw(&r, wire + wire_len - 3, 3);
    CHECK(!natlet_client_is_connected(r.client)); /* RSV1 was not agreed on */
    finish();
}

/* ---- breaking it ---- */

/* These bytes end the connection with `st` and `code`. */
static void refuses(const void *bytes, size_t len, natlet_status st, uint32_t code)
{
    r.config.no_reconnect = true;
    start();
    greet(&packed);
    rig_say_raw(&r, bytes, len);
    hear();
    CHECK_INT(r.close_code, code);
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CLOSED);
    CHECK(strstr(rig_log(&r), natlet_status_text(st)) != NULL);
    finish();
}

#define REFUSES(bytes, st, code)                                                                   \
    do {                                                                                           \
        prepare();                                                                                 \
        refuses(bytes, sizeof(bytes) - 1, st, code);                                               \
    } while (0)

static void broken_frames(void)
{
    REFUSES("\xc2\x01\xff", NATLET_E_FRAME, 1007);
    REFUSES("\xc2\x05Hello", NATLET_E_FRAME, 1007);
    REFUSES("\xc2\x02\xf2\x48", NATLET_E_FRAME, 1007);         /* ends early */
    REFUSES("\x42\x02\xf2\x48\x80\x00", NATLET_E_FRAME, 1007); /* ... in an empty fragment */
    REFUSES("\xc2\x00", NATLET_E_FRAME, 1007);
    REFUSES("\x42\x01\x00\xc0\x01\x00", NATLET_E_FRAME, 1002); /* RSV1 in a later fragment */
    REFUSES("\xc9\x00", NATLET_E_FRAME, 1002);                 /* ... in a control frame */
    REFUSES("\xca\x00", NATLET_E_FRAME, 1002);
    REFUSES("\xc8\x00", NATLET_E_FRAME, 1002);
    REFUSES("\xa2\x00", NATLET_E_FRAME, 1002); /* RSV2 */
    REFUSES("\xd2\x00", NATLET_E_FRAME, 1002); /* RSV3 */
    REFUSES("\xc1\x01\x00", NATLET_E_FRAME, 1003);
    REFUSES("\xc2\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x82\x02\r\n", NATLET_E_PROTOCOL,
            1002); /* "Hello" */
}

static void wrong_answers(void)
{
    static const char *const answers[] = {
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: x\r\n",
        AGREED AGREED,
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        prepare();
        r.config.no_reconnect = true;
        start();
        answer(answers[i], NULL, 0);
        CHECK(strstr(rig_log(&r), natlet_status_text(NATLET_E_HANDSHAKE)) != NULL);
        finish();
    }
}

/* 60 000 bytes of PING from some 100: each is answered by nothing, the limit ends it. */
static void a_bomb_ends_at_its_limit(void)
{
    static char pings[60000];

    for (size_t i = 0; i + 6 <= sizeof pings; i += 6) {
        memcpy(pings + i, "PING\r\n", 6);
    }
    prepare();
    options.inflated_bytes_max = 50000;
    wire_len = 0;
    put_message((const uint8_t *)pings, sizeof pings, &packed);
    CHECK(wire_len < 600);
    static uint8_t bomb[600];
    memcpy(bomb, wire, wire_len);
    refuses(bomb, wire_len, NATLET_E_TOO_LARGE, 1009);
}

/* A payload of one letter, larger than allowed: its line is all that is looked at. */
static void a_bomb_of_one_message(void)
{
    static char text[60000];

    memset(text, 'x', sizeof text);
    memcpy(text, "MSG a 1 2000000\r\n", 17);
    prepare();
    wire_len = 0;
    put_message((const uint8_t *)text, sizeof text, &packed);
    static uint8_t bomb[600];
    memcpy(bomb, wire, wire_len);
    refuses(bomb, wire_len, NATLET_E_TOO_LARGE, 1009);
}

/* However often: memory stays what it was. */
static void bombs_take_no_memory(void)
{
    static char pings[60000];

    for (size_t i = 0; i + 6 <= sizeof pings; i += 6) {
        memcpy(pings + i, "+OK\r\n\r", 6);
        memcpy(pings + i, "PONG\r\n", 6);
    }
    connect_with(&packed);
    size_t before = r.memory.bytes_max;
    for (int i = 0; i < 50; i++) {
        say(pings, sizeof pings, &packed);
    }
    CHECK(natlet_client_is_connected(r.client));
    CHECK_INT(r.memory.bytes_max, before);
    CHECK_INT(natlet_client_compress_stats(r.client).inflated_bytes / 1000000, 3);
    finish();
}

/* ---- writing ---- */

static const char *published(size_t len, bool is_plain)
{
    static char payload[100000];
    static char line[64];
    uint64_t seed = 3;
    natlet_msg msg = {.subject = rig_text("a.b")};

    for (size_t i = 0; i < len; i++) {
        payload[i] = (char)("abcdefgh"[test_random(&seed) % 8]);
    }
    msg.payload = (natlet_slice){(const uint8_t *)payload, len};
    CHECK_INT(is_plain ? natlet_client_publish_plain(r.client, &msg)
                       : natlet_client_publish(r.client, &msg),
              NATLET_OK);
    (void)snprintf(line, sizeof line, "PUB a.b %u\r\n", (unsigned)len);
    return line;
}

static void small_and_large(void)
{
    static const size_t lens[] = {0, 40, 50, 51, 52, 100, 16384, 40000, 90000};

    connect_with(&packed);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        const char *line = published(lens[i], false);
        size_t head = strlen(line);
        rig_run(&r);
        hear();
        CHECK_INT(heard_len, head + lens[i] + 2);
        CHECK(memcmp(heard, line, head) == 0);
        CHECK_INT(packed_frames > 0, head + lens[i] + 2 >= 64);
        CHECK(packed_frames <= 1 + lens[i] / 16000);
    }
    natlet_compress_stats stats = natlet_client_compress_stats(r.client);
    CHECK(stats.deflated_bytes < stats.plain_bytes * 6 / 10);
    CHECK(stats.deflated_messages > 10 && stats.sent_messages > stats.deflated_messages);
    finish();
}

static void noise_goes_as_it_is(void)
{
    static uint8_t noise[5000];
    uint64_t seed = 9;
    natlet_msg msg = {.subject = rig_text("a"), .payload = {noise, sizeof noise}};

    connect_with(&packed);
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (uint8_t)test_random(&seed);
    }
    CHECK(natlet_client_publish(r.client, &msg) == NATLET_OK);
    rig_run(&r);
    hear();
    CHECK_INT(packed_frames, 0);
    CHECK_INT(heard_len, sizeof noise + sizeof "PUB a 5000\r\n\r\n" - 1);
    CHECK(memcmp(heard + 12, noise, sizeof noise) == 0);
    CHECK_INT(natlet_client_compress_stats(r.client).incompressible_messages, 1);
    finish();
}

static void some_stay_plain(void)
{
    connect_with(&packed);
    (void)published(500, true);
    rig_run(&r);
    hear();
    CHECK_INT(packed_frames, 0);
    CHECK_INT(heard_len, 500 + 15);
    for (int i = 0; i < 40; i++) { /* more than are kept apart */
        (void)published(300, i % 2 == 1);
    }
    rig_run(&r);
    hear();
    CHECK(packed_frames > 4 && packed_frames < 20);
    CHECK_INT(heard_len, 40 * (300 + 15));
    (void)published(500, false);
    rig_run(&r);
    hear();
    CHECK_INT(packed_frames, 1);
    (void)published(80000, true);
    (void)published(500, false);
    rig_run(&r);
    hear();
    CHECK_INT(packed_frames, 1);
    CHECK_INT(heard_len, 80000 + 17 + 515);
    finish();
}

static void only_receiving(void)
{
    prepare();
    options.receive_only = true;
    start();
    greet(&packed);
    (void)published(5000, false);
    rig_run(&r);
    hear();
    CHECK_INT(packed_frames, 0);
    CHECK_INT(heard_len, 5000 + 16);
    finish();
}

/* A close in the middle of a message, and a new connection: nothing is left of the old one. */
static void a_new_connection_begins_anew(void)
{
    connect_with(&packed);
    uint32_t sid = rig_subscribe(&r, "t");
    char text[128];
    rig_say_raw(&r, "\x42\x02\xf2\x48\xc2", 5);
    rig_closed(&r, 0, NATLET_E_IO);
    (void)rig_wait_for_dial(&r, 60000);
    r.conn = test_host_last(&r.host);
    test_conn_opened(&r.host, r.conn);
    rig_run(&r);
    greet(&packed);
    (void)snprintf(text, sizeof text, "MSG t %u 3\r\nhey\r\nMSG t %u 40\r\n%040u\r\n",
                   (unsigned)sid, (unsigned)sid, 0u);
    say_text(text, &packed);
    CHECK(strstr(rig_log(&r), "[hey]") != NULL);
    finish();
}

/* ---- options and memory ---- */

static void options_are_judged(void)
{
    static const natlet_compress_options wrong[] = {
        {.recv_bytes = 511},
        {.recv_bytes = (1 << 20) + 1},
        {.message_bytes_max = 125},
        {.message_bytes_max = 65536},
        {.window_bits = 8},
        {.window_bits = 16},
        {.memory_level = 10},
        {.level = 10},
        {.inflated_bytes_max = 1u << 29},
    };
    natlet_client *client;

    rig_start_with(&r, RIG_NATS, NULL);
    CHECK_INT(natlet_client_compress(r.client, NULL), NATLET_E_STATE);
    CHECK(natlet_client_new(&client, r.rt, &r.config) == NATLET_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(natlet_client_compress(client, &wrong[i]), NATLET_E_CONFIG);
    }
    CHECK_INT(natlet_client_compress(client, NULL), NATLET_OK);
    CHECK_INT(natlet_client_compress(client, NULL), NATLET_E_STATE);
    natlet_client_free(client);
    rig_end(&r);
}

/* The n-th allocation fails, for every n. */
static bool runs_with_failure(uint32_t n)
{
    prepare();
    r.config.retry_first_connect = true;
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
    r.memory.fail_at = r.memory.requests + n;
    natlet_status st = natlet_client_compress(r.client, &options);
    if (st < 0) {
        CHECK_INT(st, NATLET_E_NO_MEMORY);
        CHECK_INT(natlet_client_compress(r.client, &options), NATLET_OK);
    }
    st = natlet_client_connect(r.client);
    CHECK_INT(st < 0 ? natlet_client_connect(r.client) : st, NATLET_OK);
    for (int i = 0; i < 5 && !natlet_client_is_connected(r.client); i++) {
        rig_wait_ms(&r, 3000);
        r.conn = test_host_last(&r.host);
        if (r.conn == NULL || r.conn->is_closed || r.conn->is_open) {
            continue;
        }
        test_conn_opened(&r.host, r.conn);
        rig_run(&r);
        if (r.conn->closes == 0) {
            answer(AGREED, NULL, 0);
            say_text(RIG_INFO, &packed);
        }
        if (r.conn->closes == 0) {
            say_text("PONG\r\n", &packed);
        }
    }
    CHECK(natlet_client_is_connected(r.client));
    test_conn_take_sent(r.conn, test_conn_sent(r.conn).len);
    (void)published(5000, false);
    rig_run(&r);
    hear();
    CHECK(packed_frames > 0);
    bool was_needed = r.memory.refused > 0;
    finish();
    return was_needed;
}

static void every_allocation_fails(void)
{
    uint32_t n = 1;

    while (n < 100 && runs_with_failure(n)) {
        n++;
    }
    CHECK(n > 2 && n < 100);
}

int main(void)
{
    RUN(every_form);
    RUN(every_read_size);
    RUN(messages_beyond_the_window);
    RUN(info_behind_the_answer);
    RUN(without_agreement);
    RUN(broken_frames);
    RUN(wrong_answers);
    RUN(a_bomb_ends_at_its_limit);
    RUN(a_bomb_of_one_message);
    RUN(bombs_take_no_memory);
    RUN(small_and_large);
    RUN(noise_goes_as_it_is);
    RUN(some_stay_plain);
    RUN(only_receiving);
    RUN(a_new_connection_begins_anew);
    RUN(options_are_judged);
    RUN(every_allocation_fails);
    return test_done();
}
