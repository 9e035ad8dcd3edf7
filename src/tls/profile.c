#include "tls/profile.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/secret.h"
#include "tls/platform.h"

enum { PIN_BYTES = 32 };

/* ---- parsing ---- */

static natlet_status failure(void)
{
    return natlet__tls_lacks_memory() ? NATLET_E_NO_MEMORY : NATLET_E_CERTIFICATE;
}

/* PEM is only known as such with a NUL behind it, DER only without. */
static bool is_pem(natlet_slice text)
{
    static const char begin[] = "-----BEGIN ";

    for (size_t i = 0; i + sizeof begin <= text.len; i++) {
        if (memcmp(text.ptr + i, begin, sizeof begin - 1) == 0) {
            return true;
        }
    }
    return false;
}

/* What several certificates have in common is that one of them may be of a kind that we
 * do not know: the others count. */
static natlet_status read_certificates(mbedtls_x509_crt *list, const uint8_t *bytes, size_t len)
{
    int failed = mbedtls_x509_crt_parse(list, bytes, len);

    return failed >= 0 && list->version != 0 ? NATLET_OK : failure();
}

static natlet_status read_key(mbedtls_pk_context *key, const uint8_t *bytes, size_t len)
{
    int failed = mbedtls_pk_parse_key(key, bytes, len, NULL, 0, natlet__tls_random, NULL);

    return failed == 0 ? NATLET_OK : failure();
}

/* Reads certificates, or a key if `list` is NULL. */
static natlet_status read_text(natlet__tls_profile *profile, mbedtls_x509_crt *list,
                               natlet_slice text)
{
    natlet__memory *memory = &profile->rt->memory;
    size_t len = text.len + (is_pem(text) ? 1 : 0);
    uint8_t *copy = natlet__memory_take(memory, text.len + 1);

    if (copy == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memcpy(copy, text.ptr, text.len);
    natlet_status st =
        list != NULL ? read_certificates(list, copy, len) : read_key(&profile->key, copy, len);
    natlet__wipe(copy, text.len);
    natlet__memory_give_back(memory, copy, text.len + 1);
    return st;
}

natlet_status natlet__tls_profile_trust(natlet__tls_profile *profile, natlet_slice ca)
{
    natlet__tls_enter(profile->rt);
    return read_text(profile, &profile->ca, ca);
}

/* ---- making ---- */

/* A server of TLS 1.2 may choose any of these, and most take the first one that they can:
 * PSS, which Mbed TLS knows in TLS 1.3 only, comes last. */
static const uint16_t signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_NONE,
};

static natlet_status set_pins(natlet__tls_profile *profile, const natlet__tls_trust *trust)
{
    size_t bytes = (size_t)trust->pin_count * PIN_BYTES;

    if (bytes == 0) {
        return NATLET_OK;
    }
    profile->pins = natlet__memory_take(&profile->rt->memory, bytes);
    if (profile->pins == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    memcpy(profile->pins, trust->pins, bytes);
    profile->pin_count = trust->pin_count;
    return NATLET_OK;
}

static natlet_status set_identity(natlet__tls_profile *profile, const natlet__tls_trust *trust)
{
    natlet_status st = read_text(profile, &profile->own, trust->certificate);

    if (st == NATLET_OK) {
        st = read_text(profile, NULL, trust->key);
    }
    if (st == NATLET_OK &&
        mbedtls_pk_check_pair(&profile->own.pk, &profile->key, natlet__tls_random, NULL) != 0) {
        st = failure();
    }
    if (st == NATLET_OK &&
        mbedtls_ssl_conf_own_cert(&profile->config, &profile->own, &profile->key) != 0) {
        st = NATLET_E_NO_MEMORY;
    }
    return st;
}

static natlet_status configure(natlet__tls_profile *profile, const natlet__tls_trust *trust)
{
    mbedtls_ssl_config *config = &profile->config;

    int failed = mbedtls_ssl_config_defaults(
        config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (failed != 0) {
        return NATLET_E_NO_MEMORY;
    }
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_rng(config, natlet__tls_random, NULL);
    mbedtls_ssl_conf_sig_algs(config, signatures);
    mbedtls_ssl_conf_ca_chain(config, &profile->ca, NULL);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    natlet_status st = set_pins(profile, trust);
    if (st == NATLET_OK && trust->ca.len > 0) {
        st = read_text(profile, &profile->ca, trust->ca);
    }
    if (st == NATLET_OK && trust->certificate.len > 0) {
        st = set_identity(profile, trust);
    }
    return st;
}

natlet_status natlet__tls_profile_new(natlet__tls_profile **out, natlet_runtime *rt,
                                      const natlet__tls_trust *trust)
{
    *out = NULL;
    natlet__tls_enter(rt);
    if (!natlet__tls_platform_take()) {
        return NATLET_E_NO_MEMORY;
    }
    natlet__tls_profile *profile = natlet__memory_take(&rt->memory, sizeof *profile);
    if (profile == NULL) {
        natlet__tls_platform_give_back();
        return NATLET_E_NO_MEMORY;
    }
    profile->rt = rt;
    mbedtls_ssl_config_init(&profile->config);
    mbedtls_ssl_session_init(&profile->session);
    mbedtls_x509_crt_init(&profile->ca);
    mbedtls_x509_crt_init(&profile->own);
    mbedtls_pk_init(&profile->key);
    natlet_status st = configure(profile, trust);
    if (st < 0) {
        natlet__tls_profile_free(profile);
        return st;
    }
    *out = profile;
    return NATLET_OK;
}

void natlet__tls_profile_free(natlet__tls_profile *profile)
{
    natlet__memory *memory = &profile->rt->memory;

    natlet__tls_enter(profile->rt);
    mbedtls_ssl_config_free(&profile->config);
    mbedtls_ssl_session_free(&profile->session);
    mbedtls_x509_crt_free(&profile->ca);
    mbedtls_x509_crt_free(&profile->own);
    mbedtls_pk_free(&profile->key);
    natlet__memory_give_back(memory, profile->pins, (size_t)profile->pin_count * PIN_BYTES);
    natlet__memory_give_back(memory, profile, sizeof *profile);
    natlet__tls_platform_give_back();
}

/* ---- sessions ---- */

void natlet__tls_profile_keep(natlet__tls_profile *profile, const mbedtls_ssl_context *ssl,
                              const char *name)
{
    mbedtls_ssl_session_free(&profile->session);
    mbedtls_ssl_session_init(&profile->session);
    profile->has_session = mbedtls_ssl_get_session(ssl, &profile->session) == 0;
    if (profile->has_session) {
        memcpy(profile->session_name, name, strlen(name) + 1);
    }
}
