#include "wasm/cli/door.h"

#include <stddef.h>

#if defined(__wasm__)

const natlet_host *cli_door_open(void)
{
    return natlet_host_imports();
}

void cli_door_close(void)
{
}

#else

#include <signal.h>

#include "posix/natlet_posix.h"

static natlet_host *host;
static natlet_host door; /* the host, but for poll */
static volatile sig_atomic_t signals;
static sig_atomic_t signals_told;

/* A signal between the last look and poll's own wait must not be slept over. */
static void note_signal(int number)
{
    (void)number;
    signals++;
    host->wake(host->self);
}

static int32_t poll_with_signals(void *self, natlet_host_event *events, uint32_t cap,
                                 int32_t timeout_ms)
{
    int32_t count = host->poll(self, events, cap, timeout_ms);

    if (signals != signals_told && count >= 0 && (uint32_t)count < cap) {
        signals_told++;
        events[count++] = (natlet_host_event){
            .type = NATLET_EV_HINT,
            .a = NATLET_HINT_TERMINATE,
        };
    }
    return count;
}

const natlet_host *cli_door_open(void)
{
    struct sigaction action = {.sa_handler = note_signal};

    if (natlet_posix_new(&host, NULL) < 0) {
        return NULL;
    }
    door = *host;
    door.poll = poll_with_signals;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    return &door;
}

void cli_door_close(void)
{
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    natlet_posix_free(host);
    host = NULL;
}

#endif
