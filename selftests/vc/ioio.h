/* SPDX-License-Identifier: GPL-2.0 */
/* Port I/O as the host is told of it: exit code, and EXITINFO1 (APM vol. 2, appendix C; 15.10.2) */
#ifndef COCO_IOIO_H
#define COCO_IOIO_H

#define EXIT_IOIO	0x7b
#define IOIO_IN		(1ull << 0)
#define IOIO_STRING	(1ull << 2)
#define IOIO_REP	(1ull << 3)
#define IOIO_SIZE(n)	((uint64_t)(n) << 4)
#define IOIO_A16	(1ull << 7)
#define IOIO_A32	(1ull << 8)
#define IOIO_A64	(1ull << 9)
#define IOIO_DS		(3ull << 10)
#define IOIO_PORT(n)	((uint64_t)(n) << 16)

#endif /* COCO_IOIO_H */
