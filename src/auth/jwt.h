/* Internal: the shape of a JWT (RFC 7519, compact form). */
#ifndef NATLET_AUTH_JWT_H
#define NATLET_AUTH_JWT_H

#include "natlet/auth.h"

/* Whether `jwt` is three parts of base64url letters; the second one is *payload. */
bool natlet__jwt_split(natlet_slice jwt, natlet_slice *payload);

#endif
