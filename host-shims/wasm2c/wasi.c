/* WASI preview 1 for a command module as C: arguments, environment, streams,
 * clocks, random bytes, and the files that are granted by name.
 *
 * The module sees one open folder, the root.  A path is compared with the list as
 * text, so that "..", folders and links lead nowhere, and what is opened is what
 * the list says. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    ERRNO_OK = 0,
    ERRNO_BADF = 8,
    ERRNO_FAULT = 21,
    ERRNO_INVAL = 28,
    ERRNO_IO = 29,
    ERRNO_MFILE = 33,
    ERRNO_NAMETOOLONG = 37,
    ERRNO_NOENT = 44,
    ERRNO_SPIPE = 70,
    ERRNO_NOTCAPABLE = 76,
    STDERR = 2,
    ROOT = 3,
    FILETYPE_CHARACTER_DEVICE = 2,
    FILETYPE_DIRECTORY = 3,
    FILETYPE_REGULAR_FILE = 4,
    RIGHT_FD_READ = 1 << 1,
    RIGHT_FD_WRITE = 1 << 6,
    RIGHTS_ALL = 0x1fffffff,
    FDSTAT_BYTES = 24,
    NS_PER_S = 1000000000,
};

/* False if the address is none. */
static bool put(const wasi *w, uint32_t at, const void *bytes, uint32_t len)
{
    void *room = natlet__wasm2c_at(w->memory, at, len);

    if (room != NULL) {
        memcpy(room, bytes, len);
    }
    return room != NULL;
}

static bool put_u32(const wasi *w, uint32_t at, uint32_t value)
{
    return put(w, at, &value, sizeof value);
}

/* ---- arguments and environment */

static uint32_t put_sizes(const wasi *w, char *const *strings, uint32_t count, uint32_t bytes)
{
    uint32_t n = 0, sum = 0;

    for (; strings[n] != NULL; n++) {
        sum += (uint32_t)strlen(strings[n]) + 1;
    }
    return put_u32(w, count, n) && put_u32(w, bytes, sum) ? ERRNO_OK : ERRNO_FAULT;
}

static uint32_t put_strings(const wasi *w, char *const *strings, uint32_t table, uint32_t at)
{
    for (uint32_t n = 0; strings[n] != NULL; n++) {
        uint32_t len = (uint32_t)strlen(strings[n]) + 1;
        if (!put_u32(w, table + 4 * n, at) || !put(w, at, strings[n], len)) {
            return ERRNO_FAULT;
        }
        at += len;
    }
    return ERRNO_OK;
}

uint32_t WASI(args_sizes_get)(wasi *w, uint32_t count, uint32_t bytes)
{
    return put_sizes(w, w->args, count, bytes);
}

uint32_t WASI(args_get)(wasi *w, uint32_t table, uint32_t at)
{
    return put_strings(w, w->args, table, at);
}

uint32_t WASI(environ_sizes_get)(wasi *w, uint32_t count, uint32_t bytes)
{
    return put_sizes(w, w->env, count, bytes);
}

uint32_t WASI(environ_get)(wasi *w, uint32_t table, uint32_t at)
{
    return put_strings(w, w->env, table, at);
}

/* ---- descriptors */

static bool is_root(const wasi *w, uint32_t fd)
{
    return fd == ROOT && w->files[0] != NULL;
}

/* The descriptor of an open file behind the guest's, NULL if it is none. */
static int *file_of(wasi *w, uint32_t fd)
{
    uint32_t i = fd - NATLET__WASM2C_FILE_FIRST;

    return i < NATLET__WASM2C_FILES_MAX && w->open[i] > 0 ? &w->open[i] : NULL;
}

uint32_t WASI(fd_close)(wasi *w, uint32_t fd)
{
    int *file = file_of(w, fd);

    if (file == NULL) {
        return fd <= STDERR ? ERRNO_OK : ERRNO_BADF;
    }
    (void)close(*file);
    *file = 0;
    return ERRNO_OK;
}

uint32_t WASI(fd_fdstat_get)(wasi *w, uint32_t fd, uint32_t at)
{
    uint8_t stat[FDSTAT_BYTES] = {0};
    uint64_t rights = RIGHTS_ALL, inherited = 0;

    if (is_root(w, fd)) {
        stat[0] = FILETYPE_DIRECTORY;
        inherited = RIGHTS_ALL;
    } else if (fd <= STDERR) {
        stat[0] = FILETYPE_CHARACTER_DEVICE;
    } else if (file_of(w, fd) != NULL) {
        stat[0] = FILETYPE_REGULAR_FILE;
        rights = RIGHT_FD_READ;
    } else {
        return ERRNO_BADF;
    }
    memcpy(stat + 8, &rights, sizeof rights);
    memcpy(stat + 16, &inherited, sizeof inherited);
    return put(w, at, stat, sizeof stat) ? ERRNO_OK : ERRNO_FAULT;
}

uint32_t WASI(fd_fdstat_set_flags)(wasi *w, uint32_t fd, uint32_t flags)
{
    (void)w;
    (void)flags;
    return fd <= STDERR ? ERRNO_OK : ERRNO_BADF;
}

uint32_t WASI(fd_prestat_get)(wasi *w, uint32_t fd, uint32_t at)
{
    const uint32_t folder[2] = {0, 1}; /* a folder, whose name has one byte */

    if (!is_root(w, fd)) {
        return ERRNO_BADF;
    }
    return put(w, at, folder, sizeof folder) ? ERRNO_OK : ERRNO_FAULT;
}

uint32_t WASI(fd_prestat_dir_name)(wasi *w, uint32_t fd, uint32_t at, uint32_t len)
{
    if (!is_root(w, fd)) {
        return ERRNO_BADF;
    }
    if (len < 1) {
        return ERRNO_NAMETOOLONG;
    }
    return put(w, at, "/", 1) ? ERRNO_OK : ERRNO_FAULT;
}

uint32_t WASI(fd_seek)(wasi *w, uint32_t fd, uint64_t offset, uint32_t whence, uint32_t at)
{
    (void)offset;
    (void)whence;
    (void)at;
    return fd <= STDERR || file_of(w, fd) != NULL ? ERRNO_SPIPE : ERRNO_BADF;
}

/* Scatter and gather: until one of them moves less than asked. */
static uint32_t move(const wasi *w, int fd, uint32_t iovs, uint32_t count, bool is_write,
                     uint32_t done)
{
    uint32_t sum = 0;
    bool goes_on = true;

    for (uint32_t i = 0; i < count && goes_on; i++) {
        uint32_t part[2];
        const void *iov = natlet__wasm2c_at(w->memory, iovs, (i + UINT64_C(1)) * sizeof part);
        if (iov == NULL) {
            return ERRNO_FAULT;
        }
        memcpy(part, (const uint8_t *)iov + (size_t)i * sizeof part, sizeof part);
        void *bytes = natlet__wasm2c_at(w->memory, part[0], part[1]);
        if (bytes == NULL) {
            return ERRNO_FAULT;
        }
        ssize_t n = is_write ? write(fd, bytes, part[1]) : read(fd, bytes, part[1]);
        if (n < 0 && sum == 0) {
            return errno == EBADF ? ERRNO_BADF : ERRNO_IO;
        }
        goes_on = n == (ssize_t)part[1];
        sum += n > 0 ? (uint32_t)n : 0;
    }
    return put_u32(w, done, sum) ? ERRNO_OK : ERRNO_FAULT;
}

uint32_t WASI(fd_write)(wasi *w, uint32_t fd, uint32_t iovs, uint32_t count, uint32_t done)
{
    return fd == 1 || fd == STDERR ? move(w, (int)fd, iovs, count, true, done) : ERRNO_BADF;
}

uint32_t WASI(fd_read)(wasi *w, uint32_t fd, uint32_t iovs, uint32_t count, uint32_t done)
{
    const int *file = file_of(w, fd);

    if (file == NULL && fd != 0) {
        return ERRNO_BADF;
    }
    return move(w, file != NULL ? *file : 0, iovs, count, false, done);
}

/* ---- files */

/* wasi-libc asks below the root for absolute and relative paths alike. */
static const char *bare(const char *name)
{
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/')) {
        name++;
    }
    return name;
}

static const char *granted(const wasi *w, const char *path, uint32_t len)
{
    for (uint32_t i = 0; w->files[i] != NULL; i++) {
        const char *name = bare(w->files[i]);
        if (strlen(name) == len && memcmp(name, path, len) == 0) {
            return w->files[i];
        }
    }
    return NULL;
}

/* NOLINTNEXTLINE(readability-function-size): as preview 1 has it */
uint32_t WASI(path_open)(wasi *w, uint32_t folder, uint32_t lookup, uint32_t path, uint32_t len,
                         uint32_t how, uint64_t rights, uint64_t inherited, uint32_t flags,
                         uint32_t out)
{
    const char *text = natlet__wasm2c_at(w->memory, path, len);
    uint32_t i = 0;

    (void)lookup;
    (void)inherited;
    (void)flags;
    if (!is_root(w, folder)) {
        return ERRNO_BADF;
    }
    if (text == NULL) {
        return ERRNO_FAULT;
    }
    const char *name = granted(w, text, len);
    if (name == NULL || how != 0 || (rights & RIGHT_FD_WRITE) != 0) {
        return ERRNO_NOTCAPABLE;
    }
    while (i < NATLET__WASM2C_FILES_MAX && w->open[i] > 0) {
        i++;
    }
    if (i == NATLET__WASM2C_FILES_MAX) {
        return ERRNO_MFILE;
    }
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT ? ERRNO_NOENT : ERRNO_IO;
    }
    if (!put_u32(w, out, i + NATLET__WASM2C_FILE_FIRST)) {
        (void)close(fd);
        return ERRNO_FAULT;
    }
    w->open[i] = fd;
    return ERRNO_OK;
}

/* ---- the rest */

uint32_t WASI(clock_time_get)(wasi *w, uint32_t id, uint64_t precision, uint32_t at)
{
    struct timespec now;

    (void)precision;
    if (id > 1 || clock_gettime(id == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now) != 0) {
        return ERRNO_INVAL;
    }
    uint64_t ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    return put(w, at, &ns, sizeof ns) ? ERRNO_OK : ERRNO_FAULT;
}

uint32_t WASI(random_get)(wasi *w, uint32_t at, uint32_t len)
{
    uint8_t *room = natlet__wasm2c_at(w->memory, at, len);

    if (room == NULL) {
        return ERRNO_FAULT;
    }
    while (len > 0) {
        ssize_t n = getrandom(room, len, 0);
        if (n < 0 && errno != EINTR) {
            return ERRNO_IO;
        }
        room += n > 0 ? n : 0;
        len -= n > 0 ? (uint32_t)n : 0;
    }
    return ERRNO_OK;
}

void WASI(proc_exit)(wasi *w, uint32_t status)
{
    w->exit(status);
}
