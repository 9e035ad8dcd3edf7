/* Internal: what the text of nkeys and what needs curves share.  They are two
 * files, so that who only reads keys links no curve. */
#ifndef NATLET_AUTH_NKEY_H
#define NATLET_AUTH_NKEY_H

#include "natlet/auth.h"

enum { NATLET__NKEY_BYTES = 32 };

/* Writes the text of a public key. */
void natlet__nkey_write_public(uint8_t out[NATLET_NKEY_PUBLIC_TEXT], natlet_nkey_kind kind,
                               const uint8_t key[NATLET__NKEY_BYTES]);

#endif
