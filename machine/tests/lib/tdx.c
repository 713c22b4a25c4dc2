// SPDX-License-Identifier: GPL-2.0
/* TDCALL as the module takes it, and TDG.VP.VMCALL as the GHCI lays it out. */
#include "payload.h"

#define TDG_VP_VMCALL		0
#define TDG_VP_VEINFO_GET	3
#define TDG_MEM_PAGE_ACCEPT	6
#define TDVMCALL_MAPGPA		0x10001
#define EXPOSE_R10_TO_R15	0xfc00ull

u64 tdvmcall(u64 leaf, u64 r12, u64 r13, u64 r14, u64 r15, struct tdregs *out)
{
	struct tdregs r = { .rax = TDG_VP_VMCALL,
			    .rcx = EXPOSE_R10_TO_R15,
			    .r11 = leaf,
			    .r12 = r12,
			    .r13 = r13,
			    .r14 = r14,
			    .r15 = r15 };

	tdcall(&r);
	if (out)
		*out = r;
	return r.r10;
}

u64 veinfo_get(struct tdregs *r)
{
	*r = (struct tdregs){ .rax = TDG_VP_VEINFO_GET };
	tdcall(r);
	return r->rax;
}

u64 page_accept(u64 gpa, u32 level)
{
	struct tdregs r = { .rax = TDG_MEM_PAGE_ACCEPT, .rcx = gpa | level };

	tdcall(&r);
	return r.rax;
}

u64 map_gpa(u64 gpa, u64 size)
{
	return tdvmcall(TDVMCALL_MAPGPA, gpa, size, 0, 0, NULL);
}
