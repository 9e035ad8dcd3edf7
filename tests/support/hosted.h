/* The host of a test program that runs natively and as a WASI command. */
#ifndef HOSTED_H
#define HOSTED_H

#include <stdlib.h>

#include "natlet/allocator.h"
#include "natlet/host.h"

#if defined(__wasm__)

static inline const natlet_host *hosted_door(void)
{
    return natlet_host_imports();
}

#else

#include "posix/natlet_posix.h"

/* Never freed: it lives as long as the program. */
static inline const natlet_host *hosted_door(void)
{
    static natlet_host *host;

    if (host == NULL && natlet_posix_new(&host, NULL) < 0) {
        return NULL;
    }
    return host;
}

#endif

static inline void *hosted_resize(void *self, void *ptr, size_t old_bytes, size_t new_bytes)
{
    (void)self;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

static inline natlet_allocator hosted_allocator(void)
{
    return (natlet_allocator){.resize = hosted_resize};
}

#endif
