#include "config.h"

#include "base/bytes.h"
#include "json/reader.h"

/* The members, in the order of the fields in natlet__embed_config: its texts, its
 * flags, its numbers. */
static const char names[] = "servers\0name\0user\0password\0token\0inbox_prefix\0"
                            "no_echo\0verbose\0pedantic\0keep_order\0ignore_discovered\0"
                            "no_reconnect\0retry_first_connect\0"
                            "connect_ms\0ping_ms\0pings_out_max\0drain_ms\0reconnect_ms\0"
                            "reconnects_max\0rx_bytes\0tx_bytes\0pending_bytes_max\0"
                            "message_bytes_max\0subscriptions_max\0"
                            "submission_bytes\0completion_records\0cell_bytes\0agents_max\0";

enum { /* where a row begins in the list */
       SERVERS = 0,
       FLAGS = 6,
       NUMBERS = 13,
       RECONNECTS_MAX = 18,
       OWN_NUMBERS = 24,
       NAMES = 28,
};

#define OFFSET(member) offsetof(natlet__embed_config, member)
_Static_assert(OFFSET(client.inbox_prefix) ==
                   OFFSET(client.servers) + (FLAGS - 1) * sizeof(natlet_slice),
               "a row of texts");
_Static_assert(OFFSET(client.retry_first_connect) == OFFSET(client.no_echo) + NUMBERS - FLAGS - 1,
               "a row of flags");
_Static_assert(OFFSET(client.subscriptions_max) ==
                   OFFSET(client.connect_ms) + (OWN_NUMBERS - NUMBERS - 1) * sizeof(uint32_t),
               "a row of numbers");
_Static_assert(OFFSET(agents_max) ==
                   OFFSET(submission_bytes) + (NAMES - OWN_NUMBERS - 1) * sizeof(uint32_t),
               "a row of numbers");

static natlet_status read_number(natlet__embed_config *config, uint32_t name, natlet_slice text)
{
    size_t at = name < OWN_NUMBERS
                    ? OFFSET(client.connect_ms) + (name - NUMBERS) * sizeof(uint32_t)
                    : OFFSET(submission_bytes) + (name - OWN_NUMBERS) * sizeof(uint32_t);
    uint64_t value = UINT64_MAX;

    if (name == RECONNECTS_MAX && natlet__equal(text, natlet__text("-1"))) {
        value = (uint32_t)-1;
    } else if (!natlet__read_decimal(text, name == RECONNECTS_MAX ? INT32_MAX : UINT32_MAX,
                                     &value)) {
        return NATLET_E_CONFIG;
    }
    *(uint32_t *)(void *)((uint8_t *)config + at) = (uint32_t)value;
    return NATLET_OK;
}

/* Puts a string into the store, its escapes resolved. */
static natlet_status keep(natlet__config_store *store, const natlet__json_token *value)
{
    if (value->kind != NATLET__JSON_STRING || value->text.len > store->cap - store->len) {
        return NATLET_E_CONFIG;
    }
    store->len += natlet__json_unescape(store->ptr + store->len, value->text);
    return NATLET_OK;
}

/* The strings of an array, behind its '[', joined with commas. */
static natlet_status keep_array(natlet__config_store *store, natlet__json *json)
{
    natlet__json_token value;
    bool is_first = true;

    for (;;) {
        natlet_status st = natlet__json_next(json, &value);
        if (st < 0 || value.kind == NATLET__JSON_ARRAY_END) {
            return st;
        }
        if (!is_first && store->len < store->cap) {
            store->ptr[store->len++] = ',';
        }
        is_first = false;
        st = keep(store, &value);
        if (st < 0) {
            return st;
        }
    }
}

static natlet_status read_text(natlet__embed_config *config, uint32_t name,
                               const natlet__json_token *value, natlet__json *json,
                               natlet__config_store *store)
{
    natlet_slice *text = (void *)((uint8_t *)config + OFFSET(client.servers) + name * sizeof *text);
    uint8_t *start = store->ptr + store->len;

    if (value->kind == NATLET__JSON_STRING && !value->has_escapes) {
        *text = value->text;
        return NATLET_OK;
    }
    natlet_status st = name == SERVERS && value->kind == NATLET__JSON_ARRAY
                           ? keep_array(store, json)
                           : keep(store, value);

    *text = (natlet_slice){start, (size_t)(store->ptr + store->len - start)};
    return st;
}

static natlet_status read_member(natlet__embed_config *config, natlet__json *json, natlet_slice key,
                                 natlet__config_store *store)
{
    natlet__json_token value;
    uint32_t name = natlet__word_index(names, key);
    natlet_status st = natlet__json_next(json, &value);
    bool is_true = value.kind == NATLET__JSON_TRUE;

    if (st < 0 || name == NAMES) {
        return st < 0 ? st : NATLET_E_CONFIG;
    }
    if (name < FLAGS) {
        return read_text(config, name, &value, json, store);
    }
    if (name < NUMBERS && (is_true || value.kind == NATLET__JSON_FALSE)) {
        *((bool *)config + OFFSET(client.no_echo) + (name - FLAGS)) = is_true;
        return NATLET_OK;
    }
    return name >= NUMBERS && value.kind == NATLET__JSON_NUMBER
               ? read_number(config, name, value.text)
               : NATLET_E_CONFIG;
}

natlet_status natlet__config_read(natlet__embed_config *config, natlet_slice text,
                                  natlet__config_store *store)
{
    natlet__json json;
    natlet__json_token token;

    *config = (natlet__embed_config){.client.size = sizeof config->client,
                                     .submission_bytes = 65536,
                                     .completion_records = 1024,
                                     .cell_bytes = 262144,
                                     .agents_max = 256};
    natlet__json_init(&json, text, 2);
    natlet_status st = natlet__json_next(&json, &token);
    if (st == NATLET_OK && token.kind != NATLET__JSON_OBJECT) {
        return NATLET_E_CONFIG;
    }
    while (st == NATLET_OK) {
        st = natlet__json_next(&json, &token);
        if (st < 0 || token.kind != NATLET__JSON_KEY) {
            break;
        }
        st = read_member(config, &json, token.text, store);
    }
    if (st == NATLET_OK) {
        st = natlet__json_next(&json, &token); /* nothing may follow */
    }
    return st;
}
