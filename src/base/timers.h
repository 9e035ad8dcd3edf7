/* Timers in order of their deadline, then of their start.
 *
 * Internal.  A skew heap threaded through the timers themselves: the earliest is at
 * hand, starting and stopping cost O(log n) on average, and nothing is allocated. */
#ifndef NATLET_BASE_TIMERS_H
#define NATLET_BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct natlet__timer natlet__timer;

struct natlet__timer {
    natlet__timer *left, *right;
    natlet__timer **link; /* the pointer to this timer, in its parent or the set */
    uint64_t due_us;
    uint64_t order; /* position among all starts: ties fire first come, first served */
    uint32_t kind;  /* the owner's: which of its timers this is */
    bool running;
};

typedef struct natlet__timers {
    natlet__timer *root;
    uint64_t started; /* starts so far */
} natlet__timers;

#define NATLET__NEVER_US UINT64_MAX

/* Starts `t`, or moves it if it runs already.  `t` must stay in place until it
 * fired or was stopped. */
void natlet__timers_start(natlet__timers *set, natlet__timer *t, uint64_t due_us);

/* Stops `t`; one that does not run is left alone. */
void natlet__timers_stop(natlet__timers *set, natlet__timer *t);

/* Deadline of the earliest, or NATLET__NEVER_US. */
uint64_t natlet__timers_due(const natlet__timers *set);

/* Takes the earliest out if its deadline is not after `now_us`; else NULL. */
natlet__timer *natlet__timers_take(natlet__timers *set, uint64_t now_us);

#endif
