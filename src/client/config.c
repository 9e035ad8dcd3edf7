#include "base/bytes.h"
#include "base/utf8.h"
#include "client/client.h"
#include "natlet/subject.h"

enum {
    BUFFER_BYTES_MIN = 512,
    TEXT_BYTES_MAX = 16384, /* of any one text: the servers' are 32 times 512 at most */
    PENDING_BYTES_MIN = 2 * NATLET_LINE_BYTES_MAX, /* CONNECT and PING fit, or nothing works */
};

/* The fields from connect_ms to subscriptions_max, all of them numbers: what 0 stands
 * for, the least, and how far above it the most is. */
static const struct {
    uint32_t standard, min, span;
} numbers[] = {
    {NATLET_CONNECT_MS_DEFAULT, 1, UINT32_MAX - 1},
    {0, 0, UINT32_MAX}, /* ping_ms: the transport decides */
    {NATLET_PINGS_OUT_MAX_DEFAULT, 1, UINT32_MAX - 1},
    {NATLET_DRAIN_MS_DEFAULT, 1, UINT32_MAX - 1},
    {0, 0, UINT32_MAX},                 /* reconnect_ms: backoff */
    {UINT32_MAX, UINT32_MAX, 1u << 31}, /* reconnects_max: from -1 */
    {NATLET_RX_BYTES_DEFAULT, BUFFER_BYTES_MIN, NATLET_MESSAGE_BYTES_LIMIT - BUFFER_BYTES_MIN},
    {NATLET_TX_BYTES_DEFAULT, BUFFER_BYTES_MIN, NATLET_MESSAGE_BYTES_LIMIT - BUFFER_BYTES_MIN},
    {NATLET_PENDING_BYTES_MAX_DEFAULT, PENDING_BYTES_MIN,
     NATLET_MESSAGE_BYTES_LIMIT - PENDING_BYTES_MIN},
    {NATLET_MESSAGE_BYTES_MAX, 1, NATLET_MESSAGE_BYTES_LIMIT - 1},
    {NATLET_SUBSCRIPTIONS_DEFAULT, 1, NATLET_SUBSCRIPTIONS_MAX - 1},
};

/* Name, user and token are read by people and log files: no control characters.  In a
 * password they are legal. */
enum { NUMBERS = sizeof numbers / sizeof numbers[0], TEXTS = 7, PLAIN = 1 << 1 | 1 << 2 | 1 << 4 };

_Static_assert(offsetof(natlet_client_config, subscriptions_max) -
                       offsetof(natlet_client_config, connect_ms) ==
                   (NUMBERS - 1) * sizeof(uint32_t),
               "every number has its line");

_Static_assert(offsetof(natlet_client_config, headers) - offsetof(natlet_client_config, servers) ==
                   (TEXTS - 1) * sizeof(natlet_slice),
               "from servers to headers all are texts");

/* Writes the defaults.  Returns whether all numbers are in their ranges. */
static bool set_defaults(natlet_client_config *config)
{
    uint32_t *number = &config->connect_ms;
    bool is_valid = true;

    for (uint32_t i = 0; i < NUMBERS; i++, number++) {
        *number = *number != 0 ? *number : numbers[i].standard;
        is_valid &= *number - numbers[i].min <= numbers[i].span;
    }
    if (config->inbox_prefix.len == 0) {
        config->inbox_prefix = (natlet_slice)NATLET_TEXT("_INBOX");
    }
    return is_valid;
}

void natlet_client_config_init(natlet_client_config *config)
{
    *config = (natlet_client_config){.size = sizeof *config};
    (void)set_defaults(config);
}

/* "Name: value\r\n" lines: nothing in them may end a line early. */
static bool are_headers(natlet_slice lines)
{
    natlet_slice line;
    natlet_slice name;
    natlet_slice value;

    while (natlet__cut(&lines, '\n', &line)) {
        if (!natlet__cut(&line, '\r', &value) || line.len > 0 || !natlet__cut(&value, ':', &name) ||
            name.len == 0 || !natlet__is_clean(name, '!') || !natlet__is_clean(value, ' ')) {
            return false;
        }
    }
    return lines.len == 0;
}

/* *bytes is what all texts take together. */
static bool are_texts(const natlet_client_config *config, size_t *bytes)
{
    const natlet_slice *text = &config->servers;

    *bytes = 0;
    for (uint32_t i = 0; i < TEXTS; i++, text++) {
        if (text->len > TEXT_BYTES_MAX || !natlet__utf8_valid(*text) ||
            ((1u << i & PLAIN) != 0 && !natlet__is_clean(*text, ' '))) {
            return false;
        }
        *bytes += text->len;
    }
    return config->inbox_prefix.len <= NATLET__INBOX_PREFIX_MAX &&
           natlet_subject_check(config->inbox_prefix, NATLET_SUBJECT_PUBLISH) ==
               NATLET_SUBJECT_NONE &&
           are_headers(config->headers);
}

natlet_status natlet__config_take(natlet_client *client, const natlet_client_config *config)
{
    natlet_client_config *own = &client->config;
    size_t bytes;

    *own = *config;
    if (config->size != sizeof *config || !set_defaults(own) || !are_texts(own, &bytes) ||
        config->authenticator_count > NATLET_AUTHENTICATORS_MAX) {
        return NATLET_E_CONFIG;
    }
    for (uint32_t i = 0; i < config->authenticator_count; i++) {
        client->identity.authenticators[i] = config->authenticators[i];
    }
    client->config_text = natlet__memory_take(&client->rt->memory, bytes);
    if (client->config_text == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    client->config_text_bytes = bytes;
    uint8_t *at = client->config_text;
    natlet_slice *text = &own->servers;
    for (uint32_t i = 0; i < TEXTS; i++, text++) {
        uint8_t *end = natlet__put(at, *text);
        text->ptr = at;
        at = end;
    }
    return NATLET_OK;
}

/* Credentials lie in it; the allocator sees the block after the memset, hence
 * the compiler keeps it. */
void natlet__config_give_back(natlet_client *client)
{
    if (client->config_text != NULL) {
        memset(client->config_text, 0, client->config_text_bytes);
    }
    natlet__memory_give_back(&client->rt->memory, client->config_text, client->config_text_bytes);
}
