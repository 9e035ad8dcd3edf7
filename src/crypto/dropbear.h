/* What curve25519.c of dropbear, a TweetNaCl that takes its hash from outside,
 * needs to stand alone.
 *
 * Internal: included before that file (-include), where it takes the place of the
 * SSH server's headers, and by crypto/ed25519.c for the two functions at the end. */
#ifndef NATLET_CRYPTO_DROPBEAR_H
#define NATLET_CRYPTO_DROPBEAR_H

#include <mbedtls/sha512.h>

/* Its "includes.h" and "dbrandom.h" have nothing to add. */
#define DROPBEAR_INCLUDES_H_
#define DROPBEAR_RANDOM_H_

#define DROPBEAR_ED25519 1
#define DROPBEAR_CURVE25519_DEP 1
#define DROPBEAR_SIGNKEY_VERIFY 0

#define dropbear_curve25519_scalarmult natlet__dropbear_curve25519_scalarmult
#define dropbear_ed25519_make_key natlet__dropbear_ed25519_make_key
#define dropbear_ed25519_sign natlet__dropbear_ed25519_sign

/* A new key is made from the seed that the caller has put there. */
#define genrandom(seed, len) ((void)(seed), (void)(len))

typedef mbedtls_sha512_context hash_state;

#define sha512_init(hash) (mbedtls_sha512_init(hash), (void)mbedtls_sha512_starts(hash, 0))
#define sha512_process(hash, bytes, len) (void)mbedtls_sha512_update(hash, bytes, (size_t)(len))
#define sha512_done(hash, out) natlet__dropbear_hash_done(hash, out)

static inline int natlet__dropbear_hash_done(hash_state *hash, unsigned char out[64])
{
    int failed = mbedtls_sha512_finish(hash, out);

    mbedtls_sha512_free(hash);
    return failed;
}

/* As its curve25519.h has them; `seed` is not written to. */
void dropbear_curve25519_scalarmult(unsigned char *out, const unsigned char *scalar,
                                    const unsigned char *point);
void dropbear_ed25519_make_key(unsigned char *key, unsigned char *seed);
void dropbear_ed25519_sign(const unsigned char *text, unsigned long text_len,
                           unsigned char *signature, unsigned long *signature_len,
                           const unsigned char *seed, const unsigned char *key);

#endif
