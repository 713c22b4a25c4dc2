// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's measurement: TDG.MR.REPORT and TDG.MR.RTMR.EXTEND ([ABI]
 * "TDREPORT_STRUCT", "REPORTMACSTRUCT", "TEE_TCB_INFO", "TDINFO_STRUCT").
 *
 * The hashes and the MAC are real; what they are made over is not: nobody
 * measured the launch, so the launch measurements are patterns, and the key of
 * the MAC is ours.  The RTMRs are zero at start, as no firmware extended them.
 */
#include "core.h"
#include "crypt.h"
#include "td_report.h"
#include "tdx.h"

#define TCB_INFO_VALID		0x301ffull	/* every field of the first version */
#define REPORT_ALIGN		1024ull
#define DATA_ALIGN		64ull

static u8 rtmr[RTMRS][SHA384_SIZE];
static const u8 mac_key[32] = "coco-guest-tests TDREPORT MAC";

static void pattern(u8 *field, u8 start)
{
	u32 i;

	for (i = 0; i < SHA384_SIZE; i++)
		field[i] = start + i;
}

static void sha384(u8 *hash, const void *data, size_t len)
{
	br_sha384_context context;

	br_sha384_init(&context);
	br_sha384_update(&context, data, len);
	br_sha384_out(&context, hash);
}

static void mac_report(struct report_mac *report)
{
	br_hmac_key_context key;
	br_hmac_context context;

	br_hmac_key_init(&key, &br_sha256_vtable, mac_key, sizeof(mac_key));
	br_hmac_init(&context, &key, sizeof(report->mac));
	br_hmac_update(&context, report, offsetof(struct report_mac, mac));
	br_hmac_out(&context, report->mac);
}

bool td_report_genuine(const struct td_report *report)
{
	struct report_mac right = report->mac;

	sha384(right.tcb_info_hash, &report->tcb, sizeof(report->tcb));
	sha384(right.td_info_hash, &report->td, sizeof(report->td));
	mac_report(&right);
	return report->mac.type == REPORT_TYPE_TDX && !memcmp(&right, &report->mac, sizeof(right));
}

static void fill_report(struct td_report *report, const u8 data[64])
{
	memset(report, 0, sizeof(*report));
	report->mac.type = REPORT_TYPE_TDX;
	memcpy(report->mac.data, data, sizeof(report->mac.data));
	report->tcb.valid = TCB_INFO_VALID;
	report->tcb.tcb_svn[0] = 1;
	pattern(report->tcb.mrseam, 0x20);
	report->td.attributes = td.attributes;
	report->td.xfam = td.xfam;
	pattern(report->td.mrtd, 0x60);
	memcpy(report->td.rtmr, rtmr, sizeof(rtmr));

	crypt_begin();
	sha384(report->mac.tcb_info_hash, &report->tcb, sizeof(report->tcb));
	sha384(report->mac.td_info_hash, &report->td, sizeof(report->td));
	mac_report(&report->mac);
	crypt_end();
}

/* An operand that names private memory; one that is not accepted is an EPT violation */
static bool private_operand(struct vcpu *v, enum reg operand, u64 align)
{
	u64 gpa = reg(v, operand);

	if (gpa & (align - 1) || view_of(gpa) != PRIVATE)
		return false;
	if (is_flash(gpa))
		return true;
	if (!is_ram(gpa))
		return false;
	if (!(page_flags(gpa) & COCO_PAGE_VALIDATED))
		td_exit(v, gpa, "TDG.MR of what is not accepted");
	return true;
}

u64 td_report(struct vcpu *v)
{
	static struct td_report report;		/* under the lock */
	u8 data[64];

	if (!private_operand(v, RCX, REPORT_ALIGN))
		return TDX_OPERAND_INVALID | RCX;
	if (!private_operand(v, RDX, DATA_ALIGN))
		return TDX_OPERAND_INVALID | RDX;
	if (reg(v, R8))
		return TDX_OPERAND_INVALID | R8;
	guest_read_gpa(reg(v, RDX), PRIVATE, data, sizeof(data));
	fill_report(&report, data);
	guest_write_gpa(reg(v, RCX), PRIVATE, &report, sizeof(report));
	return TDX_SUCCESS;
}

u64 td_rtmr_extend(struct vcpu *v)
{
	u8 both[2 * SHA384_SIZE];
	u64 index = reg(v, RDX);

	if (!private_operand(v, RCX, DATA_ALIGN))
		return TDX_OPERAND_INVALID | RCX;
	if (index >= RTMRS)
		return TDX_OPERAND_INVALID | RDX;
	memcpy(both, rtmr[index], SHA384_SIZE);
	guest_read_gpa(reg(v, RCX), PRIVATE, both + SHA384_SIZE, SHA384_SIZE);
	crypt_begin();
	sha384(rtmr[index], both, sizeof(both));
	crypt_end();
	return TDX_SUCCESS;
}
