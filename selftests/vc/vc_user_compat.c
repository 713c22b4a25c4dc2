// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O of a program in a code segment of 32 or of 16 bits: addresses of 32 and of 16 bits.
 *
 * Path:        IN, INS, OUTS -> #VC, IOIO -> insn_decode_from_regs() -> vc_ioio_exitinfo(), address
 *              size -> vc_handle_ioio(), base of the segment
 * Upstream:    25189d08e516 ("x86/sev-es: Add support for handling IOIO exceptions")
 * Without it:  the handler takes the instruction for another one, or the host is told another
 *              address size than it has.
 *
 * The kernel's GDT has a segment of 32 bits (Linux, arch/x86/include/asm/segment.h), and any program
 * may jump there; this one is linked below 4G, so that its own code will do.  A segment of 16 bits is
 * one of the program's own LDT, whose base is where its code lies.  EXITINFO1: APM vol. 2, 15.10.2,
 * A64, A32 and A16.
 */
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"
#include "cmos.h"
#include "ioio.h"

#define FILLER		0xa5
/* Where 16 bits of address reach; one who may do port I/O may map it */
#define LOW_PAGE	((void *)0x8000)

/* What the instruction starts from, and is left with */
static struct {
	uint64_t rax, rcx, rsi, rdi;
} regs;

/*
 * One instruction between two far jumps, on a stack below 4G: an exception's return keeps no more
 * of RSP.  Data segments are null in 64-bit code, where they do not matter: 0x2b is __USER_DS,
 * 0x23 __USER32_CS, 0x33 __USER_CS.
 */
static uint64_t low_stack[8192];

#define SEGMENT32	0x23
#define SEGMENT16	0x7	/* the first of the LDT, privilege 3 */

/* Offset of that segment's code, which far jumps are relative to; segment 16 has its own base */
extern const char code16_base[];

asm(".pushsection coco_insn, \"ax\", @progbits\n.globl code16_base\ncode16_base:\n.popsection");

#define COMPAT_INSN(name, port, text) CODE_INSN(name, port, text, SEGMENT32, "1f", ".code32")
#define CODE16_INSN(name, port, text) \
	CODE_INSN(name, port, text, SEGMENT16, "1f - code16_base", ".code16")

#define CODE_INSN(name, port, text, segment, start, bits) \
static __insn void name(void) \
{ \
	static struct { \
		uint32_t offset; \
		uint16_t selector; \
	} __attribute__((packed)) to = { 0, segment }; \
	\
	asm volatile("movl $" start ", %[offset]\n\t" \
		     "mov $0x2b, %%ebx\n\t" \
		     "mov %%ebx, %%ds\n\t" \
		     "mov %%ebx, %%es\n\t" \
		     "mov %%rsp, %%r15\n\t" \
		     "mov %[stack], %%rsp\n\t" \
		     "ljmp *%[to]\n\t" \
		     bits "\n" \
		     "1:\t" text "\n\t" \
		     "ljmpl $0x33, $2f\n\t" \
		     ".code64\n" \
		     "2:\tmov %%r15, %%rsp" \
		     : "+a"(regs.rax), "+c"(regs.rcx), "+S"(regs.rsi), "+D"(regs.rdi), \
		       [offset] "=m"(to.offset) \
		     : [to] "m"(to), [stack] "r"(low_stack + ARRAY_SIZE(low_stack)), "d"(port) \
		     : "rbx", "r15", "memory"); \
}

COMPAT_INSN(in_byte, CMOS_DATA, "inb %%dx, %%al")
COMPAT_INSN(outs_a32, CMOS_INDEX, "rep outsw")
COMPAT_INSN(outs_a16, CMOS_INDEX, "addr16 rep outsw")
COMPAT_INSN(ins_a32, CMOS_DATA, "rep insb")
COMPAT_INSN(ins_a16, CMOS_DATA, "addr16 rep insb")
CODE16_INSN(outs_16, CMOS_INDEX, "rep outsw")
CODE16_INSN(ins_16, CMOS_DATA, "rep insb")
CODE16_INSN(outs_16_a32, CMOS_INDEX, "addr32 rep outsw")
CODE16_INSN(ins_16_a32, CMOS_DATA, "addr32 rep insb")

/* The LDT goes with the process.  The kernel's ABI is an int: no error for the C library */
static int make_segment16(void)
{
	struct user_desc segment = {
		.base_addr = (uintptr_t)code16_base, .limit = 0xffff,
		.contents = MODIFY_LDT_CONTENTS_CODE, .useable = 1,
	};

	return syscall(SYS_modify_ldt, 1, &segment, sizeof(segment));
}

static uint8_t *map_page(bool low)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (low ? MAP_FIXED : MAP_32BIT);
	uint8_t *page = mmap(low ? LOW_PAGE : NULL, MACHINE_PAGE, PROT_READ | PROT_WRITE, flags,
			     -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	memset(page, FILLER, MACHINE_PAGE);
	return page;
}

/* One call, of this instruction: where the machine tells */
static void expect_exit(struct __test_metadata *_metadata, const struct window *w, uint64_t info1)
{
	const struct coco_event *call = window_call(w, 0);

	if (!machine_present())
		return;
	EXPECT_EQ(0, w->error);
	EXPECT_EQ(1, window_exceptions(w));
	EXPECT_EQ(1, window_calls(w));
	ASSERT_NE(NULL, call);
	EXPECT_EQ(EXIT_IOIO, call->code);
	EXPECT_EQ(info1, call->info1);
}

static struct fault run(struct window *w, void (*insn)(void))
{
	struct fault fault;

	window_open(w);
	fault = fault_of(insn);
	window_close(w);
	return fault;
}

static void expect_outs(struct __test_metadata *_metadata, void (*outs)(void), uint8_t *page,
			uint32_t size)
{
	uint64_t address = (uintptr_t)page + 16;
	static struct window w;
	struct fault fault;

	fill_words(page + 16, 0x51);
	clear_cmos();
	regs.rcx = CMOS_COUNT;
	regs.rsi = address;
	fault = run(&w, outs);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, regs.rcx);
	EXPECT_EQ(address + 2 * CMOS_COUNT, regs.rsi);
	expect_exit(_metadata, &w, IOIO_PORT(CMOS_INDEX) | IOIO_DS | IOIO_STRING | IOIO_REP |
		    IOIO_SIZE(2) | size);
	expect_cmos(_metadata, 0x51);
}

static void expect_ins(struct __test_metadata *_metadata, void (*ins)(void), uint8_t *page,
		       uint32_t size)
{
	uint8_t *to = page + 16;
	static struct window w;
	struct fault fault;
	unsigned int i;

	cmos_write(CMOS_FIRST, 0x3c);
	cmos_select(CMOS_FIRST);
	regs.rcx = CMOS_COUNT;
	regs.rdi = (uintptr_t)to;
	fault = run(&w, ins);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, regs.rcx);
	EXPECT_EQ((uintptr_t)to + CMOS_COUNT, regs.rdi);
	expect_exit(_metadata, &w, IOIO_PORT(CMOS_DATA) | IOIO_STRING | IOIO_REP | IOIO_IN |
		    IOIO_SIZE(1) | size);
	for (i = 0; i < CMOS_COUNT; i++)
		EXPECT_EQ(0x3c, to[i]);
	EXPECT_EQ(FILLER, to[-1]);
	EXPECT_EQ(FILLER, to[CMOS_COUNT]);
}

#define NEED_PAGE() do { \
	NEED_VC(); \
	NEED_PORTS(CMOS_INDEX, 2); \
	if (!self->page) \
		SKIP(return, "may not map a page below 64K"); \
} while (0)

FIXTURE(compat) {
	uint8_t *page;
};

FIXTURE_VARIANT(compat) {
	void (*outs)(void);
	void (*ins)(void);
	uint32_t size;
	bool low;
};

FIXTURE_VARIANT_ADD(compat, address32) { outs_a32, ins_a32, IOIO_A32, false };
FIXTURE_VARIANT_ADD(compat, address16) { outs_a16, ins_a16, IOIO_A16, true };

FIXTURE_SETUP(compat)
{
	ASSERT_EQ(0, pin_to_cpu0());
	self->page = map_page(variant->low);
}

FIXTURE_TEARDOWN(compat)
{
	if (self->page)
		munmap(self->page, MACHINE_PAGE);
}

TEST_F(compat, outs_gives_the_device_its_bytes)
{
	NEED_PAGE();
	expect_outs(_metadata, variant->outs, self->page, variant->size);
}

TEST_F(compat, ins_takes_the_devices_bytes)
{
	NEED_PAGE();
	expect_ins(_metadata, variant->ins, self->page, variant->size);
}

FIXTURE(segment16) {
	uint8_t *page;
	int error;
};

FIXTURE_VARIANT(segment16) {
	void (*outs)(void);
	void (*ins)(void);
	uint32_t size;
};

FIXTURE_VARIANT_ADD(segment16, address16) { outs_16, ins_16, IOIO_A16 };
FIXTURE_VARIANT_ADD(segment16, address32) { outs_16_a32, ins_16_a32, IOIO_A32 };

FIXTURE_SETUP(segment16)
{
	ASSERT_EQ(0, pin_to_cpu0());
	self->page = map_page(true);
	self->error = make_segment16();
	code_base = (uintptr_t)code16_base;
}

FIXTURE_TEARDOWN(segment16)
{
	if (self->page)
		munmap(self->page, MACHINE_PAGE);
}

#define NEED_SEGMENT16() do { \
	NEED_PAGE(); \
	if (self->error) \
		SKIP(return, "modify_ldt: %d (CONFIG_X86_16BIT)", self->error); \
} while (0)

TEST_F(segment16, outs_in_a_segment_of_16_bits_gives_the_device_its_bytes)
{
	NEED_SEGMENT16();
	expect_outs(_metadata, variant->outs, self->page, variant->size);
}

TEST_F(segment16, ins_in_a_segment_of_16_bits_takes_the_devices_bytes)
{
	NEED_SEGMENT16();
	expect_ins(_metadata, variant->ins, self->page, variant->size);
}

/* No memory, and yet the host is told the address size of the segment */
TEST(in_tells_the_address_size_of_the_segment)
{
	static struct window w;
	struct fault fault;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	ASSERT_EQ(0, pin_to_cpu0());
	cmos_write(CMOS_FIRST, 0x7e);
	cmos_select(CMOS_FIRST);
	regs.rax = 0;
	fault = run(&w, in_byte);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0x7e, regs.rax);
	expect_exit(_metadata, &w, IOIO_PORT(CMOS_DATA) | IOIO_IN | IOIO_SIZE(1) | IOIO_A32);
}

TEST_HARNESS_MAIN
