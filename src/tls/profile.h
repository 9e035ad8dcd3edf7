/* The inside of a profile, for the engine.  Internal. */
#ifndef NATLET_TLS_PROFILE_H
#define NATLET_TLS_PROFILE_H

#include <mbedtls/ssl.h>

#include "tls/engine.h"

enum { NATLET__TLS_NAME_MAX = 255 };

struct natlet__tls_profile {
    natlet_runtime *rt;
    uint8_t *pins; /* pin_count times 32 bytes */
    uint32_t pin_count;
    bool has_session; /* `session` is one with the server `session_name`, which was verified */
    char session_name[NATLET__TLS_NAME_MAX + 1];
    mbedtls_ssl_session session;
    mbedtls_x509_crt ca, own;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
};

/* Keeps the session of `ssl` for the next connection to that server. */
void natlet__tls_profile_keep(natlet__tls_profile *profile, const mbedtls_ssl_context *ssl,
                              const char *name);

#endif
