// SPDX-License-Identifier: GPL-2.0
/*
 * #VC of memory-mapped I/O in user space: refused, the host is not asked.
 *
 * Path:        user instruction -> #VC, NPF -> vc_handle_mmio() -> SIGBUS
 * Upstream:    a37cd2a59d0c ("x86/sev: Disable MMIO emulation from user mode") CVE-2023-46813
 * Without it:  a program changes the instruction or its operand between the fault and the
 *              emulation, and has the kernel read or write where it must not.
 *
 * The device is the HPET, which /dev/hpet maps into user space, to be read only.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"

static volatile unsigned char *device;

static __insn void read_byte(void)
{
	asm volatile("movb (%0), %%al" : : "r"(device) : "rax", "memory");
}

static __insn void read_dword(void)
{
	asm volatile("movl (%0), %%eax" : : "r"(device) : "rax", "memory");
}

static __insn void read_zero_extended(void)
{
	asm volatile("movzwl (%0), %%eax" : : "r"(device) : "rax", "memory");
}

static __insn void read_string(void)
{
	unsigned char buf[4];
	void *to = buf;
	const volatile void *from = device;

	asm volatile("movsl" : "+D"(to), "+S"(from) : : "memory");
}

FIXTURE(mmio) {
	struct window w;
	void *device;
	int error;
};

FIXTURE_VARIANT(mmio) {
	void (*access)(void);
};

FIXTURE_VARIANT_ADD(mmio, read_byte) { read_byte };
FIXTURE_VARIANT_ADD(mmio, read_dword) { read_dword };
FIXTURE_VARIANT_ADD(mmio, read_zero_extended) { read_zero_extended };
FIXTURE_VARIANT_ADD(mmio, read_string) { read_string };

FIXTURE_SETUP(mmio)
{
	int fd = open("/dev/hpet", O_RDONLY);

	ASSERT_EQ(0, pin_to_cpu0());
	self->device = MAP_FAILED;
	if (fd >= 0)
		self->device = mmap(NULL, MACHINE_PAGE, PROT_READ, MAP_SHARED, fd, 0);
	self->error = errno;
	close(fd);
	device = self->device;
}

FIXTURE_TEARDOWN(mmio)
{
	if (self->device != MAP_FAILED)
		munmap(self->device, MACHINE_PAGE);
}

TEST_F(mmio, access_is_sigbus_without_asking_the_host)
{
	const struct coco_event *vc;
	struct fault fault;

	NEED_VC();
	if (self->device == MAP_FAILED)
		SKIP(return, "/dev/hpet cannot be mapped: %s", strerror(self->error));
	window_open(&self->w);
	fault = fault_of(variant->access);
	window_close(&self->w);
	EXPECT_EQ(SIGBUS, fault.signal);
	EXPECT_TRUE(rip_is_ours(fault.rip));
	if (!machine_present())
		return;
	EXPECT_EQ(0, self->w.error);
	EXPECT_EQ(1, window_exceptions(&self->w));
	EXPECT_EQ(0, window_calls(&self->w));
	vc = window_exception(&self->w, 0);
	ASSERT_NE(NULL, vc);
	EXPECT_EQ(EXIT_NPF, vc->code);
}

TEST_HARNESS_MAIN
