/* The rules of the host door, one function each, in the order of their numbers. */
#include "guest.h"

#include <string.h>

#define PATIENCE_MS 400.0 /* in which what must not happen would have happened */

enum { SLOW_BYTES = 24 << 20, FLOOD_BYTES = 32 << 20 };

link *first(guest *g)
{
    return &g->links[0];
}

static bool can(const guest *g, uint32_t cap)
{
    return (g->info.caps & cap) != 0;
}

/* The number behind a request to the peer; it answers 8 bytes, little endian. */
static bool read_number(guest *g, link *c, uint64_t *number)
{
    int32_t n = host_recv(g, c->id, g->scratch, 8);

    if (n != 8) {
        return false;
    }
    memcpy(number, g->scratch, 8);
    return true;
}

bool have_echo(guest *g)
{
    if (g->step == 0) {
        if (dial(g, 0, "echo\n") != NATLET_OK) {
            fail(g, "open was refused");
            return false;
        }
        next_step(g);
    }
    if (g->step == 1 && first(g)->opens > 0) {
        next_step(g);
    }
    return g->step > 1;
}

/* ---- H5, H6: send and recv ---- */

static void bytes_are_copied(guest *g)
{
    link *c = first(g);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        if (send_pattern(g, c, 1000) != 1000 || send_pattern(g, c, 1) != 1) {
            fail(g, "a small send was not taken whole");
            return;
        }
        next_step(g);
    }
    read_all(g, c);
    if (c->got == 1001) {
        settle(g, !c->is_wrong, "the host kept a buffer instead of its bytes");
    }
}

static void writes_stay_within_cap(guest *g)
{
    natlet_host_info *info = (natlet_host_info *)(uintptr_t)g->scratch;

    memset(g->scratch, 0xee, 256);
    info->size = 8;
    if (host_hello(g, info) != 8 || info->abi >> 16 != NATLET_ABI_MAJOR || g->scratch[8] != 0xee) {
        fail(g, "hello does not keep to the size it was given");
        return;
    }
    info->size = 200;
    if (host_hello(g, info) > 200 || g->scratch[200] != 0xee) {
        fail(g, "hello does not keep to the size it was given");
        return;
    }
    memset(g->scratch, 0xee, 256);
    if (host_random(g, g->scratch, 5) != NATLET_OK || g->scratch[5] != 0xee) {
        fail(g, "random does not keep to the length it was given");
        return;
    }
    memset(g->scratch, 0xee, 256);
    pass(g);
}

static void short_send_means_wait(guest *g)
{
    link *c = first(g);

    if (g->step == 0) {
        /* The peer reads nothing for 300 ms, then 24 MiB, then answers how many were right. */
        (void)dial(g, 0, "sink 300 25165824\n");
        next_step(g);
    }
    if (g->step == 1 && c->opens > 0) {
        int32_t n = 1;
        while (n > 0 && c->sent < SLOW_BYTES) {
            uint64_t left = SLOW_BYTES - c->sent;
            n = send_pattern(g, c, left < SCRATCH_BYTES ? (uint32_t)left : SCRATCH_BYTES);
        }
        if (n < 0) {
            fail(g, "send failed");
            return;
        }
        if (c->sent == SLOW_BYTES) {
            if (c->writables == 0) {
                fail(g, "24 MiB were taken, and nobody read them");
                return;
            }
            next_step(g);
        }
        return;
    }
    uint64_t right = 0;
    if (g->step == 2 && read_number(g, c, &right)) {
        settle(g, right == SLOW_BYTES, "bytes were lost or changed");
    }
}

/* Room that is there again at once, before the guest looks, must be told as well. */
static void short_send_is_never_forgotten(guest *g)
{
    static const uint8_t four_kib[] = {NATLET_OPT_TX_HIGH, 0, 4, 0, 0, 16, 0, 0};
    link *c = first(g);

    if (g->step == 0) {
        c->command = "echo\n";
        (void)dial_with(g, 0, g->url, four_kib, sizeof four_kib);
        next_step(g);
    } else if (g->step == 1 && c->opens > 0) {
        if (send_pattern(g, c, SCRATCH_BYTES) == SCRATCH_BYTES) {
            pass(g);
            return;
        }
        next_step(g);
    } else if (g->step == 2 && (c->writables > 0 || since(g) > 2000)) {
        settle(g, c->writables > 0, "WRITABLE did not come");
    }
}

static void send_has_a_limit(guest *g)
{
    if (!have_echo(g)) {
        return;
    }
    if (g->info.send_bytes_max >= SCRATCH_BYTES * 1024u) {
        skip(g, "the host sets none that could be reached");
        return;
    }
    /* Nothing of it is read, but the address must be the guest's. */
#if defined(__wasm__)
    (void)__builtin_wasm_memory_grow(0, g->info.send_bytes_max / 65536 + 1);
#endif
    int32_t n = host_send(g, first(g)->id, g->scratch, g->info.send_bytes_max + 1);
    settle(g, n == NATLET_E_TOO_LARGE, "a send above send_bytes_max was not refused");
}

static void readable_waits_for_again(guest *g)
{
    link *c = first(g);

    if (g->step == 0) {
        (void)dial(g, 0, "drip 5\n"); /* a byte each 20 ms */
        next_step(g);
    } else if (g->step == 1 && since(g) > PATIENCE_MS) {
        if (c->readables != 1) {
            fail(g, "READABLE came not once before recv said E_AGAIN");
            return;
        }
        read_all(g, c);
        next_step(g);
    } else if (g->step == 2) {
        settle(g, c->got == 5 && !c->is_wrong, "the bytes are wrong");
    }
}

/* ---- H7, H8, H14: the life of a connection ---- */

static void bytes_outlive_the_close(guest *g)
{
    link *c = first(g);

    if (g->step == 0) {
        (void)dial(g, 0, "say 100000 close\n");
        next_step(g);
    } else if (g->step == 1 && c->opens > 0 && (c->closes > 0 || since(g) > PATIENCE_MS)) {
        next_step(g);
    } else if (g->step == 2) {
        read_all(g, c);
        if (c->is_ended) {
            next_step(g);
        }
    } else if (g->step == 3 && c->closes == 1) {
        if (c->got != 100000 || c->is_wrong) {
            fail(g, "bytes sent before the close were lost");
            return;
        }
        settle(g, c->close_status == NATLET_E_CLOSED, "the status is not E_CLOSED");
    }
}

static void reset_is_told_apart(guest *g)
{
    link *c = first(g);

    if (g->step == 0) {
        (void)dial(g, 0, "reset\n");
        next_step(g);
    } else if (g->step == 1 && c->opens > 0) {
        read_all(g, c);
        if (c->closes == 1) {
            settle(g, c->close_status == NATLET_E_IO, "the status is not E_IO");
        }
    }
}

static void refusal_is_only_closed(guest *g)
{
    link *c = first(g);

    if (g->step == 0) {
        c->command = NULL;
        if (dial_with(g, 0, g->refused_url, NULL, 0) != NATLET_OK) {
            fail(g, "open knew at once what it can only know later");
            return;
        }
        next_step(g);
    } else if (c->closes == 1) {
        settle(g, c->events == 1 && c->close_status == NATLET_E_IO,
               "more than CLOSED with E_IO was told");
    }
}

static void own_close_ends_with_closed(guest *g)
{
    link *c = first(g);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        (void)send_pattern(g, c, 10);
        /* A code that a page may not use, and more text than a close frame holds. */
        memset(g->scratch, 'y', 200);
        if (host_close(g, c->id, 1001, (const char *)g->scratch, 200) != NATLET_OK) {
            fail(g, "close failed");
            return;
        }
        if (host_recv(g, c->id, g->scratch, 10) != NATLET_E_CLOSED ||
            host_send(g, c->id, g->scratch, 10) != NATLET_E_CLOSED) {
            fail(g, "recv and send still work after close");
            return;
        }
        next_step(g);
    } else if (g->step == 3 && c->closes == 1 && since(g) > PATIENCE_MS) {
        settle(g, c->close_status == NATLET_OK, "the status is not OK");
    }
}

static void deadline_ends_with_open(guest *g)
{
    static const uint8_t soon[] = {NATLET_OPT_CONNECT_MS, 0, 4, 0, 44, 1, 0, 0}; /* 300 */
    link *c = first(g);

    if (g->step == 0) {
        c->command = NULL;
        (void)dial_with(g, 0, g->url, soon, sizeof soon);
        next_step(g);
    } else if (g->step == 1 && c->opens > 0) {
        next_step(g);
    } else if (g->step == 2 && since(g) > PATIENCE_MS) {
        settle(g, c->closes == 0, "CONNECT_MS ended a connection that was open");
    }
}

static void closed_names_are_dead(guest *g)
{
    static uint32_t old;
    link *c = first(g);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        old = c->id;
        (void)send_pattern(g, c, 10);
        (void)host_close(g, old, 1000, "", 0);
        next_step(g);
    } else if (g->step == 3 && c->closes == 1) {
        if (dial(g, 0, "echo\n") != NATLET_OK) {
            fail(g, "the slot was not free after CLOSED");
            return;
        }
        next_step(g);
    } else if (g->step == 4 && c->opens == 1) {
        if (host_recv(g, old, g->scratch, 10) >= NATLET_E_AGAIN ||
            host_send(g, old, g->scratch, 10) >= 0) {
            fail(g, "the name of the old connection still works");
            return;
        }
        (void)host_close(g, old, 1000, "", 0);
        (void)send_pattern(g, c, 10);
        next_step(g);
    } else if (g->step == 5) {
        read_all(g, c);
        if (c->got == 10) {
            settle(g, g->strays == 0 && c->closes == 0, "events of the old one came");
        }
    }
}

static void slots_are_used_once(guest *g)
{
    link *c = first(g);
    uint32_t again = (g->generation + 1) << 16 | 1;
    uint32_t len = (uint32_t)strlen(g->url);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        if (g->host->open(g->host->self, again, g->transport, g->url, len, NULL, 0) !=
            NATLET_E_INVALID) {
            fail(g, "a slot in use was opened again");
            return;
        }
        (void)host_close(g, c->id, 1000, "", 0);
        if (g->host->open(g->host->self, again, g->transport, g->url, len, NULL, 0) !=
            NATLET_E_INVALID) {
            fail(g, "a slot was opened again before CLOSED");
            return;
        }
        next_step(g);
    } else if (c->closes == 1) {
        pass(g);
    }
}

/* ---- H9: what is unknown ---- */

static void unknown_options(guest *g)
{
    static const uint8_t harmless[] = {0x34, 0x12, 3, 0, 'a', 'b', 'c'};
    static const uint8_t critical[] = {0x34, 0x92, 3, 0, 'a', 'b', 'c'};
    static const uint8_t cut[] = {0x34, 0x12, 4, 0, 'a', 'b', 'c'};
    link *c = first(g);

    if (g->step == 0) {
        if (dial_with(g, 0, g->url, critical, sizeof critical) != NATLET_E_UNSUPPORTED) {
            fail(g, "an unknown critical option was not refused");
        } else if (dial_with(g, 0, g->url, cut, sizeof cut) != NATLET_E_INVALID) {
            fail(g, "an option that is cut off was not refused");
        } else if (dial_with(g, 0, g->url, harmless, sizeof harmless) != NATLET_OK) {
            fail(g, "an unknown option was not ignored");
        } else {
            next_step(g);
        }
    } else if (c->opens == 1) {
        pass(g);
    }
}

static void unknown_requests(guest *g)
{
    const natlet_host *h = g->host;
    natlet_host_info info = {.size = sizeof info};
    uint32_t len = (uint32_t)strlen(g->url);

    if (h->open(h->self, 0x7ff10001, 99, g->url, len, NULL, 0) != NATLET_E_UNSUPPORTED) {
        fail(g, "an unknown transport was not refused");
    } else if (h->open(h->self, 0x7ff10001, g->transport, "nothing", 7, NULL, 0) !=
               NATLET_E_INVALID) {
        fail(g, "what is no URL was not refused");
    } else if (h->open(h->self, 0x7ff10001, g->transport, g->denied_url,
                       (uint32_t)strlen(g->denied_url), NULL, 0) != NATLET_E_DENIED) {
        fail(g, "the operator's allow-list was not kept");
    } else if (h->ctl(h->self, 0x7777, 0, NULL, 0) != NATLET_E_UNSUPPORTED) {
        fail(g, "an unknown ctl was not refused");
    } else if (h->hello(h->self, 99u << 16, &info) != NATLET_E_UNSUPPORTED) {
        fail(g, "another major version was not refused");
    } else {
        pass(g);
    }
}

/* ---- H10, H15, H16: when the guest is called ---- */

static void calls_come_in_time(guest *g)
{
    static double asked_ms;

    if (g->step == 0) {
        asked_ms = g->now_ms;
        g->wait_ms = 200;
        next_step(g);
        return;
    }
    double took = g->now_ms - asked_ms;
    if (took < 190) { /* an early call is free */
        g->wait_ms = (uint32_t)(200 - took);
        return;
    }
    settle(g, took < 2000, "200 ms took more than 2 s");
}

static void events_end_the_wait(guest *g)
{
    link *c = first(g);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        (void)send_pattern(g, c, 1);
        g->wait_ms = 10000; /* far longer than it may take */
        next_step(g);
    } else if (c->readables > 0 || since(g) > 5000) {
        settle(g, since(g) < 5000, "the guest was called only when its time was up");
    } else {
        g->wait_ms = 10000;
    }
}

static void waiting_needs_leave(guest *g)
{
    double before = g->now_ms;
    int32_t count = host_poll(g, g->events, EVENTS_MAX, 50);

    if (!can(g, NATLET_CAP_BLOCK)) {
        settle(g, count == NATLET_E_INVALID, "poll with a timeout was not refused");
        return;
    }
    g->now_ms = g->host->clock(g->host->self, NATLET_CLOCK_MONOTONIC);
    settle(g, count == 0 && g->now_ms - before > 45, "poll did not wait for 50 ms");
}

static void wake_is_heard(guest *g)
{
    if (g->step == 0) {
        g->is_inside = true;
        g->host->wake(g->host->self);
        g->host->wake(g->host->self);
        g->is_inside = false;
        g->wait_ms = 10000; /* far longer than it may take */
        next_step(g);
    } else if (g->wakes > 0) {
        settle(g, since(g) < 5000, "WAKE was late");
    } else {
        fail(g, "the guest was called, and there was no WAKE");
    }
}

/* ---- H11 ---- */

static void random_is_random(guest *g)
{
    uint8_t *a = g->scratch;
    uint8_t *b = g->scratch + 32;
    uint32_t zeros = 0;

    if (host_random(g, a, 32) != NATLET_OK || host_random(g, b, 32) != NATLET_OK ||
        host_random(g, a, 0) != NATLET_OK) {
        fail(g, "random failed");
        return;
    }
    if (memcmp(a, b, 32) == 0) {
        fail(g, "it says the same twice");
        return;
    }
    memset(g->scratch, 0, SCRATCH_BYTES);
    (void)host_random(g, g->scratch, SCRATCH_BYTES);
    for (uint32_t i = 0; i < SCRATCH_BYTES; i++) {
        zeros += g->scratch[i] == 0;
    }
    memset(g->scratch, 0xee, SCRATCH_BYTES);
    settle(g, zeros < SCRATCH_BYTES / 128, "96 KiB were not filled");
}

/* ---- H12, H13: what the peer must not do ---- */

static void text_frames_close(guest *g)
{
    link *c = first(g);

    if (g->transport != NATLET_TRANSPORT_WS) {
        skip(g, "frames are the module's here");
        return;
    }
    if (g->step == 0) {
        (void)dial(g, 0, "text\n");
        next_step(g);
    } else if (c->closes == 1) {
        settle(g, c->close_code == 4003 || c->close_code == 1003, "the code is wrong");
    }
}

static void queue_has_a_limit(guest *g)
{
    static const uint8_t one_mib[] = {NATLET_OPT_RX_LIMIT, 0, 4, 0, 0, 0, 16, 0};
    link *c = first(g);

    if (can(g, NATLET_CAP_RXPAUSE)) {
        skip(g, "the host makes the peer wait");
        return;
    }
    if (g->step == 0) {
        c->command = "flood 33554432\n";
        (void)dial_with(g, 0, g->url, one_mib, sizeof one_mib);
        next_step(g);
    } else if (c->closes == 1) {
        read_all(g, c);
        if (c->close_status != NATLET_E_LIMIT || c->close_code != 4008) {
            fail(g, "not E_LIMIT and 4008");
            return;
        }
        settle(g, c->got <= 1 << 20 && !c->is_wrong, "more was queued than allowed");
    }
}

static void peer_waits_for_recv(guest *g)
{
    link *c = first(g);
    uint64_t flooded = 0;

    if (!can(g, NATLET_CAP_RXPAUSE)) {
        skip(g, "the host cannot make the peer wait");
        return;
    }
    if (g->step == 0) {
        (void)dial(g, 0, "flood 33554432\n");
        next_step(g);
    } else if (g->step == 1 && c->readables > 0 && since(g) > PATIENCE_MS) {
        (void)dial(g, 1, "flooded\n");
        next_step(g);
    } else if (g->step == 2 && g->links[1].readables > 0 &&
               read_number(g, &g->links[1], &flooded)) {
        if (flooded >= FLOOD_BYTES) {
            fail(g, "32 MiB were read before the guest asked for them");
            return;
        }
        next_step(g);
    } else if (g->step == 3) {
        read_all(g, c);
        if (c->got == FLOOD_BYTES) {
            settle(g, !c->is_wrong, "the bytes are wrong");
        }
    }
}

/* ---- H1, H2: last, when all the others had their chance to break them ---- */

static void imports_are_leaves(guest *g)
{
    settle(g, !g->was_entered_inside, "the host called the guest from inside a call");
}

static void calls_do_not_nest(guest *g)
{
    settle(g, !g->was_nested, "natlet_run was called while it ran");
}

const rule guest_rules[] = {
    {"H3 memory may grow between two calls", memory_may_grow},
    {"H4 addresses are checked, without a partial effect", addresses_are_checked},
    {"H5 what is sent is copied", bytes_are_copied},
    {"H5 nothing is written beyond what was offered", writes_stay_within_cap},
    {"H6 a short send is followed by WRITABLE", short_send_means_wait},
    {"H6 WRITABLE comes also if there is room at once", short_send_is_never_forgotten},
    {"H6 a send above the limit is refused", send_has_a_limit},
    {"H7 READABLE comes once until recv says E_AGAIN", readable_waits_for_again},
    {"H7 bytes before the close stay readable", bytes_outlive_the_close},
    {"H7 a reset is told apart from an end", reset_is_told_apart},
    {"H7 a refused connection is CLOSED and nothing else", refusal_is_only_closed},
    {"H7 one's own close ends with CLOSED", own_close_ends_with_closed},
    {"H7 the deadline to connect ends with OPEN", deadline_ends_with_open},
    {"H8 the name of a closed connection is dead", closed_names_are_dead},
    {"H9 unknown options are ignored unless critical", unknown_options},
    {"H9 unknown requests are refused", unknown_requests},
    {"H10 the guest is called in time", calls_come_in_time},
    {"H10 an event ends the wait", events_end_the_wait},
    {"H11 random bytes are random", random_is_random},
    {"H12 a text frame ends the connection", text_frames_close},
    {"H13 the receive queue has a limit", queue_has_a_limit},
    {"H13 the peer waits while the guest does not receive", peer_waits_for_recv},
    {"H14 a slot is free again after CLOSED", slots_are_used_once},
    {"H15 poll waits only where the host can", waiting_needs_leave},
    {"H16 wake is heard", wake_is_heard},
    {"H1 the host's functions are leaves", imports_are_leaves},
    {"H2 one call at a time", calls_do_not_nest},
};

const uint32_t guest_rule_count = sizeof guest_rules / sizeof guest_rules[0];
