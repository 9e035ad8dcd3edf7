/* Goal: what is written is JSON with its commas in the right places, and memory ends
 * where it ends.
 *
 * Method: one document with everything in it, written into every capacity from 0 up. */
#include "natlet/json.h"

#include "support/test.h"
#include "json/reader.h"

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

static const char whole[] =
    "{\"a\":[],\"b\":{},\"n\":[0,18446744073709551615,-9223372036854775808,7],"
    "\"s\":\"q\\\"b\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9/\",\"k\\\"\":true,\"f\":false,"
    "\"r\":{\"x\": 1},\"z\":\"aGk=\",\"e\":\"\",\"y\":\"\"}";

static void write_whole(natlet_json_out *out)
{
    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "a");
    natlet_json_out_open(out, '[');
    natlet_json_out_close(out, ']');
    natlet_json_out_key(out, "b");
    natlet_json_out_open(out, '{');
    natlet_json_out_close(out, '}');
    natlet_json_out_key(out, "n");
    natlet_json_out_open(out, '[');
    natlet_json_out_u64(out, 0);
    natlet_json_out_u64(out, UINT64_MAX);
    natlet_json_out_i64(out, INT64_MIN);
    natlet_json_out_i64(out, 7);
    natlet_json_out_close(out, ']');
    natlet_json_out_key(out, "s");
    natlet_json_out_string(out, text("q\"b\\\b\f\n\r\t\x01\x1f\x7f\xc3\xa9/"));
    natlet_json_out_key_text(out, text("k\""));
    natlet_json_out_bool(out, true);
    natlet_json_out_key(out, "f");
    natlet_json_out_bool(out, false);
    natlet_json_out_key(out, "r");
    natlet_json_out_raw(out, text("{\"x\": 1}"));
    natlet_json_out_key(out, "z");
    natlet_json_out_base64(out, text("hi"));
    natlet_json_out_key(out, "e");
    natlet_json_out_base64(out, (natlet_slice){0});
    natlet_json_out_key(out, "y");
    natlet_json_out_string(out, (natlet_slice){0});
    natlet_json_out_close(out, '}');
}

static void every_capacity(void)
{
    const size_t len = sizeof whole - 1;

    for (size_t cap = 0; cap <= len + 2; cap++) {
        uint8_t *mem = malloc(cap > 0 ? cap : 1);
        natlet_json_out out;
        natlet_json_out_init(&out, mem, cap);
        write_whole(&out);
        CHECK_INT(out.len, len);
        if (cap >= len) {
            CHECK(memcmp(mem, whole, len) == 0);
        }
        free(mem);
    }
    CHECK(natlet__json_valid(text(whole)));
}

static void what_does_not_fit_leaves_no_hole(void)
{
    uint8_t mem[8] = "........";
    natlet_json_out out;

    natlet_json_out_init(&out, mem, 5);
    natlet_json_out_open(&out, '[');
    natlet_json_out_raw(&out, text("1234567"));
    natlet_json_out_u64(&out, 1);
    natlet_json_out_close(&out, ']');
    CHECK_INT(out.len, 11);
    CHECK(memcmp(mem, "[.......", 8) == 0);
}

static void scalars_alone(void)
{
    uint8_t mem[40];
    natlet_json_out out;

    natlet_json_out_init(&out, mem, sizeof mem);
    natlet_json_out_i64(&out, -1);
    CHECK_SLICE(((natlet_slice){mem, out.len}), "-1");
    natlet_json_out_init(&out, mem, sizeof mem);
    natlet_json_out_string(&out, text("\r\n"));
    CHECK_SLICE(((natlet_slice){mem, out.len}), "\"\\r\\n\"");
}

/* Every byte, through the writer and back. */
static void strings_come_back(void)
{
    uint8_t bytes[0x80];
    uint8_t mem[1000];
    uint8_t back[1000];
    natlet_json_out out;
    natlet__json json;
    natlet__json_token token;

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    natlet_json_out_init(&out, mem, sizeof mem);
    natlet_json_out_string(&out, (natlet_slice){bytes, sizeof bytes});
    natlet__json_init(&json, (natlet_slice){mem, out.len}, 1);
    CHECK_INT(natlet__json_next(&json, &token), NATLET_OK);
    CHECK(token.kind == NATLET__JSON_STRING && token.has_escapes);
    CHECK_INT(natlet__json_unescape(back, token.text), sizeof bytes);
    CHECK(memcmp(back, bytes, sizeof bytes) == 0);
}

int main(void)
{
    RUN(every_capacity);
    RUN(what_does_not_fit_leaves_no_hole);
    RUN(scalars_alone);
    RUN(strings_come_back);
    return test_done();
}
