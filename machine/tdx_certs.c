// SPDX-License-Identifier: GPL-2.0
/* Test keys: public, and they protect nothing.  Made by certs/generate. */
#include "tdx_quote.h"

const u8 pck_key[P256_SIZE] = {
	0x53, 0x7e, 0x06, 0x56, 0x60, 0x3e, 0xb2, 0x2f, 0x12, 0x16, 0x2e, 0x49,
	0xf0, 0xd5, 0xdd, 0x1e, 0x44, 0xe8, 0x95, 0x9b, 0x6c, 0xd9, 0xe9, 0x33,
	0x22, 0x6b, 0x57, 0xea, 0x90, 0x40, 0xc8, 0x84,
};

const u8 attestation_key[P256_SIZE] = {
	0xb1, 0x97, 0xa4, 0xc2, 0x49, 0xbc, 0x4c, 0x6b, 0xbb, 0xa8, 0xe7, 0x3b,
	0x35, 0xbb, 0x9e, 0x74, 0xad, 0xdf, 0x8b, 0xff, 0x93, 0xdb, 0xc4, 0xc2,
	0x59, 0x6a, 0xcd, 0xbe, 0xf2, 0xa8, 0xbc, 0x96,
};

const u8 attestation_point[2 * P256_SIZE] = {
	0xfc, 0x3a, 0x34, 0xa9, 0x84, 0x8c, 0xb1, 0x0b, 0x5c, 0x19, 0x68, 0xbe,
	0xa6, 0x61, 0x2f, 0x84, 0x56, 0xa2, 0x29, 0xd9, 0x7b, 0x73, 0x40, 0xa0,
	0x7c, 0xb2, 0x17, 0xe9, 0x2e, 0xe4, 0xea, 0xa4, 0x42, 0x55, 0x81, 0xf4,
	0x5b, 0xbf, 0x53, 0x62, 0xb1, 0x67, 0x3d, 0x97, 0x07, 0xc6, 0x9b, 0xc5,
	0x41, 0x78, 0x22, 0x81, 0xca, 0xa2, 0x7d, 0x8e, 0xbf, 0x91, 0x1b, 0x3a,
	0x9c, 0x87, 0xc0, 0xa7,
};

const char pck_chain[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIByDCCAW6gAwIBAgIUQCQlPEdE+qZFRUnEDAFoEhRolJ4wCgYIKoZIzj0EAwIw\n"
	"NjEZMBcGA1UECgwQY29jby1ndWVzdC10ZXN0czEZMBcGA1UEAwwQVGVzdCBTR1gg\n"
	"Um9vdCBDQTAgFw0yNjExMjgxNzM2MDNaGA8yMTI2MTEwNDE3MzYwM1owLjEZMBcG\n"
	"A1UECgwQY29jby1ndWVzdC10ZXN0czERMA8GA1UEAwwIVGVzdCBQQ0swWTATBgcq\n"
	"hkjOPQIBBggqhkjOPQMBBwNCAAT2seSAwt3rgB08+xJ1n0eQK6UNWcvS5sGCb0Gj\n"
	"cGyIb7+2WSkVcxAF2KSQPb3Ph9LZOJpvfbVAg+LlyKlZi+3Do2AwXjAMBgNVHRMB\n"
	"Af8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHQ4EFgQUtSek0BU7cb+bsosttpmE\n"
	"GAcY32gwHwYDVR0jBBgwFoAUpjKG0vhFhXRNFK3P4idb2Jkddj4wCgYIKoZIzj0E\n"
	"AwIDSAAwRQIhAKxoeqD1ZF4gvPcvLk0sEKzYVqLS4XgJdNkE4Q5Wo82dAiBTkOFY\n"
	"Bs9D9Wlb6hP9uy4kcWQlGrBdIlIOoZD8tisKlQ==\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBsTCCAVigAwIBAgIUV6jAoe3a82kjnsteAk29y7kEHCUwCgYIKoZIzj0EAwIw\n"
	"NjEZMBcGA1UECgwQY29jby1ndWVzdC10ZXN0czEZMBcGA1UEAwwQVGVzdCBTR1gg\n"
	"Um9vdCBDQTAgFw0yNjExMjgxNzM2MDJaGA8yMTI2MTEwNDE3MzYwMlowNjEZMBcG\n"
	"A1UECgwQY29jby1ndWVzdC10ZXN0czEZMBcGA1UEAwwQVGVzdCBTR1ggUm9vdCBD\n"
	"QTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHmyY17kz8pZX951lsHevZjEfCjn\n"
	"qZ/drrnCYNg8U3OgSq9HQiKdRmNk2bW8wQljULshawUNeK0VJ6bjXOXlEBGjQjBA\n"
	"MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBSmMobS\n"
	"+EWFdE0Urc/iJ1vYmR12PjAKBggqhkjOPQQDAgNHADBEAiAO8tQKu+HyZk5U/xJd\n"
	"6uDXBxZs2GFD1bE8qAe888uALwIgP+CsnMsqGNiNx2Zd5OtLYT6RfW7TZjrFDLZk\n"
	"L/Iw9rM=\n"
	"-----END CERTIFICATE-----\n";

const u32 pck_chain_size = sizeof(pck_chain) - 1;
