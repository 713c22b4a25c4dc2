/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crash, and a second kernel that reads the memory of the first one.  A page that a
 * test filled tells whether it is that memory and not what another key makes of it.
 */
#ifndef COCO_KEXEC_KDUMP_H
#define COCO_KEXEC_KDUMP_H

#include <elf.h>

#include "load.h"

#define PAGE	4096
#define MARK	0x5ec2e7c0ffee0001ull

static uint64_t page[PAGE / sizeof(uint64_t)] __attribute__((aligned(PAGE)));

static void fill(uint64_t *words)
{
	unsigned int i;

	for (i = 0; i < PAGE / sizeof(*words); i++)
		words[i] = MARK * (2 * i + 1);
}

/* Reads /proc/vmcore to its end, and the page of the first kernel's test on the way */
static const char *read_vmcore(uint64_t gpa)
{
	static uint64_t got[PAGE / sizeof(uint64_t)], want[PAGE / sizeof(uint64_t)];
	int fd = open("/proc/vmcore", O_RDONLY), i;
	uint64_t offset, pages = 0;
	bool found = false;
	Elf64_Phdr segment;
	Elf64_Ehdr header;

	fill(want);
	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return "no /proc/vmcore";
	for (i = 0; i < header.e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment), header.e_phoff + i * sizeof(segment)) !=
		    sizeof(segment))
			return "/proc/vmcore ends in its headers";
		for (offset = 0; segment.p_type == PT_LOAD && offset + PAGE <= segment.p_filesz;
		     offset += PAGE, pages++) {
			if (pread(fd, got, PAGE, segment.p_offset + offset) != PAGE)
				return "/proc/vmcore cannot be read to its end";
			found |= segment.p_paddr + offset == gpa && !memcmp(got, want, PAGE);
		}
	}
	if (!pages)
		return "/proc/vmcore has no memory";
	if (!found)
		return "the page of the first kernel is not in /proc/vmcore as it was";
	return NULL;
}

static const char *second_main(void)
{
	const char *gpa = second_word("page_at=");

	return gpa ? read_vmcore(strtoull(gpa, NULL, 16)) : "nothing in the command line";
}

/*
 * Only a page that is not moved meanwhile: locked.  One CPU, as for every such kernel
 * (Documentation/admin-guide/kdump/kdump.rst): the others stay as the crash left them.
 */
static void crash(struct __test_metadata *_metadata)
{
	char words[64];
	int fd, error;

	fill(page);
	ASSERT_EQ(0, mlock(page, sizeof(page)));
	ASSERT_EQ(0, pin_to_cpu0());
	snprintf(words, sizeof(words), "nr_cpus=1 page_at=%llx",
		 (unsigned long long)machine_translate(page) & ~(PAGE - 1ull));
	error = second_load(KEXEC_FILE_ON_CRASH, words);
	if (error == -EADDRNOTAVAIL)
		SKIP(return, "no crashkernel= memory");
	ASSERT_EQ(0, error);
	ASSERT_EQ(0, machine_expect(COCO_END_EXIT, SECOND_OK, ~0ull));
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, write(fd, "c", 1));	/* does not come back */
}

#endif /* COCO_KEXEC_KDUMP_H */
