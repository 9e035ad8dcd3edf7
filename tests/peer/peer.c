#include "tests/peer/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include "crypto/secret.h"

enum { TIME_S = 1767225600 }; /* 2026-01-01, as the test host has it */

typedef struct bytes {
    uint8_t *ptr;
    size_t len;
} bytes;

struct tls_peer {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt own, client_ca;
    mbedtls_pk_context key;
    int ciphers[2];
    bytes in, out, heard;
    bool is_up;
    int error;
};

static uint64_t random_state;

static void append(bytes *to, const void *from, size_t len)
{
    to->ptr = realloc(to->ptr, to->len + len + 1);
    if (to->ptr == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(to->ptr + to->len, from, len);
    }
    to->len += len;
    to->ptr[to->len] = '\0';
}

static void drop(bytes *from, size_t len)
{
    if (len > 0) {
        memmove(from->ptr, from->ptr + len, from->len - len);
        from->len -= len;
    }
}

/* ---- what Mbed TLS asks for ---- */

int64_t tls_peer_time(int64_t *out)
{
    if (out != NULL) {
        *out = TIME_S;
    }
    return TIME_S;
}

mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return TIME_S * (mbedtls_ms_time_t)1000;
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *tt, struct tm *tm_buf)
{
    (void)tt;
    *tm_buf = (struct tm){.tm_year = 126, .tm_mday = 1};
    return tm_buf;
}

void mbedtls_zeroize_and_free(void *ptr, size_t len);

void mbedtls_zeroize_and_free(void *ptr, size_t len)
{
    if (ptr != NULL) {
        natlet__wipe(ptr, len);
        free(ptr);
    }
}

static int random_bytes(void *self, unsigned char *out, size_t len)
{
    (void)self;
    for (size_t i = 0; i < len; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(random_state >> 56);
    }
    return 0;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *out, size_t len, size_t *written)
{
    (void)context;
    *written = len;
    return random_bytes(NULL, out, len);
}

static int send_bytes(void *self, const unsigned char *from, size_t len)
{
    tls_peer *peer = self;

    append(&peer->out, from, len);
    return (int)len;
}

static int receive_bytes(void *self, unsigned char *to, size_t cap)
{
    tls_peer *peer = self;
    size_t len = peer->in.len < cap ? peer->in.len : cap;

    if (len == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    memcpy(to, peer->in.ptr, len);
    drop(&peer->in, len);
    return (int)len;
}

/* ---- life ---- */

static void must(int error, const char *what)
{
    if (error != 0) {
        printf("tls peer: %s: -0x%04x\n", what, (unsigned)-error);
        abort();
    }
}

static void configure(tls_peer *peer, const tls_peer_config *config)
{
    mbedtls_ssl_config *conf = &peer->config;
    mbedtls_ssl_protocol_version version =
        config->is_12 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3;
    const unsigned char *cert = (const unsigned char *)config->certificate;
    const unsigned char *key = (const unsigned char *)config->key;

    must(mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT),
         "defaults");
    mbedtls_ssl_conf_rng(conf, random_bytes, NULL);
    mbedtls_ssl_conf_min_tls_version(conf, version);
    mbedtls_ssl_conf_max_tls_version(conf, version);
    must(mbedtls_x509_crt_parse(&peer->own, cert, strlen(config->certificate) + 1), "certificate");
    must(
        mbedtls_pk_parse_key(&peer->key, key, strlen(config->key) + 1, NULL, 0, random_bytes, NULL),
        "key");
    must(mbedtls_ssl_conf_own_cert(conf, &peer->own, &peer->key), "own certificate");
    if (config->cipher != 0) {
        peer->ciphers[0] = config->cipher;
        mbedtls_ssl_conf_ciphersuites(conf, peer->ciphers);
    }
    if (config->client_ca != NULL) {
        must(mbedtls_x509_crt_parse(&peer->client_ca, (const unsigned char *)config->client_ca,
                                    strlen(config->client_ca) + 1),
             "client's CA");
        mbedtls_ssl_conf_ca_chain(conf, &peer->client_ca, NULL);
        mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    }
}

tls_peer *tls_peer_new(const tls_peer_config *config)
{
    tls_peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL) {
        abort();
    }
    random_state = 1;
    must(psa_crypto_init(), "psa");
    mbedtls_ssl_init(&peer->ssl);
    mbedtls_ssl_config_init(&peer->config);
    mbedtls_x509_crt_init(&peer->own);
    mbedtls_x509_crt_init(&peer->client_ca);
    mbedtls_pk_init(&peer->key);
    configure(peer, config);
    must(mbedtls_ssl_setup(&peer->ssl, &peer->config), "setup");
    mbedtls_ssl_set_bio(&peer->ssl, peer, send_bytes, receive_bytes, NULL);
    return peer;
}

void tls_peer_free(tls_peer *peer)
{
    mbedtls_ssl_free(&peer->ssl);
    mbedtls_ssl_config_free(&peer->config);
    mbedtls_x509_crt_free(&peer->own);
    mbedtls_x509_crt_free(&peer->client_ca);
    mbedtls_pk_free(&peer->key);
    free(peer->in.ptr);
    free(peer->out.ptr);
    free(peer->heard.ptr);
    free(peer);
    mbedtls_psa_crypto_free();
}

/* ---- bytes ---- */

static bool is_pause(int error)
{
    return error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static void go_on(tls_peer *peer)
{
    unsigned char buf[4096];
    int got = 1;

    if (!peer->is_up && peer->error == 0) {
        int error = mbedtls_ssl_handshake(&peer->ssl);
        peer->is_up = error == 0;
        peer->error = error == 0 || is_pause(error) ? 0 : error;
    }
    while (peer->is_up && peer->error == 0 && got > 0) {
        got = mbedtls_ssl_read(&peer->ssl, buf, sizeof buf);
        if (got > 0) {
            append(&peer->heard, buf, (size_t)got);
        } else if (!is_pause(got)) {
            peer->error = got;
        }
    }
}

void tls_peer_feed(tls_peer *peer, const void *from, size_t len)
{
    append(&peer->in, from, len);
    go_on(peer);
}

void tls_peer_say(tls_peer *peer, const void *from, size_t len)
{
    const unsigned char *at = from;

    while (len > 0) {
        int taken = mbedtls_ssl_write(&peer->ssl, at, len);
        if (taken <= 0) {
            must(taken, "write");
        }
        at += taken;
        len -= (size_t)taken;
    }
}

void tls_peer_end(tls_peer *peer)
{
    must(mbedtls_ssl_close_notify(&peer->ssl), "close notify");
}

natlet_slice tls_peer_heard(const tls_peer *peer)
{
    return (natlet_slice){peer->heard.ptr, peer->heard.len};
}

void tls_peer_forget(tls_peer *peer)
{
    peer->heard.len = 0;
}

natlet_slice tls_peer_out(const tls_peer *peer)
{
    return (natlet_slice){peer->out.ptr, peer->out.len};
}

void tls_peer_take(tls_peer *peer, size_t len)
{
    drop(&peer->out, len);
}

bool tls_peer_is_up(const tls_peer *peer)
{
    return peer->is_up;
}

int tls_peer_error(const tls_peer *peer)
{
    return peer->error;
}
