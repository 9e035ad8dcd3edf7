#include "proto/writer.h"

#include <string.h>

#include "base/bytes.h"
#include "natlet/json.h"
#include "natlet/version.h"

/* A blank in front of what is not the verb. */
static uint8_t *put_word(uint8_t *at, natlet_slice word)
{
    *at = ' ';
    return natlet__put(at + 1, word);
}

static uint8_t *put_number(uint8_t *at, uint64_t value)
{
    *at = ' ';
    return at + 1 + natlet__write_decimal(at + 1, value);
}

static size_t end_line(uint8_t *line, uint8_t *at)
{
    at[0] = '\r';
    at[1] = '\n';
    return (size_t)(at - line) + 2;
}

size_t natlet__write_pub(uint8_t *out, const natlet_msg *msg)
{
    static const natlet_slice pub = NATLET_TEXT("PUB");
    static const natlet_slice hpub = NATLET_TEXT("HPUB");
    bool has_headers = msg->headers.len > 0;
    uint8_t *at = put_word(natlet__put(out, has_headers ? hpub : pub), msg->subject);

    if (msg->reply.len > 0) {
        at = put_word(at, msg->reply);
    }
    if (has_headers) {
        at = put_number(at, msg->headers.len);
    }
    at = put_number(at, (uint64_t)msg->headers.len + msg->payload.len);
    return end_line(out, at);
}

size_t natlet__write_sub(uint8_t *out, natlet_slice subject, natlet_slice queue, uint64_t sid)
{
    static const natlet_slice sub = NATLET_TEXT("SUB");
    uint8_t *at = put_word(natlet__put(out, sub), subject);

    if (queue.len > 0) {
        at = put_word(at, queue);
    }
    return end_line(out, put_number(at, sid));
}

size_t natlet__write_unsub(uint8_t *out, uint64_t sid, uint64_t max)
{
    static const natlet_slice unsub = NATLET_TEXT("UNSUB");
    uint8_t *at = put_number(natlet__put(out, unsub), sid);

    if (max > 0) {
        at = put_number(at, max);
    }
    return end_line(out, at);
}

/* The fields, in the order in which they are written. */
static const char flag_names[] = "verbose\0pedantic\0echo\0tls_required\0headers\0no_responders\0";
static const char text_names[] = "name\0user\0pass\0auth_token\0nkey\0jwt\0sig\0";
static const uint8_t flag_offsets[] = {
    offsetof(natlet__connect, verbose), offsetof(natlet__connect, pedantic),
    offsetof(natlet__connect, echo),    offsetof(natlet__connect, tls_required),
    offsetof(natlet__connect, headers), offsetof(natlet__connect, no_responders),
};
static const uint8_t text_offsets[] = {
    offsetof(natlet__connect, name), offsetof(natlet__connect, user),
    offsetof(natlet__connect, pass), offsetof(natlet__connect, auth_token),
    offsetof(natlet__connect, nkey), offsetof(natlet__connect, jwt),
    offsetof(natlet__connect, sig),
};

/* The server takes true for verbose, pedantic and echo when they are not said. */
static void put_options(natlet_json_out *json, const natlet__connect *connect)
{
    static const natlet_slice ours = NATLET_TEXT(
        /* INFO may come at any time: protocol 1 */
        "\"lang\":\"natlet\",\"version\":\"" NATLET_VERSION "\",\"protocol\":1");
    const char *fields = (const char *)connect;
    const char *key = flag_names;

    for (size_t i = 0; i < sizeof flag_offsets; i++, key += strlen(key) + 1) {
        natlet_json_out_key(json, key);
        natlet_json_out_bool(json, *(const bool *)(fields + flag_offsets[i]));
    }
    key = text_names;
    for (size_t i = 0; i < sizeof text_offsets; i++, key += strlen(key) + 1) {
        const natlet_slice *text = (const void *)(fields + text_offsets[i]);
        if (text->len > 0) {
            natlet_json_out_key(json, key);
            natlet_json_out_string(json, *text);
        }
    }
    natlet_json_out_raw(json, ours);
}

size_t natlet__write_connect(uint8_t *out, size_t cap, const natlet__connect *connect)
{
    static const natlet_slice verb = NATLET_TEXT("CONNECT ");
    size_t frame = verb.len + 2;
    natlet_json_out json;

    if (cap < frame) {
        return 0;
    }
    natlet_json_out_init(&json, out + verb.len, cap - frame);
    natlet_json_out_open(&json, '{');
    put_options(&json, connect);
    natlet_json_out_close(&json, '}');
    if (json.len > json.cap) {
        return 0;
    }
    (void)natlet__put(out, verb);
    return end_line(out, out + verb.len + json.len);
}
