/* Envelopes, read where they lie and written in one piece. */
#include "natlet/envelope.h"

#include "agent/kernel.h"
#include "agent/mail.h"
#include "json/members.h"

#define NS_PER_S 1000000000u

static const natlet_slice agents = NATLET_TEXT("agent.");

enum { ID, FROM, TO, PAYLOAD, TIMESTAMP, MEMBERS };
static const char names[] = "id\0from\0to\0payload\0timestamp\0";

static bool is_looked_for(const natlet_mail *mail, natlet_envelope_mode mode)
{
    bool is_to_agent =
        mail->subject.len > agents.len && memcmp(mail->subject.ptr, agents.ptr, agents.len) == 0;

    return mode == NATLET_ENVELOPE_ALWAYS || (mode == NATLET_ENVELOPE_AUTO && is_to_agent);
}

/* A value that is no string, or is not there, is E_JSON to natlet_json_text. */
static natlet_status read_texts(const natlet_slice *values, void *mem, size_t cap,
                                natlet_envelope *envelope)
{
    natlet_slice *texts[] = {&envelope->id, &envelope->from, &envelope->to};
    natlet_status st = NATLET_OK;
    uint8_t *at = mem;

    for (uint32_t i = ID; i <= TO && st == NATLET_OK; i++) {
        st = natlet_json_text(values[i], at, cap, texts[i]);
        if (st == NATLET_OK && texts[i]->ptr == at) {
            at += texts[i]->len;
            cap -= texts[i]->len;
        }
    }
    return st;
}

natlet_status natlet_envelope_read(natlet_mail *mail, natlet_envelope_mode mode, void *mem,
                                   size_t cap, natlet_envelope *envelope)
{
    natlet_slice values[MEMBERS];
    natlet__json_rest rest;

    *envelope = (natlet_envelope){0};
    if (!is_looked_for(mail, mode) ||
        natlet__json_members(mail->payload, names, values, &rest) < 0 || rest.is_twice ||
        values[PAYLOAD].ptr == NULL ||
        !natlet_json_u64(values[TIMESTAMP], UINT64_MAX, &envelope->timestamp)) {
        return NATLET_E_NOT_FOUND;
    }
    envelope->payload = values[PAYLOAD];
    natlet_status st = read_texts(values, mem, cap, envelope);
    return st == NATLET_E_JSON ? NATLET_E_NOT_FOUND : st;
}

size_t natlet_envelope_write(const natlet_envelope *envelope, void *out, size_t cap)
{
    natlet_json_out json;
    natlet_mail mail = {.payload = envelope->payload};

    natlet_json_out_init(&json, out, cap);
    natlet_json_out_open(&json, '{');
    natlet_json_out_key(&json, "id");
    natlet_json_out_string(&json, envelope->id);
    natlet_json_out_key(&json, "from");
    natlet_json_out_string(&json, envelope->from);
    natlet_json_out_key(&json, "to");
    natlet_json_out_string(&json, envelope->to);
    natlet__mail_write_payload(&json, &mail);
    natlet_json_out_key(&json, "timestamp");
    natlet_json_out_u64(&json, envelope->timestamp);
    natlet_json_out_close(&json, '}');
    return json.len;
}

/* ---- sending ---- */

/* Writes subject and envelope into one block of the pool, and publishes them. */
static natlet_status publish(natlet_cell *cell, const natlet_envelope *envelope)
{
    size_t subject_len = agents.len + envelope->to.len;
    size_t len = natlet_envelope_write(envelope, NULL, 0);
    uint8_t *subject = natlet__pool_take(&cell->pool, subject_len + len);

    if (subject == NULL) {
        return NATLET_E_FULL;
    }
    uint8_t *text = natlet__put(natlet__put(subject, agents), envelope->to);
    (void)natlet_envelope_write(envelope, text, len);
    natlet_status st = cell->outlet->publish(
        cell->outlet, &(natlet_msg){.subject = {subject, subject_len}, .payload = {text, len}});
    natlet__pool_give_back(&cell->pool, subject);
    return st;
}

static natlet_slice write_id(uint8_t *out, uint64_t id_ns)
{
    uint8_t *end = natlet__put(out, (natlet_slice)NATLET_TEXT("nats_"));

    end += natlet__write_decimal(end, id_ns);
    return (natlet_slice){out, (size_t)(end - out)};
}

static natlet_status send(natlet_cell *cell, natlet_slice name, natlet_slice payload)
{
    uint8_t id[sizeof "nats_" + NATLET__DECIMAL_MAX];
    uint8_t pid[NATLET__DECIMAL_MAX];
    const natlet__agent *agent = cell->running;

    if (agent == NULL) {
        return NATLET_E_STATE;
    }
    if (cell->outlet == NULL) {
        return NATLET_E_UNSUPPORTED;
    }
    uint64_t id_ns = natlet__runtime_stamp_ns(cell->rt);
    natlet_envelope envelope = {.id = write_id(id, id_ns),
                                .from = agent->child.name,
                                .to = name,
                                .payload = payload,
                                .timestamp = id_ns / NS_PER_S};
    if (envelope.from.len == 0) {
        envelope.from = (natlet_slice){pid, natlet__write_decimal(pid, agent->pid)};
    }
    return publish(cell, &envelope);
}

natlet_status natlet_envelope_send(natlet_cell *cell, natlet_slice name, natlet_slice payload)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = send(cell, name, payload);

    natlet__unlock(cell, was);
    return st;
}
