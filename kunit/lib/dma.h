/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device of ours, and what it does on its bus.
 *
 * The device is a platform device without a driver, so whatever the DMA API does
 * for it is the kernel's own doing.  On the machine it reads and writes memory as
 * a host does, through the shared view.  Elsewhere it goes through the kernel's
 * mapping of the page, which is shared where the page is; where none is, nothing
 * could be said of it.
 *
 * A suite on it includes dma_suite.h, and has coco_dma_dev(test) in a case.
 */
#ifndef COCO_LIB_DMA_H
#define COCO_LIB_DMA_H

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/types.h>

struct kunit;

#define COCO_SLOT	2048u		/* IO_TLB_SIZE, include/linux/swiotlb.h */
#define COCO_SEGMENT	(128 * COCO_SLOT)	/* IO_TLB_SEGSIZE slots: the largest mapping */

int coco_dma_begin(struct kunit *test);		/* behind coco_case_begin() */
void coco_dma_end(struct kunit *test);		/* calls coco_case_end(), too */
struct device *coco_dma_dev(struct kunit *test);

/* Its mappings keep these bits of the address; skips where no device can ask for that */
void coco_keep_bits(struct kunit *test, unsigned int mask);

/* Zeroes from the start of a page on; freed with the case */
void *coco_buffer(struct kunit *test, size_t len);

/* As the device reads and writes; the test fails if it cannot */
void coco_device_reads(struct kunit *test, dma_addr_t from, void *buf, size_t len);
void coco_device_writes(struct kunit *test, dma_addr_t to, const void *buf, size_t len);
/*
 * Does it read coco_fill()'s bytes of that seed there?  buf is for what it reads.  No check, which
 * would end the case with mappings held, or the kernel's worker that calls it.
 */
bool coco_device_finds(struct device *dev, dma_addr_t at, void *buf, size_t len, u32 seed);

/*
 * Pages of this range that the host cannot reach, or that are no RAM; 0 without encryption, and
 * without the machine, where nobody knows: coco_dma_end() says so in the case's output.
 */
unsigned int coco_private_pages(dma_addr_t start, size_t len);
/* Does this address lie in memory of the kernel's own, and not in that buffer? */
bool coco_bounced(struct device *dev, dma_addr_t at, const void *buf);

/* Streaming mappings go through swiotlb in every confidential guest, else with swiotlb=force */
#define COCO_NEEDS_BOUNCE(test) \
	do { \
		if (coco_technology() == COCO_NONE && !coco_dma_bounces(test)) \
			kunit_skip(test, "needs swiotlb=force on the command line"); \
	} while (0)
bool coco_dma_bounces(struct kunit *test);

/* Only a pool that does not grow can be full: from here to the end of the case it does not */
void coco_hold_pool(struct kunit *test);

/* ... and only a kernel whose pool never grows has just the one that it boots with */
#define COCO_NEEDS_FIXED_POOL(test) \
	do { \
		if (IS_ENABLED(CONFIG_SWIOTLB_DYNAMIC)) \
			kunit_skip(test, "the pool of this kernel grows"); \
	} while (0)
#define COCO_NEEDS_GROWING_POOL(test) \
	do { \
		if (!IS_ENABLED(CONFIG_SWIOTLB_DYNAMIC)) \
			kunit_skip(test, "the pool of this kernel does not grow"); \
	} while (0)

/*
 * Many mappings of one buffer at once, until the pool is full or there are as
 * many as asked for.  No check between coco_map_all() and coco_unmap_all() may end
 * the case: the pool would stay full.
 */
struct coco_maps {
	struct device *dev;
	void *buf;
	size_t len;
	enum dma_data_direction dir;
	unsigned int n;
	dma_addr_t *at;
};

struct coco_maps *coco_map_all(struct kunit *test, void *buf, size_t len,
			       enum dma_data_direction dir, unsigned int most);
void coco_unmap_all(struct coco_maps *maps);

/* Bytes that tell where they belong, and by the seed (less than 65536) whose they are */
void coco_fill(void *buf, size_t len, u32 seed);
/* Where two buffers differ first; len if nowhere */
size_t coco_first_difference(const void *a, const void *b, size_t len);
/* Where a buffer differs first from coco_fill()'s, from byte start of that on */
size_t coco_first_wrong(const void *buf, size_t start, size_t len, u32 seed);
/* The longest run of one byte value: what is left of a buffer full of it */
size_t coco_longest_run(const void *buf, size_t len, u8 byte);

#define COCO_EXPECT_SAME(test, a, b, len) \
	KUNIT_EXPECT_EQ(test, coco_first_difference(a, b, len), (size_t)(len))
#define COCO_EXPECT_FILLED(test, buf, start, len, seed) \
	KUNIT_EXPECT_EQ(test, coco_first_wrong(buf, start, len, seed), (size_t)(len))

#endif /* COCO_LIB_DMA_H */
