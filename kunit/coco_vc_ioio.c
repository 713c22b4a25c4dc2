// SPDX-License-Identifier: GPL-2.0
/*
 * #VC in kernel mode: string I/O, and the forms of IN and OUT.
 *
 * Path:        #VC, exit code IOIO (7bh), vc_ioio_exitinfo() and vc_handle_ioio() -> GHCB,
 *              bytes of string instructions in the GHCB's shared buffer
 * Upstream:    25189d08e516 ("x86/sev-es: Add support for handling IOIO exceptions")
 * Without it:  drivers that use insw() and outsw() read and write the wrong memory, or the
 *              host is handed bytes that the guest did not mean to send.
 *
 * The host is scripted: no device sees anything.  What it would have seen are the
 * exits and the shared buffer, which the case fills before INS and reads after
 * OUTS, as the host (GHCB specification 56421, section 4, IOIO; EXITINFO1: APM
 * vol. 2, 15.10.2).
 */
#include <linux/vmalloc.h>
#include "lib/vc.h"

static void outs_gives_the_host_just_its_bytes(struct kunit *test);
static void ins_writes_just_the_hosts_bytes(struct kunit *test);
static void outs_without_rep_ignores_rcx(struct kunit *test);
static void ins_without_rep_ignores_rcx(struct kunit *test);
static void outs_larger_than_the_buffer_is_split(struct kunit *test);
static void ins_larger_than_the_buffer_is_split(struct kunit *test);
static void string_of_no_elements_moves_nothing(struct kunit *test);
static void outs_crosses_pages(struct kunit *test);
static void ins_crosses_pages(struct kunit *test);
static void outs_refused_by_the_host_moves_nothing(struct kunit *test);
static void ins_refused_by_the_host_moves_nothing(struct kunit *test);
static void outs_from_no_memory_faults_without_call(struct kunit *test);
static void ins_into_no_memory_faults(struct kunit *test);
static void ins_reads_the_device(struct kunit *test);
static void port_is_the_low_half_of_dx_or_the_immediate(struct kunit *test);

#define IOIO_OUTS(size)	(IOIO_PORT(SOME_PORT) | IOIO_A64 | IOIO_DS | IOIO_STRING | IOIO_SIZE(size))
#define IOIO_INS(size)	(IOIO_PORT(SOME_PORT) | IOIO_A64 | IOIO_ES | IOIO_STRING | IOIO_IN | \
			 IOIO_SIZE(size))

#define STRING_INSNS(b) \
	COCO_INSN_ALL(do_outs##b, "outs" #b) COCO_INSN_ALL(do_rep_outs##b, "rep outs" #b) \
	COCO_INSN_ALL(do_ins##b, "ins" #b) COCO_INSN_ALL(do_rep_ins##b, "rep ins" #b)

STRING_INSNS(b)
STRING_INSNS(w)
STRING_INSNS(l)
COCO_INSN_UP(do_in8_dx, "inb %%dx, %%al")
COCO_INSN_UP(do_out32_dx, "outl %%eax, %%dx")
COCO_INSN_UP(do_in8_imm, "inb $0xe4, %%al")
COCO_INSN_UP(do_in16_imm, "inw $0xe4, %%ax")
COCO_INSN_UP(do_in32_imm, "inl $0xe4, %%eax")
COCO_INSN_UP(do_out8_imm, "outb %%al, $0xe4")
COCO_INSN_UP(do_out16_imm, "outw %%ax, $0xe4")
COCO_INSN_UP(do_out32_imm, "outl %%eax, $0xe4")

struct string_case {
	const char *name;
	coco_insn_fn outs, ins;
	unsigned int size;
	unsigned int count;		/* 0: without REP */
	bool down;
};

static const struct string_case string_cases[] = {
	{ "byte", do_outsb, do_insb, 1, 0, false },
	{ "word", do_outsw, do_insw, 2, 0, false },
	{ "dword", do_outsl, do_insl, 4, 0, false },
	{ "byte_down", do_outsb_down, do_insb_down, 1, 0, true },
	{ "word_down", do_outsw_down, do_insw_down, 2, 0, true },
	{ "dword_down", do_outsl_down, do_insl_down, 4, 0, true },
	{ "rep_byte", do_rep_outsb, do_rep_insb, 1, 7, false },
	{ "rep_word", do_rep_outsw, do_rep_insw, 2, 7, false },
	{ "rep_dword", do_rep_outsl, do_rep_insl, 4, 7, false },
	{ "rep_byte_down", do_rep_outsb_down, do_rep_insb_down, 1, 7, true },
	{ "rep_word_down", do_rep_outsw_down, do_rep_insw_down, 2, 7, true },
	{ "rep_dword_down", do_rep_outsl_down, do_rep_insl_down, 4, 7, true },
	{ "rep_once", do_rep_outsb, do_rep_insb, 1, 1, false },
};
KUNIT_ARRAY_PARAM_DESC(string, string_cases, name);

struct port_case {
	const char *name;
	coco_insn_fn insn;
	unsigned long dx;
	u64 info1;
};

static const struct port_case port_cases[] = {
	{ "in_dx_upper_bits", do_in8_dx, 0xffff5a5a000003e4, IOIO_PORT(0x3e4) | IOIO_SIZE(1) | IOIO_IN },
	{ "out_dx_upper_bits", do_out32_dx, 0xffff5a5a000003e4, IOIO_PORT(0x3e4) | IOIO_SIZE(4) },
	{ "in_byte_immediate", do_in8_imm, JUNK, IOIO_PORT(0xe4) | IOIO_SIZE(1) | IOIO_IN },
	{ "in_word_immediate", do_in16_imm, JUNK, IOIO_PORT(0xe4) | IOIO_SIZE(2) | IOIO_IN },
	{ "in_dword_immediate", do_in32_imm, JUNK, IOIO_PORT(0xe4) | IOIO_SIZE(4) | IOIO_IN },
	{ "out_byte_immediate", do_out8_imm, JUNK, IOIO_PORT(0xe4) | IOIO_SIZE(1) },
	{ "out_word_immediate", do_out16_imm, JUNK, IOIO_PORT(0xe4) | IOIO_SIZE(2) },
	{ "out_dword_immediate", do_out32_imm, JUNK, IOIO_PORT(0xe4) | IOIO_SIZE(4) },
};
KUNIT_ARRAY_PARAM_DESC(port, port_cases, name);

static struct kunit_case vc_ioio_cases[] = {
	KUNIT_CASE_PARAM(outs_gives_the_host_just_its_bytes, string_gen_params),
	KUNIT_CASE_PARAM(ins_writes_just_the_hosts_bytes, string_gen_params),
	KUNIT_CASE(outs_without_rep_ignores_rcx),
	KUNIT_CASE(ins_without_rep_ignores_rcx),
	KUNIT_CASE(outs_larger_than_the_buffer_is_split),
	KUNIT_CASE(ins_larger_than_the_buffer_is_split),
	KUNIT_CASE(string_of_no_elements_moves_nothing),
	KUNIT_CASE(outs_crosses_pages),
	KUNIT_CASE(ins_crosses_pages),
	KUNIT_CASE(outs_refused_by_the_host_moves_nothing),
	KUNIT_CASE(ins_refused_by_the_host_moves_nothing),
	KUNIT_CASE(outs_from_no_memory_faults_without_call),
	KUNIT_CASE(ins_into_no_memory_faults),
	KUNIT_CASE(ins_reads_the_device),
	KUNIT_CASE_PARAM(port_is_the_low_half_of_dx_or_the_immediate, port_gen_params),
	{}
};

/*
 * Two pages that are neighbours in virtual memory only, with nothing mapped
 * behind them:
 *
 *	| memory               |                      | guard
 *	          ^ MIDDLE                            ^ MEMORY_SIZE
 */
#define MEMORY_SIZE	(2 * PAGE_SIZE)
#define MIDDLE		1024
#define UNTOUCHED	0xee

static u8 *memory;
static u8 bytes[GHCB_BUFFER_SIZE];	/* the shared buffer, as the host reads or wrote it */

/* No two neighbours are alike, nor elements of any size */
static u8 pattern(unsigned int i)
{
	return i * 7 + (i >> 8) + 1;
}

static void prepare(struct kunit *test)
{
	unsigned int i;

	need_es_and_machine(test);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	for (i = 0; i < MEMORY_SIZE; i++)
		memory[i] = pattern(i);
	memset(bytes, UNTOUCHED, sizeof(bytes));
}

static unsigned long address(unsigned int offset)
{
	return (unsigned long)memory + offset;
}

static struct coco_regs string_regs(unsigned long count)
{
	return (struct coco_regs) { .ax = JUNK, .bx = JUNK, .cx = count, .dx = SOME_PORT,
				    .si = address(MIDDLE), .di = address(MIDDLE) };
}

/* What the instruction must not have touched */
static void expect_rest_of_registers(struct kunit *test, const struct coco_regs *r)
{
	KUNIT_EXPECT_EQ(test, (u64)r->ax, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)r->bx, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)r->dx, (u64)SOME_PORT);
}

static unsigned int elements(const struct string_case *c)
{
	return c->count ?: 1;
}

/* Where the ith element is, in memory: DF has them go downwards */
static unsigned int element_offset(const struct string_case *c, unsigned int i)
{
	return c->down ? MIDDLE - i * c->size : MIDDLE + i * c->size;
}

static void outs_gives_the_host_just_its_bytes(struct kunit *test)
{
	const struct string_case *c = test->param_value;
	u64 info1 = IOIO_OUTS(c->size) | (c->count ? IOIO_REP : 0);
	struct coco_regs r = string_regs(c->count);
	unsigned int i, len = elements(c) * c->size;
	static u8 sent[GHCB_BUFFER_SIZE];
	struct coco_window *w;

	prepare(test);
	r.di = JUNK;
	w = vc_run_buffer(test, c->outs, &r, HOST_REPLIES(EXIT_IOIO, 0), bytes, sent);

	for (i = 0; i < elements(c); i++)
		memcpy(bytes + i * c->size, memory + element_offset(c, i), c->size);
	KUNIT_EXPECT_MEMEQ(test, sent, bytes, len);
	/* and not one byte more */
	KUNIT_EXPECT_MEMEQ(test, sent + len, bytes + len, sizeof(sent) - len);
	expect_calls(test, w, EXIT_IOIO, 1, EXIT_IOIO, 1);
	expect_call(test, w, EXIT_IOIO, 0, info1, elements(c), COCO_GHCB_SCRATCH);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.si, address(element_offset(c, elements(c))));
	KUNIT_EXPECT_EQ(test, (u64)r.di, JUNK);
	KUNIT_EXPECT_EQ(test, r.cx, 0ul);
	expect_rest_of_registers(test, &r);
}

static void ins_writes_just_the_hosts_bytes(struct kunit *test)
{
	const struct string_case *c = test->param_value;
	u64 info1 = IOIO_INS(c->size) | (c->count ? IOIO_REP : 0);
	struct coco_regs r = string_regs(c->count);
	static u8 wanted[MEMORY_SIZE];
	struct coco_window *w;
	unsigned int i;

	prepare(test);
	r.si = JUNK;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = ~pattern(i);
	memcpy(wanted, memory, MEMORY_SIZE);
	for (i = 0; i < elements(c); i++)
		memcpy(wanted + element_offset(c, i), bytes + i * c->size, c->size);
	w = vc_run_buffer(test, c->ins, &r, HOST_REPLIES(EXIT_IOIO, 0), bytes, NULL);

	KUNIT_EXPECT_MEMEQ(test, memory, wanted, MEMORY_SIZE);
	expect_calls(test, w, EXIT_IOIO, 1, EXIT_IOIO, 1);
	expect_call(test, w, EXIT_IOIO, 0, info1, elements(c), COCO_GHCB_SCRATCH);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.di, address(element_offset(c, elements(c))));
	KUNIT_EXPECT_EQ(test, (u64)r.si, JUNK);
	KUNIT_EXPECT_EQ(test, r.cx, 0ul);
	expect_rest_of_registers(test, &r);
}

/*
 * A handler that takes RCX for a count repeats the instruction until it meets
 * the unmapped page: hence close to the end of memory.
 */
static void expect_one_element(struct kunit *test, coco_insn_fn insn, u64 info1)
{
	struct coco_regs r = string_regs(5);
	struct coco_window *w;

	prepare(test);
	r.si = r.di = address(MEMORY_SIZE - 8);
	w = vc_run(test, insn, &r, HOST_REPLIES(EXIT_IOIO, 0));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.cx, 5ul);
	expect_calls(test, w, EXIT_IOIO, 1, EXIT_IOIO, 1);
	expect_call(test, w, EXIT_IOIO, 0, info1, 1, COCO_GHCB_SCRATCH);
}

static void outs_without_rep_ignores_rcx(struct kunit *test)
{
	expect_one_element(test, do_outsl, IOIO_OUTS(4));
}

static void ins_without_rep_ignores_rcx(struct kunit *test)
{
	expect_one_element(test, do_insl, IOIO_INS(4));
}

/* Words: two calls of a full buffer, and a rest of three */
#define FULL		(GHCB_BUFFER_SIZE / 2)
#define REST		3
#define LARGE		(2 * FULL + REST)

static void expect_three_calls(struct kunit *test, const struct coco_window *w, u64 info1)
{
	static const u64 counts[] = { FULL, FULL, REST };
	unsigned int i;

	expect_calls(test, w, EXIT_IOIO, ARRAY_SIZE(counts), EXIT_IOIO, ARRAY_SIZE(counts));
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		expect_call(test, w, EXIT_IOIO, i, info1, counts[i], COCO_GHCB_SCRATCH);
}

static void outs_larger_than_the_buffer_is_split(struct kunit *test)
{
	struct coco_regs r = string_regs(LARGE);
	struct coco_window *w;

	prepare(test);
	r.si = address(0);
	w = vc_run_buffer(test, do_rep_outsw, &r, HOST_REPLIES(EXIT_IOIO, 0), NULL, bytes);

	expect_three_calls(test, w, IOIO_OUTS(2) | IOIO_REP);
	/* the last call's, and the second one's behind it */
	KUNIT_EXPECT_MEMEQ(test, bytes, memory + 2 * FULL * 2, REST * 2);
	KUNIT_EXPECT_MEMEQ(test, bytes + REST * 2, memory + FULL * 2 + REST * 2, (FULL - REST) * 2);
	KUNIT_EXPECT_EQ(test, r.si, address(LARGE * 2));
	KUNIT_EXPECT_EQ(test, r.cx, 0ul);
}

static void ins_larger_than_the_buffer_is_split(struct kunit *test)
{
	struct coco_regs r = string_regs(LARGE);
	struct coco_window *w;
	unsigned int i;

	prepare(test);
	r.di = address(0);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = ~pattern(i);
	w = vc_run_buffer(test, do_rep_insw, &r, HOST_REPLIES(EXIT_IOIO, 0), bytes, NULL);

	expect_three_calls(test, w, IOIO_INS(2) | IOIO_REP);
	KUNIT_EXPECT_MEMEQ(test, memory, bytes, FULL * 2);
	KUNIT_EXPECT_MEMEQ(test, memory + FULL * 2, bytes, FULL * 2);
	KUNIT_EXPECT_MEMEQ(test, memory + 2 * FULL * 2, bytes, REST * 2);
	KUNIT_EXPECT_EQ(test, memory[LARGE * 2], pattern(LARGE * 2));
	KUNIT_EXPECT_EQ(test, r.di, address(LARGE * 2));
	KUNIT_EXPECT_EQ(test, r.cx, 0ul);
}

/* Whether the intercept comes before the count is looked at is left to the processor */
static void string_of_no_elements_moves_nothing(struct kunit *test)
{
	struct coco_regs out = string_regs(0), in = string_regs(0);
	struct coco_window *w;

	prepare(test);
	w = vc_run(test, do_rep_outsb, &out, HOST_REPLIES(EXIT_IOIO, 0));
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	w = vc_run(test, do_rep_insb, &in, HOST_REPLIES(EXIT_IOIO, 0));
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	KUNIT_EXPECT_EQ(test, out.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, out.si, address(MIDDLE));
	KUNIT_EXPECT_EQ(test, out.cx, 0ul);
	KUNIT_EXPECT_EQ(test, in.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, in.di, address(MIDDLE));
	KUNIT_EXPECT_EQ(test, in.cx, 0ul);
	KUNIT_EXPECT_EQ(test, memory[MIDDLE], pattern(MIDDLE));
}

/* Of three dwords the second one lies in two pages */
#define CROSSING	(PAGE_SIZE - 6)

static void outs_crosses_pages(struct kunit *test)
{
	struct coco_regs r = string_regs(3);
	struct coco_window *w;

	prepare(test);
	r.si = address(CROSSING);
	w = vc_run_buffer(test, do_rep_outsl, &r, HOST_REPLIES(EXIT_IOIO, 0), NULL, bytes);
	expect_calls(test, w, EXIT_IOIO, 1, EXIT_IOIO, 1);
	KUNIT_EXPECT_MEMEQ(test, bytes, memory + CROSSING, 12);
	KUNIT_EXPECT_EQ(test, r.si, address(CROSSING + 12));
}

static void ins_crosses_pages(struct kunit *test)
{
	struct coco_regs r = string_regs(3);
	struct coco_window *w;

	prepare(test);
	r.di = address(CROSSING);
	w = vc_run_buffer(test, do_rep_insl, &r, HOST_REPLIES(EXIT_IOIO, 0), bytes, NULL);
	expect_calls(test, w, EXIT_IOIO, 1, EXIT_IOIO, 1);
	KUNIT_EXPECT_MEMEQ(test, memory + CROSSING, bytes, 12);
	KUNIT_EXPECT_EQ(test, memory[CROSSING - 1], pattern(CROSSING - 1));
	KUNIT_EXPECT_EQ(test, memory[CROSSING + 12], pattern(CROSSING + 12));
	KUNIT_EXPECT_EQ(test, r.di, address(CROSSING + 12));
}

static void expect_nothing_moved(struct kunit *test, const struct coco_regs *r, long trap)
{
	KUNIT_EXPECT_EQ(test, r->trap, trap);
	KUNIT_EXPECT_EQ(test, r->cx, 4ul);
	KUNIT_EXPECT_EQ(test, memory[MIDDLE], pattern(MIDDLE));
}

static void expect_refused(struct kunit *test, coco_insn_fn insn)
{
	struct coco_regs r = string_regs(4);

	prepare(test);
	expect_calls(test, vc_run(test, insn, &r, HOST_REFUSES(EXIT_IOIO)),
		     EXIT_IOIO, 1, EXIT_IOIO, 1);
	expect_nothing_moved(test, &r, COCO_VECTOR_GP);
	KUNIT_EXPECT_EQ(test, r.si, address(MIDDLE));
	KUNIT_EXPECT_EQ(test, r.di, address(MIDDLE));
}

static void outs_refused_by_the_host_moves_nothing(struct kunit *test)
{
	expect_refused(test, do_rep_outsb);
}

static void ins_refused_by_the_host_moves_nothing(struct kunit *test)
{
	expect_refused(test, do_rep_insb);
}

static void outs_from_no_memory_faults_without_call(struct kunit *test)
{
	struct coco_regs r = string_regs(4);

	prepare(test);
	r.si = address(MEMORY_SIZE);
	expect_calls(test, vc_run(test, do_rep_outsb, &r, HOST_REPLIES(EXIT_IOIO, 0)),
		     EXIT_IOIO, 1, EXIT_IOIO, 0);
	expect_nothing_moved(test, &r, COCO_VECTOR_PF);
	KUNIT_EXPECT_EQ(test, r.si, address(MEMORY_SIZE));
}

/* The handler has asked the host by then: what the device gave is lost */
static void ins_into_no_memory_faults(struct kunit *test)
{
	struct coco_regs r = string_regs(4);

	prepare(test);
	r.di = address(MEMORY_SIZE);
	vc_run(test, do_rep_insb, &r, HOST_REPLIES(EXIT_IOIO, 0));
	expect_nothing_moved(test, &r, COCO_VECTOR_PF);
	KUNIT_EXPECT_EQ(test, r.di, address(MEMORY_SIZE));
}

/* Configuration space of the host bridge, read thrice: vendor and device */
#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc

static void ins_reads_the_device(struct kunit *test)
{
	struct coco_window *w = coco_window(test);
	struct coco_regs r = string_regs(3);
	u32 saved, id, *read;

	prepare(test);
	r.dx = PCI_DATA;
	coco_window_begin(w);	/* others use the two ports as well */
	saved = inl(PCI_ADDRESS);
	outl(0x80000000, PCI_ADDRESS);
	id = inl(PCI_DATA);
	do_rep_insl(&r);
	outl(saved, PCI_ADDRESS);
	coco_window_end(w);
	read = (u32 *)(memory + MIDDLE);
	KUNIT_EXPECT_NE(test, id, ~0u);
	KUNIT_EXPECT_EQ(test, read[0], id);
	KUNIT_EXPECT_EQ(test, read[1], id);
	KUNIT_EXPECT_EQ(test, read[2], id);
	KUNIT_EXPECT_EQ(test, memory[MIDDLE + 12], pattern(MIDDLE + 12));
}

static void port_is_the_low_half_of_dx_or_the_immediate(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_regs r = { .ax = 0x11223344, .dx = c->dx };
	struct coco_window *w;

	prepare(test);
	w = vc_run(test, c->insn, &r, HOST_REPLIES(EXIT_IOIO, REPLY_RAX, 0x5a));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.dx, c->dx);
	expect_calls(test, w, EXIT_IOIO, 1, EXIT_IOIO, 1);
	expect_call(test, w, EXIT_IOIO, 0, c->info1 | IOIO_A64,
		    0, c->info1 & IOIO_IN ? 0 : COCO_GHCB_RAX);
	if (c->info1 & IOIO_IN)
		KUNIT_EXPECT_EQ(test, (u8)r.ax, (u8)0x5a);
	else
		KUNIT_EXPECT_EQ(test, r.ax, 0x11223344ul);
}

static int vc_ioio_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	memory = error ? NULL : vmalloc(MEMORY_SIZE);
	return error;
}

static void vc_ioio_end(struct kunit *test)
{
	coco_case_end(test);
	vfree(memory);
	memory = NULL;
}

static struct kunit_suite vc_ioio_suite = {
	.name = "vc_ioio",
	.init = vc_ioio_begin,
	.exit = vc_ioio_end,
	.test_cases = vc_ioio_cases,
};
kunit_test_suite(vc_ioio_suite);

MODULE_DESCRIPTION("#VC in kernel mode: string I/O, and the forms of IN and OUT");
MODULE_LICENSE("GPL");
