/* A program that connects, publishes and flushes; with FULL one that also uses what
 * else a client can do.  Linked by publisher.sh, never run. */
#include "natlet/client.h"
#include "natlet/compress.h"
#include "natlet/host.h"
#include "natlet/tls.h"

NATLET_EXPORT(program)
int program(const natlet_host *host, const natlet_allocator *memory,
            const natlet_client_config *config, const natlet_msg *msg)
{
    natlet_runtime *rt;
    natlet_client *client;
    int outcome = natlet_runtime_new(&rt, host, memory, 0);

    outcome += natlet_client_new(&client, rt, config);
    outcome += natlet_client_connect(client);
    outcome += natlet_client_publish(client, msg);
    outcome += natlet_client_flush(client, 1000, NULL, NULL);
    outcome += natlet_client_rtt(client, 1000, NULL, NULL);
    outcome += natlet_client_is_connected(client);
    outcome += (int)natlet_client_stats_now(client).out_messages;
    outcome += (int)natlet_runtime_run(rt, 1000, 0);
#ifdef FULL
    natlet_msg lent;
    uint32_t sid;
    const natlet_request_options many = {.many = true, .own_inbox = true};
    const natlet_track_options track = {.offline_bytes_max = 65536};
    const natlet_tls_config tls = {.size = sizeof tls};
    outcome += natlet_client_track(client, &track);
    outcome += natlet_client_compress(client, NULL);
    outcome += natlet_client_tls(client, &tls);
    outcome += natlet_client_subscribe(client, &sid, msg->subject, NULL, NULL);
    outcome += natlet_client_next(client, sid, &lent);
    outcome += natlet_client_release(client, sid);
    outcome += natlet_client_request(client, msg, 1000, NULL, NULL, NULL);
    outcome += natlet_client_request_many(client, msg, &many, NULL, NULL, NULL);
    outcome += natlet_client_drain(client, 1000, NULL, NULL);
#endif
    natlet_client_free(client);
    natlet_runtime_free(rt);
    return outcome;
}

#ifndef __wasm__
int main(void)
{
    return program(NULL, NULL, NULL, NULL);
}
#endif
