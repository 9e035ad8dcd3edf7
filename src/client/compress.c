#include "client/compress.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "client/client.h"
#include "client/optional.h"
#include "natlet/compress.h"
#include "proto/writer.h"
#include "ws/deflate.h"

NATLET__OPTIONAL(natlet__ledger_place)

enum {
    READS_MAX = 16, /* of the host, that bring nothing for the window: then others have a turn */
    PLAIN_RUNS = 8, /* beyond it more is plain than was asked for */
    RECV_MIN = 512, /* bytes */
    RECV_MAX = 1 << 20,
    WS_INVALID_DATA = 1007, /* RFC 6455, 7.4.1 */
    WS_TOO_BIG = 1009,
};

struct natlet__compress {
    natlet_compress_options options;
    natlet_compress_stats stats;
};

/* Bytes of the stream of operations, counted from the first frame on, that stay as they
 * are. */
typedef struct plain_run {
    uint64_t start, end;
} plain_run;

struct natlet__codec {
    natlet__compress *all;
    size_t bytes; /* of the block that begins here */
    natlet__inflater *inflater;
    natlet__deflater *deflater; /* NULL: receive_only */
    uint8_t *spare;             /* message_bytes_max and a tail */
    uint8_t *recv;              /* recv_bytes */
    bool is_on;
    bool is_in_message;
    bool has_piece, is_last; /* `piece` is to be handed on; the message ends with it */
    uint32_t messages;
    natlet_slice raw;   /* of recv: was not unframed yet */
    natlet_slice piece; /* of raw: the payload of one frame, or a part of it */
    uint64_t framed;    /* bytes of the stream that were framed */
    uint32_t run_count;
    plain_run runs[PLAIN_RUNS]; /* in order, none touches the next */
};

/* ---- memory ---- */

static natlet__deflate_shape shape_of(const natlet_compress_options *options)
{
    return (natlet__deflate_shape){options->window_bits, options->memory_level, options->level};
}

static size_t aligned(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

/* One block: the codec, the inflater, what is received; the deflater, and what it writes. */
static natlet__codec *make_codec(natlet_client *client)
{
    const natlet_compress_options *options = &client->compress->options;
    natlet__deflate_shape shape = shape_of(options);
    size_t inflater_at = aligned(sizeof(natlet__codec));
    size_t recv_at = inflater_at + aligned(natlet__inflater_bytes());
    size_t deflater_at = recv_at + aligned(options->recv_bytes);
    size_t spare_at = deflater_at + aligned(natlet__deflater_bytes(&shape));
    size_t bytes = options->receive_only
                       ? deflater_at
                       : spare_at + options->message_bytes_max + NATLET__DEFLATE_TAIL;
    natlet__codec *codec = natlet__memory_take(&client->rt->memory, bytes);

    if (codec == NULL) {
        return NULL;
    }
    uint8_t *block = (uint8_t *)codec;
    codec->all = client->compress;
    codec->bytes = bytes;
    codec->inflater = natlet__inflater_init(block + inflater_at);
    codec->recv = block + recv_at;
    if (!options->receive_only) {
        codec->deflater = natlet__deflater_init(block + deflater_at, &shape);
        codec->spare = block + spare_at;
    }
    NATLET_ASSERT(codec->inflater != NULL && (options->receive_only || codec->deflater != NULL));
    return codec;
}

void natlet__codec_free(natlet_client *client)
{
    natlet__codec *codec = client->outbox.codec;

    if (codec != NULL) {
        natlet__memory_give_back(&client->rt->memory, codec, codec->bytes);
        client->outbox.codec = NULL;
    }
}

void natlet__compress_free(natlet_client *client)
{
    natlet__memory_give_back(&client->rt->memory, client->compress, sizeof *client->compress);
}

/* ---- the agreement ---- */

size_t natlet__codec_offer(natlet_client *client, uint8_t *out, size_t cap, size_t len)
{
    static const natlet_slice line =
        NATLET_TEXT("Sec-WebSocket-Extensions: " NATLET__DEFLATE_OFFER "\r\n\r\n");

    if (client->outbox.codec == NULL) {
        client->outbox.codec = make_codec(client);
    }
    natlet__codec *codec = client->outbox.codec;
    if (codec == NULL) {
        return 0;
    }
    codec->is_on = codec->is_in_message = codec->has_piece = false;
    codec->raw.len = 0;
    codec->framed = codec->run_count = codec->messages = 0;
    size_t head = len - 2; /* the empty line moves behind it */
    NATLET_ASSERT(line.len <= cap - head);
    (void)natlet__put(out + head, line);
    client->link.handshake.extension = NATLET__EXTENSION_OFFERED;
    return head + line.len;
}

bool natlet__codec_begin(natlet_client *client)
{
    natlet__codec *codec = client->outbox.codec;

    if (client->link.handshake.extension != NATLET__EXTENSION_AGREED) {
        natlet__codec_free(client);
        return false;
    }
    natlet_slice rest = natlet__window_bytes(&client->window);
    NATLET_ASSERT(rest.len <= codec->all->options.recv_bytes);
    (void)natlet__put(codec->recv, rest);
    codec->raw = (natlet_slice){codec->recv, rest.len};
    codec->is_on = true;
    client->link.ws.has_deflate = true;
    natlet__window_parsed(&client->window, 0);
    return true;
}

/* ---- reading ---- */

static natlet_status refuse(natlet_client *client, natlet_status st)
{
    client->link.ws.close_code = st == NATLET_E_TOO_LARGE ? WS_TOO_BIG : WS_INVALID_DATA;
    return st;
}

/* Hands on what is at hand of the piece.  Returns as natlet__inflater_read. */
static natlet_status hand_on(natlet__codec *codec, bool is_compressed, uint8_t *out, size_t cap,
                             size_t *len)
{
    natlet_slice *piece = &codec->piece;

    if (is_compressed) {
        size_t before = piece->len;
        natlet_status st =
            natlet__inflater_read(codec->inflater, piece, codec->is_last, out, cap, len);
        codec->all->stats.received_bytes += before - piece->len;
        codec->all->stats.inflated_bytes += *len;
        return st;
    }
    *len = piece->len < cap ? piece->len : cap;
    (void)natlet__put(out, natlet__take(piece, *len));
    if (piece->len > 0) {
        return NATLET_EVENT;
    }
    return codec->is_last ? NATLET_OK : NATLET_MORE;
}

static void start_piece(natlet__codec *codec, const natlet__ws *ws, natlet_slice bytes)
{
    if (!codec->is_in_message && ws->is_compressed) {
        natlet__inflater_start(codec->inflater, codec->all->options.inflated_bytes_max);
    }
    codec->is_in_message = codec->has_piece = true;
    codec->is_last = !ws->in_message && ws->payload_left == 0;
    codec->piece = bytes;
}

static void end_message(natlet__codec *codec, const natlet__ws *ws)
{
    codec->is_in_message = false;
    codec->messages++;
    codec->all->stats.received_messages++;
    codec->all->stats.inflated_messages += ws->is_compressed ? 1 : 0;
}

/* Unframes and inflates what was received: up to the end of a message, or of the room, or
 * of what there is.  Returns EVENT for the first two, MORE, or < 0. */
static natlet_status unpack(natlet_client *client, uint8_t *out, size_t cap, size_t *len)
{
    natlet__codec *codec = client->outbox.codec;
    natlet__ws *ws = &client->link.ws;
    natlet__ws_event ev;

    for (;;) {
        if (codec->has_piece) {
            size_t n;
            if (*len == cap) {
                return NATLET_EVENT;
            }
            natlet_status st = hand_on(codec, ws->is_compressed, out + *len, cap - *len, &n);
            *len += n;
            if (st < 0 || st == NATLET_EVENT) {
                return st < 0 ? refuse(client, st) : st;
            }
            codec->has_piece = false;
            if (st == NATLET_OK) {
                end_message(codec, ws);
                return NATLET_EVENT;
            }
        }
        natlet_status st = natlet__ws_next(ws, &codec->raw, &ev);
        if (st != NATLET_EVENT) {
            return st;
        }
        if (ev.kind == NATLET__WS_EV_DATA) {
            start_piece(codec, ws, ev.bytes);
            continue;
        }
        st = natlet__pump_control(client, &ev);
        if (st < 0) {
            return st;
        }
    }
}

/* Asks the host for bytes.  Returns OK or E_AGAIN. */
static natlet_status ask_host(natlet_client *client, uint8_t *buf, uint32_t cap, uint32_t *len)
{
    natlet__link *link = &client->link;
    const natlet_host *host = client->rt->host;
    int32_t got = host->recv(host->self, link->conn, buf, cap);

    client->stats.recv_calls++;
    if (got > 0) {
        NATLET_ASSERT((uint32_t)got <= cap);
        client->stats.received_bytes += (uint32_t)got;
        *len = (uint32_t)got;
        return NATLET_OK;
    }
    link->is_readable = false;
    if (got != NATLET_E_AGAIN && link->is_closed) {
        natlet__link_over(client);
        return NATLET_E_CLOSED;
    }
    return NATLET_E_AGAIN;
}

/* These bytes are the client's alone: no array of the host's has them. */
static void received(natlet__window *window, size_t len)
{
    natlet__window_received(window, (uint32_t)len, window->segment_number);
    window->unmoved = window->segment_end;
    window->copied_bytes += len;
}

natlet_status natlet__codec_receive(natlet_client *client, uint8_t *room, uint32_t cap)
{
    natlet__codec *codec = client->outbox.codec;
    uint32_t recv_bytes = codec->all->options.recv_bytes;
    uint32_t n = 0;
    size_t len = 0;

    if (!codec->is_on) { /* the answer to the upgrade; what follows it has to fit into recv */
        natlet_status st = ask_host(client, room, cap < recv_bytes ? cap : recv_bytes, &n);
        if (st == NATLET_OK) {
            natlet__window_received(&client->window, n, client->window.segment_number);
        }
        return st;
    }
    for (int reads = 0; reads < READS_MAX; reads++) {
        natlet_status st = unpack(client, room, cap, &len);
        if (st < 0) {
            return st;
        }
        if (st == NATLET_EVENT || len > 0) {
            break;
        }
        st = ask_host(client, codec->recv, recv_bytes, &n);
        if (st < 0) {
            return st;
        }
        codec->raw = (natlet_slice){codec->recv, n};
    }
    received(&client->window, len);
    return NATLET_OK;
}

uint32_t natlet__codec_messages(const natlet_client *client)
{
    return client->outbox.codec != NULL ? client->outbox.codec->messages : 0;
}

/* ---- writing ---- */

/* The first run that is not over. */
static const plain_run *first_run(natlet__codec *codec)
{
    while (codec->run_count > 0 && codec->runs[0].end <= codec->framed) {
        codec->run_count--;
        memmove(codec->runs, codec->runs + 1, codec->run_count * sizeof *codec->runs);
    }
    return codec->run_count > 0 ? codec->runs : NULL;
}

/* Until the server has let us in there are secrets in what is sent. */
static bool may_pack(const natlet__outbox *box)
{
    return box->codec->is_on && box->is_open && box->codec->deflater != NULL;
}

size_t natlet__codec_next(const natlet__outbox *box, size_t len)
{
    natlet__codec *codec = box->codec;
    size_t bytes_max = codec->all->options.message_bytes_max;

    if (!may_pack(box)) {
        return len;
    }
    const plain_run *run = first_run(codec);
    if (run != NULL) {
        uint64_t left = (run->start <= codec->framed ? run->end : run->start) - codec->framed;
        len = left < len ? (size_t)left : len;
    }
    bool is_plain = run != NULL && run->start <= codec->framed;
    return is_plain || len < bytes_max ? len : bytes_max;
}

/* Returns the length of what lies in `spare` then; 0: it stays as it is. */
static size_t compress(natlet__codec *codec, natlet_slice message)
{
    natlet_compress_stats *stats = &codec->all->stats;
    const plain_run *run = first_run(codec);
    bool is_plain = run != NULL && run->start <= codec->framed;

    if (is_plain || message.len < codec->all->options.threshold_bytes) {
        return 0;
    }
    NATLET_ASSERT(message.len <= codec->all->options.message_bytes_max);
    size_t n = natlet__deflater_message(codec->deflater, message, codec->spare);
    if (n == 0) {
        stats->incompressible_messages++;
        return 0;
    }
    stats->deflated_messages++;
    stats->plain_bytes += message.len;
    stats->deflated_bytes += n;
    return n;
}

size_t natlet__codec_pack(const natlet__outbox *box, size_t len)
{
    natlet__codec *codec = box->codec;
    uint8_t *at = box->ptr + box->sealed;

    if (!codec->is_on) {
        return 0;
    }
    size_t n = may_pack(box) ? compress(codec, (natlet_slice){at, len}) : 0;
    codec->all->stats.sent_messages++;
    codec->framed += len;
    if (n == 0) {
        return 0;
    }
    memcpy(at + len - n, codec->spare, n);
    return len - n;
}

/* ---- public ---- */

static uint32_t or_default(uint32_t value, uint32_t other)
{
    return value != 0 ? value : other;
}

static bool set_options(natlet_compress_options *options)
{
    natlet_compress_options *o = options;

    o->inflated_bytes_max =
        or_default(o->inflated_bytes_max, NATLET_COMPRESS_INFLATED_BYTES_DEFAULT);
    o->recv_bytes = or_default(o->recv_bytes, NATLET_COMPRESS_RECV_BYTES_DEFAULT);
    o->threshold_bytes = or_default(o->threshold_bytes, NATLET_COMPRESS_THRESHOLD_BYTES_DEFAULT);
    o->message_bytes_max = or_default(o->message_bytes_max, NATLET_COMPRESS_MESSAGE_BYTES_DEFAULT);
    o->window_bits = (uint8_t)or_default(o->window_bits, NATLET_COMPRESS_WINDOW_BITS_DEFAULT);
    o->memory_level = (uint8_t)or_default(o->memory_level, NATLET_COMPRESS_MEMORY_LEVEL_DEFAULT);
    o->level = (uint8_t)or_default(o->level, NATLET_COMPRESS_LEVEL_DEFAULT);
    return o->inflated_bytes_max <= NATLET_MESSAGE_BYTES_LIMIT && o->recv_bytes >= RECV_MIN &&
           o->recv_bytes <= RECV_MAX && o->message_bytes_max >= NATLET__FRAME_MIN &&
           o->message_bytes_max <= NATLET_FRAME_PAYLOAD_MAX && o->window_bits >= 9 &&
           o->window_bits <= 15 && o->memory_level <= 9 && o->level <= 9;
}

natlet_status natlet_client_compress(natlet_client *client, const natlet_compress_options *options)
{
    natlet_compress_options checked = {0};

    if (client->state != NATLET_CLIENT_IDLE || client->compress != NULL) {
        return NATLET_E_STATE;
    }
    if (options != NULL) {
        checked = *options;
    }
    if (!set_options(&checked)) {
        return NATLET_E_CONFIG;
    }
    client->compress = natlet__memory_take(&client->rt->memory, sizeof *client->compress);
    if (client->compress == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    client->compress->options = checked;
    return NATLET_OK;
}

/* Where in the stream the next operation begins. */
static uint64_t stream_end(const natlet__outbox *box)
{
    return box->codec->framed + (box->end - box->sealed);
}

/* What is written from here on stays as it is. */
static void open_run(natlet__codec *codec, uint64_t start)
{
    plain_run *last = codec->runs + codec->run_count - 1;

    if (codec->run_count == 0 || (last->end < start && codec->run_count < PLAIN_RUNS)) {
        last++;
        codec->run_count++;
        last->start = start;
    }
    last->end = UINT64_MAX;
}

/* It ends where nothing was written after all, too. */
static void close_run(natlet__codec *codec, uint64_t end)
{
    plain_run *last = codec->runs + codec->run_count - 1;

    last->end = end;
    codec->run_count -= last->start == end ? 1 : 0;
}

/* Where the ledger has a publish go. */
static natlet_status place_of(natlet_client *client, const natlet_msg *msg)
{
    return natlet__ledger_place(client, msg->subject.len + msg->reply.len + NATLET__PUB_EXTRA_MAX +
                                            msg->headers.len + msg->payload.len + 2);
}

natlet_status natlet_client_publish_plain(natlet_client *client, const natlet_msg *msg)
{
    const natlet__outbox *box = &client->outbox;
    natlet_status place = client->ledger != NULL ? place_of(client, msg) : NATLET_OK;

    if (place != NATLET_OK) {
        return place == NATLET_MORE ? NATLET_E_AGAIN : place;
    }
    if (box->codec == NULL || !box->codec->is_on) {
        return natlet_client_publish(client, msg);
    }
    open_run(box->codec, stream_end(box));
    natlet_status st = natlet_client_publish(client, msg);
    close_run(box->codec, stream_end(box));
    return st;
}

natlet_compress_stats natlet_client_compress_stats(const natlet_client *client)
{
    natlet_compress_stats stats = {0};

    if (client->compress != NULL) {
        stats = client->compress->stats;
        stats.is_on = client->link.state > NATLET__LINK_UPGRADING && client->link.is_framed &&
                      client->outbox.codec != NULL && client->outbox.codec->is_on;
    }
    return stats;
}
