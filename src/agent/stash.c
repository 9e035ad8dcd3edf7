/* What an agent puts aside to handle it in another state.
 *
 * Whatever changes that state says when the mail is wanted; a new incarnation has a new
 * state, so that it gets all of it without asking. */
#include "agent/kernel.h"

static void bury(natlet_cell *cell, natlet__agent *agent, natlet_mail *mail,
                 natlet_dead_reason reason)
{
    natlet__dead_letter(cell, mail, reason, agent);
    natlet__mail_free(cell, mail);
}

void natlet__stash_put(natlet_cell *cell, natlet__agent *agent)
{
    natlet_mail *mail = agent->mail;

    agent->mail = NULL;
    if (!natlet__mailbox_stash(&agent->mailbox, mail)) {
        bury(cell, agent, mail, NATLET_DEAD_STASH_FULL);
    }
}

void natlet__stash_pass_on(natlet_cell *cell, natlet__agent *agent)
{
    natlet__mailbox *box = &agent->mailbox;
    uint32_t count = box->stash.used;

    natlet__mailbox_unstash(box);
    for (; count > 0; count--) {
        box->unstashed--;
        natlet_mail *mail = natlet__mailbox_take_first(box, &box->stash);
        if (mail->kind >= NATLET_MAIL_REPLY) {
            bury(cell, agent, mail, NATLET_DEAD_SHUTDOWN);
        } else {
            (void)natlet__mailbox_stash(box, mail); /* where it was there is room */
        }
    }
    natlet__mailbox_unstash(box);
}

natlet_status natlet_cell_unstash(natlet_cell *cell, natlet_pid pid)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    uint32_t was = natlet__lock(cell);
    natlet__mailbox_unstash(&agent->mailbox);
    if (agent->phase == NATLET_AGENT_RUNNING && agent->mailbox.queued > 0) {
        natlet__agent_schedule(cell, agent);
    }
    natlet__unlock(cell, was);
    return NATLET_OK;
}

natlet_status natlet_agent_unstash(natlet_cell *cell)
{
    natlet_status st = natlet_cell_unstash(cell, natlet_agent_self(cell));

    return st == NATLET_OK ? NATLET_OK : NATLET_E_STATE;
}
