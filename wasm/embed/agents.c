/* Agents for host languages: supervisors whose children are *remote*.  The kernel
 * keeps their mailboxes and their rules; what a mail means is decided on the other
 * side, which gets it as a record and answers with SETTLE, or with EXIT when the
 * agent's code is gone. */
#include "base/assert.h"
#include "base/bytes.h"
#include "natlet/bridge.h"
#include "natlet/cell.h"
#include "natlet/subject.h"

#include "areas.h"

typedef struct agents {
    natlet_runtime *rt;
    natlet_cell *cell;
    natlet_bridge *bridge; /* NULL: no network */
    natlet_pid supervisor;
    uint32_t shutdown; /* id of the SHUTDOWN under way */
} agents;

/* Names and trees outlive the operation that brings them: specifications borrow.  They
 * are kept once, however often they come. */
typedef struct kept {
    struct kept *next;
    size_t len;
    uint8_t bytes[];
} kept;

_Static_assert(sizeof(kept) % sizeof(uint32_t) == 0, "a specification in it is aligned");

static agents the;
static kept *all_kept;

static uint32_t slot_of(natlet_pid pid)
{
    return (uint32_t)(pid & NATLET_PID_SLOT_MASK);
}

static int32_t hand_out(natlet_cell *cell, void *state, natlet_mail *mail)
{
    uint32_t token;
    int32_t later = natlet_agent_later(cell, &token);
    natlet_embed_record *record =
        natlet__embed_append(NATLET_REC_MAIL, slot_of(natlet_agent_self(cell)), (int32_t)token);
    const natlet_msg parts = {mail->subject, mail->reply, mail->headers, mail->payload};

    (void)state;
    natlet__embed_place(record, &parts);
    void *next = natlet__embed_append(NATLET_REC_STAMP, slot_of(natlet_agent_self(cell)), 0);
    natlet_embed_stamp *stamp = next;
    stamp->mail_kind = mail->kind;
    stamp->attempt = mail->attempt;
    stamp->id_ns = mail->id_ns;
    stamp->from = mail->from;
    stamp->seq = mail->seq;
    return later;
}

/* One with an argument waits for READY: what cannot start must not cost any mail. */
static int32_t wait_for_ready(natlet_cell *cell, void *state, void *arg)
{
    (void)state;
    return arg != NULL ? natlet_agent_suspend(cell, natlet_agent_self(cell)) : NATLET_DONE;
}

static const natlet_behaviour remote = {
    .name = "remote", .init = wait_for_ready, .on_mail = hand_out};

/* What AGENT, CHILD and DEAD records have in common; the name is kept, so it stays. */
static natlet_embed_agent *append_agent(uint8_t kind, natlet_pid pid, natlet_slice name,
                                        int32_t status, natlet_exit_kind why)
{
    void *record = natlet__embed_append(kind, slot_of(pid), status);
    natlet_embed_agent *agent = record;

    agent->flags = (uint8_t)(NATLET_REC_FLAG_COPIED | (uint32_t)why << 4);
    agent->name_len = (uint16_t)name.len;
    agent->incarnation = (uint32_t)(pid >> NATLET_PID_SLOT_BITS);
    agent->at = (uint32_t)(uintptr_t)name.ptr;
    return agent;
}

static natlet_embed_areas *areas(void)
{
    return (natlet_embed_areas *)(uintptr_t)natlet_areas();
}

/* A flood of them must not be a flood of records: like ones in a row are counted. */
static void append_dead(const natlet_cell_event *event)
{
    const natlet_embed_areas *a = areas();
    natlet_embed_agent *last = (natlet_embed_agent *)(uintptr_t)a->completion + a->completed - 1;

    if (a->completed > 0 && last->kind == NATLET_REC_DEAD && last->id == slot_of(event->pid) &&
        last->status == (int32_t)event->dead && last->flags >> 4 == (uint8_t)event->reason.kind) {
        last->count++;
        return;
    }
    append_agent(NATLET_REC_DEAD, event->pid, event->name, (int32_t)event->dead, event->reason.kind)
        ->count = 1;
}

/* Says how an operation ended, about what has this slot. */
static void append_done(uint32_t kind, uint32_t id, int32_t status, uint32_t slot)
{
    natlet_embed_record *record = natlet__embed_append(NATLET_REC_DONE, id, status);

    record->segment = kind;
    record->payload_len = slot;
}

static void on_event(void *self, const natlet_cell_event *event)
{
    bool is_start = event->kind == NATLET_CELL_STARTED;

    (void)self;
    if (event->kind == NATLET_CELL_DEAD_LETTER) {
        append_dead(event);
    } else if (event->kind == NATLET_CELL_CLOSED) {
        append_done(NATLET_OP_SHUTDOWN, the.shutdown, event->reason.code, 0);
    } else {
        append_agent(NATLET_REC_AGENT, event->pid, event->name, is_start ? 1 : event->reason.code,
                     event->reason.kind);
    }
}

static natlet_status start_supervisor(void)
{
    static const natlet_supervisor_spec tree = {.intensity = 10, .period_ms = 10000};

    return natlet_supervisor_start(the.cell, &tree, &the.supervisor);
}

natlet_status natlet__embed_agents_init(natlet_runtime *rt, natlet_client *client,
                                        const natlet__embed_config *config)
{
    const natlet_cell_config cell = {.size = sizeof cell,
                                     .bytes = config->cell_bytes,
                                     .agents_max = config->agents_max,
                                     .on_event = on_event};
    the.rt = rt;
    natlet_status st = natlet_cell_new(&the.cell, rt, &cell);
    if (st == NATLET_OK && client != NULL) {
        st = natlet_bridge_new(&the.bridge, the.cell, client);
    }
    return st == NATLET_OK ? start_supervisor() : st;
}

/* The same bytes where they stay until the end; NULL: no memory. */
static const uint8_t *keep(natlet_slice bytes)
{
    kept *block = all_kept;

    while (block != NULL && !natlet__equal((natlet_slice){block->bytes, block->len}, bytes)) {
        block = block->next;
    }
    if (block == NULL) {
        block = natlet__memory_take(&the.rt->memory, sizeof *block + bytes.len);
        if (block == NULL) {
            return NULL;
        }
        *block = (kept){.next = all_kept, .len = bytes.len};
        all_kept = block;
        memcpy(block->bytes, bytes.ptr, bytes.len);
    }
    return block->bytes;
}

/* Says that the operation is done, about what runs as `pid` now. */
static void answer(const natlet_embed_op *op, natlet_pid pid)
{
    append_done(op->kind, op->id, NATLET_OK, slot_of(pid));
}

typedef struct care {
    natlet_backoff backoff;
    natlet_shield shield;
    natlet_retry retry;
} care;

static natlet_status take_care(const natlet_embed_child *given, natlet_child *child)
{
    static const care whole = {{NATLET_WITH_BACKOFF}, {NATLET_WITH_SHIELD}, {NATLET_WITH_RETRY}};
    care wanted;

    if (given->care == 0) {
        return NATLET_OK;
    }
    if (given->backoff_jitter > 100 || given->retry_jitter > 100 ||
        given->retry_tries == UINT16_MAX) {
        return NATLET_E_CONFIG;
    }
    memcpy(&wanted, &whole, sizeof wanted); /* its bytes are compared, gaps too */
    wanted.backoff.base_ms = given->backoff_base_ms;
    wanted.backoff.cap_ms = given->backoff_cap_ms;
    wanted.backoff.stable_ms = given->backoff_stable_ms;
    wanted.backoff.tries_max = given->backoff_tries;
    wanted.backoff.jitter_percent = given->backoff_jitter;
    wanted.backoff.give_up =
        (given->care & NATLET_CARE_PARK) != 0 ? NATLET_GIVE_UP_PARK : NATLET_GIVE_UP_EXIT;
    wanted.shield.poison_after = given->poison_after;
    wanted.retry.base_ms = given->retry_base_ms;
    wanted.retry.cap_ms = given->retry_cap_ms;
    wanted.retry.tries = given->retry_tries;
    wanted.retry.parked_max = given->retry_parked;
    wanted.retry.jitter_percent = given->retry_jitter;
    const care *stays = (const void *)keep((natlet_slice){(const uint8_t *)&wanted, sizeof wanted});
    if (stays == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    child->backoff = (given->care & NATLET_CARE_BACKOFF) != 0 ? &stays->backoff : NULL;
    child->shield = (given->care & NATLET_CARE_SHIELD) != 0 ? &stays->shield : NULL;
    child->retry = (given->care & NATLET_CARE_RETRY) != 0 ? &stays->retry : NULL;
    return NATLET_OK;
}

/* What a natlet_embed_child says: where the child goes, its limits, its recovery. */
static natlet_status read_child(natlet_slice payload, natlet_child *child, natlet_pid *supervisor)
{
    natlet_embed_child given;

    if (payload.len < sizeof given) {
        return NATLET_E_INVALID;
    }
    memcpy(&given, payload.ptr, sizeof given);
    if (given.overflow > NATLET_OVERFLOW_FAIL) {
        return NATLET_E_CONFIG;
    }
    *supervisor = natlet_cell_at(the.cell, given.supervisor);
    child->arg = &the;
    child->shutdown_ms = given.shutdown_ms;
    child->significant = given.significant != 0;
    child->drop_mail = given.drop_mail != 0;
    child->mailbox.bytes_max = given.mailbox_bytes;
    child->mailbox.normal = given.mailbox_normal;
    child->mailbox.high = given.mailbox_high;
    child->mailbox.low = given.mailbox_low;
    child->mailbox.stash = given.mailbox_stash;
    child->mailbox.overflow = natlet_overflow_of(given.overflow);
    natlet_slice *key = &child->mailbox.key;
    key->len = payload.len - sizeof given;
    if (key->len > 0) {
        key->ptr = keep((natlet_slice){payload.ptr + sizeof given, key->len});
        if (key->ptr == NULL) {
            return NATLET_E_NO_MEMORY;
        }
    }
    return take_care(&given, child);
}

/* The pattern of a DYNAMIC supervisor's children, where it stays. */
static natlet_status take_pattern(const natlet_embed_op *op, natlet_slice payload,
                                  natlet_supervisor_spec *spec)
{
    natlet_child pattern;
    natlet_pid nobody;

    memset(&pattern, 0, sizeof pattern); /* its bytes are compared, gaps too */
    pattern.behaviour = &remote;
    pattern.restart = (natlet_restart)op->arg;
    natlet_status st = read_child(payload, &pattern, &nobody);
    if (st < 0) {
        return st;
    }
    spec->children = (const void *)keep((natlet_slice){(const uint8_t *)&pattern, sizeof pattern});
    spec->count = 1;
    return spec->children != NULL ? NATLET_OK : NATLET_E_NO_MEMORY;
}

_Static_assert(offsetof(natlet_supervisor_spec, children) ==
                       offsetof(natlet_embed_tree, children_max) &&
                   offsetof(natlet_supervisor_spec, auto_shutdown) ==
                       offsetof(natlet_embed_tree, auto_shutdown),
               "they begin alike");

/* The specification begins like the operation's; the rest of it is 0, gaps too, for its
 * bytes are compared. */
static natlet_status take_supervise(const natlet_embed_op *op, const natlet_msg *parts)
{
    natlet_supervisor_spec spec;
    natlet_pid pid;

    if (parts->payload.len < sizeof(natlet_embed_tree) || op->arg > NATLET_TEMPORARY) {
        return NATLET_E_INVALID;
    }
    memset(&spec, 0, sizeof spec);
    memcpy(&spec, parts->payload.ptr, offsetof(natlet_supervisor_spec, children));
    memcpy(&spec.children_max, parts->payload.ptr + offsetof(natlet_embed_tree, children_max),
           sizeof spec.children_max);
    if (spec.strategy == NATLET_DYNAMIC) {
        natlet_slice rest = {parts->payload.ptr + sizeof(natlet_embed_tree),
                             parts->payload.len - sizeof(natlet_embed_tree)};
        natlet_status st = take_pattern(op, rest, &spec);
        if (st < 0) {
            return st;
        }
    }
    const uint8_t *stays = keep((natlet_slice){(const uint8_t *)&spec, sizeof spec});
    if (stays == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet_status st = natlet_supervisor_start(the.cell, (const void *)stays, &pid);
    if (st == NATLET_OK) {
        answer(op, pid);
    }
    return st;
}

/* Takes the first of several subjects with blanks between them. */
static bool next_subject(natlet_slice *rest, natlet_slice *subject)
{
    size_t len = 0;

    while (len < rest->len && rest->ptr[len] != ' ') {
        len++;
    }
    *subject = (natlet_slice){rest->ptr, len};
    size_t gone = len < rest->len ? len + 1 : len;
    *rest = (natlet_slice){rest->ptr + gone, rest->len - gone};
    return len > 0;
}

static natlet_status check_subjects(natlet_slice subjects)
{
    natlet_slice subject;

    while (next_subject(&subjects, &subject)) {
        if (the.bridge == NULL) {
            return NATLET_E_UNSUPPORTED;
        }
        if (natlet_subject_check(subject, NATLET_SUBJECT_SUBSCRIBE) != 0) {
            return NATLET_E_SUBJECT;
        }
    }
    return subjects.len == 0 ? NATLET_OK : NATLET_E_SUBJECT;
}

static natlet_status subscribe(natlet_pid pid, natlet_slice subjects, natlet_slice queue)
{
    natlet_slice subject;
    natlet_status st = NATLET_OK;

    while (st == NATLET_OK && next_subject(&subjects, &subject)) {
        st = natlet_bridge_subscribe(the.bridge, pid, subject, queue, NULL);
    }
    return st;
}

/* Subject and network are looked at first, so that an agent which was started also
 * gets its subscription, short of memory or room. */
static natlet_status take_spawn(const natlet_embed_op *op, const natlet_msg *parts)
{
    natlet_child child = {
        .name = parts->subject, .behaviour = &remote, .restart = (natlet_restart)op->arg};
    bool is_placed = parts->payload.len > 0;
    natlet_pid supervisor = the.supervisor;
    natlet_pid pid;

    if (op->arg > NATLET_TEMPORARY || child.name.len == 0) {
        return NATLET_E_INVALID;
    }
    natlet_status st = check_subjects(parts->reply);
    if (st < 0) {
        return st;
    }
    child.name.ptr = keep(child.name);
    if (child.name.ptr == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    if (is_placed) {
        st = read_child(parts->payload, &child, &supervisor);
    }
    if (st == NATLET_OK) {
        st = natlet_supervisor_add(the.cell, supervisor, &child, &pid);
    }
    if (st == NATLET_OK) {
        st = subscribe(pid, parts->reply, parts->headers);
    }
    if (st == NATLET_OK && is_placed) {
        answer(op, pid);
    }
    return st;
}

static natlet_status take_settle(const natlet_embed_op *op, const natlet_msg *parts)
{
    static const int32_t results[] = {
        [NATLET_SETTLE_DONE] = NATLET_DONE,   [NATLET_SETTLE_REJECT] = NATLET_REJECT,
        [NATLET_SETTLE_STOP] = NATLET_STOP,   [NATLET_SETTLE_ERROR] = NATLET_E_CANCELLED,
        [NATLET_SETTLE_STASH] = NATLET_STASH, [NATLET_SETTLE_RETRY] = NATLET_RETRY};
    uint32_t token;

    if (op->arg > NATLET_SETTLE_RETRY || parts->payload.len != sizeof token) {
        return NATLET_E_INVALID;
    }
    memcpy(&token, parts->payload.ptr, sizeof token);
    return natlet_cell_settle(the.cell, natlet_cell_at(the.cell, op->id), token, results[op->arg]);
}

static natlet_status take_exit(const natlet_embed_op *op, const natlet_msg *parts)
{
    natlet_embed_exit given;

    if (parts->payload.len != sizeof given) {
        return NATLET_E_INVALID;
    }
    memcpy(&given, parts->payload.ptr, sizeof given);
    const natlet_pid pid = (natlet_pid)given.incarnation << NATLET_PID_SLOT_BITS | op->id;
    const natlet_reason why = {(natlet_exit_kind)given.kind, given.code};
    if (op->kind == NATLET_OP_READY) {
        return natlet_agent_resume(the.cell, pid);
    }
    if (given.kind <= NATLET_EXIT_SHUTDOWN) {
        return natlet_agent_exit(the.cell, pid, why);
    }
    return why.code < 0 ? natlet_cell_crash(the.cell, pid, why) : NATLET_E_INVALID;
}

static void append_child(const natlet_agent_info *info)
{
    natlet_embed_agent *agent = append_agent(NATLET_REC_CHILD, info->pid, info->name,
                                             info->last_exit.code, info->last_exit.kind);

    for (uint32_t lane = 0; lane < NATLET_PRIORITIES; lane++) {
        agent->queued = (uint16_t)(agent->queued + info->mailbox.used[lane]);
    }
    agent->count = info->restarts;
    agent->state = (uint8_t)info->state;
    agent->children = info->kind[0] == 's'; /* "supervisor", or "remote" */
    agent->handled = (uint32_t)info->handled;
}

static natlet_status take_list(const natlet_embed_op *op)
{
    natlet_pid pid = op->arg == NATLET_SLOT_CELL ? 0 : natlet_cell_at(the.cell, op->arg);

    if (pid == 0 && op->arg != NATLET_SLOT_CELL) {
        return NATLET_E_NO_AGENT;
    }
    uint32_t count = natlet_cell_children(the.cell, pid, NULL, 0);
    size_t bytes = (count + 1) * sizeof(natlet_agent_info); /* no block is empty */
    natlet_agent_info *infos = natlet__memory_take(&the.rt->memory, bytes);

    if (infos == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    (void)natlet_cell_children(the.cell, pid, infos, count);
    for (uint32_t i = 0; i < count; i++) {
        append_child(&infos[i]);
    }
    natlet__memory_give_back(&the.rt->memory, infos, bytes);
    answer(op, pid);
    return NATLET_OK;
}

static natlet_status take_order(const natlet_embed_op *op, natlet_slice name)
{
    natlet_pid supervisor = natlet_cell_at(the.cell, op->arg);
    natlet_pid pid = 0;
    natlet_status st = NATLET_E_INVALID;

    if (op->flags == NATLET_ORDER_TERMINATE) {
        st = natlet_supervisor_terminate(the.cell, supervisor, name);
    } else if (op->flags == NATLET_ORDER_RESTART) {
        st = natlet_supervisor_restart(the.cell, supervisor, name, &pid);
    } else if (op->flags == NATLET_ORDER_DELETE) {
        st = natlet_supervisor_delete(the.cell, supervisor, name);
    }
    if (st == NATLET_OK) {
        answer(op, pid);
    }
    return st;
}

static natlet_status take_shutdown(const natlet_embed_op *op)
{
    natlet_status st = natlet_cell_shutdown(the.cell, op->arg);

    if (st == NATLET_OK) {
        the.shutdown = op->id;
    }
    return st;
}

natlet_status natlet__embed_agents_take(const natlet_embed_op *op, const natlet_msg *parts)
{
    switch (op->kind) {
    case NATLET_OP_SPAWN:
        return take_spawn(op, parts);
    case NATLET_OP_SETTLE:
        return take_settle(op, parts);
    case NATLET_OP_SEND:
        return natlet_agent_send_name(the.cell, parts->subject,
                                      &(natlet_mail){.reply = parts->reply,
                                                     .headers = parts->headers,
                                                     .payload = parts->payload,
                                                     .priority = (uint8_t)op->arg});
    case NATLET_OP_SUPERVISE:
        return take_supervise(op, parts);
    case NATLET_OP_EXIT:
    case NATLET_OP_READY:
        return take_exit(op, parts);
    case NATLET_OP_LIST:
        return take_list(op);
    case NATLET_OP_ORDER:
        return take_order(op, parts->subject);
    case NATLET_OP_UNSTASH:
        return natlet_cell_unstash(the.cell, natlet_cell_at(the.cell, op->id));
    case NATLET_OP_SHUTDOWN:
        return take_shutdown(op);
    default:
        return NATLET_E_UNSUPPORTED;
    }
}

natlet_status natlet__embed_agents_recover(void)
{
    if (the.cell == NULL) {
        return NATLET_E_POISONED;
    }
    natlet_status st = natlet_cell_recover(the.cell);
    if (st < 0) {
        areas()->lost = UINT32_MAX; /* stays so if the counting traps */
        areas()->lost = natlet_cell_queued(the.cell);
    }
    return st;
}

void natlet__embed_agents_detach(void)
{
    if (the.bridge != NULL) {
        natlet_bridge_free(the.bridge);
        the.bridge = NULL;
    }
}

void natlet__embed_agents_fini(void)
{
    if (the.cell != NULL) {
        natlet_cell_free(the.cell);
    }
    while (all_kept != NULL) {
        kept *block = all_kept;
        all_kept = block->next;
        natlet__memory_give_back(&the.rt->memory, block, sizeof *block + block->len);
    }
    the = (agents){0};
}
