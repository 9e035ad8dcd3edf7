/* Mail as JSON, in parts.
 *
 * Internal.  Both write members into an object that is open. */
#ifndef NATLET_AGENT_MAIL_H
#define NATLET_AGENT_MAIL_H

#include "natlet/json.h"
#include "natlet/mail.h"

/* Writes id, from, to, payload and timestamp. */
void natlet__mail_write_fields(natlet_json_out *out, natlet_mail *mail);

/* Writes `payload`: verbatim if it is JSON, else {"raw":"<base64>"}. */
void natlet__mail_write_payload(natlet_json_out *out, natlet_mail *mail);

#endif
