/* A backend keeps what agents store by key, beyond their restarts: in memory, in
 * files (host-shims/posix/natlet_files.h), or wherever a program puts it.
 *
 * It answers at once and never waits.  Keys of one agent begin with its id and a
 * colon, so that several agents can share one backend. */
#ifndef NATLET_BACKEND_H
#define NATLET_BACKEND_H

#include "natlet/allocator.h"
#include "natlet/slice.h"

/* Hands out one key; it must not change the backend. */
typedef void (*natlet_key_fn)(void *self, natlet_slice key);

/* What every backend can do.  Keys are 1..NATLET_BACKEND_KEY_BYTES_MAX bytes of any
 * kind, else E_INVALID. */
typedef struct natlet_backend {
    void *self;
    /* Keeps a copy of the value in the place of one that was there.  OK; E_FULL (too many
     * keys or bytes, or no memory: what was there stays, the refusal is counted); E_TOO_LARGE
     * (the value will never fit, counted); E_IO. */
    natlet_status (*store)(void *self, natlet_slice key, natlet_slice value);
    /* Lends the value until the next call.  OK; E_NOT_FOUND; E_IO; E_TOO_LARGE (somebody
     * else put it there). */
    natlet_status (*get)(void *self, natlet_slice key, natlet_slice *value);
    /* OK; E_NOT_FOUND; E_IO. */
    natlet_status (*remove)(void *self, natlet_slice key);
    /* Hands out all keys with that prefix, which may be empty.  OK; E_IO. */
    natlet_status (*list)(void *self, natlet_slice prefix, natlet_key_fn fn, void *arg);
    /* Removes all keys with that prefix.  OK; E_IO. */
    natlet_status (*clear)(void *self, natlet_slice prefix);
} natlet_backend;

#define NATLET_BACKEND_KEY_BYTES_MAX 80u

/* Zeroed fields take their defaults. */
typedef struct natlet_backend_config {
    uint32_t keys_max;        /* 1024; in memory at most 1 048 576 */
    uint32_t value_bytes_max; /* of one value: 65 536 */
    uint32_t bytes_max;       /* of all keys and values: 1 048 576 */
} natlet_backend_config;

typedef struct natlet_backend_stats {
    uint32_t keys;
    uint32_t keys_max; /* most ever */
    uint32_t bytes;    /* of keys and values */
    uint32_t bytes_max;
    uint32_t refused; /* stores: E_FULL and E_TOO_LARGE */
} natlet_backend_stats;

/* The backend in memory.  It outlives agents, cells and runtimes, not the program. */
typedef struct natlet_memory_backend natlet_memory_backend;

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an empty one that takes its memory from `memory`, which must live as long.
 * `config` may be NULL.
 *
 * Returns OK, E_CONFIG (too many keys) or E_NO_MEMORY; on failure *out is NULL. */
natlet_status natlet_memory_backend_new(natlet_memory_backend **out, const natlet_allocator *memory,
                                        const natlet_backend_config *config);

/* Frees it with all it keeps; NULL is allowed. */
void natlet_memory_backend_free(natlet_memory_backend *backend);

/* What it can do; valid as long as it lives.  list hands keys out in their order. */
natlet_backend natlet_memory_backend_of(natlet_memory_backend *backend);

natlet_backend_stats natlet_memory_backend_stats_now(const natlet_memory_backend *backend);

#ifdef __cplusplus
}
#endif

#endif
