/* Who was heard, and when: a table of fixed size, and a part of the runtime whose point in
 * time is the next one at which a silence means something else.
 *
 * The table belongs to the client, too, which may deliver until its subscription is over;
 * only then the memory is given back. */
#include "natlet/presence.h"

#include "base/bytes.h"
#include "base/runtime.h"
#include "json/reader.h"

enum { US_PER_MS = 1000, LATE_HALVES = 3, UNHEALTHY_HALVES = 6, POINTER_MAX = 64 };

typedef struct peer {
    uint64_t seen_us;
    uint64_t heard; /* 0: the place is free */
    natlet_presence_status said;
    natlet_presence_status told; /* to the program */
    uint32_t id_len;
    uint8_t id[NATLET_PRESENCE_ID_BYTES_MAX];
} peer;

typedef struct pointer {
    uint32_t len;
    uint8_t text[POINTER_MAX];
} pointer;

struct natlet_peers {
    natlet__part part; /* first */
    natlet_runtime *rt;
    natlet_client *client;
    natlet__memory *memory;
    uint32_t sid; /* 0: it is over */
    bool is_gone; /* nobody wants it any more, but the client */
    uint64_t due_us;
    uint64_t half_us; /* of an interval */
    pointer id, status;
    void (*on_change)(void *self, const natlet_peer *peer, natlet_presence_status before);
    void *self;
    natlet_peers_stats stats;
    uint32_t cap;
    peer places[];
};

/* ---- judging ---- */

static uint64_t now_us(const natlet_peers *peers)
{
    return peers->rt->in_turn ? peers->rt->now_us : natlet__runtime_clock_us(peers->rt);
}

/* How long this peer may have been silent: a point of `halves` half intervals is the last
 * one that is still good. */
static bool is_silent(const natlet_peers *peers, const peer *p, uint64_t now, uint32_t halves)
{
    return now > p->seen_us && now - p->seen_us > halves * peers->half_us;
}

static natlet_presence_status judge(const natlet_peers *peers, const peer *p, uint64_t now)
{
    if (is_silent(peers, p, now, UNHEALTHY_HALVES)) {
        return NATLET_PRESENCE_UNHEALTHY;
    }
    if (p->said != NATLET_PRESENCE_HEALTHY) {
        return p->said;
    }
    return is_silent(peers, p, now, LATE_HALVES) ? NATLET_PRESENCE_LATE : NATLET_PRESENCE_HEALTHY;
}

/* When a longer silence will mean something else. */
static uint64_t next_us(const natlet_peers *peers, const peer *p, uint64_t now)
{
    if (is_silent(peers, p, now, UNHEALTHY_HALVES)) {
        return UINT64_MAX;
    }
    uint32_t halves = is_silent(peers, p, now, LATE_HALVES) ? UNHEALTHY_HALVES : LATE_HALVES;
    return p->seen_us + halves * peers->half_us + 1;
}

static void describe(const natlet_peers *peers, const peer *p, uint64_t now, natlet_peer *out)
{
    *out = (natlet_peer){.id = {p->id, p->id_len},
                         .status = judge(peers, p, now),
                         .age_ms = now > p->seen_us ? (now - p->seen_us) / US_PER_MS : 0,
                         .heard = p->heard};
}

/* Tells the program if the peer is another one than it knows. */
static void tell(natlet_peers *peers, peer *p, uint64_t now)
{
    natlet_presence_status before = p->told;
    natlet_peer seen;

    describe(peers, p, now, &seen);
    p->told = seen.status;
    if (before != seen.status && peers->on_change != NULL) {
        peers->on_change(peers->self, &seen, before);
    }
}

/* ---- hearing ---- */

static peer *find(const natlet_peers *peers, natlet_slice id)
{
    for (uint32_t i = 0; i < peers->cap; i++) {
        const peer *p = &peers->places[i];
        if (p->heard > 0 && natlet__equal((natlet_slice){p->id, p->id_len}, id)) {
            return (peer *)(uintptr_t)p;
        }
    }
    return NULL;
}

/* A free place, or that of the one who was silent longest; NULL: all are alive. */
static peer *find_place(natlet_peers *peers, uint64_t now)
{
    peer *oldest = &peers->places[0];

    for (uint32_t i = 0; i < peers->cap; i++) {
        peer *p = &peers->places[i];
        if (p->heard == 0) {
            return p;
        }
        oldest = p->seen_us < oldest->seen_us ? p : oldest;
    }
    return is_silent(peers, oldest, now, UNHEALTHY_HALVES) ? oldest : NULL;
}

static peer *admit(natlet_peers *peers, natlet_slice id, uint64_t now)
{
    natlet_peers_stats *stats = &peers->stats;
    peer *p = find_place(peers, now);

    if (p == NULL) {
        stats->refused++;
        return NULL;
    }
    if (p->heard > 0) {
        stats->replaced++;
        stats->peers--;
    }
    stats->peers++;
    uint32_t left = peers->cap - stats->peers;
    stats->free_min = left < stats->free_min ? left : stats->free_min;
    *p = (peer){.id_len = (uint32_t)id.len};
    (void)natlet__put(p->id, id);
    return p;
}

/* The text of a JSON value, a string without its quotes. */
static natlet_slice value_at(const natlet_msg *msg, const pointer *at)
{
    natlet_slice value = {0};

    (void)natlet_json_find(msg->payload, (natlet_slice){at->text, at->len}, &value);
    if (value.len >= 2 && value.ptr[0] == '"') {
        value.ptr++;
        value.len -= 2;
    }
    return value;
}

static natlet_presence_status status_of(natlet_slice word)
{
    static const natlet_presence_status said[] = {NATLET_PRESENCE_UNHEALTHY,
                                                  NATLET_PRESENCE_DRAINING};

    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (natlet__equal_nocase(word, natlet__text(natlet_presence_text(said[i])))) {
            return said[i];
        }
    }
    return NATLET_PRESENCE_HEALTHY;
}

static void on_message(void *self, uint32_t sid, const natlet_msg *msg)
{
    natlet_peers *peers = self;

    if (peers->is_gone) { /* there was no room for the UNSUB: once more */
        (void)natlet_client_unsubscribe(peers->client, sid, 0);
        return;
    }
    natlet_slice id = peers->id.len > 0 ? value_at(msg, &peers->id) : msg->subject;
    uint64_t now = now_us(peers);
    peers->stats.heard++;
    if (id.len == 0 || id.len > NATLET_PRESENCE_ID_BYTES_MAX) {
        peers->stats.ignored++;
        return;
    }
    peer *p = find(peers, id);
    p = p != NULL ? p : admit(peers, id, now);
    if (p == NULL) {
        return;
    }
    p->heard++;
    p->seen_us = now;
    p->said = status_of(value_at(msg, &peers->status));
    uint64_t next = next_us(peers, p, now);
    peers->due_us = next < peers->due_us ? next : peers->due_us;
    tell(peers, p, now);
}

static void give_back(natlet_peers *peers)
{
    natlet__memory_give_back(peers->memory, peers,
                             sizeof *peers + peers->cap * sizeof *peers->places);
}

static void on_ended(void *self, uint32_t sid, natlet_status why)
{
    natlet_peers *peers = self;

    (void)sid;
    (void)why;
    peers->sid = 0;
    if (peers->is_gone) {
        give_back(peers);
    }
}

/* ---- a part of the runtime ---- */

static void part_event(natlet__part *part, const natlet_host_event *event)
{
    (void)part;
    (void)event;
}

static bool part_turn(natlet__part *part, uint64_t until_us)
{
    natlet_peers *peers = (natlet_peers *)part;
    uint64_t now = now_us(peers);

    (void)until_us;
    if (now < peers->due_us) {
        return false;
    }
    peers->due_us = UINT64_MAX;
    for (uint32_t i = 0; i < peers->cap; i++) {
        peer *p = &peers->places[i];
        if (p->heard > 0) {
            uint64_t next = next_us(peers, p, now);
            peers->due_us = next < peers->due_us ? next : peers->due_us;
            tell(peers, p, now);
        }
    }
    return false;
}

static void part_flush(natlet__part *part)
{
    (void)part;
}

static uint64_t part_due_us(natlet__part *part)
{
    return ((const natlet_peers *)part)->due_us;
}

/* ---- life ---- */

static bool keep_pointer(pointer *out, natlet_slice text)
{
    if (text.len > sizeof out->text) {
        return false;
    }
    out->len = (uint32_t)text.len;
    (void)natlet__put(out->text, text);
    return true;
}

static natlet_status listen(natlet_peers *peers, natlet_slice subject)
{
    const natlet_sink sink = {peers, on_message, on_ended};

    return natlet_client_subscribe(peers->client, &peers->sid, subject, NULL, &sink);
}

natlet_status natlet_peers_new(natlet_peers **out, natlet_runtime *rt, natlet_client *client,
                               const natlet_peers_config *config)
{
    static const natlet_slice usual_status = NATLET_TEXT("/status");
    uint32_t interval_ms =
        config->interval_ms > 0 ? config->interval_ms : NATLET_PRESENCE_INTERVAL_MS_DEFAULT;
    uint32_t cap = config->peers_max > 0 ? config->peers_max : NATLET_PRESENCE_PEERS_DEFAULT;

    *out = NULL;
    if (config->size != sizeof *config || cap > NATLET_PRESENCE_PEERS_MAX ||
        interval_ms > NATLET_PRESENCE_INTERVAL_MS_MAX) {
        return NATLET_E_CONFIG;
    }
    natlet_peers *peers = natlet__memory_take(&rt->memory, sizeof *peers + cap * sizeof(peer));
    if (peers == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    peers->rt = rt;
    peers->client = client;
    peers->memory = &rt->memory;
    peers->cap = cap;
    peers->stats.free_min = cap;
    peers->due_us = UINT64_MAX;
    peers->half_us = (uint64_t)interval_ms * US_PER_MS / 2;
    peers->on_change = config->on_change;
    peers->self = config->self;
    bool is_good =
        keep_pointer(&peers->id, config->id) &&
        keep_pointer(&peers->status, config->status.len > 0 ? config->status : usual_status);
    natlet_status st = is_good ? listen(peers, config->subject) : NATLET_E_CONFIG;
    if (st < 0) {
        give_back(peers);
        return st;
    }
    peers->part = (natlet__part){
        .event = part_event, .turn = part_turn, .flush = part_flush, .due_us = part_due_us};
    natlet__runtime_add(rt, &peers->part);
    *out = peers;
    return NATLET_OK;
}

void natlet_peers_free(natlet_peers *peers)
{
    if (peers == NULL) {
        return;
    }
    natlet__runtime_remove(peers->rt, &peers->part);
    peers->is_gone = true;
    if (peers->sid == 0) {
        give_back(peers);
    } else {
        (void)natlet_client_unsubscribe(peers->client, peers->sid, 0);
    }
}

natlet_presence_status natlet_peers_status(const natlet_peers *peers, natlet_slice id)
{
    const peer *p = find(peers, id);

    return p != NULL ? judge(peers, p, now_us(peers)) : NATLET_PRESENCE_UNKNOWN;
}

natlet_status natlet_peers_at(const natlet_peers *peers, uint32_t index, natlet_peer *out)
{
    *out = (natlet_peer){0};
    if (index >= peers->cap || peers->places[index].heard == 0) {
        return NATLET_E_NOT_FOUND;
    }
    describe(peers, &peers->places[index], now_us(peers), out);
    return NATLET_OK;
}

natlet_status natlet_peers_forget(natlet_peers *peers, natlet_slice id)
{
    peer *p = find(peers, id);

    if (p == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    *p = (peer){0};
    peers->stats.peers--;
    return NATLET_OK;
}

natlet_peers_stats natlet_peers_stats_now(const natlet_peers *peers)
{
    return peers->stats;
}
