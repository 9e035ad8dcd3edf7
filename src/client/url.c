#include "client/url.h"

#include <string.h>

#include "base/bytes.h"

static const struct {
    const char *text;
    uint16_t port;
} schemes[] = {
    [NATLET__SCHEME_WS] = {"ws://", 80},
    [NATLET__SCHEME_WSS] = {"wss://", 443},
    [NATLET__SCHEME_NATS] = {"nats://", 4222},
    [NATLET__SCHEME_TLS] = {"tls://", 4222},
};

enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

/* Visible ASCII without '#': a fragment means nothing to a server (RFC 6455, 3). */
static bool is_clean(natlet_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || text.ptr[i] == '#') {
            return false;
        }
    }
    return true;
}

static void read_scheme(natlet__url *url, natlet_slice *text)
{
    url->scheme = NATLET__SCHEME_NATS;
    for (uint32_t i = 0; i < SCHEMES; i++) {
        natlet_slice scheme = natlet__text(schemes[i].text);
        if (natlet__starts_nocase(*text, scheme)) {
            (void)natlet__take(text, scheme.len);
            url->scheme = (natlet__scheme)i;
            return;
        }
    }
}

static bool is_host_char(uint8_t c, bool in_brackets)
{
    uint8_t lower = natlet__lower(c);

    if ((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '.') {
        return true;
    }
    return in_brackets ? c == ':' : c == '-' || c == '_';
}

/* A name or an IPv4 address, or an IPv6 address in brackets. */
static bool read_host(natlet__url *url, natlet_slice *authority)
{
    bool in_brackets = authority->len > 0 && authority->ptr[0] == '[';
    size_t len = in_brackets ? 1 : 0;

    while (len < authority->len && is_host_char(authority->ptr[len], in_brackets)) {
        len++;
    }
    if (in_brackets) {
        if (len == 1 || len == authority->len || authority->ptr[len] != ']') {
            return false;
        }
        len++;
    }
    url->host = natlet__take(authority, len);
    return len > 0;
}

static bool read_port(natlet__url *url, natlet_slice text)
{
    uint64_t port = schemes[url->scheme].port;

    if (text.len > 0) {
        bool has_colon = natlet__take(&text, 1).ptr[0] == ':';
        if (!has_colon || !natlet__read_decimal(text, UINT16_MAX, &port) || port == 0) {
            return false;
        }
    }
    url->port = (uint16_t)port;
    url->is_default_port = port == schemes[url->scheme].port;
    return true;
}

natlet_status natlet__url_read(natlet__url *url, natlet_slice text)
{
    *url = (natlet__url){.is_default_port = false};
    if (text.len > NATLET_URL_BYTES_MAX || !is_clean(text)) {
        return NATLET_E_URL;
    }
    read_scheme(url, &text);
    size_t len = 0;
    while (len < text.len && text.ptr[len] != '/' && text.ptr[len] != '?') {
        len++;
    }
    natlet_slice authority = natlet__take(&text, len);
    const uint8_t *at = len > 0 ? memchr(authority.ptr, '@', len) : NULL;
    if (at != NULL) {
        url->userinfo = natlet__take(&authority, (size_t)(at - authority.ptr));
        (void)natlet__take(&authority, 1);
    }
    url->path = text;
    return read_host(url, &authority) && read_port(url, authority) ? NATLET_OK : NATLET_E_URL;
}

size_t natlet__url_write(uint8_t out[NATLET__URL_TEXT_MAX], const natlet__url *url)
{
    natlet_slice scheme = natlet__text(schemes[url->scheme].text);
    bool has_path = url->scheme <= NATLET__SCHEME_WSS && url->path.len > 0;
    size_t len = scheme.len;

    memcpy(out, scheme.ptr, scheme.len);
    for (size_t i = 0; i < url->host.len; i++) {
        out[len++] = natlet__lower(url->host.ptr[i]);
    }
    out[len++] = ':';
    len += natlet__write_decimal(out + len, url->port);
    if (has_path) {
        memcpy(out + len, url->path.ptr, url->path.len);
        len += url->path.len;
    }
    return len;
}

static uint32_t hex_digit(uint8_t c)
{
    uint8_t lower = natlet__lower(c);

    if (c >= '0' && c <= '9') {
        return c - (uint32_t)'0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - (uint32_t)'a' + 10 : 16;
}

size_t natlet__url_decode(uint8_t *out, natlet_slice text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '%' && text.len - i > 2) {
            uint32_t high = hex_digit(text.ptr[i + 1]);
            uint32_t low = hex_digit(text.ptr[i + 2]);
            if (high < 16 && low < 16) {
                c = (uint8_t)(high << 4 | low);
                i += 2;
            }
        }
        out[len++] = c;
    }
    return len;
}
