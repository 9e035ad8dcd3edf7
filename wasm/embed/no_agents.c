/* natlet-core.wasm is the client alone. */
#include "areas.h"

natlet_status natlet__embed_agents_init(natlet_runtime *rt, natlet_client *client,
                                        const natlet__embed_config *config)
{
    (void)rt;
    (void)client;
    (void)config;
    return NATLET_OK;
}

natlet_status natlet__embed_agents_take(const natlet_embed_op *op, const natlet_msg *parts)
{
    (void)op;
    (void)parts;
    return NATLET_E_UNSUPPORTED;
}

natlet_status natlet__embed_agents_recover(void)
{
    return NATLET_E_POISONED;
}

void natlet__embed_agents_detach(void)
{
}

void natlet__embed_agents_fini(void)
{
}
