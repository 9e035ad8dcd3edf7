/* The backend in memory: a sorted table of blocks, each with its key and value. */
#include "natlet/backend.h"

#include "base/bytes.h"

enum { KEYS_DEFAULT = 1024, KEYS_LIMIT = 1048576 };
enum { VALUE_DEFAULT = 65536, BYTES_DEFAULT = 1048576 };

typedef struct entry {
    uint32_t key_len;
    uint32_t value_len; /* the bytes of both follow the struct */
} entry;

struct natlet_memory_backend {
    natlet_allocator memory;
    natlet_backend_config config;
    natlet_backend_stats stats;
    entry *entries[]; /* `keys` of them, in the order of their keys */
};

static natlet_slice key_of(const entry *e)
{
    return (natlet_slice){(const uint8_t *)(e + 1), e->key_len};
}

static natlet_slice value_of(const entry *e)
{
    return (natlet_slice){(const uint8_t *)(e + 1) + e->key_len, e->value_len};
}

static size_t block_bytes(const entry *e)
{
    return sizeof *e + e->key_len + e->value_len;
}

static bool begins(natlet_slice key, natlet_slice prefix)
{
    return key.len >= prefix.len &&
           (prefix.len == 0 || memcmp(key.ptr, prefix.ptr, prefix.len) == 0);
}

static bool is_key(natlet_slice key)
{
    return key.len > 0 && key.len <= NATLET_BACKEND_KEY_BYTES_MAX;
}

static int compare(natlet_slice a, natlet_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The first place whose key is not before `key`. */
static uint32_t search(const natlet_memory_backend *b, natlet_slice key)
{
    uint32_t low = 0;
    uint32_t high = b->stats.keys;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(key_of(b->entries[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const natlet_memory_backend *b, uint32_t place, natlet_slice key)
{
    return place < b->stats.keys && natlet__equal(key_of(b->entries[place]), key);
}

static void free_entry(natlet_memory_backend *b, entry *e)
{
    b->stats.bytes -= e->key_len + e->value_len;
    (void)b->memory.resize(b->memory.self, e, block_bytes(e), 0);
}

/* Moves all from `from` on to `to`; `keys` says already how many that leaves. */
static void move(natlet_memory_backend *b, uint32_t to, uint32_t from)
{
    memmove((void *)(b->entries + to), (const void *)(b->entries + from),
            (b->stats.keys - to) * sizeof *b->entries);
}

/* Takes `count` entries out of the table. */
static void remove_at(natlet_memory_backend *b, uint32_t place, uint32_t count)
{
    for (uint32_t i = place; i < place + count; i++) {
        free_entry(b, b->entries[i]);
    }
    b->stats.keys -= count;
    move(b, place, place + count);
}

static entry *new_entry(natlet_memory_backend *b, natlet_slice key, natlet_slice value)
{
    const entry head = {(uint32_t)key.len, (uint32_t)value.len};
    entry *e = b->memory.resize(b->memory.self, NULL, 0, block_bytes(&head));

    if (e != NULL) {
        *e = head;
        (void)natlet__put(natlet__put((uint8_t *)(e + 1), key), value);
        b->stats.bytes += head.key_len + head.value_len;
    }
    return e;
}

static natlet_status put(natlet_memory_backend *b, natlet_slice key, natlet_slice value)
{
    uint32_t place = search(b, key);
    bool is_there = is_at(b, place, key);
    uint32_t was = is_there ? b->entries[place]->key_len + b->entries[place]->value_len : 0;
    uint64_t bytes = (uint64_t)b->stats.bytes - was + key.len + value.len;
    bool has_room =
        bytes <= b->config.bytes_max && (is_there || b->stats.keys < b->config.keys_max);
    entry *e = has_room ? new_entry(b, key, value) : NULL;

    if (e == NULL) {
        return NATLET_E_FULL;
    }
    if (is_there) {
        free_entry(b, b->entries[place]);
    } else {
        b->stats.keys++;
        move(b, place + 1, place);
    }
    b->entries[place] = e;
    return NATLET_OK;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static natlet_status store(void *self, natlet_slice key, natlet_slice value)
{
    natlet_memory_backend *b = self;

    if (!is_key(key)) {
        return NATLET_E_INVALID;
    }
    natlet_status st =
        value.len > b->config.value_bytes_max ? NATLET_E_TOO_LARGE : put(b, key, value);
    b->stats.refused += st < 0;
    b->stats.keys_max = larger(b->stats.keys_max, b->stats.keys);
    b->stats.bytes_max = larger(b->stats.bytes_max, b->stats.bytes);
    return st;
}

static natlet_status get(void *self, natlet_slice key, natlet_slice *value)
{
    const natlet_memory_backend *b = self;
    uint32_t place = search(b, key);

    if (!is_key(key)) {
        return NATLET_E_INVALID;
    }
    if (!is_at(b, place, key)) {
        return NATLET_E_NOT_FOUND;
    }
    *value = value_of(b->entries[place]);
    return NATLET_OK;
}

static natlet_status remove_key(void *self, natlet_slice key)
{
    natlet_memory_backend *b = self;
    uint32_t place = search(b, key);

    if (!is_key(key)) {
        return NATLET_E_INVALID;
    }
    if (!is_at(b, place, key)) {
        return NATLET_E_NOT_FOUND;
    }
    remove_at(b, place, 1);
    return NATLET_OK;
}

static natlet_status list(void *self, natlet_slice prefix, natlet_key_fn fn, void *arg)
{
    const natlet_memory_backend *b = self;

    for (uint32_t i = search(b, prefix); i < b->stats.keys && begins(key_of(b->entries[i]), prefix);
         i++) {
        fn(arg, key_of(b->entries[i]));
    }
    return NATLET_OK;
}

static natlet_status clear(void *self, natlet_slice prefix)
{
    natlet_memory_backend *b = self;
    uint32_t first = search(b, prefix);
    uint32_t end = first;

    while (end < b->stats.keys && begins(key_of(b->entries[end]), prefix)) {
        end++;
    }
    remove_at(b, first, end - first);
    return NATLET_OK;
}

/* ---- life ---- */

static size_t table_bytes(const natlet_backend_config *config)
{
    return sizeof(natlet_memory_backend) + (size_t)config->keys_max * sizeof(entry *);
}

natlet_status natlet_memory_backend_new(natlet_memory_backend **out, const natlet_allocator *memory,
                                        const natlet_backend_config *config)
{
    natlet_backend_config whole = config != NULL ? *config : (natlet_backend_config){0};

    whole.keys_max = whole.keys_max > 0 ? whole.keys_max : KEYS_DEFAULT;
    whole.value_bytes_max = whole.value_bytes_max > 0 ? whole.value_bytes_max : VALUE_DEFAULT;
    whole.bytes_max = whole.bytes_max > 0 ? whole.bytes_max : BYTES_DEFAULT;
    *out = NULL;
    if (whole.keys_max > KEYS_LIMIT) {
        return NATLET_E_CONFIG;
    }
    *out = memory->resize(memory->self, NULL, 0, table_bytes(&whole));
    if (*out == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    (*out)->memory = *memory;
    (*out)->config = whole;
    (*out)->stats = (natlet_backend_stats){0};
    return NATLET_OK;
}

void natlet_memory_backend_free(natlet_memory_backend *backend)
{
    if (backend == NULL) {
        return;
    }
    const natlet_allocator memory = backend->memory;
    remove_at(backend, 0, backend->stats.keys);
    (void)memory.resize(memory.self, backend, table_bytes(&backend->config), 0);
}

natlet_backend natlet_memory_backend_of(natlet_memory_backend *backend)
{
    return (natlet_backend){.self = backend,
                            .store = store,
                            .get = get,
                            .remove = remove_key,
                            .list = list,
                            .clear = clear};
}

natlet_backend_stats natlet_memory_backend_stats_now(const natlet_memory_backend *backend)
{
    return backend->stats;
}
