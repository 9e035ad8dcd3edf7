/* Goal: a creds file is read as its writers mean it, whatever stands around its
 * blocks, and one that is cut off or damaged gets the error that says so.
 *
 * Method: the file that npm's jwt package writes, and the same with other line ends,
 * order, dashes and company; cut at every byte; every character of the seed block
 * exchanged for every one of base32 and left out; whatever fails changes nothing. */
#include "natlet/auth.h"
#include "support/auth_texts.h"
#include "support/stack.h"

#define JWT_BLOCK "---BEGIN NATS USER JWT---\n" USER_JWT "\n---END NATS USER JWT---\n"
#define SEED_BLOCK "---BEGIN USER NKEY SEED---\n" USER_SEED "\n---END USER NKEY SEED---\n"

static natlet_status read_exact(natlet_creds *out, const char *text, size_t len)
{
    uint8_t *exact = malloc(len + (len == 0));
    natlet_creds before = {{NULL, 3}, {NULL, 4}};

    *out = before;
    memcpy(exact, text, len);
    natlet_status st = natlet_creds_read(out, (natlet_slice){exact, len});
    if (st == NATLET_OK) {
        CHECK_SLICE(out->jwt, USER_JWT);
        CHECK_SLICE(out->seed, USER_SEED);
        CHECK(out->jwt.ptr > exact && out->seed.ptr > exact);
    } else {
        CHECK(out->jwt.ptr == NULL && out->jwt.len == 3 && out->seed.len == 4);
    }
    free(exact);
    return st;
}

static natlet_status reads(const char *text)
{
    natlet_creds creds;

    return read_exact(&creds, text, strlen(text));
}

/* The same text with CRLF for every LF. */
static natlet_status reads_with_crlf(const char *text)
{
    char *out = malloc(2 * strlen(text) + 1);
    size_t len = 0;

    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            out[len++] = '\r';
        }
        out[len++] = *text;
    }
    out[len] = '\0';
    natlet_status st = reads(out);
    free(out);
    return st;
}

static void reads_what_the_official_packages_write(void)
{
    CHECK(reads(USER_CREDS) == NATLET_OK);
    CHECK(reads_with_crlf(USER_CREDS) == NATLET_OK);
}

static void company_order_dashes_and_blanks_do_not_matter(void)
{
    static const char *const good[] = {
        JWT_BLOCK SEED_BLOCK,
        SEED_BLOCK JWT_BLOCK,
        "\n\n" JWT_BLOCK "\n--\n-----\n---- -----\nany text: {}\n" SEED_BLOCK "and more",
        "---BEGIN SOMETHING ELSE---\nx\n---END SOMETHING ELSE---\n" JWT_BLOCK SEED_BLOCK,
        JWT_BLOCK "  ---------BEGIN USER NKEY SEED---\t\n\t" USER_SEED
                  "  \n ----END USER NKEY SEED---- ",
        "BEGIN USER NKEY SEED\n" JWT_BLOCK SEED_BLOCK "--BEGIN USER NKEY SEED--\n",
        JWT_BLOCK "---BEGIN USER NKEY SEED---\n" USER_SEED "\n---END USER NKEY SEED---",
        "---BEGIN nats user jwt---\n" JWT_BLOCK SEED_BLOCK,
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK(reads(good[i]) == NATLET_OK);
        CHECK(reads_with_crlf(good[i]) == NATLET_OK);
    }
}

static void says_what_is_wrong(void)
{
    static const struct {
        natlet_status want;
        const char *text;
    } wrong[] = {
        {NATLET_E_CREDS_JWT, ""},
        {NATLET_E_CREDS_JWT, "hello"},
        {NATLET_E_CREDS_JWT, USER_SEED},
        {NATLET_E_CREDS_JWT, SEED_BLOCK},
        {NATLET_E_CREDS_JWT, JWT_BLOCK SEED_BLOCK JWT_BLOCK},
        {NATLET_E_CREDS_JWT, "---BEGIN NATS USER JWT---\n\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_CREDS_JWT, "---BEGIN NATS USER JWT---\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_CREDS_JWT, "---BEGIN NATS USER JWT---\n" USER_JWT "\n" SEED_BLOCK},
        {NATLET_E_CREDS_JWT,
         "--BEGIN NATS USER JWT---\n" USER_JWT "\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_CREDS_JWT,
         "---BEGIN NATS USER JWT---\n" USER_JWT "\n---END NATS USER JWT--\n" SEED_BLOCK},
        {NATLET_E_CREDS_JWT, "---BEGIN NATS USER JWT---\n" USER_JWT "\n" USER_JWT
                             "\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_CREDS_SEED, JWT_BLOCK},
        {NATLET_E_CREDS_SEED, JWT_BLOCK SEED_BLOCK SEED_BLOCK},
        {NATLET_E_CREDS_SEED, JWT_BLOCK "---BEGIN USER NKEY SEED---\n" USER_SEED},
        {NATLET_E_CREDS_SEED, JWT_BLOCK "---BEGIN USER NKEY SEED---"},
        {NATLET_E_CREDS_SEED,
         JWT_BLOCK "---BEGIN USER NKEY SEED---\n" USER_SEED "\n---END ACCOUNT NKEY SEED---\n"},
        {NATLET_E_JWT, "---BEGIN NATS USER JWT---\nab.cd\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_JWT, "---BEGIN NATS USER JWT---\na.b.c.d\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_JWT, "---BEGIN NATS USER JWT---\na..c\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_JWT, "---BEGIN NATS USER JWT---\na.b.c=\n---END NATS USER JWT---\n" SEED_BLOCK},
        {NATLET_E_NKEY_KIND,
         JWT_BLOCK "---BEGIN USER NKEY SEED---\n" ACCOUNT_SEED "\n---END USER NKEY SEED---\n"},
        {NATLET_E_NKEY_KIND,
         JWT_BLOCK "---BEGIN USER NKEY SEED---\n" USER_KEY "\n---END USER NKEY SEED---\n"},
        {NATLET_E_NKEY, JWT_BLOCK "---BEGIN USER NKEY SEED---\nSUA\n---END USER NKEY SEED---\n"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK_INT(reads(wrong[i].text), wrong[i].want);
        CHECK_INT(reads_with_crlf(wrong[i].text), wrong[i].want);
    }
}

/* The last label with three of its dashes is the least that is whole. */
static void every_cut_is_refused(void)
{
    static const char text[] = USER_CREDS;
    size_t whole = (size_t)(strstr(text, "END USER NKEY SEED") - text) + 18 + 3;
    size_t jwt_whole = (size_t)(strstr(text, "END NATS USER JWT") - text) + 17 + 3;

    for (size_t cut = 0; cut < sizeof text; cut++) {
        natlet_creds creds;
        natlet_status st = read_exact(&creds, text, cut);
        CHECK_INT(st, cut < jwt_whole ? NATLET_E_CREDS_JWT
                      : cut < whole   ? NATLET_E_CREDS_SEED
                                      : NATLET_OK);
    }
}

/* But for one dash less of more than three, and no line end at the end. */
static void every_damage_of_the_seed_block_is_refused(void)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char text[] = USER_CREDS;
    char without[sizeof text];
    size_t begin = (size_t)(strstr(text, "-----BEGIN USER NKEY SEED") - text);

    for (size_t at = begin; text[at] != '\0'; at++) {
        char was = text[at];
        for (size_t i = 0; i < sizeof alphabet - 1; i++) {
            text[at] = alphabet[i];
            natlet_status st = reads(text);
            CHECK(alphabet[i] == was || st < 0);
        }
        text[at] = was;
        memcpy(without, text, at);
        memcpy(without + at, text + at + 1, sizeof text - at - 1);
        CHECK(was == '-' || text[at + 1] == '\0' ? reads(without) == NATLET_OK
                                                 : reads(without) < 0);
    }
}

#ifdef STACK_IS_VISIBLE
static void the_seed_is_not_kept(void)
{
    static const char text[] = USER_CREDS;
    static natlet_nkey key;
    static natlet_creds creds;

    CHECK(natlet_nkey_read(&key, (natlet_slice){(const uint8_t *)USER_SEED, 58}) == NATLET_OK);
    stack_paint();
    CHECK(natlet_creds_read(&creds, (natlet_slice){(const uint8_t *)text, sizeof text - 1}) ==
          NATLET_OK);
    CHECK(!stack_finds(key.key, 8) && !stack_finds(key.key + 24, 8));
}
#endif

int main(void)
{
    RUN(reads_what_the_official_packages_write);
    RUN(company_order_dashes_and_blanks_do_not_matter);
    RUN(says_what_is_wrong);
    RUN(every_cut_is_refused);
    RUN(every_damage_of_the_seed_block_is_refused);
#ifdef STACK_IS_VISIBLE
    RUN(the_seed_is_not_kept);
#endif
    return test_done();
}
