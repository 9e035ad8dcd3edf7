#include "wasm/cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "wasm/cli/text.h"

const char *cli_file_read(const char *path, uint8_t *out, size_t cap, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 1;

    *len = 0;
    while (got > 0 && *len < cap) {
        do {
            got = read(fd, out + *len, cap - *len);
        } while (got < 0 && errno == EINTR);
        *len += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return got < 0 ? cli_errno_text(error) : NULL;
}
