/* A key becomes the name of a file: small letters, digits, '-' and '_' stand as they
 * are, every other byte as "%XX".  So names differ where case does not count, none
 * leaves the folder, and none is hidden; "~" begins the file that is being written. */
#include "posix/natlet_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
    KEYS_DEFAULT = 1024,
    VALUE_DEFAULT = 65536,
    BYTES_DEFAULT = 1048576,
    NAME_MAX_BYTES = 3 * NATLET_BACKEND_KEY_BYTES_MAX,
    PRIVATE_FILE = 0600,
    PRIVATE_FOLDER = 0700,
};

_Static_assert(NAME_MAX_BYTES <= 255, "every file system takes such names");

static const char scratch[] = "~";

struct natlet_file_backend {
    natlet_backend_config config;
    natlet_backend_stats stats;
    char *path;        /* folder, '/', and room for a name */
    char *other;       /* the same for the file that is being written */
    size_t folder_len; /* with its '/' */
    uint8_t *value;    /* value_bytes_max and one more */
};

/* ---- names ---- */

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Puts the file's name behind the folder's. */
static natlet_status name_file(natlet_file_backend *b, natlet_slice key)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = b->path + b->folder_len;

    if (key.len == 0 || key.len > NATLET_BACKEND_KEY_BYTES_MAX) {
        return NATLET_E_INVALID;
    }
    for (size_t i = 0; i < key.len; i++) {
        if (is_plain(key.ptr[i])) {
            *at++ = (char)key.ptr[i];
        } else {
            *at++ = '%';
            *at++ = digits[key.ptr[i] >> 4];
            *at++ = digits[key.ptr[i] & 15];
        }
    }
    *at = '\0';
    return NATLET_OK;
}

/* 0..15; -1 for no digit that name_file writes. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The key of a file's name; false if it is not one that name_file makes. */
static bool read_name(const char *name, uint8_t key[NATLET_BACKEND_KEY_BYTES_MAX], size_t *len)
{
    for (*len = 0; *name != '\0'; (*len)++) {
        if (*len == NATLET_BACKEND_KEY_BYTES_MAX) {
            return false;
        }
        uint8_t c = (uint8_t)*name++;
        if (c == '%') {
            int high = digit_of(*name);
            int low = high >= 0 ? digit_of(name[1]) : -1;
            if (low < 0 || is_plain((uint8_t)(high << 4 | low))) {
                return false;
            }
            key[*len] = (uint8_t)(high << 4 | low);
            name += 2;
        } else if (is_plain(c)) {
            key[*len] = c;
        } else {
            return false;
        }
    }
    return *len > 0;
}

/* ---- files ---- */

/* Bytes of the file that `path` names; -1 if there is none. */
static off_t size_of(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : -1;
}

static bool write_all(int fd, natlet_slice value)
{
    while (value.len > 0) {
        ssize_t n = write(fd, value.ptr, value.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        natlet__skip(&value, (size_t)n);
    }
    return fsync(fd) == 0;
}

/* What was there stays if anything fails. */
static natlet_status replace(const natlet_file_backend *b, natlet_slice value)
{
    int fd = open(b->other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, PRIVATE_FILE);

    if (fd < 0) {
        return NATLET_E_IO;
    }
    bool is_written = write_all(fd, value);
    is_written = close(fd) == 0 && is_written;
    if (is_written && rename(b->other, b->path) == 0) {
        return NATLET_OK;
    }
    (void)unlink(b->other);
    return NATLET_E_IO;
}

static natlet_status read_value(natlet_file_backend *b, size_t *len)
{
    int fd = open(b->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    *len = 0;
    if (fd < 0) {
        return errno == ENOENT ? NATLET_E_NOT_FOUND : NATLET_E_IO;
    }
    while (n > 0 && *len <= b->config.value_bytes_max) {
        n = read(fd, b->value + *len, b->config.value_bytes_max + 1 - *len);
        *len += n > 0 ? (size_t)n : 0;
        n = n < 0 && errno == EINTR ? 1 : n;
    }
    (void)close(fd);
    if (n < 0) {
        return NATLET_E_IO;
    }
    return *len > b->config.value_bytes_max ? NATLET_E_TOO_LARGE : NATLET_OK;
}

/* ---- what a backend can do ---- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void count(natlet_file_backend *b, int32_t keys, int64_t bytes)
{
    int64_t sum = (int64_t)b->stats.bytes + bytes;

    b->stats.keys = (uint32_t)((int32_t)b->stats.keys + keys);
    b->stats.bytes = sum < 0 ? 0 : sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
    b->stats.keys_max = larger(b->stats.keys_max, b->stats.keys);
    b->stats.bytes_max = larger(b->stats.bytes_max, b->stats.bytes);
}

static natlet_status put(natlet_file_backend *b, natlet_slice key, natlet_slice value)
{
    off_t was = size_of(b->path);
    int64_t more = (int64_t)value.len - (was < 0 ? -(int64_t)key.len : was);

    if (value.len > b->config.value_bytes_max) {
        return NATLET_E_TOO_LARGE;
    }
    if ((was < 0 && b->stats.keys >= b->config.keys_max) ||
        b->stats.bytes + more > b->config.bytes_max) {
        return NATLET_E_FULL;
    }
    natlet_status st = replace(b, value);
    if (st == NATLET_OK) {
        count(b, was < 0 ? 1 : 0, more);
    }
    return st;
}

static natlet_status store(void *self, natlet_slice key, natlet_slice value)
{
    natlet_file_backend *b = self;
    natlet_status st = name_file(b, key);

    if (st == NATLET_OK) {
        st = put(b, key, value);
        b->stats.refused += st == NATLET_E_FULL || st == NATLET_E_TOO_LARGE;
    }
    return st;
}

static natlet_status get(void *self, natlet_slice key, natlet_slice *value)
{
    natlet_file_backend *b = self;
    size_t len = 0;
    natlet_status st = name_file(b, key);

    st = st == NATLET_OK ? read_value(b, &len) : st;
    if (st == NATLET_OK) {
        *value = (natlet_slice){b->value, len};
    }
    return st;
}

static natlet_status remove_key(void *self, natlet_slice key)
{
    natlet_file_backend *b = self;
    natlet_status st = name_file(b, key);

    if (st < 0) {
        return st;
    }
    off_t was = size_of(b->path);
    if (was < 0) {
        return NATLET_E_NOT_FOUND;
    }
    if (unlink(b->path) != 0) {
        return NATLET_E_IO;
    }
    count(b, -1, -(int64_t)key.len - was);
    return NATLET_OK;
}

/* Calls `fn` for each file whose name is a key. */
static natlet_status walk(natlet_file_backend *b, natlet_slice prefix, natlet_key_fn fn, void *arg)
{
    uint8_t key[NATLET_BACKEND_KEY_BYTES_MAX];
    size_t len;
    const struct dirent *found;

    b->path[b->folder_len] = '\0';
    DIR *folder = opendir(b->path);
    if (folder == NULL) {
        return NATLET_E_IO;
    }
    while ((found = readdir(folder)) != NULL) {
        if (read_name(found->d_name, key, &len) && len >= prefix.len &&
            (prefix.len == 0 || memcmp(key, prefix.ptr, prefix.len) == 0)) {
            fn(arg, (natlet_slice){key, len});
        }
    }
    (void)closedir(folder);
    return NATLET_OK;
}

static natlet_status list(void *self, natlet_slice prefix, natlet_key_fn fn, void *arg)
{
    return walk(self, prefix, fn, arg);
}

typedef struct sweep {
    natlet_file_backend *backend;
    uint32_t removed;
    natlet_status st;
} sweep;

static void remove_found(void *self, natlet_slice key)
{
    sweep *s = self;
    natlet_status st = remove_key(s->backend, key);

    s->removed += st == NATLET_OK;
    s->st = st < 0 && st != NATLET_E_NOT_FOUND ? st : s->st;
}

/* What readdir shows while files go is not said anywhere: until a walk finds nothing. */
static natlet_status clear(void *self, natlet_slice prefix)
{
    sweep s = {.backend = self};

    do {
        s.removed = 0;
        natlet_status st = walk(self, prefix, remove_found, &s);
        s.st = st < 0 ? st : s.st;
    } while (s.removed > 0 && s.st == NATLET_OK);
    return s.st;
}

/* ---- life ---- */

static void count_found(void *self, natlet_slice key)
{
    natlet_file_backend *b = self;

    if (name_file(b, key) == NATLET_OK) {
        off_t size = size_of(b->path);
        count(b, size < 0 ? 0 : 1, size < 0 ? 0 : (int64_t)key.len + size);
    }
}

static natlet_status take_memory(natlet_file_backend *b, const char *path)
{
    size_t len = strlen(path);

    b->folder_len = len + 1;
    b->path = malloc(len + 1 + NAME_MAX_BYTES + 1);
    b->other = malloc(len + 1 + sizeof scratch);
    b->value = malloc((size_t)b->config.value_bytes_max + 1);
    if (b->path == NULL || b->other == NULL || b->value == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memcpy(b->path, path, len);
    b->path[len] = '/';
    memcpy(b->other, b->path, b->folder_len);
    memcpy(b->other + b->folder_len, scratch, sizeof scratch);
    return NATLET_OK;
}

natlet_status natlet_file_backend_new(natlet_file_backend **out, const char *path,
                                      const natlet_backend_config *config)
{
    natlet_file_backend *b = calloc(1, sizeof *b);

    *out = NULL;
    if (b == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    b->config = config != NULL ? *config : (natlet_backend_config){0};
    b->config.keys_max = b->config.keys_max > 0 ? b->config.keys_max : KEYS_DEFAULT;
    b->config.value_bytes_max =
        b->config.value_bytes_max > 0 ? b->config.value_bytes_max : VALUE_DEFAULT;
    b->config.bytes_max = b->config.bytes_max > 0 ? b->config.bytes_max : BYTES_DEFAULT;
    natlet_status st = take_memory(b, path);
    if (st == NATLET_OK) {
        (void)mkdir(path, PRIVATE_FOLDER); /* walk says whether it is there */
        (void)unlink(b->other);            /* of a program that crashed */
        st = walk(b, (natlet_slice){0}, count_found, b);
    }
    if (st < 0) {
        natlet_file_backend_free(b);
        return st;
    }
    *out = b;
    return NATLET_OK;
}

void natlet_file_backend_free(natlet_file_backend *backend)
{
    if (backend == NULL) {
        return;
    }
    free(backend->path);
    free(backend->other);
    free(backend->value);
    free(backend);
}

natlet_backend natlet_file_backend_of(natlet_file_backend *backend)
{
    return (natlet_backend){.self = backend,
                            .store = store,
                            .get = get,
                            .remove = remove_key,
                            .list = list,
                            .clear = clear};
}

natlet_backend_stats natlet_file_backend_stats_now(const natlet_file_backend *backend)
{
    return backend->stats;
}
