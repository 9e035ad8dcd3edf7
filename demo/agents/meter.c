/* The meter publishes one reading per tick. */
#include "station.h"

enum { TICK = 1 };

typedef struct meter_state {
    const station *of;
    uint32_t published;
} meter_state;

static natlet_status wait_for_tick(natlet_cell *cell, const station *of)
{
    return natlet_agent_send_after(cell, natlet_agent_self(cell), of->interval_ms, TICK, NULL);
}

static int32_t start(natlet_cell *cell, void *state, void *arg)
{
    meter_state *m = state;

    m->of = arg;
    return wait_for_tick(cell, m->of);
}

/* Thousandths of a degree, between 20 and 25. */
static uint32_t measure(uint32_t number)
{
    return 20000 + number * 137 % 5000;
}

static natlet_status publish_reading(natlet_cell *cell, uint32_t number)
{
    uint8_t text[64];
    natlet_json_out out;

    natlet_json_out_init(&out, text, sizeof text);
    natlet_json_out_open(&out, '{');
    natlet_json_out_key(&out, "number");
    natlet_json_out_u64(&out, number);
    natlet_json_out_key(&out, "millidegrees");
    natlet_json_out_u64(&out, measure(number));
    natlet_json_out_close(&out, '}');
    return natlet_agent_publish(
        cell, &(natlet_msg){.subject = NATLET_TEXT("demo.readings"), .payload = {text, out.len}});
}

/* A reading that cannot leave, because the connection is down or full, is tried
 * again at the next tick. */
static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    meter_state *m = state;

    if (mail->kind != NATLET_MAIL_TIMER) {
        return NATLET_REJECT;
    }
    natlet_status st = publish_reading(cell, m->published + 1);
    if (st == NATLET_OK) {
        m->published++;
    } else if (st != NATLET_E_DISCONNECTED && st != NATLET_E_FULL) {
        return st;
    }
    return m->published < m->of->readings ? wait_for_tick(cell, m->of) : NATLET_DONE;
}

const natlet_behaviour meter = {
    .name = "meter", .state_bytes = sizeof(meter_state), .init = start, .on_mail = on_mail};
