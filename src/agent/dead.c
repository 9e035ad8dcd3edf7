/* Dead letters: mail that was not handled is counted by reason, the last ones are
 * remembered, and all are shown to the program. */
#include "agent/kernel.h"

static const char *const texts[] = {
#define X(name, value, text) text,
    NATLET_DEAD_MAP(X)
#undef X
};

_Static_assert(sizeof texts / sizeof *texts == NATLET_DEAD_REASONS, "the count is right");

const char *natlet_dead_text(natlet_dead_reason reason)
{
    return (uint32_t)reason < NATLET_DEAD_REASONS ? texts[reason] : "unknown";
}

static natlet_dead_letter *next_place(natlet_cell *cell)
{
    return &cell->dead[cell->dead_count++ % cell->config.dead_letters];
}

static void remember(natlet_cell *cell, const natlet_cell_event *event)
{
    const natlet_mail *mail = event->mail;
    natlet_dead_letter *letter = next_place(cell);
    size_t len =
        mail->subject.len < NATLET_DEAD_SUBJECT_MAX ? mail->subject.len : NATLET_DEAD_SUBJECT_MAX;

    *letter = (natlet_dead_letter){.id_ns = mail->id_ns,
                                   .from = mail->from,
                                   .to = event->pid,
                                   .reason = event->dead,
                                   .exit = event->reason,
                                   .payload_len = (uint32_t)mail->payload.len,
                                   .kind = mail->kind,
                                   .subject_len = (uint8_t)len};
    if (len > 0) {
        memcpy(letter->subject, mail->subject.ptr, len);
    }
}

/* A timer says nothing that could be lost, and an answer without a reader is
 * late. */
static bool is_noise(natlet_cell *cell, const natlet_mail *mail)
{
    if (mail->kind == NATLET_MAIL_REPLY) {
        cell->stats.late++;
    }
    return mail->kind == NATLET_MAIL_REPLY || mail->kind == NATLET_MAIL_TIMER;
}

void natlet__dead_letter(natlet_cell *cell, const natlet_mail *mail, natlet_dead_reason reason,
                         const natlet__agent *agent)
{
    natlet__wait *wait = natlet__wait_of_call(cell, mail);
    natlet_cell_event event = {
        .kind = NATLET_CELL_DEAD_LETTER, .pid = mail->to, .dead = reason, .mail = mail};

    if (is_noise(cell, mail)) {
        return;
    }
    if (agent != NULL) {
        event.name = agent->child.name;
        event.parent = agent->parent != NULL ? agent->parent->pid : 0;
        event.reason = reason == NATLET_DEAD_CRASHED ? agent->exit : event.reason;
    }
    cell->stats.dead[reason]++;
    cell->stats.dead_total++;
    remember(cell, &event);
    if (cell->config.on_event != NULL) {
        cell->config.on_event(cell->config.self, &event);
    }
    if (wait != NULL) {
        natlet__wait_end(cell, wait, NATLET_E_NO_AGENT);
    }
}

const natlet_dead_letter *natlet_cell_dead_letter(const natlet_cell *cell, uint32_t back)
{
    if (back >= cell->dead_count || back >= cell->config.dead_letters) {
        return NULL;
    }
    return &cell->dead[(cell->dead_count - 1 - back) % cell->config.dead_letters];
}
