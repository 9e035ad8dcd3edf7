/* The exports of a reactor module (natlet/host.h) around the one runtime in it.
 *
 * What the module is for comes from the hooks of natlet/app.h: embed/ for host
 * languages, or a program's own. */
#include "natlet/app.h"
#include "natlet/host.h"

#include <string.h>

#include "base/runtime.h"
#include "platform/heap.h"
#include "platform/stack.h"

static natlet_runtime *runtime; /* NULL before natlet_init, and when poisoned */
static bool is_poisoned;
static uint8_t *scratch;
static uint32_t scratch_bytes;

/* Constructors of the program, made by the linker.  Where nobody calls it the linker
 * takes the module for a command, whose every export constructs and destructs. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name */
extern void __wasm_call_ctors(void);

static uint32_t address_of(const void *ptr)
{
    return (uint32_t)(uintptr_t)ptr;
}

uint32_t natlet_abi(void)
{
    return NATLET_ABI;
}

uint32_t natlet_mem(uint32_t len)
{
    natlet_allocator heap = natlet_arena_allocator(natlet__platform_heap());

    if (len > scratch_bytes) {
        uint8_t *grown = heap.resize(heap.self, scratch, scratch_bytes, len);
        if (grown == NULL) {
            return 0;
        }
        scratch = grown;
        scratch_bytes = len;
    }
    return address_of(scratch);
}

/* The work of natlet_init and natlet_recover is kept apart from them: the exported
 * functions move the stack pointer and must not have a frame (platform/stack.h). */
__attribute__((noinline)) static int32_t start(uint32_t config, uint32_t config_len)
{
    if (runtime != NULL || is_poisoned) {
        return NATLET_E_STATE;
    }
    natlet_allocator heap = natlet_arena_allocator(natlet__platform_heap());
    natlet_status st = natlet_runtime_new(&runtime, natlet_host_imports(), &heap, 0);
    if (st < 0) {
        return st;
    }
    st = natlet_app_init(runtime, (natlet_slice){(const uint8_t *)(uintptr_t)config, config_len});
    if (st < 0) {
        natlet_runtime_free(runtime);
        runtime = NULL;
    }
    return st;
}

int32_t natlet_init(uint32_t config, uint32_t config_len)
{
    natlet__stack_mark();
    __wasm_call_ctors();
    return start(config, config_len);
}

uint32_t natlet_run(uint32_t budget_us)
{
    if (runtime == NULL) {
        return NATLET_NEVER_MS;
    }
    uint32_t wait_ms = natlet_runtime_run(runtime, budget_us, 0);
    uint32_t app_ms = natlet_app_run(runtime);
    return app_ms < wait_ms ? app_ms : wait_ms;
}

__attribute__((noinline)) static int32_t recover(void)
{
    natlet_runtime *rt = runtime;

    if (rt == NULL) {
        return NATLET_E_POISONED;
    }
    runtime = NULL; /* stays so if this traps as well */
    is_poisoned = true;
    natlet_status st = natlet_app_recover(rt);
    if (st < 0) {
        return NATLET_E_POISONED;
    }
    natlet__runtime_recover(rt);
    runtime = rt;
    is_poisoned = false;
    return NATLET_OK;
}

int32_t natlet_recover(void)
{
    natlet__stack_reset();
    return recover();
}

void natlet_fini(void)
{
    if (runtime == NULL) {
        return;
    }
    natlet_app_fini(runtime);
    natlet_runtime_free(runtime);
    runtime = NULL;
    if (scratch != NULL) { /* kept for the next configuration, but not this one's secrets */
        memset(scratch, 0, scratch_bytes);
    }
}
