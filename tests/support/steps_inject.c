/* The step that tries to write what it should not be able to write: every field that
 * the program can fill, with every byte that means something on the wire. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "natlet/headers.h"
#include "support/steps_subs.h"

#define BAD(text) NATLET_TEXT(text)

/* Each carries an operation that a server would take if it saw it. */
static const natlet_slice values[] = {
    BAD("a\r\nPUB canary.crlf 1\r\nx"),
    BAD("a\rPUB canary.cr 1"),
    BAD("a\nPUB canary.lf 1\n"),
    BAD("a\0b"),
    BAD("a b"),
    BAD("a\tb"),
    BAD("a\177b"),
    BAD(""),
    BAD("a..b"),
    BAD(".a"),
    BAD("a."),
    BAD("a.>.b"),
    BAD("a.*"),
};

enum { VALUES = sizeof values / sizeof values[0] };

typedef struct attempt {
    steps_client *c;
    natlet_slice value;
} attempt;

/* ---- the fields; each returns what it was told ---- */

static natlet_status as_subject(const attempt *a)
{
    return natlet_client_publish(a->c->client, &(natlet_msg){.subject = a->value});
}

static natlet_status as_reply(const attempt *a)
{
    return natlet_client_publish(
        a->c->client, &(natlet_msg){.subject = NATLET_TEXT("legal.reply"), .reply = a->value});
}

static natlet_status as_request(const attempt *a)
{
    return natlet_client_request(a->c->client, &(natlet_msg){.subject = a->value}, 1,
                                 steps_note_reply, a->c, NULL);
}

static natlet_status subscribe(const attempt *a, natlet_slice subject, natlet_slice queue)
{
    const natlet_subscribe_options options = {.queue = queue};
    const natlet_sink sink = {.self = a->c, .message = steps_note_message};
    uint32_t sid;
    natlet_status st = natlet_client_subscribe(a->c->client, &sid, subject, &options, &sink);

    if (st >= 0) {
        (void)natlet_client_unsubscribe(a->c->client, sid, 0);
    }
    return st;
}

static natlet_status as_interest(const attempt *a)
{
    return subscribe(a, a->value, (natlet_slice){0});
}

static natlet_status as_queue(const attempt *a)
{
    return subscribe(a, (natlet_slice)NATLET_TEXT("unheard"), a->value);
}

static natlet_status publish_header(const attempt *a, natlet_slice key, natlet_slice value)
{
    uint8_t mem[256];
    natlet_headers headers;

    (void)natlet_headers_init(&headers, mem, sizeof mem);
    natlet_status st = natlet_headers_add(&headers, key, value);
    return st < 0 ? st
                  : natlet_client_publish(a->c->client,
                                          &(natlet_msg){.subject = NATLET_TEXT("legal.header"),
                                                        .headers = natlet_headers_block(&headers)});
}

static natlet_status as_key(const attempt *a)
{
    return publish_header(a, a->value, (natlet_slice)NATLET_TEXT("v"));
}

static natlet_status as_value(const attempt *a)
{
    return publish_header(a, (natlet_slice)NATLET_TEXT("Key"), a->value);
}

/* A block that the program made itself. */
static natlet_status as_status(const attempt *a)
{
    uint8_t block[128];
    uint8_t *at = natlet__put(block, (natlet_slice)NATLET_TEXT("NATS/1.0 200 "));

    at = natlet__put(at, a->value);
    at = natlet__put(at, (natlet_slice)NATLET_TEXT("\r\n\r\n"));
    return natlet_client_publish(a->c->client,
                                 &(natlet_msg){.subject = NATLET_TEXT("legal.status"),
                                               .headers = {block, (size_t)(at - block)}});
}

static natlet_status make(const attempt *a, const natlet_client_config *config)
{
    natlet_client *client;
    natlet_status st = natlet_client_new(&client, a->c->rt, config);

    natlet_client_free(client);
    return st;
}

#define AS_TEXT(function, field)                                                                   \
    static natlet_status function(const attempt *a)                                                \
    {                                                                                              \
        natlet_client_config config = a->c->config;                                                \
        config.on_event = NULL;                                                                    \
        config.field = a->value;                                                                   \
        return make(a, &config);                                                                   \
    }

AS_TEXT(as_prefix, inbox_prefix)
AS_TEXT(as_name, name)
AS_TEXT(as_user, user)
AS_TEXT(as_token, token)

static const struct {
    const char *name;
    natlet_status (*try)(const attempt *a);
} fields[] = {
    {"subject", as_subject},   {"reply", as_reply},   {"request", as_request},
    {"interest", as_interest}, {"queue", as_queue},   {"key", as_key},
    {"value", as_value},       {"status", as_status}, {"prefix", as_prefix},
    {"name", as_name},         {"user", as_user},     {"token", as_token},
};

/* inject: one line a field, with what each value came to: a letter of its status, or a
 * dot where it is legal */
static void do_inject(steps_client *c, const step *s)
{
    (void)s;
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
        printf("inject %s ", fields[f].name);
        for (size_t v = 0; v < VALUES; v++) {
            const attempt a = {c, values[v]};
            natlet_status st = fields[f].try(&a);
            printf("%c", st >= 0 ? '.' : natlet_status_name(st)[2]);
        }
        steps_end_line();
    }
}

const steps_entry steps_inject[] = {{"inject", do_inject}, {NULL, NULL}};
