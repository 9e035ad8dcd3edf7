/* The way of a message: read_line() finds the LF; read_plain_msg() shows what is
 * whole and written with single blanks, which is nearly everything; else read_msg()
 * takes the words and notes the sizes, and finish_msg() waits for the rest.
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
    LINE_LEN_MIN = 4, /* "+OK" and CR */
    VERB_LEN_MAX = 4,
    SIZE_DIGITS_MAX = 9, /* they fit 32 bits whatever they are */
};
_Static_assert(NATLET_MESSAGE_BYTES_LIMIT <= 999999999, "no message has a longer size");

/* A verb as a number: its characters in lower case, eight bits each. */
enum verb {
    VERB_MSG = 'm' << 16 | 's' << 8 | 'g',
    VERB_HMSG = 'h' << 24 | 'm' << 16 | 's' << 8 | 'g',
    VERB_PING = 'p' << 24 | 'i' << 16 | 'n' << 8 | 'g',
    VERB_PONG = 'p' << 24 | 'o' << 16 | 'n' << 8 | 'g',
    VERB_INFO = 'i' << 24 | 'n' << 16 | 'f' << 8 | 'o',
    VERB_OK = '+' << 16 | 'o' << 8 | 'k',
    VERB_ERR = '-' << 24 | 'e' << 16 | 'r' << 8 | 'r',
};

typedef struct line {
    const uint8_t *start;
    const uint8_t *at;  /* read so far */
    const uint8_t *end; /* its CR */
} line;

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

/* Reads one to nine digits without a leading zero; returns their end, or NULL. */
static inline const uint8_t *read_digits(const uint8_t *start, uint32_t *value)
{
    const uint8_t *s = start + 1;
    uint32_t sum = (uint32_t)*start - '0';

    if (sum == 0) {
        *value = 0;
        return s;
    }
    if (sum > 9) {
        return NULL;
    }
    for (uint32_t digit; (digit = (uint32_t)*s - '0') <= 9; s++) {
        sum = sum * 10 + digit;
    }
    *value = sum;
    return s - start <= SIZE_DIGITS_MAX ? s : NULL;
}

static bool is_header_size(uint32_t header, uint32_t total)
{
    return header >= NATLET_HEADER_BYTES_MIN && header <= total;
}

/* The sizes that end a line: one of them, or two with headers. */
static inline bool read_plain_sizes(const uint8_t *s, const uint8_t *line_end, bool has_headers,
                                    uint32_t size[2])
{
    size[0] = 0;
    if (has_headers) {
        s = read_digits(s, &size[0]);
        if (s == NULL || *s != ' ') {
            return false;
        }
        s++;
    }
    return read_digits(s, &size[1]) == line_end;
}

/* Reads "subject sid [reply] [header size] size" with single blanks; false if the
 * line is written otherwise, well or badly. */
static inline bool read_plain_words(const uint8_t *subject, const uint8_t *line_end,
                                    bool has_headers, natlet__event *ev, uint32_t size[2])
{
    const uint8_t *s = word_end(subject, line_end);
    uint32_t sid;

    if (s == subject || *s != ' ') {
        return false;
    }
    ev->msg.subject = (natlet_slice){subject, (size_t)(s - subject)};
    s = read_digits(s + 1, &sid);
    if (s == NULL || *s != ' ') {
        return false;
    }
    const uint8_t *reply = s + 1;
    ev->sid = sid;
    ev->msg.reply = (natlet_slice){reply, 0};
    if (read_plain_sizes(reply, line_end, has_headers, size)) {
        return true;
    }
    s = word_end(reply, line_end);
    ev->msg.reply.len = (size_t)(s - reply);
    return s != reply && *s == ' ' && read_plain_sizes(s + 1, line_end, has_headers, size);
}

/* Fills *ev from a plain line whose body is there too, and returns the length of both.
 * Returns 0 for anything else: read_op() says what that is. */
static size_t read_plain_msg(const natlet__parser *p, natlet_slice in, const uint8_t *line_end,
                             natlet__event *ev)
{
    size_t verb = memcmp(in.ptr, "MSG ", 4) == 0 ? 4 : memcmp(in.ptr, "HMSG ", 5) == 0 ? 5 : 0;
    bool has_headers = verb == 5;
    uint32_t size[2]; /* of the header block, and of all */

    if (verb == 0 || !read_plain_words(in.ptr + verb, line_end, has_headers, ev, size)) {
        return 0;
    }
    if (has_headers && !is_header_size(size[0], size[1])) {
        return 0;
    }
    const uint8_t *body = line_end + 2;
    size_t len = (size_t)(body - in.ptr) + size[1] + 2;
    if (size[1] > p->message_max || in.len < len || body[size[1]] != '\r' ||
        body[size[1] + 1] != '\n') {
        return 0;
    }
    ev->kind = NATLET__EV_MSG;
    ev->text = (natlet_slice){0};
    ev->msg.headers = (natlet_slice){body, size[0]};
    ev->msg.payload = (natlet_slice){body + size[0], size[1] - size[0]};
    return len;
}

/* Setting bit 5 makes a letter small and leaves '+' and '-' alone; no other byte
 * above 0x20 becomes one of them.  Returns 0 for a word longer than any verb. */
static uint32_t take_verb(line *l)
{
    uint32_t verb = 0;
    const uint8_t *s = l->at;

    for (; *s > ' '; s++) {
        if (s - l->at == VERB_LEN_MAX) {
            return 0;
        }
        verb = verb << 8 | *s | 0x20u;
    }
    l->at = s;
    return verb;
}

/* The next word, up to a blank; empty at the end of the line.  Control bytes are
 * part of it: the server passes them on from any publisher, who must not be able to
 * end the connections of others with a strange subject. */
static natlet_slice take_word(line *l)
{
    const uint8_t *start = l->at;

    while (is_blank(*start)) {
        start++;
    }
    l->at = word_end(start, l->end);
    while (l->at != l->end && !is_blank(*l->at)) {
        l->at = word_end(l->at + 1, l->end);
    }
    return (natlet_slice){start, (size_t)(l->at - start)};
}

/* Blanks at the end of a line are allowed. */
static bool at_end(line *l)
{
    return take_word(l).len == 0 && l->at == l->end;
}

static bool read_size(natlet_slice word, uint32_t *value)
{
    return word.len > 0 && read_digits(word.ptr, value) == word.ptr + word.len;
}

/* Returns OK with p->line and p->need filled. */
static natlet_status read_msg(natlet__parser *p, line *l, bool has_headers)
{
    natlet__msg_line *msg = &p->line;
    natlet_slice subject = take_word(l);
    natlet_slice sid = take_word(l);
    natlet_slice reply = take_word(l);
    natlet_slice header = has_headers ? take_word(l) : reply;
    natlet_slice total = take_word(l);

    if (total.len == 0) { /* one word less: there is no reply */
        total = header;
        header = reply;
        reply.len = 0;
    }
    msg->header_bytes = 0;
    if (!at_end(l) || !natlet__read_decimal(sid, UINT64_MAX, &msg->sid) ||
        !read_size(total, &msg->total_bytes) ||
        (has_headers && !read_size(header, &msg->header_bytes))) {
        return NATLET_E_PROTOCOL;
    }
    if (has_headers && !is_header_size(msg->header_bytes, msg->total_bytes)) {
        return NATLET_E_PROTOCOL;
    }
    if (msg->total_bytes > p->message_max) {
        return NATLET_E_TOO_LARGE;
    }
    msg->subject_at = (uint32_t)(subject.ptr - l->start);
    msg->subject_len = (uint32_t)subject.len;
    msg->reply_at = (uint32_t)(reply.ptr - l->start);
    msg->reply_len = (uint32_t)reply.len;
    msg->line_bytes = (uint32_t)(l->end - l->start) + 2;
    p->need = (size_t)msg->line_bytes + msg->total_bytes + 2;
    return NATLET_OK;
}

/* The event of a whole message, or MORE. */
static natlet_status finish_msg(natlet__parser *p, natlet_slice *in, natlet__event *ev)
{
    const natlet__msg_line *msg = &p->line;
    const uint8_t *start = in->ptr;

    if (in->len < p->need) {
        return NATLET_MORE;
    }
    const uint8_t *body = start + msg->line_bytes;
    if (body[msg->total_bytes] != '\r' || body[msg->total_bytes + 1] != '\n') {
        return NATLET_E_PROTOCOL;
    }
    ev->kind = NATLET__EV_MSG;
    ev->text = (natlet_slice){0};
    ev->sid = msg->sid;
    ev->msg.subject = (natlet_slice){start + msg->subject_at, msg->subject_len};
    ev->msg.reply = (natlet_slice){start + msg->reply_at, msg->reply_len};
    ev->msg.headers = (natlet_slice){body, msg->header_bytes};
    ev->msg.payload =
        (natlet_slice){body + msg->header_bytes, msg->total_bytes - msg->header_bytes};
    natlet__skip(in, p->need);
    p->need = 0;
    return NATLET_EVENT;
}

/* PING, PONG, +OK: nothing follows the verb. */
static natlet_status read_bare(line *l, natlet__event_kind kind, natlet__event *ev)
{
    if (!at_end(l)) {
        return NATLET_E_PROTOCOL;
    }
    *ev = (natlet__event){.kind = kind};
    return NATLET_EVENT;
}

/* INFO, -ERR: the rest of the line behind one blank. */
static natlet_status read_text(line *l, natlet__event_kind kind, natlet__event *ev)
{
    const uint8_t *text = l->at + (l->at != l->end);

    *ev = (natlet__event){.kind = kind, .text = {text, (size_t)(l->end - text)}};
    return NATLET_EVENT;
}

/* Returns OK for the line of a message, EVENT for any other. */
static natlet_status read_op(natlet__parser *p, line *l, natlet__event *ev)
{
    uint32_t verb = take_verb(l);

    if (l->at != l->end && !is_blank(*l->at)) {
        return NATLET_E_PROTOCOL;
    }
    switch (verb) {
    case VERB_MSG:
        return read_msg(p, l, false);
    case VERB_HMSG:
        return read_msg(p, l, true);
    case VERB_PING:
        return read_bare(l, NATLET__EV_PING, ev);
    case VERB_PONG:
        return read_bare(l, NATLET__EV_PONG, ev);
    case VERB_OK:
        return read_bare(l, NATLET__EV_OK, ev);
    case VERB_INFO:
        return read_text(l, NATLET__EV_INFO, ev);
    case VERB_ERR:
        return read_text(l, NATLET__EV_ERR, ev);
    default:
        return NATLET_E_PROTOCOL;
    }
}

static size_t line_max(natlet_slice in)
{
    static const natlet_slice info = NATLET_TEXT("INFO");
    bool is_info = in.len > info.len && (in.ptr[0] | 0x20) == 'i' &&
                   natlet__starts_nocase(in, info) && is_blank(in.ptr[info.len]);
    return is_info ? NATLET_INFO_BYTES_MAX : NATLET_LINE_BYTES_MAX;
}

/* Looks for the LF only in what was not looked at before, so that a line which
 * comes byte by byte costs as much as a whole one. */
static const uint8_t *find_lf(natlet__parser *p, natlet_slice in, size_t max)
{
    size_t end = in.len < max ? in.len : max;

    NATLET_ASSERT(p->scanned <= end);
    if (p->scanned == end) {
        return NULL;
    }
    const uint8_t *lf = memchr(in.ptr + p->scanned, '\n', end - p->scanned);
    p->scanned = lf == NULL ? end : 0;
    return lf;
}

static natlet_status read_line(natlet__parser *p, natlet_slice *in, natlet__event *ev)
{
    size_t max = line_max(*in);
    const uint8_t *lf = find_lf(p, *in, max);
    if (lf == NULL) {
        return p->scanned == max ? NATLET_E_LINE_TOO_LONG : NATLET_MORE;
    }
    if (lf - in->ptr < LINE_LEN_MIN || lf[-1] != '\r') {
        return NATLET_E_PROTOCOL;
    }
    size_t len = read_plain_msg(p, *in, lf - 1, ev);
    if (len > 0) {
        natlet__skip(in, len);
        return NATLET_EVENT;
    }
    line l = {.start = in->ptr, .at = in->ptr, .end = lf - 1};
    natlet_status st = read_op(p, &l, ev);
    if (st == NATLET_EVENT) {
        natlet__skip(in, (size_t)(lf - in->ptr) + 1);
    }
    return st;
}

natlet_status natlet__parser_next(natlet__parser *p, natlet_slice *in, natlet__event *ev)
{
    natlet_status st = p->failed;

    if (st == NATLET_OK && p->need == 0) {
        st = read_line(p, in, ev);
    }
    if (st == NATLET_OK) {
        st = finish_msg(p, in, ev);
    }
    if (st < 0) {
        p->failed = st;
    }
    return st;
}

size_t natlet__parser_need(const natlet__parser *p, natlet_slice in)
{
    return p->need > 0 ? p->need : line_max(in);
}
