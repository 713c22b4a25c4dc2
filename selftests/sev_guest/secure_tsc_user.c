// SPDX-License-Identifier: GPL-2.0
/*
 * Secure TSC: a time-stamp counter that is the guest's own, at the rate that the firmware says.
 *
 * Path:        boot: TSC_INFO from the firmware by a guest request, TSC_FACTOR in the secrets
 *              page, GUEST_TSC_FREQ; later: the VMSA of each further vCPU, #VC for the TSC MSR
 * Upstream:    85b60ca9ad2c ("x86/sev: Add Secure TSC support for SNP guests")
 *              73bbf3b0fbba ("x86/tsc: Init the TSC for Secure TSC guests")
 *              52e1a03e6cf6 ("x86/sev: Use TSC_FACTOR for Secure TSC frequency calculation")
 *              CVE-2025-38508
 * Without it:  the host decides what time it is for the guest; with the nominal frequency the
 *              guest's clock drifts from everybody else's.
 */
#include "device.h"
#include "../lib/technology.h"

#define MSR_TSC		0x10
#define MSR_GUEST_TSC_FREQ 0xc0010134	/* APM vol. 2, 15.36.18: MHz in bits 17:0, nominal */
#define SECURE_TSC	(1ull << 11)
#define VMEXIT_MSR	0x7c

/* hundred-thousandths: what the machine's secrets page has in TSC_FACTOR */
#define TSC_FACTOR	200

static bool msr_read(uint32_t msr, uint64_t *value)
{
	int fd = open(MSR_DEVICE, O_RDONLY | O_CLOEXEC);
	bool got = fd >= 0 && pread(fd, value, sizeof(*value), msr) == sizeof(*value);

	if (fd >= 0)
		close(fd);
	return got;
}

/* 0 or the error */
static int msr_write(uint32_t msr, uint64_t value)
{
	int fd = open(MSR_DEVICE, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (pwrite(fd, &value, sizeof(value), msr) != sizeof(value))
		error = errno;
	close(fd);
	return error;
}

static uint64_t sev_status(void)
{
	uint64_t value = 0;

	msr_read(MSR_SEV_STATUS, &value);
	return value;
}

#define NEED_SECURE_TSC() do { \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP); \
	if (access(MSR_DEVICE, R_OK)) \
		SKIP(return, "no " MSR_DEVICE ": %s", strerror(errno)); \
	if (!(sev_status() & SECURE_TSC)) \
		SKIP(return, "this guest was launched without Secure TSC"); \
} while (0)

static uint64_t tsc_on(int cpu)
{
	uint32_t lo, hi;

	if (pin_to_cpu(cpu))
		return 0;
	asm volatile("mfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* What the kernel takes the TSC's rate for, in kHz; 0: it does not say */
static uint64_t detected_khz(void)
{
	static const char says[] = "tsc: Detected ";
	char *log = kernel_log(), *line;
	uint64_t mhz = 0, khz = 0;

	if (!log)
		return 0;
	line = strstr(log, says);
	if (!line || sscanf(line + sizeof(says) - 1, "%lu.%3lu MHz", &mhz, &khz) != 2)
		mhz = khz = 0;
	free(log);
	return mhz * 1000 + khz;
}

TEST_F(guest, kernel_asks_the_firmware_once)
{
	NEED_SECURE_TSC();
	NEED_MACHINE();
	EXPECT_EQ(1, machine_count(COCO_EV_GHCB, GUEST_REQUEST));
	EXPECT_EQ(0, machine_count(COCO_EV_GHCB, EXT_GUEST_REQUEST));
}

/* SNP firmware ABI, secrets page: GUEST_TSC_FREQ * (1 - TSC_FACTOR * 0.00001) */
TEST_F(guest, rate_is_the_nominal_one_less_the_factor)
{
	uint64_t nominal, kernel = detected_khz();

	NEED_SECURE_TSC();
	ASSERT_TRUE(msr_read(MSR_GUEST_TSC_FREQ, &nominal));
	nominal = (nominal & 0x3ffff) * 1000;
	ASSERT_NE(0, nominal);
	if (machine_present()) {
		EXPECT_EQ(nominal - nominal * TSC_FACTOR / 100000, kernel);
	} else {
		EXPECT_LE(nominal - nominal / 100, kernel);
		EXPECT_GE(nominal, kernel);
	}
}

TEST_F(guest, every_cpu_counts_the_same_time)
{
	uint64_t before, there, after;
	int i;

	NEED_SECURE_TSC();
	NEED_TWO_CPUS();
	for (i = 0; i < 20; i++) {
		before = tsc_on(0);
		there = tsc_on(1);
		after = tsc_on(0);
		ASSERT_NE(0, there);
		EXPECT_LT(before, there);
		EXPECT_LT(there, after);
	}
}

/* The host intercepts the MSR, and has no say in what it holds */
TEST_F(guest, tsc_msr_is_read_without_the_host)
{
	uint64_t before, value, after;
	int64_t asked;

	NEED_SECURE_TSC();
	before = tsc_on(0);
	asked = machine_present() ? machine_count(COCO_EV_GHCB, VMEXIT_MSR) : 0;
	ASSERT_TRUE(msr_read(MSR_TSC, &value));
	if (machine_present())
		EXPECT_EQ(asked, machine_count(COCO_EV_GHCB, VMEXIT_MSR));
	after = tsc_on(0);
	EXPECT_LT(before, value);
	EXPECT_LT(value, after);
}

TEST_F(guest, tsc_cannot_be_written)
{
	int64_t asked;
	uint64_t before;

	NEED_SECURE_TSC();
	NEED_MACHINE();
	before = tsc_on(0);
	asked = machine_count(COCO_EV_GHCB, VMEXIT_MSR);
	EXPECT_EQ(EIO, msr_write(MSR_TSC, 1));
	EXPECT_EQ(EIO, msr_write(MSR_GUEST_TSC_FREQ, 1));
	EXPECT_EQ(asked, machine_count(COCO_EV_GHCB, VMEXIT_MSR));
	EXPECT_LT(before, tsc_on(0));
}

/* The kernel has used a number of VMPCK0 up: the driver goes on behind it */
TEST_F(guest, driver_counts_on_from_the_kernels_request)
{
	NEED_SECURE_TSC();
	NEED_DEVICE();
	ASSERT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
	EXPECT_EQ(0, memcmp(self->request.user_data, self->reply.report.report_data, 64));
}

TEST_HARNESS_MAIN
