// SPDX-License-Identifier: GPL-2.0
/*
 * Secure TSC: the guest's time-stamp counter follows from its own VMSA, and the
 * firmware says what belongs into the VMSAs that the guest makes (APM vol. 2,
 * 15.36.18; SNP firmware ABI 56860, "TSC Info" of the chapter "Guest Messages").
 *
 * The scale is 1, as TCG has no other; the offset is not 0, so that a vCPU that
 * starts without it counts another time.
 */
#include "core.h"
#include "sev.h"
#include "snp_firmware.h"

#define STATUS_SECURE_TSC	BIT_ULL(11)	/* SEV_STATUS, APM vol. 2, 15.34.10 */
#define SCALE			(1ull << 32)	/* 8.32 fixed point */
#define OFFSET			(1ull << 36)
#define PER_FACTOR		100000ull	/* TSC_FACTOR is in hundred-thousandths */

/* VMSA (APM vol. 2, table B-4) */
#define GUEST_TSC_SCALE		0x2f0
#define GUEST_TSC_OFFSET	0x2f8

/* "MSG_TSC_INFO_REQ Message Structure": 128 bytes of zeros */
#define REQUEST_SIZE		128

struct tsc_info_reply {
	u32 status, reserved;
	u64 scale, offset;
	u32 factor;
	u8 reserved2[100];
} __packed;

_Static_assert(sizeof(struct tsc_info_reply) == 128, "MSG_TSC_INFO_RSP");

bool snp_secure_tsc(void)
{
	return sev_options.status & STATUS_SECURE_TSC;
}

/*
 * GUEST_TSC_FREQ[17:0], in MHz: nominal, of which the real one is TSC_FACTOR
 * hundred-thousandths less (secrets page, TSC_FACTOR)
 */
u64 snp_nominal_tsc_mhz(void)
{
	u64 khz = tsc_hz() / 1000 * PER_FACTOR / (PER_FACTOR - SNP_TSC_FACTOR);

	return (khz + 500) / 1000;
}

void snp_secure_tsc_start(struct vcpu *v)
{
	v->vmcb.tsc_offset = OFFSET + tsc_warped();
}

/* What the processor makes of a VMSA, whatever is in it */
void snp_secure_tsc_enter(struct vcpu *v, const u8 *vmsa)
{
	if (*(const u64 *)(vmsa + GUEST_TSC_SCALE) != SCALE)
		unmodelled(v, "a VMSA with TSC scale 0x%lx",
			   *(const u64 *)(vmsa + GUEST_TSC_SCALE));
	v->vmcb.tsc_offset = *(const u64 *)(vmsa + GUEST_TSC_OFFSET) + tsc_warped();
}

enum snp_status snp_tsc_info(const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct tsc_info_reply *reply = (void *)out;
	u32 i;

	if (len != REQUEST_SIZE)
		return SNP_INVALID_PARAM;
	*out_len = sizeof(*reply);
	*reply = (struct tsc_info_reply) { 0 };
	for (i = 0; i < REQUEST_SIZE; i++)
		if (in[i])
			reply->status = SNP_INVALID_PARAM;
	if (!reply->status && snp_secure_tsc()) {
		reply->scale = SCALE;
		reply->offset = OFFSET;
		reply->factor = SNP_TSC_FACTOR;
	}
	return SNP_SUCCESS;
}
