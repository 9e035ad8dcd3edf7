/* A TLS server for tests: bytes in, bytes out, no socket, the same on every run. */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include <stdbool.h>

#include "natlet/slice.h"

typedef struct tls_peer tls_peer;

typedef struct tls_peer_config {
    const char *certificate, *key; /* PEM */
    const char *client_ca;         /* PEM; not NULL: it wants a certificate signed by that */
    bool is_12;                    /* TLS 1.2, else 1.3 */
    int cipher;                    /* the only one, as IANA counts them; 0: any */
} tls_peer_config;

/* Ends the program if something is wrong with the configuration. */
tls_peer *tls_peer_new(const tls_peer_config *config);
void tls_peer_free(tls_peer *peer);

/* Bytes that the client sent; the peer goes on as far as it can. */
void tls_peer_feed(tls_peer *peer, const void *bytes, size_t len);

/* What the client was told through TLS, and what it is told now. */
natlet_slice tls_peer_heard(const tls_peer *peer);
void tls_peer_forget(tls_peer *peer);
void tls_peer_say(tls_peer *peer, const void *bytes, size_t len);

/* Ends TLS in order. */
void tls_peer_end(tls_peer *peer);

/* Bytes for the client; they are taken with it. */
natlet_slice tls_peer_out(const tls_peer *peer);
void tls_peer_take(tls_peer *peer, size_t len);

/* Whether the handshake is over; the last error of Mbed TLS, 0: none. */
bool tls_peer_is_up(const tls_peer *peer);
int tls_peer_error(const tls_peer *peer);

#endif
