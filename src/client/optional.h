/* What a client can do beyond connecting, publishing and subscribing costs nothing
 * in a program that does not ask for it.
 *
 * Internal.  A feature has its own files, and a public function that leads to it.  A
 * file of every client's life that calls the feature names each function with
 * NATLET__OPTIONAL, and calls it only where the client's pointer to the feature is set,
 * or else where the function itself is not NULL: so the linker takes the feature out of
 * the archive for those alone who call its public function. */
#ifndef NATLET_CLIENT_OPTIONAL_H
#define NATLET_CLIENT_OPTIONAL_H

#include "base/optional.h"

#endif
