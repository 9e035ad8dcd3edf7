/* Goal: documents are accepted and refused as serde_json does it, and the tokens say
 * what stands in them.
 *
 * Method: tables, whose answers were taken from serde_json 1.0.87 (from_slice::<Value>,
 * default features); each document in an exact heap block, and all its beginnings too,
 * so that a sanitizer sees a read of one byte too many. */
#include "json/reader.h"

#include "support/test.h"

typedef struct document {
    const char *text;
    size_t len;
} document;

#define DOC(text) {text, sizeof(text) - 1}

/* clang-format off */
static const document accepted[] = {
    /* scalars */
    DOC("null"), DOC("true"), DOC("false"), DOC("0"), DOC("-0"), DOC("12"), DOC("\"a\""),
    DOC("\"\""), DOC("[]"), DOC("{}"), DOC(" \t\n\r1\r\n\t "),
    /* containers */
    DOC("[1]"), DOC("[1,2]"), DOC(" [ 1 , 2 ] "), DOC("[[],{}]"), DOC("{\"a\":1}"),
    DOC(" { \"a\" : 1 , \"b\" : [ ] } "), DOC("{\"a\":1,\"a\":2}"), DOC("{\"\":0}"),
    DOC("{\"a\":{\"b\":[{}]}}"), DOC("{\"a\\u0062\":1}"),
    /* numbers */
    DOC("1e5"), DOC("1E5"), DOC("1e+5"), DOC("1e-5"), DOC("1.5"), DOC("-1.5e+10"), DOC("0.0"),
    DOC("-0.0"), DOC("0e0"), DOC("1e00005"), DOC("18446744073709551615"),
    DOC("18446744073709551616"), DOC("-9223372036854775808"), DOC("-9223372036854775809"),
    DOC("123456789012345678901234567890"), DOC("0.1234567890123456789012345678901234567890"),
    DOC("1e308"), DOC("1e-400"), DOC("0e400"), DOC("0.0e400"), DOC("-0e99999999999999999999"),
    DOC("1e-99999999999999999999"), DOC("0.00e2147483648"), DOC("1e-2147483648"),
    DOC("1.7976931348623157e308"), DOC("-1.7976931348623157e308"), DOC("17976931348623157e292"),
    DOC("179769313486231570e291"), DOC("0.00017976931348623157e312"),
    DOC("1.79769313486231569e308"), DOC("1.7976931348623150e308"), DOC("9.9e307"), DOC("10e307"),
    DOC("0.1e309"), DOC("0.01e310"), DOC("18446744073709551615e288"),
    /* strings */
    DOC("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), DOC("\"\\u0000\""), DOC("\"\\u00e9\\u20AC\""),
    DOC("\"\\uD83D\\uDE00\""), DOC("\"\\ud83d\\ude00\""), DOC("\"\\uDBFF\\uDFFF\""),
    DOC("\"\\uFFFF\""), DOC("\"\177\""), DOC("\"\303\251\""),
    DOC("\"\342\202\254\360\237\230\200\""), DOC("\"\364\217\277\277\""),
    DOC("\"\355\237\277\356\200\200\""), DOC("[\"\303\251\"]"),
};

static const document refused[] = {
    /* scalars */
    DOC(""), DOC(" "), DOC("\n"), DOC("nul"), DOC("nulll"), DOC("tru"), DOC("True"), DOC("NULL"),
    DOC("undefined"), DOC("NaN"), DOC("Infinity"), DOC("-Infinity"), DOC("-NaN"), DOC("'a'"),
    DOC("a"), DOC("1 2"), DOC("1,"), DOC("1\000"), DOC("\000"), DOC("1\013"), DOC("1\014"),
    DOC("\302\2401"), DOC("\357\273\2771"), DOC("\357\273\277"), DOC("/**/1"), DOC("1//"),
    DOC("#\n1"), DOC("true false"), DOC("nulltrue"), DOC("\"a\"\"b\""),
    /* containers */
    DOC("["), DOC("]"), DOC("{"), DOC("}"), DOC("[1"), DOC("[1,"), DOC("[1,]"), DOC("[,1]"),
    DOC("[,]"), DOC("[1,,2]"), DOC("[1 2]"), DOC("[}"), DOC("{]"), DOC("[1}"), DOC("{\"a\":1]"),
    DOC("{\"a\"}"), DOC("{\"a\":}"), DOC("{\"a\":1,}"), DOC("{,}"), DOC("{\"a\":1,,\"b\":2}"),
    DOC("{a:1}"), DOC("{'a':1}"), DOC("{1:1}"), DOC("{null:1}"), DOC("{\"a\" 1}"),
    DOC("{\"a\"::1}"), DOC("{\"a\":1 \"b\":2}"), DOC("{\"a\",1}"), DOC("{:1}"), DOC("[\"a\":1]"),
    DOC("{\"a\":1}}"), DOC("[]]"), DOC("[] []"), DOC("{\"a\":1}{"), DOC("{\"\\q\":1}"), DOC("{\"a"),
    DOC("{\"a\""), DOC("{\"a\":"), DOC("{\"a\":1"), DOC("[[[[]]]"), DOC("[\""), DOC("[nul]"),
    /* numbers */
    DOC("01"), DOC("-01"), DOC("00"), DOC("0x1"), DOC("1_000"), DOC("+1"), DOC(".5"), DOC("-.5"),
    DOC("1."), DOC("-"), DOC("--1"), DOC("1.e5"), DOC("1e"), DOC("1e+"), DOC("1e-"), DOC("1e1.5"),
    DOC("1.2.3"), DOC("1e5e5"), DOC("1a"), DOC("0b1"), DOC("-a"), DOC("1 e5"), DOC("1e309"),
    DOC("-1e309"), DOC("1e400"), DOC("-1e400"), DOC("1e99999999999999999999"), DOC("1e2147483647"),
    DOC("1e2147483648"), DOC("1.7976931348623158e308"), DOC("1.7976931348623159e308"),
    DOC("1.7976931348623157000e308"), DOC("1.797693134862315708145274237317e308"), DOC("1.8e308"),
    DOC("10e308"), DOC("0.01e311"), DOC("00"), DOC("184467440737095516150e288"),
    DOC("18446744073709551615e289"),
    /* strings */
    DOC("\"\\uD83D\""), DOC("\"\\uDE00\""), DOC("\"\\uD83Dx\""), DOC("\"\\uD83D\\n\""),
    DOC("\"\\uD83D\\u0041\""), DOC("\"\\uD83D\\uD83D\""), DOC("\"\\uDE00\\uD83D\""),
    DOC("\"\\uD83D\\uDE0\""), DOC("\"\\u12\""), DOC("\"\\u12G4\""), DOC("\"\\u 123\""),
    DOC("\"\\U0041\""), DOC("\"\\x41\""), DOC("\"\\q\""), DOC("\"\\'\""), DOC("\"\\0\""),
    DOC("\"\\"), DOC("\"\\\""), DOC("\"\\u"), DOC("\"\\u00"), DOC("\"a"), DOC("\""), DOC("a\""),
    DOC("\"\n\""), DOC("\"\t\""), DOC("\"\000\""), DOC("\"\037\""), DOC("\"\200\""),
    DOC("\"\377\""), DOC("\"\303\""), DOC("\"\303(\""), DOC("\"\300\257\""),
    DOC("\"\340\200\257\""), DOC("\"\355\240\200\""), DOC("\"\364\220\200\200\""),
    DOC("\"\370\210\200\200\200\""), DOC("\"\360\237\230\""), DOC("\"a\377\\n\""),
    DOC("{\"\377\":1}"), DOC("{\"k\":\"\377\"}"), DOC("\303\251"), DOC("[\351]"),
};
/* clang-format on */

/* Asks about the first `len` bytes of `text`, in a block of their own. */
static bool is_valid(const char *text, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, text, len);
    bool valid = natlet__json_valid((natlet_slice){len > 0 ? exact : NULL, len});
    free(exact);
    return valid;
}

static void check_documents(const document *documents, size_t count, bool want)
{
    for (size_t i = 0; i < count; i++) {
        const document *d = &documents[i];
        CHECK_INT(is_valid(d->text, d->len), want);
        if (is_valid(d->text, d->len) != want) {
            printf("    in the document: %s\n", d->text);
        }
        for (size_t len = 0; len < d->len; len++) {
            (void)is_valid(d->text, len);
        }
    }
}

static void accepts_what_serde_json_accepts(void)
{
    check_documents(accepted, sizeof accepted / sizeof accepted[0], true);
}

static void refuses_what_serde_json_refuses(void)
{
    check_documents(refused, sizeof refused / sizeof refused[0], false);
}

/* Without a NUL; returns how many bytes. */
static size_t put(char *out, const char *text)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++) {
        out[len] = text[len];
    }
    return len;
}

/* `head`, `count` times `unit`, `tail`. */
static bool is_valid_repeated(const char *head, const char *unit, size_t count, const char *tail)
{
    char *text = malloc(strlen(head) + strlen(unit) * count + strlen(tail));
    size_t len = put(text, head);

    for (size_t i = 0; i < count; i++) {
        len += put(text + len, unit);
    }
    len += put(text + len, tail);
    bool valid = is_valid(text, len);
    free(text);
    return valid;
}

static void long_numbers_fit_or_do_not(void)
{
    CHECK(is_valid_repeated("1", "0", 308, ""));
    CHECK(!is_valid_repeated("1", "0", 309, ""));
    CHECK(is_valid_repeated("1", "0", 309, "e-1"));
    CHECK(is_valid_repeated("1", "0", 400, "e-100"));
    CHECK(is_valid_repeated("", "9", 308, ""));
    CHECK(!is_valid_repeated("", "9", 309, ""));
    CHECK(is_valid_repeated("0.", "0", 400, ""));
    CHECK(is_valid_repeated("0.", "0", 400, "1e500"));
    CHECK(is_valid_repeated("0.", "0", 400, "1e709"));
    CHECK(!is_valid_repeated("0.", "0", 400, "1e710"));
    CHECK(is_valid_repeated("0e", "9", 1000, ""));
    CHECK(is_valid_repeated("1e-", "9", 1000, ""));
    CHECK(!is_valid_repeated("1e", "9", 1000, ""));
}

/* `levels` containers in each other, arrays and objects in turn. */
static size_t nest(char *out, size_t levels)
{
    size_t len = 0;

    for (size_t i = 0; i < levels; i++) {
        len += (size_t)sprintf(out + len, "%s", i % 3 != 0 ? "[" : "{\"k\":");
    }
    out[len++] = '7';
    for (size_t i = levels; i > 0; i--) {
        out[len++] = (i - 1) % 3 != 0 ? ']' : '}';
    }
    return len;
}

static void depth_ends_at_127(void)
{
    char text[1000];

    CHECK(is_valid_repeated("", "[", 127, "") == false);
    for (size_t levels = 0; levels < 140; levels++) {
        size_t len = nest(text, levels);
        CHECK_INT(is_valid(text, len), levels <= 127);
    }
    CHECK(!is_valid_repeated("", "[", 100000, ""));
    CHECK(!is_valid_repeated("", "{\"k\":", 100000, ""));
}

static void depth_is_what_init_says(void)
{
    natlet_slice text = NATLET_TEXT("[[[]]]");

    for (uint32_t depth_max = 0; depth_max < 5; depth_max++) {
        natlet__json json;
        natlet__json_token token;
        natlet__json_init(&json, text, depth_max);
        while (natlet__json_next(&json, &token) == NATLET_OK && token.kind != NATLET__JSON_DONE) {
        }
        CHECK_INT(json.failed, depth_max >= 3 ? NATLET_OK : NATLET_E_JSON);
    }
}

static char letter_of(natlet__json_kind kind)
{
    static const char kinds[] = "{}[]:\"0tfn";
    const char *at = memchr(kinds, (int)kind, sizeof kinds);

    return at != NULL ? "{}[]ksntfz."[at - kinds] : '?';
}

/* One character a kind, the depth, and the text. */
static void log_tokens(const char *text, char *log)
{
    natlet__json json;
    natlet__json_token token = {.kind = NATLET__JSON_NULL};

    *log = '\0';
    natlet__json_init(&json, (natlet_slice){(const uint8_t *)text, strlen(text)}, 127);
    while (token.kind != NATLET__JSON_DONE && natlet__json_next(&json, &token) == NATLET_OK) {
        log += sprintf(log, "%c%u%s%.*s ", letter_of(token.kind), (unsigned)token.depth,
                       token.has_escapes ? "!" : "", (int)token.text.len,
                       token.text.len > 0 ? (const char *)token.text.ptr : "");
    }
    if (json.failed < 0) {
        (void)sprintf(log, "fail");
    }
}

static void tokens_say_what_is_there(void)
{
    char log[200];

    log_tokens(" {\"a\" : [ 1 , -2.5e3 ] , \"b\\n\" : { } , \"c\":\"x\\ty\"} ", log);
    CHECK_TEXT(log, "{0{ k1a [1[ n21 n2-2.5e3 ]1] k1!b\\n {1{ }1} k1c s1!x\\ty }0} .0 ");
    log_tokens("[true,false,null,\"\",[],0]", log);
    CHECK_TEXT(log, "[0[ t1true f1false z1null s1 [1[ ]1] n10 ]0] .0 ");
    log_tokens("3", log);
    CHECK_TEXT(log, "n03 .0 ");
    log_tokens("[1,{\"a\":2,}]", log);
    CHECK_TEXT(log, "[0[ n11 {1{ k2a n22 fail");
    log_tokens("[1] x", log);
    CHECK_TEXT(log, "[0[ n11 ]0] fail");
}

static void a_failure_is_for_ever(void)
{
    natlet_slice text = NATLET_TEXT("[1 2]");
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, text, 127);
    CHECK_INT(natlet__json_next(&json, &token), NATLET_OK);
    CHECK_INT(natlet__json_next(&json, &token), NATLET_OK);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(natlet__json_next(&json, &token), NATLET_E_JSON);
    }
    CHECK_INT(natlet__json_skip(&json, &token), NATLET_E_JSON);
}

/* Reads `count` tokens, skips from the last one, and shows what comes then. */
static void check_skip(const char *text, int count, const char *want)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, (natlet_slice){(const uint8_t *)text, strlen(text)}, 127);
    for (int i = 0; i < count; i++) {
        CHECK_INT(natlet__json_next(&json, &token), NATLET_OK);
    }
    CHECK_INT(natlet__json_skip(&json, &token), NATLET_OK);
    CHECK_INT(natlet__json_next(&json, &token), NATLET_OK);
    test_slice(__FILE__, __LINE__, token.text, want, strlen(want));
}

static void skip_passes_a_container_or_a_value(void)
{
    const char *text = "{\"a\":{\"b\":[[1],{}]},\"c\":3,\"d\":[4]}";

    check_skip(text, 1, "");  /* all of it; DONE comes */
    check_skip(text, 2, "c"); /* the value of "a" */
    check_skip(text, 3, "c"); /* the object */
    check_skip(text, 4, "}"); /* the value of "b" */
    check_skip(text, 5, "}"); /* the array */
    check_skip(text, 6, "{"); /* [1] */
    check_skip("{\"a\":1,\"b\":2}", 2, "b");
    check_skip("{\"a\":1,\"b\":2}", 4, "}");
}

static void whole_numbers_are_read(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool is_read;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"7", 7, true, 7},
        {"8", 7, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"1.0", 10, false, 0},
        {"1e2", 1000, false, 0},
        {"-1", 10, false, 0},
        {"-0", 10, false, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        natlet_slice text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        uint64_t value = 0;
        CHECK_INT(natlet_json_u64(text, cases[i].max, &value), cases[i].is_read);
        CHECK(value == cases[i].value);
    }
}

int main(void)
{
    RUN(accepts_what_serde_json_accepts);
    RUN(refuses_what_serde_json_refuses);
    RUN(long_numbers_fit_or_do_not);
    RUN(depth_ends_at_127);
    RUN(depth_is_what_init_says);
    RUN(tokens_say_what_is_there);
    RUN(a_failure_is_for_ever);
    RUN(skip_passes_a_container_or_a_value);
    RUN(whole_numbers_are_read);
    return test_done();
}
