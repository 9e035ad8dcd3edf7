/* Goal: mail becomes the JSON object that people know, to the byte, and its payload
 * is looked at once.
 *
 * Method: payloads beside the whole text; every capacity below the length. */
#include "natlet/mail.h"

#include "support/test.h"

#define NS UINT64_C(1730678400123456789)

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

static natlet_mail mail_of(const char *subject, const void *payload, size_t len)
{
    return (natlet_mail){
        .subject = text(subject), .payload = {payload, len}, .kind = NATLET_MAIL_NATS, .id_ns = NS};
}

/* Writes the mail with every capacity; what fits is always a head of the whole. */
static void check(natlet_mail mail, const char *want)
{
    size_t len = strlen(want);
    char out[512];

    for (size_t cap = 0; cap <= len; cap++) {
        natlet_mail fresh = mail;
        memset(out, '#', sizeof out);
        CHECK_INT(natlet_mail_to_json(&fresh, out, cap), len);
        CHECK(out[cap] == '#');
    }
    out[len] = '\0';
    CHECK_TEXT(out, want);
}

#define EXPECT(subject, payload, want)                                                             \
    check(mail_of(subject, payload, sizeof(payload) - 1),                                          \
          "{\"id\":\"nats_1730678400123456789\",\"from\":\"nats\"," want                           \
          ",\"timestamp\":1730678400}")

static void the_object_is_exact(void)
{
    EXPECT("a.b", "{\"x\":1}", "\"to\":\"a.b\",\"payload\":{\"x\":1}");
    EXPECT("a.b", "  [1, 2]\n", "\"to\":\"a.b\",\"payload\":  [1, 2]\n");
    EXPECT("a", "\"text\"", "\"to\":\"a\",\"payload\":\"text\"");
    EXPECT("a", "null", "\"to\":\"a\",\"payload\":null");
    EXPECT("a", "18446744073709551616", "\"to\":\"a\",\"payload\":18446744073709551616");
    EXPECT("a", "{\"k\":1,\"k\":2}", "\"to\":\"a\",\"payload\":{\"k\":1,\"k\":2}");
    EXPECT("a\"\\\n\x01/\xc3\xa4", "1", "\"to\":\"a\\\"\\\\\\n\\u0001/\xc3\xa4\",\"payload\":1");
}

static void what_is_not_json_is_base64(void)
{
    EXPECT("a", "", "\"to\":\"a\",\"payload\":{\"raw\":\"\"}");
    EXPECT("a", "hello", "\"to\":\"a\",\"payload\":{\"raw\":\"aGVsbG8=\"}");
    EXPECT("a", "{\"x\":1", "\"to\":\"a\",\"payload\":{\"raw\":\"eyJ4Ijox\"}");
    EXPECT("a", "\"\xff\"", "\"to\":\"a\",\"payload\":{\"raw\":\"Iv8i\"}");
    EXPECT("a", "1e400", "\"to\":\"a\",\"payload\":{\"raw\":\"MWU0MDA=\"}");
    EXPECT("a", "1 2", "\"to\":\"a\",\"payload\":{\"raw\":\"MSAy\"}");
    EXPECT("a", "\"\\ud800\"", "\"to\":\"a\",\"payload\":{\"raw\":\"Ilx1ZDgwMCI=\"}");
}

static void an_agent_signs_with_its_pid(void)
{
    natlet_mail mail = {.payload = text("1"), .from = 5242883, .id_ns = 2000000001};

    check(mail, "{\"id\":\"nats_2000000001\",\"from\":\"5242883\",\"to\":\"\",\"payload\":1,"
                "\"timestamp\":2}");
}

static void the_payload_is_looked_at_once(void)
{
    char bytes[] = "[true]";
    natlet_mail mail = mail_of("a", bytes, 6);

    CHECK(mail.json == 0);
    CHECK(natlet_mail_is_json(&mail));
    bytes[0] = '?';
    CHECK(natlet_mail_is_json(&mail));
    mail = mail_of("a", bytes, 6);
    CHECK(!natlet_mail_is_json(&mail));
    bytes[0] = '[';
    CHECK(!natlet_mail_is_json(&mail));
}

static void values_are_found_by_pointer(void)
{
    natlet_slice value;
    static const char document[] = "{\"a\":[1,{\"b\":\"x\\n\"}]}";
    natlet_mail mail = mail_of("a", document, sizeof document - 1);

    CHECK(natlet_mail_json_get(&mail, text("/a/1/b"), &value) == NATLET_OK);
    CHECK_SLICE(value, "\"x\\n\"");
    CHECK(natlet_mail_json_get(&mail, text("/a/2"), &value) == NATLET_E_NOT_FOUND);
    mail = mail_of("a", "{\"a\":1", 6);
    CHECK(natlet_mail_json_get(&mail, text("/a"), &value) == NATLET_E_JSON);
}

int main(void)
{
    RUN(the_object_is_exact);
    RUN(what_is_not_json_is_base64);
    RUN(an_agent_signs_with_its_pid);
    RUN(the_payload_is_looked_at_once);
    RUN(values_are_found_by_pointer);
    return test_done();
}
