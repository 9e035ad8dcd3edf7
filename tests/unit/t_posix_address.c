/* Goal: every URL leads to one host and port or nowhere, a pattern allows what it
 * names and nothing else, and options and naps are read right.  Native only.
 *
 * Method: tables. */
#include "support/test.h"

#ifdef __wasm__
int main(void)
{
    return 0;
}
#else

#include "natlet/host.h"
#include "posix/address.h"
#include "posix/nap.h"
#include "posix/options.h"

static natlet_slice text_of(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

/* The address as "scheme host port", or "refused". */
static void check_address(natlet_slice url, const char *want)
{
    natlet__posix_address address;
    char got[300] = "refused";

    if (natlet__posix_address_read(&address, url) == NATLET_OK) {
        (void)snprintf(got, sizeof got, "%s %s %u", address.scheme, address.host, address.port);
    }
    CHECK_TEXT(got, want);
}

static void good_urls(void)
{
    check_address(text_of("ws://example.org"), "ws example.org 80");
    check_address(text_of("wss://example.org/"), "wss example.org 443");
    check_address(text_of("nats://a"), "nats a 4222");
    check_address(text_of("tls://a"), "tls a 4222");
    check_address(text_of("WS://Example.ORG:8080/Path?q=1#x"), "ws example.org 8080");
    check_address(text_of("ws://example.org?q=http://other:1/"), "ws example.org 80");
    check_address(text_of("ws://example.org#@other"), "ws example.org 80");
    check_address(text_of("nats://user:p%40ss@host_1.x-y:65535"), "nats host_1.x-y 65535");
    check_address(text_of("nats://a@b@c:1"), "nats c 1");
    check_address(text_of("nats://127.0.0.1:4222"), "nats 127.0.0.1 4222");
    check_address(text_of("ws://[::1]"), "ws ::1 80");
    check_address(text_of("ws://u@[FE80::1%eth0]:99/x"), "ws fe80::1%eth0 99");
    check_address(text_of("mqtt+tcp://a:1883"), "mqtt+tcp a 1883");
}

static void bad_urls(void)
{
    static const char *const urls[] = {
        "",
        "a",
        "a:4222",
        "ws:",
        "ws:/a",
        "ws//a",
        "://a",
        "ws://",
        "ws:///x",
        "ws://:80",
        "ws://a:",
        "ws://a:0",
        "ws://a:65536",
        "ws://a:+1",
        "ws://a:01",
        "ws://a:1x",
        "ws://a:1:2",
        "ws://a b",
        "ws://a\tb",
        "ws://a\\b",
        "ws://a%2fb",
        "ws://\xc3\xa4",
        "ws://u@",
        "ws://*",
        "ws://[::1",
        "ws://::1",
        "ws://[]",
        "ws://[a]",
        "ws://[::1]x",
        "ws://[::1]:",
        "ws://[::1 ]",
        "ws://a[::1]",
        "mqtt://a",
        "w s://a",
        "averylongscheme1://a:1",
    };
    char host[300] = "ws://";

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        check_address(text_of(urls[i]), "refused");
    }
    check_address((natlet_slice)NATLET_TEXT("ws://a\0b"), "refused");
    check_address((natlet_slice)NATLET_TEXT("ws://a:8\0"), "refused");
    memset(host + 5, 'h', 256);
    check_address(text_of(host), "refused");
}

static bool allows(const char *pattern, const char *url)
{
    natlet__posix_pattern p;
    natlet__posix_address a;

    CHECK_INT(natlet__posix_pattern_read(&p, text_of(pattern)), NATLET_OK);
    CHECK_INT(natlet__posix_address_read(&a, text_of(url)), NATLET_OK);
    return natlet__posix_pattern_matches(&p, &a);
}

static void patterns(void)
{
    CHECK(allows("ws://a.example:81", "ws://a.example:81/x"));
    CHECK(!allows("ws://a.example:81", "ws://a.example:82"));
    CHECK(!allows("ws://a.example:81", "nats://a.example:81"));
    CHECK(!allows("ws://a.example:81", "ws://b.example:81"));
    CHECK(!allows("ws://a.example", "ws://xa.example"));
    CHECK(!allows("ws://a.example", "ws://a.example.evil.org"));
    CHECK(!allows("ws://a.example", "ws://a.example@evil.org"));
    CHECK(allows("WS://A.Example/", "ws://a.EXAMPLE:80"));
    CHECK(!allows("ws://a", "ws://a:81")); /* no port: the scheme's own */
    CHECK(allows("*://a", "wss://a"));
    CHECK(!allows("*://a", "wss://a:80"));
    CHECK(!allows("*://a", "mqtt://a:1883")); /* it has none */
    CHECK(allows("ws://a:*", "ws://a:12345"));
    CHECK(allows("*://*:*", "mqtt://any.where:1"));
    CHECK(allows("ws://*", "ws://any.where"));
    CHECK(allows("ws://*.example.org", "ws://a.b.example.org"));
    CHECK(!allows("ws://*.example.org", "ws://example.org"));
    CHECK(!allows("ws://*.example.org", "ws://.example.org"));
    CHECK(!allows("ws://*.example.org", "ws://badexample.org"));
    CHECK(allows("ws://[::1]:*", "ws://[::1]:5"));
    CHECK(!allows("ws://127.0.0.1", "ws://0x7f.1")); /* another spelling is another name */
}

static void bad_patterns(void)
{
    static const char *const bad[] = {
        "",        "*",        "a",        "ws://",    "ws://a:",     "ws://a:0",  "ws://a:x",
        "w*://a",  "**://a",   "ws://a*",  "ws://a.*", "ws://*a",     "ws://*.",   "ws://a.*.b",
        "ws://**", "ws://a/b", "ws://u@a", "ws://[*]", "ws://[::1]5", "ws://a:**", "ws://a b",
    };
    natlet__posix_pattern p;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (natlet__posix_pattern_read(&p, text_of(bad[i])) != NATLET_E_CONFIG) {
            test_fail(__FILE__, __LINE__, bad[i], "refused");
        }
    }
}

#define OPTIONS(bytes) natlet__posix_options_read(&o, (natlet_slice)NATLET_TEXT(bytes))

static void options(void)
{
    natlet__posix_options o = {.connect_ms = 7, .tx_high_bytes = 8, .fd = -1};

    CHECK_INT(OPTIONS(""), NATLET_OK);
    CHECK(o.connect_ms == 7 && o.tx_high_bytes == 8 && o.fd == -1 && !o.is_delayed);
    CHECK_INT(OPTIONS("\x06\x00\x04\x00\x78\x56\x34\x12\x07\x00\x04\x00\x01\x02\x00\x00"),
              NATLET_OK);
    CHECK(o.connect_ms == 0x12345678 && o.tx_high_bytes == 0x201);
    CHECK_INT(OPTIONS("\x09\x80\x01\x00\x00\x0a\x00\x04\x00\x1e\x00\x00\x00"), NATLET_OK);
    CHECK(o.is_delayed && o.keepalive_s == 30);
    CHECK_INT(OPTIONS("\x09\x00\x01\x00\x01\x05\x00\x04\x00\x05\x00\x00\x00"), NATLET_OK);
    CHECK(!o.is_delayed && o.fd == 5);
    CHECK_INT(OPTIONS("\x63\x00\x02\x00xy"), NATLET_OK); /* unknown */
    CHECK_INT(OPTIONS("\x63\x80\x02\x00xy"), NATLET_E_UNSUPPORTED);
    CHECK_INT(OPTIONS("\x02\x80\x01\x00x"), NATLET_E_UNSUPPORTED); /* a name for TLS */
}

static void bad_options(void)
{
    natlet__posix_options o = {.fd = -1};

    CHECK_INT(OPTIONS("\x06"), NATLET_E_INVALID);
    CHECK_INT(OPTIONS("\x06\x00\x04"), NATLET_E_INVALID);
    CHECK_INT(OPTIONS("\x06\x00\x04\x00\x01\x02\x03"), NATLET_E_INVALID);
    CHECK_INT(OPTIONS("\x06\x00\x03\x00\x01\x02\x03"), NATLET_E_INVALID);
    CHECK_INT(OPTIONS("\x09\x00\x00\x00"), NATLET_E_INVALID);
    CHECK_INT(OPTIONS("\x05\x00\x04\x00\xff\xff\xff\xff"), NATLET_E_INVALID);
    CHECK_INT(OPTIONS("\x63\x00\xff\xff"), NATLET_E_INVALID);
}

static void naps(void)
{
    natlet__posix_nap nap = {.fd = -1};

    CHECK(natlet__posix_nap_check(&nap, 5000000, 2000000)); /* 3 s before anybody looked */
    CHECK(!natlet__posix_nap_check(&nap, 6000000, 3000000));
    CHECK(!natlet__posix_nap_check(&nap, 7999999, 4000000)); /* drift: below a second */
    CHECK(!natlet__posix_nap_check(&nap, 8000000, 9000000)); /* held up between two reads */
    CHECK(!natlet__posix_nap_check(&nap, 9999999, 6000000)); /* which is not a sleep after it */
    CHECK(natlet__posix_nap_check(&nap, 15999999, 11000000));
    CHECK(!natlet__posix_nap_check(&nap, 16999999, 12000000)); /* told once */
}

static void naps_for_real(void)
{
    natlet__posix_nap nap;

    natlet__posix_nap_init(&nap);
    CHECK(!natlet__posix_nap_ended(&nap));
    CHECK(nap.fd >= 0);
    natlet__posix_nap_drop(&nap);
}

int main(void)
{
    RUN(good_urls);
    RUN(bad_urls);
    RUN(patterns);
    RUN(bad_patterns);
    RUN(options);
    RUN(bad_options);
    RUN(naps);
    RUN(naps_for_real);
    return test_done();
}
#endif
