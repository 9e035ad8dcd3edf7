/* The Mbed TLS of tests: as ours, and the server's part; nothing of the host door. */
#ifndef TESTS_PEER_CONFIG_H
#define TESTS_PEER_CONFIG_H

#include "crypto/mbedtls_config.h"

#define MBEDTLS_SSL_SRV_C

#undef MBEDTLS_PLATFORM_CALLOC_MACRO
#undef MBEDTLS_PLATFORM_FREE_MACRO
#undef MBEDTLS_PLATFORM_TIME_MACRO
#define MBEDTLS_PLATFORM_CALLOC_MACRO calloc
#define MBEDTLS_PLATFORM_FREE_MACRO free
#define MBEDTLS_PLATFORM_TIME_MACRO tls_peer_time
int64_t tls_peer_time(int64_t *out);

#endif
