/* Goal: the pool of servers can be read and replaced while the client lives, and the
 * program chooses which server is next, and when.
 *
 * Method: virtual time; the log of dials is the list of the host's connections. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

static const char *url_of_last(void)
{
    return test_host_last(&r.host)->url;
}

static void the_pool_is_seen(void)
{
    natlet_server_info info;

    rig_start_with(&r, RIG_NATS, "nats://one:1,nats://u:p@two:2");
    rig_accept(&r);
    rig_say(&r, "INFO {\"headers\":true,\"connect_urls\":[\"three:3\"]}\r\n");
    rig_say(&r, "PONG\r\n");
    CHECK_INT(natlet_client_server_count(r.client), 3);
    CHECK_INT(natlet_client_server_at(r.client, 3, &info), NATLET_E_NOT_FOUND);
    CHECK_INT(natlet_client_server_at(r.client, 0, &info), NATLET_OK);
    CHECK(info.is_current && !info.is_discovered && info.failures == 0);
    CHECK_INT(natlet_client_server_at(r.client, 1, &info), NATLET_OK);
    CHECK(!info.is_current && info.url.len == 12 && memcmp(info.url.ptr, "nats://two:2", 12) == 0);
    CHECK_INT(natlet_client_server_at(r.client, 2, &info), NATLET_OK);
    CHECK(info.is_discovered);
    rig_end(&r);
}

static natlet_status last_of(uint32_t index)
{
    natlet_server_info info = {.last = NATLET_E_INVALID};

    (void)natlet_client_server_at(r.client, index, &info);
    return info.last;
}

/* Each server keeps why it was left, until it serves again. */
static void the_last_reason_is_seen(void)
{
    rig_start_with(&r, RIG_NATS, "nats://one:1,nats://two:2");
    CHECK_INT(last_of(0), NATLET_OK);
    r.conn = test_host_last(&r.host);
    rig_closed(&r, 0, NATLET_E_NAME);
    rig_accept(&r);
    rig_greet(&r);
    CHECK_INT(last_of(0), NATLET_E_NAME);
    CHECK_INT(last_of(1), NATLET_OK);
    rig_closed(&r, 0, NATLET_E_IO);
    CHECK_INT(last_of(1), NATLET_E_IO);
    (void)rig_wait_for_dial(&r, 600);
    rig_come_back(&r);
    CHECK_INT(last_of(0), NATLET_OK);
    CHECK_INT(last_of(1), NATLET_E_IO);
    rig_end(&r);
}

static void it_is_replaced(void)
{
    rig_start_with(&r, RIG_NATS, "nats://one:1,nats://two:2");
    rig_accept(&r);
    rig_greet(&r);
    CHECK_INT(natlet_client_set_servers(r.client, rig_text("nats://a:1,nonsense://b")),
              NATLET_E_URL);
    CHECK_INT(natlet_client_server_count(r.client), 2);
    CHECK_INT(natlet_client_set_servers(r.client, rig_text("nats://a:1,nats://b:2")), NATLET_OK);
    CHECK_INT(natlet_client_server_count(r.client), 3); /* and the one in use */
    CHECK_INT(r.conn->closes, 0);
    rig_closed(&r, 0, NATLET_OK);
    for (int pass = 0; pass < 3; pass++) {
        (void)rig_wait_for_dial(&r, 40000);
        CHECK_TEXT(url_of_last(), "nats://a:1");
        rig_fail_attempt(&r);
        CHECK_TEXT(url_of_last(), "nats://b:2");
        rig_fail_attempt(&r);
    }
    CHECK_INT(natlet_client_server_count(r.client), 2);
    natlet_client_close(r.client);
    CHECK_INT(natlet_client_connect(r.client), NATLET_OK); /* for good */
    rig_run(&r);
    CHECK_TEXT(url_of_last(), "nats://a:1");
    CHECK_INT(natlet_client_set_servers(r.client, rig_text("nats://x:1,nats://a:1")), NATLET_OK);
    rig_come_back(&r);
    CHECK_INT(natlet_client_server_count(r.client), 2);
    rig_end(&r);
}

/* While it moves, both servers in use stay until they are left. */
static void it_is_replaced_in_a_move(void)
{
    rig_start_with(&r, RIG_NATS, "nats://one:1,nats://two:2");
    rig_accept(&r);
    rig_greet(&r);
    rig_say(&r, "INFO {\"headers\":true,\"ldm\":true}\r\n");
    (void)rig_wait_for_dial(&r, 6000);
    rig_come_back(&r);
    CHECK_INT(natlet_client_set_servers(r.client, rig_text("nats://a:1")), NATLET_OK);
    CHECK_INT(natlet_client_server_count(r.client), 3);
    rig_wait_ms(&r, 10000);
    CHECK_INT(natlet_client_server_count(r.client), 2);
    CHECK(natlet_client_reconnect(r.client) == NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(url_of_last(), "nats://a:1");
    CHECK_INT(natlet_client_server_count(r.client), 1);
    rig_end(&r);
}

static int32_t choice;

static int32_t choose(void *self, uint32_t proposed)
{
    rig_note(self, "proposed %u\n", (unsigned)proposed);
    return choice;
}

static uint32_t delay(void *self, uint32_t attempt)
{
    rig_note(self, "attempt %u\n", (unsigned)attempt);
    return 1000 + attempt;
}

static void the_program_chooses(void)
{
    rig_init(&r, RIG_NATS);
    r.config.servers = rig_text("nats://a:1,nats://b:1,nats://c:1");
    r.config.choose_server = choose;
    r.config.reconnect_delay = delay;
    r.config.retry_first_connect = true;
    choice = 2;
    rig_start(&r);
    CHECK_TEXT(url_of_last(), "nats://c:1");
    CHECK(strncmp(rig_log(&r), "state connecting\nproposed 0\n", 28) == 0);
    choice = -1;
    rig_fail_attempt(&r);
    CHECK_TEXT(url_of_last(), "nats://a:1");
    choice = 3; /* there is none */
    rig_fail_attempt(&r);
    CHECK_TEXT(url_of_last(), "nats://b:1");
    for (unsigned pass = 0; pass < 3; pass++) {
        (void)rig_log(&r);
        rig_fail_attempt(&r);
        char want[64];
        (void)snprintf(want, sizeof want, "attempt %u\nerror: the network failed\n", pass);
        CHECK_TEXT(rig_log(&r), want);
        uint64_t ms = rig_wait_for_dial(&r, 5000);
        CHECK(ms >= 1000 + pass && ms <= 1001 + pass);
        rig_fail_attempt(&r);
        rig_fail_attempt(&r);
    }
    rig_end(&r);
}

static void every_allocation_may_fail(void)
{
    bool failed = true;

    for (uint32_t n = 1; failed; n++) {
        rig_connected(&r, RIG_WS);
        r.memory.fail_at = r.memory.requests + n;
        natlet_status st = natlet_client_set_servers(r.client, rig_text("ws://a,ws://b,ws://c"));
        failed = r.memory.refused > 0;
        r.memory.fail_at = 0;
        CHECK_INT(st, failed ? NATLET_E_NO_MEMORY : NATLET_OK);
        CHECK_INT(natlet_client_server_count(r.client), failed ? 1 : 4);
        CHECK_INT(natlet_client_set_servers(r.client, rig_text("ws://a")), NATLET_OK);
        rig_end(&r);
    }
}

int main(void)
{
    RUN(the_pool_is_seen);
    RUN(the_last_reason_is_seen);
    RUN(it_is_replaced);
    RUN(it_is_replaced_in_a_move);
    RUN(the_program_chooses);
    RUN(every_allocation_may_fail);
    return test_done();
}
