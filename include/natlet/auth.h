/* What proves who a client is: nkeys, creds files, and what a JWT says.
 *
 * An nkey is the text of a key: a seed (secret, 58 letters that begin with S and
 * the letter of its kind) or a public key (56 letters that begin with the letter
 * of its kind).  A creds file holds the JWT of a user and the seed of its key.
 *
 * Nothing here allocates, and no JWT is verified: that is the server's part.  Seeds are secrets;
 * what a function here makes of one for its own use, on the stack too, it wipes before it returns.
 */
#ifndef NATLET_AUTH_H
#define NATLET_AUTH_H

#include <stdbool.h>

#include "natlet/slice.h"
#include "natlet/status.h"

/* Characters of the texts; none has a NUL behind it. */
#define NATLET_NKEY_SEED_TEXT 58
#define NATLET_NKEY_PUBLIC_TEXT 56
#define NATLET_SIGNATURE_TEXT 86

/* Whose key it is: the letter that its public key begins with. */
typedef enum natlet_nkey_kind {
    NATLET_NKEY_ACCOUNT = 'A',
    NATLET_NKEY_CLUSTER = 'C',
    NATLET_NKEY_SERVER = 'N',
    NATLET_NKEY_OPERATOR = 'O',
    NATLET_NKEY_USER = 'U',
    NATLET_NKEY_CURVE = 'X', /* encrypts (X25519); all others sign (Ed25519) */
} natlet_nkey_kind;

typedef struct natlet_nkey {
    natlet_nkey_kind kind;
    bool is_seed;    /* `key` is the secret; else the public key */
    uint8_t key[32]; /* as bytes */
} natlet_nkey;

/* The two parts of a creds file, borrowed from its text. */
typedef struct natlet_creds {
    natlet_slice jwt;
    natlet_slice seed; /* secret */
} natlet_creds;

/* Who a client says that it is, in CONNECT.  A field with len 0 is not said. */
typedef struct natlet_credentials {
    natlet_slice user, password;
    natlet_slice token;
    natlet_slice nkey;      /* public key; not said beside a JWT */
    natlet_slice jwt;       /* of the user */
    natlet_slice signature; /* of the nonce, in base64url; not said with the JWT of a bearer */
    uint64_t expires_s;     /* when they end, in seconds since 1970, e.g. the JWT's; 0: not known */
} natlet_credentials;

/* What a server asks of who connects to it. */
typedef struct natlet_challenge {
    natlet_slice nonce;  /* to be signed; len 0: the server asks for no signature */
    natlet_slice server; /* its URL without credentials */
    natlet_status last;  /* E_AUTH: it ended the last connection because of the credentials */
} natlet_challenge;

/* One who is asked at every connect who we are. */
typedef struct natlet_authenticator {
    void *self;
    /* Fills in what it knows of *out, which is zeroed, and leaves the rest.  What it
     * points to stays valid until `done`.  Returns OK, or < 0: this attempt to connect
     * fails with it.  May call any function of the client but natlet_client_free. */
    natlet_status (*answer)(void *self, const natlet_challenge *challenge, natlet_credentials *out);
    /* CONNECT is written, or will not be: wipe.  Called once after each `answer`, also one
     * that failed.  May be NULL. */
    void (*done)(void *self);
} natlet_authenticator;

/* Where a secret text comes from. */
typedef struct natlet_secret {
    natlet_slice text; /* without `lend`: the text, which stays in place */
    void *self;
    /* Lends the text, e.g. of a file that is read anew each time, until `give_back`.
     * Returns OK, or < 0: nothing was lent. */
    natlet_status (*lend)(void *self, natlet_slice *text);
    void (*give_back)(void *self, natlet_slice text); /* wipe; may be NULL */
} natlet_secret;

/* A ready-made authenticator's own memory: stays in place as long as the client. */
typedef struct natlet_signer {
    natlet_secret secret;
    natlet_slice lent; /* from `answer` to `done` */
    uint8_t key[NATLET_NKEY_PUBLIC_TEXT];
    uint8_t signature[NATLET_SIGNATURE_TEXT];
} natlet_signer;

/* What a JWT says of itself. */
typedef struct natlet_jwt {
    natlet_slice subject; /* "sub": the public nkey that it is about */
    natlet_slice name;    /* "name"; len 0: none */
    uint64_t expires_s;   /* "exp": seconds since 1970; 0: never */
    bool is_bearer;       /* "nats.bearer_token": whoever holds it need not sign */
} natlet_jwt;

#ifdef __cplusplus
extern "C" {
#endif

/* Decodes a seed or a public key of any kind.  What comes out of a seed is a
 * secret: end it with natlet_nkey_wipe.
 *
 * Returns OK, E_NKEY (a length, letter or prefix that no nkey has), or
 * E_NKEY_CHECKSUM (letters are wrong or swapped). */
natlet_status natlet_nkey_read(natlet_nkey *out, natlet_slice text);

/* Writes the text of the public key: that of the seed, or the key itself. */
void natlet_nkey_public(const natlet_nkey *key, uint8_t out[NATLET_NKEY_PUBLIC_TEXT]);

/* Signs a server's nonce; `out` is the signature in base64url, as CONNECT has it.
 * Takes milliseconds and about 6 KiB of stack.
 *
 * Returns OK or E_NKEY_KIND (`key` is no seed, or that of a curve key). */
natlet_status natlet_nkey_sign(const natlet_nkey *key, natlet_slice nonce,
                               uint8_t out[NATLET_SIGNATURE_TEXT]);

/* Overwrites the key with zeros, in a way that no compiler leaves out. */
void natlet_nkey_wipe(natlet_nkey *key);

/* Finds JWT and seed in the text of a creds file: two blocks in any order, each
 * of three lines,
 *
 *     -----BEGIN NATS USER JWT-----         -----BEGIN USER NKEY SEED-----
 *     eyJ0eXAiOiJKV1Qi...                   SUA...
 *     ------END NATS USER JWT------         ------END USER NKEY SEED------
 *
 * with three or more dashes at each end, lines ended by LF or CRLF, blanks around
 * them, and any other text before, between and behind.  The seed is checked, of
 * the JWT only its three parts and their letters.
 *
 * Returns OK; E_CREDS_JWT or E_CREDS_SEED (not exactly one such block, or one that
 * is incomplete); E_JWT; E_NKEY, E_NKEY_CHECKSUM, or E_NKEY_KIND (not the seed of
 * a user). */
natlet_status natlet_creds_read(natlet_creds *out, natlet_slice text);

/* Reads the claims of a JWT, unverified.  They are decoded into `scratch`, where
 * the slices of *out borrow from; jwt.len bytes are always enough.
 *
 * Returns OK; E_JWT (not three parts of base64url, claims that are not JSON, no
 * "sub", or a member of another type than it must have; "exp" is a whole number
 * up to 2^53); or E_NO_MEMORY (`scratch` is too small). */
natlet_status natlet_jwt_read(natlet_jwt *out, natlet_slice jwt, void *scratch, size_t scratch_len);

/* Makes *signer an authenticator that is asked at every connect for the creds file
 * `creds` (natlet_creds_read), or, for a bearer, for a JWT alone.  It signs the nonce
 * and says JWT, signature and when the JWT expires, or fails with what natlet_creds_read or `lend`
 * returned. */
natlet_authenticator natlet_creds_authenticator(natlet_signer *signer, const natlet_secret *creds);

/* As above for the seed of a user (blanks and line ends around it are no part of it): it
 * says public key and signature, or fails with what natlet_nkey_read returned, or
 * E_NKEY_KIND (not the seed of a user). */
natlet_authenticator natlet_nkey_authenticator(natlet_signer *signer, const natlet_secret *seed);

#ifdef __cplusplus
}
#endif

#endif
