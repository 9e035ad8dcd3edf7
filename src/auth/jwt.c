#include "auth/jwt.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "json/reader.h"

/* What an f64 and every JSON writer still count in ones. */
#define EXPIRES_MAX ((uint64_t)1 << 53)

static bool is_part(natlet_slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.ptr[i];
        uint8_t low = natlet__lower(c);
        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_') {
            return false;
        }
    }
    return part.len > 0;
}

bool natlet__jwt_split(natlet_slice jwt, natlet_slice *payload)
{
    natlet_slice header;

    return natlet__cut(&jwt, '.', &header) && natlet__cut(&jwt, '.', payload) && is_part(header) &&
           is_part(*payload) && is_part(jwt);
}

/* The value at `pointer`, or len 0 if there is none.  False: the claims are not JSON. */
static bool find(natlet_slice claims, const char *pointer, natlet_slice *value)
{
    natlet_status st = natlet_json_find(claims, natlet__text(pointer), value);

    if (st == NATLET_E_NOT_FOUND) {
        *value = (natlet_slice){0};
    }
    return st != NATLET_E_JSON;
}

/* Takes the quotes off; nothing at all is a string, too. */
static bool strip_quotes(natlet_slice *value)
{
    if (value->len == 0) {
        return true;
    }
    if (value->ptr[0] != '"') {
        return false;
    }
    *value = (natlet_slice){value->ptr + 1, value->len - 2};
    return true;
}

/* Resolves the escapes of a string where it lies in `scratch`: it never grows. */
static natlet_slice unescape(natlet_slice text, uint8_t *scratch)
{
    if (text.len == 0) {
        return text;
    }
    uint8_t *place = scratch + (text.ptr - scratch);
    return (natlet_slice){place, natlet__json_unescape(place, text)};
}

/* Takes the members from the claims, which lie at the start of `scratch`. */
static natlet_status read_claims(natlet_jwt *out, natlet_slice claims, uint8_t *scratch)
{
    natlet_jwt jwt = {0};
    natlet_slice expires;
    natlet_slice bearer;

    if (!find(claims, "/sub", &jwt.subject) || !find(claims, "/name", &jwt.name) ||
        !find(claims, "/exp", &expires) || !find(claims, "/nats/bearer_token", &bearer)) {
        return NATLET_E_JWT;
    }
    if (!strip_quotes(&jwt.subject) || jwt.subject.len == 0 || !strip_quotes(&jwt.name) ||
        (expires.len > 0 && !natlet_json_u64(expires, EXPIRES_MAX, &jwt.expires_s))) {
        return NATLET_E_JWT;
    }
    jwt.is_bearer = natlet__equal(bearer, natlet__text("true"));
    if (!jwt.is_bearer && bearer.len > 0 && !natlet__equal(bearer, natlet__text("false"))) {
        return NATLET_E_JWT;
    }
    jwt.subject = unescape(jwt.subject, scratch);
    jwt.name = unescape(jwt.name, scratch);
    *out = jwt;
    return NATLET_OK;
}

natlet_status natlet_jwt_read(natlet_jwt *out, natlet_slice jwt, void *scratch, size_t scratch_len)
{
    natlet_slice payload;
    natlet_slice claims = {scratch, 0};

    if (!natlet__jwt_split(jwt, &payload)) {
        return NATLET_E_JWT;
    }
    if (scratch_len < payload.len / 4 * 3 + 2) {
        return NATLET_E_NO_MEMORY;
    }
    if (!natlet__base64_read(scratch, &claims.len, payload, NATLET__BASE64_URL)) {
        return NATLET_E_JWT;
    }
    return read_claims(out, claims, scratch);
}
