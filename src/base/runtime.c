/* One turn:
 *
 *     poll -> event of the owner ...      until the host has no more
 *     turn of each part, in order ...     until nobody has work or time is up
 *     flush of each part
 *
 * A turn that may wait does the work and the flush once before the poll as
 * well: what the program asked for since the last turn must be on its way, and
 * its timers known, before the host sleeps. */
#include "base/runtime.h"

#include "base/assert.h"

enum { US_PER_MS = 1000, NS_PER_MS = 1000000 };

/* A connection's name: its generation in the slot (1..65535) << 16 | slot. */
#define SLOT_MASK 0xffffu

_Static_assert(NATLET__CONNS_MAX <= SLOT_MASK, "a slot fits its bits of the name");
_Static_assert(sizeof(natlet_host_event) == 16, "the host writes 16 bytes an event");

/* 300 years: far beyond any clock, and small enough for nanoseconds in 64 bits. */
#define CLOCK_MS_MAX 1e13

/* ---- clocks ---- */

/* A clock that is not a number, negative or absurd reads as 0. */
static uint64_t read_clock(const natlet_host *host, uint32_t which, double units_per_ms)
{
    double ms = host->clock(host->self, which);

    return ms > 0 && ms < CLOCK_MS_MAX ? (uint64_t)(ms * units_per_ms) : 0;
}

uint64_t natlet__runtime_clock_us(natlet_runtime *rt)
{
    return read_clock(rt->host, NATLET_CLOCK_MONOTONIC, US_PER_MS);
}

uint64_t natlet_runtime_wall_ns(natlet_runtime *rt)
{
    return read_clock(rt->host, NATLET_CLOCK_UNIX, NS_PER_MS);
}

uint64_t natlet__runtime_stamp_ns(natlet_runtime *rt)
{
    uint64_t now = natlet_runtime_wall_ns(rt);

    rt->wall_ns = now > rt->wall_ns ? now : rt->wall_ns + 1;
    return rt->wall_ns;
}

uint64_t natlet_runtime_now_us(const natlet_runtime *rt)
{
    return rt->now_us;
}

/* The turn's time never runs backwards, whatever the host says. */
static void set_now(natlet_runtime *rt)
{
    uint64_t now = natlet__runtime_clock_us(rt);

    if (now > rt->now_us) {
        rt->now_us = now;
    }
}

/* ---- connections ---- */

/* Slots a connection may have: no more than the host can hold. */
static uint32_t slot_count(const natlet_runtime *rt)
{
    uint32_t host_max = rt->info.conns_max;

    return host_max > 0 && host_max < NATLET__CONNS_MAX ? host_max : NATLET__CONNS_MAX;
}

/* Slots are used in turn, so that what a closed connection left unread in the
 * host is not cut off by the next one that opens. */
static natlet__conn *take_slot(natlet_runtime *rt)
{
    uint32_t count = slot_count(rt);

    for (uint32_t left = count; left > 0; left--) {
        uint32_t slot = rt->next_slot;
        natlet__conn *conn = &rt->conns[slot];
        rt->next_slot = slot + 1 < count ? slot + 1 : 0;
        if (!conn->taken) {
            conn->taken = true;
            do {
                conn->name = (conn->name + SLOT_MASK + 1) | slot;
            } while (conn->name <= SLOT_MASK);
            return conn;
        }
    }
    return NULL;
}

natlet_status natlet__runtime_open(natlet_runtime *rt, natlet__part *part, uint32_t transport,
                                   natlet_slice url, natlet_slice options, uint32_t *conn)
{
    natlet__conn *taken = take_slot(rt);

    NATLET_ASSERT(url.len <= UINT32_MAX && options.len <= UINT32_MAX);
    if (taken == NULL) {
        return NATLET_E_LIMIT;
    }
    int32_t st = rt->host->open(rt->host->self, taken->name, transport, (const char *)url.ptr,
                                (uint32_t)url.len, options.ptr, (uint32_t)options.len);
    if (st < 0) {
        taken->taken = false;
        return (natlet_status)st;
    }
    taken->owner = part;
    *conn = taken->name;
    return NATLET_OK;
}

static void tell_all(natlet_runtime *rt, const natlet_host_event *event)
{
    for (natlet__part *part = rt->parts; part != NULL; part = part->next) {
        part->event(part, event);
    }
}

/* An event of a connection whose name no longer fits its slot is stale and
 * dropped (rule H8 of the host door). */
static void hand_out(natlet_runtime *rt, const natlet_host_event *event)
{
    if (event->conn == 0) {
        tell_all(rt, event);
        return;
    }
    natlet__conn *conn = &rt->conns[event->conn % NATLET__CONNS_MAX];
    if (!conn->taken || conn->name != event->conn) {
        return;
    }
    natlet__part *owner = conn->owner;
    if (event->type == NATLET_EV_CLOSED) { /* before the owner hears it: it may open again */
        conn->owner = NULL;
        conn->taken = false;
    }
    if (owner != NULL) {
        owner->event(owner, event);
    }
}

/* ---- the turn ---- */

static uint64_t earliest_due(const natlet_runtime *rt)
{
    uint64_t earliest = UINT64_MAX;

    for (natlet__part *part = rt->parts; part != NULL; part = part->next) {
        uint64_t due = part->due_us(part);
        earliest = due < earliest ? due : earliest;
    }
    return earliest;
}

/* What a trap left in the batch is handed out before the host is asked.  The cursor
 * moves on first: an event whose handler trapped is not repeated. */
static void poll_events(natlet_runtime *rt, int32_t timeout_ms)
{
    bool is_last = false;

    for (;;) {
        while (rt->event_at < rt->event_count) {
            hand_out(rt, &rt->events[rt->event_at++]);
        }
        if (is_last) {
            return;
        }
        int32_t count = rt->host->poll(rt->host->self, rt->events, NATLET__EVENTS_MAX, timeout_ms);
        NATLET_ASSERT(count <= NATLET__EVENTS_MAX);
        set_now(rt);
        rt->event_at = 0;
        rt->event_count = count > 0 ? (uint32_t)count : 0;
        rt->stats.polls++;
        rt->stats.events += rt->event_count;
        timeout_ms = 0;
        is_last = count < NATLET__EVENTS_MAX;
    }
}

static void note_lateness(natlet_runtime *rt)
{
    uint64_t due = earliest_due(rt);

    if (due > 0 && due < rt->now_us && rt->now_us - due > rt->stats.late_us_max) {
        rt->stats.late_us_max = rt->now_us - due;
    }
}

/* Work of one part can be work for one that had its turn already, hence the
 * question for what is due after each round. */
static void work(natlet_runtime *rt, uint32_t budget_us)
{
    uint64_t until_us = rt->now_us + budget_us;
    bool is_left;

    note_lateness(rt);
    do {
        is_left = false;
        for (natlet__part *part = rt->parts; part != NULL; part = part->next) {
            is_left |= part->turn(part, until_us);
        }
        is_left |= earliest_due(rt) <= rt->now_us;
    } while (is_left && natlet__runtime_clock_us(rt) < until_us);
    rt->work_left = is_left;
}

static void flush(natlet_runtime *rt)
{
    for (natlet__part *part = rt->parts; part != NULL; part = part->next) {
        part->flush(part);
    }
}

/* Milliseconds until the next turn is due, rounded up: a turn that comes a little
 * early would do nothing and be needed again. */
static uint32_t next_ms(natlet_runtime *rt)
{
    uint64_t due = earliest_due(rt);

    if (rt->work_left) {
        return 0;
    }
    if (due == UINT64_MAX) {
        return NATLET_NEVER_MS;
    }
    uint64_t now = natlet__runtime_clock_us(rt);
    if (due <= now) {
        return 0;
    }
    uint64_t ms = (due - now - 1) / US_PER_MS + 1;
    return ms < NATLET_NEVER_MS ? (uint32_t)ms : NATLET_NEVER_MS - 1;
}

static int32_t poll_timeout(uint32_t wait_ms, uint32_t due_ms)
{
    uint32_t ms = wait_ms < due_ms ? wait_ms : due_ms;

    if (ms == NATLET_NEVER_MS) {
        return -1;
    }
    return ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
}

static void take_turn(natlet_runtime *rt, uint32_t budget_us, uint32_t wait_ms)
{
    int32_t timeout_ms = 0;

    if (wait_ms > 0 && (rt->info.caps & NATLET_CAP_BLOCK) != 0) {
        set_now(rt);
        work(rt, budget_us);
        flush(rt);
        timeout_ms = poll_timeout(wait_ms, next_ms(rt));
    }
    poll_events(rt, timeout_ms);
    work(rt, budget_us);
}

uint32_t natlet_runtime_run(natlet_runtime *rt, uint32_t budget_us, uint32_t wait_ms)
{
    if (rt->in_turn) {
        return 1; /* rule H2 of the host door: a nested call does nothing */
    }
    rt->in_turn = true;
    rt->stats.turns++;
    if (budget_us > 0) {
        take_turn(rt, budget_us, wait_ms);
    }
    flush(rt);
    rt->in_turn = false;
    return next_ms(rt);
}

void natlet__runtime_recover(natlet_runtime *rt)
{
    rt->in_turn = false;
    rt->work_left = true;
}

/* ---- life ---- */

void natlet__runtime_add(natlet_runtime *rt, natlet__part *part)
{
    natlet__part **link = &rt->parts;

    while (*link != NULL) {
        link = &(*link)->next;
    }
    part->next = NULL;
    *link = part;
}

void natlet__runtime_remove(natlet_runtime *rt, natlet__part *part)
{
    natlet__part **link = &rt->parts;

    NATLET_ASSERT(!rt->in_turn);
    while (*link != NULL && *link != part) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = part->next;
    }
    for (uint32_t slot = 0; slot < NATLET__CONNS_MAX; slot++) {
        if (rt->conns[slot].owner == part) {
            rt->conns[slot].owner = NULL;
        }
    }
}

/* A host that speaks another major version is refused; what an older minor does
 * not know stays zero. */
static natlet_status greet_host(natlet_runtime *rt)
{
    rt->info.size = sizeof rt->info;
    int32_t written = rt->host->hello(rt->host->self, NATLET_ABI, &rt->info);
    if (written < 0 || rt->info.abi >> 16 != NATLET_ABI_MAJOR) {
        return NATLET_E_UNSUPPORTED;
    }
    rt->info.name[sizeof rt->info.name - 1] = '\0';
    return NATLET_OK;
}

natlet_status natlet_runtime_new(natlet_runtime **out, const natlet_host *host,
                                 const natlet_allocator *allocator, size_t budget_bytes)
{
    natlet_runtime *rt = NULL;

    if (budget_bytes == 0 || sizeof *rt <= budget_bytes) {
        rt = allocator->resize(allocator->self, NULL, 0, sizeof *rt);
    }
    *out = NULL;
    if (rt == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    *rt = (natlet_runtime){.host = host,
                           .memory = {.allocator = *allocator,
                                      .budget_bytes = budget_bytes,
                                      .used_bytes = sizeof *rt,
                                      .used_max = sizeof *rt}};
    /* Rule H11: without random bytes there is nothing safe to fall back to. */
    if (greet_host(rt) < 0 || natlet__random_init(&rt->random, host) < 0) {
        natlet_runtime_free(rt);
        return NATLET_E_UNSUPPORTED;
    }
    set_now(rt);
    *out = rt;
    return NATLET_OK;
}

void natlet_runtime_free(natlet_runtime *rt)
{
    if (rt == NULL) {
        return;
    }
    NATLET_ASSERT(rt->parts == NULL && !rt->in_turn);
    natlet_allocator allocator = rt->memory.allocator;
    natlet__random_wipe(&rt->random);
    allocator.resize(allocator.self, rt, sizeof *rt, 0);
}

natlet_runtime_stats natlet_runtime_stats_now(const natlet_runtime *rt)
{
    natlet_runtime_stats stats = rt->stats;

    stats.memory_bytes = rt->memory.used_bytes;
    stats.memory_max = rt->memory.used_max;
    stats.refused = rt->memory.refused;
    return stats;
}
