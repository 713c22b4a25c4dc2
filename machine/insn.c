// SPDX-License-Identifier: GPL-2.0
/* Just enough decoding (APM vol. 3, chapter 1): the CPU that QEMU emulates gives neither length nor bytes. */
#include "core.h"

#define MAX_INSN	15

struct insn {
	u8 bytes[MAX_INSN];
	u32 fetched, at;	/* at: next byte */
	u8 rex;
	bool operand16;		/* 0x66 in 32- and 64-bit code */
	bool code64, code32;
};

static bool fetch(struct vcpu *v, struct insn *in)
{
	const struct vmcb_save *s = &v->vmcb.save;
	u64 ip = s->cs.base + s->rip;

	*in = (struct insn) {
		.code64 = guest_code64(v),
		.code32 = s->cs.attrib & BIT(10),
	};
	/* The instruction may end right before an unmapped page */
	in->fetched = min(MAX_INSN, PAGE_SIZE - ip % PAGE_SIZE);
	if (guest_fetch(v, ip, in->bytes, in->fetched))
		return false;
	if (in->fetched < MAX_INSN &&
	    !guest_fetch(v, ip + in->fetched, in->bytes + in->fetched, MAX_INSN - in->fetched))
		in->fetched = MAX_INSN;
	return true;
}

static void skip_prefixes(struct insn *in)
{
	for (; in->at < in->fetched; in->at++) {
		u8 b = in->bytes[in->at];

		if (b == 0x66)
			in->operand16 = true;
		else if (b != 0xf2 && b != 0xf3 && b != 0x67 && b != 0xf0 && b != 0x2e && b != 0x36 &&
			 b != 0x3e && b != 0x26 && b != 0x64 && b != 0x65)
			break;
	}
	if (in->code64 && in->at < in->fetched && (in->bytes[in->at] & 0xf0) == 0x40)
		in->rex = in->bytes[in->at++];
}

static u8 next(struct insn *in)
{
	return in->at < in->fetched ? in->bytes[in->at++] : (in->at++, 0);
}

/* All bytes were there */
static bool complete(const struct insn *in)
{
	return in->at <= in->fetched;
}

u32 insn_length(struct vcpu *v, const char *opcode)
{
	u32 opcode_len = strlen(opcode);
	struct insn in;

	if (!fetch(v, &in))
		return 0;
	skip_prefixes(&in);
	if (in.at + opcode_len > in.fetched || memcmp(in.bytes + in.at, opcode, opcode_len))
		return 0;
	return in.at + opcode_len;
}

u8 insn_first_byte(struct vcpu *v)
{
	u8 byte;

	return guest_fetch(v, v->vmcb.save.cs.base + v->vmcb.save.rip, &byte, 1) ? 0 : byte;
}

/*
 * Of a debugger or a kprobe in the guest (APM vol. 2, 13.1.4): what KVM's emulation traps after,
 * too.  From SEV-ES on the guest's own handlers move RIP, or the TDX module does.
 */
bool insn_is_stepped(const struct vcpu *v)
{
	return config.tech->id <= COCO_SEV && v->vmcb.save.rflags & RFLAGS_TF && !v->nmi_stepping;
}

void insn_done(struct vcpu *v, u32 length)
{
	v->vmcb.save.rip += length;
	v->vmcb.int_shadow = 0;
	if (insn_is_stepped(v)) {
		v->vmcb.save.dr6 |= DR6_BS;
		raise_exception(v, X86_DB, false, 0);
	}
}

void insn_skip(struct vcpu *v, const char *opcode)
{
	u32 length = insn_length(v, opcode);

	if (!length)
		unmodelled(v, "exit 0x%lx at an instruction of another form", v->vmcb.exit_code);
	insn_done(v, length);
}

/* ModRM, SIB and displacement of a memory operand; false: it is a register */
static bool skip_memory_operand(struct insn *in, u8 *modrm)
{
	u8 mod, rm, sib = 0;

	*modrm = next(in);
	mod = *modrm >> 6;
	rm = *modrm & 7;
	if (mod == 3)
		return false;
	if (rm == 4)
		sib = next(in);
	if (mod == 1)
		in->at += 1;
	else if (mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5))
		in->at += 4;
	return true;
}

static u32 operand_size(const struct insn *in, bool byte)
{
	return byte ? 1 : in->rex & 8 ? 8 : in->operand16 ? 2 : 4;
}

static u64 size_mask(u32 size)
{
	return size == 8 ? ~0ull : BIT_ULL(8 * size) - 1;
}

/* AH, CH, DH, BH without REX */
static u64 register_operand(struct vcpu *v, const struct insn *in, u8 modrm, u32 size)
{
	u32 r = (modrm >> 3 & 7) | (in->rex & 4) << 1;

	if (size == 1 && !in->rex && r >= 4)
		return reg(v, r - 4) >> 8 & 0xff;
	return reg(v, r) & size_mask(size);
}

bool insn_decode_store(struct vcpu *v, u64 *value, u32 *size, u32 *length)
{
	struct insn in;
	u8 opcode, modrm;
	u32 imm = 0, i;

	if (!fetch(v, &in) || (!in.code64 && !in.code32))
		return false;
	skip_prefixes(&in);
	opcode = next(&in);
	if (opcode != 0x88 && opcode != 0x89 && opcode != 0xc6 && opcode != 0xc7)
		return false;
	if (!skip_memory_operand(&in, &modrm))
		return false;
	*size = operand_size(&in, !(opcode & 1));
	if (opcode < 0xc0) {
		*value = register_operand(v, &in, modrm, *size);
	} else {
		for (i = 0; i < min(*size, 4u); i++)
			imm |= (u32)next(&in) << 8 * i;
		*value = (s64)(s32)imm & size_mask(*size);
	}
	*length = in.at;
	return complete(&in);
}

bool insn_decode_mov_cr(struct vcpu *v, u32 *cr, enum reg *gpr, bool *write, u32 *length)
{
	struct insn in;
	u8 opcode, modrm;

	if (!fetch(v, &in))
		return false;
	skip_prefixes(&in);
	if (next(&in) != 0x0f)
		return false;
	opcode = next(&in);
	if (opcode < 0x20 || opcode > 0x23)
		return false;
	modrm = next(&in);
	*cr = (modrm >> 3 & 7) | (in.rex & 4) << 1;
	*gpr = (modrm & 7) | (in.rex & 1) << 3;
	*write = opcode & 2;
	*length = in.at;
	return complete(&in);
}
