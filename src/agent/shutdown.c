/* The orderly end of a cell.
 *
 * stage      what happens                              leaves when              at its limit
 * --------   ---------------------------------------   ----------------------   -------------
 * DRAINING   nothing comes in, agents go on            no mail is left          STOPPING
 * STOPPING   trees are asked to stop, the last first   none is left             all are killed
 * FLUSHING   what was published is on its way          the server has it all    CLOSED
 * CLOSED     nothing
 *
 * A step is taken at the end of each turn of the cell. */
#include "agent/kernel.h"

#pragma weak natlet__outlet_drain
#pragma weak natlet__outlet_flush

enum { DRAINING, STOPPING, FLUSHING, CLOSED };
enum { US_PER_MS = 1000 };

static uint32_t left_ms(const natlet_cell *cell, uint64_t until_us)
{
    uint64_t now_us = natlet_runtime_now_us(cell->rt);

    return until_us > now_us ? (uint32_t)((until_us - now_us - 1) / US_PER_MS + 1) : 0;
}

static bool has_mail(const natlet_cell *cell)
{
    for (uint32_t slot = 0; slot < cell->agents.cap; slot++) {
        const natlet__agent *agent = natlet__table_at(&cell->agents, slot);
        if (agent != NULL && (agent->mailbox.queued > 0 || agent->phase == NATLET_AGENT_BUSY)) {
            return true;
        }
    }
    return false;
}

static bool has_drained(natlet_cell *cell)
{
    natlet__outlet *outlet = cell->outlet;
    uint32_t ms = left_ms(cell, cell->closing.limit.timer.due_us);
    bool is_shut =
        outlet == NULL || natlet__outlet_drain == NULL || natlet__outlet_drain(outlet, ms);

    return is_shut && natlet__list_is_empty(&cell->ready) && !has_mail(cell);
}

static bool has_stopped(natlet_cell *cell)
{
    natlet__link *trees = &cell->root_state.children;

    if (natlet__list_is_empty(trees)) {
        return true;
    }
    natlet__agent *tree = natlet__child_at(trees->prev);
    if (tree->pid != 0 && !tree->is_asked) {
        natlet__supervisor_ask(cell, tree);
    }
    return false;
}

static bool has_flushed(natlet_cell *cell)
{
    natlet__outlet *outlet = cell->outlet;
    uint32_t ms = left_ms(cell, cell->closing.until_us);

    return outlet == NULL || ms == 0 || natlet__outlet_flush == NULL ||
           natlet__outlet_flush(outlet, ms);
}

static void enter(natlet_cell *cell, uint32_t stage)
{
    natlet__closing *closing = &cell->closing;

    closing->stage = stage;
    if (stage != CLOSED) {
        natlet__timers_start(&cell->timers, &closing->limit.timer, closing->until_us);
        natlet__cell_alarm(cell, &closing->again, 0);
        return;
    }
    natlet__timers_stop(&cell->timers, &closing->limit.timer);
    natlet__timers_stop(&cell->timers, &closing->again.timer);
    natlet_cell_event event = {.kind = NATLET_CELL_CLOSED, .reason = closing->how};
    natlet__cell_show(cell, &event, NULL);
}

static void step(natlet_cell *cell)
{
    static bool (*const is_done[])(natlet_cell *) = {has_drained, has_stopped, has_flushed};
    uint32_t stage = cell->closing.stage;

    if (stage < CLOSED && is_done[stage](cell)) {
        enter(cell, stage + 1);
    }
}

static void be_strict(natlet_cell *cell, natlet__alarm *limit)
{
    natlet__link *trees = &cell->root_state.children;

    (void)limit;
    if (cell->closing.stage == STOPPING) {
        cell->closing.how = (natlet_reason){NATLET_EXIT_KILLED, NATLET_E_TIMEOUT};
        while (!natlet__list_is_empty(trees)) {
            natlet__supervisor_kill(cell, natlet__child_at(trees->prev));
        }
    }
    enter(cell, cell->closing.stage + 1);
}

static void look_again(natlet_cell *cell, natlet__alarm *again)
{
    (void)cell;
    (void)again; /* the turn that it made ends with a step */
}

static void begin(natlet_cell *cell, uint32_t deadline_ms)
{
    natlet__closing *closing = &cell->closing;

    closing->step = step;
    closing->limit.ring = be_strict;
    closing->again.ring = look_again;
    closing->how = (natlet_reason){NATLET_EXIT_SHUTDOWN, 0};
    closing->until_us = natlet_runtime_now_us(cell->rt) + (uint64_t)deadline_ms * US_PER_MS;
    natlet__cell_alarm(cell, &closing->limit, deadline_ms / 2);
    natlet__cell_alarm(cell, &closing->again, 0);
}

natlet_status natlet_cell_shutdown(natlet_cell *cell, uint32_t deadline_ms)
{
    if (cell->closing.step != NULL) {
        return NATLET_E_STATE;
    }
    uint32_t was = natlet__lock(cell);
    begin(cell, deadline_ms);
    natlet__unlock(cell, was);
    return NATLET_OK;
}
