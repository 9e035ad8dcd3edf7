#include "client/outbox.h"

#include "base/assert.h"
#include "ws/frame.h"

/* The head of a masked frame of at most 65 535 bytes (RFC 6455, 5.2). */
enum { HEAD_ROOM = 8 };

natlet_status natlet__outbox_init(natlet__outbox *box, natlet__memory *memory,
                                  natlet__random *random, uint32_t bytes, uint32_t bytes_max)
{
    *box = (natlet__outbox){.memory = memory,
                            .random = random,
                            .cap_min = bytes,
                            .cap_max = bytes_max,
                            .frame_max = SIZE_MAX};
    box->ptr = natlet__memory_take(memory, bytes);
    box->cap = box->ptr != NULL ? bytes : 0;
    return box->ptr != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
}

void natlet__outbox_free(natlet__outbox *box)
{
    natlet__memory_give_back(box->memory, box->ptr, box->cap);
    box->ptr = NULL;
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
    natlet__outbox_frame(box, 0);
}

void natlet__outbox_frame(natlet__outbox *box, size_t frame_max)
{
    NATLET_ASSERT(frame_max <= UINT16_MAX);
    natlet__outbox_seal(box);
    box->head_room = frame_max > 0 ? HEAD_ROOM : 0;
    box->frame_max = frame_max > 0 ? frame_max : SIZE_MAX;
}

/* ---- room ---- */

/* Operation, heads of all frames that it may take part in, and one control
 * frame's worth of slack for the gap that a short frame leaves. */
static size_t bytes_with_heads(const natlet__outbox *box, size_t bytes)
{
    return bytes + box->head_room * (bytes / box->frame_max + 3);
}

static void move_to_front(natlet__outbox *box)
{
    memmove(box->ptr, box->ptr + box->start, natlet__outbox_used(box));
    box->sealed -= box->start;
    box->end -= box->start;
    box->start = 0;
}

static natlet_status grow(natlet__outbox *box, size_t want)
{
    size_t cap = box->cap <= box->cap_max / 2 ? box->cap * 2 : box->cap_max;

    if (want > box->cap_max) {
        return NATLET_E_FULL;
    }
    cap = cap > want ? cap : want;
    uint8_t *ptr = natlet__memory_resize(box->memory, box->ptr, box->cap, cap);
    if (ptr == NULL && cap > want) { /* the comfortable size is not to be had */
        cap = want;
        ptr = natlet__memory_resize(box->memory, box->ptr, box->cap, cap);
    }
    if (ptr == NULL) {
        return natlet__outbox_used(box) > 0 ? NATLET_E_FULL : NATLET_E_NO_MEMORY;
    }
    box->ptr = ptr;
    box->cap = cap;
    return NATLET_OK;
}

/* Moving what waits costs less than what it frees, or is not done. */
static natlet_status make_room(natlet__outbox *box, size_t need, bool may_grow)
{
    size_t used = natlet__outbox_used(box);

    if (need > box->cap_max || need > SIZE_MAX - used) {
        return NATLET_E_TOO_LARGE;
    }
    if (box->cap - used >= need && used <= box->start) {
        move_to_front(box);
        return NATLET_OK;
    }
    if (!may_grow) {
        return NATLET_E_FULL;
    }
    move_to_front(box);
    return box->cap - used >= need ? NATLET_OK : grow(box, used + need);
}

natlet_status natlet__outbox_begin(natlet__outbox *box, size_t bytes, bool may_grow)
{
    size_t need = box->head_room == 0 ? bytes : bytes_with_heads(box, bytes);

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

/* The open frame is too long: its tail goes into the next one. */
static void split_frame(natlet__outbox *box)
{
    size_t over = frame_len(box) - box->frame_max;

    box->end -= over;
    const uint8_t *tail = box->ptr + box->end;
    memmove(box->ptr + box->end + HEAD_ROOM, tail, over);
    tail += HEAD_ROOM;
    natlet__outbox_seal(box);
    memmove(box->ptr + box->sealed + HEAD_ROOM, tail, over);
    box->end = box->sealed + HEAD_ROOM + over;
}

void natlet__outbox_wrote(natlet__outbox *box, size_t n)
{
    box->end += n;
    NATLET_ASSERT(box->end <= box->cap);
    while (frame_len(box) > box->frame_max) {
        split_frame(box);
    }
}

void natlet__outbox_put(natlet__outbox *box, natlet_slice part)
{
    while (part.len > 0) {
        if (box->end == box->sealed) {
            box->end += box->head_room;
        }
        size_t room = box->frame_max - frame_len(box);
        size_t n = part.len < room ? part.len : room;
        NATLET_ASSERT(n <= box->cap - box->end);
        memcpy(box->ptr + box->end, part.ptr, n);
        box->end += n;
        part.ptr += n;
        part.len -= n;
        if (n == room) {
            natlet__outbox_seal(box);
        }
    }
}

bool natlet__outbox_put_frame(natlet__outbox *box, natlet_slice frame)
{
    natlet__outbox_seal(box);
    if (box->cap - box->end < frame.len && make_room(box, frame.len, true) < 0) {
        return false;
    }
    memcpy(box->ptr + box->end, frame.ptr, frame.len);
    box->end += frame.len;
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
