/* The last dead letters.  Only programs that look at them are linked with this. */
#include "agent/kernel.h"

void natlet__dead_remember(natlet_cell *cell, const natlet_cell_event *event)
{
    const natlet_mail *mail = event->mail;
    size_t len =
        mail->subject.len < NATLET_DEAD_SUBJECT_MAX ? mail->subject.len : NATLET_DEAD_SUBJECT_MAX;
    natlet_dead_letter *letter = &cell->dead[cell->stats.dead_total % cell->config.dead_letters];

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

const natlet_dead_letter *natlet_cell_dead_letter(const natlet_cell *cell, uint32_t back)
{
    uint64_t count = cell->stats.dead_total;

    if (back >= count || back >= cell->config.dead_letters) {
        return NULL;
    }
    return &cell->dead[(count - 1 - back) % cell->config.dead_letters];
}
