/* A collector fetches what a scraping_task names and passes it on to the summariser.
 *
 * It trusts a task more than it should: one with 0 pages divides by zero, which traps.
 * And whoever stores "fault" in its state makes it trap once, at its next message. */
#include "lunatic.h"

enum { WORDS = 300 };

typedef struct collector_state {
    const member *self;
    natlet_seed_agent seed;
} collector_state;

static void write_transfer(natlet_json_out *out, const natlet_seed_message *message,
                           const member *self)
{
    const char *priority = natlet_seed_priority_text(message->priority);
    const uint32_t pages = number_in(message, "/pages");

    natlet_json_out_open(out, '{');
    natlet_json_out_key(out, "llm_task");
    natlet_json_out_string(out, slice_of(natlet_seed_task_text(NATLET_SEED_TASK_SUMMARIZE)));
    natlet_json_out_key(out, "message_type");
    natlet_json_out_string(out, slice_of(natlet_seed_type_text(NATLET_SEED_TYPE_DATA_TRANSFER)));
    natlet_json_out_key(out, "priority");
    natlet_json_out_string(out, slice_of(priority != NULL ? priority : "normal"));
    natlet_json_out_key(out, "task");
    natlet_json_out_u64(out, number_in(message, "/task"));
    natlet_json_out_key(out, "collected_by");
    natlet_json_out_string(out, (natlet_slice){(const uint8_t *)self->id, self->id_len});
    natlet_json_out_key(out, "words_on_a_page");
    natlet_json_out_u64(out, WORDS / pages);
    natlet_json_out_close(out, '}');
}

/* In an envelope as natlet_envelope_send makes it, and with the header that names the
 * summariser's lane. */
static natlet_status pass_on(natlet_cell *cell, const member *self,
                             const natlet_seed_message *message, natlet_slice payload)
{
    const natlet_envelope envelope = {.id = message->envelope.id,
                                      .from = {(const uint8_t *)self->id, self->id_len},
                                      .to = NATLET_TEXT("summariser"),
                                      .payload = payload,
                                      .timestamp = message->envelope.timestamp};
    const natlet_slice lane = NATLET_TEXT("Natlet-Priority");
    const char *priority = natlet_seed_priority_text(message->priority);
    uint8_t text[512];
    uint8_t fields[128];
    natlet_headers headers;

    (void)natlet_headers_init(&headers, fields, sizeof fields);
    (void)natlet_headers_add(&headers, lane, slice_of(priority != NULL ? priority : "normal"));
    size_t len = natlet_envelope_write(&envelope, text, sizeof text);
    if (len > sizeof text) {
        return NATLET_E_TOO_LARGE;
    }
    return natlet_agent_publish(cell, &(natlet_msg){.subject = NATLET_TEXT("agent.summariser"),
                                                    .headers = natlet_headers_block(&headers),
                                                    .payload = {text, len}});
}

static int32_t pong(natlet_cell *cell, const natlet_mail *mail)
{
    uint8_t text[64];
    natlet_json_out out;

    natlet_json_out_init(&out, text, sizeof text);
    natlet_json_out_open(&out, '{');
    natlet_json_out_key(&out, "incarnation");
    natlet_json_out_u64(&out, natlet_agent_self(cell) >> NATLET_PID_SLOT_BITS);
    natlet_json_out_key(&out, "attempt");
    natlet_json_out_u64(&out, mail->attempt);
    natlet_json_out_close(&out, '}');
    return natlet_agent_reply(cell, mail, (natlet_slice){text, out.len});
}

static int32_t on_message(natlet_cell *cell, void *state, natlet_mail *mail,
                          const natlet_seed_message *message)
{
    const member *self = ((collector_state *)state)->self;
    uint8_t text[256];
    natlet_json_out out;

    if (forget(self, "fault")) {
        __builtin_trap();
    }
    if (message->step == NATLET_SEED_PING) {
        return pong(cell, mail);
    }
    if (message->type != NATLET_SEED_TYPE_SCRAPING_TASK) {
        return NATLET_REJECT;
    }
    natlet_json_out_init(&out, text, sizeof text);
    write_transfer(&out, message, self);
    return done_or_retry(pass_on(cell, self, message, (natlet_slice){text, out.len}));
}

static int32_t start(natlet_cell *cell, void *state, void *arg)
{
    collector_state *c = state;

    (void)cell;
    c->self = arg;
    c->seed = seed_agent(arg, on_message);
    return NATLET_DONE;
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    return natlet_seed_handle(cell, &((collector_state *)state)->seed, state, mail);
}

const natlet_behaviour collector = {.name = "DataCollector",
                                    .state_bytes = sizeof(collector_state),
                                    .init = start,
                                    .on_mail = on_mail};
