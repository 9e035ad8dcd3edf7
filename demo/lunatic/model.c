/* The model thinks a few milliseconds about what it is asked, one question at a time, and
 * to some it never answers.  To which, its seed says: the same in every run. */
#include "lunatic.h"

enum { THOUGHT = 1, THINK_MS = 4, PERCENT = 100 };

typedef struct model_state {
    const member *self;
    natlet_seed_agent seed;
    uint32_t luck;
    natlet_mail *question; /* kept while it thinks; NULL: none */
} model_state;

/* Numerical Recipes' generator; its high bits are the good ones. */
static bool is_silent(model_state *m)
{
    m->luck = m->luck * 1664525u + 1013904223u;
    return (m->luck >> 16) % PERCENT < m->self->of->silent_percent;
}

static int32_t think(natlet_cell *cell, model_state *m, const natlet_mail *mail)
{
    remember(m->self, "asked", recall(m->self, "asked") + 1);
    if (is_silent(m) || m->question != NULL) {
        remember(m->self, "silent", recall(m->self, "silent") + 1);
        return NATLET_DONE;
    }
    natlet_status st = natlet_mail_keep(cell, mail, &m->question);
    return st < 0 ? NATLET_REJECT
                  : (int32_t)natlet_agent_send_after(cell, natlet_agent_self(cell), THINK_MS,
                                                     THOUGHT, NULL);
}

static int32_t answer(natlet_cell *cell, model_state *m)
{
    const natlet_slice summary = NATLET_TEXT("All of it in one sentence.");
    natlet_status st = natlet_agent_reply(cell, m->question, summary);

    natlet_mail_drop(cell, m->question);
    m->question = NULL;
    return st;
}

static int32_t on_message(natlet_cell *cell, void *state, natlet_mail *mail,
                          const natlet_seed_message *message)
{
    if (mail->kind == NATLET_MAIL_TIMER) {
        return answer(cell, state);
    }
    return mail->kind == NATLET_MAIL_CALL && message->step == NATLET_SEED_LLM
               ? think(cell, state, mail)
               : NATLET_REJECT;
}

static int32_t start(natlet_cell *cell, void *state, void *arg)
{
    model_state *m = state;

    (void)cell;
    m->self = arg;
    m->seed = seed_agent(arg, on_message);
    m->luck = m->self->of->seed;
    return NATLET_DONE;
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    return natlet_seed_handle(cell, &((model_state *)state)->seed, state, mail);
}

const natlet_behaviour model = {
    .name = "model", .state_bytes = sizeof(model_state), .init = start, .on_mail = on_mail};
