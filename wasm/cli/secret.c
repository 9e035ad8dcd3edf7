#include "wasm/cli/secret.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "wasm/cli/file.h"

/* Far beyond what a server takes in CONNECT; whoever names a large file by mistake
 * is told so. */
enum { FILE_BYTES_MAX = 65536 };

static void forget(cli_secret *secret, size_t len)
{
    natlet__wipe(secret->mem, len);
    free(secret->mem);
    secret->mem = NULL;
}

static void note_fault(cli_secret *secret, const char *what, const char *why)
{
    secret->fault.len = 0;
    cli_text_puts(&secret->fault, what);
    cli_text_puts(&secret->fault, secret->path);
    cli_text_puts(&secret->fault, ": ");
    cli_text_puts(&secret->fault, why);
}

static natlet_status lend(void *self, natlet_slice *text)
{
    cli_secret *secret = self;
    size_t len = 0;

    secret->mem = malloc(FILE_BYTES_MAX + 1);
    if (secret->mem == NULL) {
        return NATLET_E_NO_MEMORY;
    }
    const char *why = cli_file_read(secret->path, secret->mem, FILE_BYTES_MAX + 1, &len);
    if (why == NULL && len > FILE_BYTES_MAX) {
        why = "it is larger than 64 KiB";
    }
    if (why != NULL) {
        forget(secret, len);
        note_fault(secret, "cannot read ", why);
        return NATLET_E_NOT_FOUND;
    }
    *text = (natlet_slice){secret->mem, len};
    return NATLET_OK;
}

static void give_back(void *self, natlet_slice text)
{
    forget(self, text.len);
}

static natlet_status answer(void *self, const natlet_challenge *challenge, natlet_credentials *out)
{
    cli_secret *secret = self;

    secret->status = secret->signing.answer(secret->signing.self, challenge, out);
    if (secret->status < 0 && secret->status != NATLET_E_NOT_FOUND) { /* which `lend` explained */
        note_fault(secret, "cannot use ", natlet_status_text(secret->status));
    }
    return secret->status;
}

static void end_answer(void *self)
{
    const cli_secret *secret = self;

    secret->signing.done(secret->signing.self);
}

void cli_secret_init(cli_secret *secret, const cli_options *options)
{
    const natlet_secret file = {.self = secret, .lend = lend, .give_back = give_back};

    *secret = (cli_secret){.path = options->creds != NULL ? options->creds : options->nkey};
    secret->signing = options->creds != NULL ? natlet_creds_authenticator(&secret->signer, &file)
                                             : natlet_nkey_authenticator(&secret->signer, &file);
    secret->authenticator = (natlet_authenticator){
        .self = secret,
        .answer = answer,
        .done = end_answer,
    };
}

bool cli_secret_failed(const cli_secret *secret, natlet_status st)
{
    return st < 0 && secret->status == st;
}

void cli_secret_free(cli_secret *secret)
{
    cli_text_free(&secret->fault);
}
