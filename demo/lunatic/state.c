/* State of agents, and what they read of messages. */
#include <string.h>

#include "lunatic.h"

natlet_slice slice_of(const char *text)
{
    return (natlet_slice){(const uint8_t *)text, strlen(text)};
}

natlet_seed_agent seed_agent(const member *self,
                             int32_t (*on_message)(natlet_cell *, void *, natlet_mail *,
                                                   const natlet_seed_message *))
{
    return (natlet_seed_agent){.id = {(const uint8_t *)self->id, self->id_len},
                               .backend = &self->of->backend,
                               .on_message = on_message};
}

/* ---- "<id>:<key>", as actions on the state find it ---- */

typedef struct full_key {
    uint8_t bytes[NATLET_BACKEND_KEY_BYTES_MAX];
    natlet_slice text;
} full_key;

static void make_key(full_key *full, const member *self, const char *key)
{
    size_t room = sizeof full->bytes - self->id_len - 1;
    size_t len = strlen(key) < room ? strlen(key) : room;

    memcpy(full->bytes, self->id, self->id_len);
    full->bytes[self->id_len] = ':';
    memcpy(full->bytes + self->id_len + 1, key, len);
    full->text = (natlet_slice){full->bytes, self->id_len + 1 + len};
}

uint32_t recall(const member *self, const char *key)
{
    const natlet_backend *backend = &self->of->backend;
    natlet_slice text;
    uint64_t value;
    full_key full;

    make_key(&full, self, key);
    if (backend->get(backend->self, full.text, &text) < 0 ||
        !natlet_json_u64(text, UINT32_MAX, &value)) {
        return 0;
    }
    return (uint32_t)value;
}

void remember(const member *self, const char *key, uint32_t value)
{
    const natlet_backend *backend = &self->of->backend;
    uint8_t digits[16];
    natlet_json_out out;
    full_key full;

    make_key(&full, self, key);
    natlet_json_out_init(&out, digits, sizeof digits);
    natlet_json_out_u64(&out, value);
    (void)backend->store(backend->self, full.text, (natlet_slice){digits, out.len});
}

bool forget(const member *self, const char *key)
{
    const natlet_backend *backend = &self->of->backend;
    full_key full;

    make_key(&full, self, key);
    return backend->remove(backend->self, full.text) == NATLET_OK;
}

/* ---- messages ---- */

uint32_t number_in(const natlet_seed_message *message, const char *pointer)
{
    natlet_slice raw;
    uint64_t value;

    if (natlet_json_find(message->envelope.payload, slice_of(pointer), &raw) < 0 ||
        !natlet_json_u64(raw, UINT32_MAX, &value)) {
        return 0;
    }
    return (uint32_t)value;
}

natlet_slice text_in(const natlet_seed_message *message, const char *pointer,
                     uint8_t mem[TEXT_BYTES_MAX])
{
    natlet_slice raw;
    natlet_slice text;

    if (natlet_json_find(message->envelope.payload, slice_of(pointer), &raw) < 0 ||
        natlet_json_text(raw, mem, TEXT_BYTES_MAX, &text) < 0) {
        return (natlet_slice){0};
    }
    return text;
}

int32_t done_or_retry(natlet_status st)
{
    return st == NATLET_E_DISCONNECTED || st == NATLET_E_FULL ? NATLET_RETRY : (int32_t)st;
}
