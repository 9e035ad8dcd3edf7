/* The guest as a wasm command: the arguments are the configuration. */
#include "guest.h"

#include <stdio.h>
#include <string.h>

static void say(guest *g, const char *line, uint32_t len)
{
    (void)g;
    printf("%.*s\n", (int)len, line);
}

int guest_main(const natlet_host *host, int argc, char **argv);

int guest_main(const natlet_host *host, int argc, char **argv)
{
    static uint8_t scratch[SCRATCH_BYTES];
    static natlet_host_event events[EVENTS_MAX];
    static guest g;
    char config[TEXT_BYTES] = "";

    for (int i = 1; i < argc; i++) {
        size_t len = strlen(config);
        (void)snprintf(config + len, sizeof config - len, "%s ", argv[i]);
    }
    g.say = say;
    g.scratch = scratch;
    g.events = events;
    if (!guest_init(&g, host, config, (uint32_t)strlen(config))) {
        (void)fprintf(stderr, "guest: the host refused, or the configuration is wrong: %s\n",
                      config);
        return 2;
    }
    while (!g.is_done) {
        guest_turn(&g, g.wait_ms < INT32_MAX ? (int32_t)g.wait_ms : -1);
    }
    return g.failed > 0 ? 1 : 0;
}

#if defined(__wasm__)
int main(int argc, char **argv)
{
    return guest_main(natlet_host_imports(), argc, argv);
}
#endif
