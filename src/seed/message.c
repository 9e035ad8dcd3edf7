/* What a message is, and who deals with it. */
#include "base/bytes.h"
#include "natlet/json.h"
#include "natlet/seed.h"
#include "seed/scratch.h"
#include "json/members.h"

enum { LLM_TASK, TYPE, MESSAGE_TYPE, PRIORITY, MEMBERS };
static const char members[] = "llm_task\0type\0message_type\0priority\0";

enum { WORD_BYTES_MAX = 96 }; /* the longest word, each letter of it an escape */

/* The text of a member; empty if it is none, or longer than any word. */
static natlet_slice word_in(natlet_slice value, uint8_t mem[WORD_BYTES_MAX])
{
    natlet_slice word;

    return natlet_json_text(value, mem, WORD_BYTES_MAX, &word) == NATLET_OK ? word
                                                                            : (natlet_slice){0};
}

static natlet_seed_step step_of_type(natlet_slice type)
{
    if (natlet__json_is(type, "ping")) {
        return NATLET_SEED_PING;
    }
    if (natlet__json_is(type, "data_update")) {
        return NATLET_SEED_DATA_UPDATE;
    }
    return natlet__json_is(type, "shutdown") ? NATLET_SEED_SHUTDOWN : NATLET_SEED_OTHER;
}

/* Everything behind the question whether it is an action. */
static void read_members(natlet_slice id, natlet_seed_message *message)
{
    natlet_slice values[MEMBERS];
    natlet__json_rest rest;
    uint8_t mem[WORD_BYTES_MAX];

    if (natlet__json_members(message->envelope.payload, members, values, &rest) < 0) {
        memset(values, 0, sizeof values);
    }
    message->task = natlet_seed_task_of(word_in(values[LLM_TASK], mem));
    message->type = natlet_seed_type_of(word_in(values[MESSAGE_TYPE], mem));
    message->priority = natlet_seed_priority_of(word_in(values[PRIORITY], mem));
    if (values[LLM_TASK].ptr != NULL) {
        message->step = NATLET_SEED_LLM;
    } else if (message->has_envelope && !natlet__equal(message->envelope.to, id)) {
        message->step = NATLET_SEED_FORWARD;
    } else {
        message->step = step_of_type(values[TYPE]);
    }
}

natlet_status natlet_seed_read(natlet_mail *mail, natlet_slice id, natlet_envelope_mode mode,
                               void *mem, size_t cap, natlet_seed_message *message)
{
    *message = (natlet_seed_message){.step = NATLET_SEED_OTHER};
    size_t half = cap / 2; /* the other one is for the action's key */
    natlet_status st = natlet_envelope_read(mail, mode, mem, half, &message->envelope);

    if (st == NATLET_E_TOO_LARGE) {
        return st;
    }
    message->has_envelope = st == NATLET_OK;
    if (!message->has_envelope) {
        message->envelope = (natlet_envelope){.payload = mail->payload};
    }
    st =
        natlet_seed_action_read(message->envelope.payload,
                                mem != NULL ? (uint8_t *)mem + half : NULL, half, &message->action);
    if (st == NATLET_E_NOT_FOUND) {
        read_members(id, message);
        return NATLET_OK;
    }
    message->step = NATLET_SEED_STATE;
    return st;
}

/* ---- dealing with it ---- */

static int32_t act(natlet_cell *cell, const natlet_seed_agent *agent, const natlet_mail *mail,
                   const natlet_seed_message *message)
{
    bool is_asked = mail->kind == NATLET_MAIL_CALL || mail->reply.len > 0;

    if (agent->backend == NULL) {
        return NATLET_REJECT;
    }
    natlet_status st = natlet_seed_act(cell, agent->backend, agent->id, &message->action, mail);
    return st >= 0 || is_asked || st == NATLET_E_NOT_FOUND ? NATLET_DONE : NATLET_REJECT;
}

/* The envelope goes on as it came.  A cell without a network has nobody else: the message
 * is its own, as E_UNSUPPORTED tells. */
static natlet_status forward(natlet_cell *cell, const natlet_mail *mail,
                             const natlet_seed_message *message)
{
    static const natlet_slice agents = NATLET_TEXT("agent.");
    natlet_slice to = message->envelope.to;
    natlet__scratch *scratch = natlet__scratch_take(cell, agents.len + to.len);

    if (scratch == NULL) {
        return NATLET_E_FULL;
    }
    uint8_t *subject = (uint8_t *)(scratch + 1);
    (void)natlet__put(natlet__put(subject, agents), to);
    natlet_status st = natlet_agent_publish(
        cell, &(natlet_msg){.subject = {subject, agents.len + to.len}, .payload = mail->payload});
    natlet__scratch_give_back(cell, scratch);
    return st;
}

static int32_t hand_over(natlet_cell *cell, const natlet_seed_agent *agent, void *state,
                         natlet_mail *mail, natlet_seed_message *message)
{
    int32_t result =
        agent->on_message != NULL ? agent->on_message(cell, state, mail, message) : NATLET_DONE;

    return message->step == NATLET_SEED_SHUTDOWN && result == NATLET_DONE ? NATLET_STOP : result;
}

static int32_t deal_with(natlet_cell *cell, const natlet_seed_agent *agent, void *state,
                         natlet_mail *mail, natlet_seed_message *message)
{
    if (message->step == NATLET_SEED_STATE) {
        return act(cell, agent, mail, message);
    }
    if (message->step == NATLET_SEED_FORWARD) {
        natlet_status st = forward(cell, mail, message);
        if (st != NATLET_E_UNSUPPORTED) {
            return st < 0 ? NATLET_REJECT : NATLET_DONE;
        }
        read_members(message->envelope.to, message); /* as if it were to us */
    }
    return hand_over(cell, agent, state, mail, message);
}

static bool is_message(const natlet_mail *mail)
{
    return mail->kind == NATLET_MAIL_USER || mail->kind == NATLET_MAIL_CALL ||
           mail->kind == NATLET_MAIL_NATS;
}

int32_t natlet_seed_handle(natlet_cell *cell, const natlet_seed_agent *agent, void *state,
                           natlet_mail *mail)
{
    natlet_seed_message message = {.step = NATLET_SEED_OTHER, .envelope.payload = mail->payload};
    natlet__scratch *scratch = NULL;
    size_t bytes = 0;

    if (!is_message(mail)) {
        return hand_over(cell, agent, state, mail, &message);
    }
    if (mail->payload.len > 0 && memchr(mail->payload.ptr, '\\', mail->payload.len) != NULL) {
        bytes = 2 * mail->payload.len;
        scratch = natlet__scratch_take(cell, bytes);
        if (scratch == NULL) {
            return NATLET_REJECT;
        }
    }
    natlet_status st = natlet_seed_read(mail, agent->id, agent->mode,
                                        scratch != NULL ? scratch + 1 : NULL, bytes, &message);
    int32_t result = st < 0 ? NATLET_REJECT : deal_with(cell, agent, state, mail, &message);
    natlet__scratch_give_back(cell, scratch);
    return result;
}
