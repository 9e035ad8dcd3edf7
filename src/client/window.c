#include "client/window.h"

#include <string.h>

#include "base/assert.h"
#include "base/compiler.h"

natlet_status natlet__window_init(natlet__window *w, uint32_t bytes)
{
    w->ptr = w->home = natlet__memory_take(w->memory, bytes);
    w->cap = w->home_cap = w->ptr != NULL ? bytes : 0;
    return w->ptr != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
}

void natlet__window_reset(natlet__window *w)
{
    w->start = w->end = 0;
    w->raw = w->raw_end = NULL;
    w->ws = NULL;
    w->segment = w->segment_end = w->unmoved = NULL;
}

void natlet__window_leave(natlet__window *w)
{
    if (w->ptr != w->home) {
        natlet__memory_give_back(w->memory, w->ptr, w->cap);
        w->ptr = w->home;
        w->cap = w->home_cap;
        w->start = w->end = 0;
    }
}

void natlet__window_free(natlet__window *w)
{
    natlet__window_leave(w);
    natlet__memory_give_back(w->memory, w->home, w->home_cap);
}

void natlet__window_frame(natlet__window *w, natlet__ws *ws)
{
    w->ws = ws;
    w->raw = w->ptr + w->start;
    w->raw_end = w->ptr + w->end;
    w->end = w->start;
}

NATLET__NOINLINE static void move(natlet__window *w, uint8_t *to, const uint8_t *from, size_t len)
{
    memmove(to, from, len);
    w->copied_bytes += len;
}

/* What was not parsed moves to the front of `ptr`, which is the memory from now on. */
static void move_to(natlet__window *w, uint8_t *ptr)
{
    size_t len = w->end - w->start;

    move(w, ptr, w->ptr + w->start, len);
    w->ptr = ptr;
    w->start = 0;
    w->end = len;
}

natlet_status natlet__window_fit(natlet__window *w, size_t need)
{
    if (need <= w->cap) {
        return NATLET_OK;
    }
    NATLET_ASSERT(w->ptr == w->home && w->end - w->start < need);
    uint8_t *block = natlet__memory_resize(w->memory, NULL, 0, need);
    if (block == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    move_to(w, block);
    w->cap = need;
    w->block_max = need > w->block_max ? need : w->block_max;
    return NATLET_OK;
}

/* ---- frames ---- */

/* Makes the unfinished bytes and the piece behind them one run.  Outside of a block
 * the smaller of the two moves, so what is moved over a message's life stays below
 * its length, however its frames are cut. */
static void join(natlet__window *w, natlet_slice piece)
{
    uint8_t *end = w->ptr + w->end;
    size_t len = w->end - w->start;

    if (piece.ptr != end && w->ptr == w->home && len <= piece.len) {
        size_t gap = (size_t)(piece.ptr - end);
        move(w, w->ptr + w->start + gap, w->ptr + w->start, len);
        w->start += gap;
        w->end += gap;
        w->unmoved = piece.ptr;
    } else if (piece.ptr != end) {
        move(w, end, piece.ptr, piece.len);
        w->unmoved = piece.ptr + piece.len;
    }
    w->end += piece.len;
}

natlet_status natlet__window_unframe(natlet__window *w, natlet__ws_event *ev)
{
    natlet_slice in = {w->raw, (size_t)(w->raw_end - w->raw)};

    if (in.len > w->cap - w->end && w->ptr != w->home) {
        in.len = w->cap - w->end; /* no piece can be longer than the room */
    }
    natlet_status st = natlet__ws_next(w->ws, &in, ev);
    w->raw = in.ptr;
    if (st == NATLET_EVENT && ev->kind == NATLET__WS_EV_DATA) {
        join(w, ev->bytes);
    }
    return st;
}

/* ---- room ---- */

static bool grow(natlet__window *w, size_t cap)
{
    uint8_t *ptr = cap > w->cap ? natlet__memory_resize(w->memory, w->ptr, w->cap, cap) : NULL;

    if (ptr == NULL) {
        return false;
    }
    w->ptr = w->home = ptr;
    w->cap = w->home_cap = cap;
    return true;
}

/* How much the next recv may bring.  Into a block that is filled from frames, no more
 * than the present one, or a window: what comes behind a head has to be moved. */
static size_t room_max(const natlet__window *w)
{
    size_t room = w->cap - w->end;
    uint64_t max = room;

    if (w->ptr != w->home && w->ws != NULL) {
        max = w->ws->payload_left > 0 ? w->ws->payload_left : w->home_cap;
    }
    return room < max ? room : (size_t)max;
}

uint8_t *natlet__window_room(natlet__window *w, size_t line_max, uint32_t *cap)
{
    NATLET_ASSERT(w->raw == w->raw_end);
    if (w->start == w->end || (w->start > 0 && w->cap - w->end < w->cap / 2)) {
        move_to(w, w->ptr);
    }
    if (w->end == w->cap && !grow(w, line_max)) {
        return NULL;
    }
    *cap = (uint32_t)room_max(w);
    return w->ptr + w->end;
}

void natlet__window_received(natlet__window *w, uint32_t n, uint32_t segment)
{
    w->segment_number = segment;
    w->segment = w->unmoved = w->ptr + w->end;
    w->segment_end = w->segment + n;
    if (w->ws != NULL) {
        w->raw = w->segment;
        w->raw_end = w->segment_end;
    } else {
        w->end += n;
    }
}

bool natlet__window_offset(const natlet__window *w, const uint8_t *at, size_t len, uint32_t *offset)
{
    uintptr_t from = (uintptr_t)at;

    if (from < (uintptr_t)w->unmoved || from + len > (uintptr_t)w->segment_end) {
        return false;
    }
    *offset = (uint32_t)(from - (uintptr_t)w->segment);
    return true;
}
