// SPDX-License-Identifier: GPL-2.0
/*
 * Everyone whom user space can ask which technology protects this guest says the same.
 *
 * Path:        CPUID, /proc/cpuinfo, the kernel's log, sysfs, device nodes, configfs
 * Upstream:    fce96cf04430 ("virt: Add SEV-SNP guest driver"), 6c8c1406a6d6 ("virt: Add TDX
 *              guest driver"), 70e6f7e2b985 ("configfs-tsm: Introduce a shared ABI for attestation
 *              reports"); for the log's line see technology.h
 * Without it:  attestation agents, installers and people take an ordinary guest for a
 *              protected one.
 *
 * The authority is the machine's word; on real hardware whoever technology_told_by()
 * believes first, and the others are held against him.  In an ordinary guest nobody
 * may claim anything.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define SEV_SYSFS	"/sys/devices/system/cpu/sev"
#define SEV_GUEST	"/sys/bus/platform/devices/sev-guest"
#define TDX_GUEST	"/sys/module/tdx_guest"
#define TSM_REPORT	"/sys/kernel/config/tsm/report"
#define DEBUGFS		"/sys/kernel/debug"
#define DEBUGFS_MAGIC	0x64626720
#define SWIOTLB_SLABS	DEBUGFS "/swiotlb/io_tlb_nslabs"

FIXTURE(technology) {
	int active;
	char *log;
};

FIXTURE_SETUP(technology)
{
	ASSERT_EQ(0, pin_to_cpu0());
	self->active = technology_active();
}

FIXTURE_TEARDOWN(technology)
{
	free(self->log);
}

static bool is_amd(int technology)
{
	return technology == COCO_SEV || technology == COCO_SEV_ES || technology == COCO_SEV_SNP;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* First line of a file, "" if there is none */
static const char *first_line(const char *path)
{
	static char line[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
	return line;
}

/* ---- the processor ---- */

TEST_F(technology, cpuid_agrees_with_itself)
{
	uint32_t amd = cpuid_amd_memory();

	if (cpuid_says_tdx())
		EXPECT_EQ(0, amd & (AMD_SEV | AMD_SEV_ES | AMD_SEV_SNP));
	if (amd & AMD_SEV_SNP)
		EXPECT_EQ(AMD_SEV_ES, amd & AMD_SEV_ES);
	if (amd & AMD_SEV_ES)
		EXPECT_EQ(AMD_SEV, amd & AMD_SEV);
}

TEST_F(technology, cpuid_agrees)
{
	EXPECT_STREQ(personality_name(self->active), personality_name(technology_by_cpuid()));
	if (self->active != COCO_NONE)
		EXPECT_TRUE(cpuid_says_hypervisor());
}

/* CPUID Fn8000_001F EBX[5:0] (APM vol. 3, E.4.17) */
TEST_F(technology, cpuid_has_the_c_bit_where_the_machine_has_it)
{
	if (!machine_present())
		SKIP(return, "needs the software machine, to say where the C-bit is");
	if (!is_amd(self->active))
		SKIP(return, "%s has no C-bit", personality_name(self->active));
	EXPECT_EQ(machine_cbit(), cpuid(CPUID_AMD_MEMORY, 0).ebx & 0x3f);
}

/* The processor may list the MSR in no guest but its own kinds; a read of one that is not there is EIO */
TEST_F(technology, sev_status_msr_agrees)
{
	static const uint64_t due[] = { [COCO_SEV] = 1, [COCO_SEV_ES] = 3, [COCO_SEV_SNP] = 7, [COCO_TDX] = 0 };
	uint64_t value = 0;
	int fd = open(MSR_DEVICE, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		SKIP(return, "no " MSR_DEVICE ": %s", strerror(errno));
	n = pread(fd, &value, sizeof(value), MSR_SEV_STATUS);
	close(fd);
	if (is_amd(self->active))
		ASSERT_EQ((ssize_t)sizeof(value), n);
	EXPECT_EQ(due[self->active], value & 7);
}

/* ---- what the kernel says ---- */

/* A flag may be cleared by a kernel that cannot see the host's side; it may never be one too many */
static const struct cpuinfo_case {
	const char *flag;
	int may_from, may_to;		/* technologies */
	bool must;			/* in those */
} cpuinfo_cases[] = {
	{ "sev", COCO_SEV, COCO_SEV_SNP, false },
	{ "sev_es", COCO_SEV_ES, COCO_SEV_SNP, false },
	{ "sev_snp", COCO_SEV_SNP, COCO_SEV_SNP, false },
	{ "tdx_guest", COCO_TDX, COCO_TDX, true },
};

/* The flags of the first CPU; to be freed */
static char *cpuinfo_flags(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char *line = NULL, *flags = NULL;
	size_t size = 0;

	while (f && !flags && getline(&line, &size, f) > 0)
		if (!strncmp(line, "flags\t", 6))
			flags = strdup(strchr(line, ':') + 2);
	free(line);
	if (f)
		fclose(f);
	return flags;
}

TEST_F(technology, cpuinfo_flags_agree)
{
	char *flags = cpuinfo_flags();
	size_t i;

	ASSERT_NE(NULL, flags);
	for (i = 0; i < ARRAY_SIZE(cpuinfo_cases); i++) {
		const struct cpuinfo_case *c = &cpuinfo_cases[i];
		bool in_range = self->active >= c->may_from && self->active <= c->may_to;
		bool has = line_has_word(flags, c->flag);

		if (c->must && in_range)
			EXPECT_TRUE(has) {
				TH_LOG("no flag %s", c->flag);
			}
		if (!in_range)
			EXPECT_FALSE(has) {
				TH_LOG("flag %s", c->flag);
			}
	}
	EXPECT_EQ(cpuid_says_hypervisor(), line_has_word(flags, "hypervisor"));
	free(flags);
}

TEST_F(technology, kernel_log_names_the_technology)
{
	NEED_KERNEL_LOG(self->log);
	if (!log_after(self->log, "Linux version "))
		SKIP(return, "the kernel's log has lost its beginning");
	EXPECT_STREQ(personality_name(self->active), personality_name(technology_by_log(self->log)));
	EXPECT_EQ(self->active == COCO_TDX, !!log_after(self->log, "tdx: Guest detected"));
}

/* Devices cannot reach protected memory */
TEST_F(technology, protected_guest_has_a_bounce_buffer)
{
	struct statfs fs;

	if (self->active == COCO_NONE)
		SKIP(return, "an ordinary guest may do without");
	if (statfs(DEBUGFS, &fs) || fs.f_type != DEBUGFS_MAGIC)
		SKIP(return, "no debugfs at " DEBUGFS);
	EXPECT_LT(0, atoi(first_line(SWIOTLB_SLABS)));
}

/* ---- sysfs, devices ---- */

/* CPUID Fn8000_001F EAX bit 28, by the kernel's #VC handler (SVSM specification 58019) */
static bool below_an_svsm(void)
{
	return cpuid(0x8000001f, 0).eax >> 28 & 1;
}

/* The VMPL of an SEV-SNP guest, of a kernel that can show it */
TEST_F(technology, sev_in_sysfs_is_of_sev_snp)
{
	bool shown = self->active == COCO_SEV_SNP && exists(SEV_SYSFS);

	EXPECT_EQ(shown, exists(SEV_SYSFS));
	if (self->active != COCO_SEV_SNP || !kernel_has("vmpl_show", NULL))
		return;
	if (below_an_svsm()) {
		EXPECT_LT(0, technology_vmpl());
		return;
	}
	EXPECT_STREQ("0", first_line(SEV_SYSFS "/vmpl"));
}

/* The kernel makes the device where it found the secrets page, the driver its node */
TEST_F(technology, sev_guest_device_is_of_sev_snp)
{
	EXPECT_EQ(self->active == COCO_SEV_SNP, exists(SEV_GUEST));
	EXPECT_EQ(exists(SEV_GUEST "/driver"), exists("/dev/sev-guest"));
}

TEST_F(technology, tdx_guest_device_is_of_tdx)
{
	EXPECT_EQ(self->active == COCO_TDX && exists(TDX_GUEST), exists("/dev/tdx_guest"));
}

/* There are reports where there is a driver to get them; whoever writes them names himself */
TEST_F(technology, report_provider_agrees)
{
	static const struct {
		const char *name, *node;
	} due[] = {
		[COCO_SEV_SNP] = { "sev_guest", "/dev/sev-guest" },
		[COCO_TDX] = { "tdx_guest", "/dev/tdx_guest" },
	};
	bool reports = self->active == COCO_SEV_SNP || self->active == COCO_TDX;
	bool made;

	if (!exists(TSM_REPORT))
		SKIP(return, "no " TSM_REPORT);
	made = !mkdir(TSM_REPORT "/coco", 0700);
	EXPECT_EQ(reports && exists(due[self->active].node), made);
	if (!made)
		return;
	if (reports)
		EXPECT_STREQ(due[self->active].name, first_line(TSM_REPORT "/coco/provider"));
	rmdir(TSM_REPORT "/coco");
}

TEST_HARNESS_MAIN
