#include "client/window.h"

#include <string.h>

#include "base/assert.h"

natlet_status natlet__window_init(natlet__window *w, uint32_t bytes)
{
    w->ptr = natlet__memory_take(w->memory, bytes);
    w->cap = w->ptr != NULL ? bytes : 0;
    return w->ptr != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
}

void natlet__window_reset(natlet__window *w)
{
    w->start = w->end = w->raw = w->raw_end = 0;
    w->ws = NULL;
    w->block_is_used = w->block != NULL;
    w->segment = w->segment_end = w->unmoved = NULL;
}

void natlet__window_free(natlet__window *w)
{
    natlet__memory_give_back(w->memory, w->block, w->block_cap);
    natlet__memory_give_back(w->memory, w->ptr, w->cap);
}

void natlet__window_frame(natlet__window *w, natlet__ws *ws)
{
    w->ws = ws;
    w->raw = w->start;
    w->raw_end = w->end;
    w->end = w->start;
}

static bool is_filling_block(const natlet__window *w)
{
    return w->block != NULL && !w->block_is_used;
}

natlet_slice natlet__window_bytes(const natlet__window *w)
{
    if (is_filling_block(w)) {
        return (natlet_slice){w->block, w->block_len == w->block_cap ? w->block_len : 0};
    }
    return (natlet_slice){w->ptr + w->start, w->end - w->start};
}

void natlet__window_parsed(natlet__window *w, size_t left)
{
    if (is_filling_block(w)) {
        NATLET_ASSERT(left == 0);
        w->block_is_used = true;
        return;
    }
    NATLET_ASSERT(left <= w->end - w->start);
    w->start = w->end - left;
}

static void move(natlet__window *w, uint8_t *to, const uint8_t *from, size_t len)
{
    memmove(to, from, len);
    w->copied_bytes += len;
}

natlet_status natlet__window_fit(natlet__window *w, size_t need)
{
    size_t len = w->end - w->start;

    if (need <= w->cap || is_filling_block(w)) {
        return NATLET_OK;
    }
    if (w->block != NULL) {
        return NATLET_E_AGAIN;
    }
    NATLET_ASSERT(len < need);
    w->block = natlet__memory_resize(w->memory, NULL, 0, need);
    if (w->block == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    w->block_cap = need;
    w->block_len = len;
    w->block_is_used = false;
    w->block_max = need > w->block_max ? need : w->block_max;
    move(w, w->block, w->ptr + w->start, len);
    w->start = w->end;
    return NATLET_OK;
}

void natlet__window_release(natlet__window *w)
{
    if (w->block_is_used) {
        natlet__memory_give_back(w->memory, w->block, w->block_cap);
        w->block = NULL;
        w->block_cap = w->block_len = 0;
        w->block_is_used = false;
    }
}

/* ---- frames ---- */

bool natlet__window_has_raw(const natlet__window *w)
{
    return w->raw < w->raw_end && !(is_filling_block(w) && w->block_len == w->block_cap);
}

/* Makes the unfinished bytes and the piece behind them one run.  The smaller of
 * the two moves, so what is moved over a message's life stays below its length,
 * however its frames are cut. */
static void join(natlet__window *w, natlet_slice piece)
{
    size_t at = (size_t)(piece.ptr - w->ptr);
    size_t len = w->end - w->start;

    if (w->end == at || len == 0) {
        w->start = len == 0 ? at : w->start;
        w->end = at + piece.len;
    } else if (len <= piece.len) {
        move(w, w->ptr + at - len, w->ptr + w->start, len);
        w->start = at - len;
        w->end = at + piece.len;
        w->unmoved = piece.ptr;
    } else {
        move(w, w->ptr + w->end, piece.ptr, piece.len);
        w->end += piece.len;
        w->unmoved = piece.ptr + piece.len;
    }
}

natlet_status natlet__window_unframe(natlet__window *w, natlet__ws_event *ev)
{
    natlet_slice in = {w->ptr + w->raw, w->raw_end - w->raw};

    if (is_filling_block(w) && in.len > w->block_cap - w->block_len) {
        in.len = w->block_cap - w->block_len; /* no piece can be longer than the room */
    }
    natlet_status st = natlet__ws_next(w->ws, &in, ev);
    w->raw = (size_t)(in.ptr - w->ptr);
    if (st != NATLET_EVENT || ev->kind != NATLET__WS_EV_DATA) {
        return st;
    }
    if (is_filling_block(w)) {
        move(w, w->block + w->block_len, ev->bytes.ptr, ev->bytes.len);
        w->block_len += ev->bytes.len;
    } else {
        join(w, ev->bytes);
    }
    return st;
}

/* ---- room ---- */

/* Once all frames are read, only the unfinished bytes count. */
static void drop_done(natlet__window *w)
{
    NATLET_ASSERT(w->ws == NULL || w->raw == w->raw_end);
    if (w->start == w->end) {
        w->start = w->end = 0;
    } else if (w->start > 0 && w->cap - w->end < w->cap / 2) {
        move(w, w->ptr, w->ptr + w->start, w->end - w->start);
        w->end -= w->start;
        w->start = 0;
    }
    w->raw = w->raw_end = w->end;
}

static bool grow(natlet__window *w, size_t cap)
{
    uint8_t *ptr = cap > w->cap ? natlet__memory_resize(w->memory, w->ptr, w->cap, cap) : NULL;

    if (ptr == NULL) {
        return false;
    }
    w->ptr = ptr;
    w->cap = cap;
    return true;
}

/* Payload that goes straight into the block. */
static bool is_direct(const natlet__window *w)
{
    return is_filling_block(w) && (w->ws == NULL || natlet__ws_payload_left(w->ws) > 0);
}

uint8_t *natlet__window_room(natlet__window *w, size_t line_max, uint32_t *cap)
{
    drop_done(w);
    if (is_direct(w)) {
        uint64_t room = w->block_cap - w->block_len;
        if (w->ws != NULL && natlet__ws_payload_left(w->ws) < room) {
            room = natlet__ws_payload_left(w->ws);
        }
        *cap = (uint32_t)room;
        return w->block + w->block_len;
    }
    if (w->end == w->cap && !grow(w, line_max)) {
        return NULL;
    }
    *cap = (uint32_t)(w->cap - w->end);
    return w->ptr + w->end;
}

void natlet__window_received(natlet__window *w, uint32_t n, uint32_t segment)
{
    bool to_block = is_direct(w);

    w->segment_number = segment;
    w->segment = to_block ? w->block + w->block_len : w->ptr + w->end;
    w->segment_end = w->segment + n;
    w->unmoved = w->segment;
    if (to_block) {
        w->block_len += n;
        if (w->ws != NULL) {
            natlet__ws_skip(w->ws, n);
        }
    } else if (w->ws != NULL) {
        w->raw_end += n;
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
