#include "client/outbox.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "client/compress.h"
#include "client/optional.h"
#include "crypto/secret.h"
#include "ws/frame.h"

NATLET__OPTIONAL(natlet__codec_next)
NATLET__OPTIONAL(natlet__codec_pack)

natlet_status natlet__outbox_init(natlet__outbox *box, uint32_t bytes, uint32_t bytes_max)
{
    box->cap = box->cap_min = NATLET__OUTBOX_FRONT + bytes;
    box->cap_max = NATLET__OUTBOX_FRONT + (size_t)bytes_max;
    box->ptr = natlet__memory_take(box->memory, box->cap);
    box->start = box->sealed = box->end = NATLET__OUTBOX_FRONT;
    return box->ptr != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
}

void natlet__outbox_free(natlet__outbox *box)
{
    natlet__memory_give_back(box->memory, box->ptr, box->cap);
}

/* ---- room ---- */

static bool resize(natlet__outbox *box, size_t cap)
{
    uint8_t *ptr = natlet__memory_resize(box->memory, box->ptr, box->cap, cap);

    if (ptr != NULL) {
        box->ptr = ptr;
        box->cap = cap;
    }
    return ptr != NULL;
}

/* Bytes that are free before what waits; a control frame may stand in the front. */
static size_t gap_before(const natlet__outbox *box)
{
    return box->start > NATLET__OUTBOX_FRONT ? box->start - NATLET__OUTBOX_FRONT : 0;
}

static void move_to_front(natlet__outbox *box, size_t gap)
{
    uint8_t *start = box->ptr + box->start;

    memmove(start - gap, start, natlet__outbox_used(box));
    box->start -= gap;
    box->sealed -= gap;
    box->end -= gap;
}

/* Nothing waits: a buffer that grew gives back what it grew by. */
static void rest(natlet__outbox *box)
{
    box->start = box->sealed = box->end = NATLET__OUTBOX_FRONT;
    if (!box->is_open && box->ptr != NULL) {
        natlet__wipe(box->ptr, box->cap);
    }
    if (box->cap > box->cap_min) {
        (void)resize(box, box->cap_min);
    }
}

void natlet__outbox_clear(natlet__outbox *box)
{
    rest(box);
    box->is_open = false;
    box->frame_max = 0;
}

/* To twice the size, or as far as allowed; if that is not to be had, exactly. */
static natlet_status grow(natlet__outbox *box, size_t want)
{
    size_t cap = box->cap <= box->cap_max / 2 ? box->cap * 2 : box->cap_max;

    if (want > box->cap_max) {
        return NATLET_E_FULL;
    }
    if ((cap > want && resize(box, cap)) || resize(box, want)) {
        return NATLET_OK;
    }
    return natlet__outbox_used(box) > 0 ? NATLET_E_FULL : NATLET_E_NO_MEMORY;
}

/* Moving what waits costs less than what it frees, or is not done. */
static natlet_status make_room(natlet__outbox *box, size_t need, bool may_grow)
{
    size_t gap = gap_before(box);

    if (need > box->cap_max - NATLET__OUTBOX_FRONT) {
        return NATLET_E_TOO_LARGE;
    }
    if (!may_grow && (box->cap - box->end + gap < need || natlet__outbox_used(box) > gap)) {
        return NATLET_E_FULL;
    }
    move_to_front(box, gap);
    return box->cap - box->end >= need ? NATLET_OK : grow(box, box->end + need);
}

natlet_status natlet__outbox_begin(natlet__outbox *box, size_t bytes, bool may_grow)
{
    return box->cap - box->end >= bytes ? NATLET_OK : make_room(box, bytes, may_grow);
}

void natlet__outbox_wrote(natlet__outbox *box, size_t n)
{
    box->end += n;
    NATLET_ASSERT(box->end <= box->cap);
}

/* ---- frames ---- */

void natlet__outbox_frame(natlet__outbox *box, size_t frame_max)
{
    NATLET_ASSERT(frame_max <= UINT16_MAX);
    if (box->frame_max == 0) {
        box->sealed = box->end; /* the upgrade request; later what waits is for frames */
    }
    box->frame_max = frame_max > NATLET__FRAME_MIN ? frame_max : NATLET__FRAME_MIN;
}

/* Makes a frame of `len` bytes at `at`.  All before them was sent: the head goes there. */
static void seal(natlet__outbox *box, uint8_t opcode, size_t at, size_t len)
{
    uint8_t key[4];

    natlet__random_bytes(box->random, key, sizeof key);
    natlet__ws_mask(box->ptr + at, len, key);
    box->start = at - natlet__ws_head_bytes(len);
    (void)natlet__ws_write_head(box->ptr + box->start, opcode, len, key);
}

natlet_slice natlet__outbox_ready(natlet__outbox *box)
{
    size_t len = box->end - box->sealed;

    if (box->frame_max == 0) {
        box->sealed = box->end;
    } else if (box->start == box->sealed && len > 0) {
        len = len < box->frame_max ? len : box->frame_max;
        size_t shorter = 0;
        if (natlet__codec_pack != NULL && box->codec != NULL) {
            len = natlet__codec_next(box, len);
            shorter = natlet__codec_pack(box, len);
        }
        seal(box, shorter > 0 ? NATLET__WS_BINARY | NATLET__WS_COMPRESSED : NATLET__WS_BINARY,
             box->sealed + shorter, len - shorter);
        box->sealed += len;
    }
    return (natlet_slice){box->ptr + box->start, box->sealed - box->start};
}

bool natlet__outbox_put_control(natlet__outbox *box, uint8_t opcode, natlet_slice payload)
{
    size_t at = box->sealed - payload.len;

    if (box->start < box->sealed) {
        return false;
    }
    (void)natlet__put(box->ptr + at, payload);
    seal(box, opcode, at, payload.len);
    return true;
}

void natlet__outbox_taken(natlet__outbox *box, size_t n)
{
    NATLET_ASSERT(n <= box->sealed - box->start);
    box->start += n;
    if (box->start == box->end) {
        rest(box);
    }
}
