#include "base/memory.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

void *natlet__memory_resize(natlet__memory *mem, void *ptr, size_t old_bytes, size_t new_bytes)
{
    NATLET_ASSERT(new_bytes > 0 && old_bytes <= mem->used_bytes &&
                  (ptr != NULL) == (old_bytes > 0));

    size_t used_bytes = mem->used_bytes - old_bytes + new_bytes;
    bool fits = used_bytes >= new_bytes && used_bytes - 1 <= mem->budget_bytes - 1;
    void *moved = NULL;
    if (fits) { /* a budget of 0 is, less one, the largest of all */
        moved = mem->allocator.resize(mem->allocator.self, ptr, old_bytes, new_bytes);
    }
    if (moved == NULL) {
        mem->refused++;
        return NULL;
    }
    mem->used_bytes = used_bytes;
    if (mem->used_bytes > mem->used_max) {
        mem->used_max = mem->used_bytes;
    }
    return moved;
}

void *natlet__memory_take(natlet__memory *mem, size_t bytes)
{
    void *ptr = natlet__memory_resize(mem, NULL, 0, bytes);

    if (ptr != NULL) {
        memset(ptr, 0, bytes);
    }
    return ptr;
}

void natlet__memory_give_back(natlet__memory *mem, void *ptr, size_t bytes)
{
    if (ptr == NULL) {
        return;
    }
    NATLET_ASSERT(bytes <= mem->used_bytes);
    mem->used_bytes -= bytes;
    mem->allocator.resize(mem->allocator.self, ptr, bytes, 0);
}
