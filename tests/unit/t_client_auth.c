/* Goal: CONNECT says who we are, as everybody who was asked has it, at every connect
 * anew; an expiring JWT is replaced in time.
 *
 * Method: authenticators and a host that answer what the test says; virtual time. */
#include "support/auth_texts.h"
#include "support/client_rig.h"
#include "support/test.h"

#define INFO_NONCE "INFO {\"headers\":true,\"max_payload\":1048576,\"nonce\":\"" NONCE "\"}\r\n"
#define REFUSED "-ERR 'Authorization Violation'\r\n"
#define USER_FIELD                                                                                 \
    "\x01\x00\x03\x00"                                                                             \
    "ann"
#define JWT_FIELD                                                                                  \
    "\x05\x00\x05\x00"                                                                             \
    "h.e.s"
#define SIGNATURE_FIELD                                                                            \
    "\x06\x00\x02\x00"                                                                             \
    "sg"

enum { STARTED_S = 1767225600 };

static rig r;

/* An authenticator that says what it is told to, and notes what it was asked. */
typedef struct fake {
    natlet_credentials says;
    natlet_status st;
    bool closes;
    uint32_t asked, done;
    char nonce[64], server[64];
    natlet_status last;
} fake;

static fake fakes[9];

static natlet_status fake_answer(void *self, const natlet_challenge *challenge,
                                 natlet_credentials *out)
{
    fake *f = self;

    f->asked++;
    (void)snprintf(f->nonce, sizeof f->nonce, "%.*s", (int)challenge->nonce.len,
                   (const char *)challenge->nonce.ptr);
    (void)snprintf(f->server, sizeof f->server, "%.*s", (int)challenge->server.len,
                   (const char *)challenge->server.ptr);
    f->last = challenge->last;
    *out = f->says;
    if (f->closes) {
        natlet_client_close(r.client);
    }
    return f->st;
}

static void fake_done(void *self)
{
    ((fake *)self)->done++;
}

/* A rig whose client asks the first `count` fakes. */
static void init_with_fakes(rig_way way, uint32_t count)
{
    static natlet_authenticator list[9];

    memset(fakes, 0, sizeof fakes);
    rig_init(&r, way);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (natlet_authenticator){&fakes[i], fake_answer, fake_done};
    }
    r.config.authenticators = list;
    r.config.authenticator_count = count;
}

static bool says(const char *connect, const char *what)
{
    return strstr(connect, what) != NULL;
}

/* ---- who is asked, and who wins ---- */

static void nobody_asked_says_nothing(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        rig_init(&r, way);
        rig_start(&r);
        const char *connect = rig_meet(&r, INFO_NONCE);
        CHECK(says(connect, "CONNECT {") && says(connect, "PING\r\n"));
        CHECK(!says(connect, "user") && !says(connect, "auth_token") && !says(connect, "nkey") &&
              !says(connect, "jwt") && !says(connect, "sig"));
        CHECK_INT(r.host.signs, 0);
        rig_end(&r);
    }
}

static void what_a_later_one_says_wins(void)
{
    init_with_fakes(RIG_WS, 2);
    r.config.user = rig_text("cfg");
    r.config.password = rig_text("cfgpw");
    r.config.token = rig_text("cfgtoken");
    fakes[0].says = (natlet_credentials){
        .user = NATLET_TEXT("first"), .nkey = NATLET_TEXT("UKEY"), .signature = NATLET_TEXT("one")};
    fakes[1].says =
        (natlet_credentials){.jwt = NATLET_TEXT("a.b.c"), .signature = NATLET_TEXT("two")};
    rig_start(&r);
    const char *connect = rig_meet(&r, INFO_NONCE);
    CHECK(says(connect, "\"user\":\"first\",\"pass\":\"cfgpw\",\"auth_token\":\"cfgtoken\","
                        "\"nkey\":\"UKEY\",\"jwt\":\"a.b.c\",\"sig\":\"two\""));
    CHECK_TEXT(fakes[1].nonce, NONCE);
    CHECK_TEXT(fakes[1].server, "ws://one:8080/path");
    CHECK(fakes[0].asked == 1 && fakes[0].done == 1 && fakes[1].done == 1);
    rig_end(&r);
}

static void what_the_url_says_wins_over_the_configuration(void)
{
    rig_init(&r, RIG_NATS);
    r.config.servers = rig_text("nats://us%65r:p%40ss@one");
    r.config.user = rig_text("cfg");
    r.config.token = rig_text("cfgtoken");
    rig_start(&r);
    const char *connect = rig_meet(&r, INFO_NONCE);
    CHECK(says(connect, "\"user\":\"user\",\"pass\":\"p@ss\"") && !says(connect, "cfg"));
    rig_end(&r);
}

static void more_than_eight_are_refused(void)
{
    init_with_fakes(RIG_WS, 9);
    CHECK(natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK);
    CHECK_INT(natlet_client_new(&r.client, r.rt, &r.config), NATLET_E_CONFIG);
    r.config.authenticator_count = 8;
    CHECK_INT(natlet_client_new(&r.client, r.rt, &r.config), NATLET_OK);
    rig_end(&r);
}

static void they_are_asked_at_every_connect(void)
{
    init_with_fakes(RIG_NATS, 1);
    r.config.reconnect_ms = 10;
    rig_start(&r);
    for (uint32_t i = 1; i <= 3; i++) {
        fakes[0].says.token = rig_text(i == 2 ? "second" : "other");
        CHECK(says(rig_meet(&r, INFO_NONCE), i == 2 ? "\"second\"" : "\"other\""));
        CHECK_INT(fakes[0].asked, i);
        CHECK_INT(fakes[0].last, i == 3 ? NATLET_E_AUTH : NATLET_OK);
        rig_say(&r, "PONG\r\n");
        rig_say(&r, i == 2 ? "-ERR 'User Authentication Expired'\r\n" : "+OK\r\n");
        rig_closed(&r, 0, NATLET_OK);
        (void)rig_wait_for_dial(&r, 1000);
    }
    CHECK_INT(fakes[0].done, 3);
    rig_end(&r);
}

static void one_that_fails_fails_the_attempt(void)
{
    init_with_fakes(RIG_NATS, 2);
    r.config.reconnect_ms = 10;
    r.config.retry_first_connect = true;
    rig_start(&r);
    for (uint32_t i = 1; i <= 5; i++) { /* it is not the server that refuses */
        fakes[0].st = NATLET_E_AUTH;
        CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
        CHECK(fakes[0].done == i && fakes[1].asked == 0);
        (void)rig_wait_for_dial(&r, 1000);
    }
    fakes[0].st = NATLET_OK;
    CHECK(says(rig_meet(&r, INFO_NONCE), "CONNECT"));
    rig_end(&r);
}

static void one_may_close_the_client(void)
{
    for (natlet_status st = NATLET_OK; st >= NATLET_E_AGAIN; st--) {
        init_with_fakes(RIG_FRAMED, 2);
        fakes[0].closes = true;
        fakes[0].st = st;
        rig_start(&r);
        (void)rig_log(&r);
        CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
        CHECK_TEXT(rig_log(&r), "state closed\n");
        CHECK(fakes[0].done == 1 && fakes[1].asked == 0);
        rig_wait_ms(&r, 10000);
        CHECK_INT(r.host.conn_count, 1);
        rig_end(&r);
    }
}

static void a_nonce_has_its_bound(void)
{
    char info[512];

    for (int len = 128; len <= 129; len++) {
        init_with_fakes(RIG_NATS, 1);
        rig_start(&r);
        (void)snprintf(info, sizeof info, "INFO {\"nonce\":\"%0*d\"}\r\n", len, 7);
        CHECK(says(rig_meet(&r, info), "CONNECT") == (len == 128));
        rig_end(&r);
    }
}

/* ---- the host ---- */

static void start_with_host(rig_way way)
{
    init_with_fakes(way, 1);
    fakes[0].says.user = rig_text("fake");
    fakes[0].says.token = rig_text("tok");
    r.config.host_auth = true;
    r.config.reconnect_ms = 10;
    r.config.retry_first_connect = true;
    r.host.sign_answer = NATLET_OK;
    rig_start(&r);
}

static void sign_with(const char *fields, size_t len, natlet_status st)
{
    test_conn_signed(&r.host, r.conn, fields, len, st);
    rig_run(&r);
}

static void the_host_is_asked_too(void)
{
    static const char fields[] = USER_FIELD JWT_FIELD "\x09\x00\x01\x00"
                                                      "x" SIGNATURE_FIELD;

    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        start_with_host(way);
        CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
        CHECK_TEXT(r.host.nonce, NONCE);
        rig_say(&r, "PING\r\n"); /* before CONNECT a server takes nothing */
        CHECK_TEXT(rig_sent(&r), "");
        sign_with(fields, sizeof fields - 1, NATLET_OK);
        const char *connect = rig_sent(&r);
        CHECK(says(connect, "\"user\":\"ann\",\"auth_token\":\"tok\",\"jwt\":\"h.e.s\","
                            "\"sig\":\"sg\""));
        CHECK(says(connect, "}\r\nPING\r\nPONG\r\n"));
        rig_say(&r, "PONG\r\n");
        CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
        CHECK_INT(r.host.signs, 1);
        rig_end(&r);
    }
}

static void a_host_that_knows_nothing_says_nothing(void)
{
    start_with_host(RIG_WS);
    r.host.sign_answer = NATLET_E_UNSUPPORTED;
    CHECK(says(rig_meet(&r, INFO_NONCE), "\"user\":\"fake\""));
    rig_end(&r);

    start_with_host(RIG_WS);
    CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
    sign_with("", 0, NATLET_E_UNSUPPORTED);
    CHECK(says(rig_sent(&r), "\"user\":\"fake\""));
    rig_end(&r);
}

/* Its answer, or the lack of one, ends the attempt with `want`, and another begins. */
static void check_bad_answer(const char *fields, size_t len, natlet_status st, natlet_status want)
{
    start_with_host(RIG_NATS);
    (void)rig_log(&r);
    for (int i = 0; i < 3; i++) { /* however often, the server stays in the pool */
        CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
        if (fields != NULL) {
            sign_with(fields, len, st);
            CHECK_TEXT(rig_sent(&r), "");
        }
        (void)rig_wait_for_dial(&r, 6000);
        CHECK(says(rig_log(&r), natlet_status_text(want)));
    }
    CHECK_INT(r.host.conn_count, 4);
    rig_end(&r);
}

static void a_host_that_fails_fails_the_attempt(void)
{
    static char large[5000];

    check_bad_answer("", 0, NATLET_E_AUTH, NATLET_E_AUTH);
    check_bad_answer("\x01\x00\x04\x00"
                     "ann",
                     7, NATLET_OK, NATLET_E_INVALID);
    check_bad_answer(large, sizeof large, NATLET_OK, NATLET_E_TOO_LARGE);
    check_bad_answer(NULL, 0, NATLET_OK, NATLET_E_TIMEOUT);
}

static void its_word_comes_in_time_or_not_at_all(void)
{
    start_with_host(RIG_NATS);
    CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
    test_conn *old = r.conn;
    rig_closed(&r, 0, NATLET_E_IO);
    (void)rig_wait_for_dial(&r, 1000);
    CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
    test_conn_signed(&r.host, old, USER_FIELD, sizeof USER_FIELD - 1, NATLET_OK);
    rig_run(&r);
    CHECK_TEXT(rig_sent(&r), "");
    sign_with(USER_FIELD, sizeof USER_FIELD - 1, NATLET_OK);
    CHECK(says(rig_sent(&r), "\"user\":\"ann\""));
    sign_with(USER_FIELD, sizeof USER_FIELD - 1, NATLET_OK);
    CHECK_TEXT(rig_sent(&r), "");
    rig_end(&r);

    start_with_host(RIG_NATS);
    CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
    (void)rig_log(&r);
    rig_say(&r, "MSG a 1 0\r\n\r\n"); /* nobody has subscribed yet */
    CHECK(says(rig_log(&r), natlet_status_text(NATLET_E_PROTOCOL)));
    rig_end(&r);
}

/* ---- refused ---- */

static uint32_t attempts_until_closed(bool retries, const char *error, uint32_t limit)
{
    rig_init(&r, RIG_NATS);
    r.config.reconnect_ms = 10;
    r.config.retry_first_connect = true;
    r.config.retry_auth_errors = retries;
    rig_start(&r);
    uint32_t count = 0;
    while (natlet_client_state_now(r.client) != NATLET_CLIENT_CLOSED && count < limit) {
        rig_accept(&r);
        rig_say(&r, INFO_NONCE);
        rig_say(&r, error);
        rig_closed(&r, 0, NATLET_OK);
        count++;
        (void)rig_wait_for_dial(&r, 100);
    }
    rig_end(&r);
    return count;
}

static void refused_twice_is_enough(void)
{
    CHECK_INT(attempts_until_closed(false, REFUSED, 20), 2);
    CHECK_INT(attempts_until_closed(true, REFUSED, 20), 20);
    CHECK_INT(attempts_until_closed(false, "-ERR 'Authentication Timeout'\r\n", 20), 20);
}

static void losing_a_connection_that_served_is_no_refusal(void)
{
    rig_init(&r, RIG_NATS);
    r.config.reconnect_ms = 10;
    rig_start(&r);
    for (int i = 0; i < 10; i++) {
        (void)rig_meet(&r, INFO_NONCE);
        rig_say(&r, "PONG\r\n");
        rig_say(&r, "-ERR 'User Authentication Expired'\r\n");
        rig_closed(&r, 0, NATLET_OK);
        (void)rig_wait_for_dial(&r, 100);
        (void)rig_meet(&r, INFO_NONCE);
        rig_say(&r, REFUSED);
        rig_closed(&r, 0, NATLET_OK);
        (void)rig_wait_for_dial(&r, 100);
    }
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_RECONNECTING);
    rig_end(&r);
}

/* ---- before it expires ---- */

static void connect_until(uint64_t expires_s)
{
    fakes[0].says.jwt = rig_text("h.e.s");
    fakes[0].says.expires_s = expires_s;
    (void)rig_meet(&r, INFO_NONCE);
    rig_say(&r, "PONG\r\n");
    (void)rig_log(&r);
}

/* Lets time pass until the JWT is renewed; returns after how many milliseconds. */
static uint64_t wait_for_renewal(uint64_t limit_ms)
{
    uint64_t ms = rig_wait_for_dial(&r, limit_ms);
    if (ms < limit_ms) {
        CHECK_TEXT(rig_log(&r), "auth expiring\nstate reconnecting\n");
    }
    return ms;
}

static void start_expiring(void)
{
    init_with_fakes(RIG_NATS, 1);
    r.config.ping_ms = UINT32_MAX;
    rig_start(&r);
}

static void a_jwt_is_replaced_before_it_expires(void)
{
    start_expiring();
    connect_until(STARTED_S + 600);
    uint64_t ms = wait_for_renewal(700000);
    CHECK(ms >= 539000 && ms <= 541000); /* a minute before */
    connect_until(STARTED_S + 640);
    ms = wait_for_renewal(700000);
    CHECK(ms >= 49000 && ms <= 51000); /* half of what is left */
    connect_until(STARTED_S + 640);
    CHECK_INT(wait_for_renewal(200000), 200000); /* one that is not new is not replaced again */
    rig_closed(&r, 0, NATLET_OK);
    (void)rig_wait_for_dial(&r, 1000);
    connect_until(STARTED_S + 2000);
    CHECK(wait_for_renewal(2000000) < 1200000);
    rig_end(&r);
}

static void a_jwt_without_a_date_is_kept(void)
{
    static const uint64_t dates[] = {0, 5, STARTED_S, (UINT64_C(1) << 42) + 1, UINT64_MAX};

    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        start_expiring();
        connect_until(dates[i]);
        CHECK_INT(wait_for_renewal(1000000), 1000000);
        rig_end(&r);
    }
}

static void one_that_lasts_a_lifetime_is_no_overflow(void)
{
    start_expiring();
    connect_until((UINT64_C(1) << 42) - 1);
    CHECK_INT(wait_for_renewal(100000), 100000);
    rig_end(&r);
}

static void that_of_the_host_is_replaced_too(void)
{
    static const uint8_t fields[] = "\x05\0\x05\0"
                                    "h.e.s"
                                    "\x07\0\x0a\0"
                                    "1767226200"; /* STARTED_S + 600 */

    start_with_host(RIG_NATS);
    CHECK_TEXT(rig_meet(&r, INFO_NONCE), "");
    test_conn_signed(&r.host, r.conn, fields, sizeof fields - 1, NATLET_OK);
    rig_run(&r);
    rig_say(&r, "PONG\r\n");
    (void)rig_log(&r);
    for (int i = 0; i < 8; i++) {
        rig_wait_ms(&r, 60000);
        rig_say(&r, "PONG\r\n");
    }
    CHECK_TEXT(rig_log(&r), "");
    rig_wait_ms(&r, 61000);
    CHECK(says(rig_log(&r), "auth expiring\nstate reconnecting\n"));
    rig_end(&r);
}

static void without_reconnects_it_is_only_told(void)
{
    init_with_fakes(RIG_NATS, 1);
    r.config.ping_ms = UINT32_MAX;
    r.config.no_reconnect = true;
    rig_start(&r);
    connect_until(STARTED_S + 600);
    CHECK_INT(rig_wait_for_dial(&r, 700000), 700000);
    CHECK_TEXT(rig_log(&r), "auth expiring\n");
    rig_end(&r);
}

static void nothing_is_replaced_after_the_end(void)
{
    start_expiring();
    connect_until(STARTED_S + 600);
    natlet_client_close(r.client);
    (void)rig_log(&r);
    CHECK_INT(wait_for_renewal(700000), 700000);
    CHECK_TEXT(rig_log(&r), "");
    rig_end(&r);
}

/* ---- memory that runs out ---- */

static bool live_with_failure(uint32_t n)
{
    init_with_fakes(RIG_FRAMED, 1);
    r.memory.secrets[0] = "authtoken";
    fakes[0].says.jwt = rig_text("h.e.s");
    fakes[0].says.expires_s = STARTED_S + 600;
    fakes[0].says.token = rig_text("authtoken");
    r.memory.fail_at = n;
    r.config.retry_first_connect = true;
    r.config.tx_bytes = 512;
    r.config.host_auth = true;
    r.host.sign_answer = NATLET_OK;
    if (natlet_runtime_new(&r.rt, &r.host.host, &r.memory.allocator, 0) == NATLET_OK &&
        natlet_client_new(&r.client, r.rt, &r.config) == NATLET_OK &&
        natlet_client_connect(r.client) == NATLET_OK) {
        rig_run(&r);
        for (int i = 0; i < 4 && natlet_client_state_now(r.client) != NATLET_CLIENT_CONNECTED;
             i++) {
            rig_wait_ms(&r, 2000);
            r.conn = test_host_last(&r.host);
            if (!r.conn->is_open && !r.conn->is_closed) {
                rig_accept(&r);
                rig_say(&r, INFO_NONCE);
                sign_with(USER_FIELD, sizeof USER_FIELD - 1, NATLET_OK);
                rig_say(&r, "PONG\r\n");
            }
        }
        CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
        CHECK(rig_wait_for_dial(&r, 700000) < 700000);
    }
    bool has_failed = r.memory.refused > 0;
    rig_end(&r);
    return has_failed;
}

static void any_allocation_may_fail(void)
{
    uint32_t n = 1;

    while (live_with_failure(n)) {
        n++;
    }
    CHECK(n > 5);
}

int main(void)
{
    RUN(nobody_asked_says_nothing);
    RUN(what_a_later_one_says_wins);
    RUN(what_the_url_says_wins_over_the_configuration);
    RUN(more_than_eight_are_refused);
    RUN(they_are_asked_at_every_connect);
    RUN(one_that_fails_fails_the_attempt);
    RUN(one_may_close_the_client);
    RUN(a_nonce_has_its_bound);
    RUN(the_host_is_asked_too);
    RUN(a_host_that_knows_nothing_says_nothing);
    RUN(a_host_that_fails_fails_the_attempt);
    RUN(its_word_comes_in_time_or_not_at_all);
    RUN(refused_twice_is_enough);
    RUN(losing_a_connection_that_served_is_no_refusal);
    RUN(a_jwt_is_replaced_before_it_expires);
    RUN(a_jwt_without_a_date_is_kept);
    RUN(one_that_lasts_a_lifetime_is_no_overflow);
    RUN(that_of_the_host_is_replaced_too);
    RUN(without_reconnects_it_is_only_told);
    RUN(nothing_is_replaced_after_the_end);
    RUN(any_allocation_may_fail);
    return test_done();
}
