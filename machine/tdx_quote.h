/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of the quoting service: test keys, in tdx_certs.c, made by certs/generate. */
#ifndef TDX_QUOTE_H
#define TDX_QUOTE_H

#include "types.h"

#define P256_SIZE	32

extern const u8 attestation_key[P256_SIZE];
extern const u8 attestation_point[2 * P256_SIZE];
extern const u8 pck_key[P256_SIZE];
/* Certificates in PEM: the PCK's, and its issuer's, who is the root */
extern const char pck_chain[];
extern const u32 pck_chain_size;

#endif /* TDX_QUOTE_H */
