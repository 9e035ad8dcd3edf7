/* Two doors to zlib.  A message of permessage-deflate is a raw deflate stream that ends
 * with an empty stored block, whose last four bytes are left out (RFC 7692, 7.2). */
#include "ws/deflate.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "ws/zlib_names.h"

enum {
    WINDOW_BITS = 15, /* a server's window cannot be negotiated with nats-server */
    /* More than zlib's own structures take on any machine; a test holds it to that. */
    INFLATE_STATE = 10240,
    DEFLATE_STATE = 8192,
    ALIGNMENT = 16,
};

static const uint8_t tail[NATLET__DEFLATE_TAIL] = {0x00, 0x00, 0xff, 0xff};

/* ---- zlib's memory: what is asked for once is never given back ---- */

typedef struct pool {
    uint8_t *at;
    size_t left;
} pool;

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    pool *r = opaque;
    size_t bytes = ((size_t)items * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    uint8_t *at = r->at;

    if (bytes > r->left) {
        return Z_NULL;
    }
    r->at += bytes;
    r->left -= bytes;
    return at;
}

static void keep(voidpf opaque, voidpf block)
{
    (void)opaque;
    (void)block;
}

/* What lies behind the door's own structure. */
static pool pool_behind(void *mem, size_t own, size_t all)
{
    size_t head = (own + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    return (pool){(uint8_t *)mem + head, all - head};
}

/* ---- the agreement ---- */

/* "server_max_window_bits=15": 8 to 15, no leading zero, in quotes or not. */
static bool is_window(natlet_slice value)
{
    uint64_t bits;

    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
        value = (natlet_slice){value.ptr + 1, value.len - 2};
    }
    return natlet__read_decimal(value, WINDOW_BITS, &bits) && bits >= 8 && value.ptr[0] != '0';
}

bool natlet__deflate_is_agreed(natlet_slice value)
{
    static const natlet_slice name = NATLET_TEXT("permessage-deflate");
    static const char parameters[] = "server_no_context_takeover\0client_no_context_takeover\0"
                                     "server_max_window_bits\0";
    enum { SERVER_FORGETS, CLIENT_FORGETS, SERVER_WINDOW, KNOWN };
    natlet_slice part;
    natlet_slice word;
    uint32_t seen = 0;
    bool has_more = natlet__cut(&value, ';', &part);

    if (!natlet__equal_nocase(natlet__trim(part), name)) {
        return false;
    }
    while (has_more) {
        has_more = natlet__cut(&value, ';', &part);
        part = natlet__trim(part);
        bool has_value = natlet__cut(&part, '=', &word);
        uint32_t which = natlet__word_index(parameters, natlet__trim(word));
        if (which >= KNOWN || (seen >> which & 1) != 0 || has_value != (which == SERVER_WINDOW) ||
            (has_value && !is_window(natlet__trim(part)))) {
            return false;
        }
        seen |= 1u << which;
    }
    return (seen & 1u << SERVER_FORGETS) != 0;
}

/* ---- inflate ---- */

struct natlet__inflater {
    z_stream stream;
    pool memory;
    uint64_t left; /* bytes that the message may still become */
    uint8_t tail_used;
    bool is_final;    /* a block said that it is the last one (RFC 7692, 7.2.3.4) */
    bool is_at_block; /* the last byte read ended a block */
};

size_t natlet__inflater_bytes(void)
{
    return sizeof(natlet__inflater) + INFLATE_STATE + (1u << WINDOW_BITS) + ALIGNMENT;
}

natlet__inflater *natlet__inflater_init(void *mem)
{
    natlet__inflater *z = mem;

    z->memory = pool_behind(mem, sizeof *z, natlet__inflater_bytes());
    z->stream.zalloc = take;
    z->stream.zfree = keep;
    z->stream.opaque = &z->memory;
    if (inflateInit2(&z->stream, -WINDOW_BITS) != Z_OK) {
        return NULL;
    }
    /* Takes the window now, which would else be taken in the middle of a message. */
    return inflateSetDictionary(&z->stream, tail, 0) == Z_OK ? z : NULL;
}

void natlet__inflater_start(natlet__inflater *z, uint64_t bytes_max)
{
    (void)inflateReset(&z->stream);
    z->left = bytes_max;
    z->tail_used = 0;
    z->is_final = z->is_at_block = false;
}

/* Lets zlib go on.  Returns OK or E_FRAME; *in and *out_len say how far it came. */
static natlet_status step(natlet__inflater *z, natlet_slice *in, uint8_t *out, size_t *out_len)
{
    z_stream *s = &z->stream;
    size_t in_len = in->len;

    s->next_in = in->ptr;
    s->avail_in = (uInt)in->len;
    s->next_out = out;
    s->avail_out = (uInt)*out_len;
    int outcome = inflate(s, Z_SYNC_FLUSH);
    natlet__skip(in, in->len - s->avail_in);
    *out_len -= s->avail_out;
    if (in->len < in_len || *out_len > 0) {
        z->is_at_block = (s->data_type & 128) != 0;
    }
    z->is_final = outcome == Z_STREAM_END;
    return outcome == Z_OK || outcome == Z_BUF_ERROR || z->is_final ? NATLET_OK : NATLET_E_FRAME;
}

/* Steps through `in`, or behind its end through what the server has left out. */
static natlet_status step_on(natlet__inflater *z, natlet_slice *in, bool is_last, uint8_t *out,
                             size_t *out_len)
{
    natlet_slice rest = {tail + z->tail_used, sizeof tail - z->tail_used};

    if (in->len > 0 || !is_last) {
        return step(z, in, out, out_len);
    }
    natlet_status st = step(z, &rest, out, out_len);
    z->tail_used = (uint8_t)(sizeof tail - rest.len);
    return st;
}

natlet_status natlet__inflater_read(natlet__inflater *z, natlet_slice *in, bool is_last,
                                    uint8_t *out, size_t cap, size_t *len)
{
    *len = 0;
    for (;;) {
        if (z->is_final) {
            if (in->len == 0) {
                return is_last ? NATLET_OK : NATLET_MORE;
            }
            (void)inflateResetKeep(&z->stream); /* a stream that ended may be followed by another */
        }
        size_t room = cap - *len;
        room = room <= z->left ? room : (size_t)z->left + 1; /* one too many shows that it is */
        size_t n = room;
        natlet_status st = step_on(z, in, is_last, out + *len, &n);
        if (st < 0 || n > z->left) {
            return st < 0 ? st : NATLET_E_TOO_LARGE;
        }
        z->left -= n;
        *len += n;
        if (*len == cap) {
            return NATLET_EVENT;
        }
        if (z->is_final || in->len > 0) {
            continue;
        }
        if (!is_last) {
            return NATLET_MORE;
        }
        if (z->tail_used == sizeof tail) {
            return z->is_at_block ? NATLET_OK : NATLET_E_FRAME;
        }
    }
}

/* ---- deflate ---- */

struct natlet__deflater {
    z_stream stream;
    pool memory;
};

/* zlib's own reckoning: 4 bytes for each of the window, 2 for each hash, 4 or 5 for each
 * code that waits (zconf.h; deflateInit2_). */
size_t natlet__deflater_bytes(const natlet__deflate_shape *shape)
{
    size_t window = (size_t)1 << shape->window_bits;
    size_t codes = (size_t)1 << (shape->memory_level + 6);

    return sizeof(natlet__deflater) + DEFLATE_STATE + window * 4 + codes * 2 * 2 + codes * 5 +
           (size_t)ALIGNMENT * 6;
}

natlet__deflater *natlet__deflater_init(void *mem, const natlet__deflate_shape *shape)
{
    natlet__deflater *z = mem;

    z->memory = pool_behind(mem, sizeof *z, natlet__deflater_bytes(shape));
    z->stream.zalloc = take;
    z->stream.zfree = keep;
    z->stream.opaque = &z->memory;
    int outcome = deflateInit2(&z->stream, shape->level, Z_DEFLATED, -(int)shape->window_bits,
                               shape->memory_level, Z_DEFAULT_STRATEGY);
    return outcome == Z_OK ? z : NULL;
}

size_t natlet__deflater_message(natlet__deflater *z, natlet_slice in, uint8_t *out)
{
    z_stream *s = &z->stream;
    size_t cap = in.len + NATLET__DEFLATE_TAIL;

    (void)deflateReset(s);
    s->next_in = in.ptr;
    s->avail_in = (uInt)in.len;
    s->next_out = out;
    s->avail_out = (uInt)cap;
    int outcome = deflate(s, Z_SYNC_FLUSH);
    if (outcome != Z_OK || s->avail_out == 0) {
        return 0;
    }
    size_t len = cap - s->avail_out - sizeof tail;
    NATLET_ASSERT(s->avail_in == 0 && memcmp(out + len, tail, sizeof tail) == 0);
    return len < in.len ? len : 0;
}
