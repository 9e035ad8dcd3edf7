/* Notices that the machine was suspended.
 *
 * Internal.  CLOCK_MONOTONIC stands still meanwhile, CLOCK_BOOTTIME goes on: their
 * distance is the time slept.  Timers are late by as much, and peers may be gone. */
#ifndef NATLET_POSIX_NAP_H
#define NATLET_POSIX_NAP_H

#include <stdbool.h>
#include <stdint.h>

enum { NATLET__POSIX_NAP_MIN_US = 1000000 };

typedef struct natlet__posix_nap {
    int fd;          /* becomes readable after a sleep, and if somebody sets the clock */
    uint64_t gap_us; /* the greatest distance so far */
} natlet__posix_nap;

/* Without a timer descriptor (fd -1) it is noticed at the next wake-up only. */
void natlet__posix_nap_init(natlet__posix_nap *nap);

/* What poll said about fd: makes it wait for the next time. */
void natlet__posix_nap_ready(natlet__posix_nap *nap);

/* Whether there was a sleep since the last question. */
bool natlet__posix_nap_ended(natlet__posix_nap *nap);

/* The same for given clocks.  `boot_us` was read before `mono_us`: a thread that is
 * held up in between makes the distance smaller, never greater. */
bool natlet__posix_nap_check(natlet__posix_nap *nap, uint64_t boot_us, uint64_t mono_us);

void natlet__posix_nap_drop(natlet__posix_nap *nap);

#endif
