#include "tls/verdict.h"

#include <stdbool.h>
#include <stddef.h>

#include <mbedtls/ssl.h>

typedef struct line {
    uint32_t key;
    natlet_slice text;
} line;

/* The first one that is set is told: what makes the others meaningless stands first. */
static const line faults[] = {
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED,
     NATLET_TEXT("the server's certificate is not signed by a CA that we trust")},
    {MBEDTLS_X509_BADCERT_CN_MISMATCH,
     NATLET_TEXT("the server's certificate is for another host name")},
    {MBEDTLS_X509_BADCERT_EXPIRED, NATLET_TEXT("the server's certificate has expired")},
    {MBEDTLS_X509_BADCERT_FUTURE, NATLET_TEXT("the server's certificate is not valid yet")},
    {MBEDTLS_X509_BADCERT_OTHER, NATLET_TEXT("the server's key is none of the pinned ones")},
    {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
     NATLET_TEXT("the server's certificate has a weak key or signature")},
    {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
     NATLET_TEXT("the server's certificate is not one for servers")},
};

static const line alerts[] = {
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, NATLET_TEXT("we share no cipher with the server")},
    {MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY,
     NATLET_TEXT("we share no cipher with the server")},
    {MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION,
     NATLET_TEXT("we share no version of TLS with the server")},
    {MBEDTLS_SSL_ALERT_MSG_CERT_REQUIRED, NATLET_TEXT("the server wants a client certificate")},
    {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, NATLET_TEXT("the server refuses our client certificate")},
    {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT,
     NATLET_TEXT("the server refuses our client certificate")},
    {MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, NATLET_TEXT("our client certificate was revoked")},
    {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, NATLET_TEXT("our client certificate has expired")},
    {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, NATLET_TEXT("the server refuses our client certificate")},
    {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA,
     NATLET_TEXT("the server does not trust who signed our client certificate")},
    {MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED, NATLET_TEXT("the server refuses our client certificate")},
    {MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME,
     NATLET_TEXT("the server has no certificate for this host name")},
};

static const line errors[] = {
    {-MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, NATLET_TEXT("we share no cipher with the server")},
    {-MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION,
     NATLET_TEXT("we share no version of TLS with the server")},
    {-MBEDTLS_ERR_SSL_INVALID_RECORD, NATLET_TEXT("the server does not speak TLS here")},
    {-MBEDTLS_ERR_SSL_INVALID_MAC, NATLET_TEXT("what came was changed on its way")},
    {-MBEDTLS_ERR_SSL_CONN_EOF, NATLET_TEXT("the server hung up during the TLS handshake")},
    {-MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION,
     NATLET_TEXT("the server broke the TLS protocol: an extension")},
    {-MBEDTLS_ERR_SSL_DECODE_ERROR, NATLET_TEXT("the server broke the TLS protocol: a message")},
    {-MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER,
     NATLET_TEXT("the server broke the TLS protocol: a parameter")},
    {-MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
     NATLET_TEXT("the server broke the TLS protocol: the order")},
    {-MBEDTLS_ERR_SSL_BAD_CERTIFICATE, NATLET_TEXT("the server's certificate cannot be read")},
};

static natlet_slice find(const line *lines, size_t count, uint32_t key, bool by_bits)
{
    for (size_t i = 0; i < count; i++) {
        if (by_bits ? (lines[i].key & key) != 0 : lines[i].key == key) {
            return lines[i].text;
        }
    }
    return (natlet_slice){0};
}

natlet_slice natlet__tls_verdict(int error, uint32_t flags, uint8_t alert)
{
    static const natlet_slice unknown = NATLET_TEXT("the server broke the TLS protocol");
    natlet_slice text = {0};

    if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
        (error == MBEDTLS_ERR_SSL_BAD_CERTIFICATE && flags != 0)) {
        text = find(faults, sizeof faults / sizeof *faults, flags, true);
    } else if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        text = find(alerts, sizeof alerts / sizeof *alerts, alert, false);
        return text.len > 0 ? text
                            : (natlet_slice)NATLET_TEXT("the server ended TLS with an alert");
    } else if (error < 0) {
        text = find(errors, sizeof errors / sizeof *errors, (uint32_t)-error, false);
    }
    return text.len > 0 ? text : unknown;
}
