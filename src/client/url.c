#include "client/url.h"

#include <string.h>

#include "base/bytes.h"

static const struct {
    natlet_slice text;
    uint16_t port;
} schemes[] = {
    [NATLET__SCHEME_WS] = {NATLET_TEXT("ws://"), 80},
    [NATLET__SCHEME_WSS] = {NATLET_TEXT("wss://"), 443},
    [NATLET__SCHEME_NATS] = {NATLET_TEXT("nats://"), 4222},
    [NATLET__SCHEME_TLS] = {NATLET_TEXT("tls://"), 4222},
};

enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

static bool is_between(uint8_t c, uint8_t first, uint8_t last)
{
    return c >= first && c <= last;
}

static bool is_host_char(uint8_t c, bool in_brackets)
{
    return is_between(c, '0', '9') || is_between(c | 0x20, 'a', 'z') || c == '.' ||
           (in_brackets ? c == ':' : c == '-' || c == '_');
}

/* How long a name, an IPv4 address, or an IPv6 address in brackets is at the front of
 * `text`; 0 if there is none. */
static size_t host_len(natlet_slice text)
{
    bool in_brackets = text.len > 0 && text.ptr[0] == '[';
    size_t len = in_brackets;

    while (len < text.len && is_host_char(text.ptr[len], in_brackets)) {
        len++;
    }
    if (in_brackets) {
        return len > 1 && len < text.len && text.ptr[len] == ']' ? len + 1 : 0;
    }
    return len;
}

/* host[:port] */
static bool read_address(natlet__url *url, natlet_slice text)
{
    uint64_t standard = schemes[url->scheme].port;
    uint64_t port = standard;
    size_t len = host_len(text);

    url->host = (natlet_slice){text.ptr, len};
    if (len < text.len) {
        const natlet_slice digits = {text.ptr + len + 1, text.len - len - 1};
        if (text.ptr[len] != ':' || !natlet__read_decimal(digits, UINT16_MAX, &port)) {
            return false;
        }
    }
    url->port = (uint16_t)port;
    url->is_default_port = port == standard;
    return len > 0 && port > 0;
}

/* Blanks could end a line of the upgrade request; a fragment means nothing to a
 * server (RFC 6455, 3). */
natlet_status natlet__url_read(natlet__url *url, natlet_slice text)
{
    natlet_slice whole = text;
    natlet_slice unused;
    size_t len = 0;

    if (text.len > NATLET_URL_BYTES_MAX || !natlet__is_clean(text, '!') ||
        natlet__cut(&whole, '#', &unused)) {
        return NATLET_E_URL;
    }
    url->scheme = NATLET__SCHEME_NATS;
    for (uint32_t i = 0; i < SCHEMES; i++) {
        if (natlet__starts_nocase(text, schemes[i].text)) {
            url->scheme = (natlet__scheme)i;
            text.ptr += schemes[i].text.len;
            text.len -= schemes[i].text.len;
            break;
        }
    }
    while (len < text.len && text.ptr[len] != '/' && text.ptr[len] != '?') {
        len++;
    }
    natlet_slice authority = {text.ptr, len};
    url->path = (natlet_slice){text.ptr + len, text.len - len};
    if (!natlet__cut(&authority, '@', &url->userinfo)) {
        url->userinfo.len = 0;
    }
    return read_address(url, authority) ? NATLET_OK : NATLET_E_URL;
}

size_t natlet__url_write(uint8_t out[NATLET__URL_TEXT_MAX], const natlet__url *url)
{
    uint8_t *at = natlet__put(out, schemes[url->scheme].text);

    for (size_t i = 0; i < url->host.len; i++) {
        *at++ = natlet__lower(url->host.ptr[i]);
    }
    *at++ = ':';
    at += natlet__write_decimal(at, url->port);
    if (url->scheme <= NATLET__SCHEME_WSS) {
        at = natlet__put(at, url->path);
    }
    return (size_t)(at - out);
}

static uint32_t hex_digit(uint8_t c)
{
    uint8_t letter = c | 0x20;

    return is_between(c, '0', '9')        ? c - (uint32_t)'0'
           : is_between(letter, 'a', 'f') ? letter - (uint32_t)'a' + 10
                                          : 16;
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
