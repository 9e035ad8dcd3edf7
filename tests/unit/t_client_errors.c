/* Goal: every -ERR is reported once with its status; after one behind which the server
 * closes, or which nobody knows, the client goes on to the next connection, and never
 * ends for good.
 *
 * Method: virtual time; the server leaves the connection open. */
#include "support/client_rig.h"
#include "support/test.h"

static rig r;

static bool says(const char *text, const char *what)
{
    return strstr(text, what) != NULL;
}

typedef struct error_case {
    const char *text;
    natlet_status status;
    bool ends; /* the connection, though the server leaves it open */
} error_case;

static const error_case error_cases[] = {
    {"Authorization Violation", NATLET_E_AUTH, true},
    {"Authentication Timeout", NATLET_E_TIMEOUT, true},
    {"User Authentication Expired", NATLET_E_AUTH, true},
    {"Account Authentication Expired", NATLET_E_AUTH, true},
    {"User Authentication Revoked", NATLET_E_AUTH, true},
    {"Permissions Violation for Publish to \"x\"", NATLET_E_PERMISSION, false},
    {"Permissions Violation for Publish with Reply of \"x\"", NATLET_E_PERMISSION, false},
    {"Permissions Violation for Subscription to \"x\"", NATLET_E_PERMISSION, false},
    {"Permissions Violation for Subscription to \"x\" using queue \"q\"", NATLET_E_PERMISSION,
     false},
    {"Permissions Violation for Publish to \"x\", too many tokens", NATLET_E_PERMISSION, false},
    {"Permissions Violation for Subscription to \"x\" (sid \"9\")", NATLET_E_PERMISSION, false},
    {"Invalid Subject", NATLET_E_SUBJECT, false},
    {"Invalid Publish Subject", NATLET_E_SUBJECT, false},
    {"Stale Connection", NATLET_E_STALE, true},
    {"maximum connections exceeded", NATLET_E_SERVER, true},
    {"maximum account active connections exceeded", NATLET_E_SERVER, true},
    {"Connection throttling is active. Please try again later.", NATLET_E_SERVER, true},
    {"Maximum Payload Violation", NATLET_E_TOO_LARGE, true},
    {"Unknown Protocol Operation", NATLET_E_SERVER, true},
    {"maximum control line exceeded", NATLET_E_SERVER, true},
    {"Parser Error", NATLET_E_SERVER, true},
    {"Secure Connection - TLS Required", NATLET_E_TLS, true},
    {"attempted to connect to route port", NATLET_E_CONFIG, true},
    {"attempted to connect to leaf node port", NATLET_E_CONFIG, true},
    {"maximum subscriptions exceeded", NATLET_E_SERVER, false},
    {"something that no server has said yet", NATLET_E_SERVER, true},
    {"", NATLET_E_SERVER, true},
};

/* It is reported once; a connection that ends has two seconds for what is on its way,
 * and there is another one afterwards. */
static void check_error(const error_case *c, rig_way way)
{
    char line[160];
    char want[256];

    rig_connected(&r, way);
    (void)snprintf(line, sizeof line, "-ERR '%s'\r\n", c->text);
    rig_say(&r, line);
    int len = snprintf(want, sizeof want, "error: %s", natlet_status_text(c->status));
    if (c->text[0] != '\0') {
        len += snprintf(want + len, sizeof want - (size_t)len, " (%s)", c->text);
    }
    (void)snprintf(want + len, sizeof want - (size_t)len, "\n");
    CHECK_TEXT(rig_log(&r), want);
    uint32_t sid = rig_subscribe(&r, "late");
    CHECK(sid != 0);
    rig_say(&r, "MSG late 1 1\r\nx\r\n");
    rig_wait_ms(&r, 1900);
    CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
    rig_wait_ms(&r, 200);
    CHECK(natlet_client_state_now(r.client) ==
          (c->ends ? NATLET_CLIENT_RECONNECTING : NATLET_CLIENT_CONNECTED));
    if (c->ends) {
        CHECK(says(rig_log(&r), natlet_status_text(c->status)));
        if (r.host.conn_count == 1) {
            CHECK(rig_wait_for_dial(&r, 1000) < 1000);
        }
        rig_come_back(&r);
        CHECK(natlet_client_state_now(r.client) == NATLET_CLIENT_CONNECTED);
    }
    rig_end(&r);
}

static void every_error_has_its_action(void)
{
    for (size_t i = 0; i < sizeof error_cases / sizeof error_cases[0]; i++) {
        int failures = test_failures;
        for (rig_way way = RIG_NATS; way < RIG_WAYS; way++) {
            check_error(&error_cases[i], way);
        }
        if (test_failures != failures) {
            printf("    in the text: %s\n", error_cases[i].text);
        }
    }
}

int main(void)
{
    RUN(every_error_has_its_action);
    return test_done();
}
