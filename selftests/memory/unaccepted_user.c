// SPDX-License-Identifier: GPL-2.0
/*
 * Unaccepted memory as user space sees it: counters, use, /proc/kcore.
 *
 * Path:        page fault -> alloc_pages() -> cond_accept_memory(); read of /proc/kcore
 *              -> read_kcore_iter() -> pfn_is_unaccepted_memory()
 * Upstream:    dcdfdd40fa82 ("mm: Add support for unaccepted memory"),
 *              e538a5820978 ("proc/kcore: do not try to access unaccepted memory")
 * Without it:  a read of /proc/kcore ends the guest.
 *
 * Unaccepted memory is told from other memory by the machine's page states.
 */

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "counter.h"

#define KIB			1024ull
#define UNIT			(2048 * KIB)
/* Where the suite's guest has unaccepted memory (backports/expect/suites) */
#define RANGE_START		(128 * KIB * KIB)
#define RANGE_END		(896 * KIB * KIB)
#define CHUNK			(8 * UNIT)
#define UNITS(bytes)		((int64_t)((bytes) / UNIT))
#define ACCEPTED		(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED)
/* Mapped once more, and read without a question (Documentation/arch/x86/x86_64/mm.rst) */
#define KERNEL_IMAGE		0xffffffff80000000ull
#define TDCALL_PAGE_ACCEPT	6	/* TDX module ABI 348551, TDG.MEM.PAGE.ACCEPT */

#define NEED_SUITE() do { \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP | 1u << COCO_TDX); \
	NEED_MACHINE(); \
	if (counter("/proc/meminfo", "Unaccepted:") < 0) \
		SKIP(return, "the kernel does not count unaccepted memory"); \
} while (0)

static int64_t unaccepted(void)
{
	return counter("/proc/meminfo", "Unaccepted:") * KIB;
}

/* Acceptances that the machine saw, most of them of 2M */
static int64_t acceptances(void)
{
	if (technology_active() == COCO_TDX)
		return machine_count(COCO_EV_TDCALL, TDCALL_PAGE_ACCEPT);
	return machine_count(COCO_EV_PVALIDATE, COCO_ANY);
}

/* As the firmware left it, by its first, middle and last page */
static bool unit_is_left(uint64_t gpa)
{
	int64_t left = technology_active() == COCO_TDX ? COCO_PAGE_PRIVATE : 0;

	/* What an SNP guest shares is in the same state; but that was validated once */
	if (machine_count(COCO_EV_PVALIDATE, gpa))
		return false;
	return machine_page_state(gpa) == left && machine_page_state(gpa + UNIT / 2) == left &&
	       machine_page_state(gpa + UNIT - getpagesize()) == left;
}

/* ---- counters ---- */

/* The sum of all zones' pages; -1: none has the line */
static int64_t zones_unaccepted(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	int64_t sum = -1;
	char line[256];
	long long zone;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " nr_unaccepted %lld", &zone) == 1)
			sum = zone + (sum < 0 ? 0 : sum);
	if (file)
		fclose(file);
	return sum;
}

TEST(vmstat_meminfo_and_zoneinfo_agree)
{
	int64_t pages = -1, bytes = -1, zones = -1;

	NEED_SUITE();
	while (bytes != unaccepted()) {		/* others may accept meanwhile */
		bytes = unaccepted();
		pages = counter("/proc/vmstat", "nr_unaccepted ");
		zones = zones_unaccepted();
	}
	EXPECT_EQ(pages * getpagesize(), bytes);
	EXPECT_EQ(zones, pages);
}

TEST(unaccepted_memory_is_free_memory)
{
	NEED_SUITE();
	ASSERT_GT(unaccepted(), 0);
	EXPECT_GE(counter("/proc/meminfo", "MemFree:") * (int64_t)KIB, unaccepted());
}

/* ---- /proc/kcore ---- */

/* The highest unit of the range that is as the firmware left it; 0: none */
static uint64_t unaccepted_gpa(void)
{
	uint64_t gpa;

	for (gpa = RANGE_END; gpa > RANGE_START; gpa -= UNIT)
		if (unit_is_left(gpa - UNIT))
			return gpa - UNIT;
	return 0;
}

/* Read physical memory through the kernel's direct map; bytes read, or -1 */
static ssize_t kcore_read(int fd, uint64_t gpa, void *buf, size_t len)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	int i;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return -1;
	for (i = 0; i < header.e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment), header.e_phoff + i * sizeof(segment)) !=
		    sizeof(segment))
			return -1;
		if (segment.p_type == PT_LOAD && segment.p_vaddr < KERNEL_IMAGE &&
		    gpa >= segment.p_paddr && gpa + len <= segment.p_paddr + segment.p_filesz)
			return pread(fd, buf, len, segment.p_offset + (gpa - segment.p_paddr));
	}
	errno = ENXIO;
	return -1;
}

TEST(kcore_has_zeroes_for_unaccepted_memory)
{
	static unsigned char page[4096], zeroes[4096];
	uint64_t gpa;
	int64_t state, before, breaches;
	int fd;

	NEED_SUITE();
	fd = open("/proc/kcore", O_RDONLY);
	if (fd < 0)
		SKIP(return, "/proc/kcore: %s", strerror(errno));
	ASSERT_GT(unaccepted(), 0);
	gpa = unaccepted_gpa();
	ASSERT_NE(gpa, 0);
	state = machine_page_state(gpa);
	before = acceptances();
	breaches = machine_breaches();
	memset(page, 0xff, sizeof(page));
	EXPECT_EQ(kcore_read(fd, gpa, page, sizeof(page)), sizeof(page));
	EXPECT_EQ(memcmp(page, zeroes, sizeof(page)), 0);
	EXPECT_EQ(acceptances(), before);
	EXPECT_EQ(machine_page_state(gpa), state);
	EXPECT_EQ(machine_breaches(), breaches);
	close(fd);
}

/* ... while it does show memory that is accepted, found in the same way */
TEST(kcore_has_the_bytes_of_accepted_memory)
{
	static unsigned char page[4096] __attribute__((aligned(4096))), got[4096];
	int64_t gpa;
	int fd;

	NEED_SUITE();
	fd = open("/proc/kcore", O_RDONLY);
	if (fd < 0)
		SKIP(return, "/proc/kcore: %s", strerror(errno));
	memset(page, 0x5a, sizeof(page));
	gpa = machine_translate(page);
	ASSERT_GT(gpa, 0);
	EXPECT_EQ(kcore_read(fd, gpa & ~4095ull, got, sizeof(got)), sizeof(got));
	EXPECT_EQ(memcmp(got, page, sizeof(page)), 0);
	close(fd);
}

/* ---- use; the last test, as it uses up memory ---- */

/* What kernel and machine know of unaccepted memory, in units */
struct sight {
	int64_t counted;	/* by the kernel */
	int64_t left;		/* as the firmware left them */
	int64_t borders;	/* ... and the one below is not */
	int64_t accepted;	/* acceptances up to now */
};

static struct sight sight(void)
{
	struct sight s = { .accepted = acceptances() };
	bool left, below = true;
	uint64_t gpa;

	s.counted = UNITS(unaccepted());
	for (gpa = RANGE_START; gpa < RANGE_END; gpa += UNIT) {
		left = unit_is_left(gpa);
		s.left += left;
		s.borders += left && !below;
		below = left;
	}
	return s;
}

/* When nobody is about to accept: the kernel counts before it accepts, and CPUs take turns */
static struct sight settled(void)
{
	struct sight before, now = sight();
	int tries = 100;

	do {
		before = now;
		usleep(20000);
		now = sight();
	} while (memcmp(&now, &before, sizeof(now)) && --tries);
	return now;
}

/*
 * With a range of units the one behind it is accepted, and stays counted: a guard for loads
 * across the end (accept_memory(), load_unaligned_zeropad())
 */
static void expect_in_use_or_counted(struct __test_metadata *_metadata, const struct sight *s)
{
	EXPECT_GE(s->counted, s->left);
	EXPECT_LE(s->counted, s->left + s->borders);
}

TEST(memory_in_use_is_no_longer_counted)
{
	struct sight start, end;
	int64_t breaches;
	int chunks;

	NEED_SUITE();
	start = settled();
	breaches = machine_breaches();	/* those of the boot are the boot's */
	ASSERT_GT(start.counted, UNITS(CHUNK));
	/* The allocator turns to unaccepted memory when the rest runs short */
	for (chunks = 0; chunks < 1024; chunks++) {
		volatile unsigned char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		ASSERT_NE(p, MAP_FAILED);
		p[CHUNK - 1] = 1;
		if (start.counted - UNITS(unaccepted()) >= UNITS(CHUNK))
			break;
	}
	end = settled();
	EXPECT_GE(start.counted - end.counted, UNITS(CHUNK));
	EXPECT_EQ(unaccepted() % UNIT, 0);
	/* Each unit at once */
	EXPECT_EQ(end.accepted - start.accepted, start.left - end.left);
	expect_in_use_or_counted(_metadata, &start);
	expect_in_use_or_counted(_metadata, &end);
	EXPECT_EQ(machine_breaches(), breaches);
}

TEST_HARNESS_MAIN
