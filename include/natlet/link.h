/* Links and monitors tell agents of each other's end; exit signals pass it on.  The rules
 * are Erlang's.
 *
 * A *link* joins two agents: when one ends, the other gets an exit signal with the same
 * reason.  A *monitor* looks one way: when the other agent ends, whatever the reason, one
 * mail DOWN comes.  Both are about one incarnation; a restarted agent has none.
 *
 *     exit signal       the agent traps exits     it does not
 *     NORMAL            a mail EXIT               nothing
 *     any other         a mail EXIT               it ends for the same reason
 *     KILLED, by one who kills it                 it ends, KILLED: no terminate, no mail
 *
 * EXIT and DOWN come in the SYS lane: `from` is who ended, `tag` of a DOWN the monitor's
 * ref, natlet_mail_reason says why.  Their places in the lane are taken when the link or
 * the monitor is made, so they always come.  An agent takes signals between two mails: one
 * that keeps a mail by LATER ends when it is settled.
 *
 * What a supervisor does to its children needs no link, and no unlink prevents it: it
 * stops them, traps or not. */
#ifndef NATLET_LINK_H
#define NATLET_LINK_H

#include "natlet/agent.h"

/* Why the agent that an EXIT or DOWN is about ended. */
static inline natlet_reason natlet_mail_reason(const natlet_mail *mail)
{
    natlet_reason reason;

    reason.kind = (natlet_exit_kind)mail->exit_kind;
    reason.code = mail->status;
    return reason;
}

#ifdef __cplusplus
extern "C" {
#endif

/* Links `pid` with `other`; twice is once, and with itself nothing.  If `other` is gone, `pid` gets
 * the signal NO_AGENT.  A supervisor can be `other`: its end is a signal, the end of `pid` none to
 * it.
 *
 * Returns OK; E_NO_AGENT (`pid` is gone, or a supervisor); E_FULL (no place in the SYS lane
 * of one of the two, or in the cell). */
natlet_status natlet_agent_link(natlet_cell *cell, natlet_pid pid, natlet_pid other);

/* Ends the link: no signal comes of it any more, but a mail EXIT may be queued.
 *
 * Returns OK, E_NO_AGENT (`pid` is gone), or E_NOT_FOUND (they are not linked). */
natlet_status natlet_agent_unlink(natlet_cell *cell, natlet_pid pid, natlet_pid other);

/* For `flags` of a monitor: DOWN comes in the NORMAL lane, behind what is queued there, so
 * that it is the last that is heard of that agent. */
#define NATLET_DOWN_IN_ORDER 1u

/* Lets `pid` hear of the end of `other` by one mail DOWN with the tag *ref; at once, with
 * NO_AGENT, if that is gone.  Monitors of the same agent add up; each has its DOWN.
 *
 * Returns OK; E_NO_AGENT (`pid` is gone, or a supervisor); E_INVALID (no such flag); E_FULL
 * (no place in its SYS lane or in the cell; DOWNs that are queued in NORMAL count too). */
natlet_status natlet_agent_monitor(natlet_cell *cell, natlet_pid pid, natlet_pid other,
                                   uint32_t flags, uint32_t *ref);

/* Ends a monitor of `pid` and takes its DOWN back if that is queued: nothing comes of it any
 * more.  (natlet_agent_cancel ends it too, and leaves a queued DOWN.)
 *
 * Returns OK; E_NO_AGENT (`pid` is gone); E_NOT_FOUND (its DOWN was delivered). */
natlet_status natlet_agent_demonitor(natlet_cell *cell, natlet_pid pid, uint32_t ref);

/* Says whether exit signals are mail for `pid`.  An incarnation begins without.
 *
 * Returns OK or E_NO_AGENT (it is gone, or a supervisor). */
natlet_status natlet_agent_trap_exits(natlet_cell *cell, natlet_pid pid, bool traps);

/* Sends an exit signal from the running agent, as its own end would to one linked with
 * it: NORMAL, SHUTDOWN or ERROR with a code.  KILLED kills, as natlet_agent_exit does.
 * NORMAL to itself ends an agent that does not trap exits.
 *
 * Returns OK; E_NO_AGENT; E_INVALID (another reason, or `pid` is a supervisor); E_FULL (it
 * traps exits, and has no place in its SYS lane). */
natlet_status natlet_agent_signal(natlet_cell *cell, natlet_pid pid, natlet_reason why);

#ifdef __cplusplus
}
#endif

#endif
