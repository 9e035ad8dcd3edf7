/* Mail that outlives its handler: a copy in the pool, tied to the incarnation that
 * asked for it. */
#include "agent/kernel.h"

typedef struct kept {
    natlet_mail mail; /* first, so that a mail is its kept; its bytes follow the struct */
    natlet__tie tie;
    natlet__agent *agent; /* NULL: dropped */
} kept;

/* Its place in the books, and its memory. */
static void give_back(natlet_cell *cell, kept *k)
{
    natlet__agent *agent = k->agent;

    agent->kept--;
    agent->kept_bytes -= k->mail.bytes;
    cell->stats.kept--;
    k->agent = NULL;
    natlet__pool_give_back(&cell->pool, k);
}

/* The incarnation ends. */
static void cut(natlet_cell *cell, natlet__tie *tie)
{
    void *at = (char *)tie - offsetof(kept, tie);

    give_back(cell, at);
}

/* Copies the parts behind the struct; the rest of the mail came with it. */
static void copy_parts(kept *k, const natlet_mail *mail)
{
    natlet_slice *const parts[] = {&k->mail.subject, &k->mail.reply, &k->mail.headers,
                                   &k->mail.payload};
    uint8_t *at = (uint8_t *)(k + 1);

    k->mail = *mail;
    for (uint32_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint8_t *end = natlet__put(at, *parts[i]);
        parts[i]->ptr = at;
        at = end;
    }
}

static bool has_room(const natlet__agent *agent, uint32_t bytes)
{
    return agent->kept < NATLET_KEPT_MAIL_MAX && agent->kept_bytes <= agent->mailbox.bytes_max &&
           bytes <= agent->mailbox.bytes_max - agent->kept_bytes;
}

static natlet_status keep(natlet_cell *cell, const natlet_mail *mail, natlet_mail **out)
{
    natlet__agent *agent = cell->running;

    if (agent == NULL) {
        return NATLET_E_STATE;
    }
    uint32_t bytes = (uint32_t)natlet__mail_measure(mail);
    kept *k = has_room(agent, bytes) ? natlet__pool_take(&cell->pool, sizeof *k + bytes) : NULL;
    if (k == NULL) {
        cell->stats.kept_refused++;
        return NATLET_E_FULL;
    }
    copy_parts(k, mail);
    k->mail.bytes = bytes;
    k->agent = agent;
    k->tie = (natlet__tie){.cut = cut};
    natlet__list_put(agent->waits.next, &k->tie.link);
    agent->kept++;
    agent->kept_bytes += bytes;
    cell->stats.kept++;
    if (agent->kept > cell->stats.kept_max) {
        cell->stats.kept_max = agent->kept;
    }
    *out = &k->mail;
    return NATLET_OK;
}

natlet_status natlet_mail_keep(natlet_cell *cell, const natlet_mail *mail, natlet_mail **kept_mail)
{
    uint32_t was = natlet__lock(cell);

    *kept_mail = NULL;
    natlet_status st = keep(cell, mail, kept_mail);
    natlet__unlock(cell, was);
    return st;
}

void natlet_mail_drop(natlet_cell *cell, natlet_mail *kept_mail)
{
    kept *k = (kept *)kept_mail;

    if (k == NULL) {
        return;
    }
    uint32_t was = natlet__lock(cell);
    NATLET_ASSERT(k->agent != NULL && k->agent->kept > 0);
    natlet__list_cut(&k->tie.link);
    give_back(cell, k);
    natlet__unlock(cell, was);
}
