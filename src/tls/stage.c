#include "tls/stage.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

/* A connection with TLS, from its start until its slot is used again; its engine goes with
 * the end, why it ended stays for whoever asks. */
typedef struct entry {
    uint32_t conn;
    natlet__tls_engine *engine; /* NULL: nothing more comes but CLOSED */
    bool is_open;               /* the host said OPEN, or had said it before */
    bool holds_open;            /* the client has not heard OPEN yet */
    bool is_shaking;
    bool wants_room; /* a send of the client was short */
    bool is_ended;   /* the host said CLOSED: all there is can be read */
    bool is_closing; /* the host was told to close it */
    uint32_t owed;   /* bit NATLET_EV_x: the event is to be told */
    natlet_status why;
    natlet_slice text;        /* to it; static */
    natlet_host_event closed; /* as the host told it */
} entry;

struct natlet__tls_stage {
    natlet_host door; /* put before the host; its self is the stage */
    natlet_runtime *rt;
    const natlet_host *host;
    uint32_t users;
    uint32_t owed;                     /* entries that owe events, at least */
    entry *entries[NATLET__CONNS_MAX]; /* by slot */
};

static entry *find(const natlet__tls_stage *stage, uint32_t conn)
{
    entry *e = stage->entries[conn % NATLET__CONNS_MAX];

    return e != NULL && e->conn == conn ? e : NULL;
}

static void owe(natlet__tls_stage *stage, entry *e, uint32_t type)
{
    e->owed |= 1u << type;
    stage->owed++;
}

static void drop_engine(entry *e)
{
    if (e->engine != NULL) {
        natlet__tls_engine_free(e->engine);
        e->engine = NULL;
    }
}

/* It is over because of `why`; CLOSED says so once the host's has come. */
static void end(natlet__tls_stage *stage, entry *e, natlet_status why)
{
    if (e->why < 0) {
        return;
    }
    e->why = why;
    e->text = natlet__tls_engine_text(e->engine);
    e->is_shaking = false;
    if (e->is_ended) {
        owe(stage, e, NATLET_EV_CLOSED);
    } else if (!e->is_closing) {
        e->is_closing = true;
        natlet__tls_engine_end(e->engine);
        (void)stage->host->close(stage->host->self, e->conn, 1000, NULL, 0);
    }
}

/* ---- the handshake ---- */

static void shake(natlet__tls_stage *stage, entry *e)
{
    natlet_status st = natlet__tls_engine_shake(e->engine);

    if (st < 0) {
        end(stage, e, st);
    } else if (st == NATLET_OK) {
        e->is_shaking = false;
        if (e->holds_open) {
            owe(stage, e, NATLET_EV_OPEN);
        }
        if (e->wants_room) {
            owe(stage, e, NATLET_EV_WRITABLE);
        }
        owe(stage, e, NATLET_EV_READABLE); /* records may be there */
    }
}

natlet_status natlet__tls_stage_start(natlet__tls_stage *stage, uint32_t conn, bool is_open,
                                      natlet__tls_profile *profile, natlet_slice name)
{
    entry **slot = &stage->entries[conn % NATLET__CONNS_MAX];

    if (*slot == NULL) {
        *slot = natlet__memory_take(&stage->rt->memory, sizeof **slot);
    }
    if (*slot == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    NATLET_ASSERT((*slot)->engine == NULL);
    **slot = (entry){.conn = conn, .is_open = is_open, .holds_open = !is_open};
    natlet_status st = natlet__tls_engine_new(&(*slot)->engine, stage->host, conn, profile, name);
    if (st < 0) {
        (*slot)->conn = 0; /* a connection as any other */
        return st;
    }
    (*slot)->is_shaking = true;
    if (is_open) {
        shake(stage, *slot);
    }
    return NATLET_OK;
}

/* ---- events ---- */

/* The end, as far as the host knows.  Bytes that came before it are read first; they may
 * say more. */
static bool take_closed(natlet__tls_stage *stage, entry *e, const natlet_host_event *event)
{
    e->is_ended = true;
    e->closed = *event;
    if (e->engine != NULL && e->is_open && e->why == NATLET_OK) {
        if (e->is_shaking) {
            shake(stage, e);
        } else {
            owe(stage, e, NATLET_EV_READABLE);
        }
        return false;
    }
    drop_engine(e);
    return true;
}

/* Whether the client is to be told `event`, which may change. */
static bool take_event(natlet__tls_stage *stage, natlet_host_event *event)
{
    entry *e = find(stage, event->conn);

    if (e == NULL || event->conn == 0) {
        return true;
    }
    if (event->type == NATLET_EV_CLOSED) {
        bool is_told = take_closed(stage, e, event);
        if (e->why < 0) {
            event->b = (uint32_t)e->why;
        }
        return is_told;
    }
    if (event->type != NATLET_EV_OPEN && event->type != NATLET_EV_READABLE &&
        event->type != NATLET_EV_WRITABLE) {
        return true;
    }
    e->is_open = true;
    if (e->engine == NULL || e->why < 0) {
        return false;
    }
    if (e->is_shaking) {
        shake(stage, e);
        return false;
    }
    if (event->type == NATLET_EV_WRITABLE) {
        natlet__tls_engine_flush(e->engine);
        bool is_told = e->wants_room;
        e->wants_room = false;
        return is_told;
    }
    return true;
}

/* The first event that `e` owes, in the order of rule H7. */
static natlet_host_event pay(entry *e)
{
    uint32_t type = (uint32_t)__builtin_ctz(e->owed);
    natlet_host_event event = {.conn = e->conn, .type = (uint16_t)type};

    e->owed &= e->owed - 1;
    if (type == NATLET_EV_OPEN) {
        e->holds_open = false;
    } else if (type == NATLET_EV_WRITABLE) {
        e->wants_room = false;
    } else if (type == NATLET_EV_CLOSED) {
        event = e->closed;
        event.b = (uint32_t)e->why;
        drop_engine(e);
    }
    return event;
}

static uint32_t pay_all(natlet__tls_stage *stage, natlet_host_event *events, uint32_t cap)
{
    uint32_t count = 0;
    bool has_more = false;

    for (uint32_t slot = 0; stage->owed > 0 && slot < NATLET__CONNS_MAX; slot++) {
        entry *e = stage->entries[slot];
        while (e != NULL && e->owed != 0 && count < cap) {
            events[count++] = pay(e);
        }
        has_more |= e != NULL && e->owed != 0;
    }
    stage->owed = has_more ? 1 : 0;
    return count;
}

static int32_t door_poll(void *self, natlet_host_event *events, uint32_t cap, int32_t timeout_ms)
{
    natlet__tls_stage *stage = self;
    uint32_t kept = 0;
    uint32_t room;
    int32_t count;

    do {
        room = cap - kept;
        count = stage->host->poll(stage->host->self, events + kept, room,
                                  stage->owed > 0 || kept > 0 ? 0 : timeout_ms);
        uint32_t end_at = kept + (count > 0 ? (uint32_t)count : 0);
        for (uint32_t i = kept; i < end_at; i++) {
            if (take_event(stage, &events[i])) {
                events[kept++] = events[i];
            }
        }
    } while (count > 0 && (uint32_t)count == room && kept < cap);
    kept += pay_all(stage, events + kept, cap - kept);
    return kept > 0 || count > 0 ? (int32_t)kept : count;
}

/* Outside of poll: the host has to call again, though it has nothing itself. */
static void ring(const natlet__tls_stage *stage)
{
    if (stage->owed > 0) {
        stage->host->wake(stage->host->self);
    }
}

/* ---- bytes ---- */

/* The host counts recvs that brought bytes, and so does the client (natlet/embed.h): ours
 * that brought records were counted there, the client's, which follows, is none of them. */
static int32_t door_recv(void *self, uint32_t conn, uint8_t *buf, uint32_t cap)
{
    natlet__tls_stage *stage = self;
    entry *e = find(stage, conn);

    if (e == NULL) {
        return stage->host->recv(stage->host->self, conn, buf, cap);
    }
    if (e->engine == NULL || e->why < 0) {
        return NATLET_E_CLOSED;
    }
    int32_t got = e->is_shaking ? NATLET_E_AGAIN : natlet__tls_engine_read(e->engine, buf, cap);
    if (got > 0) {
        stage->rt->segments--;
    } else if (got != NATLET_E_AGAIN) {
        end(stage, e, (natlet_status)got);
        ring(stage);
        got = NATLET_E_CLOSED;
    }
    return got;
}

static int32_t door_send(void *self, uint32_t conn, const uint8_t *buf, uint32_t len)
{
    natlet__tls_stage *stage = self;
    entry *e = find(stage, conn);

    if (e == NULL) {
        return stage->host->send(stage->host->self, conn, buf, len);
    }
    if (e->engine == NULL || e->why < 0) {
        return NATLET_E_CLOSED;
    }
    int32_t taken =
        e->is_shaking || e->holds_open ? 0 : natlet__tls_engine_write(e->engine, buf, len);
    if (taken < 0) {
        end(stage, e, (natlet_status)taken);
        ring(stage);
        return NATLET_E_CLOSED;
    }
    e->wants_room |= (uint32_t)taken < len;
    return taken;
}

static int32_t door_close(void *self, uint32_t conn, uint32_t code, const char *why,
                          uint32_t why_len)
{
    natlet__tls_stage *stage = self;
    entry *e = find(stage, conn);

    if (e == NULL) {
        return stage->host->close(stage->host->self, conn, code, why, why_len);
    }
    bool is_told = e->is_ended && e->engine == NULL && e->owed == 0;
    if (e->engine != NULL && !e->is_ended && !e->is_closing) {
        natlet__tls_engine_end(e->engine);
    }
    drop_engine(e);
    e->owed = 0;
    if (!e->is_ended && !e->is_closing) {
        e->is_closing = true;
        return stage->host->close(stage->host->self, conn, code, why, why_len);
    }
    if (e->is_ended && !is_told) {
        owe(stage, e, NATLET_EV_CLOSED);
        ring(stage);
    }
    return NATLET_OK;
}

/* ---- what passes through ---- */

static int32_t door_hello(void *self, uint32_t abi, natlet_host_info *out)
{
    const natlet__tls_stage *stage = self;

    return stage->host->hello(stage->host->self, abi, out);
}

/* NOLINTNEXTLINE(readability-function-size): the door has seven parameters */
static int32_t door_open(void *self, uint32_t conn, uint32_t transport, const char *url,
                         uint32_t url_len, const uint8_t *options, uint32_t options_len)
{
    const natlet__tls_stage *stage = self;

    return stage->host->open(stage->host->self, conn, transport, url, url_len, options,
                             options_len);
}

static double door_clock(void *self, uint32_t which)
{
    const natlet__tls_stage *stage = self;

    return stage->host->clock(stage->host->self, which);
}

static int32_t door_random(void *self, uint8_t *buf, uint32_t len)
{
    const natlet__tls_stage *stage = self;

    return stage->host->random(stage->host->self, buf, len);
}

static void door_log(void *self, uint32_t level, const char *text, uint32_t len)
{
    const natlet__tls_stage *stage = self;

    stage->host->log(stage->host->self, level, text, len);
}

static void door_wake(void *self)
{
    const natlet__tls_stage *stage = self;

    stage->host->wake(stage->host->self);
}

natlet_slice natlet__tls_stage_text(const natlet__tls_stage *stage, uint32_t conn)
{
    const entry *e = find(stage, conn);
    bool is_up = e != NULL && e->engine != NULL && !e->is_shaking && e->why == NATLET_OK;

    return is_up ? natlet__tls_engine_text(e->engine) : (natlet_slice){0};
}

static int32_t door_ctl(void *self, uint32_t op, uint32_t conn, void *data, uint32_t len)
{
    const natlet__tls_stage *stage = self;
    const entry *e = find(stage, conn);
    natlet_slice text;

    if (e == NULL || (op != NATLET_CTL_CLOSE_REASON && op != NATLET_CTL_TLS_INFO)) {
        return stage->host->ctl(stage->host->self, op, conn, data, len);
    }
    text = op == NATLET_CTL_CLOSE_REASON ? e->text : natlet__tls_stage_text(stage, conn);
    text.len = text.len < len ? text.len : len;
    (void)natlet__put(data, text);
    return (int32_t)text.len;
}

/* ---- life ---- */

natlet__tls_stage *natlet__tls_stage_take(natlet_runtime *rt)
{
    natlet__tls_stage *stage = rt->host->poll == door_poll ? rt->host->self : NULL;

    if (stage == NULL) {
        stage = natlet__memory_take(&rt->memory, sizeof *stage);
        if (stage == NULL) {
            return NULL;
        }
        stage->rt = rt;
        stage->host = rt->host;
        stage->door = (natlet_host){
            .self = stage,
            .hello = door_hello,
            .open = door_open,
            .recv = door_recv,
            .send = door_send,
            .close = door_close,
            .poll = door_poll,
            .clock = door_clock,
            .random = door_random,
            .log = door_log,
            .wake = door_wake,
            .ctl = door_ctl,
        };
        rt->host = &stage->door;
    }
    stage->users++;
    return stage;
}

/* A CLOSED that was not told will not be: its slot is free all the same. */
static void forget(natlet_runtime *rt, const entry *e)
{
    natlet__conn *conn = &rt->conns[e->conn % NATLET__CONNS_MAX];

    NATLET_ASSERT(e->engine == NULL);
    if ((e->owed & 1u << NATLET_EV_CLOSED) != 0 && conn->name == e->conn) {
        conn->owner = NULL;
        conn->taken = false;
    }
}

void natlet__tls_stage_give_back(natlet__tls_stage *stage)
{
    natlet_runtime *rt = stage->rt;

    if (--stage->users > 0) {
        return;
    }
    for (uint32_t slot = 0; slot < NATLET__CONNS_MAX; slot++) {
        entry *e = stage->entries[slot];
        if (e != NULL) {
            forget(rt, e);
            natlet__memory_give_back(&rt->memory, e, sizeof *e);
        }
    }
    rt->host = stage->host;
    natlet__memory_give_back(&rt->memory, stage, sizeof *stage);
}
