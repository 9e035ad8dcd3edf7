/* The aggregator sums up what arrives on demo.readings and answers demo.stats. */
#include "station.h"

typedef struct sums {
    uint64_t count;
    uint64_t total;
    uint64_t least;
    uint64_t most;
} sums;

static int32_t take_reading(sums *s, natlet_mail *mail)
{
    static const natlet_slice pointer = NATLET_TEXT("/millidegrees");
    natlet_slice text;
    uint64_t value;

    if (natlet_mail_json_get(mail, pointer, &text) < 0 ||
        !natlet_json_u64(text, UINT32_MAX, &value)) {
        return NATLET_REJECT;
    }
    s->least = s->count == 0 || value < s->least ? value : s->least;
    s->most = value > s->most ? value : s->most;
    s->total += value;
    s->count++;
    return NATLET_DONE;
}

static int32_t answer(natlet_cell *cell, const sums *s, const natlet_mail *mail)
{
    uint8_t text[160];
    natlet_json_out out;

    natlet_json_out_init(&out, text, sizeof text);
    natlet_json_out_open(&out, '{');
    natlet_json_out_key(&out, "count");
    natlet_json_out_u64(&out, s->count);
    natlet_json_out_key(&out, "total");
    natlet_json_out_u64(&out, s->total);
    natlet_json_out_key(&out, "least");
    natlet_json_out_u64(&out, s->least);
    natlet_json_out_key(&out, "most");
    natlet_json_out_u64(&out, s->most);
    natlet_json_out_close(&out, '}');
    return natlet_agent_reply(cell, mail, (natlet_slice){text, out.len});
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    return mail->reply.len > 0 ? answer(cell, state, mail) : take_reading(state, mail);
}

const natlet_behaviour aggregator = {
    .name = "aggregator", .state_bytes = sizeof(sums), .on_mail = on_mail};
