/* A module as C on the host of host-shims/posix: what its imports share.
 *
 * Internal.  One process runs one module.  The memory is looked up in every call
 * (rule H3), every address is checked before it is used (H4), and nothing here
 * calls the module (H1). */
#ifndef NATLET_WASM2C_GUEST_H
#define NATLET_WASM2C_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wasm-rt.h>

#include "names.h"
#include "natlet/host.h"

#if defined(NATLET_WASM2C_1_0_32)
struct Z_natlet_host1_instance_t {
#else
struct w2c_natlet__host1 {
#endif
    const natlet_host *host;
    wasm_rt_memory_t *memory;
    bool is_reactor;            /* its poll must not wait */
    natlet_host_event kept[64]; /* what the runner's own wait brought, for the next poll */
    uint32_t kept_count;
    uint32_t terminations, terminations_told;
    void (*polled)(void); /* the guest has come back to the host: its time starts anew */
};

/* Descriptors of files begin behind the streams and the root. */
enum { NATLET__WASM2C_FILES_MAX = 16, NATLET__WASM2C_FILE_FIRST = 4 };

#if defined(NATLET_WASM2C_1_0_32)
struct Z_wasi_snapshot_preview1_instance_t {
#else
struct w2c_wasi__snapshot__preview1 {
#endif
    wasm_rt_memory_t *memory;
    char **args, **env;                 /* NULL at the end */
    char *const *files;                 /* names that may be read; NULL at the end */
    int open[NATLET__WASM2C_FILES_MAX]; /* 0: free */
    void (*exit)(uint32_t status);      /* does not return */
};

/* `len` bytes of the guest at `at`, or NULL: they are not all inside its memory. */
static inline void *natlet__wasm2c_at(const wasm_rt_memory_t *memory, uint32_t at, uint64_t len)
{
    return at + len <= memory->size ? memory->data + at : NULL;
}

#endif
