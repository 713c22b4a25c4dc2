// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware's end of the multiprocessor wakeup mailbox (ACPI 6.5, 5.2.12.19,
 * version 1; TDVF keeps every AP there).
 *
 * The mailbox page is write-protected in the nested tables; each store to it is
 * done here, so that nobody has to watch the page.  A wakeup command for an AP
 * that waits sets it going at the vector, in 64-bit mode on identity page
 * tables, interrupts off.  A CPU that the guest takes offline jumps to the reset
 * vector, where it faults, and waits again, the first CPU, too; the test command
 * asks whether it is there.  The command word goes back to 0 when the command was
 * taken.
 */
#include "core.h"
#include "tdx.h"

#define MAILBOX_COMMAND		0
#define MAILBOX_APIC_ID		4
#define MAILBOX_VECTOR		8
#define COMMAND_WAKEUP		1
#define COMMAND_TEST		2

#define TABLE_PAGES		6	/* level 4, level 3, four of level 2: 4 GiB */
#define CODE_SELECTOR		8
#define DATA_SELECTOR		16

static u64 mailbox, tables, gdt, reset_vector;

static void make_tables(void)
{
	u64 *level4 = ram_ptr(tables, PRIVATE), *level3 = level4 + 512, *level2 = level3 + 512, i;

	level4[0] = (tables + PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < 4; i++)
		level3[i] = (tables + (2 + i) * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < 4 * 512; i++)
		level2[i] = i * SIZE_2M | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

u64 mailbox_reset_vector(void)
{
	return reset_vector;
}

u64 mailbox_setup(struct boot *boot)
{
	static const u64 descriptors[] = { 0, 0x00af9b000000ffffull, 0x00cf93000000ffffull };

	mailbox = boot_reserve(boot, 1);
	tables = boot_reserve(boot, TABLE_PAGES);
	gdt = boot_reserve(boot, 1);
	reset_vector = boot_reserve(boot, 1);
	make_tables();
	memcpy(ram_ptr(gdt, PRIVATE), descriptors, sizeof(descriptors));
	npt_set(mailbox, PRIVATE, true, false);
	npt_set(reset_vector, PRIVATE, false, false);
	boot_set_e820(boot, mailbox, 1 + TABLE_PAGES + 2, E820_NVS);
	return mailbox;
}

static void start_state(struct vmcb_save *s, u64 vector)
{
	struct vmcb_seg code = { .selector = CODE_SELECTOR, .attrib = 0xa9b, .limit = 0xffffffff };
	struct vmcb_seg data = { .selector = DATA_SELECTOR, .attrib = 0xc93, .limit = 0xffffffff };

	memset(s, 0, sizeof(*s));
	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->tr = (struct vmcb_seg) { .attrib = 0x8b, .limit = 0xffff };
	s->ldtr = (struct vmcb_seg) { .attrib = 0x82, .limit = 0xffff };
	s->gdtr = (struct vmcb_seg) { .base = gdt, .limit = 3 * 8 - 1 };
	s->idtr = (struct vmcb_seg) { .limit = 0 };
	s->cr0 = CR0_PG | CR0_WP | CR0_ET | CR0_MP | CR0_PE;
	s->cr3 = tables;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LMA;
	tdx_fixed_registers(s);
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	s->rflags = 2;
	s->rip = vector;
	s->g_pat = 0x0007040600070406ull;
}

/* A command stays until the AP that it names is there to take it */
static void take_command(void)
{
	static const u64 regs[16];
	u8 *box = ram_ptr(mailbox, PRIVATE);
	struct vmcb_save state;
	struct vcpu *ap;
	u16 command;
	u32 apic_id;
	u64 vector;

	memcpy(&command, box + MAILBOX_COMMAND, sizeof(command));
	memcpy(&apic_id, box + MAILBOX_APIC_ID, sizeof(apic_id));
	memcpy(&vector, box + MAILBOX_VECTOR, sizeof(vector));
	ap = vcpu_by_apic_id(apic_id);
	if (!ap || ap->running || (command != COMMAND_WAKEUP && command != COMMAND_TEST))
		return;
	if (command == COMMAND_WAKEUP) {
		start_state(&state, vector);
		vcpu_start(apic_id, &state, regs);
	}
	memset(box + MAILBOX_COMMAND, 0, sizeof(command));
}

static void write_to_mailbox(struct vcpu *v, u32 offset)
{
	u8 *box = ram_ptr(mailbox, PRIVATE);
	u32 size, length;
	u64 value;

	if (!insn_decode_store(v, &value, &size, &length) || offset + size > PAGE_SIZE)
		unmodelled(v, "store to the wakeup mailbox by an instruction of another form");
	memcpy(box + offset, &value, size);
	insn_done(v, length);
	if (offset == MAILBOX_COMMAND)
		take_command();
}

bool mailbox_npf(struct vcpu *v, u64 gpa, u64 error)
{
	if (!mailbox)
		return false;		/* firmware of the guest's own keeps one, if any */
	if ((gpa & PAGE_MASK) == mailbox && error & NPF_PRESENT && error & NPF_WRITE) {
		write_to_mailbox(v, gpa & ~PAGE_MASK);
		return true;
	}
	if (gpa == reset_vector && error & NPF_FETCH) {
		vcpu_park(v);
		take_command();
		return true;
	}
	return false;
}
