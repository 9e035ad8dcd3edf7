/* A command that does what its first argument says, for what a host of commands
 * must do beside the door: arguments, streams, exit status, signals. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "natlet/host.h"
#include "natlet/status.h"

static int copy(int from)
{
    static char block[10000];
    ssize_t n;

    while ((n = read(from, block, sizeof block)) > 0) {
        if (write(1, block, (size_t)n) != n) {
            return 3;
        }
    }
    return n == 0 ? 0 : 40 + (errno == EINTR);
}

static const char *errno_name(void)
{
    switch (errno) {
    case ENOENT:
        return "none";
    case EISDIR:
        return "a folder";
    case ENOTCAPABLE:
        return "not granted";
    case EBADF:
        return "not open";
    default:
        return strerror(errno);
    }
}

/* Copies a file opened as `how` says, or says why not. */
static void use_file(const char *how, const char *path)
{
    int mode = strcmp(how, "write") == 0    ? O_WRONLY
               : strcmp(how, "both") == 0   ? O_RDWR
               : strcmp(how, "create") == 0 ? O_RDONLY | O_CREAT
                                            : O_RDONLY;
    int fd = open(path, mode, 0600);
    char byte = 'x';

    if (fd < 0 || copy(fd) != 0) {
        puts(errno_name());
        return;
    }
    puts(strcmp(how, "put") == 0 && write(fd, &byte, 1) < 0 ? errno_name() : "");
    if (close(fd) < 0 || read(fd, &byte, 1) >= 0) {
        puts("not closed");
    }
}

/* Pairs of how and path, up to an option. */
static int use_files(char **words)
{
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (; words[0] != NULL && words[1] != NULL && words[0][0] != '-'; words += 2) {
        use_file(words[0], words[1]);
    }
    return 0;
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
        return copy(0);
    }
    if (strcmp(what, "open") == 0) {
        return use_files(argv + 2);
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
