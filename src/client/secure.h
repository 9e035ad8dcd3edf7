/* TLS of a client's own, natlet_client_tls: hooks of a connection's life.
 *
 * Internal.  optional.h says how it costs nothing where nobody asks for it: each of these
 * is called only where client->secure is set. */
#ifndef NATLET_CLIENT_SECURE_H
#define NATLET_CLIENT_SECURE_H

#include "natlet/client.h"
#include "proto/info.h"

typedef struct natlet__secure natlet__secure;

/* How to reach the present server.  Returns OK; MORE (as without TLS of our own); or why it
 * must not be reached, after blaming the link. */
natlet_status natlet__secure_choose(natlet_client *client);

/* The host has begun to connect.  Returns OK, or why the connection must end. */
natlet_status natlet__secure_opened(natlet_client *client);

/* INFO came over bytes that nobody protects: TLS begins where it has to.  Returns OK, or
 * why the connection must end, after blaming it. */
natlet_status natlet__secure_greet(natlet_client *client, const natlet__info *info);

/* The server let us in. */
void natlet__secure_joined(natlet_client *client);

/* The program is done with the client; its connections were closed. */
void natlet__secure_free(natlet_client *client);

#endif
