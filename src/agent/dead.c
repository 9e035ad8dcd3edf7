/* Dead letters: mail that was not handled is counted by reason, remembered if the program
 * ever looks at the last ones, and shown to it. */
#include "agent/kernel.h"
#include "base/optional.h"

NATLET__OPTIONAL(natlet__dead_remember)

static const char *const texts[] = {
#define X(name, value, text) [value] = (text),
    NATLET_DEAD_MAP(X)
#undef X
};

_Static_assert(sizeof texts / sizeof *texts == NATLET_DEAD_REASONS, "the count is right");

const char *natlet_dead_text(natlet_dead_reason reason)
{
    bool is_known = (uint32_t)reason < NATLET_DEAD_REASONS && texts[reason] != NULL;

    return is_known ? texts[reason] : "unknown";
}

void natlet__dead_letter(natlet_cell *cell, const natlet_mail *mail, natlet_dead_reason reason,
                         const natlet__agent *agent)
{
    if (mail->kind == NATLET_MAIL_REPLY) {
        cell->stats.late++;
    }
    if (mail->kind >= NATLET_MAIL_REPLY) {
        return; /* the cell's own, for that incarnation: timers, signals */
    }
    natlet_cell_event event = {
        .kind = NATLET_CELL_DEAD_LETTER, .pid = mail->to, .dead = reason, .mail = mail};
    if (reason == NATLET_DEAD_CRASHED || reason == NATLET_DEAD_POISON) {
        event.reason = agent->exit;
    }
    cell->stats.dead[reason]++;
    if (NATLET__IS_LINKED(natlet__dead_remember)) {
        natlet__dead_remember(cell, &event);
    }
    cell->stats.dead_total++;
    natlet__cell_show(cell, &event, agent);
    natlet__wait *wait = natlet__wait_of_call(cell, mail);
    if (wait != NULL) {
        natlet__wait_end(cell, wait, NATLET_E_NO_AGENT);
    }
}
