/* What went wrong with TLS, in one line for people.  Internal. */
#ifndef NATLET_TLS_VERDICT_H
#define NATLET_TLS_VERDICT_H

#include <stdint.h>

#include "natlet/slice.h"

/* `error` is Mbed TLS's, `flags` what is wrong with the certificate, `alert` the number of
 * the alert that the server sent, if that is the error. */
natlet_slice natlet__tls_verdict(int error, uint32_t flags, uint8_t alert);

#endif
