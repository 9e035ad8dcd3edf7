/* Goal: INFO says what the server said, whatever else stands in it; an -ERR text is
 * known by how it begins. */
#include "proto/info.h"

#include "support/test.h"

static natlet__info info;

/* In an exact heap block, which lives until the next call. */
static natlet_status read_bytes(const char *bytes, size_t len)
{
    static uint8_t *exact;

    free(exact);
    exact = malloc(len > 0 ? len : 1);
    memcpy(exact, bytes, len);
    return natlet__info_read(&info, (natlet_slice){exact, len});
}

static natlet_status read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void every_field(void)
{
    CHECK_INT(
        read_text("{\"server_id\":\"NC5X\",\"server_name\":\"n1\",\"version\":\"2.15.1\","
                  "\"proto\":1,\"git_commit\":\"abc\",\"go\":\"go1.27.2\",\"host\":\"0.0.0.0\","
                  "\"port\":4222,\"headers\":true,\"auth_required\":true,"
                  "\"tls_required\":true,\"tls_verify\":true,\"tls_available\":true,"
                  "\"max_payload\":1048576,\"jetstream\":true,\"client_id\":5,"
                  "\"client_ip\":\"127.0.0.1\",\"nonce\":\"x-Y_z\",\"cluster\":\"c\","
                  "\"domain\":\"hub\",\"connect_urls\":[\"a:1\",\"[::1]:2\"],\"ldm\":true,"
                  "\"connect_info\":true,\"api_lvl\":5,\"xkey\":\"XD\"} "),
        NATLET_OK);
    CHECK_INT(info.max_payload, 1048576);
    CHECK(info.headers && info.tls_required && info.lame_duck);
    CHECK_INT(info.url_count, 2);
    CHECK_SLICE(info.urls[0], "a:1");
    CHECK_SLICE(info.urls[1], "[::1]:2");
}

static void what_is_not_said_is_empty(void)
{
    memset(&info, 0xff, sizeof info);
    CHECK_INT(read_text(" { } "), NATLET_OK);
    CHECK(info.max_payload == 0 && !info.headers && !info.tls_required && !info.lame_duck);
    CHECK_INT(info.url_count, 0);
}

static void fields_of_the_wrong_type_are_passed_over(void)
{
    CHECK_INT(read_text("{\"max_payload\":true,\"headers\":\"true\",\"ldm\":1,"
                        "\"tls_required\":null,\"connect_urls\":\"a:1\"}"),
              NATLET_OK);
    CHECK(info.max_payload == 0 && !info.headers && !info.lame_duck && !info.tls_required);
    CHECK_INT(info.url_count, 0);
    CHECK_INT(read_text("{\"connect_urls\":{\"a\":\"b:1\"},\"connect_urls\":null}"), NATLET_OK);
    CHECK_INT(info.url_count, 0);
}

static void strings_with_escapes_and_other_names_too(void)
{
    CHECK_INT(read_text("{\"header\":true,\"headerss\":true,\"\":true,\"l\\u0064m\":true,"
                        "\"connect_urls\":[\"a\\u003a1\",\"b:1\"]}"),
              NATLET_OK);
    CHECK(!info.headers && !info.lame_duck);
    CHECK_INT(info.url_count, 1);
    CHECK_SLICE(info.urls[0], "b:1");
}

static void check_max_payload(const char *text, uint32_t want)
{
    CHECK_INT(read_text(text), NATLET_OK);
    CHECK_INT(info.max_payload, want);
}

static void numbers_are_cut_to_their_type(void)
{
    check_max_payload("{\"max_payload\":4294967295}", UINT32_MAX);
    check_max_payload("{\"max_payload\":4294967296}", UINT32_MAX);
    check_max_payload("{\"max_payload\":99999999999999999999999999}", UINT32_MAX);
    check_max_payload("{\"max_payload\":-1}", 0);
    check_max_payload("{\"max_payload\":1.0}", 0);
    check_max_payload("{\"max_payload\":1e3}", 0);
    check_max_payload("{\"max_payload\":-0}", 0);
}

static void the_last_of_two_fields_counts(void)
{
    CHECK_INT(read_text("{\"max_payload\":1,\"connect_urls\":[\"a:1\",\"b:2\"],\"max_payload\":2,"
                        "\"connect_urls\":[\"c:3\"]}"),
              NATLET_OK);
    CHECK_INT(info.max_payload, 2);
    CHECK_INT(info.url_count, 1);
    CHECK_SLICE(info.urls[0], "c:3");
}

static void an_empty_list_of_servers_was_said(void)
{
    CHECK_INT(read_text("{\"connect_urls\":[]}"), NATLET_OK);
    CHECK_INT(info.url_count, 0);
    CHECK_INT(read_text("{\"connect_urls\":[1,null,[\"x:1\"],{\"u\":\"y:1\"},\"z:1\",true]}"),
              NATLET_OK);
    CHECK_INT(info.url_count, 1);
    CHECK_SLICE(info.urls[0], "z:1");
}

static void only_one_whole_object_counts(void)
{
    static const char *const broken[] = {
        "",
        " ",
        "null",
        "[]",
        "\"x\"",
        "7",
        "{",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{}{}",
        "{\"proto\":01}",
        "not json",
        "{'a':1}",
        "{\"a\":\"\xff\"}",
        "{\"connect_urls\":[\"a:1\"",
        "{\"connect_urls\":[\"a:1\",]}",
        "{\"connect_urls\":[[}",
        "{\"x\":{]}",
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        memset(&info, 0xff, sizeof info);
        CHECK_INT(read_text(broken[i]), NATLET_E_JSON);
        CHECK(info.url_count == 0 && info.max_payload == 0);
    }
}

static void every_beginning_is_refused(void)
{
    const char *text =
        "{\"version\":\"2\",\"x\":[{\"y\":1.5e3}],\"connect_urls\":[\"a:1\"],\"ldm\":true}";

    for (size_t len = 0; len < strlen(text); len++) {
        CHECK_INT(read_bytes(text, len), NATLET_E_JSON);
    }
    CHECK_INT(read_text(text), NATLET_OK);
}

static natlet_status read_nested(size_t levels)
{
    char *text = malloc(levels * 2 + 20);
    size_t len = (size_t)sprintf(text, "{\"x\":");

    memset(text + len, '[', levels);
    memset(text + len + levels, ']', levels);
    text[len + 2 * levels] = '}';
    natlet_status st = read_bytes(text, len + 2 * levels + 1);
    free(text);
    return st;
}

static void depth_ends_at_its_limit(void)
{
    CHECK_INT(read_nested(NATLET_INFO_DEPTH_MAX - 1), NATLET_OK);
    CHECK_INT(read_nested(NATLET_INFO_DEPTH_MAX), NATLET_E_JSON);
    CHECK_INT(read_nested(100000), NATLET_E_JSON);
}

static void a_hundred_thousand_servers(void)
{
    char *text = malloc(3000000);
    size_t len = (size_t)sprintf(text, "{\"connect_urls\":[");

    for (int i = 0; i < 100000; i++) {
        len += (size_t)sprintf(text + len, "\"10.0.0.1:%d\",", i);
    }
    len += (size_t)sprintf(text + len - 1, "],\"max_payload\":1}") - 1;
    CHECK_INT(read_bytes(text, len), NATLET_OK);
    CHECK_INT(info.url_count, NATLET_SERVERS_MAX);
    CHECK_SLICE(info.urls[NATLET_SERVERS_MAX - 1], "10.0.0.1:31");
    CHECK_INT(info.max_payload, 1);
    free(text);
}

typedef struct error_case {
    const char *text;
    natlet_status status;
    bool closes;
    bool to_publish;
    const char *subject;
} error_case;

static const error_case error_cases[] = {
    {"'Authorization Violation'", NATLET_E_AUTH, true, false, ""},
    {"'authorization violation'", NATLET_E_AUTH, true, false, ""},
    {"Authorization Violation", NATLET_E_AUTH, true, false, ""},
    {" 'Authorization Violation - more' ", NATLET_E_AUTH, true, false, ""},
    {"'Authentication Timeout'", NATLET_E_TIMEOUT, true, false, ""},
    {"'User Authentication Expired'", NATLET_E_AUTH, true, false, ""},
    {"'User Authentication Revoked'", NATLET_E_AUTH, true, false, ""},
    {"'Account Authentication Expired'", NATLET_E_AUTH, true, false, ""},
    {"'Permissions Violation for Publish to \"a.b\"'", NATLET_E_PERMISSION, false, true, "a.b"},
    {"'Permissions Violation for Publish with Reply of \"r\"'", NATLET_E_PERMISSION, false, true,
     "r"},
    {"'Permissions Violation for Subscription to \"a.>\"'", NATLET_E_PERMISSION, false, false,
     "a.>"},
    {"'Permissions Violation for Subscription to \"a\" using queue \"q\"'", NATLET_E_PERMISSION,
     false, false, "a"},
    {"'permissions violation for subscription to \"a\" (sid \"7\")'", NATLET_E_PERMISSION, false,
     false, "a"},
    {"'Permissions Violation for Publish to \"a\\\"b\\\\\"'", NATLET_E_PERMISSION, false, true,
     "a\\\"b\\\\"},
    {"'Permissions Violation for Publish to \"\"'", NATLET_E_PERMISSION, false, true, ""},
    {"'Permissions Violation for Publish to \"a", NATLET_E_PERMISSION, false, true, ""},
    {"'Permissions Violation for Publish to \"a\\", NATLET_E_PERMISSION, false, true, ""},
    {"'Permissions Violation for Publish to \"", NATLET_E_PERMISSION, false, true, ""},
    {"'Permissions Violation for Publish'", NATLET_E_PERMISSION, false, true, ""},
    {"'Invalid Subject'", NATLET_E_SUBJECT, false, false, ""},
    {"'Invalid Publish Subject'", NATLET_E_SUBJECT, false, false, ""},
    {"'Stale Connection'", NATLET_E_STALE, true, false, ""},
    {"'maximum connections exceeded'", NATLET_E_SERVER, true, false, ""},
    {"'maximum account active connections exceeded'", NATLET_E_SERVER, true, false, ""},
    {"'Connection throttling is active. Please try again later.'", NATLET_E_SERVER, true, false,
     ""},
    {"'Maximum Payload Violation'", NATLET_E_TOO_LARGE, true, false, ""},
    {"'Unknown Protocol Operation'", NATLET_E_SERVER, true, false, ""},
    {"'maximum control line exceeded'", NATLET_E_SERVER, true, false, ""},
    {"'Secure Connection - TLS Required'", NATLET_E_TLS, true, false, ""},
    {"'attempted to connect to route port'", NATLET_E_CONFIG, true, false, ""},
    {"'attempted to connect to leaf node port'", NATLET_E_CONFIG, true, false, ""},
    {"'maximum subscriptions exceeded'", NATLET_E_SERVER, false, false, ""},
    {"'something \"new\"'", NATLET_E_SERVER, true, false, ""},
    {"'Authorization'", NATLET_E_SERVER, true, false, ""},
    {"'", NATLET_E_SERVER, true, false, ""},
    {"", NATLET_E_SERVER, true, false, ""},
};

static void errors_are_known_by_how_they_begin(void)
{
    for (size_t i = 0; i < sizeof error_cases / sizeof error_cases[0]; i++) {
        const error_case *c = &error_cases[i];
        size_t len = strlen(c->text);
        uint8_t *exact = malloc(len + 1);
        natlet_slice text = {memcpy(exact + 1, c->text, len), len};
        natlet__server_error error = natlet__server_error_read(text);
        int failures = test_failures;
        CHECK_INT(error.status, c->status);
        CHECK_INT(error.closes, c->closes);
        CHECK_INT(error.to_publish, c->to_publish);
        test_slice(__FILE__, __LINE__, error.subject, c->subject, strlen(c->subject));
        if (test_failures != failures) {
            printf("    in the text: %s\n", c->text);
        }
        free(exact);
    }
}

int main(void)
{
    RUN(every_field);
    RUN(what_is_not_said_is_empty);
    RUN(fields_of_the_wrong_type_are_passed_over);
    RUN(strings_with_escapes_and_other_names_too);
    RUN(numbers_are_cut_to_their_type);
    RUN(the_last_of_two_fields_counts);
    RUN(an_empty_list_of_servers_was_said);
    RUN(only_one_whole_object_counts);
    RUN(every_beginning_is_refused);
    RUN(depth_ends_at_its_limit);
    RUN(a_hundred_thousand_servers);
    RUN(errors_are_known_by_how_they_begin);
    return test_done();
}
