/* Permessage-deflate between a client's connection and its buffers.
 *
 *     host --recv--> raw --[unframe]--> piece --[inflate]--> window: protocol, no frames
 *     outbox: a message --[deflate]--> spare --> back into the outbox, then masked
 *
 * Internal.  Where it is on, the window is filled as from plain TCP: what a server's bytes
 * become has no other place to go to, and no more of it is made than there is room for.
 *
 * optional.h says how it costs nothing where nobody asks for it: a codec exists for those
 * who called natlet_client_compress, while their server agrees. */
#ifndef NATLET_CLIENT_COMPRESS_H
#define NATLET_CLIENT_COMPRESS_H

#include "client/outbox.h"
#include "natlet/client.h"

typedef struct natlet__compress natlet__compress; /* of a client */
typedef struct natlet__codec natlet__codec;       /* of a connection */

/* Adds the offer to the upgrade request of `len` bytes at `out`, of `cap`.  Returns its
 * length, or 0 if there is no memory. */
size_t natlet__codec_offer(natlet_client *client, uint8_t *out, size_t cap, size_t len);

/* The upgrade was accepted.  Returns whether the server agreed: then the bytes in the window
 * were frames, and it is empty. */
bool natlet__codec_begin(natlet_client *client);

/* One recv into the window's `room`, `cap` bytes, at most up to the end of a message.
 *
 * Returns OK (go on, also if nothing came of it yet); E_AGAIN; E_CLOSED (the connection
 * ended, which was dealt with); or why it must end. */
natlet_status natlet__codec_receive(natlet_client *client, uint8_t *room, uint32_t cap);

/* Messages that the connection in place has brought to their end. */
uint32_t natlet__codec_messages(const natlet_client *client);

/* `len` bytes are to be framed next: how many of them go into one message. */
size_t natlet__codec_next(const natlet__outbox *box, size_t len);

/* Those are that message.  Returns how many bytes shorter it was made: it lies at the end of
 * its place now, and is compressed; or 0: it is as it was. */
size_t natlet__codec_pack(const natlet__outbox *box, size_t len);

/* The client's share, and the codec of the line in place. */
void natlet__compress_free(natlet_client *client);
void natlet__codec_free(natlet_client *client);

#endif
