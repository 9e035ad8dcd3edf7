/* Which parts of Mbed TLS are built, and under which names.
 *
 * Internal; every source of Mbed TLS includes it (MBEDTLS_CONFIG_FILE).  What the
 * library is linked with may bring an Mbed TLS of its own, of another version or
 * configuration: ours has names of ours. */
#ifndef NATLET_CRYPTO_MBEDTLS_CONFIG_H
#define NATLET_CRYPTO_MBEDTLS_CONFIG_H

#include <stddef.h>

/* One loop for all rounds: 3 KB less, and a NATS client hashes a few hundred bytes. */
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER

#define mbedtls_sha512 natlet__mbedtls_sha512
#define mbedtls_sha512_clone natlet__mbedtls_sha512_clone
#define mbedtls_sha512_finish natlet__mbedtls_sha512_finish
#define mbedtls_sha512_free natlet__mbedtls_sha512_free
#define mbedtls_sha512_init natlet__mbedtls_sha512_init
#define mbedtls_sha512_starts natlet__mbedtls_sha512_starts
#define mbedtls_sha512_update natlet__mbedtls_sha512_update
#define mbedtls_internal_sha512_process natlet__mbedtls_sha512_process

/* Wiping is ours (crypto/secret.h), so platform_util.c with its clocks stays out. */
#define mbedtls_platform_zeroize natlet__wipe

#endif
