/* Goal: what a client reports does not depend on how the server's bytes were cut
 * into reads and frames; it calls the host once a read and moves little.
 *
 * Method: one transcript with messages of all sizes, from the upgrade on, in
 * reads of 1 to 64 bytes and larger, over all ways and many frame sizes; every
 * run must write the same log. */
#include "support/client_rig.h"
#include "support/test.h"

enum { BIG = 40000, TRANSCRIPT_MAX = 200000 };

static rig r;
static char transcript[TRANSCRIPT_MAX];
static size_t transcript_len;
static uint32_t messages;

static void append(const char *text)
{
    transcript_len += (size_t)snprintf(transcript + transcript_len,
                                       sizeof transcript - transcript_len, "%s", text);
}

static void append_message(uint32_t sid, size_t len)
{
    char line[64];

    (void)snprintf(line, sizeof line, "MSG t.%u %u box %u\r\n", (unsigned)messages, (unsigned)sid,
                   (unsigned)len);
    append(line);
    memset(transcript + transcript_len, 'a' + (int)(messages % 26), len);
    transcript_len += len;
    append("\r\n");
    messages++;
}

static void write_transcript(uint32_t sid, bool has_big)
{
    transcript_len = 0;
    messages = 0;
    for (size_t i = 0; i < 40; i++) {
        append_message(sid, i * 3);
        if (i % 7 == 0) {
            append("PING\r\n+OK\r\n");
        }
        if (i % 11 == 0) {
            append(RIG_INFO);
        }
    }
    if (has_big) {
        append_message(sid, BIG);
        append_message(sid, 3);
        append_message(sid, (size_t)BIG * 2);
    }
    append("-ERR 'Permissions Violation for Publish to \"x\"'\r\n");
    char text[128];
    (void)snprintf(text, sizeof text,
                   "hmsg t.h %u 24 26\r\nNATS/1.0\r\nKey: value\r\n\r\nhi\r\n"
                   "MSG t.u 4242 2\r\nno\r\n",
                   (unsigned)sid);
    append(text);
}

/* Plays it, cut; returns the log. */
static const char *play(rig_way way, size_t chop, size_t frame_bytes, bool has_big)
{
    rig_init(&r, way);
    r.chop = chop;
    r.frame_bytes = frame_bytes;
    rig_start(&r);
    rig_accept(&r);
    rig_greet(&r);
    write_transcript(rig_subscribe(&r, "t.>"), has_big);
    rig_say_bytes(&r, transcript, transcript_len);
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
    natlet_client_stats stats = natlet_client_stats_now(r.client);
    CHECK_INT(stats.in_messages, messages + 2);
    CHECK_INT(stats.unrouted, 1);
    CHECK(stats.copied_bytes <= stats.received_bytes);
    rig_end(&r);
    return rig_log(&r);
}

static char want[RIG_LOG_MAX];

static void every_read_size(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (size_t chop = 1; chop <= 64; chop++) {
            CHECK_TEXT(play(way, chop, 0, false), want);
        }
    }
}

static void every_frame_size(void)
{
    static const size_t frames[] = {1, 2, 3, 5, 17, 64, 125, 126, 127, 500, 4096};
    static const size_t reads[] = {1, 2, 3, 7, 64, 1000, 0};

    for (size_t f = 0; f < sizeof frames / sizeof frames[0]; f++) {
        for (size_t c = 0; c < sizeof reads / sizeof reads[0]; c++) {
            CHECK_TEXT(play(RIG_FRAMED, reads[c], frames[f], false), want);
        }
    }
}

static void messages_beyond_the_window(void)
{
    static const size_t frames[] = {0, 1, 100, 5000, 30000, 65535};
    static const size_t reads[] = {1000, 1448, 32768, 50000, 0};
    static char big_want[RIG_LOG_MAX];

    (void)snprintf(big_want, sizeof big_want, "%s", play(RIG_NATS, 0, 0, true));
    CHECK(strstr(big_want, "box (40000)\n") != NULL && strstr(big_want, "box (80000)\n") != NULL);
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (size_t f = 0; f < sizeof frames / sizeof frames[0]; f++) {
            for (size_t c = 0; c < sizeof reads / sizeof reads[0]; c++) {
                CHECK_TEXT(play(way, reads[c], frames[f], true), big_want);
            }
        }
    }
}

/* Whole reads of many messages: one recv each, and one more that finds nothing. */
static void calls_and_copies(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_connected(&r, way);
        uint32_t sid = rig_subscribe(&r, "t.>");
        transcript_len = 0;
        messages = 0;
        while (transcript_len < 20000) {
            append_message(sid, 20);
        }
        natlet_client_stats before = natlet_client_stats_now(r.client);
        rig_say_bytes(&r, transcript, transcript_len);
        natlet_client_stats after = natlet_client_stats_now(r.client);
        CHECK_INT(after.in_messages - before.in_messages, messages);
        CHECK_INT(after.recv_calls - before.recv_calls, 2);
        CHECK_INT(after.copied_bytes, 0);
        r.chop = 8000; /* three reads in one turn: a partial message each is kept in place */
        rig_say_bytes(&r, transcript, transcript_len);
        natlet_client_stats chopped = natlet_client_stats_now(r.client);
        CHECK_INT(chopped.recv_calls - after.recv_calls, 4);
        CHECK(chopped.copied_bytes <= 128);
        rig_end(&r);
    }
}

static void slow_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    (void)self;
    (void)sid;
    (void)msg;
    test_host_advance_us(&r.host, 300);
}

/* A fast peer and slow callbacks: others get their turn. */
static void the_budget_of_a_turn_is_kept(void)
{
    const natlet_sink sink = {NULL, slow_message, NULL};
    uint32_t sid;

    rig_connected(&r, RIG_NATS);
    CHECK(natlet_client_subscribe(r.client, &sid, rig_text("t"), NULL, &sink) == NATLET_OK);
    transcript_len = 0;
    messages = 0;
    append_message(sid, 10);
    for (int i = 0; i < 100; i++) {
        test_conn_feed(&r.host, r.conn, transcript, transcript_len);
    }
    uint32_t turns = 0;
    for (uint32_t wait = 0; wait == 0 && turns < 200; turns++) {
        uint64_t start = r.host.now_us;
        wait = natlet_runtime_run(r.rt, 1000, 0);
        CHECK(r.host.now_us - start <= 1300);
    }
    CHECK_INT(turns, 26); /* four reads each, and one that finds nothing */
    CHECK_INT(natlet_client_stats_now(r.client).in_messages, 100);
    rig_end(&r);
}

int main(void)
{
    (void)snprintf(want, sizeof want, "%s", play(RIG_NATS, 0, 0, false));
    CHECK(strstr(want, "message 1 t.39 > box (117)\n") != NULL);
    CHECK(strstr(want, "message 1 t.h h=24 [hi]\n") != NULL);
    CHECK(strstr(want, "(Permissions Violation for Publish to \"x\")") != NULL);
    RUN(every_read_size);
    RUN(every_frame_size);
    RUN(messages_beyond_the_window);
    RUN(calls_and_copies);
    RUN(the_budget_of_a_turn_is_kept);
    return test_done();
}
