#include "platform/heap.h"

#include "base/assert.h"

enum { PAGE_BYTES = 65536, ARENA_BYTES_MIN = 512, ALIGN = 8 };

/* The linker puts it behind stack and data; only its address means something. */
extern uint8_t heap_base[] __asm__("__heap_base");

/* Not called, and not linked because of this line: its address tells whether the
 * module has an allocator already. */
extern void *malloc(size_t bytes) __attribute__((weak));

static natlet_arena *heap;
static uintptr_t heap_end;

/* Adds whole pages behind the heap, enough to end beyond what is asked; 0 if there are none, or if
 * somebody else has grown the memory since. */
static size_t grow_memory(size_t bytes)
{
    size_t pages = bytes / PAGE_BYTES + 1;

    if (__builtin_wasm_memory_size(0) * PAGE_BYTES != heap_end ||
        __builtin_wasm_memory_grow(0, pages) == SIZE_MAX) {
        return 0;
    }
    heap_end += pages * PAGE_BYTES;
    return pages * PAGE_BYTES;
}

natlet_arena *natlet__platform_heap(void)
{
    NATLET_ASSERT(malloc == NULL);
    if (heap == NULL) {
        uintptr_t start = ((uintptr_t)heap_base + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
        heap_end = __builtin_wasm_memory_size(0) * PAGE_BYTES;
        if (heap_end < start + ARENA_BYTES_MIN) {
            grow_memory(ARENA_BYTES_MIN);
        }
        (void)natlet_arena_init(&heap, (void *)start, heap_end - start, grow_memory);
    }
    return heap;
}
