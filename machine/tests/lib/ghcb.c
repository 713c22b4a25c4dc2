// SPDX-License-Identifier: GPL-2.0
/* The guest's side of the GHCB (specification 56421), bare enough to be got wrong on purpose. */
#include "payload.h"

#define VALID_BITMAP		0x3f0
#define PROTOCOL_VERSION	0xffa
#define USAGE			0xffc
#define PSC_PRIVATE		1ull
#define PSC_SHARED		2ull

u8 *ghcb;
u64 ghcb_gpa;
static u16 version = 2;

u64 ghcb_msr(u64 request)
{
	wrmsr(GHCB_MSR, request);
	vmgexit();
	return rdmsr(GHCB_MSR);
}

void ghcb_clear(void)
{
	memset(ghcb, 0, GHCB_BUFFER);
}

void ghcb_put(enum ghcb_field field, u64 value)
{
	*(volatile u64 *)(ghcb + field) = value;
	ghcb[VALID_BITMAP + field / 64] |= 1 << field / 8 % 8;
}

u64 ghcb_get(enum ghcb_field field)
{
	return *(volatile u64 *)(ghcb + field);
}

bool ghcb_valid(enum ghcb_field field)
{
	return ghcb[VALID_BITMAP + field / 64] >> field / 8 % 8 & 1;
}

u32 ghcb_exit(u64 code, u64 info1, u64 info2)
{
	ghcb_put(F_EXITCODE, code);
	ghcb_put(F_EXITINFO1, info1);
	ghcb_put(F_EXITINFO2, info2);
	*(volatile u16 *)(ghcb + PROTOCOL_VERSION) = version;
	*(volatile u32 *)(ghcb + USAGE) = 0;
	wrmsr(GHCB_MSR, ghcb_gpa);
	vmgexit();
	return ghcb_get(F_EXITINFO1);
}

u32 pvalidate(u64 va, bool size_2m, bool validate, bool *carry)
{
	u64 rax = va;
	u8 cf;

	if (svsm_area)
		return svsm_pvalidate(va, size_2m, validate, carry);
	asm volatile(PVALIDATE
		     : "+a"(rax), "=@ccc"(cf)
		     : "c"(size_2m), "d"(validate)
		     : "memory");
	if (carry)
		*carry = cf;
	return rax;
}

u32 rmpadjust(u64 va, bool size_2m, u64 attrs)
{
	u64 rax = va;

	asm volatile(RMPADJUST : "+a"(rax) : "c"(size_2m), "d"(attrs) : "memory", "cc");
	return rax;
}

void make_shared(u32 page)
{
	u64 gpa = ARENA + page * PAGE_SIZE;

	if (is_snp()) {
		pvalidate(gpa, false, false, NULL);
		ghcb_msr(0x014 | gpa | PSC_SHARED << 52);
	}
	map_arena(page, SHARED_PAGE);
}

void make_private(u32 page)
{
	u64 gpa = ARENA + page * PAGE_SIZE;

	map_arena(page, PRIVATE_PAGE);
	if (is_snp()) {
		ghcb_msr(0x014 | gpa | PSC_PRIVATE << 52);
		pvalidate(gpa, false, true, NULL);
	}
}

void ghcb_init(void)
{
	u64 info = ghcb_msr(0x002);

	version = min(info >> 48, 2ull);
	ghcb = arena(GHCB_PAGE);
	ghcb_gpa = (u64)ghcb;
	make_shared(GHCB_PAGE);
	if (is_snp())
		ghcb_msr(0x012 | ghcb_gpa);
	memset(ghcb, 0, PAGE_SIZE);
}
