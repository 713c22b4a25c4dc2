/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BearSSL (Debian: libbearssl-dev) inside the machine.  Its objects use SSE
 * registers and the stack protector, so every use is between crypt_begin() and
 * crypt_end().  Only portable integer code is asked for: no AES-NI, no CLMUL.
 */
#ifndef CRYPT_H
#define CRYPT_H

#include <bearssl/bearssl_aead.h>
#include <bearssl/bearssl_ec.h>
#include <bearssl/bearssl_hash.h>
#include <bearssl/bearssl_hmac.h>

#include "types.h"

void crypt_begin(void);
void crypt_end(void);

#endif /* CRYPT_H */
