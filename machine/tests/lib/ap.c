// SPDX-License-Identifier: GPL-2.0
/*
 * Starting the second vCPU, in each technology's way.
 *
 *	plain, SEV	INIT and SIPI through the APIC
 *	SEV-ES		AP jump table, then SIPI (GHCB specification 56421, 4.3)
 *	SEV-SNP		a VMSA of our making, AP creation (4.1.9)
 *	TDX		the firmware's mailbox (ACPI 6.5, 5.2.12.19)
 */
#include "ap.h"
#include "payload.h"
#include "../../vmcb.h"

#define AP_ID		1
#define ICR_LOW		0xfee00300ull
#define ICR_HIGH	0xfee00310ull
#define ICR_INIT	0x4500
#define ICR_SIPI	(0x4600 | AP_TRAMPOLINE >> 12)
#define MMIO_WRITE	0x80000002
#define AP_JUMP_TABLE	0x80000005
#define AP_CREATION	0x80000013
#define VMSA_XCR0	0x3e8
#define MADT_WAKEUP	0x10
#define COMMAND_WAKEUP	1
#define PARAM_RSDP	0x70

extern u8 ap_trampoline[], ap_trampoline_end[], ap_start_64[];
extern u32 ap_root;

static void (*ap_function)(void);
u8 vmsa[PAGE_SIZE] __page_aligned;

void ap_main(void);

void ap_main(void)
{
	write_cr3(root_table() | private_bit());
	trap_init_ap();
	ap_function();
	for (;;)
		cpu_relax();
}

static void icr(u64 reg, u32 value)
{
	if (is_es()) {
		ghcb_clear();
		*(u32 *)(ghcb + GHCB_BUFFER) = value;
		ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
		ghcb_exit(MMIO_WRITE, reg, 4);
	} else {
		*(volatile u32 *)reg = value;
	}
}

void ap_sipi(void)
{
	icr(ICR_HIGH, AP_ID << 24);
	icr(ICR_LOW, ICR_INIT);
	icr(ICR_HIGH, AP_ID << 24);
	icr(ICR_LOW, ICR_SIPI);
}

static void fill_jump_table(void)
{
	u16 *table;

	ghcb_clear();
	ghcb_exit(AP_JUMP_TABLE, 1, 0);
	table = (u16 *)ghcb_get(F_EXITINFO2);
	table[0] = 0;
	table[1] = AP_TRAMPOLINE >> 4;
}

void vmsa_fill(void)
{
	struct vmcb_save *s = (void *)vmsa;
	u64 features = rdmsr(MSR_SEV_STATUS) >> 2;
	struct vmcb_seg data = { .selector = 0x10, .attrib = 0xc93, .limit = 0xffffffff };

	s->cs = (struct vmcb_seg){ .selector = 0x08, .attrib = 0xa9b, .limit = 0xffffffff };
	s->ds = data;
	s->es = data;
	s->ss = data;
	s->fs = data;
	s->gs = data;
	s->tr = (struct vmcb_seg){ .attrib = 0x8b, .limit = 0x67 };
	s->ldtr = (struct vmcb_seg){ .attrib = 0x82, .limit = 0xffff };
	s->efer = rdmsr(0xc0000080) | BIT(12);
	s->cr0 = read_cr0();
	s->cr3 = root_table() | private_bit();
	s->cr4 = read_cr4();
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	s->rflags = 2;
	s->rip = (u64)ap_start_64;
	s->g_pat = 0x0007040600070406ull;
	*(u64 *)(vmsa + VMSA_SEV_FEATURES) = features;
	*(u64 *)(vmsa + VMSA_XCR0) = 1;
}

u32 ap_creation(u32 apic_id, u32 request, u64 gpa, u64 features)
{
	ghcb_clear();
	ghcb_put(F_RAX, features);
	return ghcb_exit(AP_CREATION, (u64)apic_id << 32 | (u64)own_vmpl << 16 | request, gpa);
}

u32 vmsa_create(u64 gpa, u64 features)
{
	return ap_creation(AP_ID, AP_CREATE, gpa, features);
}

u32 vmsa_destroy(u64 gpa, u64 features)
{
	return ap_creation(AP_ID, AP_DESTROY, gpa, features);
}

static void start_by_vmsa(void)
{
	vmsa_fill();
	rmpadjust((u64)vmsa, false, VMPL1_VMSA);
	vmsa_create((u64)vmsa, rdmsr(MSR_SEV_STATUS) >> 2);
}

void ap_prepare(void (*fn)(void))
{
	ap_function = fn;
	ap_root = root_table();
	memcpy((u8 *)AP_TRAMPOLINE, ap_trampoline, ap_trampoline_end - ap_trampoline);
}

/* The table of this kind among those that the RSDP leads to */
static u8 *acpi_table(u64 rsdp, const char *signature)
{
	u8 *xsdt = (u8 *)*(u64 *)(rsdp + 24);
	u32 i, n = (*(u32 *)(xsdt + 4) - 36) / 8;

	for (i = 0; i < n; i++) {
		u64 address;

		memcpy(&address, xsdt + 36 + 8 * i, sizeof(address));
		if (!memcmp((u8 *)address, signature, 4))
			return (u8 *)address;
	}
	return NULL;
}

static void start_by_mailbox(void)
{
	u8 *madt = acpi_table(*(u64 *)(boot_params + PARAM_RSDP), "APIC"), *e;
	volatile u8 *mailbox = NULL;
	u64 address;

	if (!madt)
		return;
	for (e = madt + 44; e < madt + *(u32 *)(madt + 4); e += e[1]) {
		if (e[0] != MADT_WAKEUP)
			continue;
		memcpy(&address, e + 8, sizeof(address));
		mailbox = (volatile u8 *)address;
	}
	if (!mailbox)
		return;
	*(volatile u32 *)(mailbox + 4) = AP_ID;
	*(volatile u64 *)(mailbox + 8) = (u64)ap_start_64;
	barrier();
	*(volatile u16 *)mailbox = COMMAND_WAKEUP;
}

void ap_start(void (*fn)(void))
{
	ap_prepare(fn);
	if (is_tdx()) {
		start_by_mailbox();
	} else if (is_snp()) {
		start_by_vmsa();
	} else {
		if (is_es())
			fill_jump_table();
		ap_sipi();
	}
}
