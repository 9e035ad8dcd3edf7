/* Mail on its way: copied once into the pool, checked against the mailbox first.
 *
 *     draft -> room? -> block of the pool -> lane -> run queue */
#include "agent/kernel.h"

/* ---- one mail ---- */

/* The wall clock is read once a turn: asking the host for each mail would cost more
 * than the mail. */
static uint64_t next_id(natlet_cell *cell)
{
    uint64_t now_us = cell->rt->now_us;
    uint64_t id_ns = cell->id_ns + 1;

    if (cell->stamped_us != now_us) {
        uint64_t wall_ns = natlet__runtime_stamp_ns(cell->rt);
        cell->stamped_us = now_us;
        id_ns = wall_ns > id_ns ? wall_ns : id_ns;
    }
    cell->id_ns = id_ns;
    return id_ns;
}

uint64_t natlet__mail_measure(const natlet_mail *draft)
{
    return (uint64_t)draft->subject.len + draft->reply.len + draft->headers.len +
           draft->payload.len;
}

static natlet_slice copy_part(uint8_t **at, natlet_slice part)
{
    natlet_slice copy = {*at, part.len};

    if (part.len > 0) {
        memcpy(*at, part.ptr, part.len);
        *at += part.len;
    }
    return copy;
}

natlet_mail *natlet__mail_new(natlet_cell *cell, const natlet_mail *draft)
{
    uint32_t bytes = (uint32_t)natlet__mail_measure(draft);
    natlet_mail *mail = natlet__pool_take(&cell->pool, sizeof *mail + bytes);

    if (mail == NULL) {
        return NULL;
    }
    /* Field by field: clearing the struct first would be the dearest line of a send. */
    uint8_t *at = (uint8_t *)(mail + 1);
    mail->subject = copy_part(&at, draft->subject);
    mail->reply = copy_part(&at, draft->reply);
    mail->headers = copy_part(&at, draft->headers);
    mail->payload = copy_part(&at, draft->payload);
    mail->from = 0;
    mail->to = 0;
    mail->id_ns = next_id(cell);
    mail->seq = draft->seq;
    mail->tag = draft->tag;
    mail->status = NATLET_OK;
    mail->call = 0;
    mail->bytes = bytes;
    mail->block_bytes = (uint32_t)sizeof *mail + bytes;
    mail->attempt = 1;
    mail->kind = NATLET_MAIL_USER;
    mail->priority = draft->priority;
    mail->json = 0;
    return mail;
}

void natlet__mail_free(natlet_cell *cell, natlet_mail *mail)
{
    natlet__pool_give_back(&cell->pool, mail, mail->block_bytes);
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

/* Copies the draft into the agent's mailbox; `agent` may be NULL, and *sent is the
 * copy.  Returns OK, E_NO_AGENT, E_INVALID, E_FULL or E_TOO_LARGE. */
static natlet_status deliver(natlet_cell *cell, natlet__agent *agent, const natlet_mail *draft,
                             natlet_mail **sent)
{
    if (agent == NULL || agent->phase == NATLET_AGENT_DOWN || natlet__is_supervisor(agent)) {
        return NATLET_E_NO_AGENT;
    }
    if (draft->priority >= NATLET_PRIORITY_SYS) {
        return NATLET_E_INVALID;
    }
    natlet_status st =
        natlet__mailbox_room(&agent->mailbox, draft->priority, natlet__mail_measure(draft));
    natlet_mail *mail = st == NATLET_OK ? natlet__mail_new(cell, draft) : NULL;
    if (mail == NULL) {
        return st < 0 ? st : NATLET_E_FULL;
    }
    mail->to = agent->pid;
    natlet__mailbox_push(&agent->mailbox, mail);
    wake(cell, agent);
    *sent = mail;
    return NATLET_OK;
}

/* Makes a dead letter of a draft that could not be delivered. */
static void bury(natlet_cell *cell, natlet_mail *draft, natlet_dead_reason reason,
                 const natlet__agent *agent)
{
    draft->id_ns = next_id(cell);
    draft->bytes = (uint32_t)natlet__mail_measure(draft);
    natlet__dead_letter(cell, draft, reason, agent);
}

natlet_status natlet__post_message(natlet_cell *cell, natlet__agent *agent, const natlet_msg *msg,
                                   natlet_priority priority)
{
    uint32_t was = natlet__lock(cell);
    natlet_mail *sent;
    natlet_mail draft = {.subject = msg->subject,
                         .reply = msg->reply,
                         .headers = msg->headers,
                         .payload = msg->payload,
                         .to = agent->pid,
                         .kind = NATLET_MAIL_NATS,
                         .priority = (uint8_t)priority};
    natlet_status st = deliver(cell, agent, &draft, &sent);

    if (st == NATLET_OK) {
        sent->kind = NATLET_MAIL_NATS;
    } else {
        bury(cell, &draft, st == NATLET_E_NO_AGENT ? NATLET_DEAD_NO_AGENT : NATLET_DEAD_OVERFLOW,
             agent);
    }
    natlet__unlock(cell, was);
    return st;
}

/* ---- from agents and from outside ---- */

natlet_pid natlet_agent_self(const natlet_cell *cell)
{
    return cell->running != NULL ? cell->running->pid : 0;
}

/* Mail for nobody: `to` is 0 if it was sent by name. */
static void bury_sent(natlet_cell *cell, const natlet_mail *draft, natlet_pid to,
                      const natlet__agent *agent)
{
    natlet_mail lost = *draft;
    bool was_agent = to != 0 && to >> NATLET_PID_SLOT_BITS <= cell->incarnations;

    lost.kind = NATLET_MAIL_USER;
    lost.from = natlet_agent_self(cell);
    lost.to = to;
    bury(cell, &lost, was_agent ? NATLET_DEAD_STALE_PID : NATLET_DEAD_NO_AGENT, agent);
}

/* `agent` is whom the sender means by `to` (0: by name). */
static natlet_status send_to(natlet_cell *cell, natlet__agent *agent, natlet_pid to,
                             const natlet_mail *draft, natlet_mail **sent)
{
    natlet_status st = deliver(cell, agent, draft, sent);

    if (st == NATLET_OK) {
        (*sent)->from = natlet_agent_self(cell);
    } else if (st == NATLET_E_NO_AGENT) {
        bury_sent(cell, draft, to, agent);
    } else if (st != NATLET_E_INVALID) {
        cell->stats.refused++;
    }
    return st;
}

natlet_status natlet_agent_send(natlet_cell *cell, natlet_pid to, const natlet_mail *mail)
{
    uint32_t was = natlet__lock(cell);
    natlet_mail *sent;
    natlet_status st = send_to(cell, natlet__registry_at(cell, to), to, mail, &sent);

    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_send_name(natlet_cell *cell, natlet_slice name, const natlet_mail *mail)
{
    uint32_t was = natlet__lock(cell);
    natlet_mail *sent;
    natlet_status st = send_to(cell, natlet__registry_find(cell, name), 0, mail, &sent);

    natlet__unlock(cell, was);
    return st;
}

static natlet_status call(natlet_cell *cell, natlet_pid to, const natlet_mail *draft,
                          uint32_t timeout_ms, uint32_t *ref)
{
    natlet__wait *wait;
    natlet_mail *sent;

    if (cell->running == NULL) {
        return NATLET_E_STATE;
    }
    natlet_status st = natlet__wait_new(cell, &wait, cell->running, NATLET__WAIT_CALL, timeout_ms);
    if (st < 0) {
        return st;
    }
    st = send_to(cell, natlet__registry_at(cell, to), to, draft, &sent);
    if (st < 0) {
        natlet__wait_drop(cell, wait);
        return st;
    }
    sent->kind = NATLET_MAIL_CALL;
    sent->call = wait->ref;
    wait->asked_id = sent->id_ns;
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

natlet_status natlet_agent_reply(natlet_cell *cell, const natlet_mail *request,
                                 natlet_slice payload)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = NATLET_OK;
    natlet__wait *wait = natlet__wait_of_call(cell, request);

    if (request->kind != NATLET_MAIL_CALL && request->reply.len > 0) {
        st = publish(cell, &(natlet_msg){.subject = request->reply, .payload = payload});
    } else if (wait != NULL) {
        natlet__wait_answer(cell, wait, natlet_agent_self(cell), &(natlet_msg){.payload = payload});
    } else {
        cell->stats.late++;
    }
    natlet__unlock(cell, was);
    return st;
}

natlet_status natlet_agent_publish(natlet_cell *cell, const natlet_msg *msg)
{
    uint32_t was = natlet__lock(cell);
    natlet_status st = publish(cell, msg);

    natlet__unlock(cell, was);
    return st;
}

static natlet_status request(natlet_cell *cell, const natlet_msg *msg, uint32_t timeout_ms,
                             uint32_t *ref)
{
    natlet__wait *wait;

    if (cell->running == NULL) {
        return NATLET_E_STATE;
    }
    if (cell->outlet == NULL) {
        return NATLET_E_UNSUPPORTED;
    }
    natlet_status st = natlet__wait_new(cell, &wait, cell->running, NATLET__WAIT_REQUEST, 0);
    if (st < 0) {
        return st;
    }
    *ref = wait->ref;
    cell->asked++;
    st = cell->outlet->request(cell->outlet, wait, msg, timeout_ms);
    if (st < 0) { /* the outlet does not know it: nothing to cancel there */
        *ref = 0;
        cell->asked--;
        wait->kind = NATLET__WAIT_CALL;
        natlet__wait_drop(cell, wait);
    }
    return st;
}

natlet_status natlet_agent_request(natlet_cell *cell, const natlet_msg *msg, uint32_t timeout_ms,
                                   uint32_t *ref)
{
    uint32_t was = natlet__lock(cell);
    *ref = 0;
    natlet_status st = request(cell, msg, timeout_ms, ref);

    natlet__unlock(cell, was);
    return st;
}
