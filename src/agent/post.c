/* Mail on its way: copied once into the pool, checked against the mailbox first.
 *
 *     draft -> room? -> block of the pool -> lane -> run queue */
#include "agent/kernel.h"

#include "base/optional.h"

NATLET__OPTIONAL(natlet_cell_shutdown)

natlet_pid natlet_agent_self(const natlet_cell *cell)
{
    return cell->running != NULL ? cell->running->pid : 0;
}

/* ---- one mail ---- */

/* The wall clock is read once a turn: asking the host for each mail would cost more
 * than the mail.  In between the runtime's last stamp is counted up. */
static uint64_t next_id(natlet_cell *cell)
{
    natlet_runtime *rt = cell->rt;

    if (cell->stamped_us == rt->now_us) {
        return ++rt->wall_ns;
    }
    cell->stamped_us = rt->now_us;
    return natlet__runtime_stamp_ns(rt);
}

/* The four parts of a mail, which come first and in the order of a message's. */
#define PARTS 4
_Static_assert(offsetof(natlet_mail, reply) == offsetof(natlet_msg, reply) &&
                   offsetof(natlet_mail, headers) == offsetof(natlet_msg, headers) &&
                   offsetof(natlet_mail, payload) == offsetof(natlet_msg, payload) &&
                   sizeof(natlet_msg) == PARTS * sizeof(natlet_slice),
               "the parts stand side by side");

void natlet__mail_draft(natlet_mail *draft, const natlet_msg *msg)
{
    memset(draft, 0, sizeof *draft);
    memcpy(draft, msg, sizeof *msg);
}

natlet_mail *natlet__mail_new(natlet_cell *cell, natlet_pid to, const natlet_mail *draft,
                              natlet_mail_kind kind)
{
    uint32_t bytes = (uint32_t)natlet__mail_measure(draft);
    natlet_mail *mail = natlet__pool_take(&cell->pool, sizeof *mail + bytes);

    if (mail == NULL) {
        return NULL;
    }
    const natlet_slice *part = &draft->subject;
    natlet_slice *copy = &mail->subject;
    uint8_t *at = (uint8_t *)(mail + 1);
    for (uint32_t i = 0; i < PARTS; i++) {
        copy[i] = (natlet_slice){at, part[i].len};
        if (part[i].len > 0) {
            memcpy(at, part[i].ptr, part[i].len);
            at += part[i].len;
        }
    }
    /* Field by field: clearing the struct first would be the dearest line of a send. */
    mail->from = natlet_agent_self(cell);
    mail->to = to;
    mail->id_ns = next_id(cell);
    mail->seq = draft->seq;
    mail->tag = draft->tag;
    mail->status = NATLET_OK;
    mail->call = draft->call;
    mail->bytes = bytes;
    mail->attempt = 1;
    mail->kind = (uint8_t)kind;
    mail->priority = draft->priority;
    mail->json = 0;
    mail->key = 0;
    mail->exit_kind = 0;
    return mail;
}

void natlet__mail_free(natlet_cell *cell, natlet_mail *mail)
{
    natlet__pool_give_back(&cell->pool, mail);
}

/* ---- into a mailbox ---- */

static void wake(natlet_cell *cell, natlet__agent *agent)
{
    cell->stats.delivered++;
    if (agent->phase == NATLET_AGENT_RUNNING) {
        natlet__agent_schedule(cell, agent);
    }
}

void natlet__post_reserved(natlet_cell *cell, natlet__agent *agent, natlet_mail *mail)
{
    mail->id_ns = mail->id_ns > 0 ? mail->id_ns : next_id(cell);
    mail->to = agent->pid;
    mail->attempt = 1;
    mail->priority = NATLET_PRIORITY_SYS;
    natlet__mailbox_push_reserved(&agent->mailbox, mail);
    wake(cell, agent);
}

natlet_status natlet__post_copy(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                                natlet_mail_kind kind, natlet_mail **copy)
{
    natlet_status st =
        natlet__mailbox_room(&agent->mailbox, draft->priority, natlet__mail_measure(draft));

    if (st < 0) {
        return st;
    }
    *copy = natlet__mail_new(cell, agent->pid, draft, kind);
    if (*copy == NULL) {
        return NATLET_E_FULL;
    }
    natlet__mailbox_push(&agent->mailbox, *copy);
    return NATLET_OK;
}

static natlet_status put_copy(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                              natlet_mail_kind kind, natlet_mail **copy)
{
    if (agent == NULL || agent->phase == NATLET_AGENT_DOWN || natlet__is_supervisor(agent)) {
        return NATLET_E_NO_AGENT;
    }
    if (draft->priority >= NATLET_PRIORITY_SYS) {
        return NATLET_E_INVALID;
    }
    const natlet_overflow_policy *policy = agent->child.mailbox.overflow;
    natlet_status st = policy != NULL ? policy->post(cell, agent, draft, kind, copy)
                                      : natlet__post_copy(cell, agent, draft, kind, copy);
    if (st == NATLET_OK) {
        wake(cell, agent);
    }
    return st;
}

void natlet__post_bury(natlet_cell *cell, natlet__agent *agent, natlet_pid to,
                       const natlet_mail *draft, natlet_mail_kind kind, natlet_dead_reason reason)
{
    natlet_mail lost = *draft;

    lost.kind = (uint8_t)kind;
    lost.from = natlet_agent_self(cell);
    lost.to = to;
    lost.id_ns = next_id(cell);
    lost.bytes = (uint32_t)natlet__mail_measure(draft);
    natlet__dead_letter(cell, &lost, reason, agent);
}

natlet_status natlet__post(natlet_cell *cell, natlet__agent *agent, natlet_pid to,
                           const natlet_mail *draft, natlet_mail_kind kind, natlet__wait *call)
{
    natlet_mail *mail;

    kind = call != NULL ? NATLET_MAIL_CALL : kind;
    natlet_status st = put_copy(cell, agent, draft, kind, &mail);

    if (st == NATLET_E_NO_AGENT) { /* incarnations are counted from 1 */
        bool was_agent = (to >> NATLET_PID_SLOT_BITS) - 1 < cell->incarnations;
        natlet__post_bury(cell, agent, to, draft, kind,
                          was_agent ? NATLET_DEAD_STALE_PID : NATLET_DEAD_NO_AGENT);
    } else if (st < 0 && kind == NATLET_MAIL_NATS) {
        natlet__post_bury(cell, agent, to, draft, kind, NATLET_DEAD_OVERFLOW);
    } else if (st < 0 && st != NATLET_E_INVALID) {
        cell->stats.refused++;
    }
    if (st == NATLET_OK && call != NULL) {
        mail->call = call->ref;
        call->asked_id = mail->id_ns;
    }
    return st < 0 ? st : NATLET_OK;
}

/* ---- from agents and from outside ---- */

/* The same from outside, where `was` is what natlet__lock said, unless the cell closes. */
static natlet_status send(natlet_cell *cell, uint32_t was, natlet__agent *agent, natlet_pid to,
                          const natlet_mail *mail)
{
    if (was != 0 && cell->closing.step != NULL && NATLET__IS_LINKED(natlet_cell_shutdown)) {
        return NATLET_E_STATE;
    }
    return natlet__post(cell, agent, to, mail, NATLET_MAIL_USER, NULL);
}

natlet_status natlet_agent_send(natlet_cell *cell, natlet_pid to, const natlet_mail *mail)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = send(cell, was, natlet__registry_at(cell, to), to, mail);

    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_send_name(natlet_cell *cell, natlet_slice name, const natlet_mail *mail)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = send(cell, was, natlet__registry_find(cell, name), 0, mail);

    natlet__unlock(cell, was);
    return st;
}

static natlet_status call(natlet_cell *cell, natlet_pid to, const natlet_mail *draft,
                          uint32_t timeout_ms, uint32_t *ref)
{
    if (cell->running == NULL) {
        return NATLET_E_STATE;
    }
    natlet__wait *wait = natlet__wait_new(cell, cell->running, NATLET_MAIL_REPLY);
    if (wait == NULL) {
        return NATLET_E_FULL;
    }
    natlet__cell_alarm(cell, &wait->alarm, timeout_ms);
    natlet__agent *asked = natlet__registry_at(cell, to);
    natlet_status st = natlet__post(cell, asked, to, draft, NATLET_MAIL_USER, wait);
    if (st < 0) {
        wait->tie.cut(cell, &wait->tie);
        return st;
    }
    natlet__wait_hangs_on(wait, asked);
    *ref = wait->ref;
    return NATLET_OK;
}

natlet_status natlet_agent_call(natlet_cell *cell, natlet_pid to, const natlet_mail *mail,
                                uint32_t timeout_ms, uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    *ref = 0;
    natlet_status st = call(cell, to, mail, timeout_ms, ref);

    natlet__unlock(cell, was);
    return st;
}

static natlet_status publish(natlet_cell *cell, const natlet_msg *msg)
{
    return cell->outlet != NULL ? cell->outlet->publish(cell->outlet, msg) : NATLET_E_UNSUPPORTED;
}

/* The subject of `answer` may be written to. */
static natlet_status reply(natlet_cell *cell, const natlet_mail *request, natlet_msg *answer)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = NATLET_OK;
    natlet__wait *wait = natlet__wait_of_call(cell, request);

    if (request->kind != NATLET_MAIL_CALL && request->reply.len > 0) {
        answer->subject = request->reply;
        st = publish(cell, answer);
    } else if (wait != NULL) {
        natlet__wait_answer(cell, wait, answer);
    } else {
        cell->stats.late++;
    }
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_reply_msg(natlet_cell *cell, const natlet_mail *request,
                                     const natlet_msg *answer)
{
    natlet_msg msg = *answer;

    return reply(cell, request, &msg);
}

natlet_status natlet_agent_reply(natlet_cell *cell, const natlet_mail *request,
                                 natlet_slice payload)
{
    natlet_msg msg = {.payload = payload};

    return reply(cell, request, &msg);
}

natlet_status natlet_agent_publish(natlet_cell *cell, const natlet_msg *msg)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = publish(cell, msg);

    natlet__unlock(cell, was);
    return st;
}
