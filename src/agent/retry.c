/* Mail that comes again (natlet_retry).  What is parked is in no mailbox, and nowhere
 * else: its alarm or a drain takes it from here. */
#include "agent/delay.h"
#include "agent/kernel.h"

typedef struct parked {
    natlet__link link; /* first: in the child's `parked` */
    natlet__alarm alarm;
    natlet__agent *agent;
    natlet_mail *mail;
} parked;

static void bury(natlet_cell *cell, natlet__agent *agent, natlet_mail *mail,
                 natlet_dead_reason reason)
{
    natlet__dead_letter(cell, mail, reason, agent);
    natlet__mail_free(cell, mail);
}

/* The mail's attempt is still the one that asked for a retry. */
static void start_alarm(natlet_cell *cell, parked *place)
{
    const natlet_retry *config = place->agent->child.retry;
    uint32_t cap_ms = config->cap_ms > 0 ? config->cap_ms : NATLET_DELAY_CAP_MS_DEFAULT;
    uint32_t base_ms = config->base_ms > 0 ? config->base_ms : 1; /* or it rang again at once */
    uint32_t ms = natlet__delay_ms(base_ms, cap_ms, place->mail->attempt);

    natlet__cell_alarm(cell, &place->alarm,
                       natlet__delay_jitter(&cell->rt->random, ms, config->jitter_percent));
}

/* Gives the place back.  Answers whose mail was in it. */
static natlet_mail *leave(natlet_cell *cell, parked *place)
{
    natlet_mail *mail = place->mail;

    natlet__timers_stop(&cell->timers, &place->alarm.timer);
    natlet__list_cut(&place->link);
    place->agent->care->parked_count--;
    cell->stats.parked--;
    natlet__pool_give_back(&cell->pool, place);
    return mail;
}

static void ring(natlet_cell *cell, natlet__alarm *alarm)
{
    void *at = (char *)alarm - offsetof(parked, alarm);
    parked *place = at;
    natlet__agent *agent = place->agent;

    if (natlet__mailbox_room(&agent->mailbox, place->mail->priority, place->mail->bytes) < 0) {
        start_alarm(cell, place);
        return;
    }
    natlet_mail *mail = leave(cell, place);
    natlet__mail_comes_again(mail);
    natlet__mailbox_push(&agent->mailbox, mail);
    if (agent->phase == NATLET_AGENT_RUNNING) {
        natlet__agent_schedule(cell, agent);
    }
}

static parked *take_place(natlet_cell *cell, natlet__agent *agent)
{
    natlet__care *care = agent->care;
    uint32_t most = agent->child.retry->parked_max;
    parked *place = care->parked_count < (most > 0 ? most : NATLET_PARKED_DEFAULT)
                        ? natlet__pool_take(&cell->pool, sizeof *place)
                        : NULL;

    if (place == NULL) {
        care->parked_refused++;
        return NULL;
    }
    *place = (parked){.alarm.ring = ring, .agent = agent};
    natlet__list_put(&care->parked, &place->link);
    care->parked_count++;
    care->parked_most =
        care->parked_count > care->parked_most ? care->parked_count : care->parked_most;
    cell->stats.parked++;
    return place;
}

bool natlet__retry_park(natlet_cell *cell, natlet__agent *agent)
{
    natlet_mail *mail = agent->mail;

    if (mail->kind > NATLET_MAIL_NATS) {
        return false;
    }
    agent->mail = NULL;
    if (mail->attempt > agent->child.retry->tries || mail->attempt == UINT16_MAX) {
        bury(cell, agent, mail, NATLET_DEAD_RETRIES);
        return true;
    }
    parked *place = take_place(cell, agent);
    if (place == NULL) {
        bury(cell, agent, mail, NATLET_DEAD_OVERFLOW);
        return true;
    }
    natlet__wait_hangs_on_child(cell, mail, agent);
    place->mail = mail;
    start_alarm(cell, place);
    return true;
}

void natlet__retry_drain(natlet_cell *cell, natlet__agent *agent, uint32_t reason)
{
    natlet__link *all = &agent->care->parked;

    while (!natlet__list_is_empty(all)) {
        bury(cell, agent, leave(cell, (parked *)all->next), (natlet_dead_reason)reason);
    }
}
