#include "config.h"

#include "base/bytes.h"
#include "json/reader.h"

/* The members, in the order of the fields in natlet__embed_config: its texts, its
 * flags, its numbers. */
static const char names[] = "servers\0name\0user\0password\0token\0inbox_prefix\0"
                            "no_echo\0verbose\0pedantic\0keep_order\0ignore_discovered\0"
                            "no_reconnect\0retry_first_connect\0retry_auth_errors\0host_auth\0"
                            "connect_ms\0ping_ms\0pings_out_max\0drain_ms\0reconnect_ms\0"
                            "reconnects_max\0rx_bytes\0tx_bytes\0pending_bytes_max\0"
                            "message_bytes_max\0subscriptions_max\0"
                            "submission_bytes\0completion_records\0cell_bytes\0agents_max\0"
                            "offline_bytes_max\0offline_ms\0report_publishes\0";

enum { /* where a row begins in the list */
       SERVERS = 0,
       FLAGS = 6,
       NUMBERS = 15,
       RECONNECTS_MAX = 20,
       OWN_NUMBERS = 26,
       NAMES = 33,
};

#define OFFSET(member) offsetof(natlet__embed_config, member)
_Static_assert(OFFSET(client.inbox_prefix) ==
                   OFFSET(client.servers) + (FLAGS - 1) * sizeof(natlet_slice),
               "a row of texts");
_Static_assert(OFFSET(client.host_auth) == OFFSET(client.no_echo) + NUMBERS - FLAGS - 1,
               "a row of flags");
_Static_assert(OFFSET(client.subscriptions_max) ==
                   OFFSET(client.connect_ms) + (OWN_NUMBERS - NUMBERS - 1) * sizeof(uint32_t),
               "a row of numbers");
_Static_assert(OFFSET(report_publishes) ==
                   OFFSET(submission_bytes) + (NAMES - OWN_NUMBERS - 1) * sizeof(uint32_t),
               "a row of numbers");

/* The row of our own numbers as if it began where the client's does. */
#define OWN_ROW_BYTES ((OWN_NUMBERS - NUMBERS) * sizeof(uint32_t))

static bool read_number(natlet__embed_config *config, uint32_t name, natlet_slice text)
{
    size_t row =
        name < OWN_NUMBERS ? OFFSET(client.connect_ms) : OFFSET(submission_bytes) - OWN_ROW_BYTES;
    uint32_t *number = (void *)((uint8_t *)config + row);
    uint64_t max = name == RECONNECTS_MAX ? INT32_MAX : UINT32_MAX;
    uint64_t value = UINT64_MAX;

    if (!natlet__read_decimal(text, max, &value) &&
        (name != RECONNECTS_MAX || !natlet__equal(text, natlet__text("-1")))) {
        return false;
    }
    number[name - NUMBERS] = (uint32_t)value;
    return true;
}

/* Puts a string into the texts, its escapes resolved. */
static bool keep(natlet__embed_config *config, const natlet__json_token *value)
{
    if (value->kind != NATLET__JSON_STRING ||
        value->text.len > sizeof config->texts - config->texts_len) {
        return false;
    }
    config->texts_len +=
        (uint32_t)natlet__json_unescape(config->texts + config->texts_len, value->text);
    return true;
}

/* The strings of an array, behind its '[', joined with commas. */
static bool keep_array(natlet__embed_config *config, natlet__json *json)
{
    natlet__json_token value;
    bool is_first = true;

    while (natlet__json_next(json, &value) == NATLET_OK) {
        if (value.kind == NATLET__JSON_ARRAY_END) {
            return true;
        }
        if (!is_first && config->texts_len < sizeof config->texts) {
            config->texts[config->texts_len++] = ',';
        }
        if (!keep(config, &value)) {
            return false;
        }
        is_first = false;
    }
    return false;
}

static bool read_text(natlet__embed_config *config, uint32_t name, const natlet__json_token *value,
                      natlet__json *json)
{
    natlet_slice *text = (void *)((uint8_t *)config + OFFSET(client.servers) + name * sizeof *text);
    uint8_t *start = config->texts + config->texts_len;

    if (value->kind == NATLET__JSON_STRING && !value->has_escapes) {
        *text = value->text;
        return true;
    }
    bool is_kept = name == SERVERS && value->kind == NATLET__JSON_ARRAY ? keep_array(config, json)
                                                                        : keep(config, value);
    *text = (natlet_slice){start, (size_t)(config->texts + config->texts_len - start)};
    return is_kept;
}

static bool read_member(natlet__embed_config *config, natlet__json *json, natlet_slice key)
{
    natlet__json_token value;
    uint32_t name = natlet__word_index(names, key);

    if (natlet__json_next(json, &value) < 0) {
        return false;
    }
    if (name < FLAGS) {
        return read_text(config, name, &value, json);
    }
    if (name >= NUMBERS) {
        return name < NAMES && value.kind == NATLET__JSON_NUMBER &&
               read_number(config, name, value.text);
    }
    *((bool *)config + OFFSET(client.no_echo) + (name - FLAGS)) = value.kind == NATLET__JSON_TRUE;
    return value.kind == NATLET__JSON_TRUE || value.kind == NATLET__JSON_FALSE;
}

/* A failure of the reader is sticky, so it need not be told from one of ours before
 * the end. */
natlet_status natlet__config_read(natlet__embed_config *config, natlet_slice text)
{
    natlet__json json;
    natlet__json_token token;

    *config = (natlet__embed_config){.client.size = sizeof config->client,
                                     .submission_bytes = 65536,
                                     .completion_records = 1024,
                                     .cell_bytes = 262144,
                                     .agents_max = 256};
    natlet__json_init(&json, text, 2);
    (void)natlet__json_next(&json, &token);
    bool is_right = token.kind == NATLET__JSON_OBJECT;
    while (is_right && natlet__json_next(&json, &token) == NATLET_OK &&
           token.kind == NATLET__JSON_KEY) {
        is_right = read_member(config, &json, token.text);
    }
    if (is_right) {
        (void)natlet__json_next(&json, &token); /* nothing may follow */
    }
    return json.failed < 0 ? json.failed : is_right ? NATLET_OK : NATLET_E_CONFIG;
}
