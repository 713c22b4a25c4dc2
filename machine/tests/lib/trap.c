// SPDX-License-Identifier: GPL-2.0
/* Descriptor tables and the handler behind every vector. */
#include "payload.h"

#define SELECTOR_CODE	0x08
#define TSS_BOOT	6		/* their places in the GDT */
#define TSS_AP		8
#define VECTOR_USER_BACK 0x80
#define GATE		0x8e		/* present, interrupt gate */
#define GATE_USER	0xee
#define RFLAGS_TF	BIT_ULL(8)

struct gate {
	u16 low, selector;
	u8 ist, type;
	u16 mid;
	u32 high, reserved;
} __packed;

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __packed;

struct table {
	u16 limit;
	u64 base;
} __packed;

extern u8 trap_entries[256][16];
extern u8 ist_stack_top[], ap_ist_stack_top[], rsp0_stack_top[], user_back[];

struct trap trap;
u64 trap_resume;
bool (*trap_hook[256])(struct frame *frame);

static struct gate idt[256] __page_aligned;
static struct tss tss, ap_tss;
/* Null, code 64, data, (compatibility code), user code 64 at 0x20, user data at 0x28, two TSSs */
static u64 gdt[10] = { 0,
		       0x00af9b000000ffff,
		       0x00cf93000000ffff,
		       0x00cf9b000000ffff,
		       0x00affb000000ffff,
		       0x00cff3000000ffff };

void trap_init(void);
void trap_handler(struct frame *frame);

void trap_handler(struct frame *frame)
{
	if (trap_hook[frame->vector] && trap_hook[frame->vector](frame))
		return;
	trap = (struct trap){ .hit = true,
			      .vector = frame->vector,
			      .error = frame->error,
			      .rip = frame->rip,
			      .cr2 = read_cr2(),
			      .count = trap.count + 1 };
	if (trap_resume) {
		frame->rip = trap_resume;
		frame->rflags &= ~RFLAGS_TF;
		trap_resume = 0;
		return;
	}
	note("unexpected exception", frame->vector);
	note("  error code", frame->error);
	note("  rip", frame->rip);
	note("  cr2", read_cr2());
	check("no_unexpected_exception", false);
	finish();
}

/* The INT $0x80 at the end of run_user(): go on in the kernel's part of it */
static bool back_from_user(struct frame *frame)
{
	frame->cs = SELECTOR_CODE;
	frame->ss = 0x10;
	frame->rip = (u64)user_back;
	return true;
}

static void load_tables(u32 tss_index)
{
	struct table table = { sizeof(gdt) - 1, (u64)gdt };

	asm volatile("lgdt %0\n\t"
		     "pushq $0x08\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "pushq %%rax\n\t"
		     "lretq\n"
		     "1:\tmov $0x10, %%eax\n\t"
		     "mov %%eax, %%ss\n\tmov %%eax, %%ds\n\tmov %%eax, %%es\n\t"
		     "ltr %w1" : : "m"(table), "r"(tss_index * 8) : "rax", "memory");
	table = (struct table){ sizeof(idt) - 1, (u64)idt };
	asm volatile("lidt %0" : : "m"(table));
}

static void describe_tss(u32 index, struct tss *t, u8 *ist)
{
	u64 base = (u64)t;

	t->rsp[0] = (u64)rsp0_stack_top;
	t->ist[0] = (u64)ist;
	t->iomap = sizeof(*t);
	gdt[index] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		     (base >> 24 & 0xff) << 56;
	gdt[index + 1] = base >> 32;
}

void trap_init(void)
{
	u32 i;

	for (i = 0; i < 256; i++) {
		u64 entry = (u64)trap_entries[i];

		idt[i] = (struct gate){ .low = entry, .mid = entry >> 16, .high = entry >> 32,
					.selector = SELECTOR_CODE, .ist = i == DF || i == NMI,
					.type = i == VECTOR_USER_BACK ? GATE_USER : GATE };
	}
	describe_tss(TSS_BOOT, &tss, ist_stack_top);
	load_tables(TSS_BOOT);
	trap_hook[VECTOR_USER_BACK] = back_from_user;
}

/* Each time it starts: a TSS that was loaded is busy (APM vol. 2, 12.2.2) */
void trap_init_ap(void)
{
	describe_tss(TSS_AP, &ap_tss, ap_ist_stack_top);
	load_tables(TSS_AP);
}
