/* Goal: a JWT's claims are read whole and strictly: subject, name, expiry, bearer.
 *
 * Method: a token that npm's jwt package made; then claims written here, good and bad
 * ones; every size of the scratch memory; every character of a token exchanged, which
 * may not lead out of the scratch nor change anything if it fails. */
#include "base/base64.h"
#include "natlet/auth.h"
#include "support/auth_texts.h"
#include "support/test.h"

enum { TOKEN_MAX = 1024 };

static natlet_status read_exact(natlet_jwt *out, natlet_slice jwt, uint8_t *scratch, size_t len)
{
    uint8_t *exact = malloc(jwt.len + (jwt.len == 0));

    memset(out, 0, sizeof *out);
    out->expires_s = 77;
    if (jwt.len > 0) {
        memcpy(exact, jwt.ptr, jwt.len);
    }
    natlet_status st = natlet_jwt_read(out, (natlet_slice){exact, jwt.len}, scratch, len);
    free(exact);
    if (st < 0) {
        CHECK(out->subject.ptr == NULL && out->name.ptr == NULL && out->expires_s == 77);
    }
    return st;
}

/* "e30." claims ".c2ln" in base64url. */
static natlet_slice token_of(uint8_t *out, const char *claims)
{
    size_t len = 4;

    memcpy(out, "e30.", 4);
    len += natlet__base64_write(out + len, (natlet_slice){(const uint8_t *)claims, strlen(claims)},
                                NATLET__BASE64_URL);
    memcpy(out + len, ".c2ln", 5);
    return (natlet_slice){out, len + 5};
}

static natlet_status reads(natlet_jwt *out, const char *claims)
{
    static uint8_t scratch[TOKEN_MAX];
    uint8_t token[TOKEN_MAX];

    return read_exact(out, token_of(token, claims), scratch, sizeof scratch);
}

static void reads_what_the_official_package_made(void)
{
    natlet_slice token = NATLET_TEXT(USER_JWT);
    uint8_t *scratch = malloc(token.len);
    natlet_jwt jwt;

    CHECK(read_exact(&jwt, token, scratch, token.len) == NATLET_OK);
    CHECK_SLICE(jwt.subject, USER_KEY);
    CHECK_SLICE(jwt.name, "natlet-tester");
    CHECK_INT(jwt.expires_s, 4102444800);
    CHECK(!jwt.is_bearer);
    free(scratch);
}

static void reads_each_claim(void)
{
    natlet_jwt jwt;

    CHECK(reads(&jwt, "{\"sub\":\"U\"}") == NATLET_OK);
    CHECK_SLICE(jwt.subject, "U");
    CHECK(jwt.name.len == 0 && jwt.expires_s == 0 && !jwt.is_bearer);

    CHECK(reads(&jwt, " {\"nats\":{\"bearer_token\":true,\"sub\":1},\"exp\":1,\"sub\":\"U\"} ") ==
          NATLET_OK);
    CHECK(jwt.expires_s == 1 && jwt.is_bearer);
    CHECK(reads(&jwt, "{\"sub\":\"U\",\"exp\":9007199254740992,"
                      "\"nats\":{\"bearer_token\":false}}") == NATLET_OK);
    CHECK(jwt.expires_s == (uint64_t)1 << 53 && !jwt.is_bearer);
    CHECK(reads(&jwt, "{\"sub\":\"U\",\"exp\":0,\"nats\":{}}") == NATLET_OK);
    CHECK(jwt.expires_s == 0);
    CHECK(reads(&jwt, "{\"bearer_token\":true,\"sub\":\"U\"}") == NATLET_OK && !jwt.is_bearer);

    /* Escapes, also in the names of members; of two members the last counts. */
    CHECK(reads(&jwt, "{\"name\":\"a\\\"\\u00e9\\ud83d\\ude00\\n\","
                      "\"s\\u0075b\":\"\\u0055A\"}") == NATLET_OK);
    CHECK_SLICE(jwt.name, "a\"\xc3\xa9\xf0\x9f\x98\x80\n");
    CHECK_SLICE(jwt.subject, "UA");
    CHECK(reads(&jwt, "{\"sub\":\"A\",\"name\":\"x\",\"sub\":\"B\",\"name\":\"\"}") == NATLET_OK);
    CHECK_SLICE(jwt.subject, "B");
    CHECK(jwt.name.len == 0);
}

static void refuses_other_claims(void)
{
    static const char *const wrong[] = {
        "",
        " ",
        "x",
        "[]",
        "\"sub\"",
        "{}",
        "{\"sub\":\"\"}",
        "{\"sub\":1}",
        "{\"sub\":null}",
        "{\"sub\":\"U\"",
        "{\"sub\":\"U\"}}",
        "{\"sub\":\"U\",}",
        "{\"sub\":\"\xff\"}",
        "{\"sub\":\"U\",\"name\":1}",
        "{\"sub\":\"U\",\"name\":{}}",
        "{\"sub\":\"U\",\"exp\":-1}",
        "{\"sub\":\"U\",\"exp\":1.5}",
        "{\"sub\":\"U\",\"exp\":1e9}",
        "{\"sub\":\"U\",\"exp\":\"1\"}",
        "{\"sub\":\"U\",\"exp\":null}",
        "{\"sub\":\"U\",\"exp\":9007199254740993}",
        "{\"sub\":\"U\",\"exp\":18446744073709551617}",
        "{\"sub\":\"U\",\"nats\":{\"bearer_token\":1}}",
        "{\"sub\":\"U\",\"nats\":{\"bearer_token\":\"true\"}}",
        "{\"sub\":\"U\",\"nats\":{\"bearer_token\":null}}",
    };
    natlet_jwt jwt;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_INT(reads(&jwt, wrong[i]), NATLET_E_JWT);
    }
}

/* eyJzdWIiOiJVIn0 is {"sub":"U"}. */
static void refuses_other_shapes(void)
{
    static const char *const wrong[] = {
        "",
        ".",
        "..",
        "...",
        "eyJzdWIiOiJVIn0",
        "e30.eyJzdWIiOiJVIn0",
        "e30.eyJzdWIiOiJVIn0.",
        ".eyJzdWIiOiJVIn0.c2ln",
        "e30..c2ln",
        "e30.eyJzdWIiOiJVIn0.c2ln.c2ln",
        "e30.eyJzdWIiOiJVIn0.c2ln\n",
        " e30.eyJzdWIiOiJVIn0.c2ln",
        "e30.eyJzdWIiOiJVIn0=.c2ln",
        "e30.eyJzdWIiOiJVIn0.c2l+",
        "e3/.eyJzdWIiOiJVIn0.c2ln",
        "e30.eyJzdWIiOiJVIn1.c2ln",
        "e30.eyJzdWIiOiJVIn0AA.c2ln",
    };
    uint8_t scratch[64];
    natlet_jwt jwt;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        natlet_slice text = {(const uint8_t *)wrong[i], strlen(wrong[i])};
        CHECK_INT(read_exact(&jwt, text, scratch, sizeof scratch), NATLET_E_JWT);
    }
    natlet_slice right = NATLET_TEXT("e30.eyJzdWIiOiJVIn0.c2ln");
    CHECK(read_exact(&jwt, right, scratch, sizeof scratch) == NATLET_OK);
}

static void check_scratches(const char *claims)
{
    uint8_t token[TOKEN_MAX];
    natlet_slice text = token_of(token, claims);
    int enough = 0;

    for (size_t len = 0; len <= text.len; len++) {
        uint8_t *scratch = malloc(len + (len == 0));
        natlet_jwt jwt;
        natlet_status st = read_exact(&jwt, text, scratch, len);
        CHECK(st == NATLET_OK || (st == NATLET_E_NO_MEMORY && !enough));
        CHECK(st != NATLET_OK || len >= strlen(claims));
        if (st == NATLET_OK) {
            enough = 1;
            CHECK(jwt.subject.ptr >= scratch && jwt.subject.ptr + 4 <= scratch + len);
            CHECK_SLICE(jwt.subject, "UABC");
            CHECK_SLICE(jwt.name, "A");
        }
        free(scratch);
    }
    CHECK(enough);
}

/* Base64 of every length, so of every rest. */
static void scratch_is_enough_or_refused(void)
{
    check_scratches("{\"sub\":\"UABC\",\"name\":\"\\u0041\"}");
    check_scratches("{\"sub\":\"UABC\",\"name\":\"\\u0041\"} ");
    check_scratches("{\"sub\":\"UABC\",\"name\":\"\\u0041\"}  ");
}

static void no_damage_leads_astray(void)
{
    static const char letters[] = "AQgwZz09-_.";
    char text[] = USER_JWT;
    natlet_slice token = {(const uint8_t *)text, sizeof text - 1};
    uint8_t *scratch = malloc(token.len);

    for (size_t at = 0; at < token.len; at++) {
        char was = text[at];
        for (size_t i = 0; i < sizeof letters - 1; i++) {
            natlet_jwt jwt;
            text[at] = letters[i];
            natlet_status st = read_exact(&jwt, token, scratch, token.len);
            CHECK(st == NATLET_OK || st == NATLET_E_JWT);
        }
        text[at] = was;
    }
    free(scratch);
}

/* A bearer's JWT is all there is to say; when it ends is known only if it can be read. */
static void an_authenticator_says_when_it_expires(void)
{
    static const struct {
        const char *claims;
        uint64_t expires_s;
    } cases[] = {
        {"{\"sub\":\"U\",\"exp\":1767226000}", 1767226000},
        {"{\"a\":{\"exp\":5},\"exp\":1767226000,\"sub\":\"U\"}", 1767226000},
        {"{\"x\":{\"exp\":1767226000},\"sub\":\"U\"}", 0},
        {"{\"sub\":\"U\",\"exp\":\"1767226000\"}", 0},
        {"{\"sub\":\"U\",\"exp\":-5}", 0},
        {"[1767226000]", 0},
        {"{\"exp\"", 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t token[TOKEN_MAX];
        const natlet_secret secret = {.text = token_of(token, cases[i].claims)};
        const natlet_challenge challenge = {.nonce = NATLET_TEXT("nonce")};
        natlet_credentials said = {0};
        natlet_signer signer;
        natlet_authenticator who = natlet_creds_authenticator(&signer, &secret);
        natlet_status st = who.answer(who.self, &challenge, &said);
        CHECK(cases[i].claims[0] == '\0' || (st == NATLET_OK && said.jwt.len == secret.text.len));
        CHECK_INT(said.expires_s, cases[i].expires_s);
        who.done(who.self);
    }
}

int main(void)
{
    RUN(an_authenticator_says_when_it_expires);
    RUN(reads_what_the_official_package_made);
    RUN(reads_each_claim);
    RUN(refuses_other_claims);
    RUN(refuses_other_shapes);
    RUN(scratch_is_enough_or_refused);
    RUN(no_damage_leads_astray);
    return test_done();
}
