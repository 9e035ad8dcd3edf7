/* A program of others, against what make install installed: publishes to itself. */
#include <natlet.h>
#include <natlet_posix.h>

#include <stdio.h>
#include <string.h>

static int received;

static void take(void *self, uint32_t sid, const natlet_msg *msg)
{
    (void)self, (void)sid;
    printf("%.*s\n", (int)msg->payload.len, (const char *)msg->payload.ptr);
    received++;
}

int main(int argc, char **argv)
{
    natlet_host *host;
    natlet_runtime *rt;
    natlet_client *client;
    natlet_allocator memory = natlet_posix_allocator();
    natlet_client_config config;
    natlet_msg hello = {.subject = NATLET_TEXT("consumers.native"),
                        .payload = NATLET_TEXT("hello from C")};
    natlet_sink sink = {.message = take};
    uint32_t sid;

    natlet_client_config_init(&config);
    config.servers.ptr = (const uint8_t *)(argc > 1 ? argv[1] : "");
    config.servers.len = argc > 1 ? strlen(argv[1]) : 0;
    if (natlet_posix_new(&host, NULL) < 0 || natlet_runtime_new(&rt, host, &memory, 0) < 0 ||
        natlet_client_new(&client, rt, &config) < 0 || natlet_client_connect(client) < 0 ||
        natlet_client_subscribe(client, &sid, hello.subject, NULL, &sink) < 0) {
        return 1;
    }
    while (received == 0 && natlet_client_state_now(client) != NATLET_CLIENT_CLOSED) {
        natlet_runtime_run(rt, 1000, 100);
        if (natlet_client_is_connected(client)) {
            (void)natlet_client_publish(client, &hello);
        }
    }
    natlet_client_free(client);
    natlet_runtime_free(rt);
    natlet_posix_free(host);
    return received > 0 ? 0 : 1;
}
