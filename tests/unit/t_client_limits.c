/* Goal: nothing grows without bound and nothing is lost silently: a slow host, a
 * large message, a server that floods or lies, memory that runs out.
 *
 * Method: the rig's host takes 0 to n bytes a send; every allocation is failed
 * once; every lie must end in a typed reason and a new connection. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;
static uint8_t payload[3000000];

static void fill_payload(void)
{
    uint64_t seed = 1;

    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)test_random(&seed);
    }
}

static natlet_status publish_bytes(size_t len)
{
    const natlet_msg msg = {.subject = NATLET_TEXT("big"), .payload = {payload, len}};

    return natlet_client_publish(r.client, &msg);
}

/* What was sent is exactly one PUB of the first `len` bytes of the payload. */
static void check_sent_pub(size_t len)
{
    char line[64];
    size_t head = (size_t)snprintf(line, sizeof line, "PUB big %u\r\n", (unsigned)len);
    natlet_slice sent = rig_sent_bytes(&r);

    CHECK_INT(sent.len, head + len + 2);
    CHECK(sent.len == head + len + 2 && memcmp(sent.ptr, line, head) == 0 &&
          memcmp(sent.ptr + head, payload, len) == 0 &&
          memcmp(sent.ptr + head + len, "\r\n", 2) == 0);
    rig_forget_sent(&r);
}

static void connect_with(rig_way way, uint32_t max_payload)
{
    char info[128];

    rig_init(&r, way);
    r.config.message_bytes_max = 4 << 20;
    rig_start(&r);
    rig_accept(&r);
    (void)snprintf(info, sizeof info, "INFO {\"max_payload\":%u,\"headers\":true}\r\n",
                   (unsigned)max_payload);
    rig_say(&r, info);
    rig_say(&r, "PONG\r\n");
    rig_forget_sent(&r);
    r.largest = 0;
    r.frames = 0;
    (void)rig_log(&r);
}

static void large_publishes_are_split(void)
{
    static const size_t sizes[] = {0, 1, 4000, 65000, 65535, 65536, 131070, 1000000, 1048576};

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        connect_with(way, 1048576);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            CHECK(publish_bytes(sizes[i]) == NATLET_OK);
            rig_run(&r);
            check_sent_pub(sizes[i]);
        }
        CHECK(r.largest <= 65535);
        CHECK(r.conn->send_largest <= (way == RIG_WS ? 65535 : 2000000));
        CHECK(way == RIG_WS || r.conn->send_largest >= (way == RIG_NATS ? 1000000 : 65535));
        CHECK(publish_bytes(1048577) == NATLET_E_TOO_LARGE);
        rig_end(&r);
        connect_with(way, 3000);
        CHECK(publish_bytes(3001) == NATLET_E_TOO_LARGE);
        CHECK(publish_bytes(3000) == NATLET_OK);
        for (size_t i = 0; i < 300; i++) {
            CHECK(publish_bytes(i) == NATLET_OK);
        }
        rig_run(&r);
        CHECK(r.conn->send_largest <= (way == RIG_WS ? 3000 : 2000000));
        rig_forget_sent(&r);
        CHECK(r.largest <= 3000);
        rig_end(&r);
    }
}

static void publish_to_slow_host(rig_way way, size_t send_max)
{
    rig_connected(&r, way);
    rig_forget_sent(&r);
    r.conn->send_max = send_max;
    for (size_t i = 0; i < 40; i++) {
        CHECK(publish_bytes(i * 5) == NATLET_OK);
        if (i % 7 == 0) {
            rig_run(&r);
        }
    }
    rig_run(&r);
    const uint8_t *at = rig_sent_bytes(&r).ptr;
    for (size_t i = 0; i < 40; i++) {
        char line[32];
        size_t head = (size_t)snprintf(line, sizeof line, "PUB big %u\r\n", (unsigned)(i * 5));
        CHECK(memcmp(at, line, head) == 0);
        at += head;
        CHECK(memcmp(at, payload, i * 5) == 0);
        at += i * 5 + 2;
    }
    CHECK(at == r.sent.ptr + r.sent.len);
    rig_end(&r);
}

static void a_slow_host_gets_all_in_order(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (size_t send_max = 1; send_max <= 1000; send_max *= 10) {
            publish_to_slow_host(way, send_max);
        }
    }
}

static void much_is_sent_before_the_turn_ends(void)
{
    rig_init(&r, RIG_NATS);
    r.config.tx_bytes = 1 << 20;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    uint32_t sends = r.conn->sends;
    CHECK(publish_bytes(65000) == NATLET_OK);
    CHECK_INT(r.conn->sends, sends);
    CHECK(publish_bytes(1000) == NATLET_OK);
    CHECK_INT(r.conn->sends, sends + 1);
    CHECK_INT(natlet_client_stats_now(r.client).outbox_bytes, 0);
    rig_end(&r);
}

static size_t count_sent(const char *text)
{
    natlet_slice sent = rig_sent_bytes(&r);
    size_t count = 0;

    for (size_t i = 0; i + strlen(text) <= sent.len; i++) {
        count += memcmp(sent.ptr + i, text, strlen(text)) == 0;
    }
    return count;
}

static void a_full_outbox_says_so(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_init(&r, way);
        r.config.tx_bytes = 1024;
        r.config.pending_bytes_max = 20000;
        rig_start(&r);
        rig_accept(&r);
        rig_greet(&r);
        test_conn_congest(r.conn, 0);
        size_t whole = 0;
        natlet_status st;
        while ((st = publish_bytes(500)) == NATLET_OK) {
            whole++;
            rig_run(&r);
        }
        CHECK(st == NATLET_E_FULL);
        CHECK(whole > 30 && whole < 40);
        natlet_client_stats stats = natlet_client_stats_now(r.client);
        CHECK_INT(stats.out_messages, whole);
        CHECK_INT(stats.refused, 1);
        CHECK(stats.outbox_bytes <= 20000 && stats.outbox_max <= 20000);
        CHECK(publish_bytes(20000) == NATLET_E_TOO_LARGE); /* never fits */
        rig_say(&r, "PING\r\nPING\r\nPING\r\n");           /* makes nothing grow */
        CHECK_INT(natlet_client_stats_now(r.client).outbox_bytes, stats.outbox_bytes);
        test_conn_relieve(&r.host, r.conn);
        rig_run(&r);
        CHECK_INT(count_sent("PUB big 500\r\n"), whole);
        CHECK_INT(count_sent("PONG\r\n"), 1);
        CHECK_INT(natlet_client_stats_now(r.client).outbox_bytes, 0);
        CHECK(publish_bytes(500) == NATLET_OK);
        rig_end(&r);
    }
}

static void pings_are_answered_once_a_turn(void)
{
    rig_connected(&r, RIG_FRAMED);
    rig_forget_sent(&r);
    for (int i = 0; i < 100; i++) {
        test_conn_feed(&r.host, r.conn, "\x89\x03one\x82\x06PING\r\n\x89\x03two", 18);
    }
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "PONG\r\n");
    CHECK_INT(r.pongs, 1);
    test_conn_congest(r.conn, 0);
    CHECK(publish_bytes(10) == NATLET_OK);
    rig_run(&r);
    for (int i = 0; i < 100; i++) {
        rig_say_raw(&r, "\x89\x03one\x82\x06PING\r\n", 13);
    }
    CHECK(natlet_client_stats_now(r.client).outbox_bytes < 64);
    CHECK_INT(r.pongs, 1);
    test_conn_relieve(&r.host, r.conn);
    rig_run(&r);
    CHECK_INT(rig_sent_bytes(&r).len, strlen("PUB big 10\r\n") + 12 + strlen("PONG\r\n"));
    CHECK_INT(r.pongs, 2);
    rig_end(&r);
}

/* ---- lies ---- */

static void lies_end_in_a_reason_and_a_new_connection(void)
{
    static const struct {
        const char *said;
        const char *why;
        uint32_t close_code;
    } lies[] = {
        {"MSG a 1 05\r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 +5\r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 5.0\r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 \r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 -5\r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 1e3\r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 2147483647\r\n", "", 0},
        {"MSG a 1 4294967301\r\n", "", 0},
        {"MSG a 1 18446744073709551621\r\n", "", 0},
        {"MSG a 1 1234567890123456789012345678901234567890\r\n", "", 0},
        {"MSG a 1 1048577\r\n", "a message exceeds the size limit", 1009},
        {"HMSG a 1 11 20\r\n", "the peer broke the protocol", 1002},
        {"HMSG a 1 30 20\r\n", "the peer broke the protocol", 1002},
        {"MSG a 1 2\r\nhixPING\r\n", "the peer broke the protocol", 1002},
        {"PING x\r\n", "the peer broke the protocol", 1002},
        {"PING\n", "the peer broke the protocol", 1002},
        {"CONNECT {}\r\n", "the peer broke the protocol", 1002},
        {"\r\n", "the peer broke the protocol", 1002},
        {"INFO {\r\n", "the text is not valid JSON", 1002},
        {"INFO []\r\n", "the text is not valid JSON", 1002},
        {"INFO {\"a\":[[[[[[[[[]]]]]]]]]}\r\n", "the text is not valid JSON", 1002},
    };

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
            char want[128];
            rig_connected(&r, way);
            rig_say(&r, lies[i].said);
            const char *log = rig_log(&r);
            if (lies[i].why[0] != '\0') {
                (void)snprintf(want, sizeof want, "state reconnecting: %s\n", lies[i].why);
                CHECK_TEXT(log, want);
            } else {
                CHECK(strncmp(log, "state reconnecting: ", 20) == 0);
            }
            rig_forget_sent(&r);
            if (lies[i].close_code != 0 && way == RIG_FRAMED) {
                CHECK_INT(r.close_code, lies[i].close_code);
            }
            CHECK_INT(r.conn->closes, 1);
            CHECK(natlet_client_stats_now(r.client).errors > 0);
            rig_wait_ms(&r, 501);
            rig_accept(&r);
            rig_greet(&r);
            CHECK_TEXT(rig_log(&r), "state connected\n");
            rig_end(&r);
        }
    }
}

static void lies_in_frames(void)
{
    static const struct {
        const char *said;
        size_t len;
        uint32_t close_code;
    } lies[] = {
        {"\x81\x01x", 3, 1003},                   /* text */
        {"\xc2\x01x", 3, 1002},                   /* a reserved bit */
        {"\x83\x01x", 3, 1002},                   /* an unknown opcode */
        {"\x82\x81xxxxx", 7, 1002},               /* masked */
        {"\x80\x01x", 3, 1002},                   /* goes on with nothing */
        {"\x82\x7e\x00\x05hello", 9, 1002},       /* not minimal */
        {"\x82\x7f\x80\0\0\0\0\0\0\0", 10, 1002}, /* 2^63 */
        {"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10, 1009},
        {"\x89\x7e\x00\x80", 4, 1002}, /* a long ping */
        {"\x88\x01x", 3, 1002},        /* half a close code */
        {"\x88\x02\x03\xed", 4, 1002}, /* 1005 on the wire */
    };

    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        rig_connected(&r, RIG_FRAMED);
        rig_say_raw(&r, lies[i].said, lies[i].len);
        CHECK(strncmp(rig_log(&r), "state reconnecting: ", 20) == 0);
        rig_forget_sent(&r);
        CHECK_INT(r.close_code, lies[i].close_code);
        rig_end(&r);
    }
}

static char endless[100000];

static const char *begin_with(const char *verb)
{
    memset(endless, 'x', sizeof endless);
    for (size_t i = 0; verb[i] != '\0'; i++) {
        endless[i] = verb[i];
    }
    return endless;
}

static void endless_lines_are_refused(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        rig_say_bytes(&r, begin_with("MSG "), 5000);
        CHECK_TEXT(rig_log(&r), "state reconnecting: a control line exceeds line_max\n");
        rig_end(&r);
        rig_connected(&r, way);
        size_t before = r.memory.live_bytes;
        rig_say_bytes(&r, begin_with("INFO "), sizeof endless);
        CHECK_TEXT(rig_log(&r), "state reconnecting: a control line exceeds line_max\n");
        CHECK(r.memory.bytes_max - before <= 65536 + 32768);
        rig_end(&r);
    }
}

static void a_long_info_is_read(void)
{
    static char text[66000];
    char *at = text;

    at += sprintf(at, "INFO {\"max_payload\":77777,\"x\":\"");
    memset(at, 'y', 60000);
    (void)sprintf(at + 60000, "\"}\r\n");
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (size_t chop = 0; chop < 2; chop++) {
            rig_init(&r, way);
            r.chop = chop * 1000;
            rig_start(&r);
            rig_accept(&r);
            rig_say(&r, text);
            rig_say(&r, "PONG\r\n");
            CHECK_TEXT(rig_log(&r), "state connecting\nstate connected\n");
            CHECK_INT(natlet_client_max_payload(r.client), 77777);
            CHECK_INT(natlet_client_info(r.client).len, strlen(text) - 7);
            rig_end(&r);
        }
    }
}

/* What any publisher can have the server send costs that message only. */
static void strange_messages_cost_themselves(void)
{
    static char text[140000];
    char *at = text;

    /* 1048577: the first subscription of a client */
    at += sprintf(at, "HMSG big 1048577 65538 65540\r\nNATS/1.0\r\nK:");
    memset(at, 'v', 65538 - 16);
    (void)sprintf(at + 65538 - 16, "\r\n\r\nhi\r\nMSG a\001b 1048577 2\r\nhi\r\n");
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        CHECK_INT(rig_subscribe(&r, ">"), 1048577);
        (void)rig_log(&r);
        rig_say(&r, text);
        CHECK_TEXT(rig_log(&r), "message 1 a\001b [hi]\n");
        CHECK_INT(natlet_client_stats_now(r.client).dropped, 1);
        CHECK_INT(natlet_client_stats_now(r.client).in_messages, 2);
        rig_end(&r);
    }
}

static void silence_before_info_only(void)
{
    static const char *const early[] = {"PING\r\n", "PONG\r\n", "MSG a 1 0\r\n\r\n", "+OK\r\n"};

    for (size_t i = 0; i < 4; i++) {
        rig_init(&r, RIG_NATS);
        rig_start(&r);
        rig_accept(&r);
        rig_say(&r, early[i]);
        CHECK_TEXT(rig_log(&r), "state connecting\nstate closed: the peer broke the protocol\n");
        rig_end(&r);
    }
}

/* ---- arguments ---- */

static void bad_arguments_lose_nothing(void)
{
    natlet_sink sink = rig_sink(&r);
    uint32_t sid;
    const natlet_msg headers = {.subject = NATLET_TEXT("a"),
                                .headers = NATLET_TEXT("NATS/1.0\r\n")};
    const natlet_msg reply = {.subject = NATLET_TEXT("a"), .reply = NATLET_TEXT("a b")};
    const natlet_subscribe_options queue = {.queue = NATLET_TEXT("q\r\nx")};

    rig_connected(&r, RIG_NATS);
    rig_forget_sent(&r);
    static const char *const subjects[] = {"", "a b", "a..b", ".a", "a.", "a.*", ">", "a\r\nPUB x"};
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        CHECK(rig_publish(&r, subjects[i], "x") == NATLET_E_SUBJECT);
    }
    CHECK(natlet_client_publish(r.client, &reply) == NATLET_E_SUBJECT);
    CHECK(natlet_client_publish(r.client, &headers) == NATLET_E_HEADER);
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a b"), NULL, &sink) ==
          NATLET_E_SUBJECT);
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), &queue, &sink) ==
          NATLET_E_SUBJECT);
    CHECK_INT(sid, 0);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "");
    rig_say(&r, "INFO {\"headers\":false,\"max_payload\":10}\r\n");
    const natlet_msg good = {.subject = NATLET_TEXT("a"),
                             .headers = NATLET_TEXT("NATS/1.0\r\n\r\n")};
    CHECK(natlet_client_publish(r.client, &good) == NATLET_E_HEADERS_UNSUPPORTED);
    rig_end(&r);
}

static natlet_status make(natlet_client_config *config)
{
    natlet_client *client;
    natlet_status st = natlet_client_new(&client, r.rt, config);

    natlet_client_free(client);
    return st;
}

static void bad_configurations_are_refused(void)
{
    rig_connected(&r, RIG_NATS);
#define REFUSES(field, value, why)                                                                 \
    do {                                                                                           \
        natlet_client_config config = r.config;                                                    \
        config.field = (value);                                                                    \
        CHECK_INT(make(&config), why);                                                             \
    } while (0)
    REFUSES(size, 4, NATLET_E_CONFIG);
    REFUSES(servers, rig_text(""), NATLET_E_URL);
    REFUSES(servers, rig_text("http://x"), NATLET_E_URL);
    REFUSES(rx_bytes, 100, NATLET_E_CONFIG);
    REFUSES(tx_bytes, UINT32_MAX, NATLET_E_CONFIG);
    REFUSES(message_bytes_max, NATLET_MESSAGE_BYTES_LIMIT + 1, NATLET_E_CONFIG);
    REFUSES(subscriptions_max, NATLET_SUBSCRIPTIONS_MAX + 1, NATLET_E_CONFIG);
    REFUSES(reconnects_max, -2, NATLET_E_CONFIG);
    REFUSES(inbox_prefix, rig_text("a.*"), NATLET_E_CONFIG);
    REFUSES(inbox_prefix, rig_text("a."), NATLET_E_CONFIG);
    REFUSES(name, rig_text("\xff"), NATLET_E_CONFIG);
    REFUSES(headers, rig_text("a: b"), NATLET_E_CONFIG);
    REFUSES(headers, rig_text("a b: c\r\n"), NATLET_E_CONFIG);
    REFUSES(headers, rig_text("a: b\r\n\r\n"), NATLET_E_CONFIG);
    REFUSES(headers, rig_text("a: b\nc: d\r\n"), NATLET_E_CONFIG);
    REFUSES(headers, rig_text("a: b\r\nc: d\r\n"), NATLET_OK);
    rig_end(&r);
}

static void a_table_has_its_limit(void)
{
    natlet_sink sink = rig_sink(&r);
    uint32_t sid;

    rig_init(&r, RIG_NATS);
    r.config.subscriptions_max = 20;
    rig_start(&r);
    for (int i = 0; i < 20; i++) {
        (void)rig_subscribe(&r, "a");
    }
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, &sink) == NATLET_E_LIMIT);
    rig_end(&r);
}

/* ---- memory ---- */

static void the_steady_state_takes_no_memory(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        char text[200];
        rig_connected(&r, way);
        uint32_t sid = rig_subscribe(&r, "a");
        const natlet_msg msg = {.subject = NATLET_TEXT("s"), .payload = {payload, 100}};
        uint32_t requests = 0;
        for (int i = 0; i < 200; i++) {
            if (i == 100) {
                requests = r.memory.requests;
            }
            (void)snprintf(text, sizeof text, "MSG a %u 5\r\nhello\r\nPING\r\nPONG\r\n",
                           (unsigned)sid);
            CHECK(publish_bytes(1000) == NATLET_OK);
            CHECK(natlet_client_request(r.client, &msg, 10, rig_on_reply, &r, NULL) == NATLET_OK);
            CHECK(natlet_client_flush(r.client, 100, rig_on_done, &r) == NATLET_OK);
            rig_say(&r, text);
            rig_wait_ms(&r, 11);
            rig_forget_sent(&r);
            (void)rig_log(&r);
        }
        CHECK_INT(r.memory.requests - requests, 0);
        rig_end(&r);
    }
}

/* Goes through a life with the n-th allocation failing; returns whether it did. */
static bool live_with_failure(uint32_t n, rig_way way)
{
    rig_init(&r, way);
    r.memory.fail_at = n;
    r.config.retry_first_connect = true;
    r.config.rx_bytes = 512;
    r.config.tx_bytes = 512;
    if (natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK &&
        natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK &&
        natlet_client_connect(r.client) == NATLET_OK) {
        natlet_sink sink = rig_sink(&r);
        uint32_t sid = 0;
        const natlet_msg msg = {.subject = NATLET_TEXT("s"), .payload = {payload, 3000}};
        (void)natlet_client_subscribe(r.client, &sid, rig_text("a"), NULL, &sink);
        rig_run(&r);
        for (int i = 0; i < 3 && natlet_client_state_now(r.client) != NATLET_CLIENT_CONNECTED;
             i++) {
            rig_wait_ms(&r, 2000);
            r.conn = test_host_last(&r.host);
            if (!r.conn->is_open && !r.conn->is_closed) {
                rig_accept(&r);
                rig_say(&r, "INFO {\"headers\":true,\"connect_urls\":[\"b:1\",\"c:2\"]}\r\n");
                rig_say(&r, "PONG\r\n");
            }
        }
        rig_forget_sent(&r);
        (void)natlet_client_request(r.client, &msg, 100, rig_on_reply, &r, NULL);
        (void)natlet_client_flush(r.client, 100, rig_on_done, &r);
        rig_run(&r);
        char text[64];
        (void)snprintf(text, sizeof text, "MSG a %u 2000\r\n", (unsigned)sid);
        if (!r.conn->is_closed && r.conn->closes == 0) {
            rig_say(&r, text);
            rig_say_bytes(&r, payload, 2000);
            rig_say(&r, "\r\n");
        }
        rig_wait_ms(&r, 200);
        natlet_slice info = natlet_client_info(r.client);
        CHECK(info.ptr != NULL || info.len == 0);
        natlet_client_state state = natlet_client_state_now(r.client);
        CHECK(state == NATLET_CLIENT_CONNECTED || state == NATLET_CLIENT_RECONNECTING ||
              state == NATLET_CLIENT_CONNECTING);
    }
    bool failed = r.memory.refused > 0;
    rig_end(&r); /* nothing leaks */
    return failed;
}

static void every_allocation_may_fail(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        uint32_t n = 1;
        while (live_with_failure(n, way)) {
            n++;
        }
        CHECK(n > 15);
    }
}

int main(void)
{
    fill_payload();
    RUN(large_publishes_are_split);
    RUN(a_slow_host_gets_all_in_order);
    RUN(much_is_sent_before_the_turn_ends);
    RUN(a_full_outbox_says_so);
    RUN(pings_are_answered_once_a_turn);
    RUN(lies_end_in_a_reason_and_a_new_connection);
    RUN(lies_in_frames);
    RUN(endless_lines_are_refused);
    RUN(a_long_info_is_read);
    RUN(strange_messages_cost_themselves);
    RUN(silence_before_info_only);
    RUN(bad_arguments_lose_nothing);
    RUN(bad_configurations_are_refused);
    RUN(a_table_has_its_limit);
    RUN(the_steady_state_takes_no_memory);
    RUN(every_allocation_may_fail);
    return test_done();
}
