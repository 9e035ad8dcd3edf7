/* A report for each crash, in memory taken at the start. */
#include "agent/witness.h"
#include "bridge/bridge.h"
#include "natlet/inspect.h"
#include "natlet/introspect.h"
#include "natlet/subject.h"

enum { REPORT_BYTES = 4096 };

typedef struct crashes {
    natlet__extra extra; /* first */
    natlet__witness witness;
    natlet_bridge *bridge;
    natlet_slice subject; /* it lies behind the report */
    uint8_t report[REPORT_BYTES];
} crashes;

static void see(natlet__witness *witness, const natlet_cell_event *event)
{
    void *at = (char *)witness - offsetof(crashes, witness);
    crashes *c = at;
    natlet_json_out out;

    natlet_json_out_init(&out, c->report, sizeof c->report);
    natlet_status st = natlet_cell_crash_json(c->bridge->cell, event, &out);
    if (st == NATLET_E_INVALID) {
        return;
    }
    if (st == NATLET_OK) {
        st = natlet_client_publish(
            c->bridge->client,
            &(natlet_msg){.subject = c->subject, .payload = {c->report, out.len}});
    }
    natlet__bridge_count_out(c->bridge, st);
}

static void end(natlet_bridge *bridge, natlet__extra *extra)
{
    crashes *c = (crashes *)extra;

    natlet__witness_end(bridge->cell, &c->witness);
    natlet__memory_give_back(&bridge->cell->rt->memory, c, sizeof *c + c->subject.len);
}

natlet_status natlet_bridge_crashes(natlet_bridge *bridge, natlet_slice subject)
{
    if (natlet_subject_check(subject, NATLET_SUBJECT_PUBLISH) != NATLET_SUBJECT_NONE) {
        return NATLET_E_SUBJECT;
    }
    if (natlet__extra_find(bridge, end) != NULL) {
        return NATLET_E_STATE;
    }
    crashes *c = natlet__memory_take(&bridge->cell->rt->memory, sizeof *c + subject.len);
    if (c == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    c->bridge = bridge;
    c->subject = (natlet_slice){(uint8_t *)(c + 1), subject.len};
    (void)natlet__put((uint8_t *)(c + 1), subject);
    natlet__witness_begin(bridge->cell, &c->witness, see);
    natlet__extra_add(bridge, &c->extra, end);
    return NATLET_OK;
}
