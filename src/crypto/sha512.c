#include "crypto/sha512.h"

#include <mbedtls/sha512.h>

#include "base/assert.h"

void natlet__sha512(uint8_t out[NATLET__SHA512_BYTES], natlet_slice bytes)
{
    /* It fails only where a hash is made by hardware, which our configuration has not. */
    int failed = mbedtls_sha512(bytes.ptr, bytes.len, out, 0);

    NATLET_ASSERT(failed == 0);
}
