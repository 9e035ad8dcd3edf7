/* Goal: control lines to the byte, within the room that the header asks for. */
#include "proto/writer.h"

#include "natlet/version.h"
#include "support/test.h"
#include "json/reader.h"

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

static void check_pub(natlet_msg msg, const char *want)
{
    uint8_t *out = malloc(msg.subject.len + msg.reply.len + NATLET__PUB_EXTRA_MAX);
    natlet_slice got = {out, natlet__write_pub(out, &msg)};

    test_slice(__FILE__, __LINE__, got, want, strlen(want));
    free(out);
}

static void pub_and_hpub(void)
{
    natlet_slice none = {0};
    natlet_slice headers = text("NATS/1.0\r\nA: 1\r\n\r\n");

    check_pub((natlet_msg){text("a.b"), none, none, none}, "PUB a.b 0\r\n");
    check_pub((natlet_msg){text("a.b"), none, none, text("hello")}, "PUB a.b 5\r\n");
    check_pub((natlet_msg){text("a.b"), text("r.1"), none, text("hello")}, "PUB a.b r.1 5\r\n");
    check_pub((natlet_msg){text("a"), none, headers, none}, "HPUB a 18 18\r\n");
    check_pub((natlet_msg){text("a"), text("r"), headers, text("hello")}, "HPUB a r 18 23\r\n");
}

static void the_longest_numbers_fit(void)
{
    size_t half = SIZE_MAX / 2;
    natlet_slice huge = {NULL, half};
    natlet_msg msg = {text("s"), text("r"), huge, huge};
    char want[100];
    uint8_t *out = malloc(NATLET__PUB_EXTRA_MAX);

    (void)snprintf(want, sizeof want, "HPUB s r %zu %zu\r\n", half, 2 * half);
    check_pub(msg, want);
    size_t len = natlet__write_unsub(out, UINT64_MAX, UINT64_MAX);
    CHECK_SLICE(((natlet_slice){out, len}), "UNSUB 18446744073709551615 18446744073709551615\r\n");
    free(out);
}

static void sub_and_unsub(void)
{
    uint8_t out[100];
    natlet_slice got = {out, natlet__write_sub(out, text("a.*"), (natlet_slice){0}, 7)};

    CHECK_SLICE(got, "SUB a.* 7\r\n");
    got.len = natlet__write_sub(out, text("a.>"), text("q"), UINT64_MAX);
    CHECK_SLICE(got, "SUB a.> q 18446744073709551615\r\n");
    got.len = natlet__write_unsub(out, 7, 0);
    CHECK_SLICE(got, "UNSUB 7\r\n");
    got.len = natlet__write_unsub(out, 7, 1);
    CHECK_SLICE(got, "UNSUB 7 1\r\n");
}

/* The length that was written, checked at every capacity. */
static void check_connect(const natlet__connect *connect, const char *want)
{
    size_t len = strlen(want);

    for (size_t cap = 0; cap <= len + 1; cap++) {
        uint8_t *out = malloc(cap > 0 ? cap : 1);
        natlet_slice got = {out, natlet__write_connect(out, cap, connect)};
        test_slice(__FILE__, __LINE__, got, cap < len ? "" : want, cap < len ? 0 : len);
        free(out);
    }
}

#define LAST "\"lang\":\"natlet\",\"version\":\"" NATLET_VERSION "\",\"protocol\":1}\r\n"

static void connect_says_every_flag(void)
{
    natlet__connect connect = {.echo = true, .headers = true, .no_responders = true};

    check_connect(&connect, "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,"
                            "\"tls_required\":false,\"headers\":true,\"no_responders\":true," LAST);
    connect = (natlet__connect){.verbose = true, .pedantic = true, .tls_required = true};
    check_connect(&connect,
                  "CONNECT {\"verbose\":true,\"pedantic\":true,\"echo\":false,"
                  "\"tls_required\":true,\"headers\":false,\"no_responders\":false," LAST);
}

static void connect_escapes_its_strings(void)
{
    natlet__connect connect = {.name = text("a\"b\r\nPUB x 0\r\n"),
                               .user = text("u"),
                               .pass = text("\\\t"),
                               .auth_token = text("t"),
                               .nkey = text("N"),
                               .jwt = text("j.w.t"),
                               .sig = text("s")};

    check_connect(&connect,
                  "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,"
                  "\"tls_required\":false,\"headers\":false,\"no_responders\":false,"
                  "\"name\":\"a\\\"b\\r\\nPUB x 0\\r\\n\",\"user\":\"u\",\"pass\":\"\\\\\\t\","
                  "\"auth_token\":\"t\",\"nkey\":\"N\",\"jwt\":\"j.w.t\",\"sig\":\"s\"," LAST);
}

static void connect_is_json(void)
{
    uint8_t out[500];
    natlet__connect connect = {.name = text("n")};
    size_t len = natlet__write_connect(out, sizeof out, &connect);

    CHECK(natlet__json_valid((natlet_slice){out + 8, len - 10}));
}

int main(void)
{
    RUN(pub_and_hpub);
    RUN(the_longest_numbers_fit);
    RUN(sub_and_unsub);
    RUN(connect_says_every_flag);
    RUN(connect_escapes_its_strings);
    RUN(connect_is_json);
    return test_done();
}
