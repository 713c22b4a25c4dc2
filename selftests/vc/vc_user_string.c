// SPDX-License-Identifier: GPL-2.0
/*
 * String I/O of user space: its own memory alone, and a page fault where that is missing.
 *
 * Path:        INS, OUTS -> #VC, IOIO -> vc_handle_ioio() -> vc_insn_string_read(), _write()
 *              -> the GHCB's shared buffer, or #PF
 * Upstream:    25189d08e516 ("x86/sev-es: Add support for handling IOIO exceptions")
 *              63e44bc52047 ("x86/sev: Check for user-space IOIO pointing to kernel space")
 *              CVE-2023-46813
 * Without it:  OUTS with RSI in kernel memory hands that memory to the host, INS with RDI
 *              there writes what the host likes into the kernel.
 *
 * The device is the CMOS (cmos.h).
 */
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"
#include "cmos.h"
#include "ioio.h"

/* Error code of #PF (APM vol. 2, 8.4.2) */
#define PF_PRESENT	1u
#define PF_WRITE	2u
#define PF_USER		4u

#define TRAP_PF		14
#define FILLER		0xa5

/* What the string instruction starts from, and is left with */
static struct registers {
	uint64_t address;			/* RSI, RDI */
	uint64_t count;				/* RCX, of no matter without REP */
} regs;

#define OUTS(name, text) \
static __insn void name(void) \
{ \
	asm volatile(text : "+S"(regs.address), "+c"(regs.count) : "d"(CMOS_INDEX) : "memory"); \
}
#define INS(name, text) \
static __insn void name(void) \
{ \
	asm volatile(text : "+D"(regs.address), "+c"(regs.count) : "d"(CMOS_DATA) : "memory"); \
}

OUTS(outs_word, "outsw")
OUTS(rep_outs_word, "rep outsw")
OUTS(rep_outs_word_address32, "addr32 rep outsw")
OUTS(rep_outs_word_fs, "rep outsw %%fs:(%%rsi), %%dx")
INS(ins_byte, "insb")
INS(rep_ins_byte, "rep insb")

/* Three pages: the first two there and touched, the third a hole */
FIXTURE(string) {
	struct window w;
	uint8_t *pages;
	uint8_t *end;				/* of the first page */
	uint8_t *hole;
};

FIXTURE_SETUP(string)
{
	ASSERT_EQ(0, pin_to_cpu0());
	self->pages = mmap(NULL, 3 * MACHINE_PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->pages);
	self->end = self->pages + MACHINE_PAGE;
	self->hole = self->end + MACHINE_PAGE;
	memset(self->pages, FILLER, 2 * MACHINE_PAGE);
	ASSERT_EQ(0, munmap(self->hole, MACHINE_PAGE));
}

FIXTURE_TEARDOWN(string)
{
	munmap(self->pages, 2 * MACHINE_PAGE);
}

/* One call to the host for all of them; 7 bytes before the page's end: a word straddles it */
static void expect_string_out(struct __test_metadata *_metadata, struct window *w, uint8_t *from,
			      uint64_t address, void (*insn)(void))
{
	struct fault fault;

	fill_words(from, 0x31);
	clear_cmos();
	regs = (struct registers){ address, CMOS_COUNT };
	window_open(w);
	fault = fault_of(insn);
	window_close(w);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, regs.count);
	EXPECT_EQ(address + 2 * CMOS_COUNT, regs.address);
	EXPECT_EXITS(w, 1, 1);
	expect_cmos(_metadata, 0x31);
}

TEST_F(string, outs_crosses_pages)
{
	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	expect_string_out(_metadata, &self->w, self->end - 7, (uintptr_t)self->end - 7, rep_outs_word);
}

/* ESI alone is the address (APM vol. 3, OUTS); the upper half of RSI counts for nothing */
TEST_F(string, outs_with_32_bit_address_ignores_the_upper_half)
{
	uint64_t address = (uintptr_t)self->end - 7;
	struct fault fault;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	fill_words(self->end - 7, 0x41);
	clear_cmos();
	regs = (struct registers){ address | 0x5a00000000ull, CMOS_COUNT };
	fault = fault_of(rep_outs_word_address32);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(address + 2 * CMOS_COUNT, regs.address);	/* writing ESI clears it */
	expect_cmos(_metadata, 0x41);
}

/* The segment of OUTS can be another one, and FS has a base: that of this thread */
TEST_F(string, outs_with_fs_adds_its_base)
{
	uint64_t base;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	asm volatile("mov %%fs:0, %0" : "=r"(base));
	expect_string_out(_metadata, &self->w, self->end - 7, (uintptr_t)self->end - 7 - base,
			  rep_outs_word_fs);
}

/* Memory that this process has, and that no page was found for so far */
TEST_F(string, outs_populates_memory)
{
	uint8_t *fresh = mmap(NULL, MACHINE_PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fault fault;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	ASSERT_NE(MAP_FAILED, fresh);
	regs = (struct registers){ (uintptr_t)fresh, 0 };
	fault = fault_of(outs_word);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ((uintptr_t)fresh + 2, regs.address);
	munmap(fresh, MACHINE_PAGE);
}

TEST_F(string, ins_crosses_pages)
{
	uint8_t *to = self->end - 4;
	struct fault fault;
	unsigned int i;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	cmos_write(CMOS_FIRST, 0x3c);
	cmos_select(CMOS_FIRST);
	regs = (struct registers){ (uintptr_t)to, CMOS_COUNT };
	window_open(&self->w);
	fault = fault_of(rep_ins_byte);
	window_close(&self->w);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(0, regs.count);
	EXPECT_EQ((uintptr_t)to + CMOS_COUNT, regs.address);
	EXPECT_EXITS(&self->w, 1, 1);
	for (i = 0; i < CMOS_COUNT; i++)
		EXPECT_EQ(0x3c, to[i]);
	EXPECT_EQ(FILLER, to[-1]);
	EXPECT_EQ(FILLER, to[CMOS_COUNT]);
}

/* ---- what is refused: a page fault at this address, and nothing that the host sees ---- */

static void expect_page_fault(struct __test_metadata *_metadata, struct window *w, uint64_t address,
			      void (*insn)(void), unsigned int error)
{
	struct fault fault;

	regs = (struct registers){ address, 0 };
	window_open(w);
	fault = fault_of(insn);
	window_close(w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_PF, fault.trapno);
	EXPECT_EQ(address, fault.address);
	EXPECT_EQ(PF_USER | error, fault.error & ~PF_PRESENT);
	EXPECT_TRUE(rip_is_ours(fault.rip));
	EXPECT_EQ(address, regs.address);
}

TEST_F(string, outs_from_a_hole_faults_without_call)
{
	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	expect_page_fault(_metadata, &self->w, (uintptr_t)self->hole, outs_word, 0);
	EXPECT_EXITS(&self->w, 1, 0);
}

TEST_F(string, ins_into_a_hole_faults)
{
	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	expect_page_fault(_metadata, &self->w, (uintptr_t)self->hole, ins_byte, PF_WRITE);
}

TEST_F(string, ins_into_memory_of_others_faults)
{
	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	ASSERT_EQ(0, mprotect(self->end, MACHINE_PAGE, PROT_READ));
	expect_page_fault(_metadata, &self->w, (uintptr_t)self->end, ins_byte, PF_WRITE);
	EXPECT_EQ(FILLER, *self->end);
}

/* A variable of the kernel, 0 as long as it is well: a zero from the host does no harm there */
#define VARIABLE	"oops_in_progress"

TEST_F(string, outs_from_kernel_memory_faults_without_call)
{
	uint64_t address;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	if (!kernel_has(VARIABLE, &address) || !address)
		SKIP(return, "/proc/kallsyms has no " VARIABLE);
	expect_page_fault(_metadata, &self->w, address, outs_word, 0);
	EXPECT_EXITS(&self->w, 1, 0);
}

TEST_F(string, ins_into_kernel_memory_faults)
{
	uint64_t address;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	if (!kernel_has(VARIABLE, &address) || !address)
		SKIP(return, "/proc/kallsyms has no " VARIABLE);
	cmos_write(CMOS_FIRST, 0);
	cmos_select(CMOS_FIRST);
	expect_page_fault(_metadata, &self->w, address, ins_byte, PF_WRITE);
}

TEST_HARNESS_MAIN
