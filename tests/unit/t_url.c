/* Goal: every way to write a server's address is read alike, what is not an
 * address is refused, and what is shown has no credentials.
 *
 * Method: one line a case; each text lies in a block of its exact size, so that a
 * sanitizer sees a read too many. */
#include "client/url.h"

#include "support/test.h"

static natlet_status read_exact(natlet__url *url, const char *text, char **block)
{
    size_t len = strlen(text);

    *block = malloc(len > 0 ? len : 1);
    memcpy(*block, text, len);
    return natlet__url_read(url, (natlet_slice){(const uint8_t *)*block, len});
}

static void shows(const char *text, const char *want)
{
    uint8_t out[NATLET__URL_TEXT_MAX];
    char shown[NATLET__URL_TEXT_MAX + 1] = "refused";
    natlet__url url;
    char *block;

    if (read_exact(&url, text, &block) == NATLET_OK) {
        size_t len = natlet__url_write(out, &url);
        memcpy(shown, out, len);
        shown[len] = '\0';
    }
    CHECK_TEXT(shown, want);
    free(block);
}

static void addresses(void)
{
    shows("demo.nats.io", "nats://demo.nats.io:4222");
    shows("localhost:4333", "nats://localhost:4333");
    shows("nats://LocalHost", "nats://localhost:4222");
    shows("NATS://h:1", "nats://h:1");
    shows("tls://h", "tls://h:4222");
    shows("ws://h", "ws://h:80");
    shows("wss://h", "wss://h:443");
    shows("wss://h:8443/a/B?q=1&x=%20", "wss://h:8443/a/B?q=1&x=%20");
    shows("ws://h?q=1", "ws://h:80?q=1");
    shows("nats://h/ignored", "nats://h:4222");
    shows("ws://[::1]:9", "ws://[::1]:9");
    shows("[2001:DB8::1]", "nats://[2001:db8::1]:4222");
    shows("nats://h:65535", "nats://h:65535");
    shows("my_host-1", "nats://my_host-1:4222");
    shows("ws://u:p@h/x", "ws://h:80/x");
    shows("wss://token@h", "wss://h:443");
}

static void refuses(void)
{
    static const char *const wrong[] = {
        "",       "nats://", "http://h",  "ws:/h/x",     "://h",      "h:0",        "h:65536",
        "h:",     "h:4222x", "h:-1",      "h:+1",        "h:04222",   "h:1:2",      "h h",
        "h\r\nx", "h\x7f",   "h\xc3\xa4", "h#f",         "ws://h/#f", "ws://h/a b", "[::1",
        "[]",     "[::1]x",  "[-]",       "[:",          "[1]2",      "::1",        "@",
        "u@",     "u@v@h",   "h,i",       "ws://u:p@/x", "ws://?q",   "ws://:80",   "ws://h:80:/",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        natlet__url url;
        char *block;
        if (read_exact(&url, wrong[i], &block) != NATLET_E_URL) {
            test_fail(__FILE__, __LINE__, wrong[i], "refused");
        }
        test_checks++;
        free(block);
    }
}

static natlet_slice slice(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

static void credentials(void)
{
    natlet__url url;
    uint8_t out[32];
    char *block;

    CHECK(read_exact(&url, "nats://a%40b:p%3Aw:%x@h", &block) == NATLET_OK);
    CHECK_SLICE(url.userinfo, "a%40b:p%3Aw:%x");
    CHECK_SLICE(((natlet_slice){out, natlet__url_decode(out, url.userinfo)}), "a@b:p:w:%x");
    free(block);
    CHECK(read_exact(&url, "nats://s3cret@h", &block) == NATLET_OK);
    CHECK_SLICE(url.userinfo, "s3cret");
    free(block);
    CHECK(read_exact(&url, "nats://h/@", &block) == NATLET_OK);
    CHECK_INT(url.userinfo.len, 0);
    free(block);
    CHECK_INT(natlet__url_decode(out, slice("%4")), 2);
    CHECK_INT(natlet__url_decode(out, slice("%41%zz%")), 5);
    CHECK_SLICE(((natlet_slice){out, 5}), "A%zz%");
}

static void length(void)
{
    char text[NATLET_URL_BYTES_MAX + 2];
    uint8_t out[NATLET__URL_TEXT_MAX];
    natlet__url url;

    memset(text, 'h', sizeof text);
    CHECK(natlet__url_read(&url, (natlet_slice){(uint8_t *)text, NATLET_URL_BYTES_MAX}) ==
          NATLET_OK);
    CHECK_INT(natlet__url_write(out, &url), NATLET_URL_BYTES_MAX + strlen("nats://:4222"));
    CHECK(natlet__url_read(&url, (natlet_slice){(uint8_t *)text, NATLET_URL_BYTES_MAX + 1}) ==
          NATLET_E_URL);
}

int main(void)
{
    RUN(addresses);
    RUN(refuses);
    RUN(credentials);
    RUN(length);
    return test_done();
}
