/* Agents for host languages: one supervisor whose children are *remote*.  The
 * kernel keeps their mailboxes and their rules; what a mail means is decided on
 * the other side, which gets it as a record and answers with SETTLE. */
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
} agents;

/* Names outlive the operation that brings them: a child's specification borrows. */
typedef struct name_block {
    struct name_block *next;
    size_t len;
    uint8_t text[];
} name_block;

static agents the;
static name_block *names;

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
    return later;
}

static const natlet_behaviour remote = {.name = "remote", .on_mail = hand_out};

/* The name lies in its name_block, or is a static one, and stays there. */
static void on_event(void *self, const natlet_cell_event *event)
{
    bool is_start = event->kind == NATLET_CELL_STARTED;
    const natlet_msg parts = {.subject = event->name};

    (void)self;
    if (event->kind >= NATLET_CELL_DEAD_LETTER) {
        return; /* counted in the cell; the introspection tells of them */
    }
    natlet__embed_place(natlet__embed_append(NATLET_REC_AGENT, slot_of(event->pid),
                                             is_start ? 1 : event->reason.code),
                        &parts);
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

static natlet_status keep_name(natlet_slice *name)
{
    name_block *block = natlet__memory_take(&the.rt->memory, sizeof *block + name->len);

    if (block == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    *block = (name_block){.next = names, .len = name->len};
    names = block;
    memcpy(block->text, name->ptr, name->len);
    *name = (natlet_slice){block->text, name->len};
    return NATLET_OK;
}

static void forget_last_name(void)
{
    name_block *block = names;

    names = block->next;
    natlet__memory_give_back(&the.rt->memory, block, sizeof *block + block->len);
}

/* Subject and network are looked at first, so that an agent which was started also
 * gets its subscription, short of memory or room. */
static natlet_status take_spawn(const natlet_embed_op *op, const natlet_msg *parts)
{
    natlet_child child = {
        .name = parts->subject, .behaviour = &remote, .restart = (natlet_restart)op->arg};
    bool subscribes = parts->reply.len > 0;
    natlet_pid pid;

    if (op->arg > NATLET_TEMPORARY || child.name.len == 0) {
        return NATLET_E_INVALID;
    }
    if (subscribes && the.bridge == NULL) {
        return NATLET_E_UNSUPPORTED;
    }
    if (subscribes && natlet_subject_check(parts->reply, NATLET_SUBJECT_SUBSCRIBE) != 0) {
        return NATLET_E_SUBJECT;
    }
    natlet_status st = keep_name(&child.name);
    if (st < 0) {
        return st;
    }
    st = natlet_supervisor_add(the.cell, the.supervisor, &child, &pid);
    if (st < 0) {
        forget_last_name();
    } else if (subscribes) {
        st = natlet_bridge_subscribe(the.bridge, pid, parts->reply, (natlet_slice){0}, NULL);
    }
    return st;
}

static natlet_status take_settle(const natlet_embed_op *op, const natlet_msg *parts)
{
    static const int32_t results[] = {[NATLET_SETTLE_DONE] = NATLET_DONE,
                                      [NATLET_SETTLE_REJECT] = NATLET_REJECT,
                                      [NATLET_SETTLE_STOP] = NATLET_STOP,
                                      [NATLET_SETTLE_ERROR] = NATLET_E_CANCELLED};
    uint32_t token;

    if (op->arg > NATLET_SETTLE_ERROR || parts->payload.len != sizeof token) {
        return NATLET_E_INVALID;
    }
    memcpy(&token, parts->payload.ptr, sizeof token);
    return natlet_cell_settle(the.cell, natlet_cell_at(the.cell, op->id), token, results[op->arg]);
}

natlet_status natlet__embed_agents_take(const natlet_embed_op *op, const natlet_msg *parts)
{
    switch (op->kind) {
    case NATLET_OP_SPAWN:
        return take_spawn(op, parts);
    case NATLET_OP_SETTLE:
        return take_settle(op, parts);
    case NATLET_OP_SEND:
        return natlet_agent_send_name(
            the.cell, parts->subject,
            &(natlet_mail){.payload = parts->payload, .headers = parts->headers});
    default:
        return NATLET_E_UNSUPPORTED;
    }
}

natlet_status natlet__embed_agents_recover(void)
{
    return the.cell != NULL ? natlet_cell_recover(the.cell) : NATLET_E_POISONED;
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
    while (names != NULL) {
        forget_last_name();
    }
    the = (agents){0};
}
