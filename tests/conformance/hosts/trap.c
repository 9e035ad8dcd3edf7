/* A reactor that traps when it is told to, for the trap protocol.
 *
 * Its configuration is a word that says what natlet_run does in its second turn:
 * "recover" and "recover-deep" trap and answer 0 in natlet_recover, "poison"
 * answers E_POISONED, "again" traps in natlet_recover as well, "loop" never ends. */
#include <stdbool.h>
#include <string.h>

#include "natlet/host.h"
#include "natlet/status.h"

#include "platform/stack.h"

static char what[16];
static uint32_t turns;

uint32_t natlet_abi(void)
{
    return NATLET_ABI;
}

uint32_t natlet_mem(uint32_t len)
{
    static uint8_t scratch[1024];

    return len <= sizeof scratch ? (uint32_t)(uintptr_t)scratch : 0;
}

static bool is(const char *word)
{
    return strcmp(what, word) == 0;
}

static void say(const char *line)
{
    natlet_host_log(NATLET_LOG_INFO, line, (uint32_t)strlen(line));
}

int32_t natlet_init(uint32_t config, uint32_t config_len)
{
    if (config_len >= sizeof what) {
        return NATLET_E_CONFIG;
    }
    natlet__stack_mark();
    memcpy(what, (const char *)(uintptr_t)config, config_len);
    return NATLET_OK;
}

/* Runs out of stack. */
__attribute__((noinline)) static uint32_t dig(uint32_t depth)
{
    volatile uint8_t room[4096] = {0};

    return depth == UINT32_MAX ? 0 : dig(depth + 1) + room[depth % sizeof room];
}

uint32_t natlet_run(uint32_t budget_us)
{
    (void)budget_us;
    turns++;
    if (turns == 2) {
        say("trapping");
        if (is("recover-deep")) {
            return dig(0);
        }
        while (is("loop")) {
            turns++;
        }
        __builtin_trap();
    }
    if (turns == 3) {
        say("went on");
    }
    return turns == 1 ? 0 : UINT32_MAX;
}

int32_t natlet_recover(void)
{
    natlet__stack_reset();
    if (is("again")) {
        __builtin_trap();
    }
    return is("poison") ? NATLET_E_POISONED : NATLET_OK;
}

void natlet_fini(void)
{
    say("fini");
}
