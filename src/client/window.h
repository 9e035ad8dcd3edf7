/* The receive window: where bytes of the host lie until they were parsed.
 *
 *     plain    | done | start ... end: protocol bytes | room |
 *     framed   | done | start ... end | heads | raw ... raw_end: frames | room |
 *
 * Internal.  Messages are parsed where recv put them.  Bytes move in two cases
 * only: what one read left unfinished goes to the front when the room behind it
 * gets short, and pieces of a message that frame heads separate are joined.  A
 * message larger than the window gets a block of just its size, which takes the
 * window's place until the message was handled.
 *
 * A slice of the window stays as it is until the next natlet__window_room; one
 * of the block until natlet__window_leave. */
#ifndef NATLET_CLIENT_WINDOW_H
#define NATLET_CLIENT_WINDOW_H

#include <stdbool.h>

#include "base/assert.h"
#include "base/memory.h"
#include "natlet/slice.h"
#include "ws/frame.h"

typedef struct natlet__window {
    natlet__memory *memory;
    uint8_t *ptr; /* home, or a block for one message beyond it */
    size_t cap;
    size_t start, end;            /* protocol bytes that were not parsed yet */
    const uint8_t *raw, *raw_end; /* bytes that were not unframed yet; behind `end`, or at home */
    uint8_t *home;
    size_t home_cap;
    natlet__ws *ws; /* NULL: what is received is the protocol */
    /* Where the last recv wrote, and from where on its bytes lie unmoved. */
    const uint8_t *segment, *segment_end, *unmoved;
    uint32_t segment_number;
    uint64_t copied_bytes; /* moved again after recv wrote them */
    size_t block_max;      /* largest block ever taken */
} natlet__window;

/* Takes `bytes` for the window; its owner has set memory.  Returns OK or
 * E_NO_MEMORY. */
natlet_status natlet__window_init(natlet__window *w, uint32_t bytes);

/* Forgets all bytes: the connection is gone.  A block stays, a callback may still
 * read it. */
void natlet__window_reset(natlet__window *w);
void natlet__window_free(natlet__window *w);

/* From here on what is received are frames, what is unparsed already too. */
void natlet__window_frame(natlet__window *w, natlet__ws *ws);

/* The protocol bytes at hand. */
static inline natlet_slice natlet__window_bytes(const natlet__window *w)
{
    return (natlet_slice){w->ptr + w->start, w->end - w->start};
}

/* All of those but the last `left` were parsed. */
static inline void natlet__window_parsed(natlet__window *w, size_t left)
{
    NATLET_ASSERT(left <= w->end - w->start);
    w->start = w->end - left;
}

/* The message at hand, unfinished, takes `need` bytes in all: beyond the window
 * it moves into a block.  Returns OK or E_NO_MEMORY. */
natlet_status natlet__window_fit(natlet__window *w, size_t need);

/* Whether there is a block whose message was parsed: before the next one is, it has
 * to be left. */
static inline bool natlet__window_is_over(const natlet__window *w)
{
    return w->ptr != w->home && w->start == w->end;
}

/* Gives the block back, if there is one. */
void natlet__window_leave(natlet__window *w);

/* Whether frames wait to be unframed. */
static inline bool natlet__window_has_raw(const natlet__window *w)
{
    return w->raw < w->raw_end;
}

/* Reads frames up to one event.  The bytes of a DATA event have joined the
 * protocol bytes.  Returns as natlet__ws_next. */
natlet_status natlet__window_unframe(natlet__window *w, natlet__ws_event *ev);

/* Where the next bytes belong; *cap (> 0) is how many there is room for.  An
 * unfinished line of `line_max` bytes at most may be in the window: if it fills
 * it, the window grows to that size for good.  NULL if there is no memory. */
uint8_t *natlet__window_room(natlet__window *w, size_t line_max, uint32_t *cap);

/* `n` bytes were written there by recv number `segment`. */
void natlet__window_received(natlet__window *w, uint32_t n, uint32_t segment);

/* If the bytes lie unmoved as the last recv wrote them: how far behind its
 * first one. */
bool natlet__window_offset(const natlet__window *w, const uint8_t *at, size_t len,
                           uint32_t *offset);

#endif
