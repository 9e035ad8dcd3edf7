/* SHA-512 (FIPS 180-4).
 *
 * Internal; the work is Mbed TLS's.  What it kept while hashing is wiped. */
#ifndef NATLET_CRYPTO_SHA512_H
#define NATLET_CRYPTO_SHA512_H

#include "natlet/slice.h"

enum { NATLET__SHA512_BYTES = 64 };

void natlet__sha512(uint8_t out[NATLET__SHA512_BYTES], natlet_slice bytes);

#endif
