/* proto-dump [--cut BYTES]: reads what a server sends on stdin and writes one line
 * for each event (support/proto_log.h).
 *
 * --cut feeds the parser that many bytes at a time: the output must not depend on
 * it.  Limits are the defaults (natlet/limits.h).  Exits with 1 at the first
 * protocol error, 2 for wrong usage; an operation that is unfinished at the end of
 * input is no error and prints nothing. */
#include <unistd.h>

#include "natlet/limits.h"
#include "support/proto_log.h"

enum { FAILED = 1, USAGE = 2 };

typedef struct input {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} input;

/* Appends up to `max` bytes of stdin; returns how many, 0 at its end. */
static size_t read_more(input *in, size_t max)
{
    if (in->cap - in->len < max) {
        in->cap = in->cap * 2 + max;
        uint8_t *larger = realloc(in->ptr, in->cap);
        if (larger == NULL) {
            abort();
        }
        in->ptr = larger;
    }
    ssize_t got = read(STDIN_FILENO, in->ptr + in->len, max);
    if (got < 0) {
        perror("proto-dump: stdin");
        exit(USAGE);
    }
    in->len += (size_t)got;
    return (size_t)got;
}

/* Logs what `in` holds and keeps what is unfinished. */
static natlet_status parse(natlet__parser *parser, input *in, proto_log *log)
{
    natlet_slice window = {in->ptr, in->len};
    natlet__event ev;
    natlet_status st;

    while ((st = natlet__parser_next(parser, &window, &ev)) == NATLET_EVENT) {
        proto_log_event(log, &ev);
    }
    if (st < 0) {
        proto_log_failure(log, st);
    } else if (window.len < in->len) {
        memmove(in->ptr, window.ptr, window.len);
        in->len = window.len;
    }
    return st;
}

static natlet_status dump(size_t cut)
{
    natlet__parser parser;
    input in = {0};
    proto_log log = {0};
    natlet_status st = NATLET_MORE;

    natlet__parser_init(&parser, NATLET_MESSAGE_BYTES_MAX);
    while (st == NATLET_MORE && read_more(&in, cut) > 0) {
        st = parse(&parser, &in, &log);
        if (log.len > 0) {
            (void)fwrite(log.text, 1, log.len, stdout);
            (void)fflush(stdout);
            log.len = 0;
        }
    }
    free(in.ptr);
    proto_log_free(&log);
    return st;
}

int main(int argc, char **argv)
{
    unsigned long cut = 65536;

    if (argc == 3 && strcmp(argv[1], "--cut") == 0) {
        cut = strtoul(argv[2], NULL, 10);
    }
    if ((argc != 1 && argc != 3) || (argc == 3 && strcmp(argv[1], "--cut") != 0) || cut == 0 ||
        cut > NATLET_MESSAGE_BYTES_LIMIT) {
        (void)fprintf(stderr, "usage: proto-dump [--cut BYTES] < what a server sent\n");
        return USAGE;
    }
    return dump(cut) < 0 ? FAILED : EXIT_SUCCESS;
}
