// SPDX-License-Identifier: GPL-2.0
/*
 * The linear address behind a nested page fault, which SVM does not tell and
 * VE_INFO.GLA has to hold.
 *
 * Each address that the instruction may have touched is worked out and put
 * through the guest's page tables: the one that leads to the faulting
 * guest-physical address is it.  A wrong decoding thus gives no answer rather
 * than a wrong one.
 */
#include "tdx.h"

#define LONGEST_ACCESS	64	/* bytes: one may begin on the page before */

struct decoder {
	struct vcpu *v;
	u8 code[15];
	u32 n, at;
	u8 rex, segment;	/* segment: override prefix, 0: none */
	bool code64, address32, operand16;
};

u32 fetch_code(struct vcpu *v, u8 code[15])
{
	u64 ip = v->vmcb.save.rip + (guest_code64(v) ? 0 : v->vmcb.save.cs.base);
	u32 n = min(15, PAGE_SIZE - ip % PAGE_SIZE);

	if (guest_fetch(v, ip, code, n))
		return 0;
	/* The instruction may end right before an unmapped page */
	if (n < 15 && !guest_fetch(v, ip + n, code + n, 15 - n))
		n = 15;
	return n;
}

static bool leads_to(struct vcpu *v, u64 va, u64 gpa)
{
	struct mapping m;

	return !guest_translate(v, va, &m) && m.gpa == strip(gpa) && m.view == view_of(gpa);
}

static bool touched(struct vcpu *v, u64 va, u64 gpa, u64 *gla)
{
	u64 next_page = (va | ~PAGE_MASK) + 1;

	*gla = va;
	if (leads_to(v, va, gpa))
		return true;
	*gla = next_page;
	return !(gpa & ~PAGE_MASK) && next_page - va < LONGEST_ACCESS &&
	       leads_to(v, next_page, gpa);
}

static u8 next(struct decoder *d)
{
	return d->at < d->n ? d->code[d->at++] : (d->at++, 0);
}

static u64 number(struct decoder *d, u32 bytes)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < bytes; i++)
		value |= (u64)next(d) << 8 * i;
	return value;
}

static void skip_prefixes(struct decoder *d)
{
	for (; d->at < d->n; d->at++) {
		switch (d->code[d->at]) {
		case 0x67:
			d->address32 = true;
			continue;
		case 0x66:
			d->operand16 = true;
			continue;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
			d->segment = d->code[d->at];
			continue;
		case 0xf0: case 0xf2: case 0xf3:
			continue;
		}
		break;
	}
	if (d->code64 && d->at < d->n && (d->code[d->at] & 0xf0) == 0x40)
		d->rex = next(d);
}

static u64 segment_base(const struct decoder *d, u8 implied)
{
	const struct vmcb_save *s = &d->v->vmcb.save;
	u8 prefix = d->segment ? d->segment : implied;

	switch (prefix) {
	case 0x64:
		return s->fs.base;
	case 0x65:
		return s->gs.base;
	}
	if (d->code64)
		return 0;
	switch (prefix) {
	case 0x26:
		return s->es.base;
	case 0x2e:
		return s->cs.base;
	case 0x36:
		return s->ss.base;
	default:
		return s->ds.base;
	}
}

static u64 linear(const struct decoder *d, u64 offset, u8 implied)
{
	u64 va = (d->address32 ? (u32)offset : offset) + segment_base(d, implied);

	return d->code64 ? va : (u32)va;
}

/* Bytes of immediate operand behind ModRM, SIB, displacement: RIP-relative addresses count them */
static u32 immediate_size(const struct decoder *d, u32 opcode, u8 modrm)
{
	u32 word = d->operand16 ? 2 : 4;

	switch (opcode) {
	case 0x69: case 0x81: case 0xc7:
		return word;
	case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6:
	case 0x0f70: case 0x0fa4: case 0x0fac: case 0x0fba:
	case 0x0fc2: case 0x0fc4: case 0x0fc5: case 0x0fc6:
		return 1;
	case 0xf6:
		return modrm & 0x30 ? 0 : 1;
	case 0xf7:
		return modrm & 0x30 ? 0 : word;
	default:
		return opcode >> 8 == 0x3a ? 1 : 0;
	}
}

/* The opcode as 0xNN, 0x0fNN, 0x38NN or 0x3aNN; VEX prefixes taken apart */
static u32 opcode_of(struct decoder *d)
{
	u32 opcode = next(d);
	u8 vex;

	if (d->code64 && opcode == 0xc5) {
		vex = next(d);
		d->rex = ~vex >> 5 & 4;
		return 0x0f00 | next(d);
	}
	if (d->code64 && opcode == 0xc4) {
		vex = next(d);
		d->rex = ~vex >> 5 & 7;
		next(d);
		return ((vex & 31) == 1 ? 0x0f00 : (vex & 31) == 2 ? 0x3800 : 0x3a00) | next(d);
	}
	if (opcode != 0x0f)
		return opcode;
	opcode = next(d);
	if (opcode == 0x38 || opcode == 0x3a)
		return opcode << 8 | next(d);
	return 0x0f00 | opcode;
}

/* False: ModRM names a register */
static bool memory_operand(struct decoder *d, u32 opcode, u64 *va)
{
	u8 modrm = next(d), mod = modrm >> 6, rm = modrm & 7, sib = 0, base = rm, implied = 0;
	u64 offset = 0;

	if (mod == 3)
		return false;
	if (rm == 4) {
		sib = next(d);
		base = sib & 7;
	}
	if (mod == 1)
		offset = (s64)(signed char)next(d);
	else if (mod == 2 || base == 5)
		offset = (s64)(s32)number(d, 4);
	if (mod || base != 5) {
		offset += reg(d->v, base | (d->rex & 1) << 3);
		implied = base == RSP || base == RBP ? 0x36 : 0;
	} else if (rm == 5 && d->code64) {
		offset += d->v->vmcb.save.rip + d->at + immediate_size(d, opcode, modrm);
	}
	if (rm == 4) {
		u32 index = (sib >> 3 & 7) | (d->rex & 2) << 2;

		if (index != RSP)
			offset += reg(d->v, index) << (sib >> 6);
	}
	*va = linear(d, offset, implied);
	return true;
}

bool fault_linear_address(struct vcpu *v, u64 gpa, u64 error, u64 *gla)
{
	struct decoder d = { .v = v, .code64 = guest_code64(v), .address32 = !guest_code64(v) };
	u64 ip = v->vmcb.save.rip + (d.code64 ? 0 : v->vmcb.save.cs.base);
	u64 rsp = reg(v, RSP), va;
	u32 opcode;

	if (error & NPF_FETCH)
		return touched(v, ip, gpa, gla);
	d.n = fetch_code(v, d.code);
	if (!d.n)
		return false;
	skip_prefixes(&d);
	opcode = opcode_of(&d);
	if ((opcode & ~3u) == 0xa0) {		/* MOV between accumulator and absolute address */
		if (touched(v, linear(&d, number(&d, d.address32 ? 4 : 8), 0), gpa, gla))
			return true;
	} else if (memory_operand(&d, opcode, &va) && touched(v, va, gpa, gla)) {
		return true;
	}
	/* String instructions, then pushes and pops */
	return touched(v, linear(&d, reg(v, RSI), 0), gpa, gla) ||
	       touched(v, linear(&d, reg(v, RDI), 0x26), gpa, gla) ||
	       touched(v, linear(&d, rsp, 0x36), gpa, gla) ||
	       touched(v, linear(&d, rsp - (d.code64 ? 8 : 4), 0x36), gpa, gla);
}
