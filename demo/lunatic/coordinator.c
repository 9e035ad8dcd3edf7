/* The coordinator is told by plan_workflow how many tasks there are, hands them to the
 * collectors, a few at a time, and counts the summaries.  Where it stands lies in its
 * state in the backend, for it is restarted with the group. */
#include "lunatic.h"

enum { WINDOW = 12, COLLECTORS = 3, CRITICAL_EACH = 10 };
enum { PLAN = 1, PLAN_MS = 50 };

typedef struct coordinator_state {
    const member *self;
    natlet_seed_agent seed;
} coordinator_state;

static natlet_status wait_to_plan(natlet_cell *cell)
{
    return natlet_agent_send_after(cell, natlet_agent_self(cell), PLAN_MS, PLAN, NULL);
}

static const char *priority_of(uint32_t task)
{
    return natlet_seed_priority_text(task % CRITICAL_EACH == 0 ? NATLET_SEED_PRIORITY_CRITICAL
                                                               : NATLET_SEED_PRIORITY_MEDIUM);
}

static natlet_status hand_out(natlet_cell *cell, uint32_t task)
{
    uint8_t name[] = "collector_N";
    uint8_t text[160];
    natlet_json_out out;

    name[sizeof name - 2] = (uint8_t)('1' + task % COLLECTORS);
    natlet_json_out_init(&out, text, sizeof text);
    natlet_json_out_open(&out, '{');
    natlet_json_out_key(&out, "message_type");
    natlet_json_out_string(&out, slice_of(natlet_seed_type_text(NATLET_SEED_TYPE_SCRAPING_TASK)));
    natlet_json_out_key(&out, "priority");
    natlet_json_out_string(&out, slice_of(priority_of(task)));
    natlet_json_out_key(&out, "task");
    natlet_json_out_u64(&out, task);
    natlet_json_out_key(&out, "pages");
    natlet_json_out_u64(&out, 1 + task % 7);
    natlet_json_out_close(&out, '}');
    return natlet_envelope_send(cell, (natlet_slice){name, sizeof name - 1},
                                (natlet_slice){text, out.len});
}

/* What cannot leave now is planned again later. */
static int32_t plan(natlet_cell *cell, const member *self)
{
    const uint32_t goal = recall(self, "goal");
    const uint32_t done = recall(self, "done");
    uint32_t planned = recall(self, "planned");

    while (planned < goal && planned < done + WINDOW) {
        if (hand_out(cell, planned + 1) < 0) {
            return wait_to_plan(cell);
        }
        remember(self, "planned", ++planned);
    }
    return NATLET_DONE;
}

static int32_t on_message(natlet_cell *cell, void *state, natlet_mail *mail,
                          const natlet_seed_message *message)
{
    const member *self = ((coordinator_state *)state)->self;

    if (mail->kind == NATLET_MAIL_TIMER) {
        return plan(cell, self);
    }
    if (message->task == NATLET_SEED_TASK_PLAN_WORKFLOW) {
        remember(self, "goal", number_in(message, "/tasks"));
        return plan(cell, self);
    }
    if (message->type == NATLET_SEED_TYPE_STATE_UPDATE) {
        remember(self, "done", recall(self, "done") + 1);
        return plan(cell, self);
    }
    return NATLET_REJECT;
}

/* The timer of the incarnation before died with it. */
static int32_t start(natlet_cell *cell, void *state, void *arg)
{
    coordinator_state *c = state;

    c->self = arg;
    c->seed = seed_agent(arg, on_message);
    return wait_to_plan(cell);
}

static int32_t on_mail(natlet_cell *cell, void *state, natlet_mail *mail)
{
    return natlet_seed_handle(cell, &((coordinator_state *)state)->seed, state, mail);
}

const natlet_behaviour coordinator = {.name = "WorkflowCoordinator",
                                      .state_bytes = sizeof(coordinator_state),
                                      .init = start,
                                      .on_mail = on_mail};
