#include "nap.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_us(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

bool natlet__posix_nap_check(natlet__posix_nap *nap, uint64_t boot_us, uint64_t mono_us)
{
    uint64_t gap_us = boot_us > mono_us ? boot_us - mono_us : 0;
    bool has_slept = gap_us >= nap->gap_us + NATLET__POSIX_NAP_MIN_US;

    if (gap_us > nap->gap_us) {
        nap->gap_us = gap_us;
    }
    return has_slept;
}

bool natlet__posix_nap_ended(natlet__posix_nap *nap)
{
    uint64_t boot_us = clock_us(CLOCK_BOOTTIME);

    return natlet__posix_nap_check(nap, boot_us, clock_us(CLOCK_MONOTONIC));
}

/* A timer that never fires, but is cancelled when the wall clock jumps, which
 * waking up is: else a long wait in poll would sleep through it. */
void natlet__posix_nap_init(natlet__posix_nap *nap)
{
    const struct itimerspec never = {.it_value = {.tv_sec = INT32_MAX}};

    nap->gap_us = 0;
    nap->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (nap->fd >= 0) {
        (void)timerfd_settime(nap->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
    }
    (void)natlet__posix_nap_ended(nap); /* what was slept before does not count */
}

void natlet__posix_nap_ready(natlet__posix_nap *nap)
{
    uint64_t times;
    ssize_t n = read(nap->fd, &times, sizeof times); /* ECANCELED, which is the news */

    (void)n;
}

void natlet__posix_nap_drop(natlet__posix_nap *nap)
{
    if (nap->fd >= 0) {
        (void)close(nap->fd);
    }
}
