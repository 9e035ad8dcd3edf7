/* Goal: the ready-made authenticators say what a creds file or a seed says, and no
 * secret outlives its use: not in a block, not on the stack.
 *
 * Method: an allocator that looks into every block that is given back, and a look
 * at the stack, wherever in its life a connection ends. */
#include "support/auth_texts.h"
#include "support/client_rig.h"
#include "support/stack.h"
#include "support/test.h"

#define INFO_NONCE "INFO {\"headers\":true,\"max_payload\":1048576,\"nonce\":\"" NONCE "\"}\r\n"

static rig r;

static bool says(const char *connect, const char *what)
{
    return strstr(connect, what) != NULL;
}

static void sign_with(const char *fields, size_t len, natlet_status st)
{
    test_conn_signed(&r.host, r.conn, fields, len, st);
    rig_run(&r);
}

/* ---- ready-made ones ---- */

static natlet_signer signer;
static natlet_secret secret;
static char lent[4096];
static uint32_t lent_count;

static natlet_status lend(void *self, natlet_slice *text)
{
    const char *file = self;

    lent_count++;
    if (file == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    (void)snprintf(lent, sizeof lent, "%s", file);
    *text = rig_text(lent);
    return NATLET_OK;
}

static void take_back(void *self, natlet_slice text)
{
    (void)self;
    CHECK(text.ptr == (const uint8_t *)lent);
    memset(lent, 0, sizeof lent);
    lent_count--;
}

/* What CONNECT says to `info` with this authenticator. */
static const char *introduce(const natlet_authenticator *who, const char *info)
{
    rig_init(&r, RIG_NATS);
    r.config.authenticators = who;
    r.config.authenticator_count = 1;
    rig_start(&r);
    (void)rig_log(&r);
    return rig_meet(&r, info);
}

static void creds_from_memory_and_from_elsewhere(void)
{
    for (int i = 0; i < 2; i++) {
        secret = i == 0 ? (natlet_secret){.text = NATLET_TEXT(USER_CREDS)}
                        : (natlet_secret){.self = (void *)(uintptr_t)USER_CREDS,
                                          .lend = lend,
                                          .give_back = take_back};
        natlet_authenticator who = natlet_creds_authenticator(&signer, &secret);
        CHECK(says(introduce(&who, INFO_NONCE),
                   "\"jwt\":\"" USER_JWT "\",\"sig\":\"" USER_SIGNATURE "\","));
        CHECK_INT(lent_count, 0);
        for (size_t at = 0; at < sizeof signer.signature; at++) {
            CHECK(signer.signature[at] == 0);
        }
        rig_end(&r);
    }
}

static void the_jwt_of_a_bearer_alone(void)
{
    secret = (natlet_secret){.text = NATLET_TEXT("\n " USER_JWT "\r\n")};
    natlet_authenticator who = natlet_creds_authenticator(&signer, &secret);
    const char *connect = introduce(&who, INFO_NONCE);
    CHECK(says(connect, "\"jwt\":\"" USER_JWT "\",") && !says(connect, "sig"));
    rig_end(&r);
}

static void an_nkey(void)
{
    secret = (natlet_secret){.text = NATLET_TEXT(" " USER_SEED "\n")};
    natlet_authenticator who = natlet_nkey_authenticator(&signer, &secret);
    CHECK(says(introduce(&who, INFO_NONCE),
               "\"nkey\":\"" USER_KEY "\",\"sig\":\"" USER_SIGNATURE "\","));
    rig_end(&r);
    const char *connect = introduce(&who, RIG_INFO); /* no nonce */
    CHECK(says(connect, "\"nkey\":\"" USER_KEY "\"") && !says(connect, "sig"));
    rig_end(&r);
}

static void check_bad_secret(bool is_nkey, const char *text, natlet_status want)
{
    secret = (natlet_secret){.self = (void *)(uintptr_t)text, .lend = lend, .give_back = take_back};
    natlet_authenticator who = is_nkey ? natlet_nkey_authenticator(&signer, &secret)
                                       : natlet_creds_authenticator(&signer, &secret);
    lent_count = 0;
    CHECK_TEXT(introduce(&who, INFO_NONCE), "");
    CHECK(says(rig_log(&r), natlet_status_text(want)));
    CHECK_INT(lent_count, text != NULL ? 0 : 1);
    rig_end(&r);
    lent_count = 0;
}

static void a_bad_secret_is_a_typed_error(void)
{
    check_bad_secret(false, NULL, NATLET_E_NOT_FOUND);
    check_bad_secret(false, "", NATLET_E_CREDS_JWT);
    check_bad_secret(false, "a.b", NATLET_E_CREDS_JWT);
    check_bad_secret(true, "", NATLET_E_NKEY);
    check_bad_secret(true, ACCOUNT_SEED, NATLET_E_NKEY_KIND);
    check_bad_secret(true, USER_KEY, NATLET_E_NKEY_KIND);
}

/* ---- nothing is left ---- */

static const char *const secrets[] = {"urlpasswd", "hostpassw", "cfgpasswd", "cfgtoken-",
                                      USER_SEED,   "authtoken", "headersec", USER_JWT};

/* Paints in its own frame, so that its callees' are below. */
__attribute__((noinline)) static void live(rig_way way, int ends_after)
{
    static const char fields[] = "\x02\x00\x09\x00"
                                 "hostpassw";

    rig_init(&r, way);
    memcpy(r.memory.secrets, secrets, sizeof secrets);
    r.config.servers =
        rig_text(way == RIG_NATS ? "nats://u:urlp%61sswd@one" : "ws://u:urlp%61sswd@one:8080/path");
    r.config.user = rig_text("ann");
    r.config.password = rig_text("cfgpasswd");
    r.config.token = rig_text("cfgtoken-");
    r.config.headers = rig_text("Cookie: headersec\r\n");
    r.config.tx_bytes = 512;
    r.config.host_auth = true;
    r.host.sign_answer = NATLET_OK;
    secret = (natlet_secret){
        .self = (void *)(uintptr_t)USER_CREDS, .lend = lend, .give_back = take_back};
    natlet_authenticator who = natlet_creds_authenticator(&signer, &secret);
    r.config.authenticators = &who;
    r.config.authenticator_count = 1;
    rig_start(&r);
    if (ends_after > 0) {
        (void)rig_meet(&r, INFO_NONCE);
    }
    if (ends_after == 2) {
        test_conn_congest(r.conn, 100); /* CONNECT is on its way */
    }
    if (ends_after > 1) {
        sign_with(fields, sizeof fields - 1, NATLET_OK);
        CHECK(ends_after == 2 || says(rig_sent(&r), USER_JWT));
    }
    if (ends_after > 3) {
        rig_say(&r, "PONG\r\n");
        CHECK(rig_publish(&r, "a", "b") == NATLET_OK);
        rig_run(&r);
    }
    if (ends_after > 4) {
        rig_closed(&r, 0, NATLET_OK);
    }
    if (ends_after > 5) { /* the next CONNECT is on its way */
        (void)rig_wait_for_dial(&r, 1000);
        (void)rig_meet(&r, INFO_NONCE);
        test_conn_congest(r.conn, 100);
        sign_with(fields, sizeof fields - 1, NATLET_OK);
    }
}

static void no_secret_is_left(void)
{
    for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
        for (int ends_after = 0; ends_after <= 6; ends_after++) {
#ifdef STACK_IS_VISIBLE
            stack_paint();
            live(way, ends_after);
            for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
                CHECK(!stack_finds((const uint8_t *)secrets[i], strlen(secrets[i])));
            }
#else
            live(way, ends_after);
#endif
            rig_end(&r);
        }
    }
}

static void an_open_connection_keeps_none_in_its_outbox(void)
{
    live(RIG_WS, 4);
    natlet_slice sent = rig_sent_bytes(&r);
    CHECK(sent.len > 0);
    natlet_client_close(r.client);
    rig_end(&r); /* looks at every block */
}

int main(void)
{
    RUN(creds_from_memory_and_from_elsewhere);
    RUN(the_jwt_of_a_bearer_alone);
    RUN(an_nkey);
    RUN(a_bad_secret_is_a_typed_error);
    RUN(no_secret_is_left);
    RUN(an_open_connection_keeps_none_in_its_outbox);
    return test_done();
}
