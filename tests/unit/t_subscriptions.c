/* Goal: a number leads to its subscription or to nothing, never to another one;
 * numbers come back late; the table grows to its limit only.
 *
 * Method: a random history against a plain list of what is live. */
#include "client/subscriptions.h"

#include "support/test.h"
#include "support/test_host.h"

enum { LIMIT = 100, STEPS = 20000 };

static test_memory memory;
static natlet__memory budget;
static natlet__roster subs;

static void set_up(void)
{
    test_memory_init(&memory);
    budget = (natlet__memory){.allocator = memory.allocator};
    natlet__subscriptions_init(&subs, &budget, LIMIT);
}

static void tear_down(void)
{
    natlet__subscriptions_free(&subs);
    CHECK_INT(memory.live_blocks, 0);
    CHECK_INT(memory.errors, 0);
}

static natlet_status add(const char *subject, const char *queue, uint32_t *sid)
{
    natlet__subscription *sub =
        natlet__subscriptions_add(&subs, (natlet_slice){(const uint8_t *)subject, strlen(subject)},
                                  (natlet_slice){(const uint8_t *)queue, strlen(queue)});

    if (sub == NULL) {
        return natlet__roster_refusal(&subs);
    }
    *sid = sub->sid;
    return NATLET_OK;
}

/* As it stands in a SUB. */
static natlet_slice text_of(uint32_t sid)
{
    const natlet__subscription *sub = natlet__subscriptions_find(&subs, sid);

    return (natlet_slice){sub->text, sub->len};
}

static void keeps_subject_and_queue(void)
{
    uint32_t sid = 0;

    set_up();
    CHECK(add("a.b", "q", &sid) == NATLET_OK);
    CHECK_INT(sid, (1 << 20) | 1);
    CHECK_SLICE(text_of(sid), "a.b q");
    CHECK(natlet__subscriptions_find(&subs, sid + (UINT64_C(1) << 32)) == NULL);
    CHECK(natlet__subscriptions_find(&subs, 0) == NULL);
    CHECK(natlet__subscriptions_find(&subs, 1) == NULL);
    CHECK(natlet__subscriptions_find(&subs, sid + 1) == NULL);
    CHECK(add("c.d", "", &sid) == NATLET_OK);
    CHECK_SLICE(text_of(sid), "c.d");
    tear_down();
}

static void a_random_history(void)
{
    uint32_t live[LIMIT];
    uint32_t gone = 0;
    uint32_t count = 0;
    uint64_t seed = 11;

    set_up();
    for (int i = 0; i < STEPS; i++) {
        uint64_t r = test_random(&seed);
        if (r % 2 == 0 || count == 0) {
            uint32_t sid = 0;
            natlet_status st = add("subject", "", &sid);
            CHECK(st == (count < LIMIT ? NATLET_OK : NATLET_E_LIMIT));
            for (uint32_t k = 0; k < count; k++) {
                CHECK(live[k] != sid);
            }
            CHECK(sid != gone);
            if (st == NATLET_OK) {
                live[count++] = sid;
            }
        } else {
            uint32_t k = (uint32_t)(r >> 8) % count;
            gone = live[k];
            natlet__subscriptions_remove(&subs, natlet__subscriptions_find(&subs, gone));
            live[k] = live[--count];
            CHECK(natlet__subscriptions_find(&subs, gone) == NULL);
        }
        CHECK_INT(natlet__roster_used(&subs), count);
    }
    uint32_t seen = 0;
    for (natlet__member *at = subs.circle.next; at != &subs.circle; at = at->next) {
        const natlet__subscription *sub = (natlet__subscription *)at;
        CHECK(natlet__subscriptions_find(&subs, sub->sid) == sub);
        seen++;
    }
    CHECK_INT(seen, count);
    tear_down();
}

static void every_allocation_may_fail(void)
{
    for (uint32_t n = 1;; n++) {
        uint32_t sid;
        int added = 0;
        set_up();
        memory.fail_at = n;
        for (int i = 0; i < 20; i++) {
            natlet_status st = add("a", "b", &sid);
            CHECK(st == NATLET_OK || st == NATLET_E_NO_MEMORY);
            added += st == NATLET_OK;
        }
        CHECK_INT(added, memory.refused > 0 ? 19 : 20);
        bool is_last = memory.refused == 0;
        tear_down();
        if (is_last) {
            break;
        }
    }
}

int main(void)
{
    RUN(keeps_subject_and_queue);
    RUN(a_random_history);
    RUN(every_allocation_may_fail);
    return test_done();
}
