#include "base/bytes.h"
#include "base/utf8.h"
#include "client/client.h"
#include "natlet/subject.h"

enum {
    BUFFER_BYTES_MIN = 512,
    HEADERS_BYTES_MAX = 4096,
    PENDING_BYTES_MIN = 2 * NATLET_LINE_BYTES_MAX, /* CONNECT and PING fit, or nothing works */
};

void natlet_client_config_init(natlet_client_config *config)
{
    *config = (natlet_client_config){
        .size = sizeof *config,
        .inbox_prefix = NATLET_TEXT("_INBOX"),
        .connect_ms = NATLET_CONNECT_MS_DEFAULT,
        .pings_out_max = NATLET_PINGS_OUT_MAX_DEFAULT,
        .drain_ms = NATLET_DRAIN_MS_DEFAULT,
        .reconnects_max = -1,
        .rx_bytes = NATLET_RX_BYTES_DEFAULT,
        .tx_bytes = NATLET_TX_BYTES_DEFAULT,
        .pending_bytes_max = NATLET_PENDING_BYTES_MAX_DEFAULT,
        .message_bytes_max = NATLET_MESSAGE_BYTES_MAX,
        .subscriptions_max = 4096,
    };
}

static void set_u32(uint32_t *field, uint32_t value)
{
    *field = *field != 0 ? *field : value;
}

/* ping_ms stays 0: its default depends on the transport. */
static void set_defaults(natlet_client_config *config)
{
    natlet_client_config defaults;

    natlet_client_config_init(&defaults);
    if (config->inbox_prefix.len == 0) {
        config->inbox_prefix = defaults.inbox_prefix;
    }
    if (config->reconnects_max == 0) {
        config->reconnects_max = defaults.reconnects_max;
    }
    set_u32(&config->connect_ms, defaults.connect_ms);
    set_u32(&config->pings_out_max, defaults.pings_out_max);
    set_u32(&config->drain_ms, defaults.drain_ms);
    set_u32(&config->rx_bytes, defaults.rx_bytes);
    set_u32(&config->tx_bytes, defaults.tx_bytes);
    set_u32(&config->pending_bytes_max, defaults.pending_bytes_max);
    set_u32(&config->message_bytes_max, defaults.message_bytes_max);
    set_u32(&config->subscriptions_max, defaults.subscriptions_max);
    if (config->pending_bytes_max < config->tx_bytes) {
        config->pending_bytes_max = config->tx_bytes;
    }
    if (config->pending_bytes_max < PENDING_BYTES_MIN) {
        config->pending_bytes_max = PENDING_BYTES_MIN;
    }
}

static bool is_in_range(uint32_t bytes, uint32_t min)
{
    return bytes >= min && bytes <= NATLET_MESSAGE_BYTES_LIMIT;
}

/* "Name: value\r\n" lines: nothing in them may end a line early. */
static bool are_headers(natlet_slice lines)
{
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.ptr, '\r', lines.len);
        size_t len = end != NULL ? (size_t)(end - lines.ptr) : lines.len;
        natlet_slice line = natlet__take(&lines, len);
        const uint8_t *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
        if (colon == NULL || colon == line.ptr || lines.len < 2 || lines.ptr[1] != '\n') {
            return false;
        }
        (void)natlet__take(&lines, 2);
        for (size_t i = 0; i < line.len; i++) {
            if (line.ptr[i] < ' ' || line.ptr[i] == 0x7f ||
                (line.ptr[i] == ' ' && line.ptr + i < colon)) {
                return false;
            }
        }
    }
    return true;
}

static bool is_valid(const natlet_client_config *config)
{
    return is_in_range(config->rx_bytes, BUFFER_BYTES_MIN) &&
           is_in_range(config->tx_bytes, BUFFER_BYTES_MIN) &&
           is_in_range(config->pending_bytes_max, BUFFER_BYTES_MIN) &&
           is_in_range(config->message_bytes_max, 1) &&
           config->subscriptions_max <= NATLET_SUBSCRIPTIONS_MAX && config->reconnects_max >= -1 &&
           config->inbox_prefix.len <= NATLET__INBOX_PREFIX_MAX &&
           natlet_subject_check(config->inbox_prefix, NATLET_SUBJECT_PUBLISH) ==
               NATLET_SUBJECT_NONE &&
           natlet__utf8_valid(config->name) && natlet__utf8_valid(config->user) &&
           natlet__utf8_valid(config->password) && natlet__utf8_valid(config->token) &&
           config->headers.len <= HEADERS_BYTES_MAX && are_headers(config->headers);
}

static void keep(uint8_t **at, natlet_slice *text)
{
    if (text->len > 0) {
        memcpy(*at, text->ptr, text->len);
    }
    text->ptr = *at;
    *at += text->len;
}

natlet_status natlet__config_take(natlet_client *client, const natlet_client_config *config)
{
    natlet_client_config *own = &client->config;

    *own = *config;
    set_defaults(own);
    if (config->size != sizeof *config || !is_valid(own)) {
        *own = (natlet_client_config){0};
        return NATLET_E_CONFIG;
    }
    client->config_text_bytes = own->servers.len + own->name.len + own->user.len +
                                own->password.len + own->token.len + own->inbox_prefix.len +
                                own->headers.len;
    client->config_text = natlet__memory_take(&client->rt->memory, client->config_text_bytes);
    if (client->config_text == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    uint8_t *at = client->config_text;
    keep(&at, &own->servers);
    keep(&at, &own->name);
    keep(&at, &own->user);
    keep(&at, &own->password);
    keep(&at, &own->token);
    keep(&at, &own->inbox_prefix);
    keep(&at, &own->headers);
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
