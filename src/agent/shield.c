/* The poison shield (natlet_shield): of the mail on which a child crashed the last four
 * kinds are remembered, the latest first. */
#include "agent/kernel.h"

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t from, natlet_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        from = (from ^ text.ptr[i]) * 0x100000001b3u;
    }
    return from;
}

static uint64_t print_of(const natlet_mail *mail)
{
    return mail->seq > 0 ? mail->seq
                         : hash(hash(0xcbf29ce484222325u, mail->subject), mail->payload);
}

/* Where it stands, else the last place or the first free one. */
static uint32_t find(const natlet__suspect *suspects, uint64_t print)
{
    uint32_t i = 0;

    while (i < NATLET__SUSPECTS - 1 && suspects[i].count > 0 && suspects[i].print != print) {
        i++;
    }
    return i;
}

/* Charges it with one more crash.  Answers how many that makes.
 *
 * What was put back is the next to be handled.  So if this mail is new, the one that left a
 * suspect and was no poison was handled after all, and that is forgotten. */
static uint32_t charge(natlet__suspect *suspects, const natlet_mail *mail, uint32_t poison_after)
{
    uint64_t print = print_of(mail);
    uint32_t i = find(suspects, print);
    natlet__suspect suspect = suspects[i];

    if (suspect.print != print || (mail->attempt == 1 && suspect.count < poison_after)) {
        suspect = (natlet__suspect){.print = print};
    }
    suspect.count += suspect.count < UINT32_MAX;
    for (; i > 0; i--) {
        suspects[i] = suspects[i - 1];
    }
    suspects[0] = suspect;
    return suspect.count;
}

void natlet__shield_caught(natlet_cell *cell, natlet__agent *agent)
{
    uint32_t poison_after = agent->child.shield->poison_after;
    natlet_mail *mail = agent->mail;

    if (poison_after == 0 || mail->kind > NATLET_MAIL_NATS ||
        agent->child.restart == NATLET_TEMPORARY) {
        return; /* the kernel makes it a dead letter */
    }
    agent->mail = NULL;
    if (charge(agent->care->suspects, mail, poison_after) < poison_after) {
        natlet__wait_hangs_on_child(cell, mail, agent);
        natlet__mail_comes_again(mail);
        natlet__mailbox_put_back(&agent->mailbox, mail);
        return;
    }
    agent->care->is_free = true;
    natlet__dead_letter(cell, mail, NATLET_DEAD_POISON, agent);
    natlet__mail_free(cell, mail);
}
