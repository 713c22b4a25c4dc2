// SPDX-License-Identifier: GPL-2.0
/*
 * #VE in kernel mode: memory-mapped I/O by MOV.
 *
 * Path:        #VE, exit reason 48 (EPT violation) -> handle_mmio() ->
 *              insn_decode_mmio() -> TDG.VP.VMCALL<#VE.RequestMMIO>
 * Upstream:    31d58c4e557d ("x86/tdx: Handle in-kernel MMIO"),
 *              1e7769653b06 ("x86/tdx: Handle load_unaligned_zeropad() page-cross to a
 *              shared page"),
 *              b6fb565a2d15 ("x86/tdx: Fix data leak in mmio_read()") CVE-2024-46794
 * Without it:  a driver reads what its device did not say, or the host learns
 *              what is in the kernel's registers and on its stack.
 *
 * The device is a hole, where a read gives what the test has the host say.
 * What a write sends goes to the IOAPIC's index register, which is set back:
 * the machine's events do not hold R14 and R15.
 */
#include <linux/io.h>
#include "lib/ve.h"

/* One row a form of MOV: register, extension, prefixes, addressing */
static void read_gives_the_hosts_answer(struct kunit *test);
static void read_ignores_answer_bits_beyond_its_size(struct kunit *test);
static void read_tells_the_host_size_and_no_data(struct kunit *test);
static void write_reaches_the_device(struct kunit *test);
static void write_tells_the_host_size(struct kunit *test);
static void write_shows_the_host_its_bytes_only(struct kunit *test);
static void dword_write_reaches_the_device_whole(struct kunit *test);
/* What Linux does not do for a driver */
static void page_split_is_refused_without_asking_the_host(struct kunit *test);
static void other_instruction_is_refused_without_asking_the_host(struct kunit *test);

/*
 * As COCO_INSN, of which this is a variant: address of the device in RBX and
 * R12, RCX 1, data in a register of the row's choice from and to i->ax.
 */
#define MMIO_INSN(name, where, text) \
static noinline void name(struct coco_insn *i) \
{ \
	u8 landing[COCO_LANDING]; \
	unsigned long address; \
	void *di = landing; \
	long trap = COCO_NO_TRAP; \
	\
	asm volatile("mov %%rbx, %%r12\n\t" \
		     "mov %%rbx, %%rsi\n\t" \
		     "mov %[data], %%" where "\n\t" \
		     "lea 1f(%%rip), %[address]\n\t" \
		     "1: " text "\n\t" \
		     "stosb; stosb; stosb; stosb\n\t" \
		     "jmp 3f\n\t" \
		     "2: mov %%rax, %[trap]\n\t" \
		     "3: mov %%" where ", %[data]\n\t" \
		     _ASM_EXTABLE_FAULT(1b, 2b) \
		     : [data] "+m"(i->ax), "+D"(di), [address] "=&r"(address), [trap] "+r"(trap) \
		     : "b"(i->bx), "c"(1ul) \
		     : "rax", "rsi", "r8", "r9", "r12", "r15", "memory", "cc"); \
	i->address = address; \
	i->trap = (int)trap; \
	i->landed = di - (void *)landing; \
}

MMIO_INSN(read8, "rax", "movb (%%rbx), %%al")
MMIO_INSN(read16, "rax", "movw (%%rbx), %%ax")
MMIO_INSN(read32, "rax", "movl (%%rbx), %%eax")
MMIO_INSN(read64, "rax", "movq (%%rbx), %%rax")
MMIO_INSN(read8_r9, "r9", "movb (%%rbx), %%r9b")
MMIO_INSN(read8_sil, "rsi", "movb (%%rbx), %%sil")
MMIO_INSN(read16_r15, "r15", "movw (%%r12), %%r15w")
MMIO_INSN(read32_r8, "r8", "movl (%%r12), %%r8d")
MMIO_INSN(read64_r15, "r15", "movq (%%rbx), %%r15")
MMIO_INSN(read32_disp8, "rax", "movl 0x7c(%%rbx), %%eax")
MMIO_INSN(read32_disp32, "rax", "movl 0x7fc(%%rbx), %%eax")
MMIO_INSN(read32_sib, "rax", "movl 0x40(%%rbx, %%rcx, 4), %%eax")
MMIO_INSN(read32_segment, "rax", "movl %%ds:(%%rbx), %%eax")
MMIO_INSN(read16_prefixes, "rax", ".byte 0x3e, 0x66, 0x8b, 0x03")	/* DS, operand size */
MMIO_INSN(movzx8_16, "rax", "movzbw (%%rbx), %%ax")
MMIO_INSN(movzx8_32, "rax", "movzbl (%%rbx), %%eax")
MMIO_INSN(movzx8_64, "rax", "movzbq (%%rbx), %%rax")
MMIO_INSN(movzx16_32, "rax", "movzwl (%%rbx), %%eax")
MMIO_INSN(movzx16_64, "r9", "movzwq (%%rbx), %%r9")
MMIO_INSN(movsx8_16, "rax", "movsbw (%%rbx), %%ax")
MMIO_INSN(movsx8_32, "rax", "movsbl (%%rbx), %%eax")
MMIO_INSN(movsx8_64, "rax", "movsbq (%%rbx), %%rax")
MMIO_INSN(movsx16_32, "rax", "movswl (%%rbx), %%eax")
MMIO_INSN(movsx16_64, "r9", "movswq (%%rbx), %%r9")
MMIO_INSN(write8, "rax", "movb %%al, (%%rbx)")
MMIO_INSN(write16, "rax", "movw %%ax, (%%rbx)")
MMIO_INSN(write32, "rax", "movl %%eax, (%%rbx)")
MMIO_INSN(write64, "rax", "movq %%rax, (%%rbx)")
MMIO_INSN(write8_ah, "rax", "movb %%ah, (%%rbx)")
MMIO_INSN(write8_sil, "rsi", "movb %%sil, (%%rbx)")
MMIO_INSN(write32_r9, "r9", "movl %%r9d, (%%r12)")
MMIO_INSN(write8_imm, "rax", "movb $0x15, (%%rbx)")
MMIO_INSN(write16_imm, "rax", "movw $0x7715, (%%rbx)")
MMIO_INSN(write32_imm, "rax", "movl $0x77777715, (%%rbx)")
MMIO_INSN(write32_imm_negative, "rax", "movl $0x87777715, (%%rbx)")
MMIO_INSN(write64_imm, "rax", "movq $0x77777715, (%%rbx)")
MMIO_INSN(or32, "rax", "orl %%eax, (%%rbx)")
MMIO_INSN(movsxd, "rax", "movslq (%%rbx), %%rax")
MMIO_INSN(movs, "rax", "movsl")

struct read_case {
	const char *name;
	void (*insn)(struct coco_insn *i);
	u64 size;
	u64 answer;		/* of the host, R11; no bits beyond the size */
	u64 result;		/* of JUNK */
};

#define KEPT(written)	(JUNK & ~(u64)(written))
#define BYTE		0xffull
#define WORD		0xffffull

/* SDM vol. 1, 3.4.1.1: 8- and 16-bit results leave the rest of a register, 32-bit ones clear it */
static const struct read_case read_cases[] = {
	{ "byte", read8, 1, 0xef, KEPT(BYTE) | 0xef },
	{ "word", read16, 2, 0xcdef, KEPT(WORD) | 0xcdef },
	{ "dword", read32, 4, 0x89abcdef, 0x89abcdef },
	{ "qword", read64, 8, 0x0123456789abcdef, 0x0123456789abcdef },
	{ "byte_r9", read8_r9, 1, 0xef, KEPT(BYTE) | 0xef },
	{ "word_r15", read16_r15, 2, 0xcdef, KEPT(WORD) | 0xcdef },
	{ "dword_r8", read32_r8, 4, 0x89abcdef, 0x89abcdef },
	{ "qword_r15", read64_r15, 8, 0x0123456789abcdef, 0x0123456789abcdef },
	{ "dword_disp8", read32_disp8, 4, 0x89abcdef, 0x89abcdef },
	{ "dword_disp32", read32_disp32, 4, 0x89abcdef, 0x89abcdef },
	{ "dword_sib", read32_sib, 4, 0x89abcdef, 0x89abcdef },
	{ "dword_segment", read32_segment, 4, 0x89abcdef, 0x89abcdef },
	{ "word_two_prefixes", read16_prefixes, 2, 0xcdef, KEPT(WORD) | 0xcdef },
	{ "movzx_byte_word", movzx8_16, 1, 0xef, KEPT(WORD) | 0xef },
	{ "movzx_byte_dword", movzx8_32, 1, 0xef, 0xef },
	{ "movzx_byte_qword", movzx8_64, 1, 0xef, 0xef },
	{ "movzx_word_dword", movzx16_32, 2, 0xcdef, 0xcdef },
	{ "movzx_word_qword_r9", movzx16_64, 2, 0xcdef, 0xcdef },
	{ "movsx_byte_word", movsx8_16, 1, 0xef, KEPT(WORD) | 0xffef },
	{ "movsx_byte_dword", movsx8_32, 1, 0xef, 0xffffffef },
	{ "movsx_byte_qword", movsx8_64, 1, 0xef, ~0ull << 8 | 0xef },
	{ "movsx_byte_qword_positive", movsx8_64, 1, 0x6f, 0x6f },
	{ "movsx_word_dword", movsx16_32, 2, 0xcdef, 0xffffcdef },
	{ "movsx_word_qword_r9", movsx16_64, 2, 0xcdef, ~0ull << 16 | 0xcdef },
	{ "movsx_word_qword_positive", movsx16_64, 2, 0x4def, 0x4def },
};
KUNIT_ARRAY_PARAM_DESC(read, read_cases, name);

/* One row a way to extend, positive: the bits beyond would change the result */
static const struct read_case narrow_cases[] = {
	{ "byte", read8, 1, 0xef, KEPT(BYTE) | 0xef },
	{ "word", read16, 2, 0xcdef, KEPT(WORD) | 0xcdef },
	{ "dword", read32, 4, 0x89abcdef, 0x89abcdef },
	{ "movzx_byte", movzx8_64, 1, 0xef, 0xef },
	{ "movzx_word", movzx16_64, 2, 0xcdef, 0xcdef },
	{ "movsx_byte", movsx8_64, 1, 0x6f, 0x6f },
	{ "movsx_word", movsx16_64, 2, 0x4def, 0x4def },
};
KUNIT_ARRAY_PARAM_DESC(narrow, narrow_cases, name);

struct write_case {
	const char *name;
	void (*insn)(struct coco_insn *i);
	u64 size;
	u32 byte;		/* that the device must get of WRITTEN; it keeps no more */
};

#define WRITTEN		0xa5a4a5a4a5a41213ull

static const struct write_case write_cases[] = {
	{ "byte", write8, 1, 0x13 },
	{ "word", write16, 2, 0x13 },
	{ "dword", write32, 4, 0x13 },
	{ "qword", write64, 8, 0x13 },
	{ "byte_ah", write8_ah, 1, 0x12 },
	{ "byte_sil", write8_sil, 1, 0x13 },
	{ "dword_r9", write32_r9, 4, 0x13 },
	{ "byte_immediate", write8_imm, 1, 0x15 },
	{ "word_immediate", write16_imm, 2, 0x15 },
	{ "dword_immediate", write32_imm, 4, 0x15 },
	{ "dword_immediate_negative", write32_imm_negative, 4, 0x15 },
	{ "qword_immediate", write64_imm, 8, 0x15 },
};
KUNIT_ARRAY_PARAM_DESC(write, write_cases, name);

struct split_case {
	const char *name;
	void (*insn)(struct coco_insn *i);
	unsigned int before;	/* so many bytes before the page's end */
};

static const struct split_case split_cases[] = {
	{ "read_word", read16, 1 },
	{ "read_dword", read32, 2 },
	{ "read_qword", read64, 1 },
	{ "movzx_word", movzx16_64, 1 },
	{ "write_dword", write32, 3 },
	{ "write_immediate", write64_imm, 7 },
};
KUNIT_ARRAY_PARAM_DESC(split, split_cases, name);

struct other_case {
	const char *name;
	void (*insn)(struct coco_insn *i);
};

static const struct other_case other_cases[] = {
	{ "movs", movs },
	{ "or", or32 },
	{ "movsxd", movsxd },
};
KUNIT_ARRAY_PARAM_DESC(other, other_cases, name);

static struct kunit_case ve_mmio_cases[] = {
	KUNIT_CASE_PARAM(read_gives_the_hosts_answer, read_gen_params),
	KUNIT_CASE_PARAM(read_ignores_answer_bits_beyond_its_size, narrow_gen_params),
	KUNIT_CASE_PARAM(read_tells_the_host_size_and_no_data, read_gen_params),
	KUNIT_CASE_PARAM(write_reaches_the_device, write_gen_params),
	KUNIT_CASE_PARAM(write_tells_the_host_size, write_gen_params),
	KUNIT_CASE_PARAM(write_shows_the_host_its_bytes_only, write_gen_params),
	KUNIT_CASE(dword_write_reaches_the_device_whole),
	KUNIT_CASE_PARAM(page_split_is_refused_without_asking_the_host, split_gen_params),
	KUNIT_CASE_PARAM(other_instruction_is_refused_without_asking_the_host, other_gen_params),
	{}
};

/* No memory, no device; two pages of it */
#define HOLE			0x1000000000ull
#define HOLE_SIZE		(2 * PAGE_SIZE)
/* GHCI 344426, TDG.VP.VMCALL<#VE.RequestMMIO>: R13 */
#define MMIO_READ		0
#define MMIO_WRITE		1
#define READ_TAKES		(R(10) | R(11) | R(12) | R(13) | R(14))
#define WRITE_TAKES		(READ_TAKES | R(15))
/* Intel 82093AA IOAPIC: the index register, the data register, the last pin's upper half */
#define IOAPIC			0xfec00000
#define IOAPIC_DATA		0x10
#define IOAPIC_SOME_REGISTER	0x3f

static void __iomem *hole, *ioapic;

static struct coco_insn at(void __iomem *address, u64 data)
{
	return (struct coco_insn){ .ax = data, .bx = (unsigned long)address };
}

static void run_read(struct kunit *test, const struct read_case *c, u64 dirt)
{
	struct coco_insn i = at(hole, JUNK);
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run(test, c->insn, &i,
		   HOST_REPLIES(REASON_EPT, BIT(0) | BIT(1), STATUS_SUCCESS, c->answer | dirt));
	COCO_EXPECT_APPLIED(test, w, 1);
	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, (u64)i.ax, c->result);
}

static void read_gives_the_hosts_answer(struct kunit *test)
{
	run_read(test, test->param_value, 0);
}

static void read_ignores_answer_bits_beyond_its_size(struct kunit *test)
{
	const struct read_case *c = test->param_value;

	run_read(test, c, ~0ull << 8 * c->size);
}

/* "No data" is the machine's to judge: what R15 says of a read is a breach */
static void read_tells_the_host_size_and_no_data(struct kunit *test)
{
	const struct read_case *c = test->param_value;
	struct coco_insn i = at(hole, JUNK);
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run(test, c->insn, &i, NULL);
	expect_one_call(test, w, &i, REASON_EPT, c->size, MMIO_READ, READ_TAKES);
}

/* In a window: the register is the kernel's, too */
static void write_reaches_the_device(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	struct coco_insn i = at(ioapic, WRITTEN);
	struct coco_window *w;
	u32 index, got;

	need_tdx_and_machine(test);
	w = coco_window(test);
	coco_window_begin(w);
	index = readl(ioapic);
	c->insn(&i);
	got = readl(ioapic);
	writel(index, ioapic);
	coco_window_end(w);
	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, (u64)i.ax, WRITTEN);
	KUNIT_EXPECT_EQ(test, got, c->byte);
}

static void write_tells_the_host_size(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	struct coco_insn i = at(hole, WRITTEN);
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run(test, c->insn, &i, NULL);
	expect_next_instruction(test, &i);
	expect_one_call(test, w, &i, REASON_EPT, c->size, MMIO_WRITE, WRITE_TAKES);
}

/* Where the handler's variables are going to be */
static noinline void dirty_the_stack(void)
{
	u8 dirt[768];

	memset(dirt, 0x5a, sizeof(dirt));
	barrier_data(dirt);
}

static void write_shows_the_host_its_bytes_only(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	struct coco_insn i = at(hole, WRITTEN);
	const struct coco_event *call;
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = coco_window(test);
	coco_window_begin(w);
	dirty_the_stack();
	c->insn(&i);
	coco_window_end(w);
	expect_one_ve(test, w, &i, REASON_EPT, 1);
	call = coco_window_find(w, COCO_EV_TDVMCALL, REASON_EPT, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ(test, call->flags & COCO_EVF_DIRTY, 0u);
}

static void dword_write_reaches_the_device_whole(struct kunit *test)
{
	struct coco_insn i = at(ioapic + IOAPIC_DATA, WRITTEN);
	struct coco_window *w;
	u32 index, value, got;

	need_tdx_and_machine(test);
	w = coco_window(test);
	coco_window_begin(w);
	index = readl(ioapic);
	writel(IOAPIC_SOME_REGISTER, ioapic);
	value = readl(ioapic + IOAPIC_DATA);
	write32_r9(&i);
	got = readl(ioapic + IOAPIC_DATA);
	writel(value, ioapic + IOAPIC_DATA);
	writel(index, ioapic);
	coco_window_end(w);
	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, got, (u32)WRITTEN);
}

static void page_split_is_refused_without_asking_the_host(struct kunit *test)
{
	const struct split_case *c = test->param_value;
	struct coco_insn i = at(hole + PAGE_SIZE - c->before, JUNK);
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run(test, c->insn, &i, NULL);
	expect_fault(test, &i);
	expect_one_ve(test, w, &i, REASON_EPT, 0);
}

static void other_instruction_is_refused_without_asking_the_host(struct kunit *test)
{
	const struct other_case *c = test->param_value;
	struct coco_insn i = at(hole, JUNK);
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run(test, c->insn, &i, NULL);
	expect_fault(test, &i);
	expect_one_ve(test, w, &i, REASON_EPT, 0);
}

static int mmio_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	if (error || coco_technology() != COCO_TDX || !coco_machine())
		return error;
	hole = ioremap(HOLE, HOLE_SIZE);
	ioapic = ioremap(IOAPIC, PAGE_SIZE);
	return hole && ioapic ? 0 : -ENOMEM;
}

static void mmio_end(struct kunit *test)
{
	if (hole)
		iounmap(hole);
	if (ioapic)
		iounmap(ioapic);
	hole = NULL;
	ioapic = NULL;
	coco_case_end(test);
}

static struct kunit_suite ve_mmio_suite = {
	.name = "ve_mmio",
	.init = mmio_begin,
	.exit = mmio_end,
	.test_cases = ve_mmio_cases,
};
kunit_test_suite(ve_mmio_suite);

MODULE_DESCRIPTION("#VE in kernel mode: memory-mapped I/O");
MODULE_LICENSE("GPL");
