#include "wasm/cli/tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "crypto/secret.h"
#include "wasm/cli/file.h"

/* The bundles of systems have some 250 KB. */
enum { FILE_BYTES_MAX = 4 << 20, READ_BYTES = 65536, HEX_DIGITS = 2 * NATLET_TLS_PIN_BYTES };

static bool refuse(const char *option, const char *value, const char *why)
{
    cli_text line = cli_notice(option);

    cli_text_puts(&line, value);
    cli_text_puts(&line, ": ");
    cli_text_puts(&line, why);
    cli_notice_end(&line);
    return false;
}

/* ---- files ---- */

/* Reads a whole file, in rooms that grow.  Returns NULL, or why that failed. */
static const char *read_file(cli_text *out, const char *path)
{
    const char *why = NULL;
    size_t room = READ_BYTES;
    size_t len = READ_BYTES;

    while (why == NULL && len == room) {
        room = 2 * room;
        if (room > FILE_BYTES_MAX) {
            return "it is larger than 2 MiB";
        }
        out->len = 0;
        cli_text_room(out, room);
        why = cli_file_read(path, out->ptr, room, &len);
    }
    out->len = len;
    return why;
}

static bool take_file(cli_text *out, const char *option, const char *path, natlet_slice *text)
{
    const char *why = path != NULL ? read_file(out, path) : NULL;

    if (why != NULL) {
        return refuse(option, path, why);
    }
    *text = cli_text_slice(out);
    return true;
}

/* Whom the system trusts: the first of these that can be read. */
static natlet_status lend_system(void *self, natlet_slice *text)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    };
    cli_tls *tls = self;
    const char *named = getenv("SSL_CERT_FILE");
    const char *why = "";

    if (named != NULL && named[0] != '\0') {
        why = read_file(&tls->bundle, named);
    }
    for (size_t i = 0; i < sizeof bundles / sizeof *bundles && why != NULL && named == NULL; i++) {
        why = read_file(&tls->bundle, bundles[i]);
    }
    *text = why == NULL ? cli_text_slice(&tls->bundle) : (natlet_slice){0};
    return NATLET_OK; /* without any the handshake fails, and says so */
}

static void give_back_system(void *self, natlet_slice text)
{
    cli_tls *tls = self;

    (void)text;
    cli_text_free(&tls->bundle);
}

/* ---- pins ---- */

static uint32_t hex_digit(uint8_t c)
{
    uint8_t letter = c | 0x20;

    if (c >= '0' && c <= '9') {
        return c - (uint32_t)'0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - (uint32_t)'a' + 10 : 16;
}

static bool read_hex(natlet_slice text, uint8_t *out)
{
    for (size_t i = 0; i < HEX_DIGITS; i += 2) {
        uint32_t high = hex_digit(text.ptr[i]);
        uint32_t low = hex_digit(text.ptr[i + 1]);
        if (high > 15 || low > 15) {
            return false;
        }
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* 64 hexadecimal digits, or base64 as other tools print it. */
static bool read_pin(natlet_slice text, uint8_t *out)
{
    static const natlet_slice prefix = NATLET_TEXT("sha256/");

    if (text.len == HEX_DIGITS) {
        return read_hex(text, out);
    }
    if (natlet__starts_nocase(text, prefix)) {
        (void)natlet__take(&text, prefix.len);
    }
    uint8_t bytes[NATLET_TLS_PIN_BYTES + 3];
    size_t len;
    if (text.len != NATLET__BASE64_BYTES((size_t)NATLET_TLS_PIN_BYTES) ||
        !natlet__base64_read(bytes, &len, text, NATLET__BASE64) || len != NATLET_TLS_PIN_BYTES) {
        return false;
    }
    memcpy(out, bytes, NATLET_TLS_PIN_BYTES);
    return true;
}

static bool read_pins(cli_tls *tls, const char *list)
{
    natlet_slice left = list != NULL ? natlet__text(list) : (natlet_slice){0};
    natlet_slice pin;
    bool has_more = left.len > 0;
    bool is_right = true;

    while (has_more && is_right) {
        uint32_t count = tls->config.pin_count;
        has_more = natlet__cut(&left, ',', &pin);
        is_right = count < CLI_PINS_MAX && read_pin(natlet__trim(pin), tls->pins[count]);
        tls->config.pin_count++;
    }
    if (!is_right) {
        return refuse("--tlspin ", list,
                      "give the SHA-256 of a public key in hexadecimal or base64, up to 8 with "
                      "commas: see natlet --help");
    }
    tls->config.pins = (const uint8_t(*)[NATLET_TLS_PIN_BYTES])tls->pins;
    return true;
}

/* ---- all of it ---- */

static bool read_mode(cli_tls *tls, const char *mode)
{
    static const char *const modes[] = {"auto", "module", "host"};

    for (size_t i = 0; mode != NULL && i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i], mode) == 0) {
            tls->config.mode = (natlet_tls_mode)i;
            mode = NULL;
        }
    }
    return mode == NULL || refuse("--tls ", mode, "it is auto, module or host");
}

bool cli_tls_read(cli_tls *tls, const cli_options *options)
{
    natlet_tls_config *config = &tls->config;

    *tls = (cli_tls){
        .config = {.size = sizeof *config, .first = options->tls_first},
        .system = {.self = tls, .lend = lend_system, .give_back = give_back_system},
    };
    config->ca_source = &tls->system;
    config->required = options->tls_ca != NULL || options->tls_certificate != NULL ||
                       options->tls_pins != NULL || options->tls_first;
    if ((options->tls_certificate != NULL) != (options->tls_key != NULL)) {
        return refuse("--tlscert and --tlskey", "", "give both or none");
    }
    return read_mode(tls, options->tls_mode) && read_pins(tls, options->tls_pins) &&
           take_file(&tls->ca, "--tlsca ", options->tls_ca, &config->ca) &&
           take_file(&tls->certificate, "--tlscert ", options->tls_certificate,
                     &config->certificate) &&
           take_file(&tls->key, "--tlskey ", options->tls_key, &config->key);
}

void cli_tls_free(cli_tls *tls)
{
    if (tls->key.ptr != NULL) {
        natlet__wipe(tls->key.ptr, tls->key.cap);
    }
    cli_text_free(&tls->key);
    cli_text_free(&tls->ca);
    cli_text_free(&tls->certificate);
    cli_text_free(&tls->bundle);
}
