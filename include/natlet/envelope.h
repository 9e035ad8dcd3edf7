/* An envelope is a message with its own id, sender, receiver and time around the
 * payload, as JSON, byte for byte as serde_json writes it:
 *
 *     {"id":"...","from":"...","to":"...","payload":...,"timestamp":<seconds>}
 *
 * Agents send it to each other on the subjects agent.<name>.  A program that calls
 * nothing of this does not carry it. */
#ifndef NATLET_ENVELOPE_H
#define NATLET_ENVELOPE_H

#include "natlet/agent.h"

typedef enum natlet_envelope_mode {
    NATLET_ENVELOPE_AUTO,   /* looked for in mail with a subject under "agent." */
    NATLET_ENVELOPE_ALWAYS, /* in all mail */
    NATLET_ENVELOPE_NEVER,
} natlet_envelope_mode;

typedef struct natlet_envelope {
    natlet_slice id, from, to; /* texts, without quotes and escapes */
    natlet_slice payload;      /* reading: JSON; writing: {"raw":"<base64>"} if it is not */
    uint64_t timestamp;        /* seconds since the Unix epoch */
} natlet_envelope;

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the envelope in the payload of a mail: an object with id, from and to, which
 * are strings, payload, and timestamp, a whole number, once each; others do not matter.
 * Its parts are borrowed from the mail, the payload among them, which is not copied;
 * but a text that has escapes is written to `mem`, for which mail->payload.len bytes
 * are always enough.
 *
 * Returns OK; E_NOT_FOUND (there is none, or `mode` does not look: the mail is its own
 * message); E_TOO_LARGE (`cap` is too small). */
natlet_status natlet_envelope_read(natlet_mail *mail, natlet_envelope_mode mode, void *mem,
                                   size_t cap, natlet_envelope *envelope);

/* Writes it.  Returns its length; if that is more than `cap`, what was written is cut. */
size_t natlet_envelope_write(const natlet_envelope *envelope, void *out, size_t cap);

/* From a handler: publishes `payload` in an envelope on agent.<name>.  It is from the
 * running agent by its name, or by its pid in decimal if it has none, and has an id of
 * its own, "nats_<ns>".
 *
 * Returns OK; E_STATE (outside of a handler); E_FULL (the cell's pool has no room to
 * write it in); E_UNSUPPORTED (no network in this cell); or as natlet_client_publish
 * (E_SUBJECT: such a name makes no subject). */
natlet_status natlet_envelope_send(natlet_cell *cell, natlet_slice name, natlet_slice payload);

#ifdef __cplusplus
}
#endif

#endif
