#include "client/outbox.h"

#include <string.h>

#include "base/assert.h"
#include "ws/frame.h"

/* The head of a masked frame of 126 to 65 535 bytes (RFC 6455, 5.2). */
enum { HEAD_ROOM = 8 };

natlet_status natlet__outbox_init(natlet__outbox *box, uint32_t bytes, uint32_t bytes_max)
{
    box->ptr = natlet__memory_take(box->memory, bytes);
    if (box->ptr == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    box->cap = bytes;
    box->cap_min = bytes;
    box->cap_max = bytes_max;
    box->frame_max = SIZE_MAX;
    return NATLET_OK;
}

void natlet__outbox_free(natlet__outbox *box)
{
    natlet__memory_give_back(box->memory, box->ptr, box->cap);
}

/* Nothing waits: a buffer that grew gives back what it grew by. */
static void rest(natlet__outbox *box)
{
    box->start = box->sealed = box->end = 0;
    if (box->cap > box->cap_min) {
        uint8_t *ptr = natlet__memory_resize(box->memory, box->ptr, box->cap, box->cap_min);
        if (ptr != NULL) {
            box->ptr = ptr;
            box->cap = box->cap_min;
        }
    }
}

void natlet__outbox_clear(natlet__outbox *box)
{
    rest(box);
    box->head_room = 0;
    box->frame_max = SIZE_MAX;
}

void natlet__outbox_frame(natlet__outbox *box, size_t frame_max)
{
    NATLET_ASSERT(frame_max <= UINT16_MAX);
    natlet__outbox_seal(box);
    box->head_room = HEAD_ROOM;
    box->frame_max = frame_max > NATLET__FRAME_MIN ? frame_max : NATLET__FRAME_MIN;
}

/* ---- room ---- */

static void move_to_front(natlet__outbox *box)
{
    memmove(box->ptr, box->ptr + box->start, natlet__outbox_used(box));
    box->sealed -= box->start;
    box->end -= box->start;
    box->start = 0;
}

static bool resize(natlet__outbox *box, size_t cap)
{
    uint8_t *ptr = natlet__memory_resize(box->memory, box->ptr, box->cap, cap);

    if (ptr != NULL) {
        box->ptr = ptr;
        box->cap = cap;
    }
    return ptr != NULL;
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
    size_t used = natlet__outbox_used(box);

    if (need > box->cap_max) {
        return NATLET_E_TOO_LARGE;
    }
    if (!may_grow && (box->cap - used < need || used > box->start)) {
        return NATLET_E_FULL;
    }
    move_to_front(box);
    return box->cap - used >= need ? NATLET_OK : grow(box, used + need);
}

natlet_status natlet__outbox_begin(natlet__outbox *box, size_t bytes, bool may_grow)
{
    size_t need = bytes;

    if (box->head_room > 0) { /* the heads of all frames that it may take part in */
        need += HEAD_ROOM * (bytes / box->frame_max + 2);
    }
    if (box->cap - box->end < need) {
        natlet_status st = make_room(box, need, may_grow);
        if (st < 0) {
            return st;
        }
    }
    if (box->end == box->sealed) {
        box->end += box->head_room;
    }
    return NATLET_OK;
}

/* ---- frames ---- */

static void mask_frame(natlet__outbox *box)
{
    uint8_t *payload = box->ptr + box->sealed + HEAD_ROOM;
    size_t len = box->end - box->sealed - HEAD_ROOM;
    size_t gap = HEAD_ROOM - natlet__ws_head_bytes(len);
    uint8_t key[4];

    natlet__random_bytes(box->random, key, sizeof key);
    natlet__ws_mask(payload, len, key);
    if (gap > 0 && box->start == box->sealed) {
        box->start += gap; /* nothing before it: the head stands against the payload */
        box->sealed += gap;
    } else if (gap > 0) {
        memmove(payload - gap, payload, len); /* at most 125 bytes */
        box->end -= gap;
    }
    (void)natlet__ws_write_head(box->ptr + box->sealed, NATLET__WS_BINARY, len, key);
}

void natlet__outbox_seal(natlet__outbox *box)
{
    if (box->head_room > 0 && box->end > box->sealed) {
        mask_frame(box);
    }
    box->sealed = box->end;
}

static size_t frame_len(const natlet__outbox *box)
{
    return box->end - box->sealed - box->head_room;
}

/* The open frame is too long.  What is over becomes frames of its own: their
 * payloads move apart, the last one first, to make room for the heads. */
static void split_frame(natlet__outbox *box)
{
    size_t over = frame_len(box) - box->frame_max;
    size_t full = (over - 1) / box->frame_max; /* further frames before the last one */

    box->end -= over;
    for (size_t i = full + 1; i > 0; i--) {
        uint8_t *from = box->ptr + box->end + (i - 1) * box->frame_max;
        memmove(from + i * HEAD_ROOM, from,
                i > full ? over - full * box->frame_max : box->frame_max);
    }
    for (size_t i = 0; i < full; i++) {
        natlet__outbox_seal(box);
        box->end += HEAD_ROOM + box->frame_max;
    }
    natlet__outbox_seal(box);
    box->end += HEAD_ROOM + over - full * box->frame_max;
}

void natlet__outbox_wrote(natlet__outbox *box, size_t n)
{
    box->end += n;
    NATLET_ASSERT(box->end <= box->cap);
    if (frame_len(box) > box->frame_max) {
        split_frame(box);
    }
}

bool natlet__outbox_put_control(natlet__outbox *box, uint8_t opcode, natlet_slice payload)
{
    uint8_t key[4];

    natlet__outbox_seal(box);
    if (box->cap - box->end < NATLET__WS_CONTROL_FRAME_MAX &&
        make_room(box, NATLET__WS_CONTROL_FRAME_MAX, true) < 0) {
        return false;
    }
    natlet__random_bytes(box->random, key, sizeof key);
    box->end += natlet__ws_write_control(box->ptr + box->end, opcode, payload, key);
    box->sealed = box->end;
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
