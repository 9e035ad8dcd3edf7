#include "client/url.h"

#include <string.h>

#include "base/bytes.h"

static const struct {
    const char *text;
    uint16_t port;
} schemes[] = {
    [NATLET__SCHEME_WS] = {"ws", 80},
    [NATLET__SCHEME_WSS] = {"wss", 443},
    [NATLET__SCHEME_NATS] = {"nats", 4222},
    [NATLET__SCHEME_TLS] = {"tls", 4222},
};

enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

static int hex_digit(uint8_t c)
{
    uint8_t lower = natlet__lower(c);

    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

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

static bool escapes_are_whole(natlet_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && (text.len - i < 3 || hex_digit(text.ptr[i + 1]) < 0 ||
                                   hex_digit(text.ptr[i + 2]) < 0)) {
            return false;
        }
    }
    return true;
}

/* In brackets an IPv6 address, else a name or an IPv4 address. */
static bool is_host_char(uint8_t c, bool in_brackets)
{
    uint8_t lower = natlet__lower(c);

    if (in_brackets) {
        return hex_digit(c) >= 0 || c == ':' || c == '.';
    }
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
}

/* Cuts what is before the first `mark` off, and the mark; false if there is none. */
static bool cut_at(natlet_slice *text, uint8_t mark, natlet_slice *head)
{
    const uint8_t *at = text->len > 0 ? memchr(text->ptr, mark, text->len) : NULL;

    if (at == NULL) {
        return false;
    }
    *head = natlet__take(text, (size_t)(at - text->ptr));
    (void)natlet__take(text, 1);
    return true;
}

static bool read_scheme(natlet__url *url, natlet_slice *text)
{
    natlet_slice rest = *text;
    natlet_slice name;

    url->scheme = NATLET__SCHEME_NATS;
    if (!cut_at(&rest, ':', &name) || rest.len < 2 || rest.ptr[0] != '/' || rest.ptr[1] != '/') {
        return true;
    }
    (void)natlet__take(&rest, 2);
    *text = rest;
    for (uint32_t i = 0; i < SCHEMES; i++) {
        if (natlet__equal_nocase(name, natlet__text(schemes[i].text))) {
            url->scheme = (natlet__scheme)i;
            return true;
        }
    }
    return false;
}

static bool read_credentials(natlet__url *url, natlet_slice *authority)
{
    natlet_slice part;

    while (cut_at(authority, '@', &part)) {
        if (url->user.len > 0) {
            return false; /* an '@' in a password is written %40 */
        }
        url->user = part;
        if (part.len == 0 || !escapes_are_whole(part)) {
            return false;
        }
    }
    if (cut_at(&url->user, ':', &part)) {
        url->has_password = true;
        url->password = url->user;
        url->user = part;
    }
    return true;
}

static bool read_host(natlet__url *url, natlet_slice *authority)
{
    bool in_brackets = authority->len > 0 && authority->ptr[0] == '[';
    size_t i = in_brackets ? 1 : 0;

    while (i < authority->len && is_host_char(authority->ptr[i], in_brackets)) {
        i++;
    }
    if (in_brackets) {
        if (i == 1 || i == authority->len || authority->ptr[i] != ']') {
            return false;
        }
        i++;
    }
    url->host = natlet__take(authority, i);
    return i > 0;
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
    *url = (natlet__url){.scheme = NATLET__SCHEME_NATS};
    if (text.len > NATLET_URL_BYTES_MAX || !is_clean(text) || !read_scheme(url, &text)) {
        return NATLET_E_URL;
    }
    size_t len = 0;
    while (len < text.len && text.ptr[len] != '/' && text.ptr[len] != '?') {
        len++;
    }
    natlet_slice authority = natlet__take(&text, len);
    url->path = text;
    return read_credentials(url, &authority) && read_host(url, &authority) &&
                   read_port(url, authority)
               ? NATLET_OK
               : NATLET_E_URL;
}

static size_t put(uint8_t *out, natlet_slice text)
{
    if (text.len > 0) {
        memcpy(out, text.ptr, text.len);
    }
    return text.len;
}

size_t natlet__url_write(uint8_t out[NATLET__URL_TEXT_MAX], const natlet__url *url)
{
    bool is_ws = url->scheme == NATLET__SCHEME_WS || url->scheme == NATLET__SCHEME_WSS;
    size_t len = put(out, natlet__text(schemes[url->scheme].text));

    len += put(out + len, natlet__text("://"));
    for (size_t i = 0; i < url->host.len; i++) {
        out[len++] = natlet__lower(url->host.ptr[i]);
    }
    out[len++] = ':';
    len += natlet__write_decimal(out + len, url->port);
    if (is_ws) {
        len += put(out + len, url->path);
    }
    return len;
}

size_t natlet__url_decode(uint8_t *out, natlet_slice text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '%') {
            c = (uint8_t)(hex_digit(text.ptr[i + 1]) << 4 | hex_digit(text.ptr[i + 2]));
            i += 2;
        }
        out[len++] = c;
    }
    return len;
}
