/* Goal: a block that we build is well-formed, one that we receive is read as far as it
 * is, and nothing that breaks a line gets into either.
 *
 * Method: tables; received blocks stand in exact heap blocks, and so does every
 * beginning of them, so that a sanitizer sees a read of one byte too many. */
#include "natlet/headers.h"

#include "support/test.h"

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

/* Without a NUL; returns how many bytes. */
static size_t put(uint8_t *out, const char *bytes)
{
    size_t len = 0;

    for (; bytes[len] != '\0'; len++) {
        out[len] = (uint8_t)bytes[len];
    }
    return len;
}

static void a_block_grows_field_by_field(void)
{
    uint8_t mem[100];
    natlet_headers headers;

    CHECK_INT(natlet_headers_init(&headers, mem, sizeof mem), NATLET_OK);
    CHECK_INT(natlet_headers_block(&headers).len, 0);
    CHECK_INT(natlet_headers_add(&headers, text("A"), text("1")), NATLET_OK);
    CHECK_SLICE(natlet_headers_block(&headers), "NATS/1.0\r\nA: 1\r\n\r\n");
    CHECK_INT(natlet_headers_add(&headers, text("a-B"), text("two words")), NATLET_OK);
    CHECK_INT(natlet_headers_add(&headers, text("A"), text("")), NATLET_OK);
    CHECK_SLICE(natlet_headers_block(&headers),
                "NATS/1.0\r\nA: 1\r\na-B: two words\r\nA: \r\n\r\n");
    CHECK_INT(headers.count, 3);
    CHECK_INT(natlet_headers_check(natlet_headers_block(&headers)), NATLET_OK);
}

static void every_capacity(void)
{
    static const char whole[] = "NATS/1.0\r\nKey: value\r\n\r\n";

    for (size_t cap = 0; cap <= sizeof whole; cap++) {
        uint8_t *mem = malloc(cap > 0 ? cap : 1);
        natlet_headers headers;
        natlet_status st = natlet_headers_init(&headers, mem, cap);
        CHECK_INT(st, cap < NATLET_HEADER_BYTES_MIN ? NATLET_E_NO_MEMORY : NATLET_OK);
        st = natlet_headers_add(&headers, text("Key"), text("value"));
        CHECK_INT(st, cap < sizeof whole - 1 ? NATLET_E_FULL : NATLET_OK);
        if (st == NATLET_OK) {
            CHECK_SLICE(natlet_headers_block(&headers), "NATS/1.0\r\nKey: value\r\n\r\n");
        } else {
            CHECK_INT(natlet_headers_block(&headers).len, 0);
        }
        free(mem);
    }
}

/* Every byte value in a key and in a value. */
static void only_what_keeps_the_line_gets_in(void)
{
    for (int c = 0; c < 256; c++) {
        uint8_t mem[64];
        const uint8_t with[] = {'k', (uint8_t)c, 'k'};
        natlet_slice slice = {with, sizeof with};
        natlet_headers headers;
        bool is_key = c > 32 && c < 127 && c != ':';
        bool is_value = c != '\r' && c != '\n' && c != 0;
        CHECK_INT(natlet_headers_init(&headers, mem, sizeof mem), NATLET_OK);
        CHECK_INT(natlet_headers_add(&headers, slice, text("v")),
                  is_key ? NATLET_OK : NATLET_E_HEADER);
        CHECK_INT(headers.count, is_key);
        CHECK_INT(natlet_headers_add(&headers, text("k"), slice),
                  is_value ? NATLET_OK : NATLET_E_HEADER);
        CHECK_INT(headers.count, is_key + is_value);
    }
}

static void a_refused_field_changes_nothing(void)
{
    uint8_t mem[30];
    natlet_headers headers;
    natlet_slice huge = {mem, SIZE_MAX - 3};

    CHECK_INT(natlet_headers_init(&headers, mem, sizeof mem), NATLET_OK);
    CHECK_INT(natlet_headers_add(&headers, text("A"), text("1")), NATLET_OK);
    CHECK_INT(natlet_headers_add(&headers, text(""), text("v")), NATLET_E_HEADER);
    CHECK_INT(natlet_headers_add(&headers, text("k"), text("v\r\nX: y")), NATLET_E_HEADER);
    CHECK_INT(natlet_headers_add(&headers, text("k"), text("far too long for it")), NATLET_E_FULL);
    CHECK_INT(natlet_headers_add(&headers, text("k"), huge), NATLET_E_HEADER);
    CHECK_INT(natlet_headers_add(&headers, huge, text("v")), NATLET_E_HEADER);
    CHECK_SLICE(natlet_headers_block(&headers), "NATS/1.0\r\nA: 1\r\n\r\n");
}

static void limits_of_a_block(void)
{
    static uint8_t mem[NATLET_HEADER_BYTES_MAX + 100];
    static uint8_t value[NATLET_HEADER_BYTES_MAX];
    const size_t around = 12 + 1 + 2 + 2; /* "NATS/1.0" CRLF CRLF, "k", ": ", CRLF */
    natlet_headers headers;

    memset(value, 'v', sizeof value);
    CHECK_INT(natlet_headers_init(&headers, mem, sizeof mem), NATLET_OK);
    for (uint32_t i = 0; i < NATLET_HEADER_FIELDS_MAX; i++) {
        CHECK_INT(natlet_headers_add(&headers, text("k"), text("v")), NATLET_OK);
    }
    CHECK_INT(natlet_headers_add(&headers, text("k"), text("v")), NATLET_E_HEADER);
    CHECK_INT(natlet_headers_check(natlet_headers_block(&headers)), NATLET_OK);

    CHECK_INT(natlet_headers_init(&headers, mem, sizeof mem), NATLET_OK);
    natlet_slice longest = {value, NATLET_HEADER_BYTES_MAX - around};
    natlet_slice longer = {value, NATLET_HEADER_BYTES_MAX - around + 1};
    CHECK_INT(natlet_headers_add(&headers, text("k"), longer), NATLET_E_HEADER);
    CHECK_INT(natlet_headers_add(&headers, text("k"), longest), NATLET_OK);
    CHECK_INT(natlet_headers_block(&headers).len, NATLET_HEADER_BYTES_MAX);
    CHECK_INT(natlet_headers_check(natlet_headers_block(&headers)), NATLET_OK);
}

/* "key=value;" for each field of the block. */
static void log_fields(const uint8_t *ptr, size_t len, char *log)
{
    natlet_header field;

    *log = '\0';
    for (size_t at = 0; natlet_headers_next((natlet_slice){ptr, len}, &at, &field);) {
        log += sprintf(log, "%.*s=%.*s;", (int)field.key.len, (const char *)field.key.ptr,
                       (int)field.value.len, (const char *)field.value.ptr);
    }
}

static void check_fields(const char *bytes, size_t len, const char *want)
{
    char log[200];

    for (size_t n = 0; n <= len; n++) {
        uint8_t *exact = malloc(n > 0 ? n : 1);
        memcpy(exact, bytes, n);
        log_fields(exact, n, log);
        CHECK(strncmp(log, want, strlen(log)) == 0); /* a beginning shows a beginning */
        free(exact);
    }
    CHECK_TEXT(log, want);
}

#define FIELDS(block, want) check_fields((block), sizeof(block) - 1, (want))

static void fields_are_read_where_they_lie(void)
{
    FIELDS("NATS/1.0\r\n\r\n", "");
    FIELDS("NATS/1.0\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n", "A=1;B=2;A=3;");
    FIELDS("NATS/1.0 503\r\nNats-Subject: x\r\n\r\n", "Nats-Subject=x;");
    FIELDS("NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\n\r\n", "Nats-Last-Consumer=1;");
    FIELDS("NATS/1.0\r\nA:1\r\nB:  \t2 \t \r\nC: 3:4\r\nD:\r\nE: \r\n\r\n", "A=1;B=2;C=3:4;D=;E=;");
    FIELDS("NATS/1.0\r\nA: gr\xc3\xbc\xff\t!\r\n\r\n", "A=gr\xc3\xbc\xff\t!;");
    FIELDS("NATS/1.0\r\nA: 1\r\n\r\nB: 2\r\n\r\n", "A=1;");
}

static void what_is_not_a_field_is_passed_over(void)
{
    FIELDS("NATS/1.0\r\nno colon\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\n: no key\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nkey : blank\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\n folded\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nA: 1\r\n\tfolded: on\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nlf: only\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\n\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nB: a\rb\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nB: a\0b\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nk\xc3\xa9y: 1\r\nA: 1\r\n\r\n", "A=1;");
    FIELDS("NATS/1.0\r\nA: 1\r\nB: cut short", "A=1;");
    FIELDS("", "");
    FIELDS("\r\n\r\n", "");
    FIELDS("A: 1\r\n\r\n", "");
    FIELDS("NATS/2.0\r\nA: 1\r\n\r\n", "");
    FIELDS("nats/1.0\r\nA: 1\r\n\r\n", "");
    FIELDS("NATS/1.0\nA: 1\r\n\r\n", "");
}

static void the_first_value_of_a_key(void)
{
    natlet_slice block = text("NATS/1.0\r\nA: 1\r\na: 2\r\nA: 3\r\nEmpty:\r\n\r\n");
    natlet_slice value = {0};

    CHECK(natlet_headers_get(block, text("A"), &value));
    CHECK_SLICE(value, "1");
    CHECK(natlet_headers_get(block, text("a"), &value));
    CHECK_SLICE(value, "2");
    CHECK(natlet_headers_get(block, text("Empty"), &value));
    CHECK_SLICE(value, "");
    CHECK(!natlet_headers_get(block, text("b"), &value));
    CHECK(!natlet_headers_get(block, text(""), &value));
    CHECK(!natlet_headers_get((natlet_slice){0}, text("A"), &value));
}

static void the_status_of_the_first_line(void)
{
    static const struct {
        const char *block;
        uint32_t code;
        const char *text;
    } cases[] = {
        {"NATS/1.0\r\n\r\n", 0, ""},
        {"NATS/1.0 503\r\n\r\n", 503, ""},
        {"NATS/1.0 503 \r\n\r\n", 503, ""},
        {"NATS/1.0  503\r\n\r\n", 503, ""},
        {"NATS/1.0\t503\tNo\r\n\r\n", 503, "No"},
        {"NATS/1.0 100 Idle Heartbeat\r\nA: 1\r\n\r\n", 100, "Idle Heartbeat"},
        {"NATS/1.0 404  No  Messages  \r\n\r\n", 404, "No  Messages"},
        {"NATS/1.0 999\r\n\r\n", 999, ""},
        {"NATS/1.0 99\r\n\r\n", 0, ""},
        {"NATS/1.0 099\r\n\r\n", 0, ""},
        {"NATS/1.0 1000\r\n\r\n", 0, ""},
        {"NATS/1.0 50x\r\n\r\n", 0, ""},
        {"NATS/1.0 +50\r\n\r\n", 0, ""},
        {"NATS/1.0 abc def\r\n\r\n", 0, ""},
        {"NATS/1.0503\r\n\r\n", 0, ""},
        {"NATS/1.0 503\n\r\n", 0, ""},
        {"NATS/1.1 503\r\n\r\n", 0, ""},
        {"NATS/1.0 503", 0, ""},
        {"", 0, ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        natlet_slice found = text("untouched");
        CHECK_INT(natlet_headers_status(text(cases[i].block), &found), cases[i].code);
        test_slice(__FILE__, __LINE__, found, cases[i].text, strlen(cases[i].text));
        CHECK_INT(natlet_headers_status(text(cases[i].block), NULL), cases[i].code);
    }
}

static void check_block(const char *bytes, size_t len, natlet_status want)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);

    memcpy(exact, bytes, len);
    CHECK_INT(natlet_headers_check((natlet_slice){exact, len}), want);
    for (size_t n = 0; n < len; n++) {
        CHECK_INT(natlet_headers_check((natlet_slice){exact, n}), NATLET_E_HEADER);
    }
    free(exact);
}

#define GOOD(block) check_block((block), sizeof(block) - 1, NATLET_OK)
#define BAD(block) check_block((block), sizeof(block) - 1, NATLET_E_HEADER)

static void blocks_that_may_be_sent(void)
{
    GOOD("NATS/1.0\r\n\r\n");
    GOOD("NATS/1.0\r\nA: 1\r\nB:2\r\nC:\r\n\r\n");
    GOOD("NATS/1.0 503\r\n\r\n");
    GOOD("NATS/1.0 503 No Responders\r\nA: 1\r\n\r\n");
    BAD("");
    BAD("NATS/1.0\r\n");
    BAD("NATS/1.0 \r\n\r\n");
    BAD("NATS/1.0 5\r\n\r\n");
    BAD("NATS/1.0 503 a\rb\r\n\r\n");
    BAD("NATS/1.0 503 a\0b\r\n\r\n");
    BAD("NATS/2.0\r\n\r\n");
    BAD("NATS/1.0\n\r\n");
    BAD("NATS/1.0\r\nA 1\r\n\r\n");
    BAD("NATS/1.0\r\nA : 1\r\n\r\n");
    BAD("NATS/1.0\r\n: 1\r\n\r\n");
    BAD("NATS/1.0\r\nA: 1\n\r\n");
    BAD("NATS/1.0\r\nA: 1\rB\r\n\r\n");
    BAD("NATS/1.0\r\nA: 1\r\n\n");
    CHECK_INT(natlet_headers_check(text("NATS/1.0\r\n\r\nx")), NATLET_E_HEADER);
    CHECK_INT(natlet_headers_check(text("NATS/1.0\r\n\r\n\r\n")), NATLET_E_HEADER);
}

static void blocks_that_are_too_large_may_not(void)
{
    static uint8_t block[NATLET_HEADER_BYTES_MAX + 1];
    size_t len = put(block, "NATS/1.0\r\n");

    for (uint32_t i = 0; i <= NATLET_HEADER_FIELDS_MAX; i++) {
        (void)put(block + len + (size_t)i * 4, "k:\r\n\r\n");
        natlet_slice so_far = {block, len + (size_t)i * 4 + 6};
        CHECK_INT(natlet_headers_check(so_far),
                  i < NATLET_HEADER_FIELDS_MAX ? NATLET_OK : NATLET_E_HEADER);
    }
    memset(block, 'v', sizeof block);
    (void)put(block, "NATS/1.0\r\nk:");
    (void)put(block + sizeof block - 4, "\r\n\r\n");
    CHECK_INT(natlet_headers_check((natlet_slice){block, sizeof block}), NATLET_E_HEADER);
    (void)put(block + sizeof block - 5, "\r\n\r\n");
    CHECK_INT(natlet_headers_check((natlet_slice){block, sizeof block - 1}), NATLET_OK);
}

int main(void)
{
    RUN(a_block_grows_field_by_field);
    RUN(every_capacity);
    RUN(only_what_keeps_the_line_gets_in);
    RUN(a_refused_field_changes_nothing);
    RUN(limits_of_a_block);
    RUN(fields_are_read_where_they_lie);
    RUN(what_is_not_a_field_is_passed_over);
    RUN(the_first_value_of_a_key);
    RUN(the_status_of_the_first_line);
    RUN(blocks_that_may_be_sent);
    RUN(blocks_that_are_too_large_may_not);
    return test_done();
}
