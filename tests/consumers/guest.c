/* A module of others, against what make install installed: answers every request on
 * "consumers.guest" with what it got. */
#include <natlet.h>
#include <natlet/app.h>

static natlet_client *client;

static void answer(void *self, uint32_t sid, const natlet_msg *msg)
{
    natlet_msg reply = {.subject = msg->reply, .payload = msg->payload};

    (void)self, (void)sid;
    (void)natlet_client_publish(client, &reply);
}

/* The configuration is {"url":"..."}. */
natlet_status natlet_app_init(natlet_runtime *rt, natlet_slice config)
{
    static const natlet_slice url = NATLET_TEXT("/url"), subject = NATLET_TEXT("consumers.guest");
    natlet_sink sink = {.message = answer};
    natlet_client_config options;
    natlet_slice raw;
    uint32_t sid;

    if (natlet_json_find(config, url, &raw) < 0 || raw.len < 2) {
        return NATLET_E_CONFIG;
    }
    natlet_client_config_init(&options);
    options.servers = (natlet_slice){raw.ptr + 1, raw.len - 2};
    natlet_status st = natlet_client_new(&client, rt, &options);
    st = st < 0 ? st : natlet_client_connect(client);
    return st < 0 ? st : natlet_client_subscribe(client, &sid, subject, NULL, &sink);
}

uint32_t natlet_app_run(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_NEVER_MS;
}

natlet_status natlet_app_recover(natlet_runtime *rt)
{
    (void)rt;
    return NATLET_E_POISONED;
}

void natlet_app_fini(natlet_runtime *rt)
{
    (void)rt;
    natlet_client_free(client);
}
