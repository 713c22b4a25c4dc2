// SPDX-License-Identifier: GPL-2.0
/*
 * #VC in kernel mode: memory-mapped I/O, each form of MOV that drivers use.
 *
 * Path:        nested page fault -> #VC, exit code NPF (400h), vc_handle_mmio() -> GHCB, MMIO
 *              read (8000_0001h) and write (8000_0002h), data in the GHCB's shared buffer
 * Upstream:    "x86/sev-es: Handle MMIO events" (5.10),
 *              0118b604c2c9 ("x86/sev-es: Handle MMIO String Instructions")
 * Without it:  a driver reads registers of its device into the wrong place or with bits
 *              that neither it nor the device had, or MMIO takes secret memory for a device.
 *
 * The address is one where no device is, and the host is scripted: what a device
 * would give is put into the shared buffer before, what it would get is read from
 * there after (GHCB specification 56421, section 4.1.4, MMIO access).
 */
#include <linux/io.h>
#include "lib/vc.h"

/* One row a form */
static void mov_reads_into_its_part_of_the_register(struct kunit *test);
static void mov_writes_just_its_bytes(struct kunit *test);
static void mov_refused_by_the_host_raises_gp(struct kunit *test);
/* MOVS: a read, a write, each a #VC inside the #VC */
static void movs_reads_a_device_into_memory(struct kunit *test);
static void movs_writes_memory_to_a_device(struct kunit *test);
static void movs_moves_a_qword_whole(struct kunit *test);
/* The exit code alone makes no device of an address */
static void address_without_a_mapping_faults_without_call(struct kunit *test);
/* These end the guest */
static void encrypted_mapping_ends_the_guest(struct kunit *test);
static void other_instruction_ends_the_guest(struct kunit *test);

/* RBX, RSI or R12, R13 point to the device, R9 and RAX are data, RCX is an index of 4 */
COCO_INSN_UP(read8, "movb (%%rbx), %%al")
COCO_INSN_UP(read16, "movw (%%rbx), %%ax")
COCO_INSN_UP(read32, "movl (%%rbx), %%eax")
COCO_INSN_UP(read64, "movq (%%rbx), %%rax")
COCO_INSN_UP(read8_r9, "movb (%%r12), %%r9b")
COCO_INSN_UP(read32_r9, "movl 8(%%r13), %%r9d")
COCO_INSN_UP(read64_r9, "movq 0x100(%%rbx,%%rcx,2), %%r9")
COCO_INSN_UP(read32_ds, "movl %%ds:(%%rbx), %%eax")
COCO_INSN_UP(movzx8_16, "movzbw (%%rbx), %%ax")
COCO_INSN_UP(movzx8_32, "movzbl (%%rbx), %%eax")
COCO_INSN_UP(movzx8_64, "movzbq (%%rbx), %%rax")
COCO_INSN_UP(movzx16_32, "movzwl (%%rbx), %%eax")
COCO_INSN_UP(movzx16_64, "movzwq (%%rbx), %%r9")
COCO_INSN_UP(movsx8_16, "movsbw (%%rbx), %%ax")
COCO_INSN_UP(movsx8_32, "movsbl (%%rbx), %%eax")
COCO_INSN_UP(movsx8_64, "movsbq (%%rbx), %%rax")
COCO_INSN_UP(movsx16_32, "movswl (%%rbx), %%eax")
COCO_INSN_UP(movsx16_64, "movswq (%%rbx), %%r9")
COCO_INSN_UP(write8, "movb %%al, (%%rbx)")
COCO_INSN_UP(write8_high, "movb %%ah, (%%rbx)")
COCO_INSN_UP(write16, "movw %%ax, (%%rbx)")
COCO_INSN_UP(write32, "movl %%eax, (%%rbx)")
COCO_INSN_UP(write64, "movq %%rax, (%%rbx)")
COCO_INSN_UP(write8_r9, "movb %%r9b, (%%r12)")
COCO_INSN_UP(write64_r9, "movq %%r9, 8(%%r13)")
COCO_INSN_UP(write8_imm, "movb $0x5a, (%%rbx)")
COCO_INSN_UP(write16_imm, "movw $0x1234, (%%rbx)")
COCO_INSN_UP(write32_imm, "movl $0x12345678, (%%rbx)")
COCO_INSN_UP(write64_imm, "movq $-0x12345678, (%%rbx)")
COCO_INSN_ALL(do_movsl, "movsl")
COCO_INSN_UP(do_movsq, "movsq")
COCO_INSN_ALL(do_rep_movsw, "rep movsw")
COCO_INSN_UP(do_and, "andl %%eax, (%%rbx)")

/* What the device gives: the lowest byte and the lowest word are negative */
#define DEVICE	0x8899aabbccdd8a9bull
/* What RAX and R9 have before */
#define DATA	0x1122334455667788ull

struct read_case {
	const char *name;
	coco_insn_fn insn;
	unsigned int size, offset;
	bool r9;
	u64 result;
};

static const struct read_case read_cases[] = {
	{ "byte", read8, 1, 0, false, 0x112233445566779b },
	{ "word", read16, 2, 0, false, 0x1122334455668a9b },
	{ "dword", read32, 4, 0, false, 0xccdd8a9b },
	{ "qword", read64, 8, 0, false, DEVICE },
	{ "byte_extended", read8_r9, 1, 0, true, 0x112233445566779b },
	{ "dword_extended", read32_r9, 4, 8, true, 0xccdd8a9b },
	{ "qword_extended_index", read64_r9, 8, 0x108, true, DEVICE },
	{ "dword_segment_prefix", read32_ds, 4, 0, false, 0xccdd8a9b },
	{ "movzx_byte_word", movzx8_16, 1, 0, false, 0x112233445566009b },
	{ "movzx_byte_dword", movzx8_32, 1, 0, false, 0x9b },
	{ "movzx_byte_qword", movzx8_64, 1, 0, false, 0x9b },
	{ "movzx_word_dword", movzx16_32, 2, 0, false, 0x8a9b },
	{ "movzx_word_qword", movzx16_64, 2, 0, true, 0x8a9b },
	{ "movsx_byte_word", movsx8_16, 1, 0, false, 0x112233445566ff9b },
	{ "movsx_byte_dword", movsx8_32, 1, 0, false, 0xffffff9b },
	{ "movsx_byte_qword", movsx8_64, 1, 0, false, 0xffffffffffffff9b },
	{ "movsx_word_dword", movsx16_32, 2, 0, false, 0xffff8a9b },
	{ "movsx_word_qword", movsx16_64, 2, 0, true, 0xffffffffffff8a9b },
};
KUNIT_ARRAY_PARAM_DESC(read, read_cases, name);

struct write_case {
	const char *name;
	coco_insn_fn insn;
	unsigned int size, offset;
	u64 data;
};

static const struct write_case write_cases[] = {
	{ "byte", write8, 1, 0, 0x88 },
	{ "byte_high", write8_high, 1, 0, 0x77 },
	{ "word", write16, 2, 0, 0x7788 },
	{ "dword", write32, 4, 0, 0x55667788 },
	{ "qword", write64, 8, 0, DATA },
	{ "byte_extended", write8_r9, 1, 0, 0x88 },
	{ "qword_extended", write64_r9, 8, 8, DATA },
	{ "byte_immediate", write8_imm, 1, 0, 0x5a },
	{ "word_immediate", write16_imm, 2, 0, 0x1234 },
	{ "dword_immediate", write32_imm, 4, 0, 0x12345678 },
	{ "qword_immediate", write64_imm, 8, 0, -0x12345678ull },
};
KUNIT_ARRAY_PARAM_DESC(write, write_cases, name);

struct hole_case {
	const char *name;
	coco_insn_fn insn;
};

static const struct hole_case hole_cases[] = {
	{ "read", read32 },
	{ "write", write32 },
	{ "write_immediate", write8_imm },
	{ "zero_extend", movzx8_32 },
	{ "sign_extend", movsx8_32 },
};
KUNIT_ARRAY_PARAM_DESC(hole, hole_cases, name);

static struct kunit_case vc_mmio_cases[] = {
	KUNIT_CASE_PARAM(mov_reads_into_its_part_of_the_register, read_gen_params),
	KUNIT_CASE_PARAM(mov_writes_just_its_bytes, write_gen_params),
	KUNIT_CASE_PARAM(mov_refused_by_the_host_raises_gp, read_gen_params),
	KUNIT_CASE(movs_reads_a_device_into_memory),
	KUNIT_CASE(movs_writes_memory_to_a_device),
	KUNIT_CASE(movs_moves_a_qword_whole),
	KUNIT_CASE_PARAM(address_without_a_mapping_faults_without_call, hole_gen_params),
	KUNIT_CASE(encrypted_mapping_ends_the_guest),
	KUNIT_CASE(other_instruction_ends_the_guest),
	{}
};

/* In the hole for PCI devices, and none is there */
#define NO_DEVICE	0xf1230000ul
/* For this page the script speaks; the APIC, which a dying guest may wait for, is the model's */
#define DEVICE_ANSWERS(code_, info1_, info2_) \
	(&(const struct coco_rule){ .kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = code_, \
				    .info1 = NO_DEVICE, .info1_mask = PAGE_MASK, \
				    .reply_mask = REPLY_INFO, .reply = { info1_, info2_ } })
#define DEVICE_REPLIES(code_)	DEVICE_ANSWERS(code_, 0, 0)
#define DEVICE_REFUSES(code_)	DEVICE_ANSWERS(code_, HOST_EXCEPTION, EVENT_GP)

static void __iomem *device;
static u8 bytes[GHCB_BUFFER_SIZE], sent[GHCB_BUFFER_SIZE];

static void prepare(struct kunit *test)
{
	need_es_and_machine(test);
	device = ioremap(NO_DEVICE, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, (void *)device);
	memset(bytes, 0xee, sizeof(bytes));
}

static struct coco_regs device_regs(void)
{
	unsigned long d = (unsigned long)device;

	return (struct coco_regs) {
		.ax = DATA, .bx = d, .cx = 4, .dx = JUNK, .si = d, .di = d,
		.r8 = JUNK, .r9 = DATA, .r12 = d, .r13 = d,
	};
}

static void expect_rest_of_registers(struct kunit *test, const struct coco_regs *r)
{
	KUNIT_EXPECT_EQ(test, r->bx, (unsigned long)device);
	KUNIT_EXPECT_EQ(test, r->cx, 4ul);
	KUNIT_EXPECT_EQ(test, (u64)r->dx, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)r->r8, JUNK);
}

static void mov_reads_into_its_part_of_the_register(struct kunit *test)
{
	const struct read_case *c = test->param_value;
	struct coco_regs r;
	struct coco_window *w;
	u64 value = DEVICE;

	prepare(test);
	r = device_regs();
	/* A device gives what is asked for: the rest of the buffer is not its word */
	memcpy(bytes, &value, c->size);
	w = vc_run_buffer(test, c->insn, &r, DEVICE_REPLIES(EXIT_MMIO_READ), bytes, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, (u64)(c->r9 ? r.r9 : r.ax), c->result);
	KUNIT_EXPECT_EQ(test, (u64)(c->r9 ? r.ax : r.r9), DATA);
	expect_rest_of_registers(test, &r);
	expect_calls(test, w, EXIT_NPF, 1, EXIT_MMIO_READ, 1);
	expect_call(test, w, EXIT_MMIO_READ, 0, NO_DEVICE + c->offset, c->size, COCO_GHCB_SCRATCH);
}

static void mov_writes_just_its_bytes(struct kunit *test)
{
	const struct write_case *c = test->param_value;
	struct coco_regs r;
	struct coco_window *w;

	prepare(test);
	r = device_regs();
	w = vc_run_buffer(test, c->insn, &r, DEVICE_REPLIES(EXIT_MMIO_WRITE), bytes, sent);
	memcpy(bytes, &c->data, c->size);
	KUNIT_EXPECT_MEMEQ(test, sent, bytes, sizeof(sent));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, (u64)r.ax, DATA);
	KUNIT_EXPECT_EQ(test, (u64)r.r9, DATA);
	expect_rest_of_registers(test, &r);
	expect_calls(test, w, EXIT_NPF, 1, EXIT_MMIO_WRITE, 1);
	expect_call(test, w, EXIT_MMIO_WRITE, 0, NO_DEVICE + c->offset, c->size,
		    COCO_GHCB_SCRATCH);
}

static void mov_refused_by_the_host_raises_gp(struct kunit *test)
{
	const struct read_case *c = test->param_value;
	struct coco_regs r;
	struct coco_window *w;

	prepare(test);
	r = device_regs();
	w = vc_run(test, c->insn, &r, DEVICE_REFUSES(EXIT_MMIO_READ));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_GP);
	KUNIT_EXPECT_EQ(test, (u64)r.r9, DATA);
	expect_calls(test, w, EXIT_NPF, 1, EXIT_MMIO_READ, 1);
}

static void movs_reads_a_device_into_memory(struct kunit *test)
{
	struct coco_regs r;
	struct coco_window *w;
	u32 memory[2] = { 0, ~0u };
	u64 value = DEVICE;

	prepare(test);
	r = device_regs();
	r.di = (unsigned long)memory;
	memcpy(bytes, &value, sizeof(value));
	w = vc_run_buffer(test, do_movsl, &r, DEVICE_REPLIES(EXIT_MMIO_READ), bytes, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, memory[0], (u32)DEVICE);
	KUNIT_EXPECT_EQ(test, memory[1], ~0u);
	KUNIT_EXPECT_EQ(test, r.si, (unsigned long)device + 4);
	KUNIT_EXPECT_EQ(test, r.di, (unsigned long)memory + 4);
	expect_rest_of_registers(test, &r);
	expect_calls(test, w, EXIT_NPF, 2, EXIT_MMIO_READ, 1);
	expect_call(test, w, EXIT_MMIO_READ, 0, NO_DEVICE, 4, COCO_GHCB_SCRATCH);
}

/* The nested #VC gives the outer one its GHCB back: what was sent is gone by the end */
static void movs_writes_memory_to_a_device(struct kunit *test)
{
	static const u16 memory[3] = { 1, 2, 3 };
	struct coco_regs r;
	struct coco_window *w;
	unsigned int i;

	prepare(test);
	r = device_regs();
	r.si = (unsigned long)&memory[2];
	r.di = (unsigned long)device + 4;
	r.cx = ARRAY_SIZE(memory);
	w = vc_run(test, do_rep_movsw_down, &r, DEVICE_REPLIES(EXIT_MMIO_WRITE));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.cx, 0ul);
	KUNIT_EXPECT_EQ(test, r.si, (unsigned long)memory - 2);
	KUNIT_EXPECT_EQ(test, r.di, (unsigned long)device - 2);
	expect_calls(test, w, EXIT_NPF, 2 * ARRAY_SIZE(memory), EXIT_MMIO_WRITE,
		     ARRAY_SIZE(memory));
	for (i = 0; i < ARRAY_SIZE(memory); i++)
		expect_call(test, w, EXIT_MMIO_WRITE, i, NO_DEVICE + 4 - 2 * i, 2,
			    COCO_GHCB_SCRATCH);
}

/* The largest that there is: eight bytes each way */
static void movs_moves_a_qword_whole(struct kunit *test)
{
	u64 memory = 0, value = DEVICE;
	struct coco_regs r;
	struct coco_window *w;

	prepare(test);
	r = device_regs();
	r.di = (unsigned long)&memory;
	memcpy(bytes, &value, sizeof(value));
	w = vc_run_buffer(test, do_movsq, &r, DEVICE_REPLIES(EXIT_MMIO_READ), bytes, NULL);
	KUNIT_EXPECT_EQ(test, memory, (u64)DEVICE);
	KUNIT_EXPECT_EQ(test, r.si, (unsigned long)device + 8);
	expect_call(test, w, EXIT_MMIO_READ, 0, NO_DEVICE, 8, COCO_GHCB_SCRATCH);

	r = device_regs();
	r.si = (unsigned long)&memory;
	w = vc_run(test, do_movsq, &r, DEVICE_REPLIES(EXIT_MMIO_WRITE));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.di, (unsigned long)device + 8);
	expect_calls(test, w, EXIT_NPF, 2, EXIT_MMIO_WRITE, 1);
	expect_call(test, w, EXIT_MMIO_WRITE, 0, NO_DEVICE, 8, COCO_GHCB_SCRATCH);
}

/* Nothing is ever mapped here (Documentation/arch/x86/x86_64/mm.rst, "unused hole") */
#define HOLE	0xfffffc0000001000ul

static void address_without_a_mapping_faults_without_call(struct kunit *test)
{
	const struct hole_case *c = test->param_value;
	struct coco_regs r;
	struct coco_window *w;

	prepare(test);
	r = device_regs();
	r.bx = HOLE;
	w = vc_run_intercepted(test, c->insn, &r, EXIT_NPF, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_PF);
	KUNIT_EXPECT_EQ(test, (u64)r.r9, DATA);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 0);
}

static void expect_end(struct kunit *test, coco_insn_fn insn)
{
	struct coco_regs r = device_regs();

	vc_expect_termination(test);
	vc_run(test, insn, &r, DEVICE_REPLIES(EXIT_MMIO_READ));
	COCO_FAIL_AS_IT_GOES_ON(test);
}

/* The C-bit says "my memory", the host says "a device": one of them lies */
static void encrypted_mapping_ends_the_guest(struct kunit *test)
{
	prepare(test);
	iounmap(device);
	device = ioremap_encrypted(NO_DEVICE, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, (void *)device);
	expect_end(test, read32);
}

static void other_instruction_ends_the_guest(struct kunit *test)
{
	prepare(test);
	expect_end(test, do_and);
}

static void vc_mmio_end(struct kunit *test)
{
	coco_case_end(test);
	if (device)
		iounmap(device);
	device = NULL;
}

static struct kunit_suite vc_mmio_suite = {
	.name = "vc_mmio",
	.init = coco_case_begin,
	.exit = vc_mmio_end,
	.test_cases = vc_mmio_cases,
};
kunit_test_suite(vc_mmio_suite);

MODULE_DESCRIPTION("#VC in kernel mode: memory-mapped I/O, each form of MOV");
MODULE_LICENSE("GPL");
