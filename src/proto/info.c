#include "proto/info.h"

#include <string.h>

#include "base/bytes.h"
#include "json/reader.h"

/* A value of another type is passed over as if its field were not there. */
enum field_kind { TEXT, FLAG, U32, U64 };

typedef struct field {
    char name[14];
    uint8_t kind;    /* enum field_kind: the type of the member at ... */
    uint16_t offset; /* ... this place of natlet__info */
} field;

#define FIELD(name, kind, member) {name, kind, offsetof(natlet__info, member)}
static const field fields[] = {
    FIELD("server_id", TEXT, server_id),
    FIELD("server_name", TEXT, server_name),
    FIELD("version", TEXT, version),
    FIELD("nonce", TEXT, nonce),
    FIELD("cluster", TEXT, cluster),
    FIELD("domain", TEXT, domain),
    FIELD("client_ip", TEXT, client_ip),
    FIELD("xkey", TEXT, xkey),
    FIELD("client_id", U64, client_id),
    FIELD("max_payload", U32, max_payload),
    FIELD("proto", U32, proto),
    FIELD("api_lvl", U32, api_level),
    FIELD("headers", FLAG, headers),
    FIELD("auth_required", FLAG, auth_required),
    FIELD("tls_required", FLAG, tls_required),
    FIELD("tls_available", FLAG, tls_available),
    FIELD("jetstream", FLAG, jetstream),
    FIELD("ldm", FLAG, lame_duck),
    FIELD("connect_info", FLAG, connect_info),
};
#undef FIELD

static const field *find_field(natlet_slice key)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (natlet__equal(key, natlet__text(fields[i].name))) {
            return &fields[i];
        }
    }
    return NULL;
}

/* A whole number, cut down to `max`; false for any other number. */
static bool read_clamped(natlet_slice number, uint64_t max, uint64_t *value)
{
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] < '0' || number.ptr[i] > '9') {
            return false;
        }
    }
    if (!natlet_json_u64(number, max, value)) {
        *value = max;
    }
    return true;
}

static void read_field(natlet__info *info, natlet_slice key, const natlet__json_token *value)
{
    const field *f = find_field(key);
    uint64_t number;

    if (f == NULL) {
        return;
    }
    void *member = (uint8_t *)info + f->offset;
    switch ((enum field_kind)f->kind) {
    case TEXT:
        if (value->kind == NATLET__JSON_STRING && !value->has_escapes) {
            *(natlet_slice *)member = value->text;
        }
        break;
    case FLAG:
        if (value->kind == NATLET__JSON_TRUE || value->kind == NATLET__JSON_FALSE) {
            *(bool *)member = value->kind == NATLET__JSON_TRUE;
        }
        break;
    case U32:
        if (value->kind == NATLET__JSON_NUMBER && read_clamped(value->text, UINT32_MAX, &number)) {
            *(uint32_t *)member = (uint32_t)number;
        }
        break;
    case U64:
        if (value->kind == NATLET__JSON_NUMBER && read_clamped(value->text, UINT64_MAX, &number)) {
            *(uint64_t *)member = number;
        }
        break;
    }
}

/* The strings of connect_urls, behind its '['. */
static natlet_status read_urls(natlet__info *info, natlet__json *json)
{
    natlet__json_token token;

    info->has_connect_urls = true;
    info->url_count = 0;
    for (;;) {
        natlet_status st = natlet__json_next(json, &token);
        if (st < 0 || token.kind == NATLET__JSON_ARRAY_END) {
            return st;
        }
        if (token.kind == NATLET__JSON_OBJECT || token.kind == NATLET__JSON_ARRAY) {
            (void)natlet__json_skip(json, &token); /* a failure is sticky */
        } else if (token.kind == NATLET__JSON_STRING && !token.has_escapes &&
                   info->url_count < NATLET_SERVERS_MAX) {
            info->urls[info->url_count++] = token.text;
        }
    }
}

static natlet_status read_member(natlet__info *info, natlet__json *json, natlet_slice key)
{
    natlet__json_token value;
    natlet_status st = natlet__json_next(json, &value);

    if (st < 0) {
        return st;
    }
    if (value.kind == NATLET__JSON_ARRAY && natlet__equal(key, natlet__text("connect_urls"))) {
        return read_urls(info, json);
    }
    if (value.kind == NATLET__JSON_OBJECT || value.kind == NATLET__JSON_ARRAY) {
        return natlet__json_skip(json, &value);
    }
    read_field(info, key, &value);
    return NATLET_OK;
}

static natlet_status read_document(natlet__info *info, natlet_slice text)
{
    natlet__json json;
    natlet__json_token token;

    natlet__json_init(&json, text, NATLET_INFO_DEPTH_MAX);
    if (natlet__json_next(&json, &token) < 0 || token.kind != NATLET__JSON_OBJECT) {
        return NATLET_E_JSON;
    }
    while (natlet__json_next(&json, &token) == NATLET_OK && token.kind == NATLET__JSON_KEY) {
        (void)read_member(info, &json, token.text);
    }
    return natlet__json_next(&json, &token);
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

/* Newer servers append detail, so a text is known by how it begins. */
static const struct known_error {
    const char *text;
    natlet_status status;
    bool closes;
} known_errors[] = {
    {"Authorization Violation", NATLET_E_AUTH, true},
    {"User Authentication Expired", NATLET_E_AUTH, true},
    {"User Authentication Revoked", NATLET_E_AUTH, true},
    {"Account Authentication Expired", NATLET_E_AUTH, true},
    {"Authentication Timeout", NATLET_E_TIMEOUT, true},
    {"Stale Connection", NATLET_E_STALE, true},
    {"Permissions Violation", NATLET_E_PERMISSION, false},
    {"Invalid Subject", NATLET_E_SUBJECT, false},
    {"Invalid Publish Subject", NATLET_E_SUBJECT, false},
    {"Maximum Payload Violation", NATLET_E_TOO_LARGE, true},
    {"Secure Connection - TLS Required", NATLET_E_TLS, true},
    {"Attempted to connect to", NATLET_E_CONFIG, true}, /* a port for routes or leaf nodes */
    {"Maximum Control Line Exceeded", NATLET_E_SERVER, true},
    {"Maximum Connections Exceeded", NATLET_E_SERVER, true},
    {"Maximum Account Active Connections Exceeded", NATLET_E_SERVER, true},
    {"Connection throttling is active", NATLET_E_SERVER, true},
    {"Unknown Protocol Operation", NATLET_E_SERVER, true},
};

/* What stands between the first double quotes; quotes inside are escaped. */
static natlet_slice quoted(natlet_slice text)
{
    const uint8_t *quote = text.len > 0 ? memchr(text.ptr, '"', text.len) : NULL;

    if (quote == NULL) {
        return (natlet_slice){0};
    }
    (void)natlet__take(&text, (size_t)(quote - text.ptr) + 1);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            return (natlet_slice){text.ptr, i};
        }
        i += text.ptr[i] == '\\' ? 1 : 0;
    }
    return (natlet_slice){0};
}

natlet__server_error natlet__server_error_read(natlet_slice text)
{
    natlet__server_error error = {.status = NATLET_E_SERVER};

    text = natlet__trim(text);
    if (text.len > 0 && text.ptr[0] == '\'') {
        (void)natlet__take(&text, 1);
    }
    for (size_t i = 0; i < sizeof known_errors / sizeof known_errors[0]; i++) {
        const struct known_error *known = &known_errors[i];
        if (natlet__starts_nocase(text, natlet__text(known->text))) {
            error.status = known->status;
            error.closes = known->closes;
            break;
        }
    }
    if (error.status == NATLET_E_PERMISSION) {
        error.to_publish =
            natlet__starts_nocase(text, natlet__text("Permissions Violation for Publish"));
        error.subject = quoted(text);
    }
    return error;
}
