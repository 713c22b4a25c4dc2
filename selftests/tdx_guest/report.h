/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDREPORT_STRUCT (TDX module ABI specification), and how /dev/tdx_guest gives it.
 * The driver's own header is missing where the C library's kernel headers are old.
 */
#ifndef COCO_TD_REPORT_H
#define COCO_TD_REPORT_H

#include <stdint.h>
#include <sys/ioctl.h>

#define REPORT_TYPE_TDX		0x81
#define REPORTDATA_SIZE		64
#define SHA384_SIZE		48
#define RTMRS			4

struct td_report {
	/* REPORTMACSTRUCT */
	uint8_t type, subtype, version, reserved, reserved_4[12], cpu_svn[16];
	uint8_t tcb_info_hash[SHA384_SIZE], td_info_hash[SHA384_SIZE];
	uint8_t data[REPORTDATA_SIZE], reserved_192[32], mac[32];
	/* TEE_TCB_INFO */
	uint8_t tcb_info[239], reserved_495[17];
	/* TDINFO_STRUCT */
	uint64_t attributes, xfam;
	uint8_t mrtd[SHA384_SIZE], mrconfigid[SHA384_SIZE], mrowner[SHA384_SIZE];
	uint8_t mrownerconfig[SHA384_SIZE], rtmr[RTMRS][SHA384_SIZE], servtd_hash[SHA384_SIZE];
	uint8_t reserved_960[64];
};

_Static_assert(sizeof(struct td_report) == 1024, "TDREPORT_STRUCT");

struct report_call {
	uint8_t data[REPORTDATA_SIZE];
	struct td_report report;
};

#define TDX_DEVICE	"/dev/tdx_guest"
#define GET_REPORT0	_IOWR('T', 1, struct report_call)

/* TDCALL leaves, TDG.VP.VMCALL leaves */
#define TDG_MR_REPORT	4
#define GHCI_GET_QUOTE	0x10002

#endif /* COCO_TD_REPORT_H */
