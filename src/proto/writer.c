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

static void put_flag(natlet_json_out *json, const char *key, bool value)
{
    natlet_json_out_key(json, key);
    natlet_json_out_bool(json, value);
}

static void put_text(natlet_json_out *json, const char *key, natlet_slice text)
{
    if (text.len > 0) {
        natlet_json_out_key(json, key);
        natlet_json_out_string(json, text);
    }
}

/* The server takes true for verbose, pedantic and echo when they are not said. */
static void put_options(natlet_json_out *json, const natlet__connect *connect)
{
    put_flag(json, "verbose", connect->verbose);
    put_flag(json, "pedantic", connect->pedantic);
    put_flag(json, "echo", connect->echo);
    put_flag(json, "tls_required", connect->tls_required);
    put_flag(json, "headers", connect->headers);
    put_flag(json, "no_responders", connect->no_responders);
    put_text(json, "name", connect->name);
    put_text(json, "user", connect->user);
    put_text(json, "pass", connect->pass);
    put_text(json, "auth_token", connect->auth_token);
    put_text(json, "nkey", connect->nkey);
    put_text(json, "jwt", connect->jwt);
    put_text(json, "sig", connect->sig);
    put_text(json, "lang", natlet__text("natlet"));
    put_text(json, "version", natlet__text(NATLET_VERSION));
    natlet_json_out_key(json, "protocol");
    natlet_json_out_u64(json, 1); /* INFO may come at any time */
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
