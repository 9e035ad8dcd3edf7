/* Goal: an escape stands for one character, and only well-formed ones are taken. */
#include "json/escape.h"

#include "support/test.h"
#include "json/reader.h"

static void check_unescape(const char *text, const char *want, size_t want_len)
{
    natlet_slice in = {(const uint8_t *)text, strlen(text)};
    uint8_t *out = malloc(in.len + 1); /* what the contract asks for; 1 to make it a block */
    natlet_slice got = {out, natlet__json_unescape(out, in)};

    test_slice(__FILE__, __LINE__, got, want, want_len);
    CHECK(got.len <= in.len);
    free(out);
}

#define UNESCAPE(text, want) check_unescape((text), (want), sizeof(want) - 1)

static void escapes_become_characters(void)
{
    UNESCAPE("", "");
    UNESCAPE("plain", "plain");
    UNESCAPE("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
    UNESCAPE("a\\u0000b", "a\0b");
    UNESCAPE("\\u0041\\u007f", "A\x7f");
    UNESCAPE("\\u0080\\u07ff", "\xc2\x80\xdf\xbf");
    UNESCAPE("\\u0800\\uFFFF", "\xe0\xa0\x80\xef\xbf\xbf");
    UNESCAPE("\\ud800\\udc00\\uDBFF\\uDFFF", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    UNESCAPE("\\uD83D\\uDE00!", "\xf0\x9f\x98\x80!");
    UNESCAPE("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}

static void lengths_of_escapes(void)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"\\n", 2},
        {"\\nx", 2},
        {"\\u0041", 6},
        {"\\u00411", 6},
        {"\\uD83D\\uDE00", 12},
        {"\\", 0},
        {"\\q", 0},
        {"\\u", 0},
        {"\\u004", 0},
        {"\\u004g", 0},
        {"\\u00 1", 0},
        {"\\U0041", 0},
        {"\\uD83D", 0},
        {"\\uD83D\\", 0},
        {"\\uD83D\\uDE0", 0},
        {"\\uD83D\\nDE00", 0},
        {"\\uD83D\\u0041", 0},
        {"\\uD83DxuDE00", 0},
        {"\\uDE00", 0},
        {"\\uDE00\\uD83D", 0},
        {"\\u:000", 0},
        {"\\u/000", 0},
        {"\\u@000", 0},
        {"\\u`000", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].text);
        uint8_t *exact = malloc(len);
        memcpy(exact, cases[i].text, len);
        natlet_slice rest = {exact, len};
        bool is_one = natlet__json_take_escape(&rest) != NATLET__JSON_NO_RUNE;
        CHECK_INT(is_one ? len - rest.len : 0, cases[i].len);
        free(exact);
    }
}

/* Never asked for by the reader, but no byte may be lost on the way. */
static void what_is_no_escape_stays(void)
{
    UNESCAPE("a\\", "a\\");
    UNESCAPE("\\qx", "\\qx");
    UNESCAPE("\\uD83D!", "\\uD83D!");
}

int main(void)
{
    RUN(escapes_become_characters);
    RUN(lengths_of_escapes);
    RUN(what_is_no_escape_stays);
    return test_done();
}
