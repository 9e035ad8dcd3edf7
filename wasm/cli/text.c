#include "wasm/cli/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CAP_MIN = 256, READ_BYTES = 65536 };

static void write_all(int fd, natlet_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);
        if (written > 0) {
            natlet__take(&bytes, (size_t)written);
        } else if (written == 0 || (errno != EINTR && errno != EAGAIN)) {
            exit(EXIT_FAILURE);
        }
    }
}

void cli_text_room(cli_text *text, size_t bytes)
{
    static const natlet_slice no_memory = NATLET_TEXT("natlet: out of memory\n");
    size_t cap = text->cap < CAP_MIN ? CAP_MIN : text->cap;

    if (text->cap - text->len >= bytes) {
        return;
    }
    while (cap - text->len < bytes && cap < SIZE_MAX / 2) {
        cap *= 2;
    }
    uint8_t *ptr = cap - text->len >= bytes ? realloc(text->ptr, cap) : NULL;
    if (ptr == NULL) {
        write_all(STDERR_FILENO, no_memory);
        exit(EXIT_FAILURE);
    }
    text->ptr = ptr;
    text->cap = cap;
}

void cli_text_add(cli_text *text, natlet_slice bytes)
{
    if (bytes.len > 0) {
        cli_text_room(text, bytes.len);
        memcpy(text->ptr + text->len, bytes.ptr, bytes.len);
        text->len += bytes.len;
    }
}

void cli_text_puts(cli_text *text, const char *literal)
{
    cli_text_add(text, natlet__text(literal));
}

void cli_text_u64(cli_text *text, uint64_t value)
{
    uint8_t digits[NATLET__DECIMAL_MAX];

    cli_text_add(text, (natlet_slice){digits, natlet__write_decimal(digits, value)});
}

void cli_text_milli(cli_text *text, uint64_t thousandths)
{
    uint64_t rest = thousandths % 1000;
    uint8_t digits[] = {'.', (uint8_t)('0' + rest / 100), (uint8_t)('0' + rest / 10 % 10),
                        (uint8_t)('0' + rest % 10)};

    cli_text_u64(text, thousandths / 1000);
    cli_text_add(text, (natlet_slice){digits, sizeof digits});
}

void cli_text_ms(cli_text *text, uint64_t us)
{
    cli_text_milli(text, us);
    cli_text_puts(text, " ms");
}

natlet_slice cli_text_slice(const cli_text *text)
{
    return (natlet_slice){text->ptr, text->len};
}

void cli_text_free(cli_text *text)
{
    free(text->ptr);
    *text = (cli_text){0};
}

void cli_text_print(cli_text *text)
{
    write_all(STDOUT_FILENO, cli_text_slice(text));
    text->len = 0;
}

cli_text cli_notice(const char *literal)
{
    cli_text line = {0};

    cli_text_puts(&line, "natlet: ");
    cli_text_puts(&line, literal);
    return line;
}

void cli_text_clean(cli_text *text, size_t start)
{
    for (size_t i = start; i < text->len; i++) {
        if (text->ptr[i] < ' ' || text->ptr[i] == 0x7f) {
            text->ptr[i] = ' ';
        }
    }
}

void cli_notice_end(cli_text *line)
{
    cli_text_clean(line, 0);
    cli_text_puts(line, "\n");
    write_all(STDERR_FILENO, cli_text_slice(line));
    cli_text_free(line);
}

static ssize_t read_all(cli_text *text, int fd, size_t max)
{
    ssize_t got = 1;

    while (got > 0 && text->len <= max) {
        cli_text_room(text, READ_BYTES);
        do {
            got = read(fd, text->ptr + text->len, READ_BYTES);
        } while (got < 0 && errno == EINTR);
        text->len += got > 0 ? (size_t)got : 0;
    }
    return got;
}

void cli_text_read(cli_text *text, size_t max)
{
    (void)read_all(text, STDIN_FILENO, max);
}

int cli_text_read_file(cli_text *text, const char *path, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read_all(text, fd, max);
    int error = got < 0 ? errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return error;
}

const char *cli_errno_text(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "there is no such file";
    case EISDIR:
        return "it is a folder";
    case EACCES:
    case EPERM:
#if defined(ENOTCAPABLE)
    case ENOTCAPABLE: /* WASI: not among what the host lets us see */
#endif
        return "reading it is not allowed";
    case ENOMEM:
        return "there is no memory";
    default:
        return "input or output failed";
    }
}
