/* The way of a message: read_line() finds the LF, read_op() knows the verb, read_msg()
 * takes the words and shows the message if it is whole.  If it is not, only its length
 * is kept, and the line is read once more when all is there.
 *
 * A line is found with memchr() and read as words, not letter by letter through
 * states.  It ends with a CR, and a word ends at the first byte <= 0x20: so the
 * loops over bytes below all end inside the line, and need no second bound. */
#include "proto/parser.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "natlet/limits.h"

enum {
    LINE_LEN_MIN = 4,    /* "+OK" and CR */
    SIZE_DIGITS_MAX = 9, /* they fit 32 bits whatever they are */
};
_Static_assert(NATLET_MESSAGE_BYTES_LIMIT <= 999999999, "no message has a longer size");

/* A verb as a number: its characters in lower case, eight bits each, the first one
 * lowest. */
enum verb {
    VERB_MSG = 'm' | 's' << 8 | 'g' << 16,
    VERB_HMSG = 'h' | 'm' << 8 | 's' << 16 | 'g' << 24,
    VERB_PING = 'p' | 'i' << 8 | 'n' << 16 | 'g' << 24,
    VERB_PONG = 'p' | 'o' << 8 | 'n' << 16 | 'g' << 24,
    VERB_INFO = 'i' | 'n' << 8 | 'f' << 16 | 'o' << 24,
    VERB_OK = '+' | 'o' << 8 | 'k' << 16,
    VERB_ERR = '-' | 'e' << 8 | 'r' << 16 | 'r' << 24,
};

/* In the order of their events. */
static const uint32_t verbs[] = {VERB_INFO, VERB_PING, VERB_PONG, VERB_OK, VERB_ERR};
_Static_assert(NATLET__EV_INFO == 0 && NATLET__EV_ERR == 4, "a verb's place is its event's");

void natlet__parser_init(natlet__parser *p, uint32_t message_max)
{
    NATLET_ASSERT(message_max <= NATLET_MESSAGE_BYTES_LIMIT);
    *p = (natlet__parser){.message_max = message_max};
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The first byte <= 0x20.  Eight at a time: taking 0x21 from such a byte borrows
 * into its top bit, and what that does to the bytes behind it does not matter. */
static const uint8_t *word_end(const uint8_t *s, const uint8_t *line_end)
{
    const uint64_t ones = 0x0101010101010101u;

    for (; line_end - s >= 8; s += 8) {
        uint64_t x;
        memcpy(&x, s, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        x = __builtin_bswap64(x);
#endif
        uint64_t ends = (x - ones * 0x21) & ~x & ones * 0x80;
        if (ends != 0) {
            return s + __builtin_ctzll(ends) / 8;
        }
    }
    while (*s > ' ') {
        s++;
    }
    return s;
}

static inline const uint8_t *skip_blanks(const uint8_t *s)
{
    while (*s <= ' ' && is_blank(*s)) { /* one comparison for what comes most often */
        s++;
    }
    return s;
}

/* The blank or CR behind a word.  Control bytes are part of it: the server passes them
 * on from any publisher, who must not be able to end the connections of others with a
 * strange subject. */
static inline const uint8_t *word_stop(const uint8_t *s, const uint8_t *end)
{
    s = word_end(s, end);
    while (!is_blank(*s) && s != end) {
        s = word_end(s + 1, end);
    }
    return s;
}

/* Reads one to nine digits without a leading zero; returns their end, or NULL. */
static inline const uint8_t *read_digits(const uint8_t *start, uint32_t *value)
{
    const uint8_t *s = start;
    uint32_t sum = 0;

    for (uint32_t digit; (digit = (uint32_t)*s - '0') <= 9; s++) {
        sum = sum * 10 + digit;
    }
    *value = sum;
    size_t len = (size_t)(s - start);
    return len - 1 < SIZE_DIGITS_MAX && (len == 1 || *start != '0') ? s : NULL;
}

/* Returns what is behind the sid and its blanks, or NULL. */
static inline const uint8_t *read_sid(const uint8_t *s, const uint8_t *end, uint64_t *sid)
{
    uint32_t small;
    const uint8_t *stop = read_digits(s, &small);

    *sid = small;
    if (stop == NULL) {
        stop = word_stop(s, end);
        if (!natlet__read_decimal((natlet_slice){s, (size_t)(stop - s)}, UINT64_MAX, sid)) {
            return NULL;
        }
    }
    return is_blank(*stop) ? skip_blanks(stop) : NULL;
}

/* The sizes that end a line: one of them, or two with headers. */
static inline bool read_sizes(const uint8_t *s, const uint8_t *end, bool has_headers,
                              uint32_t size[2])
{
    size[0] = 0;
    if (has_headers) {
        s = read_digits(s, &size[0]);
        if (s == NULL || !is_blank(*s)) {
            return false;
        }
        s = skip_blanks(s);
    }
    s = read_digits(s, &size[1]);
    return s != NULL && skip_blanks(s) == end;
}

/* Reads "subject sid [reply] [header size] size". */
static inline bool read_words(const uint8_t *s, const uint8_t *end, bool has_headers,
                              natlet__event *ev, uint32_t size[2])
{
    s = skip_blanks(s);
    const uint8_t *stop = word_stop(s, end);
    ev->msg.subject = (natlet_slice){s, (size_t)(stop - s)};
    s = read_sid(skip_blanks(stop), end, &ev->sid);
    if (s == NULL) {
        return false;
    }
    ev->msg.reply = (natlet_slice){s, 0};
    if (!read_sizes(s, end, has_headers, size)) {
        stop = word_stop(s, end);
        ev->msg.reply.len = (size_t)(stop - s);
        return read_sizes(skip_blanks(stop), end, has_headers, size);
    }
    return true;
}

/* The message whose line's words begin at `s`.  Returns EVENT, or MORE with p->need. */
static inline natlet_status read_msg(natlet__parser *p, natlet_slice *in, const uint8_t *s,
                                     const uint8_t *end, bool has_headers, natlet__event *ev)
{
    uint32_t size[2]; /* of the header block, and of all */

    if (!read_words(s, end, has_headers, ev, size) ||
        (has_headers && (size[0] < NATLET_HEADER_BYTES_MIN || size[0] > size[1]))) {
        return NATLET_E_PROTOCOL;
    }
    uint32_t header = size[0];
    uint32_t total = size[1];
    if (total > p->message_max) {
        return NATLET_E_TOO_LARGE;
    }
    const uint8_t *body = end + 2;
    size_t need = (size_t)(body - in->ptr) + total + 2;
    p->need = need;
    if (in->len < need) {
        return NATLET_MORE;
    }
    if (body[total] != '\r' || body[total + 1] != '\n') {
        return NATLET_E_PROTOCOL;
    }
    ev->kind = NATLET__EV_MSG;
    ev->text = (natlet_slice){0};
    ev->msg.headers = (natlet_slice){body, header};
    ev->msg.payload = (natlet_slice){body + header, total - header};
    p->need = 0;
    in->ptr += need;
    in->len -= need;
    return NATLET_EVENT;
}

/* What the line up to `end`, its CR, says. */
static natlet_status read_op(natlet__parser *p, natlet_slice *in, const uint8_t *end,
                             natlet__event *ev)
{
    const uint8_t *s = in->ptr;
    uint32_t verb = s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;

    if (*s <= ' ') {
        return NATLET_E_PROTOCOL;
    }
    verb |= 0x20202020; /* makes a letter small and leaves '+' and '-' alone */
    s += 3;
    if (s == end || is_blank(*s)) {
        verb &= 0xffffff;
    } else {
        s++;
        if (s != end && !is_blank(*s)) {
            return NATLET_E_PROTOCOL;
        }
    }
    if (verb == VERB_MSG || verb == VERB_HMSG) {
        return read_msg(p, in, s, end, verb == VERB_HMSG, ev);
    }
    uint32_t kind = 0;
    while (verbs[kind] != verb) {
        if (++kind == sizeof verbs / sizeof verbs[0]) {
            return NATLET_E_PROTOCOL;
        }
    }
    ev->kind = (natlet__event_kind)kind;
    s += s != end; /* the rest of the line behind one blank */
    ev->text = (natlet_slice){s, (size_t)(end - s)};
    if (ev->kind != NATLET__EV_INFO && ev->kind != NATLET__EV_ERR &&
        natlet__trim(ev->text).len > 0) {
        return NATLET_E_PROTOCOL;
    }
    (void)natlet__take(in, (size_t)(end - in->ptr) + 2);
    return NATLET_EVENT;
}

static bool is_info(natlet_slice in)
{
    static const natlet_slice info = NATLET_TEXT("INFO");

    return in.len > info.len && natlet__starts_nocase(in, info) && is_blank(in.ptr[info.len]);
}

/* Looks for the LF only in what was not looked at before, so that a line which
 * comes byte by byte costs as much as a whole one. */
static natlet_status read_line(natlet__parser *p, natlet_slice *in, natlet__event *ev)
{
    size_t max = in->len < NATLET_INFO_BYTES_MAX ? in->len : NATLET_INFO_BYTES_MAX;

    NATLET_ASSERT(p->scanned <= max);
    const uint8_t *lf =
        p->scanned < max ? memchr(in->ptr + p->scanned, '\n', max - p->scanned) : NULL;
    p->scanned = lf != NULL ? (size_t)(lf - in->ptr) : max;
    if (p->scanned >= NATLET_LINE_BYTES_MAX &&
        (p->scanned >= NATLET_INFO_BYTES_MAX || !is_info(*in))) {
        return NATLET_E_LINE_TOO_LONG;
    }
    if (lf == NULL) {
        return NATLET_MORE;
    }
    if (p->scanned < LINE_LEN_MIN || lf[-1] != '\r') {
        return NATLET_E_PROTOCOL;
    }
    natlet_status st = read_op(p, in, lf - 1, ev);
    if (st == NATLET_EVENT) {
        p->scanned = 0;
    }
    return st;
}

natlet_status natlet__parser_next(natlet__parser *p, natlet_slice *in, natlet__event *ev)
{
    natlet_status st = p->failed;

    if (st == NATLET_OK) {
        st = in->len < p->need ? NATLET_MORE : read_line(p, in, ev);
    }
    if (st < 0) {
        p->failed = st;
    }
    return st;
}

size_t natlet__parser_need(const natlet__parser *p, natlet_slice in)
{
    return p->need > 0 ? p->need : is_info(in) ? NATLET_INFO_BYTES_MAX : NATLET_LINE_BYTES_MAX;
}
