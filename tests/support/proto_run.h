/* A parser with a window and a log, for input that comes in pieces.
 *
 * The window is a new heap block of exactly the bytes that are there, at each feed:
 * a sanitizer sees a read of one byte too many, and a slice kept from before. */
#ifndef PROTO_RUN_H
#define PROTO_RUN_H

#include "natlet/limits.h"
#include "support/proto_log.h"

typedef struct proto_run {
    natlet__parser parser;
    uint8_t *block;
    natlet_slice window; /* what is left in `block` */
    proto_log log;
} proto_run;

static inline void proto_run_start(proto_run *run)
{
    *run = (proto_run){0};
    natlet__parser_init(&run->parser, NATLET_MESSAGE_BYTES_MAX);
    proto_log_text(&run->log, "");
}

static inline void proto_run_feed(proto_run *run, const uint8_t *bytes, size_t len)
{
    size_t total = run->window.len + len;
    uint8_t *block = malloc(total > 0 ? total : 1);
    natlet_status before = run->parser.failed;
    natlet_status st;
    natlet__event ev;

    if (block == NULL) {
        abort();
    }
    if (run->window.len > 0) {
        memcpy(block, run->window.ptr, run->window.len);
    }
    if (len > 0) {
        memcpy(block + run->window.len, bytes, len);
    }
    free(run->block);
    run->block = block;
    run->window = (natlet_slice){total > 0 ? block : NULL, total};
    while ((st = natlet__parser_next(&run->parser, &run->window, &ev)) == NATLET_EVENT) {
        proto_log_event(&run->log, &ev);
    }
    if (st < 0 && before == NATLET_OK) {
        proto_log_failure(&run->log, st);
    }
    if (before < 0 && st != before) {
        abort(); /* a failure is for ever */
    }
}

static inline void proto_run_end(proto_run *run)
{
    free(run->block);
    proto_log_free(&run->log);
}

#endif
