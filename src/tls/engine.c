#include "tls/engine.h"

#include <string.h>

#include <psa/crypto.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "tls/platform.h"
#include "tls/profile.h"
#include "tls/verdict.h"

enum { PIN_BYTES = 32, TEXT_MAX = 128, ALERT_NUMBER = 1 };

struct natlet__tls_engine {
    const natlet_host *host;
    natlet__tls_profile *profile;
    uint32_t conn;
    natlet_status failed; /* OK, or why it is over */
    bool has_dates;       /* the clock says whether a certificate is valid */
    bool is_shaken;       /* the handshake is over */
    bool is_dry;          /* the host has said that it has no more */
    uint32_t faults;      /* of the server's certificates, MBEDTLS_X509_BADCERT_* */
    natlet_slice text;    /* why it failed; static */
    mbedtls_ssl_context ssl;
    char name[NATLET__TLS_NAME_MAX + 1];
    uint8_t info[TEXT_MAX];
};

static natlet_status fail(natlet__tls_engine *engine, natlet_status st, natlet_slice text)
{
    engine->failed = st;
    engine->text = text;
    return st;
}

static natlet_status fail_with(natlet__tls_engine *engine, int error)
{
    const mbedtls_ssl_context *ssl = &engine->ssl;
    uint8_t alert = error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE
                        ? ssl->MBEDTLS_PRIVATE(in_msg)[ALERT_NUMBER]
                        : 0;

    if (natlet__tls_lacks_memory()) {
        return fail(engine, NATLET_E_NO_MEMORY, (natlet_slice){0});
    }
    uint32_t flags = mbedtls_ssl_get_verify_result(ssl);
    flags = engine->faults | (flags != UINT32_MAX ? flags : 0); /* that: it was not looked at */
    return fail(engine, NATLET_E_TLS, natlet__tls_verdict(error, flags, alert));
}

/* ---- records, to and from the host ---- */

/* What goes to a connection that ended is lost, which is no error of TLS: what the server
 * said before is still to be read, e.g. why. */
static int send_record(void *self, const unsigned char *bytes, size_t len)
{
    const natlet__tls_engine *engine = self;
    int32_t taken = engine->host->send(engine->host->self, engine->conn, bytes, (uint32_t)len);

    if (taken == 0) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    return taken > 0 ? taken : (int)len;
}

static int receive_record(void *self, unsigned char *buf, size_t cap)
{
    natlet__tls_engine *engine = self;
    int32_t got = engine->host->recv(engine->host->self, engine->conn, buf, (uint32_t)cap);

    if (got > 0) {
        NATLET_ASSERT((size_t)got <= cap);
        engine->profile->rt->segments++;
        return got;
    }
    engine->is_dry = got == NATLET_E_AGAIN;
    return engine->is_dry ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

/* ---- whom we trust ---- */

static bool is_pinned(const natlet__tls_profile *profile, const mbedtls_x509_crt *crt)
{
    uint8_t hash[PIN_BYTES];
    size_t len;

    if (psa_hash_compute(PSA_ALG_SHA_256, crt->pk_raw.p, crt->pk_raw.len, hash, sizeof hash,
                         &len) != PSA_SUCCESS) {
        return false;
    }
    for (uint32_t i = 0; i < profile->pin_count; i++) {
        if (memcmp(profile->pins + (size_t)i * PIN_BYTES, hash, PIN_BYTES) == 0) {
            return true;
        }
    }
    return profile->pin_count == 0;
}

/* Called for each certificate of the chain, the server's (depth 0) last. */
static int look_at(void *self, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    natlet__tls_engine *engine = self;

    if (!engine->has_dates) {
        *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    }
    if (depth == 0 && !is_pinned(engine->profile, crt)) {
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
    }
    engine->faults |= *flags;
    return 0;
}

/* ---- life ---- */

static natlet_status set_up(natlet__tls_engine *engine)
{
    natlet__tls_profile *profile = engine->profile;
    mbedtls_ssl_context *ssl = &engine->ssl;

    if (mbedtls_ssl_setup(ssl, &profile->config) != 0 ||
        mbedtls_ssl_set_hostname(ssl, engine->name) != 0) {
        return NATLET_E_NO_MEMORY;
    }
    mbedtls_ssl_set_bio(ssl, engine, send_record, receive_record, NULL);
    mbedtls_ssl_set_verify(ssl, look_at, engine);
    if (profile->has_session && strcmp(profile->session_name, engine->name) == 0) {
        (void)mbedtls_ssl_set_session(ssl, &profile->session); /* or a whole handshake */
    }
    return NATLET_OK;
}

natlet_status natlet__tls_engine_new(natlet__tls_engine **out, const natlet_host *host,
                                     uint32_t conn, natlet__tls_profile *profile, natlet_slice name)
{
    *out = NULL;
    if (name.len == 0 || name.len > NATLET__TLS_NAME_MAX) {
        return NATLET_E_URL;
    }
    natlet__tls_engine *engine = natlet__memory_take(&profile->rt->memory, sizeof *engine);
    if (engine == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    natlet__tls_enter(profile->rt);
    engine->host = host;
    engine->conn = conn;
    engine->profile = profile;
    memcpy(engine->name, name.ptr, name.len);
    mbedtls_ssl_init(&engine->ssl);
    natlet_status st = set_up(engine);
    if (st < 0) {
        natlet__tls_engine_free(engine);
        return st;
    }
    *out = engine;
    return NATLET_OK;
}

void natlet__tls_engine_free(natlet__tls_engine *engine)
{
    natlet_runtime *rt = engine->profile->rt;

    natlet__tls_enter(rt);
    mbedtls_ssl_free(&engine->ssl);
    natlet__memory_give_back(&rt->memory, engine, sizeof *engine);
}

/* ---- the handshake ---- */

/* What a certificate could be verified with. */
static natlet_status look_at_means(natlet__tls_engine *engine)
{
    if (engine->profile->ca.version == 0) {
        return fail(engine, NATLET_E_TLS,
                    (natlet_slice)NATLET_TEXT("no CA was given to verify the server with"));
    }
    engine->has_dates = natlet__tls_sane_time(engine->profile->rt) > 0;
    if (engine->has_dates || engine->profile->pin_count > 0) {
        return NATLET_OK;
    }
    return fail(engine, NATLET_E_CLOCK, (natlet_slice)NATLET_TEXT("set the date of this machine"));
}

/* With TLS 1.2 its ticket came in the handshake, with 1.3 it comes later. */
static void note_shaken(natlet__tls_engine *engine)
{
    uint8_t *at = engine->info;

    engine->is_shaken = true;
    at = natlet__put(at, natlet__text(mbedtls_ssl_get_version(&engine->ssl)));
    *at++ = ' ';
    at = natlet__put(at, natlet__text(mbedtls_ssl_get_ciphersuite(&engine->ssl)));
    engine->text = (natlet_slice){engine->info, (size_t)(at - engine->info)};
    if (mbedtls_ssl_get_version_number(&engine->ssl) == MBEDTLS_SSL_VERSION_TLS1_2) {
        natlet__tls_profile_keep(engine->profile, &engine->ssl, engine->name);
    }
}

natlet_status natlet__tls_engine_shake(natlet__tls_engine *engine)
{
    if (engine->failed < 0 || engine->is_shaken) {
        return engine->failed;
    }
    natlet__tls_enter(engine->profile->rt);
    if (!engine->has_dates && look_at_means(engine) < 0) {
        return engine->failed;
    }
    int error = mbedtls_ssl_handshake(&engine->ssl);
    if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return NATLET_MORE;
    }
    if (error != 0) {
        return fail_with(engine, error);
    }
    note_shaken(engine);
    return NATLET_OK;
}

/* ---- bytes ---- */

/* A ticket for the next connection (RFC 8446, 4.6.1) interrupts what was asked for, which
 * has to be asked again. */
static bool takes_ticket(natlet__tls_engine *engine, int answer)
{
    bool is_ticket = answer == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;

    if (is_ticket) {
        natlet__tls_profile_keep(engine->profile, &engine->ssl, engine->name);
    }
    return is_ticket;
}

static int write_record(natlet__tls_engine *engine, const uint8_t *buf, size_t len)
{
    int taken;

    do {
        taken = mbedtls_ssl_write(&engine->ssl, buf, len);
    } while (takes_ticket(engine, taken));
    return taken;
}

/* Reads once.  Returns how many bytes, 0 if there is nothing now, or why it is over.  A
 * message of TLS itself, too, makes Mbed TLS want to read: only the host knows that there is
 * no more, and has to be asked until it says so (rule H7). */
static int32_t read_once(natlet__tls_engine *engine, uint8_t *buf, uint32_t cap)
{
    int got;

    do {
        engine->is_dry = false;
        got = mbedtls_ssl_read(&engine->ssl, buf, cap);
    } while (takes_ticket(engine, got) || (got == MBEDTLS_ERR_SSL_WANT_READ && !engine->is_dry));
    if (got > 0) {
        return got;
    }
    switch (got) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return 0;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return fail(engine, NATLET_E_CLOSED, (natlet_slice){0});
    case 0:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return fail(engine, NATLET_E_IO,
                    (natlet_slice)NATLET_TEXT("the connection was cut: TLS was not ended"));
    default:
        return fail_with(engine, got);
    }
}

/* As many records as fit: what comes in small ones is parsed in large pieces. */
int32_t natlet__tls_engine_read(natlet__tls_engine *engine, uint8_t *buf, uint32_t cap)
{
    uint32_t len = 0;
    int32_t got = 1;

    natlet__tls_enter(engine->profile->rt);
    while (engine->failed == NATLET_OK && got > 0 && len < cap) {
        got = read_once(engine, buf + len, cap - len);
        len += got > 0 ? (uint32_t)got : 0;
    }
    if (len > 0) {
        return (int32_t)len;
    }
    return engine->failed < 0 ? engine->failed : NATLET_E_AGAIN;
}

/* A record that the host did not take whole goes first: writing anything sends that, and
 * nothing else. */
static bool is_clear(natlet__tls_engine *engine)
{
    static const uint8_t unused[1];

    return engine->ssl.MBEDTLS_PRIVATE(out_left) == 0 || write_record(engine, unused, 1) > 0;
}

/* Of `len` bytes, those of the next record.  Once it is made they are taken, whatever the
 * host says. */
static int32_t write_once(natlet__tls_engine *engine, const uint8_t *buf, uint32_t len)
{
    int max = mbedtls_ssl_get_max_out_record_payload(&engine->ssl);
    uint32_t piece = max > 0 && (uint32_t)max < len ? (uint32_t)max : len;
    int taken = write_record(engine, buf, piece);

    if (taken < 0 && taken != MBEDTLS_ERR_SSL_WANT_WRITE) {
        return fail_with(engine, taken);
    }
    NATLET_ASSERT(taken < 0 || (uint32_t)taken == piece);
    return (int32_t)piece;
}

int32_t natlet__tls_engine_write(natlet__tls_engine *engine, const uint8_t *buf, uint32_t len)
{
    uint32_t done = 0;

    natlet__tls_enter(engine->profile->rt);
    while (engine->failed == NATLET_OK && done < len && is_clear(engine)) {
        int32_t taken = write_once(engine, buf + done, len - done);
        done += taken > 0 ? (uint32_t)taken : 0;
    }
    return engine->failed < 0 ? engine->failed : (int32_t)done;
}

void natlet__tls_engine_flush(natlet__tls_engine *engine)
{
    natlet__tls_enter(engine->profile->rt);
    (void)is_clear(engine);
}

void natlet__tls_engine_end(natlet__tls_engine *engine)
{
    natlet__tls_enter(engine->profile->rt);
    if (engine->is_shaken && (engine->failed == NATLET_OK || engine->failed == NATLET_E_CLOSED) &&
        is_clear(engine)) {
        (void)mbedtls_ssl_close_notify(&engine->ssl);
    }
}

natlet_slice natlet__tls_engine_text(const natlet__tls_engine *engine)
{
    return engine->text;
}
