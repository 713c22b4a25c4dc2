// SPDX-License-Identifier: GPL-2.0
/*
 * #VE of memory-mapped I/O at user-space addresses: refused, the host is not asked.
 *
 * Path:        user instruction -> #VE, EPT violation -> virt_exception_user() -> signal
 *              system call -> get_user() -> #VE -> handle_mmio() -> -EFAULT
 *              user instruction, string I/O -> #VE -> virt_exception_user() -> signal
 * Upstream:    9a22bf6debbf ("x86/traps: Add #VE support for TDX guest")
 *              d4fc4d014715 ("x86/tdx: Fix "in-kernel MMIO" check") CVE-2024-47727
 *              a0a8d15a798b ("x86/tdx: Preserve shared bit on mprotect()")
 * Without it:  user space has the kernel act on its behalf on what the host put there.
 *
 * The device is the HPET, which /dev/hpet maps into user space as shared memory,
 * to be read only.
 */

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"

/* VMX exit reasons, which are the TDVMCALL leaves too (GHCI 344426, 3) */
#define EXIT_IO			30
#define EXIT_EPT_VIOLATION	48

#define TRAP_VE		20
#define FREE_PORT	0xe0
#define HPET		0xfed00000ull

#define NEED_DEVICE() do { \
	if (self->device == MAP_FAILED) \
		SKIP(return, "/dev/hpet cannot be mapped: %s", strerror(self->error)); \
} while (0)

static volatile unsigned char *device;

static __insn void read_byte(void)
{
	asm volatile("movb (%0), %%al" : : "r"(device) : "rax", "memory");
}

static __insn void read_dword(void)
{
	asm volatile("movl (%0), %%eax" : : "r"(device) : "rax", "memory");
}

static __insn void read_string(void)
{
	unsigned char buf[4];
	void *to = buf;
	const volatile void *from = device;

	asm volatile("movsl" : "+D"(to), "+S"(from) : : "memory");
}

static unsigned char port_buffer[16];

static __insn void outs_byte(void)
{
	const void *from = port_buffer;

	asm volatile("outsb" : "+S"(from) : "d"(FREE_PORT) : "memory");
}

static __insn void ins_dword(void)
{
	void *to = port_buffer;

	asm volatile("insl" : "+D"(to) : "d"(FREE_PORT) : "memory");
}

static __insn void rep_ins_word(void)
{
	void *to = port_buffer;
	unsigned long n = 2;

	asm volatile("rep insw" : "+D"(to), "+c"(n) : "d"(FREE_PORT) : "memory");
}

/* #VEs of the window for the device, whoever raised them, and calls of that leaf */
static int events_of(const struct window *w, int kind, uint64_t code, uint64_t gpa)
{
	int i, n = 0;

	for (i = 0; i < w->n; i++) {
		const struct coco_event *e = &w->events[i];

		n += e->kind == kind && e->code == code &&
		     (!gpa || (e->info2 & 0xfffffffff000) == gpa);
	}
	return n;
}

/* ---- instructions of user space ---- */

FIXTURE(user) {
	struct window w;
	void *device;
	int error;
};

FIXTURE_VARIANT(user) {
	void (*access)(void);
	uint64_t reason;
};

FIXTURE_VARIANT_ADD(user, read_byte) { read_byte, EXIT_EPT_VIOLATION };
FIXTURE_VARIANT_ADD(user, read_dword) { read_dword, EXIT_EPT_VIOLATION };
FIXTURE_VARIANT_ADD(user, read_string) { read_string, EXIT_EPT_VIOLATION };
FIXTURE_VARIANT_ADD(user, outs_byte) { outs_byte, EXIT_IO };
FIXTURE_VARIANT_ADD(user, ins_dword) { ins_dword, EXIT_IO };
FIXTURE_VARIANT_ADD(user, rep_ins_word) { rep_ins_word, EXIT_IO };

static void *map_device(int *error)
{
	int fd = open("/dev/hpet", O_RDONLY);
	void *map;

	*error = errno;
	if (fd < 0)
		return MAP_FAILED;
	map = mmap(NULL, MACHINE_PAGE, PROT_READ, MAP_SHARED, fd, 0);
	*error = errno;
	close(fd);
	device = map;
	return map;
}

FIXTURE_SETUP(user)
{
	ASSERT_EQ(0, pin_to_cpu0());
	self->device = map_device(&self->error);
}

FIXTURE_TEARDOWN(user)
{
	if (self->device != MAP_FAILED)
		munmap(self->device, MACHINE_PAGE);
}

TEST_F(user, access_is_refused_without_asking_the_host)
{
	const struct coco_event *ve;
	struct fault fault;

	NEED_VE();
	if (variant->reason == EXIT_IO)
		NEED_PORTS(FREE_PORT, 4);
	else
		NEED_DEVICE();
	port_buffer[0] = 0;
	window_open(&self->w);
	fault = fault_of(variant->access);
	window_close(&self->w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_VE, fault.trapno);
	EXPECT_TRUE(rip_is_ours(fault.rip));
	if (!machine_present())
		return;
	EXPECT_EQ(0, self->w.error);
	EXPECT_EQ(1, window_exceptions(&self->w));
	EXPECT_EQ(0, window_calls(&self->w));
	EXPECT_EQ(0, events_of(&self->w, COCO_EV_TDVMCALL, variant->reason, 0));
	ve = window_exception(&self->w, 0);
	ASSERT_NE(NULL, ve);
	EXPECT_EQ(variant->reason, ve->code);
}

/* ---- a system call with the device's address: FIONBIO does get_user() of an int ---- */

FIXTURE(kernel) {
	struct window w;
	void *device;
	int error;
};

FIXTURE_SETUP(kernel)
{
	ASSERT_EQ(0, pin_to_cpu0());
	self->device = map_device(&self->error);
}

FIXTURE_TEARDOWN(kernel)
{
	if (self->device != MAP_FAILED)
		munmap(self->device, MACHINE_PAGE);
}

TEST_F(kernel, user_address_of_a_device_is_efault_without_asking_the_host)
{
	int ends[2], result, error;

	NEED_VE();
	NEED_DEVICE();
	ASSERT_EQ(0, pipe(ends));
	window_open(&self->w);
	result = ioctl(ends[0], FIONBIO, self->device);
	error = errno;
	window_close(&self->w);
	EXPECT_EQ(-1, result);
	EXPECT_EQ(EFAULT, error);
	close(ends[0]);
	close(ends[1]);
	if (!machine_present())
		return;
	EXPECT_EQ(0, self->w.error);
	EXPECT_EQ(1, events_of(&self->w, COCO_EV_VE, EXIT_EPT_VIOLATION, HPET));
	EXPECT_EQ(0, events_of(&self->w, COCO_EV_TDVMCALL, EXIT_EPT_VIOLATION, 0));
}

/* What is private ends a TD that touches it: nothing is there */
TEST_F(kernel, mprotect_leaves_the_page_shared)
{
	const struct coco_event *ve;
	struct fault fault;

	NEED_VE();
	NEED_DEVICE();
	ASSERT_EQ(0, mprotect(self->device, MACHINE_PAGE, PROT_NONE));
	ASSERT_EQ(0, mprotect(self->device, MACHINE_PAGE, PROT_READ));
	window_open(&self->w);
	fault = fault_of(read_dword);
	window_close(&self->w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_VE, fault.trapno);
	if (!machine_present())
		return;
	ve = window_exception(&self->w, 0);
	ASSERT_NE(NULL, ve);
	EXPECT_EQ(1ull << machine_cbit() | HPET, ve->info2 & ~0xfffull);
}

TEST_HARNESS_MAIN
