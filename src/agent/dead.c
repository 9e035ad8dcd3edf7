/* Dead letters: mail that was not handled is counted by reason, the last ones are
 * remembered, and all are shown to the program. */
#include "agent/kernel.h"

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

static void remember(natlet_cell *cell, const natlet_cell_event *event)
{
    const natlet_mail *mail = event->mail;
    size_t len =
        mail->subject.len < NATLET_DEAD_SUBJECT_MAX ? mail->subject.len : NATLET_DEAD_SUBJECT_MAX;
    natlet_dead_letter *letter = &cell->dead[cell->stats.dead_total++ % cell->config.dead_letters];

    *letter = (natlet_dead_letter){.id_ns = mail->id_ns,
                                   .from = mail->from,
                                   .to = event->pid,
                                   .reason = event->dead,
                                   .exit = event->reason,
                                   .payload_len = (uint32_t)mail->payload.len,
                                   .attempt = mail->attempt,
                                   .kind = mail->kind,
                                   .subject_len = (uint8_t)len};
    (void)natlet__put((uint8_t *)letter->subject, (natlet_slice){mail->subject.ptr, len});
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
    remember(cell, &event);
    natlet__cell_show(cell, &event, agent);
    natlet__wait *wait = natlet__wait_of_call(cell, mail);
    if (wait != NULL) {
        natlet__wait_end(cell, wait, NATLET_E_NO_AGENT);
    }
}

const natlet_dead_letter *natlet_cell_dead_letter(const natlet_cell *cell, uint32_t back)
{
    uint64_t count = cell->stats.dead_total;

    if (back >= count || back >= cell->config.dead_letters) {
        return NULL;
    }
    return &cell->dead[(count - 1 - back) % cell->config.dead_letters];
}
