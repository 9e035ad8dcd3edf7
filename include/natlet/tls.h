/* TLS for a client, where it is more than the host's own: wss:// over hosts that carry
 * bytes only, tls://, and nats:// to a server that asks for TLS.
 *
 * Mbed TLS speaks it, TLS 1.3 and 1.2 with ECDHE and AEAD ciphers.  It is part of a
 * program that calls natlet_client_tls, and of no other.  The server's certificate is
 * always verified, with the name in its address; there is no way around that.  Until it
 * is, nothing of NATS is sent but the request for TLS that INFO answers.
 *
 * The engine has state of its own in each process: all clients with TLS belong to one
 * thread. */
#ifndef NATLET_TLS_H
#define NATLET_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "natlet/client.h"

/* SHA-256 of a SubjectPublicKeyInfo, as DER. */
#define NATLET_TLS_PIN_BYTES 32

/* Whose TLS is used. */
typedef enum natlet_tls_mode {
    NATLET_TLS_AUTO,   /* the host's where it has one and can do all that is asked for */
    NATLET_TLS_MODULE, /* ours */
    NATLET_TLS_HOST,   /* the host's, or E_UNSUPPORTED */
} natlet_tls_mode;

/* Zeroed fields take their defaults. */
typedef struct natlet_tls_config {
    uint32_t size; /* sizeof(natlet_tls_config) */
    natlet_tls_mode mode;
    natlet_slice ca;          /* whom to trust: certificates as PEM, any number, or one as DER */
    natlet_slice certificate; /* who we are, as PEM or DER; in PEM others may follow that vouch */
    natlet_slice key; /* ... and its private key, PKCS #8, PKCS #1 or SEC 1, not encrypted */
    const uint8_t (
        *pins)[NATLET_TLS_PIN_BYTES]; /* public keys that the server may have; NULL: any */
    uint32_t pin_count;
    natlet_slice server_name; /* verified instead of the name in the address; empty: that */
    bool first;               /* nats and tls: the handshake comes before INFO (TLS-first) */
    bool required;            /* a server of nats that offers no TLS is refused, and ws */
    /* Asked once for `ca`, when it is needed first, if that is empty: e.g. for the bundle of
     * the system.  Lends as natlet_secret does.  May be NULL. */
    const natlet_secret *ca_source;
} natlet_tls_config;

#ifdef __cplusplus
extern "C" {
#endif

/* Gives `client` TLS of its own.  Call it once, between natlet_client_new and
 * natlet_client_connect.  What *config points to is copied or parsed, but for ca_source,
 * which stays in place as long as the client.
 *
 * A connection that TLS refuses ends with E_TLS, or with E_CLOCK if the host's clock
 * cannot be right; the event's text says why in one line.  Once a server of nats:// was
 * reached through TLS, this client goes to none without.
 *
 * Without `ca` and ca_source every server is refused, unless the host's TLS is used.
 * With pins one of them has to fit as well.  If the host's clock is wrong, pins alone
 * decide when a certificate is valid: its dates are not looked at then.
 *
 * Returns OK; E_STATE (not idle, or called before); E_NO_MEMORY; E_CERTIFICATE (ca,
 * certificate or key cannot be read, or the key is not the certificate's); E_CONFIG
 * (certificate without key, another size); E_UNSUPPORTED (the host's TLS cannot do it). */
natlet_status natlet_client_tls(natlet_client *client, const natlet_tls_config *config);

/* What protects the connection of the moment, for people: "TLSv1.3
 * TLS1-3-CHACHA20-POLY1305-SHA256", empty without the module's TLS.  Valid until the next
 * turn. */
natlet_slice natlet_client_tls_info(const natlet_client *client);

#ifdef __cplusplus
}
#endif

#endif
