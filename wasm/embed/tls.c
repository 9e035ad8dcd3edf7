/* natlet-tls.wasm: the client alone, with TLS of its own.
 *
 * What TLS needs to know is a document beside the configuration, as certificates are larger
 * than all else there: the glue hands it over before natlet_init. */
#include "areas.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "natlet/tls.h"
#include "platform/heap.h"
#include "json/reader.h"

enum { PINS_MAX = 8, HEX_DIGITS = 2 * NATLET_TLS_PIN_BYTES };

/* In the order of natlet_tls_config's texts and flags, but for mode and pins. */
static const char names[] = "ca\0certificate\0key\0server_name\0mode\0pins\0first\0required\0";
enum { CA, CERTIFICATE, KEY, SERVER_NAME, MODE, PINS, FIRST, REQUIRED };

static uint8_t *document; /* a copy, from natlet_tls to natlet_init */
static uint32_t document_len;

static void forget(void)
{
    natlet_allocator heap = natlet_arena_allocator(natlet__platform_heap());

    if (document != NULL) {
        natlet__wipe(document, document_len); /* a key is in it */
        (void)heap.resize(heap.self, document, document_len, 0);
        document = NULL;
    }
}

/* Keeps the document for natlet_init.  Returns 0 or E_NO_MEMORY. */
NATLET_EXPORT(natlet_tls) int32_t natlet_tls(uint32_t text, uint32_t len);

int32_t natlet_tls(uint32_t text, uint32_t len)
{
    natlet_allocator heap = natlet_arena_allocator(natlet__platform_heap());

    forget();
    document = len > 0 ? heap.resize(heap.self, NULL, 0, len) : NULL;
    if (document == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memcpy(document, (const uint8_t *)(uintptr_t)text, len);
    document_len = len;
    return NATLET_OK;
}

/* ---- the document ---- */

static bool read_mode(natlet_tls_config *config, natlet_slice text)
{
    uint32_t mode = natlet__word_index("auto\0module\0host\0", text);

    config->mode = (natlet_tls_mode)mode;
    return mode <= NATLET_TLS_HOST;
}

static uint32_t hex_digit(uint8_t c)
{
    uint8_t letter = natlet__lower(c);

    if (c >= '0' && c <= '9') {
        return c - (uint32_t)'0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - (uint32_t)'a' + 10 : 16;
}

/* In hexadecimal, with commas between them. */
static bool read_pins(natlet_tls_config *config, natlet_slice list, uint8_t *pins)
{
    natlet_slice text;
    bool has_more = list.len > 0;

    while (has_more) {
        has_more = natlet__cut(&list, ',', &text);
        if (config->pin_count == PINS_MAX || text.len != HEX_DIGITS) {
            return false;
        }
        uint8_t *pin = pins + (size_t)config->pin_count++ * NATLET_TLS_PIN_BYTES;
        for (size_t i = 0; i < HEX_DIGITS; i += 2) {
            uint32_t high = hex_digit(text.ptr[i]);
            uint32_t low = hex_digit(text.ptr[i + 1]);
            if (high > 15 || low > 15) {
                return false;
            }
            pin[i / 2] = (uint8_t)(high << 4 | low);
        }
    }
    return true;
}

/* A string's escapes are resolved where it lies, as the result is never longer. */
static bool read_text(natlet_tls_config *config, uint32_t name, natlet_slice raw, uint8_t *pins)
{
    uint8_t *at = document + (raw.ptr - document);
    natlet_slice text = {at, natlet__json_unescape(at, raw)};

    switch (name) {
    case CA:
        config->ca = text;
        return true;
    case CERTIFICATE:
        config->certificate = text;
        return true;
    case KEY:
        config->key = text;
        return true;
    case SERVER_NAME:
        config->server_name = text;
        return true;
    case MODE:
        return read_mode(config, text);
    case PINS:
        return read_pins(config, text, pins);
    default:
        return false;
    }
}

static bool read_member(natlet_tls_config *config, natlet__json *json, natlet_slice key,
                        uint8_t *pins)
{
    natlet__json_token value;
    uint32_t name = natlet__word_index(names, key);

    if (natlet__json_next(json, &value) < 0) {
        return false;
    }
    if (value.kind == NATLET__JSON_STRING) {
        return read_text(config, name, value.text, pins);
    }
    bool is_flag = value.kind == NATLET__JSON_TRUE || value.kind == NATLET__JSON_FALSE;
    if (name == FIRST) {
        config->first = value.kind == NATLET__JSON_TRUE;
    } else if (name == REQUIRED) {
        config->required = value.kind == NATLET__JSON_TRUE;
    }
    return is_flag && (name == FIRST || name == REQUIRED);
}

static natlet_status read_document(natlet_tls_config *config, uint8_t *pins)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, (natlet_slice){document, document_len}, 2);
    (void)natlet__json_next(&json, &token);
    bool is_right = token.kind == NATLET__JSON_OBJECT;
    while (is_right && natlet__json_next(&json, &token) == NATLET_OK &&
           token.kind == NATLET__JSON_KEY) {
        is_right = read_member(config, &json, token.text, pins);
    }
    return json.failed < 0 ? json.failed : is_right ? NATLET_OK : NATLET_E_CONFIG;
}

natlet_status natlet__embed_tls_start(natlet_client *client)
{
    uint8_t pins[PINS_MAX][NATLET_TLS_PIN_BYTES];
    natlet_tls_config config = {.size = sizeof config,
                                .pins = (const uint8_t(*)[NATLET_TLS_PIN_BYTES])pins};
    natlet_status st = document != NULL ? read_document(&config, pins[0]) : NATLET_OK;

    if (st == NATLET_OK) {
        st = natlet_client_tls(client, &config);
    }
    forget();
    return st;
}
