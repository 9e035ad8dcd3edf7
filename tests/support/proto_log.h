/* What the parser said, one line an event; shared by the tests, the fuzzers and
 * build/tests/proto-dump:
 *
 *     ping    pong    ok    info TEXT    err TEXT    fail STATUS TEXT
 *     msg sid=7 h=0 n=5 SUBJECT > REPLY [HEADER BLOCK AND PAYLOAD]
 *
 * A byte outside 0x20..0x7e and a backslash are written \r, \n, \\ or \xNN. */
#ifndef PROTO_LOG_H
#define PROTO_LOG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/parser.h"

typedef struct proto_log {
    char *text; /* NUL-terminated; NULL while empty */
    size_t len;
    size_t cap;
} proto_log;

static inline void proto_log_put(proto_log *log, const char *text, size_t len)
{
    if (log->cap - log->len <= len) {
        log->cap = (log->cap + len) * 2 + 64;
        char *larger = realloc(log->text, log->cap);
        if (larger == NULL) {
            abort();
        }
        log->text = larger;
    }
    memcpy(log->text + log->len, text, len);
    log->len += len;
    log->text[log->len] = '\0';
}

static inline void proto_log_text(proto_log *log, const char *text)
{
    proto_log_put(log, text, strlen(text));
}

static inline void proto_log_slice(proto_log *log, natlet_slice slice)
{
    for (size_t i = 0; i < slice.len; i++) {
        uint8_t c = slice.ptr[i];
        char escape[8];
        if (c == '\r' || c == '\n' || c == '\\') {
            proto_log_text(log, c == '\r' ? "\\r" : c == '\n' ? "\\n" : "\\\\");
        } else if (c < 0x20 || c > 0x7e) {
            (void)snprintf(escape, sizeof escape, "\\x%02x", c);
            proto_log_text(log, escape);
        } else {
            proto_log_put(log, (const char *)&slice.ptr[i], 1);
        }
    }
}

static inline void proto_log_msg(proto_log *log, const natlet__event *ev)
{
    const natlet_msg *msg = &ev->msg;
    char numbers[80];

    (void)snprintf(numbers, sizeof numbers, "msg sid=%llu h=%lu n=%lu ",
                   (unsigned long long)ev->sid, (unsigned long)msg->headers.len,
                   (unsigned long)(msg->headers.len + msg->payload.len));
    proto_log_text(log, numbers);
    proto_log_slice(log, msg->subject);
    proto_log_text(log, " > ");
    proto_log_slice(log, msg->reply);
    proto_log_text(log, " [");
    proto_log_slice(log, msg->headers);
    proto_log_slice(log, msg->payload);
    proto_log_text(log, "]\n");
}

static inline void proto_log_event(proto_log *log, const natlet__event *ev)
{
    switch (ev->kind) {
    case NATLET__EV_PING:
        proto_log_text(log, "ping\n");
        break;
    case NATLET__EV_PONG:
        proto_log_text(log, "pong\n");
        break;
    case NATLET__EV_OK:
        proto_log_text(log, "ok\n");
        break;
    case NATLET__EV_INFO:
    case NATLET__EV_ERR:
        proto_log_text(log, ev->kind == NATLET__EV_INFO ? "info " : "err ");
        proto_log_slice(log, ev->text);
        proto_log_text(log, "\n");
        break;
    case NATLET__EV_MSG:
        proto_log_msg(log, ev);
        break;
    }
}

static inline void proto_log_failure(proto_log *log, natlet_status st)
{
    proto_log_text(log, "fail ");
    proto_log_text(log, natlet_status_text(st));
    proto_log_text(log, "\n");
}

static inline void proto_log_free(proto_log *log)
{
    free(log->text);
    *log = (proto_log){0};
}

#endif
