/* The summariser has the model sum up what collectors found, and publishes that on
 * results.summaries.
 *
 * A message stays in the mailbox until its summary is out: while the model thinks it is
 * put aside, and the summariser takes nothing but answers.  So a restart at any moment
 * loses no message and doubles no result.  While the breaker says no, messages come
 * again later. */
#include <string.h>

#include "lunatic.h"

enum { MODEL_MS = 25 };

typedef struct summariser_state {
    const member *self;
    natlet_seed_agent seed;
    uint32_t task; /* what the model was asked about */
    uint32_t pass; /* of that call through the breaker */
    bool has_answer;
    size_t answer_len;
    uint8_t answer[TEXT_BYTES_MAX];
} summariser_state;

static int32_t ask(natlet_cell *cell, summariser_state *s, const natlet_seed_message *message)
{
    static const natlet_slice name = NATLET_TEXT("model");
    natlet_breaker *breaker = &s->self->of->breaker;
    uint32_t ref;

    if (natlet_breaker_allow(cell, breaker, &s->pass) < 0) {
        return NATLET_RETRY;
    }
    natlet_status st =
        natlet_agent_call(cell, natlet_cell_find(cell, name),
                          &(natlet_mail){.payload = message->envelope.payload}, MODEL_MS, &ref);
    if (st < 0) {
        natlet_breaker_report(cell, breaker, s->pass, false);
        return NATLET_RETRY;
    }
    s->task = number_in(message, "/task");
    (void)natlet_agent_suspend(cell, natlet_agent_self(cell));
    return NATLET_STASH;
}

static int32_t take_answer(natlet_cell *cell, summariser_state *s, const natlet_mail *mail)
{
    s->has_answer = mail->status == NATLET_OK && mail->payload.len <= sizeof s->answer;
    if (s->has_answer) {
        memcpy(s->answer, mail->payload.ptr, mail->payload.len);
        s->answer_len = mail->payload.len;
    }
    natlet_breaker_report(cell, &s->self->of->breaker, s->pass, s->has_answer);
    (void)natlet_agent_resume(cell, natlet_agent_self(cell));
    return natlet_agent_unstash(cell);
}

static int32_t publish(natlet_cell *cell, summariser_state *s, const natlet_seed_message *message)
{
    uint8_t mem[TEXT_BYTES_MAX];
    uint8_t text[512];
    natlet_json_out out;

    natlet_json_out_init(&out, text, sizeof text);
    natlet_json_out_open(&out, '{');
    natlet_json_out_key(&out, "message_type");
    natlet_json_out_string(&out, slice_of(natlet_seed_type_text(NATLET_SEED_TYPE_STATE_UPDATE)));
    natlet_json_out_key(&out, "task");
    natlet_json_out_u64(&out, s->task);
    natlet_json_out_key(&out, "collected_by");
    natlet_json_out_string(&out, text_in(message, "/collected_by", mem));
    natlet_json_out_key(&out, "summary");
    natlet_json_out_string(&out, (natlet_slice){s->answer, s->answer_len});
    natlet_json_out_close(&out, '}');
    natlet_status st =
        natlet_agent_publish(cell, &(natlet_msg){.subject = NATLET_TEXT("results.summaries"),
                                                 .payload = {text, out.len}});
    s->has_answer = st < 0 && s->has_answer;
    return done_or_retry(st);
}

static int32_t on_message(natlet_cell *cell, void *state, natlet_mail *mail,
                          const natlet_seed_message *message)
{
    summariser_state *s = state;

    if (mail->kind == NATLET_MAIL_REPLY) {
        return take_answer(cell, s, mail);
    }
    if (message->task != NATLET_SEED_TASK_SUMMARIZE) {
        return NATLET_REJECT;
    }
    return s->has_answer && s->task == number_in(message, "/task") ? publish(cell, s, message)
                                                                   : ask(cell, s, message);
}

static int32_t start(natlet_cell *cell, void *state, void *arg)
{
    summariser_state *s = state;

    (void)cell;
    s->self = arg;
    s->seed = seed_agent(arg, on_message);
    return NATLET_DONE;
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    return natlet_seed_handle(cell, &((summariser_state *)state)->seed, state, mail);
}

const natlet_behaviour summariser = {.name = "Summarizer",
                                     .state_bytes = sizeof(summariser_state),
                                     .init = start,
                                     .on_mail = on_mail};
