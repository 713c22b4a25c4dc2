/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD's report ([ABI] "TDREPORT_STRUCT", "REPORTMACSTRUCT", "TEE_TCB_INFO",
 * "TDINFO_STRUCT").
 */
#ifndef TD_REPORT_H
#define TD_REPORT_H

#include "types.h"

#define REPORT_TYPE_TDX		0x81
#define RTMRS			4
#define SHA384_SIZE		48

struct report_mac {
	u8 type, subtype, version, reserved_3;
	u8 reserved_4[12];
	u8 cpu_svn[16];
	u8 tcb_info_hash[SHA384_SIZE];
	u8 td_info_hash[SHA384_SIZE];
	u8 data[64];
	u8 reserved_192[32];
	u8 mac[32];
} __packed;

struct tcb_info {
	u64 valid;
	u8 tcb_svn[16];
	u8 mrseam[SHA384_SIZE];
	u8 mrsignerseam[SHA384_SIZE];
	u64 attributes;
	u8 reserved[111];
} __packed;

struct td_info {
	u64 attributes, xfam;
	u8 mrtd[SHA384_SIZE], mrconfigid[SHA384_SIZE], mrowner[SHA384_SIZE], mrownerconfig[SHA384_SIZE];
	u8 rtmr[RTMRS][SHA384_SIZE];
	u8 servtd_hash[SHA384_SIZE];
	u8 reserved[64];
} __packed;

struct td_report {
	struct report_mac mac;
	struct tcb_info tcb;
	u8 reserved_495[17];
	struct td_info td;
} __packed;

_Static_assert(offsetof(struct report_mac, mac) == 224 && sizeof(struct report_mac) == 256, "REPORTMACSTRUCT");
_Static_assert(sizeof(struct tcb_info) == 239, "TEE_TCB_INFO");
_Static_assert(sizeof(struct td_info) == 512, "TDINFO_STRUCT");
_Static_assert(sizeof(struct td_report) == 1024, "TDREPORT_STRUCT");

/* ---- tdx_mr.c: between crypt_begin() and crypt_end() ---- */
/* This module made it, on this platform: MAC and hashes are right (SEAMVERIFYREPORT) */
bool td_report_genuine(const struct td_report *report);

#endif /* TD_REPORT_H */
