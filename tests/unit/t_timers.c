/* Goal: timers fire in the order of their deadline, then of their start, through
 * any mix of starting, moving and stopping.
 * Method: thousands of random operations, each repeated on a plain table that is
 * searched from end to end; few deadlines, so that ties are common. */
#include "base/timers.h"
#include "support/test.h"

enum { COUNT = 40, ROUNDS = 60, STEPS = 400 };

typedef struct naive {
    bool running[COUNT];
    uint64_t due[COUNT];
    uint64_t order[COUNT];
    uint64_t started;
} naive;

static int naive_first(const naive *n)
{
    int first = -1;

    for (int i = 0; i < COUNT; i++) {
        if (n->running[i] && (first < 0 || n->due[i] < n->due[first] ||
                              (n->due[i] == n->due[first] && n->order[i] < n->order[first]))) {
            first = i;
        }
    }
    return first;
}

static void start_both(natlet__timers *set, natlet__timer *t, naive *n, int i, uint64_t due)
{
    natlet__timers_start(set, &t[i], due);
    n->running[i] = true;
    n->due[i] = due;
    n->order[i] = n->started++;
}

static void stop_both(natlet__timers *set, natlet__timer *t, naive *n, int i)
{
    natlet__timers_stop(set, &t[i]);
    n->running[i] = false;
}

static void take_both(natlet__timers *set, natlet__timer *t, naive *n, uint64_t now)
{
    int first = naive_first(n);
    natlet__timer *taken = natlet__timers_take(set, now);

    if (first >= 0 && n->due[first] <= now) {
        CHECK(taken == &t[first]);
        n->running[first] = false;
    } else {
        CHECK(taken == NULL);
    }
}

static void behaves_like_a_table(void)
{
    uint64_t seed = 1;

    for (int round = 0; round < ROUNDS; round++) {
        natlet__timers set = {0};
        natlet__timer t[COUNT] = {{0}};
        naive n = {.started = 0};
        uint64_t span = (uint64_t)1 << (round % 12); /* from all equal to all different */

        for (int step = 0; step < STEPS; step++) {
            uint64_t dice = test_random(&seed);
            int i = (int)(dice >> 8 & 0xffff) % COUNT;
            if (dice % 8 < 4) {
                start_both(&set, t, &n, i, (dice >> 32) % span);
            } else if (dice % 8 < 6) {
                stop_both(&set, t, &n, i);
            } else {
                take_both(&set, t, &n, (dice >> 32) % span);
            }
            int first = naive_first(&n);
            CHECK(natlet__timers_due(&set) == (first < 0 ? NATLET__NEVER_US : n.due[first]));
            CHECK(t[i].running == n.running[i]);
        }
        while (naive_first(&n) >= 0) {
            take_both(&set, t, &n, UINT64_MAX);
        }
        CHECK(set.root == NULL);
    }
}

static void ties_fire_first_come_first_served(void)
{
    natlet__timers set = {0};
    natlet__timer t[5] = {{0}};

    for (int i = 0; i < 5; i++) {
        natlet__timers_start(&set, &t[i], 10);
    }
    natlet__timers_start(&set, &t[1], 10); /* moved, hence last */
    CHECK(natlet__timers_take(&set, 9) == NULL);
    CHECK(natlet__timers_take(&set, 10) == &t[0]);
    CHECK(natlet__timers_take(&set, 10) == &t[2]);
    CHECK(natlet__timers_take(&set, 10) == &t[3]);
    CHECK(natlet__timers_take(&set, 10) == &t[4]);
    CHECK(natlet__timers_take(&set, 10) == &t[1]);
    CHECK(natlet__timers_take(&set, UINT64_MAX) == NULL);
}

static void an_empty_set_never_fires(void)
{
    natlet__timers set = {0};
    natlet__timer t = {0};

    CHECK(natlet__timers_due(&set) == NATLET__NEVER_US);
    natlet__timers_stop(&set, &t);
    natlet__timers_start(&set, &t, 0);
    CHECK(natlet__timers_due(&set) == 0);
    natlet__timers_stop(&set, &t);
    natlet__timers_stop(&set, &t);
    CHECK(natlet__timers_take(&set, UINT64_MAX) == NULL);
}

/* A timer may be started again by the code that it fired. */
static void a_fired_timer_starts_again(void)
{
    natlet__timers set = {0};
    natlet__timer t = {.kind = 3};

    for (uint64_t now = 0; now < 5; now++) {
        natlet__timers_start(&set, &t, now);
        natlet__timer *fired = natlet__timers_take(&set, now);
        CHECK(fired == &t && fired->kind == 3 && !fired->running);
    }
}

int main(void)
{
    RUN(behaves_like_a_table);
    RUN(ties_fire_first_come_first_served);
    RUN(an_empty_set_never_fires);
    RUN(a_fired_timer_starts_again);
    return test_done();
}
