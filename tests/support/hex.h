/* Bytes from and to hexadecimal text, for vectors. */
#ifndef HEX_H
#define HEX_H

#include "support/test.h"

/* Writes the bytes of `hex` to `out`; returns how many. */
static inline size_t hex_read(uint8_t *out, const char *hex)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return len;
}

/* Writes `len` bytes as text, with a NUL. */
static inline void hex_write(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
    out[2 * len] = '\0';
}

#endif
