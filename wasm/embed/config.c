#include "config.h"

#include "base/bytes.h"
#include "json/reader.h"

typedef enum field_type { TEXT, FLAG, NUMBER, SIGNED } field_type;

typedef struct field {
    const char *name;
    uint16_t offset; /* in natlet__embed_config */
    uint8_t type;
} field;

#define CLIENT(name, type) {#name, offsetof(natlet__embed_config, client.name), type}
#define OWN(name) {#name, offsetof(natlet__embed_config, name), NUMBER}

static const field fields[] = {
    CLIENT(servers, TEXT),
    CLIENT(name, TEXT),
    CLIENT(user, TEXT),
    CLIENT(password, TEXT),
    CLIENT(token, TEXT),
    CLIENT(inbox_prefix, TEXT),
    CLIENT(no_echo, FLAG),
    CLIENT(verbose, FLAG),
    CLIENT(pedantic, FLAG),
    CLIENT(keep_order, FLAG),
    CLIENT(ignore_discovered, FLAG),
    CLIENT(no_reconnect, FLAG),
    CLIENT(retry_first_connect, FLAG),
    CLIENT(connect_ms, NUMBER),
    CLIENT(ping_ms, NUMBER),
    CLIENT(pings_out_max, NUMBER),
    CLIENT(drain_ms, NUMBER),
    CLIENT(reconnect_ms, NUMBER),
    CLIENT(reconnects_max, SIGNED),
    CLIENT(rx_bytes, NUMBER),
    CLIENT(tx_bytes, NUMBER),
    CLIENT(pending_bytes_max, NUMBER),
    CLIENT(message_bytes_max, NUMBER),
    CLIENT(subscriptions_max, NUMBER),
    OWN(submission_bytes),
    OWN(completion_records),
    OWN(cell_bytes),
    OWN(agents_max),
};

static natlet_status read_number(void *at, bool is_signed, natlet_slice text)
{
    uint64_t value;
    bool is_negative = is_signed && text.len > 0 && text.ptr[0] == '-';

    if (is_negative) {
        (void)natlet__take(&text, 1);
    }
    if (!natlet_json_u64(text, is_signed ? INT32_MAX : UINT32_MAX, &value)) {
        return NATLET_E_CONFIG;
    }
    if (is_signed) {
        int32_t number = is_negative ? -(int32_t)value : (int32_t)value;
        memcpy(at, &number, sizeof number);
    } else {
        uint32_t number = (uint32_t)value;
        memcpy(at, &number, sizeof number);
    }
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

static natlet_status read_text(natlet_slice *text, const natlet__json_token *value,
                               natlet__config_store *store)
{
    uint8_t *start = store->ptr + store->len;

    if (value->kind == NATLET__JSON_STRING && !value->has_escapes) {
        *text = value->text;
        return NATLET_OK;
    }
    natlet_status st = keep(store, value);
    if (st == NATLET_OK) {
        *text = (natlet_slice){start, (size_t)(store->ptr + store->len - start)};
    }
    return st;
}

static natlet_status read_value(void *at, field_type type, const natlet__json_token *value,
                                natlet__config_store *store)
{
    switch (type) {
    case TEXT:
        return read_text(at, value, store);
    case FLAG: {
        bool flag = value->kind == NATLET__JSON_TRUE;
        if (!flag && value->kind != NATLET__JSON_FALSE) {
            return NATLET_E_CONFIG;
        }
        memcpy(at, &flag, sizeof flag);
        return NATLET_OK;
    }
    case NUMBER:
    case SIGNED:
        if (value->kind != NATLET__JSON_NUMBER) {
            return NATLET_E_CONFIG;
        }
        return read_number(at, type == SIGNED, value->text);
    }
    return NATLET_E_CONFIG;
}

static natlet_status read_array(natlet__json *json, natlet_slice *servers,
                                natlet__config_store *store)
{
    uint8_t *start = store->ptr + store->len;
    natlet__json_token value;

    for (;;) {
        natlet_status st = natlet__json_next(json, &value);
        if (st < 0) {
            return st;
        }
        if (value.kind == NATLET__JSON_ARRAY_END) {
            *servers = (natlet_slice){start, (size_t)(store->ptr + store->len - start)};
            return NATLET_OK;
        }
        if (store->ptr + store->len > start) {
            if (store->len == store->cap) {
                return NATLET_E_CONFIG;
            }
            store->ptr[store->len++] = ',';
        }
        st = keep(store, &value);
        if (st < 0) {
            return st;
        }
    }
}

static const field *find_field(natlet_slice name)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (natlet__equal(name, natlet__text(fields[i].name))) {
            return &fields[i];
        }
    }
    return NULL;
}

static natlet_status read_member(natlet__embed_config *config, natlet__json *json,
                                 natlet_slice name, natlet__config_store *store)
{
    natlet__json_token value;
    const field *f = find_field(name);
    natlet_status st = natlet__json_next(json, &value);

    if (st < 0) {
        return st;
    }
    if (f == NULL) {
        return NATLET_E_CONFIG;
    }
    if (f->offset == offsetof(natlet__embed_config, client.servers) &&
        value.kind == NATLET__JSON_ARRAY) {
        return read_array(json, &config->client.servers, store);
    }
    return read_value((uint8_t *)config + f->offset, (field_type)f->type, &value, store);
}

natlet_status natlet__config_read(natlet__embed_config *config, natlet_slice text,
                                  natlet__config_store *store)
{
    natlet__json json;
    natlet__json_token token;

    *config = (natlet__embed_config){.submission_bytes = 65536,
                                     .completion_records = 1024,
                                     .cell_bytes = 262144,
                                     .agents_max = 256};
    natlet_client_config_init(&config->client);
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
