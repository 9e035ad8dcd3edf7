#include "support/steps_auth.h"

#include <stdio.h>
#include <string.h>

enum { TEXTS_MAX = 8, FILE_MAX = 16384 };

/* What is lent at the first connect, at the second ...; the last one from then on. */
static natlet_slice texts[TEXTS_MAX];
static uint32_t text_count;
static uint32_t lent_count;

static natlet_authenticator list[NATLET_AUTHENTICATORS_MAX];
static natlet_signer signers[NATLET_AUTHENTICATORS_MAX];

static natlet_status lend_next(void *self, natlet_slice *text)
{
    (void)self;
    *text = texts[lent_count < text_count ? lent_count : text_count - 1];
    lent_count++;
    return NATLET_OK;
}

static void add(steps_client *c, bool is_nkey, const natlet_secret *secret)
{
    uint32_t at = c->config.authenticator_count++;

    list[at] = is_nkey ? natlet_nkey_authenticator(&signers[at], secret)
                       : natlet_creds_authenticator(&signers[at], secret);
    c->config.authenticators = list;
}

/* creds TEXT: a creds file, or the JWT of a bearer; each further one is for one connect more */
static void do_creds(steps_client *c, const step *s)
{
    if (text_count == 0) {
        add(c, false, &(natlet_secret){.lend = lend_next});
    }
    texts[text_count++] = s->rest[1];
}

/* nkey SEED */
static void do_nkey(steps_client *c, const step *s)
{
    add(c, true, &(natlet_secret){.text = s->words[1]});
}

#if !defined(__wasm__) /* whose host opens no files */

static uint8_t file_text[FILE_MAX];

static natlet_status lend_file(void *self, natlet_slice *text)
{
    FILE *file = fopen(self, "rb");

    if (file == NULL) {
        return NATLET_E_NOT_FOUND;
    }
    *text = (natlet_slice){file_text, fread(file_text, 1, sizeof file_text, file)};
    (void)fclose(file);
    return NATLET_OK;
}

static void wipe_file(void *self, natlet_slice text)
{
    (void)self;
    (void)text;
    memset(file_text, 0, sizeof file_text);
}

/* creds-file PATH: read anew at every connect */
static void do_creds_file(steps_client *c, const step *s)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%.*s", (int)s->words[1].len, (const char *)s->words[1].ptr);
    add(c, false, &(natlet_secret){.self = path, .lend = lend_file, .give_back = wipe_file});
}

#endif

const steps_entry steps_auth[] = {
    {"creds", do_creds},
    {"nkey", do_nkey},
#if !defined(__wasm__)
    {"creds-file", do_creds_file},
#endif
    {NULL, NULL},
};
