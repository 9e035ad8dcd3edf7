/* Ready-made authenticators.  A secret text is lent from `answer` to `done`. */
#include "auth/jwt.h"
#include "base/bytes.h"
#include "crypto/secret.h"
#include "natlet/limits.h"

static natlet_status lend(natlet_signer *signer)
{
    const natlet_secret *secret = &signer->secret;

    if (secret->lend != NULL) {
        return secret->lend(secret->self, &signer->lent);
    }
    signer->lent = secret->text;
    return NATLET_OK;
}

static void give_back(void *self)
{
    natlet_signer *signer = self;
    const natlet_secret *secret = &signer->secret;

    natlet__wipe(signer->signature, sizeof signer->signature);
    if (secret->lend != NULL && secret->give_back != NULL && signer->lent.ptr != NULL) {
        secret->give_back(secret->self, signer->lent);
    }
    signer->lent = (natlet_slice){0};
}

/* Without blanks and line ends around it. */
static natlet_slice strip(natlet_slice text)
{
    while (text.len > 0 && text.ptr[0] <= ' ') {
        natlet__skip(&text, 1);
    }
    while (text.len > 0 && text.ptr[text.len - 1] <= ' ') {
        text.len--;
    }
    return text;
}

/* Signs what there is to sign.  Who has no JWT says the key. */
static natlet_status sign(natlet_signer *signer, natlet_slice seed, natlet_slice nonce,
                          natlet_credentials *out)
{
    natlet_nkey key;
    natlet_status st = natlet_nkey_read(&key, seed);

    if (st == NATLET_OK && !(key.is_seed && key.kind == NATLET_NKEY_USER)) {
        st = NATLET_E_NKEY_KIND;
    }
    if (st == NATLET_OK && nonce.len > 0) {
        st = natlet_nkey_sign(&key, nonce, signer->signature);
        out->signature = (natlet_slice){signer->signature, sizeof signer->signature};
    }
    if (st == NATLET_OK && out->jwt.len == 0) {
        natlet_nkey_public(&key, signer->key);
        out->nkey = (natlet_slice){signer->key, sizeof signer->key};
    }
    natlet_nkey_wipe(&key);
    return st;
}

static natlet_status answer_nkey(void *self, const natlet_challenge *challenge,
                                 natlet_credentials *out)
{
    natlet_signer *signer = self;
    natlet_status st = lend(signer);

    return st < 0 ? st : sign(signer, strip(signer->lent), challenge->nonce, out);
}

/* When it expires; 0 if that cannot be read, for what it is worth is the server's to say. */
static uint64_t expiry_of(natlet_slice text)
{
    uint8_t claims[NATLET_LINE_BYTES_MAX]; /* a longer JWT fits no CONNECT */
    natlet_jwt jwt;

    return natlet_jwt_read(&jwt, text, claims, sizeof claims) == NATLET_OK ? jwt.expires_s : 0;
}

static natlet_status answer_creds(void *self, const natlet_challenge *challenge,
                                  natlet_credentials *out)
{
    natlet_signer *signer = self;
    natlet_creds creds;
    natlet_slice payload;
    natlet_status st = lend(signer);

    if (st < 0) {
        return st;
    }
    natlet_slice text = strip(signer->lent);
    if (natlet__jwt_split(text, &payload)) {
        out->jwt = text;
        out->expires_s = expiry_of(text);
        return NATLET_OK;
    }
    st = natlet_creds_read(&creds, text);
    if (st < 0) {
        return st;
    }
    out->jwt = creds.jwt;
    out->expires_s = expiry_of(creds.jwt);
    return sign(signer, creds.seed, challenge->nonce, out);
}

static natlet_authenticator make(natlet_signer *signer, const natlet_secret *secret,
                                 natlet_status (*answer)(void *, const natlet_challenge *,
                                                         natlet_credentials *))
{
    *signer = (natlet_signer){.secret = *secret};
    return (natlet_authenticator){.self = signer, .answer = answer, .done = give_back};
}

natlet_authenticator natlet_creds_authenticator(natlet_signer *signer, const natlet_secret *creds)
{
    return make(signer, creds, answer_creds);
}

natlet_authenticator natlet_nkey_authenticator(natlet_signer *signer, const natlet_secret *seed)
{
    return make(signer, seed, answer_nkey);
}
