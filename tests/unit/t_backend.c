/* Goal: the backend in memory does what every backend does, within its bounds, and a
 * store that fails leaves what was there.
 *
 * Method: a model beside it, in plain arrays, and random operations; every n-th
 * allocation fails once. */
#include "natlet/backend.h"

#include "support/test.h"
#include "support/test_host.h"

enum { KEYS = 12, VALUES = 6 };

static natlet_slice text(const char *s)
{
    return (natlet_slice){(const uint8_t *)s, strlen(s)};
}

static const char *const keys[KEYS] = {"a:1", "a:2",  "a:22", "a:", "b:1",  "b:\xff",
                                       "ab:", "ab:1", "c",    "A",  "a/..", "~"};

static void join(void *self, natlet_slice key)
{
    char *all = self;

    strncat(all, (const char *)key.ptr, key.len);
    strcat(all, " ");
}

static void check_list(const natlet_backend *b, const char *prefix, const char *want)
{
    char all[256] = "";

    CHECK_INT(b->list(b->self, text(prefix), join, all), NATLET_OK);
    CHECK_TEXT(all, want);
}

static natlet_backend begin(natlet_memory_backend **m, test_memory *memory,
                            const natlet_backend_config *config)
{
    test_memory_init(memory);
    CHECK_INT(natlet_memory_backend_new(m, &memory->allocator, config), NATLET_OK);
    return natlet_memory_backend_of(*m);
}

static void end(natlet_memory_backend *m, const test_memory *memory)
{
    natlet_memory_backend_free(m);
    CHECK_INT(memory->live_blocks, 0);
    CHECK_INT(memory->errors, 0);
}

static void keys_are_kept_found_listed_and_cleared(void)
{
    test_memory memory;
    natlet_memory_backend *m;
    natlet_slice value;
    const natlet_backend b = begin(&m, &memory, NULL);

    for (size_t i = 0; i < KEYS; i++) {
        CHECK_INT(b.store(b.self, text(keys[i]), text(keys[KEYS - 1 - i])), NATLET_OK);
    }
    for (size_t i = 0; i < KEYS; i++) {
        CHECK_INT(b.get(b.self, text(keys[i]), &value), NATLET_OK);
        CHECK(value.len == strlen(keys[KEYS - 1 - i]));
        CHECK(memcmp(value.ptr, keys[KEYS - 1 - i], value.len) == 0);
    }
    check_list(&b, "", "A a/.. a: a:1 a:2 a:22 ab: ab:1 b:1 b:\xff c ~ ");
    check_list(&b, "a:", "a: a:1 a:2 a:22 ");
    check_list(&b, "a:2", "a:2 a:22 ");
    check_list(&b, "x", "");
    CHECK_INT(b.remove(b.self, text("a:2")), NATLET_OK);
    CHECK_INT(b.remove(b.self, text("a:2")), NATLET_E_NOT_FOUND);
    CHECK_INT(b.get(b.self, text("a:2"), &value), NATLET_E_NOT_FOUND);
    CHECK_INT(b.clear(b.self, text("a:")), NATLET_OK);
    check_list(&b, "", "A a/.. ab: ab:1 b:1 b:\xff c ~ ");
    CHECK_INT(b.clear(b.self, text("")), NATLET_OK);
    CHECK_INT(natlet_memory_backend_stats_now(m).keys, 0);
    CHECK_INT(natlet_memory_backend_stats_now(m).bytes, 0);
    CHECK_INT(natlet_memory_backend_stats_now(m).keys_max, KEYS);
    end(m, &memory);
}

static void keys_have_a_length(void)
{
    test_memory memory;
    natlet_memory_backend *m;
    natlet_slice value;
    uint8_t longest[NATLET_BACKEND_KEY_BYTES_MAX + 1];
    const natlet_backend b = begin(&m, &memory, NULL);
    natlet_slice key = {longest, NATLET_BACKEND_KEY_BYTES_MAX};

    memset(longest, 'k', sizeof longest);
    CHECK_INT(b.store(b.self, key, text("")), NATLET_OK);
    CHECK_INT(b.get(b.self, key, &value), NATLET_OK);
    CHECK_INT(value.len, 0);
    for (key.len = 0; key.len <= sizeof longest; key.len += sizeof longest) {
        CHECK_INT(b.store(b.self, key, text("")), NATLET_E_INVALID);
        CHECK_INT(b.get(b.self, key, &value), NATLET_E_INVALID);
        CHECK_INT(b.remove(b.self, key), NATLET_E_INVALID);
    }
    CHECK_INT(natlet_memory_backend_stats_now(m).refused, 0);
    end(m, &memory);
}

static void bounds_hold(void)
{
    test_memory memory;
    natlet_memory_backend *m;
    natlet_slice value;
    const natlet_backend_config config = {.keys_max = 2, .value_bytes_max = 4, .bytes_max = 8};
    const natlet_backend b = begin(&m, &memory, &config);

    CHECK_INT(b.store(b.self, text("a"), text("12345")), NATLET_E_TOO_LARGE);
    CHECK_INT(b.store(b.self, text("a"), text("1234")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("b"), text("123")), NATLET_E_FULL);
    CHECK_INT(b.store(b.self, text("b"), text("")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("c"), text("")), NATLET_E_FULL); /* too many keys */
    CHECK_INT(b.store(b.self, text("b"), text("12")), NATLET_OK);
    CHECK_INT(b.store(b.self, text("b"), text("123")), NATLET_E_FULL); /* the old one counts not */
    CHECK_INT(b.get(b.self, text("b"), &value), NATLET_OK);
    CHECK_SLICE(value, "12");
    CHECK_INT(b.store(b.self, text("a"), text("4321")), NATLET_OK);
    natlet_backend_stats stats = natlet_memory_backend_stats_now(m);
    CHECK_INT(stats.refused, 4);
    CHECK_INT(stats.bytes, 8);
    CHECK_INT(stats.bytes_max, 8);
    CHECK_INT(stats.keys_max, 2);
    end(m, &memory);
    test_memory_init(&memory);
    CHECK_INT(natlet_memory_backend_new(&m, &memory.allocator,
                                        &(natlet_backend_config){.keys_max = 1048577}),
              NATLET_E_CONFIG);
    CHECK(m == NULL);
}

/* The model: which of VALUES each key has; -1: none. */
static void check_model(const natlet_backend *b, const int *model, char *const *values)
{
    natlet_slice value;

    for (size_t i = 0; i < KEYS; i++) {
        natlet_status st = b->get(b->self, text(keys[i]), &value);
        CHECK_INT(st, model[i] < 0 ? NATLET_E_NOT_FOUND : NATLET_OK);
        if (st == NATLET_OK && model[i] >= 0) {
            CHECK(value.len == strlen(values[model[i]]));
            CHECK(memcmp(value.ptr, values[model[i]], value.len) == 0);
        }
    }
}

static void random_operations_agree_with_a_model(void)
{
    char texts[VALUES][8] = {"", "1", "22", "333", "4444", "55555"};
    char *values[VALUES];
    test_memory memory;
    natlet_memory_backend *m;
    int model[KEYS];
    uint64_t seed = 7;
    const natlet_backend b = begin(&m, &memory, NULL);

    for (size_t i = 0; i < VALUES; i++) {
        values[i] = texts[i];
    }
    memset(model, -1, sizeof model);
    for (int n = 0; n < 3000; n++) {
        size_t k = test_random(&seed) % KEYS;
        int v = (int)(test_random(&seed) % VALUES);
        bool fails = test_random(&seed) % 8 == 0;
        if (test_random(&seed) % 3 == 0) {
            CHECK_INT(b.remove(b.self, text(keys[k])),
                      model[k] < 0 ? NATLET_E_NOT_FOUND : NATLET_OK);
            model[k] = -1;
            continue;
        }
        memory.fail_at = fails ? memory.requests + 1 : 0;
        natlet_status st = b.store(b.self, text(keys[k]), text(values[v]));
        CHECK_INT(st, fails ? NATLET_E_FULL : NATLET_OK);
        model[k] = fails ? model[k] : v;
        check_model(&b, model, values);
    }
    end(m, &memory);
}

static void without_memory_there_is_none(void)
{
    test_memory memory;
    natlet_memory_backend *m;

    test_memory_init(&memory);
    memory.fail_at = 1;
    CHECK_INT(natlet_memory_backend_new(&m, &memory.allocator, NULL), NATLET_E_NO_MEMORY);
    CHECK(m == NULL);
    natlet_memory_backend_free(NULL);
}

int main(void)
{
    RUN(keys_are_kept_found_listed_and_cleared);
    RUN(keys_have_a_length);
    RUN(bounds_hold);
    RUN(random_operations_agree_with_a_model);
    RUN(without_memory_there_is_none);
    return test_done();
}
