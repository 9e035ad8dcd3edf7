#include "proto/info.h"

#include <string.h>

#include "base/bytes.h"
#include "json/reader.h"

/* The fields that are read, those that say yes or no first; and where their answer goes. */
enum { FLAGS = 3, MAX_PAYLOAD = FLAGS, CONNECT_URLS, NONCE };
static const char names[] = "headers\0"
                            "tls_required\0"
                            "ldm\0"
                            "max_payload\0"
                            "connect_urls\0"
                            "nonce\0";
static const uint8_t flag_offsets[FLAGS] = {
    offsetof(natlet__info, headers),
    offsetof(natlet__info, tls_required),
    offsetof(natlet__info, lame_duck),
};
_Static_assert(offsetof(natlet__info, lame_duck) <= UINT8_MAX, "an offset fits a byte");

/* A whole number, cut down to UINT32_MAX; 0 for any other number. */
static uint32_t read_clamped(natlet_slice number)
{
    uint64_t value;

    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] < '0' || number.ptr[i] > '9') {
            return 0;
        }
    }
    return natlet__read_decimal(number, UINT32_MAX, &value) ? (uint32_t)value : UINT32_MAX;
}

/* The value of a field, or its beginning.  One of another type is passed over as if its
 * field were not there. */
static void read_field(natlet__info *info, uint32_t field, const natlet__json_token *value)
{
    bool is_true = value->kind == NATLET__JSON_TRUE;

    if (field < FLAGS && (is_true || value->kind == NATLET__JSON_FALSE)) {
        *((bool *)info + flag_offsets[field]) = is_true;
    } else if (field == MAX_PAYLOAD && value->kind == NATLET__JSON_NUMBER) {
        info->max_payload = read_clamped(value->text);
    } else if (field == CONNECT_URLS && value->kind == NATLET__JSON_ARRAY) {
        info->url_count = 0;
    } else if (field == NONCE && value->kind == NATLET__JSON_STRING && !value->has_escapes) {
        info->nonce = value->text;
    }
}

/* Members have depth 1, the elements of a list depth 2. */
static natlet_status read_document(natlet__info *info, natlet_slice text)
{
    natlet__json json;
    natlet__json_token token;
    uint32_t field = 0;
    bool in_urls = false;

    natlet__json_init(&json, text, NATLET_INFO_DEPTH_MAX);
    if (natlet__json_next(&json, &token) < 0 || token.kind != NATLET__JSON_OBJECT) {
        return NATLET_E_JSON;
    }
    while (natlet__json_next(&json, &token) == NATLET_OK && token.kind != NATLET__JSON_DONE) {
        if (token.depth == 1 && token.kind == NATLET__JSON_KEY) {
            field = natlet__word_index(names, token.text);
        } else if (token.depth == 1) {
            read_field(info, field, &token);
            in_urls = field == CONNECT_URLS && token.kind == NATLET__JSON_ARRAY;
        } else if (in_urls && token.depth == 2 && token.kind == NATLET__JSON_STRING &&
                   !token.has_escapes && info->url_count < NATLET_SERVERS_MAX) {
            info->urls[info->url_count++] = token.text;
        }
    }
    return json.failed;
}

natlet_status natlet__info_read(natlet__info *info, natlet_slice json)
{
    *info = (natlet__info){0};
    natlet_status st = read_document(info, json);
    if (st < 0) {
        *info = (natlet__info){0};
    }
    return st;
}

/* Newer servers append detail, so a text is known by how it begins.  Those that end
 * nothing stand first: after any other, known or not, the server closes. */
enum { HARMLESS = 4 };
static const char known_errors[] = "Permissions\0"
                                   "Invalid Subject\0"
                                   "Invalid Publish Subject\0"
                                   "Maximum Subscriptions\0"
                                   "Authorization Violation\0"
                                   "User Authentication\0" /* Expired, Revoked */
                                   "Account Authentication\0"
                                   "Authentication Timeout\0"
                                   "Stale\0"
                                   "Maximum Payload\0"
                                   "Secure Connection\0"
                                   "Attempted to connect\0"; /* to a port for routes, leaf nodes */
static const int8_t known_status[] = {
    NATLET_E_PERMISSION, NATLET_E_SUBJECT,   NATLET_E_SUBJECT, NATLET_E_SERVER,
    NATLET_E_AUTH,       NATLET_E_AUTH,      NATLET_E_AUTH,    NATLET_E_TIMEOUT,
    NATLET_E_STALE,      NATLET_E_TOO_LARGE, NATLET_E_TLS,     NATLET_E_CONFIG,
};

/* What stands between the first double quotes; quotes inside are escaped. */
static natlet_slice quoted(natlet_slice text)
{
    natlet_slice head;

    if (natlet__cut(&text, '"', &head)) {
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] == '"') {
                return (natlet_slice){text.ptr, i};
            }
            i += text.ptr[i] == '\\' ? 1 : 0;
        }
    }
    return (natlet_slice){0};
}

natlet__server_error natlet__server_error_read(natlet_slice text)
{
    natlet__server_error error = {.status = NATLET_E_SERVER, .closes = true};

    text = natlet__trim(text);
    if (text.len > 0 && text.ptr[0] == '\'') {
        natlet__skip(&text, 1);
    }
    const char *known = known_errors;
    for (size_t i = 0; i < sizeof known_status; i++) {
        natlet_slice head = natlet__text(known);
        if (natlet__starts_nocase(text, head)) {
            error.status = (natlet_status)known_status[i];
            error.closes = i >= HARMLESS;
            break;
        }
        known += head.len + 1;
    }
    if (error.status == NATLET_E_PERMISSION) {
        static const natlet_slice publish = NATLET_TEXT("Permissions Violation for Publish");
        error.to_publish = natlet__starts_nocase(text, publish);
        error.subject = quoted(text);
    }
    return error;
}
