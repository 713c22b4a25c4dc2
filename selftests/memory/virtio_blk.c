// SPDX-License-Identifier: GPL-2.0
/*
 * A disk of the host's: what goes through the shared pool arrives as it was.
 *
 * Path:        read(), write() with O_DIRECT -> virtio_blk -> dma_map_sg() -> swiotlb -> QEMU
 * Upstream:    c7753208a94c ("x86, swiotlb: Add memory encryption support")
 * Without it:  the disk holds what the key makes of the bytes, or the host sees private memory.
 *
 * The host wrote the first half; it looks at the second one in its own file once the guest is
 * gone, and has the last word on host_finds_what_the_guest_wrote (scripts/lib/coco/disk.py).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "word.h"

#define DISK		"/dev/vda"
#define SECTOR		512
#define WORDS		(SECTOR / sizeof(uint64_t))
#define SECTORS		2048
#define HALF		(SECTORS / 2)
#define LARGEST		256			/* sectors of one request */
#define BY_THE_HOST	1ull
#define BY_THE_GUEST	3ull
#define PAGE		4096

/* Sectors of one request: within a slot, over slots, and more than a segment of the pool */
static const unsigned int sizes[] = { 1, 3, 8, 17, 64, LARGEST };

static unsigned char buffer[LARGEST * SECTOR] __attribute__((aligned(PAGE)));

static void fill(uint64_t sector, unsigned int count, uint64_t who)
{
	uint64_t *words = (uint64_t *)buffer;
	unsigned int i;

	for (i = 0; i < count * WORDS; i++)
		words[i] = word(sector * WORDS + i, who);
}

static unsigned int wrong_words(uint64_t sector, unsigned int count, uint64_t who)
{
	const uint64_t *words = (const uint64_t *)buffer;
	unsigned int i, n = 0;

	for (i = 0; i < count * WORDS; i++)
		n += words[i] != word(sector * WORDS + i, who);
	return n;
}

/* Requests of each size in turn, over a half of the disk */
static unsigned int next_size(unsigned int turn, uint64_t sector, uint64_t end)
{
	unsigned int size = sizes[turn % ARRAY_SIZE(sizes)];

	return size < end - sector ? size : end - sector;
}

TEST(guest_reads_what_the_host_wrote)
{
	unsigned int turn = 0, size;
	uint64_t sector;
	int fd = open(DISK, O_RDONLY | O_DIRECT);

	if (fd < 0)
		SKIP(return, DISK ": %s", strerror(errno));
	for (sector = 0; sector < HALF; sector += size) {
		size = next_size(turn++, sector, HALF);
		memset(buffer, 0x5a, sizeof(buffer));
		ASSERT_EQ(size * SECTOR, pread(fd, buffer, size * SECTOR, sector * SECTOR));
		ASSERT_EQ(0, wrong_words(sector, size, BY_THE_HOST));
	}
	close(fd);
}

TEST(host_finds_what_the_guest_wrote)
{
	unsigned int turn = 0, size;
	uint64_t sector;
	int fd;

	NEED_MACHINE();		/* or it is someone's disk */
	fd = open(DISK, O_RDWR | O_DIRECT);
	if (fd < 0)
		SKIP(return, DISK ": %s", strerror(errno));
	for (sector = HALF; sector < SECTORS; sector += size) {
		size = next_size(turn++, sector, SECTORS);
		fill(sector, size, BY_THE_GUEST);
		ASSERT_EQ(size * SECTOR, pwrite(fd, buffer, size * SECTOR, sector * SECTOR));
	}
	EXPECT_EQ(0, fsync(fd));
	close(fd);
}

/* The pool is shared, and the program's page is not, neither before nor after */
TEST(page_of_the_program_stays_private)
{
	unsigned char seen[SECTOR];
	int fd = open(DISK, O_RDONLY | O_DIRECT);
	int64_t at;

	if (fd < 0)
		SKIP(return, DISK ": %s", strerror(errno));
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV | 1u << COCO_SEV_ES | 1u << COCO_SEV_SNP | 1u << COCO_TDX);
	ASSERT_EQ(SECTOR, pread(fd, buffer, SECTOR, 0));
	ASSERT_EQ(0, wrong_words(0, 1, BY_THE_HOST));
	at = machine_translate(buffer);
	ASSERT_GT(at, 0);
	EXPECT_EQ(COCO_GPA_PRIVATE, at & COCO_GPA_PRIVATE);
	EXPECT_EQ(0, machine_host_read(at & ~(PAGE - 1ull), seen, sizeof(seen)));
	EXPECT_NE(0, memcmp(seen, buffer, sizeof(seen)));
	close(fd);
}

TEST_HARNESS_MAIN
