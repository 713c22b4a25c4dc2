// SPDX-License-Identifier: GPL-2.0
/* The secrets page, and calls to the SVSM that it tells of (AMD 58019). */
#include "payload.h"

#define SETUP_DATA	0x250		/* in boot_params: the first one's address */
#define SETUP_CC_BLOB	7
#define RUN_VMPL	0x016		/* GHCB MSR protocol */
#define PVALIDATE_LIST	8		/* in the calling area */
#define CORE_RESULT	0x80001000u
#define CORE_UNCHANGED	0x80001010u

struct setup_data {
	u64 next;
	u32 type, len, pointer;
} __packed;

struct cc_blob {
	u32 magic, version;
	u64 secrets;
} __packed;

u8 *svsm_area;
u8 own_vmpl;

u8 *secrets_page(void)
{
	const struct setup_data *data = (void *)*(u64 *)(boot_params + SETUP_DATA);

	while (data && data->type != SETUP_CC_BLOB)
		data = (void *)data->next;
	return data ? (u8 *)((const struct cc_blob *)(u64)data->pointer)->secrets : NULL;
}

bool svsm_init(void)
{
	const u8 *secrets = secrets_page();

	if (!secrets)
		return false;
	svsm_area = *(u8 **)(secrets + SECRETS_CALLING_AREA);
	own_vmpl = secrets[SECRETS_VMPL];
	return svsm_area;
}

void svsm_issue(struct svsm_call *call)
{
	register u64 r8 asm("r8") = call->r8;
	register u64 r9 asm("r9") = call->r9;

	asm volatile("rep; vmmcall"
		     : "+a"(call->rax), "+c"(call->rcx), "+d"(call->rdx), "+r"(r8), "+r"(r9)
		     :
		     : "memory");
	call->r8 = r8;
	call->r9 = r9;
}

u64 svsm_call(struct svsm_call *call)
{
	*svsm_area = 1;
	wrmsr(GHCB_MSR, RUN_VMPL);
	svsm_issue(call);
	return call->rax;
}

/* As the instruction that it stands for */
u32 svsm_pvalidate(u64 gpa, bool size_2m, bool validate, bool *carry)
{
	u64 *list = (u64 *)(svsm_area + PVALIDATE_LIST), result;
	struct svsm_call call = { .rax = SVSM_PVALIDATE, .rcx = (u64)list };

	list[0] = 1;
	list[1] = gpa | size_2m | (u64)validate << 2;
	result = svsm_call(&call);
	if (carry)
		*carry = result == CORE_UNCHANGED;
	return result == CORE_UNCHANGED ? 0 : result & ~CORE_RESULT;
}
