/* A breaker that rules an agent: OPEN suspends it, and an alarm at the end of OPEN looks at
 * the breaker, for nobody asks it for calls meanwhile. */
#include "agent/kernel.h"
#include "natlet/breaker.h"

typedef struct guard_alarm {
    natlet__alarm alarm; /* first */
    natlet_guard *guard;
} guard_alarm;

_Static_assert(sizeof(guard_alarm) <= sizeof((natlet_guard *)NULL)->alarm, "its place");

static guard_alarm *alarm_of(natlet_guard *guard)
{
    void *place = guard->alarm;

    return place;
}

/* The running child of that name may be another incarnation than the one that failed. */
static void rule(const natlet_guard *guard, bool is_open)
{
    natlet_pid pid = natlet_cell_find(guard->cell, guard->agent);

    if (is_open) {
        (void)natlet_agent_suspend(guard->cell, pid);
    } else {
        (void)natlet_agent_resume(guard->cell, pid);
    }
}

static void follow(natlet_guard *guard)
{
    natlet_breaker_stats now = natlet_breaker_stats_now(guard->cell, guard->breaker);
    bool is_open = now.state == NATLET_BREAKER_OPEN;

    rule(guard, is_open);
    natlet__timers_stop(&guard->cell->timers, &alarm_of(guard)->alarm.timer);
    if (is_open) {
        natlet__cell_alarm(guard->cell, &alarm_of(guard)->alarm, now.wait_ms);
    }
}

static void on_change(void *self, natlet_breaker *breaker, natlet_breaker_state was)
{
    natlet_guard *guard = self;

    follow(guard);
    if (guard->on_change != NULL) {
        guard->on_change(guard->self, breaker, was);
    }
}

/* OPEN may have been made longer meanwhile. */
static void ring(natlet_cell *cell, natlet__alarm *alarm)
{
    natlet_guard *guard = ((guard_alarm *)alarm)->guard;

    if (natlet_breaker_look(cell, guard->breaker) == NATLET_BREAKER_OPEN) {
        follow(guard);
    }
}

void natlet_guard_begin(natlet_guard *guard, natlet_cell *cell, natlet_breaker *breaker,
                        natlet_slice agent)
{
    *guard = (natlet_guard){.cell = cell,
                            .breaker = breaker,
                            .agent = agent,
                            .on_change = breaker->config.on_change,
                            .self = breaker->config.self};
    alarm_of(guard)->alarm.ring = ring;
    alarm_of(guard)->guard = guard;
    breaker->config.on_change = on_change;
    breaker->config.self = guard;
    follow(guard);
}

void natlet_guard_end(natlet_guard *guard)
{
    natlet__timers_stop(&guard->cell->timers, &alarm_of(guard)->alarm.timer);
    rule(guard, false);
    guard->breaker->config.on_change = guard->on_change;
    guard->breaker->config.self = guard->self;
}
