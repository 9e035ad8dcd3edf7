#include "base/bytes.h"
#include "base/utf8.h"
#include "client/client.h"
#include "natlet/subject.h"

enum {
    BUFFER_BYTES_MIN = 512,
    TEXT_BYTES_MAX = 16384, /* of any one text: the servers' are 32 times 512 at most */
    PENDING_BYTES_MIN = 2 * NATLET_LINE_BYTES_MAX, /* CONNECT and PING fit, or nothing works */
};

/* Fields that are numbers with a default other than 0. */
static const struct {
    size_t offset;
    uint32_t standard, min, max;
} numbers[] = {
#define X(field, standard, min, max) {offsetof(natlet_client_config, field), standard, min, max},
    X(connect_ms, NATLET_CONNECT_MS_DEFAULT, 1,
      UINT32_MAX) X(pings_out_max, NATLET_PINGS_OUT_MAX_DEFAULT, 1,
                    UINT32_MAX) X(drain_ms, NATLET_DRAIN_MS_DEFAULT, 1, UINT32_MAX)
        X(rx_bytes, NATLET_RX_BYTES_DEFAULT, BUFFER_BYTES_MIN, NATLET_MESSAGE_BYTES_LIMIT)
            X(tx_bytes, NATLET_TX_BYTES_DEFAULT, BUFFER_BYTES_MIN, NATLET_MESSAGE_BYTES_LIMIT)
                X(pending_bytes_max, NATLET_PENDING_BYTES_MAX_DEFAULT, PENDING_BYTES_MIN,
                  NATLET_MESSAGE_BYTES_LIMIT) X(message_bytes_max, NATLET_MESSAGE_BYTES_MAX, 1,
                                                NATLET_MESSAGE_BYTES_LIMIT)
                    X(subscriptions_max, NATLET_SUBSCRIPTIONS_DEFAULT, 1, NATLET_SUBSCRIPTIONS_MAX)
#undef X
};

/* Fields that are texts. */
static const size_t texts[] = {
    offsetof(natlet_client_config, servers),      offsetof(natlet_client_config, name),
    offsetof(natlet_client_config, user),         offsetof(natlet_client_config, password),
    offsetof(natlet_client_config, token),        offsetof(natlet_client_config, headers),
    offsetof(natlet_client_config, inbox_prefix),
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0], TEXTS = sizeof texts / sizeof texts[0] };

static uint32_t *number_at(natlet_client_config *config, uint32_t i)
{
    return (void *)((uint8_t *)config + numbers[i].offset);
}

static natlet_slice *text_at(natlet_client_config *config, uint32_t i)
{
    return (void *)((uint8_t *)config + texts[i]);
}

static void set_defaults(natlet_client_config *config)
{
    for (uint32_t i = 0; i < NUMBERS; i++) {
        uint32_t *number = number_at(config, i);
        *number = *number != 0 ? *number : numbers[i].standard;
    }
    if (config->inbox_prefix.len == 0) {
        config->inbox_prefix = (natlet_slice)NATLET_TEXT("_INBOX");
    }
    if (config->reconnects_max == 0) {
        config->reconnects_max = -1;
    }
}

void natlet_client_config_init(natlet_client_config *config)
{
    *config = (natlet_client_config){.size = sizeof *config};
    set_defaults(config);
}

/* "Name: value\r\n" lines: nothing in them may end a line early. */
static bool are_headers(natlet_slice lines)
{
    natlet_slice line;
    natlet_slice name;

    while (natlet__cut(&lines, '\n', &line)) {
        if (line.len == 0 || line.ptr[line.len - 1] != '\r') {
            return false;
        }
        line.len--;
        if (!natlet__cut(&line, ':', &name) || name.len == 0 || !natlet__is_clean(name, '!') ||
            !natlet__is_clean(line, ' ')) {
            return false;
        }
    }
    return lines.len == 0;
}

static bool is_valid(natlet_client_config *config)
{
    for (uint32_t i = 0; i < NUMBERS; i++) {
        uint32_t number = *number_at(config, i);
        if (number < numbers[i].min || number > numbers[i].max) {
            return false;
        }
    }
    for (uint32_t i = 0; i < TEXTS; i++) {
        natlet_slice text = *text_at(config, i);
        if (text.len > TEXT_BYTES_MAX || !natlet__utf8_valid(text)) {
            return false;
        }
    }
    return config->reconnects_max >= -1 && config->inbox_prefix.len <= NATLET__INBOX_PREFIX_MAX &&
           natlet_subject_check(config->inbox_prefix, NATLET_SUBJECT_PUBLISH) ==
               NATLET_SUBJECT_NONE &&
           are_headers(config->headers);
}

natlet_status natlet__config_take(natlet_client *client, const natlet_client_config *config)
{
    natlet_client_config *own = &client->config;
    size_t bytes = 0;

    *own = *config;
    set_defaults(own);
    if (config->size != sizeof *config || !is_valid(own)) {
        return NATLET_E_CONFIG;
    }
    for (uint32_t i = 0; i < TEXTS; i++) {
        bytes += text_at(own, i)->len;
    }
    client->config_text = natlet__memory_take(&client->rt->memory, bytes);
    if (client->config_text == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    client->config_text_bytes = bytes;
    uint8_t *at = client->config_text;
    for (uint32_t i = 0; i < TEXTS; i++) {
        natlet_slice *text = text_at(own, i);
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
