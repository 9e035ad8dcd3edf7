/* Restarts that wait (natlet_backoff).  The child is in BACKOFF while its alarm runs, and
 * still when that rang and it stands in its supervisor's events. */
#include "agent/delay.h"
#include "agent/kernel.h"

#pragma weak natlet_breaker_trip /* a program that has a breaker has it */

enum { US_PER_MS = 1000 };

static void ring(natlet_cell *cell, natlet__alarm *alarm)
{
    void *at = (char *)alarm - offsetof(natlet__care, alarm);
    natlet__agent *child = (natlet__agent *)at - 1; /* which its care is behind */

    natlet__list_put(&natlet__supervisor_of(child->parent)->events, &child->turn);
    natlet__agent_schedule(cell, child->parent);
}

/* Whether so many others wait that it is hardly this child's fault. */
static bool is_storm(const natlet__supervisor *sup)
{
    return (uint64_t)sup->waiting * 4 > sup->count;
}

static bool was_stable(const natlet_cell *cell, const natlet__care *care,
                       const natlet_backoff *config)
{
    uint64_t ran_us = natlet_runtime_now_us(cell->rt) - care->started_us;
    uint64_t least_ms = config->stable_ms;

    if (least_ms == 0) {
        least_ms = (uint64_t)care->delay_ms * 2;
        least_ms = least_ms > NATLET_STABLE_MS_MIN ? least_ms : NATLET_STABLE_MS_MIN;
    }
    return ran_us >= least_ms * US_PER_MS;
}

/* For the next one who starts it, the count begins anew. */
static int32_t give_up(natlet_cell *cell, natlet__care *care, const natlet_backoff *config)
{
    care->tries = 0;
    if (config->give_up == NATLET_GIVE_UP_EXIT) {
        return NATLET__EXIT;
    }
    if (config->breaker != NULL && natlet_breaker_trip != NULL) {
        natlet_breaker_trip(cell, config->breaker);
    }
    return NATLET__PARK;
}

int32_t natlet__backoff_put_off(natlet_cell *cell, natlet__agent *child)
{
    const natlet_backoff *config = child->child.backoff;
    natlet__supervisor *sup = natlet__supervisor_of(child->parent);
    natlet__care *care = child->care;
    uint32_t cap_ms = config->cap_ms > 0 ? config->cap_ms : NATLET_DELAY_CAP_MS_DEFAULT;

    if (config->base_ms == 0) {
        return NATLET__RESTART;
    }
    care->tries = was_stable(cell, care, config) ? 0 : care->tries;
    if (config->tries_max > 0 && care->tries == config->tries_max) {
        return give_up(cell, care, config);
    }
    care->tries += care->tries < UINT32_MAX;
    care->delay_ms =
        is_storm(sup) ? cap_ms : natlet__delay_ms(config->base_ms, cap_ms, care->tries);
    care->alarm.ring = ring;
    natlet__agent_enter(cell, child, NATLET_AGENT_BACKOFF);
    sup->waiting++;
    natlet__cell_alarm(
        cell, &care->alarm,
        natlet__delay_jitter(&cell->rt->random, care->delay_ms, config->jitter_percent));
    return NATLET__WAIT;
}
