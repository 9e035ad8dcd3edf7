/* A connection's configuration, in the words of the seed. */
#include "base/bytes.h"
#include "natlet/json.h"
#include "natlet/seed.h"
#include "json/members.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };
enum { TIMEOUT_MS = 10000, DELAY_MS = 1000, RECONNECTS = 10 };

static const natlet_slice url_default = NATLET_TEXT("ws://localhost:8080/nats");

enum { URL, TIMEOUT, RECONNECTS_MAX, DELAY, MEMBERS };
static const char members[] = "websocket_url\0timeout\0max_reconnects\0reconnect_delay\0";

/* Whole seconds, or {"secs":..,"nanos":..}; what is below a millisecond counts as one. */
static bool read_time(natlet_slice value, uint32_t *ms)
{
    enum { SECS, NANOS };
    natlet_slice parts[NANOS + 1];
    natlet__json_rest rest;
    uint64_t seconds;
    uint64_t nanos = 0;

    if (value.ptr == NULL) {
        return true;
    }
    if (!natlet_json_u64(value, UINT32_MAX / MS_PER_S - 1, &seconds) &&
        (natlet__json_members(value, "secs\0nanos\0", parts, &rest) < 0 || rest.is_twice ||
         !natlet_json_u64(parts[SECS], UINT32_MAX / MS_PER_S - 1, &seconds) ||
         !natlet_json_u64(parts[NANOS], NS_PER_S - 1, &nanos))) {
        return false;
    }
    *ms = (uint32_t)(seconds * MS_PER_S + (nanos + NS_PER_MS - 1) / NS_PER_MS);
    return *ms > 0;
}

/* 0 is "never", which is a field of its own; null is -1, without end. */
static bool read_reconnects(natlet_slice value, natlet_client_config *config)
{
    static const natlet_slice null = NATLET_TEXT("null");
    uint64_t count = RECONNECTS;

    if (natlet__equal(value, null)) {
        config->reconnects_max = -1;
        return true;
    }
    if (value.ptr != NULL && !natlet_json_u64(value, INT32_MAX, &count)) {
        return false;
    }
    config->no_reconnect = count == 0;
    config->reconnects_max = (int32_t)count;
    return true;
}

natlet_status natlet_seed_client_read(natlet_slice text, void *mem, size_t cap,
                                      natlet_client_config *config)
{
    natlet_slice values[MEMBERS];
    natlet__json_rest rest;

    natlet_client_config_init(config);
    config->servers = url_default;
    config->connect_ms = TIMEOUT_MS;
    config->reconnect_ms = DELAY_MS;
    if (natlet__json_members(text, members, values, &rest) < 0) {
        return NATLET_E_JSON;
    }
    if (rest.is_twice || !read_time(values[TIMEOUT], &config->connect_ms) ||
        !read_time(values[DELAY], &config->reconnect_ms) ||
        !read_reconnects(values[RECONNECTS_MAX], config)) {
        return NATLET_E_CONFIG;
    }
    if (values[URL].ptr == NULL) {
        return NATLET_OK;
    }
    natlet_status st = natlet_json_text(values[URL], mem, cap, &config->servers);
    return st == NATLET_E_JSON ? NATLET_E_CONFIG : st;
}
