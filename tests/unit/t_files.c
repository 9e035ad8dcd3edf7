/* Goal: the backend in files does what every backend does, within its bounds, keeps what
 * it has beyond the program that stored it, and no key leaves its folder.
 *
 * Method: a folder below the build's, looked at with the C library; natively and as a
 * module whose host shows it the folder.  A browser shows none: nothing to test there. */
#include "posix/natlet_files.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

#ifdef __wasm__
#define PROCESS 0u /* WASI has no numbers for them */
#else
#define PROCESS ((unsigned)getpid())
#endif

static char folder[64]; /* its own: this runs in several ways side by side */

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

/* Removes the folder with all that is in it; answers whether there are folders at all. */
static bool clean(void)
{
    char path[512];
    const struct dirent *found;
    DIR *dir = opendir(folder);

    while (dir != NULL && (found = readdir(dir)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, found->d_name);
        (void)unlink(path);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(folder);
    dir = opendir(".");
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return dir != NULL;
}

static bool exists(const char *name)
{
    char path[512];
    struct stat info;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &info) == 0;
}

static void write_file(const char *name, const char *bytes)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    if (file != NULL) {
        (void)fputs(bytes, file);
        (void)fclose(file);
    }
}

static natlet_backend open_folder(natlet_file_backend **f, const natlet_backend_config *config)
{
    natlet_status st = natlet_file_backend_new(f, folder, config);

    CHECK_INT(st, NATLET_OK);
    if (st < 0) { /* nothing below would make sense */
        exit(test_done());
    }
    return natlet_file_backend_of(*f);
}

static void count_keys(void *self, natlet_slice key)
{
    (void)key;
    ++*(uint32_t *)self;
}

static uint32_t keys_with(const natlet_backend *b, const char *prefix)
{
    uint32_t keys = 0;

    CHECK_INT(b->list(b->self, text(prefix), count_keys, &keys), NATLET_OK);
    return keys;
}

static void check_value(const natlet_backend *b, const char *key, const char *want)
{
    natlet_slice value = {0};

    CHECK_INT(b->get(b->self, text(key), &value), NATLET_OK);
    test_slice(__FILE__, __LINE__, value, want, strlen(want));
}

static void what_was_stored_is_there_for_the_next_program(void)
{
    natlet_file_backend *f;
    natlet_slice value;

    clean();
    natlet_backend b = open_folder(&f, NULL);
    CHECK_INT(b.store(b.self, text("a:x"), text("{\"n\":1}")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("a:y"), text("")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("b:x"), text("2")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("a:x"), text("{\"n\":22}")), NATLET_OK);
    natlet_file_backend_free(f);
    b = open_folder(&f, NULL);
    CHECK_INT(natlet_file_backend_stats_now(f).keys, 3);
    CHECK_INT(natlet_file_backend_stats_now(f).bytes, 9 + 8 + 1);
    check_value(&b, "a:x", "{\"n\":22}");
    check_value(&b, "a:y", "");
    check_value(&b, "b:x", "2");
    CHECK_INT(keys_with(&b, "a:"), 2);
    CHECK_INT(b.remove(b.self, text("a:y")), NATLET_OK);
    CHECK_INT(b.remove(b.self, text("a:y")), NATLET_E_NOT_FOUND);
    CHECK_INT(b.get(b.self, text("a:y"), &value), NATLET_E_NOT_FOUND);
    CHECK_INT(b.clear(b.self, text("a:")), NATLET_OK);
    CHECK_INT(keys_with(&b, ""), 1);
    CHECK_INT(natlet_file_backend_stats_now(f).bytes, 4);
    natlet_file_backend_free(f);
}

static void no_key_leaves_the_folder(void)
{
    static const char *const keys[] = {"..",      ".",        "../up", "/etc/passwd", "a/b",
                                       ".hidden", "~",        "a\nb",  "A",           "a",
                                       "%41",     "\xff\xfe", "a\\b",  "con:"};
    enum { KEYS = sizeof keys / sizeof *keys };
    natlet_file_backend *f;

    clean();
    const natlet_backend b = open_folder(&f, NULL);
    for (size_t i = 0; i < KEYS; i++) {
        CHECK_INT(b.store(b.self, text(keys[i]), text(keys[KEYS - 1 - i])), NATLET_OK);
    }
    for (size_t i = 0; i < KEYS; i++) {
        check_value(&b, keys[i], keys[KEYS - 1 - i]);
    }
    CHECK_INT(keys_with(&b, ""), KEYS);
    CHECK(exists("%2E%2E%2Fup") && exists("%41") && exists("a") && !exists("~") && !exists("A"));
    CHECK_INT(b.clear(b.self, text("")), NATLET_OK);
    CHECK_INT(keys_with(&b, ""), 0);
    natlet_file_backend_free(f);
}

static void what_others_put_there_is_left_alone(void)
{
    static const char *const strange[] = {"README", "x%", "x%2", "x%2e", "x%zz", "x%61", "x.y"};
    natlet_file_backend *f;

    clean();
    const natlet_backend b = open_folder(&f, &(natlet_backend_config){.value_bytes_max = 4});
    natlet_slice value;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        write_file(strange[i], "1");
    }
    write_file("large", "12345");
    CHECK_INT(keys_with(&b, ""), 1);
    CHECK_INT(b.get(b.self, text("large"), &value), NATLET_E_TOO_LARGE);
    CHECK_INT(b.clear(b.self, text("")), NATLET_OK);
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        CHECK(exists(strange[i]));
    }
    natlet_file_backend_free(f);
}

static void bounds_hold(void)
{
    natlet_file_backend *f;
    const natlet_backend_config config = {.keys_max = 2, .value_bytes_max = 4, .bytes_max = 8};
    char longest[NATLET_BACKEND_KEY_BYTES_MAX + 2];
    natlet_slice value;

    clean();
    natlet_backend b = open_folder(&f, &config);
    CHECK_INT(b.store(b.self, text("a"), text("12345")), NATLET_E_TOO_LARGE);
    CHECK_INT(b.store(b.self, text("a"), text("1234")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("b"), text("123")), NATLET_E_FULL);
    CHECK_INT(b.store(b.self, text("b"), text("")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("c"), text("")), NATLET_E_FULL); /* too many keys */
    CHECK_INT(b.store(b.self, text("b"), text("12")), NATLET_OK);
    CHECK_INT(b.store(b.self, text(""), text("1")), NATLET_E_INVALID);
    natlet_backend_stats stats = natlet_file_backend_stats_now(f);
    CHECK_INT(stats.refused, 3);
    CHECK_INT(stats.bytes, 8);
    CHECK_INT(stats.keys_max, 2);
    natlet_file_backend_free(f);
    clean();
    b = open_folder(&f, NULL);
    memset(longest, '/', sizeof longest);
    longest[NATLET_BACKEND_KEY_BYTES_MAX] = '\0';
    CHECK_INT(b.store(b.self, text(longest), text("1")), NATLET_OK);
    check_value(&b, longest, "1");
    longest[NATLET_BACKEND_KEY_BYTES_MAX] = '/';
    longest[NATLET_BACKEND_KEY_BYTES_MAX + 1] = '\0';
    CHECK_INT(b.get(b.self, text(longest), &value), NATLET_E_INVALID);
    natlet_file_backend_free(f);
}

/* A file that was being written when a program died is no value. */
static void half_a_write_is_nothing(void)
{
    natlet_file_backend *f;

    clean();
    natlet_backend b = open_folder(&f, NULL);
    CHECK_INT(b.store(b.self, text("k"), text("old")), NATLET_OK);
    natlet_file_backend_free(f);
    write_file("~", "ne");
    b = open_folder(&f, NULL);
    CHECK(!exists("~"));
    check_value(&b, "k", "old");
    CHECK_INT(natlet_file_backend_stats_now(f).keys, 1);
    natlet_file_backend_free(f);
}

static void without_a_folder_there_is_none(void)
{
    natlet_file_backend *f;

    clean();
    CHECK_INT(natlet_file_backend_new(&f, "build/no/such/folder", NULL), NATLET_E_IO);
    CHECK(f == NULL);
    natlet_file_backend_free(NULL);
}

int main(void)
{
    (void)snprintf(folder, sizeof folder, "build/t_files.%u", PROCESS);
    if (!clean()) {
        return test_done();
    }
    RUN(what_was_stored_is_there_for_the_next_program);
    RUN(no_key_leaves_the_folder);
    RUN(what_others_put_there_is_left_alone);
    RUN(bounds_hold);
    RUN(half_a_write_is_nothing);
    RUN(without_a_folder_there_is_none);
    clean();
    return test_done();
}
