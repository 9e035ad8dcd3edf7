/* A command that does what its first argument says, for what a host of commands
 * must do beside the door: arguments, streams, exit status, signals. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "natlet/host.h"
#include "natlet/status.h"

static int copy_input(void)
{
    static char block[10000];
    ssize_t n;

    while ((n = read(0, block, sizeof block)) > 0) {
        if (write(1, block, (size_t)n) != n) {
            return 3;
        }
    }
    return n == 0 ? 0 : 40 + (errno == EINTR);
}

static int print_lines(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (printf("line %u of many, long enough to fill a pipe soon\n", (unsigned)i) < 0) {
            return 3;
        }
    }
    return fflush(stdout) == 0 ? 0 : 3;
}

/* Ends at the first hint to terminate, or, deaf, never. */
static int wait_for_hint(int is_deaf)
{
    natlet_host_event event;

    puts("waiting");
    (void)fflush(stdout);
    for (;;) {
        int32_t count = natlet_host_poll(&event, 1, -1);
        if (count == 1 && event.type == NATLET_EV_HINT && event.a == NATLET_HINT_TERMINATE &&
            !is_deaf) {
            return 7;
        }
    }
}

static int open_denied(const char *url)
{
    return natlet_host_open(0x10001, NATLET_TRANSPORT_TCP, url, (uint32_t)strlen(url), NULL, 0) ==
                   NATLET_E_DENIED
               ? 0
               : 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *word = argc > 2 ? argv[2] : "";

    if (strcmp(what, "exit") == 0) {
        return atoi(word);
    }
    if (strcmp(what, "env") == 0) {
        puts(getenv(word) != NULL ? getenv(word) : "(none)");
        return 0;
    }
    if (strcmp(what, "cat") == 0) {
        return copy_input();
    }
    if (strcmp(what, "lines") == 0) {
        return print_lines((uint32_t)atoi(word));
    }
    if (strcmp(what, "wait") == 0 || strcmp(what, "deaf") == 0) {
        return wait_for_hint(what[0] == 'd');
    }
    if (strcmp(what, "log") == 0) {
        natlet_host_log(NATLET_LOG_INFO, "not shown", 9);
        natlet_host_log(NATLET_LOG_ERROR, "a\x1b[2J", 5);
        return 0;
    }
    if (strcmp(what, "denied") == 0) {
        return open_denied(word);
    }
    __builtin_trap();
}
