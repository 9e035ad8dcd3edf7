#include "address.h"

#include <string.h>

#include "base/bytes.h"

/* The port that a scheme stands for; 0: none. */
static uint16_t default_port(const char *scheme)
{
    static const struct {
        const char *scheme;
        uint16_t port;
    } ports[] = {{"ws", 80}, {"wss", 443}, {"nats", 4222}, {"tls", 4222}};

    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        if (strcmp(scheme, ports[i].scheme) == 0) {
            return ports[i].port;
        }
    }
    return 0;
}

static bool is_any(const char *text)
{
    return strcmp(text, "*") == 0;
}

static bool is_one_of(const char *marks, uint8_t c)
{
    return c != '\0' && strchr(marks, c) != NULL;
}

/* Cuts `text` at the first of `marks`; what stood before it. */
static natlet_slice take_until(natlet_slice *text, const char *marks)
{
    size_t n = 0;

    while (n < text->len && !is_one_of(marks, text->ptr[n])) {
        n++;
    }
    return natlet__take(text, n);
}

/* Copies with a NUL, in small letters; false if `from` is empty or too long, or
 * holds anything but letters, digits and `marks`. */
static bool copy_lower(char *to, size_t len_max, natlet_slice from, const char *marks)
{
    if (from.len == 0 || from.len > len_max) {
        return false;
    }
    for (size_t i = 0; i < from.len; i++) {
        uint8_t c = natlet__lower(from.ptr[i]);
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_alnum && !is_one_of(marks, c)) {
            return false;
        }
        to[i] = (char)c;
    }
    to[from.len] = '\0';
    return true;
}

/* An IPv6 address stands in brackets, perhaps with a zone (RFC 6874). */
static bool read_host(char *host, natlet_slice *rest, const char *marks)
{
    if (rest->len == 0 || rest->ptr[0] != '[') {
        return copy_lower(host, NATLET__POSIX_HOST_MAX, take_until(rest, ":"), marks);
    }
    (void)natlet__take(rest, 1);
    natlet_slice inside = take_until(rest, "]");
    if (rest->len == 0 || inside.len == 0 || memchr(inside.ptr, ':', inside.len) == NULL) {
        return false;
    }
    (void)natlet__take(rest, 1);
    return copy_lower(host, NATLET__POSIX_HOST_MAX, inside, ":.%-_");
}

static bool read_port(uint16_t *port, natlet_slice text)
{
    uint64_t value;

    if (!natlet__read_decimal(text, UINT16_MAX, &value) || value == 0) {
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* Cuts "scheme://" off; false if it is not there. */
static bool read_scheme(char *scheme, natlet_slice *rest, const char *marks)
{
    natlet_slice text = take_until(rest, ":");
    natlet_slice mark = NATLET_TEXT("://");

    if (rest->len < mark.len || !natlet__equal(natlet__take(rest, mark.len), mark)) {
        return false;
    }
    return copy_lower(scheme, NATLET__POSIX_SCHEME_MAX, text, marks);
}

/* What stands between the scheme and the path, without user and password. */
static natlet_slice take_authority(natlet_slice *rest)
{
    natlet_slice authority = take_until(rest, "/?#");
    natlet_slice host = authority;

    for (size_t i = 0; i < authority.len; i++) {
        if (authority.ptr[i] == '@') {
            host = (natlet_slice){authority.ptr + i + 1, authority.len - i - 1};
        }
    }
    return host;
}

natlet_status natlet__posix_address_read(natlet__posix_address *address, natlet_slice url)
{
    if (!read_scheme(address->scheme, &url, "+-.")) {
        return NATLET_E_INVALID;
    }
    natlet_slice rest = take_authority(&url);
    if (!read_host(address->host, &rest, "-._")) {
        return NATLET_E_INVALID;
    }
    address->port = default_port(address->scheme);
    if (rest.len > 0 &&
        (natlet__take(&rest, 1).ptr[0] != ':' || !read_port(&address->port, rest))) {
        return NATLET_E_INVALID;
    }
    return address->port != 0 ? NATLET_OK : NATLET_E_INVALID;
}

/* A star stands alone, or before a dot at the beginning. */
static bool is_star_right(const char *host)
{
    const char *last = strrchr(host, '*');

    return last == NULL ||
           (last == host && (host[1] == '\0' || (host[1] == '.' && host[2] != '\0')));
}

natlet_status natlet__posix_pattern_read(natlet__posix_pattern *pattern, natlet_slice text)
{
    natlet__posix_address *address = &pattern->address;

    if (text.len > 0 && text.ptr[text.len - 1] == '/') {
        text.len--;
    }
    if (!read_scheme(address->scheme, &text, "+-.*") || !read_host(address->host, &text, "-._*") ||
        !is_star_right(address->host) ||
        (strchr(address->scheme, '*') != NULL && !is_any(address->scheme))) {
        return NATLET_E_CONFIG;
    }
    address->port = 0;
    pattern->is_default_port = text.len == 0;
    if (pattern->is_default_port) {
        return NATLET_OK;
    }
    bool is_port = natlet__take(&text, 1).ptr[0] == ':';
    bool is_star = text.len == 1 && text.ptr[0] == '*';
    return is_port && (is_star || read_port(&address->port, text)) ? NATLET_OK : NATLET_E_CONFIG;
}

static bool host_matches(const char *pattern, const char *host)
{
    size_t len = strlen(host);
    size_t tail = strlen(pattern) - 1; /* what follows the star */

    if (pattern[0] != '*') {
        return strcmp(pattern, host) == 0;
    }
    return len > tail && strcmp(host + len - tail, pattern + 1) == 0;
}

bool natlet__posix_pattern_matches(const natlet__posix_pattern *pattern,
                                   const natlet__posix_address *address)
{
    const natlet__posix_address *want = &pattern->address;
    uint16_t port = pattern->is_default_port ? default_port(address->scheme) : want->port;

    return (is_any(want->scheme) || strcmp(want->scheme, address->scheme) == 0) &&
           host_matches(want->host, address->host) &&
           (port == address->port || (port == 0 && !pattern->is_default_port));
}
