/* Goal: whatever happens to connections, what is told of each publish is true.
 *
 * Method: a thousand random lives.  A model of servers reads what it gets, up to any
 * byte, notes which publishes each has read and which its PONGs cover, and dies now and
 * then; time passes, the host takes little, servers are smaller than the one before.
 * Each report is held against the model, and at the end every publish has had one. */
#include "support/client_rig.h"
#include "support/test.h"

enum {
    LIVES = 1000,
    STEPS = 60,
    PUBLISHES_MAX = 2000,
    TX_BYTES = 1024,
    LARGE = 1500, /* beyond the window */
    SMALL_SERVER = 400,
    AGE_MS = 300,
};

typedef struct model {
    uint8_t reads[PUBLISHES_MAX];  /* how often a server read it */
    uint16_t bytes[PUBLISHES_MAX]; /* of the payload */
    uint32_t last_read, told, unknown_bytes;
    uint32_t max_payload;
    uint32_t covered; /* by PONGs that were said on this connection */
    uint32_t pongs;   /* that are due */
    uint32_t pong_covers[64];
    bool is_up;
} model;

static rig r;
static model m;
static uint64_t seed;

static uint32_t below(uint32_t bound)
{
    return (uint32_t)(test_random(&seed) % bound);
}

/* ---- reports ---- */

static void on_published(void *self, uint64_t first, uint64_t last, natlet_status st)
{
    (void)self;
    CHECK_INT(first, m.told + 1);
    CHECK(last >= first && last <= natlet_client_published(r.client));
    for (uint64_t n = first; n <= last; n++) {
        switch ((int)st) {
        case NATLET_OK:
            CHECK(m.reads[n] == 1 && n <= m.covered);
            break;
        case NATLET_E_DISCONNECTED:
            m.unknown_bytes += m.bytes[n];
            break;
        case NATLET_E_TOO_LARGE:
            CHECK(m.reads[n] == 0 && m.bytes[n] > SMALL_SERVER);
            break;
        default:
            CHECK(st == NATLET_E_TIMEOUT || st == NATLET_E_CLOSED);
            CHECK_INT(m.reads[n], 0);
            break;
        }
    }
    m.told = (uint32_t)last;
}

/* ---- the servers ---- */

static void read_pub(const char *line, size_t len)
{
    char text[16];
    size_t i = 0;

    for (; i < 8 && i < len; i++) {
        text[i] = line[i];
    }
    text[i] = '\0';
    uint32_t number = (uint32_t)atoi(text);
    CHECK(number > m.last_read && number < PUBLISHES_MAX); /* in order, never twice */
    m.last_read = number;
    m.reads[number]++;
    CHECK_INT(len, m.bytes[number]); /* whole */
    CHECK(number > m.told && len <= m.max_payload);
}

/* Reads all that is whole. */
static void server_reads(void)
{
    natlet_slice in = rig_sent_bytes(&r);
    const char *at = (const char *)in.ptr;
    size_t left = in.len;

    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        unsigned len = 0;
        if (end == NULL) {
            break;
        }
        size_t whole = (size_t)(end - at) + 1;
        if (sscanf(at, "PUB n %u", &len) == 1) {
            whole += len + 2;
            if (whole > left) {
                break;
            }
            read_pub(end + 1, len);
        } else if (strncmp(at, "PING", 4) == 0) {
            CHECK(m.pongs < 64);
            m.pong_covers[m.pongs++ % 64] = m.last_read;
        }
        at += whole;
        left -= whole;
    }
    memmove(r.sent.ptr, at, left);
    r.sent.len = left;
}

static void say_pong(void)
{
    if (m.pongs == 0) {
        return;
    }
    m.covered = m.pong_covers[0] > m.covered ? m.pong_covers[0] : m.covered;
    m.pongs--;
    memmove(m.pong_covers, m.pong_covers + 1, m.pongs * sizeof *m.pong_covers);
    rig_say(&r, "PONG\r\n");
}

static void server_dies(void)
{
    if (!m.is_up) {
        return;
    }
    m.is_up = false;
    m.pongs = 0;
    m.unknown_bytes = 0;
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK(m.unknown_bytes <= TX_BYTES || m.unknown_bytes == LARGE);
    r.sent.len = 0;
}

static void server_comes(void)
{
    char info[64];

    if (m.is_up) {
        return;
    }
    rig_wait_ms(&r, 11);
    rig_accept(&r);
    m.max_payload = below(4) == 0 ? SMALL_SERVER : 65536;
    (void)snprintf(info, sizeof info, "INFO {\"max_payload\":%u}\r\n", (unsigned)m.max_payload);
    rig_say(&r, info);
    rig_forget_sent(&r);
    m.is_up = true;
    rig_say(&r, "PONG\r\n");
    r.conn->send_max = below(3) == 0 ? 1 + below(100) : 0;
}

/* ---- a life ---- */

static void publish(void)
{
    static char payload[LARGE + 1];
    uint32_t number = (uint32_t)natlet_client_published(r.client) + 1;
    uint32_t bytes = below(10) == 0 ? LARGE : 8 + below(300);
    const natlet_msg msg = {.subject = NATLET_TEXT("n"),
                            .payload = {(const uint8_t *)payload, bytes}};

    memset(payload, '.', LARGE);
    (void)snprintf(payload, 9, "%08u", (unsigned)number);
    payload[8] = '.';
    m.bytes[number % PUBLISHES_MAX] = (uint16_t)bytes;
    natlet_status st = natlet_client_publish(r.client, &msg);
    CHECK(st == NATLET_OK || st == NATLET_E_FULL || st == NATLET_E_TOO_LARGE);
    CHECK_INT(natlet_client_published(r.client), st == NATLET_OK ? number : number - 1);
}

static void step(void)
{
    switch (below(9)) {
    case 0:
    case 1:
    case 2:
        for (uint32_t i = below(12); i > 0; i--) {
            publish();
        }
        break;
    case 3:
        rig_run(&r);
        break;
    case 4:
        rig_run(&r);
        if (m.is_up) {
            server_reads();
        }
        break;
    case 5:
    case 6:
        say_pong();
        break;
    case 7:
        rig_wait_ms(&r, below(m.is_up ? 5 : 2 * AGE_MS));
        break;
    case 8:
        if (m.is_up && below(3) == 0) {
            server_dies();
        } else if (!m.is_up && below(2) == 0) {
            server_comes();
        } else if (m.is_up && below(8) == 0) {
            test_conn_congest(r.conn, below(200));
        } else if (m.is_up) {
            test_conn_relieve(&r.host, r.conn);
        }
        break;
    }
}

static void live(rig_way way)
{
    const natlet_track_options options = {.offline_bytes_max = below(2) == 0 ? 8000 : 60000,
                                          .offline_ms = AGE_MS,
                                          .on_published = on_published};

    m = (model){0};
    rig_init(&r, way);
    r.config.tx_bytes = TX_BYTES;
    r.config.reconnect_ms = 10;
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK(natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK);
    CHECK(natlet_client_track(r.client, &options) == NATLET_OK);
    publish();
    CHECK(natlet_client_connect(r.client) == NATLET_OK);
    rig_run(&r);
    for (int i = 0; i < STEPS; i++) {
        step();
    }
    if (below(2) == 0) { /* in peace: all is told without an end */
        server_comes();
        test_conn_relieve(&r.host, r.conn);
        for (int i = 0; i < 500 && m.told < natlet_client_published(r.client); i++) {
            rig_run(&r);
            server_reads();
            say_pong();
        }
        CHECK_INT(m.told, natlet_client_published(r.client));
    }
    natlet_client_close(r.client);
    CHECK_INT(m.told, natlet_client_published(r.client));
    CHECK_INT(natlet_client_stats_now(r.client).offline_messages, 0);
    rig_end(&r);
}

static void all_that_is_told_is_true(void)
{
    int before = test_failures;

    for (uint32_t i = 1; i <= LIVES && test_failures == before; i++) {
        seed = i;
        live((rig_way)(i % RIG_WAYS));
        if (test_failures > before) {
            printf("life %u\n", (unsigned)i);
        }
    }
}

int main(void)
{
    RUN(all_that_is_told_is_true);
    return test_done();
}
