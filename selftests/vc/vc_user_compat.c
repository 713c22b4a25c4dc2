// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O of a program in a code segment of 32 bits: addresses of 32 and of 16 bits.
 *
 * Path:        IN, INS, OUTS -> #VC, IOIO -> insn_decode_from_regs() -> vc_ioio_exitinfo(), address
 *              size -> vc_handle_ioio(), base of the segment
 * Upstream:    25189d08e516 ("x86/sev-es: Add support for handling IOIO exceptions")
 * Without it:  the handler takes the instruction for another one, or the host is told another
 *              address size than it has.
 *
 * The kernel's GDT has such a segment (Linux, arch/x86/include/asm/segment.h), and any program may
 * jump there; this one is linked below 4G, so that its own code will do.  EXITINFO1: APM vol. 2,
 * 15.10.2, A64, A32 and A16.
 */
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"
#include "cmos.h"
#include "ioio.h"

#define FILLER		0xa5
/* Where 16 bits of address reach; one who may do port I/O may map it */
#define LOW_PAGE	((void *)0x8000)
#define NEED_SUITE() \
	NEED_TECHNOLOGY(1u << COCO_SEV_ES | 1u << COCO_SEV_SNP, "#VC, sev-es and sev-snp")

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

#define COMPAT_INSN(name, port, text) \
static __insn void name(void) \
{ \
	static struct { \
		uint32_t offset; \
		uint16_t selector; \
	} __attribute__((packed)) to = { 0, 0x23 }; \
	\
	asm volatile("movl $1f, %[offset]\n\t" \
		     "mov $0x2b, %%ebx\n\t" \
		     "mov %%ebx, %%ds\n\t" \
		     "mov %%ebx, %%es\n\t" \
		     "mov %%rsp, %%r15\n\t" \
		     "mov %[stack], %%rsp\n\t" \
		     "ljmp *%[to]\n\t" \
		     ".code32\n" \
		     "1:\t" text "\n\t" \
		     "ljmp $0x33, $2f\n\t" \
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

FIXTURE(compat) {
	struct window w;
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
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (variant->low ? MAP_FIXED : MAP_32BIT);

	ASSERT_EQ(0, pin_to_cpu0());
	self->page = mmap(variant->low ? LOW_PAGE : NULL, MACHINE_PAGE, PROT_READ | PROT_WRITE,
			  flags, -1, 0);
	if (self->page != MAP_FAILED)
		memset(self->page, FILLER, MACHINE_PAGE);
}

FIXTURE_TEARDOWN(compat)
{
	if (self->page != MAP_FAILED)
		munmap(self->page, MACHINE_PAGE);
}

#define NEED_PAGE() do { \
	NEED_SUITE(); \
	NEED_PORTS(CMOS_INDEX, 2); \
	if (self->page == MAP_FAILED) \
		SKIP(return, "may not map a page below 64K"); \
} while (0)

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

TEST_F(compat, outs_gives_the_device_its_bytes)
{
	uint64_t address = (uintptr_t)self->page + 16;
	struct fault fault;

	NEED_PAGE();
	fill_words(self->page + 16, 0x51);
	clear_cmos();
	regs.rcx = CMOS_COUNT;
	regs.rsi = address;
	fault = run(&self->w, variant->outs);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, regs.rcx);
	EXPECT_EQ(address + 2 * CMOS_COUNT, regs.rsi);
	expect_exit(_metadata, &self->w, IOIO_PORT(CMOS_INDEX) | IOIO_DS | IOIO_STRING | IOIO_REP |
		    IOIO_SIZE(2) | variant->size);
	expect_cmos(_metadata, 0x51);
}

TEST_F(compat, ins_takes_the_devices_bytes)
{
	uint8_t *to = self->page + 16;
	struct fault fault;
	unsigned int i;

	NEED_PAGE();
	cmos_write(CMOS_FIRST, 0x3c);
	cmos_select(CMOS_FIRST);
	regs.rcx = CMOS_COUNT;
	regs.rdi = (uintptr_t)to;
	fault = run(&self->w, variant->ins);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, regs.rcx);
	EXPECT_EQ((uintptr_t)to + CMOS_COUNT, regs.rdi);
	expect_exit(_metadata, &self->w, IOIO_PORT(CMOS_DATA) | IOIO_STRING | IOIO_REP | IOIO_IN |
		    IOIO_SIZE(1) | variant->size);
	for (i = 0; i < CMOS_COUNT; i++)
		EXPECT_EQ(0x3c, to[i]);
	EXPECT_EQ(FILLER, to[-1]);
	EXPECT_EQ(FILLER, to[CMOS_COUNT]);
}

/* No memory, and yet the host is told the address size of the segment */
TEST(in_tells_the_address_size_of_the_segment)
{
	static struct window w;
	struct fault fault;

	NEED_SUITE();
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
