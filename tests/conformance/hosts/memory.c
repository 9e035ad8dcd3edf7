/* H3 and H4: memory that grows, and addresses outside of it. */
#include "guest.h"

#include <string.h>

#if defined(__wasm__)

enum { PAGE = 65536 };

/* The start of pages that are in the memory only from now on. */
static uint8_t *new_pages(uint32_t count)
{
    return (uint8_t *)(__builtin_wasm_memory_grow(0, count) * PAGE);
}

void memory_may_grow(guest *g)
{
    link *c = first(g);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        g->scratch = new_pages(SCRATCH_BYTES / PAGE + 1);
        g->events = (natlet_host_event *)(uintptr_t)new_pages(1);
        natlet_host_info *info = (natlet_host_info *)(uintptr_t)new_pages(1);
        info->size = sizeof *info;
        if (host_hello(g, info) < 0 || info->caps != g->info.caps) {
            fail(g, "hello did not write to a page that was added");
        } else if (host_random(g, new_pages(1), PAGE) != NATLET_OK) {
            fail(g, "random did not write to a page that was added");
        } else if (send_pattern(g, c, 1000) != 1000) {
            fail(g, "send did not read from a page that was added");
        } else {
            memset(g->scratch, 0xee, SCRATCH_BYTES);
            next_step(g);
        }
        return;
    }
    read_all(g, c);
    if (c->got == 1000) {
        settle(g, !c->is_wrong, "the bytes are wrong");
    }
}

/* Each call names memory that ends `over` bytes beyond the end. */
static const char *first_fault_missed(guest *g, uint32_t conn, uint8_t *end, uint32_t over)
{
    const natlet_host *h = g->host;
    natlet_host_event *events = (natlet_host_event *)(uintptr_t)(end - 16);

    if (h->recv(h->self, conn, end - 8, 8 + over) != NATLET_E_FAULT) {
        return "recv";
    }
    if (h->send(h->self, conn, end - 8, 8 + over) != NATLET_E_FAULT) {
        return "send";
    }
    if (h->close(h->self, conn, 1000, (const char *)end - 8, 8 + over) != NATLET_E_FAULT) {
        return "close";
    }
    if (h->random(h->self, end - 8, 8 + over) != NATLET_E_FAULT) {
        return "random";
    }
    if (h->poll(h->self, events, 2, 0) != NATLET_E_FAULT) {
        return "poll";
    }
    if (h->open(h->self, 0x7fff0009, g->transport, (const char *)end - 8, 8 + over, NULL, 0) !=
            NATLET_E_FAULT ||
        h->open(h->self, 0x7fff0009, g->transport, g->url, (uint32_t)strlen(g->url), end - 8,
                8 + over) != NATLET_E_FAULT) {
        return "open";
    }
    return NULL;
}

static const char *fault_missed(guest *g, uint32_t conn)
{
    const natlet_host *h = g->host;
    uint8_t *end = (uint8_t *)(__builtin_wasm_memory_size(0) * PAGE);
    const char *missed = first_fault_missed(g, conn, end, 1);

    if (missed == NULL) { /* sums and products that wrap around in 32 bits */
        missed = first_fault_missed(g, conn, end, UINT32_MAX - 8);
    }
    if (missed == NULL && h->poll(h->self, g->events, 0x10000001, 0) != NATLET_E_FAULT) {
        missed = "poll";
    }
    natlet_host_info *out = (natlet_host_info *)(uintptr_t)(end - 4);
    out->size = sizeof *out;
    if (missed == NULL && h->hello(h->self, NATLET_ABI, out) != NATLET_E_FAULT) {
        missed = "hello";
    }
    h->log(h->self, NATLET_LOG_DEBUG, (const char *)end - 8, 9); /* has no answer */
    return missed;
}

void addresses_are_checked(guest *g)
{
    link *c = first(g);

    if (!have_echo(g)) {
        return;
    }
    if (g->step == 2) {
        (void)send_pattern(g, c, 100);
        next_step(g);
    } else if (g->step == 3 && c->readables > 0) {
        const char *missed = fault_missed(g, c->id);
        if (missed != NULL) {
            fail(g, missed);
            return;
        }
        next_step(g);
    } else if (g->step == 4) { /* nothing of it had an effect */
        read_all(g, c);
        if (c->got == 100) {
            settle(g, !c->is_wrong && c->closes == 0, "a refused call had an effect");
        }
    }
}

#else

void memory_may_grow(guest *g)
{
    skip(g, "a native host has no memory that moves");
}

void addresses_are_checked(guest *g)
{
    skip(g, "a native host shares the guest's memory");
}

#endif
