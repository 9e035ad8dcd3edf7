#include "client/onlooker.h"

#include "base/assert.h"
#include "client/client.h"

static void pass_on(void *self, const natlet_client_event *event)
{
    natlet__onlooker *onlooker = self;

    onlooker->see(onlooker, event);
    if (onlooker->on_event != NULL) {
        onlooker->on_event(onlooker->self, event);
    }
}

static int32_t choose_server(void *self, uint32_t proposed)
{
    const natlet__onlooker *onlooker = self;

    return onlooker->choose_server(onlooker->self, proposed);
}

static uint32_t reconnect_delay(void *self, uint32_t attempt)
{
    const natlet__onlooker *onlooker = self;

    return onlooker->reconnect_delay(onlooker->self, attempt);
}

void natlet__onlooker_begin(natlet_client *client, natlet__onlooker *onlooker,
                            void (*see)(natlet__onlooker *onlooker,
                                        const natlet_client_event *event))
{
    natlet_client_config *config = &client->config;

    *onlooker = (natlet__onlooker){see, config->on_event, config->choose_server,
                                   config->reconnect_delay, config->self};
    config->on_event = pass_on;
    config->choose_server = config->choose_server != NULL ? choose_server : NULL;
    config->reconnect_delay = config->reconnect_delay != NULL ? reconnect_delay : NULL;
    config->self = onlooker;
}

void natlet__onlooker_end(natlet_client *client, natlet__onlooker *onlooker)
{
    natlet_client_config *config = &client->config;

    NATLET_ASSERT(config->self == onlooker);
    config->on_event = onlooker->on_event;
    config->choose_server = onlooker->choose_server;
    config->reconnect_delay = onlooker->reconnect_delay;
    config->self = onlooker->self;
}
