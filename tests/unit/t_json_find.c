/* Goal: a JSON pointer finds what RFC 6901 says, in its raw text. */
#include "json/reader.h"

#include "support/test.h"

/* In blocks of exact size, so that a sanitizer sees a read of one byte too many. */
static natlet_status find(const char *text, const char *pointer, natlet_slice *value,
                          uint8_t *exact[2])
{
    natlet_slice in = {NULL, strlen(text)};
    natlet_slice at = {NULL, strlen(pointer)};

    exact[0] = malloc(in.len + 1);
    exact[1] = malloc(at.len + 1);
    in.ptr = memcpy(exact[0] + 1, text, in.len);
    at.ptr = memcpy(exact[1] + 1, pointer, at.len);
    return natlet_json_find(in, at, value);
}

/* `want` NULL: nothing is found. */
static void check_find(int line, const char *text, const char *pointer, const char *want)
{
    natlet_slice value = {0};
    uint8_t *exact[2];
    natlet_status st = find(text, pointer, &value, exact);

    test_int(__FILE__, line, st, want != NULL ? NATLET_OK : NATLET_E_NOT_FOUND);
    if (want != NULL && st == NATLET_OK) {
        test_slice(__FILE__, line, value, want, strlen(want));
    }
    free(exact[0]);
    free(exact[1]);
}

#define FIND(text, pointer, want) check_find(__LINE__, (text), (pointer), (want))

/* The document of RFC 6901, section 5. */
static void the_examples_of_the_rfc(void)
{
    const char *text = "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, "
                       "\"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";

    FIND(text, "", text);
    FIND(text, "/foo", "[\"bar\", \"baz\"]");
    FIND(text, "/foo/0", "\"bar\"");
    FIND(text, "/", "0");
    FIND(text, "/a~1b", "1");
    FIND(text, "/c%d", "2");
    FIND(text, "/e^f", "3");
    FIND(text, "/g|h", "4");
    FIND(text, "/i\\j", "5");
    FIND(text, "/k\"l", "6");
    FIND(text, "/ ", "7");
    FIND(text, "/m~0n", "8");
}

static void raw_text_is_found_with_nothing_around(void)
{
    const char *text =
        " { \"a\" : { \"b\" : [ 1 , { \"c\" : \"x\\n\" } , -2.5e3 ] } , \"t\" : true } ";

    FIND(text, "/a/b/0", "1");
    FIND(text, "/a/b/1", "{ \"c\" : \"x\\n\" }");
    FIND(text, "/a/b/1/c", "\"x\\n\"");
    FIND(text, "/a/b/2", "-2.5e3");
    FIND(text, "/t", "true");
    FIND(" { \"t\" : true } ", "", "{ \"t\" : true }");
    FIND("3", "", "3");
    FIND(" \"s\" ", "", "\"s\"");
    FIND("[]", "", "[]");
    FIND("[\"\"]", "/0", "\"\"");
}

static void what_is_not_there_is_not_found(void)
{
    const char *text = "{\"a\":{\"b\":[1,2]},\"s\":\"x\"}";

    FIND(text, "/b", NULL);
    FIND(text, "/a/c", NULL);
    FIND(text, "/a/b/2", NULL);
    FIND(text, "/a/b/-", NULL);
    FIND(text, "/a/b/01", NULL);
    FIND(text, "/a/b/+1", NULL);
    FIND(text, "/a/b/", NULL);
    FIND(text, "/a/b/99999999999999999999", NULL);
    FIND(text, "/a/b/4294967296", NULL);
    FIND(text, "/a/b/0/x", NULL);
    FIND(text, "/s/0", NULL);
    FIND(text, "/", NULL);
    FIND(text, "//", NULL);
    FIND(text, "/a/", NULL);
    FIND(text, "a", NULL);
    FIND("{\"~\":1}", "/~", NULL);
    FIND("{\"~\":1}", "/~2", NULL);
    FIND("{\"~\":1}", "/~0", "1");
    FIND("{\"~0\":1}", "/~0", NULL);
    FIND("{\"~1\":1}", "/~01", "1");
    FIND("{\"ab\":1}", "/a", NULL);
    FIND("{\"a\":1}", "/ab", NULL);
}

static void keys_are_compared_without_their_escapes(void)
{
    FIND("{\"\\u0061b\":1}", "/ab", "1");
    FIND("{\"\\u00e9\":1}", "/\xc3\xa9", "1");
    FIND("{\"\\ud83d\\ude00\":1}", "/\xf0\x9f\x98\x80", "1");
    FIND("{\"a\\/b\":1}", "/a~1b", "1");
    FIND("{\"\\u0061\":1}", "/\\u0061", NULL);
}

static void the_last_of_two_members_counts(void)
{
    FIND("{\"a\":1,\"b\":3,\"a\":2}", "/a", "2");
    FIND("{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "/a/b", NULL);
    FIND("{\"a\":{\"b\":1},\"a\":{\"c\":2}}", "/a/c", "2");
    FIND("{\"a\":{\"b\":1},\"a\":7}", "/a/b", NULL);
    FIND("{\"a\":1,\"\\u0061\":2}", "/a", "2");
}

static void only_a_whole_document_is_searched(void)
{
    static const char *const broken[] = {"",           "{\"a\":1",        "{\"a\":1}x",
                                         "{\"a\":1,}", "[1,{\"a\"]",      "{\"a\":01}",
                                         "nul",        "{\"a\":\"\xff\"}"};

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        natlet_slice value;
        uint8_t *exact[2];
        CHECK_INT(find(broken[i], "/a", &value, exact), NATLET_E_JSON);
        free(exact[0]);
        free(exact[1]);
    }
}

/* 127 levels, and a pointer through all of them. */
static void the_deepest_value_is_found(void)
{
    const size_t levels = 127;
    char text[256];
    char pointer[256];

    for (size_t i = 0; i < levels; i++) {
        text[i] = '[';
        text[2 * levels - i] = ']';
        pointer[2 * i] = '/';
        pointer[2 * i + 1] = '0';
    }
    text[levels] = '5';
    text[2 * levels + 1] = '\0';
    pointer[2 * levels] = '\0';
    FIND(text, pointer, "5");
}

int main(void)
{
    RUN(the_examples_of_the_rfc);
    RUN(raw_text_is_found_with_nothing_around);
    RUN(what_is_not_there_is_not_found);
    RUN(keys_are_compared_without_their_escapes);
    RUN(the_last_of_two_members_counts);
    RUN(only_a_whole_document_is_searched);
    RUN(the_deepest_value_is_found);
    return test_done();
}
