/* The guest as a native program on the posix host. */
#include "guest.h"

#include "posix/natlet_posix.h"

int guest_main(const natlet_host *host, int argc, char **argv);

int main(int argc, char **argv)
{
    static const char *const allow[] = {"nats://127.0.0.1:*"};
    natlet_posix_config config = {.size = sizeof config, .allow = allow, .allow_count = 1};
    natlet_host *host;

    if (natlet_posix_new(&host, &config) < 0) {
        return 2;
    }
    int status = guest_main(host, argc, argv);
    natlet_posix_free(host);
    return status;
}
