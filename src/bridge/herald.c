/* A shutdown is told to whoever watches. */
#include "bridge/bridge.h"
#include "natlet/introspect.h"

typedef struct herald {
    natlet__extra extra; /* first */
    natlet_presence *presence;
} herald;

static void say_draining(natlet_bridge *bridge, natlet__extra *extra)
{
    (void)bridge;
    (void)natlet_presence_set(((herald *)extra)->presence, NATLET_PRESENCE_DRAINING);
}

static void end_herald(natlet_bridge *bridge, natlet__extra *extra)
{
    natlet__memory_give_back(&bridge->cell->rt->memory, extra, sizeof(herald));
}

natlet_status natlet_bridge_presence(natlet_bridge *bridge, natlet_presence *presence)
{
    herald *h = natlet__memory_take(&bridge->cell->rt->memory, sizeof *h);

    if (h == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    h->presence = presence;
    natlet__extra_add(bridge, &h->extra, end_herald);
    h->extra.drain = say_draining;
    return NATLET_OK;
}
