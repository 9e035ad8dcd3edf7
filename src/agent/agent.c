/* The life of one agent.
 *
 * phase       it got here by                     next
 * ---------   --------------------------------   -----------------------------------
 * STARTING    agent_new                          init: RUNNING or DOWN
 * RUNNING     init, or a settled mail            BUSY, EXITED (or STOPPING, a supervisor)
 * BUSY        a handler that said LATER          settled: RUNNING; stopped: EXITED
 * EXITED      a stop, a crash, a normal end      its supervisor: STARTING, DOWN or freed
 * RESTARTING  a restart whose init failed        its supervisor: STARTING or DOWN
 * DOWN        its supervisor                     STARTING with its supervisor, or freed */
#include "agent/kernel.h"

enum { ALIGN = 8 };

static const char *const state_texts[] = {
#define X(name, value, text) text,
    NATLET_AGENT_STATE_MAP(X)
#undef X
};
static const char *const exit_texts[] = {
#define X(name, value, text) text,
    NATLET_EXIT_MAP(X)
#undef X
};

const char *natlet_agent_state_text(natlet_agent_state state)
{
    return (uint32_t)state < sizeof state_texts / sizeof *state_texts ? state_texts[state]
                                                                      : "unknown";
}

const char *natlet_exit_text(natlet_exit_kind kind)
{
    return (uint32_t)kind < sizeof exit_texts / sizeof *exit_texts ? exit_texts[kind] : "unknown";
}

/* ---- calling handlers ---- */

/* From here to come_back the agent's own code runs. */
static void go_out(natlet_cell *cell, natlet__agent *agent)
{
    cell->running = agent;
    natlet__unlock(cell, 0);
}

static void come_back(natlet_cell *cell)
{
    (void)natlet__lock(cell);
    cell->running = NULL;
}

static int32_t call_init(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_child *child = &agent->child;

    if (child->behaviour->state_bytes > 0) {
        memset(agent->state, 0, child->behaviour->state_bytes);
    }
    if (child->behaviour->init == NULL) {
        return NATLET_DONE;
    }
    go_out(cell, agent);
    int32_t result = child->behaviour->init(cell, agent->state, child->arg);
    come_back(cell);
    return result;
}

static void call_terminate(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    bool is_told = why.kind != NATLET_EXIT_TRAP && why.kind != NATLET_EXIT_KILLED;

    if (is_told && !natlet__is_supervisor(agent) && agent->child.behaviour->terminate != NULL) {
        go_out(cell, agent);
        agent->child.behaviour->terminate(cell, agent->state, why);
        come_back(cell);
    }
}

/* ---- the run queue ---- */

void natlet__agent_schedule(natlet_cell *cell, natlet__agent *agent)
{
    if (agent->is_queued) {
        return;
    }
    agent->is_queued = true;
    agent->run_next = NULL;
    if (cell->run_last != NULL) {
        cell->run_last->run_next = agent;
    } else {
        cell->run_first = agent;
    }
    cell->run_last = agent;
}

/* ---- birth ---- */

/* What a child needs besides its struct. */
typedef struct shape {
    natlet__mailbox mailbox; /* without its places */
    uint32_t places;
    size_t state_bytes;
} shape;

static natlet_status read_shape(shape *s, const natlet_child *child, const natlet__agent *parent)
{
    *s = (shape){0};
    if ((child->behaviour == NULL) == (child->supervisor == NULL)) {
        return NATLET_E_CONFIG;
    }
    if (child->supervisor != NULL) {
        s->state_bytes = natlet__supervisor_bytes(child->supervisor);
        if (parent != NULL && parent->depth + 1u >= NATLET_SUPERVISOR_DEPTH_MAX) {
            return NATLET_E_LIMIT;
        }
        return s->state_bytes > 0 ? NATLET_OK : NATLET_E_CONFIG;
    }
    s->places = natlet__mailbox_init(&s->mailbox, &child->mailbox);
    s->state_bytes = child->behaviour->state_bytes;
    return s->places > 0 && child->behaviour->on_mail != NULL ? NATLET_OK : NATLET_E_CONFIG;
}

static size_t round_up(size_t bytes)
{
    return (bytes + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

/* Puts it before `younger`, or last. */
static void join_family(natlet_cell *cell, natlet__agent *agent, natlet__agent *younger)
{
    natlet__family *family = natlet__siblings(cell, agent);

    agent->younger = younger;
    agent->older = younger != NULL ? younger->older : family->last;
    if (agent->older != NULL) {
        agent->older->younger = agent;
    } else {
        family->first = agent;
    }
    if (younger != NULL) {
        younger->older = agent;
    } else {
        family->last = agent;
    }
    family->count++;
}

static void leave_family(natlet_cell *cell, natlet__agent *agent)
{
    natlet__family *family = natlet__siblings(cell, agent);

    if (agent->older != NULL) {
        agent->older->younger = agent->younger;
    } else {
        family->first = agent->younger;
    }
    if (agent->younger != NULL) {
        agent->younger->older = agent->older;
    } else {
        family->last = agent->older;
    }
    family->count--;
}

static void name_incarnation(natlet_cell *cell, natlet__agent *agent)
{
    cell->incarnations += cell->incarnations == UINT32_MAX ? 2 : 1; /* never 0 */
    agent->pid = (natlet_pid)cell->incarnations << NATLET_PID_SLOT_BITS | agent->slot;
}

natlet_status natlet__agent_new(natlet_cell *cell, natlet__agent **out, natlet__agent *parent,
                                const natlet_child *child, natlet__agent *younger)
{
    shape s;
    natlet_status st = read_shape(&s, child, parent);

    if (st < 0) {
        return st;
    }
    size_t state_at = round_up(sizeof(natlet__agent));
    size_t places_at = state_at + round_up(s.state_bytes);
    size_t bytes = places_at + s.places * sizeof(natlet_mail *);
    uint8_t *block = bytes > s.state_bytes ? natlet__pool_take(&cell->pool, bytes) : NULL;
    if (block == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memset(block, 0, bytes);
    natlet__agent *agent = (natlet__agent *)block;
    agent->mailbox = s.mailbox;
    agent->mailbox.places = (natlet_mail **)(block + places_at);
    agent->state = block + state_at;
    agent->child = *child;
    agent->parent = parent;
    agent->depth = (uint8_t)(parent != NULL ? parent->depth + 1 : 0);
    agent->block_bytes = (uint32_t)bytes;
    agent->phase = NATLET_AGENT_STARTING;
    st = natlet__registry_add(cell, agent);
    if (st < 0) {
        natlet__pool_give_back(&cell->pool, block, bytes);
        return st;
    }
    join_family(cell, agent, younger);
    name_incarnation(cell, agent);
    *out = agent;
    return NATLET_OK;
}

/* ---- one incarnation ---- */

static void bury(natlet_cell *cell, natlet__agent *agent, natlet_mail *mail,
                 natlet_dead_reason reason)
{
    natlet__dead_letter(cell, mail, reason, agent);
    natlet__mail_free(cell, mail);
}

/* Makes the mail in the agent's hands a dead letter. */
static void bury_held(natlet_cell *cell, natlet__agent *agent, natlet_dead_reason reason)
{
    natlet_mail *mail = agent->mail;

    agent->mail = NULL;
    bury(cell, agent, mail, reason);
}

/* Lets go of what belongs to the incarnation and not to the child. */
static void release(natlet_cell *cell, natlet__agent *agent)
{
    natlet_mail *mail;

    natlet__wait_drop_all(cell, agent);
    while ((mail = natlet__mailbox_take_sys(&agent->mailbox)) != NULL) {
        bury(cell, agent, mail, NATLET_DEAD_SHUTDOWN);
    }
    if (agent->mail != NULL) {
        bury_held(cell, agent, NATLET_DEAD_SHUTDOWN);
    }
    agent->token = 0;
    agent->is_settled = false;
    agent->is_asked = false;
}

void natlet__agent_reset(natlet_cell *cell, natlet__agent *agent)
{
    release(cell, agent);
    agent->phase = NATLET_AGENT_DOWN;
    agent->pid = 0;
}

void natlet__agent_not_started(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    agent->exit = why;
    natlet__cell_tell(cell, NATLET_CELL_START_FAILED, agent);
    natlet__agent_reset(cell, agent);
}

natlet_status natlet__agent_start(natlet_cell *cell, natlet__agent *agent)
{
    agent->phase = NATLET_AGENT_STARTING;
    if (agent->pid == 0) {
        name_incarnation(cell, agent);
    }
    if (agent->has_run && agent->child.drop_mail) {
        natlet__agent_drain(cell, agent, NATLET_DEAD_RESTART);
    }
    int32_t st = natlet__is_supervisor(agent) ? natlet__supervisor_open(cell, agent)
                                              : call_init(cell, agent);
    if (st < 0) {
        natlet__agent_not_started(cell, agent, (natlet_reason){NATLET_EXIT_ERROR, st});
        return (natlet_status)st;
    }
    agent->phase = NATLET_AGENT_RUNNING;
    agent->has_run = true;
    natlet__cell_tell(cell, NATLET_CELL_STARTED, agent);
    if (agent->mailbox.queued > 0 || agent->is_asked) {
        natlet__agent_schedule(cell, agent);
    }
    return NATLET_OK;
}

void natlet__agent_end(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    call_terminate(cell, agent, why);
    agent->exit = why;
    release(cell, agent);
    natlet__cell_tell(cell, NATLET_CELL_EXITED, agent);
    agent->phase = NATLET_AGENT_EXITED;
    agent->pid = 0;
}

void natlet__agent_exit(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    natlet__agent_end(cell, agent, why);
    if (agent->parent != NULL) {
        natlet__supervisor_post(cell, agent->parent, agent);
    }
}

void natlet__agent_crash(natlet_cell *cell, natlet__agent *agent, natlet_reason why)
{
    agent->exit = why;
    if (agent->mail != NULL) {
        bury_held(cell, agent, NATLET_DEAD_CRASHED);
    }
    natlet__agent_exit(cell, agent, why);
}

void natlet__agent_drain(natlet_cell *cell, natlet__agent *agent, natlet_dead_reason reason)
{
    natlet_mail *mail;

    while ((mail = natlet__mailbox_take(&agent->mailbox)) != NULL) {
        bury(cell, agent, mail, reason);
    }
}

void natlet__agent_remove(natlet_cell *cell, natlet__agent *agent)
{
    bool was_stopped =
        agent->exit.kind == NATLET_EXIT_SHUTDOWN || agent->exit.kind == NATLET_EXIT_KILLED;

    if (natlet__is_supervisor(agent)) {
        natlet__supervisor_empty(cell, agent);
    }
    natlet__agent_drain(cell, agent, was_stopped ? NATLET_DEAD_SHUTDOWN : NATLET_DEAD_NO_AGENT);
    if (cell->outlet != NULL) {
        cell->outlet->gone(cell->outlet, agent);
    }
    leave_family(cell, agent);
    natlet__registry_remove(cell, agent);
    agent->phase = NATLET__PHASE_GONE;
    if (!agent->is_queued) {
        natlet__pool_give_back(&cell->pool, agent, agent->block_bytes);
    }
}

/* ---- mail ---- */

static void finish_mail(natlet_cell *cell, natlet__agent *agent)
{
    natlet__mail_free(cell, agent->mail);
    agent->mail = NULL;
    agent->handled++;
    cell->stats.handled++;
}

/* Takes a handler's answer about the mail in its hands. */
static void take_result(natlet_cell *cell, natlet__agent *agent, int32_t result)
{
    switch (result) {
    case NATLET_DONE:
        finish_mail(cell, agent);
        break;
    case NATLET_LATER:
        agent->phase = NATLET_AGENT_BUSY;
        return;
    case NATLET_REJECT:
        bury_held(cell, agent, NATLET_DEAD_REJECTED);
        break;
    case NATLET_STOP:
        finish_mail(cell, agent);
        natlet__agent_exit(cell, agent, (natlet_reason){NATLET_EXIT_NORMAL, 0});
        break;
    default: /* what is no answer at all is a crash as well */
        natlet__agent_crash(
            cell, agent,
            (natlet_reason){NATLET_EXIT_ERROR, result < 0 ? result : NATLET_E_INVALID});
    }
    agent->token = 0;
}

static uint32_t handle_batch(natlet_cell *cell, natlet__agent *agent)
{
    const natlet_behaviour *behaviour = agent->child.behaviour;
    uint32_t done = 0;

    while (done < cell->config.batch && agent->phase == NATLET_AGENT_RUNNING) {
        natlet_mail *mail = natlet__mailbox_take(&agent->mailbox);
        if (mail == NULL) {
            return done;
        }
        mail->to = agent->pid;
        agent->mail = mail;
        go_out(cell, agent);
        int32_t result = behaviour->on_mail(cell, agent->state, mail);
        come_back(cell);
        take_result(cell, agent, result);
        done++;
    }
    if (agent->phase == NATLET_AGENT_RUNNING && agent->mailbox.queued > 0) {
        natlet__agent_schedule(cell, agent);
    }
    return done;
}

static void settle(natlet_cell *cell, natlet__agent *agent)
{
    bool is_asked = agent->is_asked;

    agent->is_settled = false;
    agent->phase = NATLET_AGENT_RUNNING;
    take_result(cell, agent, agent->result);
    if (is_asked && agent->phase == NATLET_AGENT_RUNNING) {
        natlet__agent_exit(cell, agent, (natlet_reason){NATLET_EXIT_SHUTDOWN, 0});
    }
}

uint32_t natlet__agent_run(natlet_cell *cell, natlet__agent *agent)
{
    agent->is_queued = false;
    if (agent->phase == NATLET__PHASE_GONE) {
        natlet__pool_give_back(&cell->pool, agent, agent->block_bytes);
        return 0;
    }
    if (agent->phase == NATLET_AGENT_STARTING) {
        (void)natlet__supervisor_start_added(cell, agent);
        return 1;
    }
    if (natlet__is_supervisor(agent)) {
        natlet__supervisor_run(cell, agent);
        return 1;
    }
    if (agent->is_settled) {
        settle(cell, agent);
    }
    return handle_batch(cell, agent) + 1;
}

int32_t natlet_agent_later(natlet_cell *cell, uint32_t *token)
{
    natlet__agent *agent = cell->running;

    *token = 0;
    if (agent == NULL || agent->mail == NULL) {
        return NATLET_E_STATE;
    }
    if (agent->token == 0) {
        cell->tokens += cell->tokens == UINT32_MAX ? 2 : 1; /* never 0 */
        agent->token = cell->tokens;
    }
    *token = agent->token;
    return NATLET_LATER;
}

natlet_status natlet_cell_settle(natlet_cell *cell, natlet_pid pid, uint32_t token, int32_t result)
{
    natlet__agent *agent = natlet__registry_at(cell, pid);

    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    if (agent->phase != NATLET_AGENT_BUSY || agent->token != token || agent->is_settled) {
        return NATLET_E_STATE;
    }
    if (result > 0 && result != NATLET_REJECT && result != NATLET_STOP) {
        return NATLET_E_INVALID;
    }
    uint32_t was = natlet__lock(cell);
    agent->result = result;
    agent->is_settled = true;
    natlet__agent_schedule(cell, agent);
    natlet__unlock(cell, was);
    return NATLET_OK;
}

/* ---- what others can see ---- */

void natlet__agent_describe(const natlet__agent *agent, natlet_agent_info *info)
{
    bool is_supervisor = natlet__is_supervisor(agent);

    *info = (natlet_agent_info){
        .pid = agent->pid,
        .parent = agent->parent != NULL ? agent->parent->pid : 0,
        .name = agent->child.name,
        .kind = is_supervisor ? "supervisor" : agent->child.behaviour->name,
        .state = (natlet_agent_state)agent->phase,
        .restarts = agent->restarts,
        .children = is_supervisor ? ((natlet__supervisor *)agent->state)->children.count : 0,
        .handled = agent->handled,
        .last_exit = agent->exit,
        .mailbox = natlet__mailbox_stats_now(&agent->mailbox),
    };
}

natlet_status natlet_agent_info_of(const natlet_cell *cell, natlet_pid pid, natlet_agent_info *info)
{
    const natlet__agent *agent = natlet__registry_at(cell, pid);

    *info = (natlet_agent_info){0};
    if (agent == NULL) {
        return NATLET_E_NO_AGENT;
    }
    natlet__agent_describe(agent, info);
    return NATLET_OK;
}
