/* The answer is a run of lines.  `scanned` is where the first unread line begins;
 * it moves past a line only when the line was judged, and `in` moves only past
 * the whole answer. */
#include "ws/handshake.h"

#include <string.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/optional.h"
#include "ws/deflate.h"
#include "ws/sha1.h"

NATLET__OPTIONAL(natlet__deflate_is_agreed)

enum { SWITCHING_PROTOCOLS = 101, FINAL_STATUS_MIN = 200 };

void natlet__handshake_init(natlet__handshake *h, const uint8_t random[16])
{
    *h = (natlet__handshake){.failed = NATLET_OK};
    (void)natlet__base64_write(h->key, (natlet_slice){random, 16}, NATLET__BASE64);
}

/* ---- the request */

typedef struct text_out {
    uint8_t *ptr;
    size_t cap;
    size_t len;
    bool failed; /* sticky: no room, or a part that must not be sent */
} text_out;

static void put(text_out *out, const char *literal, natlet_slice part)
{
    natlet_slice head = natlet__text(literal);

    out->failed |= head.len + part.len > out->cap - out->len;
    if (!out->failed) {
        (void)natlet__put(natlet__put(out->ptr + out->len, head), part);
        out->len += head.len + part.len;
    }
}

/* A part of a URL: with a blank or line end in it, it could become a header. */
static void put_part(text_out *out, const char *literal, natlet_slice part)
{
    out->failed |= !natlet__is_clean(part, '!');
    put(out, literal, part);
}

static bool names_host(natlet_slice lines)
{
    static const natlet_slice host = NATLET_TEXT("host:");
    natlet_slice line;
    bool is_named = false;

    while (natlet__cut(&lines, '\n', &line)) {
        is_named |= natlet__starts_nocase(line, host);
    }
    return is_named;
}

size_t natlet__handshake_write(const natlet__handshake *h, uint8_t *out, size_t cap,
                               const natlet__handshake_request *request)
{
    text_out text = {.ptr = out, .cap = cap};
    uint8_t port[NATLET__DECIMAL_MAX];
    bool has_slash = request->path.len > 0 && request->path.ptr[0] == '/';

    put_part(&text, has_slash ? "GET " : "GET /", request->path); /* nothing, or a query alone */
    put(&text, " HTTP/1.1", (natlet_slice){0});
    if (!names_host(request->headers)) {
        put_part(&text, "\r\nHost: ", request->host);
        if (!request->is_default_port) {
            put(&text, ":", (natlet_slice){port, natlet__write_decimal(port, request->port)});
        }
    }
    put(&text,
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
        (natlet_slice){h->key, sizeof h->key});
    if (request->origin.len > 0) {
        put_part(&text, "\r\nOrigin: ", request->origin);
    }
    put(&text, "\r\n", request->headers);
    put(&text, "\r\n", (natlet_slice){0});
    return text.failed ? 0 : text.len;
}

/* ---- the answer */

void natlet__handshake_accept(uint8_t out[28], const uint8_t key[24])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[24 + sizeof guid - 1];
    uint8_t digest[NATLET__SHA1_BYTES];

    memcpy(text, key, 24);
    memcpy(text + 24, guid, sizeof guid - 1);
    natlet__sha1(digest, (natlet_slice){text, sizeof text});
    (void)natlet__base64_write(out, (natlet_slice){digest, sizeof digest}, NATLET__BASE64);
}

/* "HTTP/1." DIGIT SP 3DIGIT [ SP reason ] (RFC 9112, section 4); a number begins with
 * no 0, so the status is 100 at least.  The version matters only where the upgrade was accepted;
 * old proxies refuse in 1.0. */
static bool judge_status_line(natlet__handshake *h, natlet_slice line)
{
    uint64_t status;

    if (line.len < 12 || line.ptr[8] != ' ' || (line.len > 12 && line.ptr[12] != ' ') ||
        !natlet__read_decimal((natlet_slice){line.ptr + 9, 3}, 999, &status)) {
        return false;
    }
    h->http_status = (uint16_t)status;
    return status == SWITCHING_PROTOCOLS && line.ptr[7] == '1';
}

/* Whether one of the elements of a comma-separated list is `token`. */
static bool has_token(natlet_slice list, natlet_slice token)
{
    natlet_slice element;
    bool has_more = true;

    while (has_more) {
        has_more = natlet__cut(&list, ',', &element);
        if (natlet__equal_nocase(natlet__trim(element), token)) {
            return true;
        }
    }
    return false;
}

static bool accept_matches(const natlet__handshake *h, natlet_slice value)
{
    uint8_t want[28];

    natlet__handshake_accept(want, h->key);
    return natlet__equal(value, (natlet_slice){want, sizeof want});
}

/* The fields that are judged.  From FORBIDDEN on: what we did not offer; and what
 * frames a body, which a 101 does not have: somebody between us and the server
 * reads this answer differently. */
enum { UPGRADE, ACCEPT, CONNECTION, FORBIDDEN, STRANGER = FORBIDDEN + 4 };
enum { SEEN_ALL = 1 << UPGRADE | 1 << ACCEPT | 1 << CONNECTION };

static const char judged[] = "upgrade\0sec-websocket-accept\0connection\0"
                             "sec-websocket-extensions\0sec-websocket-protocol\0"
                             "content-length\0transfer-encoding\0";

/* Connection is a list and may come in several fields (RFC 9110, 5.3); the other
 * two may not. */
static bool judge_field(natlet__handshake *h, natlet_slice name, natlet_slice value)
{
    static const natlet_slice websocket = NATLET_TEXT("websocket");
    static const natlet_slice upgrade = NATLET_TEXT("upgrade");
    uint32_t which = natlet__word_index(judged, name);
    bool is_first = (h->seen >> which & 1) == 0;

    switch (which) {
    case UPGRADE:
        h->seen |= 1 << UPGRADE;
        return is_first && natlet__equal_nocase(value, websocket);
    case ACCEPT:
        h->seen |= 1 << ACCEPT;
        return is_first && accept_matches(h, value);
    case CONNECTION:
        if (has_token(value, upgrade)) {
            h->seen |= 1 << CONNECTION;
        }
        return true;
    default:
        if (natlet__deflate_is_agreed != NULL && which == FORBIDDEN &&
            h->extension == NATLET__EXTENSION_OFFERED) {
            h->extension = NATLET__EXTENSION_AGREED;
            return natlet__deflate_is_agreed(value);
        }
        return which == STRANGER;
    }
}

/* RFC 9110, 5.6.2. */
static bool is_token_char(uint8_t c)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    uint8_t lower = natlet__lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           memchr(marks, c, sizeof marks - 1) != NULL;
}

static bool is_token(natlet_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_char(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0;
}

/* RFC 9110, 5.5: no control character but the tab. */
static bool is_clean(natlet_slice text)
{
    natlet_slice part;
    bool has_more = true;

    while (has_more) {
        has_more = natlet__cut(&text, '\t', &part);
        if (!natlet__is_clean(part, ' ')) {
            return false;
        }
    }
    return true;
}

/* `line` without its CRLF.  A folded line begins with a blank, which no name does. */
static bool judge_line(natlet__handshake *h, natlet_slice line)
{
    natlet_slice name;

    if (!is_clean(line)) {
        return false;
    }
    if (h->scanned == 0) {
        return judge_status_line(h, line);
    }
    return natlet__cut(&line, ':', &name) && ++h->fields <= NATLET__HANDSHAKE_FIELDS_MAX &&
           is_token(name) && judge_field(h, name, natlet__trim(line));
}

/* Nobody who speaks HTTP begins otherwise: a NATS or TLS port is known by its
 * first bytes. */
static bool begins_like_http(natlet_slice in)
{
    static const char head[] = "HTTP/1.";
    size_t len = in.len < sizeof head - 1 ? in.len : sizeof head - 1;

    return len == 0 || memcmp(in.ptr, head, len) == 0;
}

/* Reads the next line.  Returns EVENT if there may be another one. */
static natlet_status read_line(natlet__handshake *h, natlet_slice in)
{
    size_t max = h->scanned + NATLET__HANDSHAKE_LINE_MAX;
    natlet_slice line;

    max = max < NATLET__HANDSHAKE_ANSWER_MAX ? max : NATLET__HANDSHAKE_ANSWER_MAX;
    in.len = in.len < max ? in.len : max;
    bool is_full = in.len == max;
    natlet__skip(&in, h->scanned);
    if (!natlet__cut(&in, '\n', &line)) {
        return is_full ? NATLET_E_HANDSHAKE : NATLET_MORE;
    }
    if (line.len == 0 || line.ptr[line.len - 1] != '\r') {
        return NATLET_E_HANDSHAKE;
    }
    line.len--;
    bool is_end = line.len == 0 && h->scanned > 0;
    if (is_end ? h->seen != SEEN_ALL : !judge_line(h, line)) {
        return h->http_status >= FINAL_STATUS_MIN ? NATLET_E_UPGRADE : NATLET_E_HANDSHAKE;
    }
    h->scanned += line.len + 2;
    return is_end ? NATLET_OK : NATLET_EVENT;
}

natlet_status natlet__handshake_read(natlet__handshake *h, natlet_slice *in)
{
    natlet_status st = h->failed;

    if (st == NATLET_OK) {
        NATLET_ASSERT(h->scanned <= in->len);
        st = begins_like_http(*in) ? NATLET_EVENT : NATLET_E_HANDSHAKE;
    }
    while (st == NATLET_EVENT) {
        st = read_line(h, *in);
    }
    if (st == NATLET_OK) {
        natlet__skip(in, h->scanned);
    }
    h->failed = st < 0 ? st : NATLET_OK;
    return st;
}
