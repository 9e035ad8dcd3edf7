/* State            known by            reads                leaves when
 * --------------   -----------------   ------------------   --------------------------
 * head             payload_left == 0   2, 4 or 10 bytes     complete and within limits
 * control frame    the same, bit 3     2 + payload bytes    complete -> event
 * data payload     payload_left > 0    bytes, as they lie   payload_left == 0
 * closed           closed              everything, unseen   never
 *
 * A frame without payload goes from head to head.  A control frame is read as one long
 * head, for its length has one byte. */
#include "ws/frame.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/optional.h"
#include "base/utf8.h"
#include "ws/deflate.h"

NATLET__OPTIONAL(natlet__inflater_read)

enum {
    FINAL = 0x80, /* first byte of a head (RFC 6455, 5.2) */
    RESERVED = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80, /* second byte */
    LEN_7 = 0x7f,
    LEN_IS_16 = 126,
    LEN_IS_64 = 127,
    KNOWN_OPCODES = 1 << NATLET__WS_CONTINUE | 1 << NATLET__WS_TEXT | 1 << NATLET__WS_BINARY |
                    1 << NATLET__WS_CLOSE | 1 << NATLET__WS_PING | 1 << NATLET__WS_PONG,
};

enum { /* RFC 6455, 7.4.1 */
       PROTOCOL_ERROR = 1002,
       UNSUPPORTED_DATA = 1003,
       NO_STATUS = 1005,
       INVALID_DATA = 1007,
       POLICY_VIOLATION = 1008,
       TOO_BIG = 1009,
};

void natlet__ws_init(natlet__ws *ws, uint64_t message_max)
{
    *ws = (natlet__ws){.message_max = message_max};
}

static natlet_status fail(natlet__ws *ws, natlet_status st, uint16_t close_code)
{
    ws->failed = st;
    ws->close_code = close_code;
    return st;
}

static natlet_status refuse(natlet__ws *ws)
{
    return fail(ws, NATLET_E_FRAME, PROTOCOL_ERROR);
}

/* A control frame carries bit 3 in its opcode (RFC 6455, 5.5). */
static bool is_control(const natlet__ws *ws)
{
    return (ws->head[0] & 8) != 0;
}

static bool is_final(const natlet__ws *ws)
{
    return (ws->head[0] & FINAL) != 0;
}

/* Fills the head up to `want` bytes; true when they are there. */
static bool collect(natlet__ws *ws, size_t want, natlet_slice *in)
{
    size_t missing = want - ws->head_len;
    size_t n = in->len < missing ? in->len : missing;

    memcpy(ws->head + ws->head_len, in->ptr, n);
    natlet__skip(in, n);
    ws->head_len = (uint8_t)(ws->head_len + n);
    return n == missing;
}

static bool has_deflate(const natlet__ws *ws)
{
    return natlet__inflater_read != NULL && ws->has_deflate;
}

/* RSV1 may stand in the first frame of a message (RFC 7692, 6). */
static uint8_t reserved_bits(const natlet__ws *ws, uint8_t opcode)
{
    bool is_first = opcode == NATLET__WS_BINARY || opcode == NATLET__WS_TEXT;

    return has_deflate(ws) && is_first ? RESERVED & ~NATLET__WS_COMPRESSED : RESERVED;
}

/* Judges all that the first two bytes say, so that a bad frame is refused
 * before its length was waited for. */
static natlet_status check_start(natlet__ws *ws)
{
    uint8_t opcode = ws->head[0] & OPCODE;

    if ((ws->head[0] & reserved_bits(ws, opcode)) != 0 || (ws->head[1] & MASKED) != 0 ||
        (KNOWN_OPCODES >> opcode & 1) == 0) {
        return refuse(ws);
    }
    bool is_in_order = is_control(ws) ? is_final(ws) && ws->head[1] <= NATLET__WS_CONTROL_MAX
                                      : ws->in_message == (opcode == NATLET__WS_CONTINUE);
    if (!is_in_order) {
        return refuse(ws);
    }
    /* Text is never needed here, so never checked for UTF-8. */
    return opcode == NATLET__WS_TEXT ? fail(ws, NATLET_E_FRAME, UNSUPPORTED_DATA) : NATLET_OK;
}

static size_t head_bytes(const natlet__ws *ws)
{
    uint8_t len_7 = ws->head[1] & LEN_7;

    if (is_control(ws)) {
        return 2u + len_7;
    }
    return len_7 == LEN_IS_64 ? 10 : len_7 == LEN_IS_16 ? 4 : 2;
}

/* The length must take the fewest bytes possible, and less than 2^63: as in a head of
 * ours, but for the key. */
static bool read_length(const natlet__ws *ws, uint64_t *len)
{
    size_t end = head_bytes(ws);

    *len = end == 2 ? ws->head[1] : 0;
    for (size_t i = 2; i < end; i++) {
        *len = *len << 8 | ws->head[i];
    }
    return natlet__ws_head_bytes(*len) == end + 4 && *len <= INT64_MAX;
}

static natlet_status start_data(natlet__ws *ws, uint64_t len)
{
    if ((ws->head[0] & OPCODE) == NATLET__WS_BINARY) {
        ws->message_bytes = 0;
        ws->empty_frames = 0;
        if (has_deflate(ws)) {
            ws->is_compressed = (ws->head[0] & NATLET__WS_COMPRESSED) != 0;
        }
    }
    if (len > ws->message_max - ws->message_bytes) {
        return fail(ws, NATLET_E_TOO_LARGE, TOO_BIG);
    }
    ws->message_bytes += len;
    ws->payload_left = len;
    ws->in_message = !is_final(ws);
    if (len == 0 && ws->in_message && ++ws->empty_frames > NATLET__WS_EMPTY_FRAMES_MAX) {
        return fail(ws, NATLET_E_FRAME, POLICY_VIOLATION);
    }
    return NATLET_OK;
}

/* RFC 6455, 5.5.1: nothing, or a code and perhaps a reason in UTF-8. */
static natlet_status end_close(natlet__ws *ws, natlet__ws_event *ev)
{
    ev->kind = NATLET__WS_EV_CLOSE;
    ev->code = NO_STATUS;
    if (ev->bytes.len > 0) {
        ev->code = (uint16_t)(ev->bytes.ptr[0] << 8 | ev->bytes.ptr[1]);
        if (ev->bytes.len < 2 || !natlet__ws_close_code_valid(ev->code)) {
            return refuse(ws);
        }
        natlet__skip(&ev->bytes, 2);
        if (!natlet__utf8_valid(ev->bytes)) {
            return fail(ws, NATLET_E_FRAME, INVALID_DATA);
        }
    }
    ws->closed = true;
    return NATLET_EVENT;
}

static natlet_status end_control(natlet__ws *ws, natlet__ws_event *ev)
{
    uint8_t opcode = ws->head[0] & OPCODE;

    ev->kind = opcode == NATLET__WS_PING ? NATLET__WS_EV_PING : NATLET__WS_EV_PONG;
    ev->bytes = (natlet_slice){ws->head + 2, ws->head[1]};
    return opcode == NATLET__WS_CLOSE ? end_close(ws, ev) : NATLET_EVENT;
}

static natlet_status read_head(natlet__ws *ws, natlet_slice *in, natlet__ws_event *ev)
{
    uint64_t len;

    if (ws->head_len < 2) {
        if (!collect(ws, 2, in)) {
            return NATLET_OK;
        }
        natlet_status st = check_start(ws);
        if (st < 0) {
            return st;
        }
    }
    if (!collect(ws, head_bytes(ws), in)) {
        return NATLET_OK;
    }
    ws->head_len = 0;
    if (is_control(ws)) {
        return end_control(ws, ev);
    }
    natlet_status st = read_length(ws, &len) ? start_data(ws, len) : refuse(ws);
    if (st == NATLET_OK && has_deflate(ws) && len == 0 && !ws->in_message) {
        *ev = (natlet__ws_event){.kind = NATLET__WS_EV_DATA};
        return NATLET_EVENT; /* what is compressed has to be brought to its end */
    }
    return st;
}

static natlet_status read_payload(natlet__ws *ws, natlet_slice *in, natlet__ws_event *ev)
{
    size_t len = in->len < ws->payload_left ? in->len : (size_t)ws->payload_left;

    ws->payload_left -= len;
    ev->kind = NATLET__WS_EV_DATA;
    ev->bytes = (natlet_slice){in->ptr, len};
    natlet__skip(in, len);
    return NATLET_EVENT;
}

natlet_status natlet__ws_next(natlet__ws *ws, natlet_slice *in, natlet__ws_event *ev)
{
    natlet_status st = ws->failed;

    while (st == NATLET_OK && in->len > 0) {
        if (ws->closed) {
            natlet__skip(in, in->len);
        } else if (ws->payload_left > 0) {
            st = read_payload(ws, in, ev);
        } else {
            st = read_head(ws, in, ev);
        }
    }
    return st == NATLET_OK ? NATLET_MORE : st;
}

size_t natlet__ws_head_bytes(uint64_t len)
{
    return len < LEN_IS_16 ? 6 : len <= UINT16_MAX ? 8 : 14;
}

size_t natlet__ws_write_head(uint8_t out[NATLET__WS_HEAD_MAX], uint8_t opcode, uint64_t len,
                             const uint8_t key[4])
{
    size_t key_at = natlet__ws_head_bytes(len) - 4;
    uint8_t len_7 = key_at == 10 ? LEN_IS_64 : key_at == 4 ? LEN_IS_16 : (uint8_t)len;

    NATLET_ASSERT(len <= INT64_MAX);
    out[0] = FINAL | opcode;
    out[1] = MASKED | len_7;
    for (size_t i = key_at; i > 2; i--) {
        out[i - 1] = (uint8_t)len;
        len >>= 8;
    }
    memcpy(out + key_at, key, 4);
    return key_at + 4;
}

size_t natlet__ws_write_control(uint8_t out[NATLET__WS_CONTROL_FRAME_MAX], uint8_t opcode,
                                natlet_slice payload, const uint8_t key[4])
{
    NATLET_ASSERT(payload.len <= NATLET__WS_CONTROL_MAX);
    size_t head = natlet__ws_write_head(out, opcode, payload.len, key);

    if (payload.len > 0) {
        memcpy(out + head, payload.ptr, payload.len);
        natlet__ws_mask(out + head, payload.len, key);
    }
    return head + payload.len;
}

size_t natlet__ws_write_close(uint8_t out[NATLET__WS_CONTROL_FRAME_MAX], uint16_t code,
                              natlet_slice reason, const uint8_t key[4])
{
    uint8_t payload[NATLET__WS_CONTROL_MAX];
    size_t reason_len = natlet__utf8_cut(reason, sizeof payload - 2);

    if (code == NO_STATUS) {
        return natlet__ws_write_control(out, NATLET__WS_CLOSE, (natlet_slice){0}, key);
    }
    NATLET_ASSERT(natlet__ws_close_code_valid(code));
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    if (reason_len > 0) {
        memcpy(payload + 2, reason.ptr, reason_len);
    }
    return natlet__ws_write_control(out, NATLET__WS_CLOSE, (natlet_slice){payload, 2 + reason_len},
                                    key);
}

/* Words go through memcpy, so that any alignment will do; compilers turn the
 * loop into vector code. */
void natlet__ws_mask(uint8_t *bytes, size_t len, const uint8_t key[4])
{
    uint64_t mask;
    size_t i = 0;

    memcpy(&mask, key, 4);
    memcpy((uint8_t *)&mask + 4, key, 4);
    for (; len - i >= sizeof mask; i += sizeof mask) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        word ^= mask;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < len; i++) {
        bytes[i] ^= key[i % 4];
    }
}

/* 1012 to 1014 are registered with IANA after the RFC.  1004, 1005, 1006 and 1015
 * must not be sent. */
bool natlet__ws_close_code_valid(uint32_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
