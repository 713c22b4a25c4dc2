// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings for a device that wants low bits of an address kept.
 *
 * Path:        dma_set_min_align_mask(); dma_map_single() -> swiotlb_tbl_map_single(),
 *              swiotlb_find_slots(), swiotlb_align_offset(); dma_max_mapping_size()
 * Upstream:    1f221a0d0dbf ("swiotlb: respect min_align_mask"), 82806744fd7d ("swiotlb: max
 *              mapping size takes min align mask into account"), 5f89468e2f06 ("swiotlb:
 *              manipulate orig_addr when tlb_addr has offset"), 14cebf689a78 ("swiotlb:
 *              Reinstate page-alignment for mappings >= PAGE_SIZE"), 7c3940bf81e5 ("swiotlb:
 *              fix the deadlock in swiotlb_do_find_slots"), 0eee5ae10256 ("swiotlb: fix slot
 *              alignment checks"), "swiotlb: fix swiotlb_bounce() to do partial sync's
 *              correctly" (6.10)
 * Without it:  NVMe, whose page lists carry no offsets but the first, reads and writes the
 *              wrong memory; or a part that is synchronised is left out.
 */
#include "lib/dma_suite.h"

static void address_keeps_the_bits_of_the_mask(struct kunit *test);
static void sync_for_cpu_finds_its_part_behind_an_offset(struct kunit *test);
static void sync_for_device_finds_its_part_behind_an_offset(struct kunit *test);
static void largest_mapping_leaves_room_for_the_offset(struct kunit *test);
static void mapping_of_a_page_starts_a_page(struct kunit *test);
static void mappings_of_any_alignment_are_disjoint(struct kunit *test);
/* Takes the pool in pieces that none fits: on kernels that fail it the guest hangs, so it is last */
static void fragmented_pool_refuses_a_mapping_with_an_offset(struct kunit *test);

#define CPU	1
#define DEVICE	2

struct mask_case {
	const char *name;
	unsigned int mask;
};

static const struct mask_case masks[] = {
	{ "sector", 0x1ff },
	{ "slot", COCO_SLOT - 1 },
	{ "page", 0xfff },
	{ "two_pages", 0x1fff },
	{ "sixteen_pages", 0xffff },
};
KUNIT_ARRAY_PARAM_DESC(mask, masks, name);

/* Where a buffer starts in its pages, around slots and pages */
static const size_t offsets[] = {
	0, 1, 0x1ff, 0x200, 0x7ff, 0x800, 0x801, 0xa00, 0xfff, 0x1000, 0x1234, 0x1800, 0x2fff,
};
static const size_t sizes[] = { 1, 512, 1024, COCO_SLOT, PAGE_SIZE, PAGE_SIZE + 1, 5 * PAGE_SIZE };

/* Parts of three pages that start at 0xa34 of a page: before and behind each end of a slot */
#define BEHIND	0xa34
#define PARTS_OF	(3 * PAGE_SIZE)
struct part {
	const char *name;
	size_t offset, len;
};

static const struct part parts[] = {
	{ "start", 0, 8 },
	{ "end_of_the_first_slot", 0x1000 - BEHIND - 8, 8 },
	{ "start_of_the_second_slot", 0x1000 - BEHIND, 8 },
	{ "second_slot_before_the_offset", 0x1000 - BEHIND + 0x100, 0x80 },
	{ "second_slot_at_the_offset", 0x800, 0x80 },
	{ "across_slots", 0x1000 - BEHIND - 4, 8 },
	{ "third_slot_and_more", 0x1800 - BEHIND, 0x1000 },
	{ "last_byte", PARTS_OF - 1, 1 },
	{ "all", 0, PARTS_OF },
};
KUNIT_ARRAY_PARAM_DESC(part, parts, name);

static struct kunit_case swiotlb_align_cases[] = {
	KUNIT_CASE_PARAM(address_keeps_the_bits_of_the_mask, mask_gen_params),
	KUNIT_CASE_PARAM(sync_for_cpu_finds_its_part_behind_an_offset, part_gen_params),
	KUNIT_CASE_PARAM(sync_for_device_finds_its_part_behind_an_offset, part_gen_params),
	KUNIT_CASE_PARAM(largest_mapping_leaves_room_for_the_offset, mask_gen_params),
	KUNIT_CASE(mapping_of_a_page_starts_a_page),
	KUNIT_CASE(mappings_of_any_alignment_are_disjoint),
	KUNIT_CASE(fragmented_pool_refuses_a_mapping_with_an_offset),
	{}
};

static dma_addr_t map(struct kunit *test, void *buf, size_t len, enum dma_data_direction dir)
{
	dma_addr_t at = dma_map_single(coco_dma_dev(test), buf, len, dir);

	KUNIT_ASSERT_EQ(test, dma_mapping_error(coco_dma_dev(test), at), 0);
	return at;
}

static void address_keeps_the_bits_of_the_mask(struct kunit *test)
{
	const struct mask_case *row = test->param_value;
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 16 * PAGE_SIZE), *seen = coco_buffer(test, 8 * PAGE_SIZE);
	size_t i, j;

	COCO_NEEDS_BOUNCE(test);
	coco_keep_bits(test, row->mask);
	coco_fill(buf, 16 * PAGE_SIZE, CPU);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			u8 *start = buf + offsets[i];
			dma_addr_t at = map(test, start, sizes[j], DMA_TO_DEVICE);

			coco_device_reads(test, at, seen, sizes[j]);
			dma_unmap_single(dev, at, sizes[j], DMA_TO_DEVICE);
			KUNIT_EXPECT_EQ_MSG(test, at & row->mask,
					    (dma_addr_t)virt_to_phys(start) & row->mask,
					    "%zu bytes at 0x%zx", sizes[j], offsets[i]);
			COCO_EXPECT_SAME(test, seen, start, sizes[j]);
		}
	}
}

static void sync_for_cpu_finds_its_part_behind_an_offset(struct kunit *test)
{
	const struct part *row = test->param_value;
	const size_t end = row->offset + row->len;
	struct device *dev = coco_dma_dev(test);
	u8 *buf = (u8 *)coco_buffer(test, PARTS_OF + PAGE_SIZE) + BEHIND;
	u8 *made = coco_buffer(test, PARTS_OF);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_keep_bits(test, 0xfff);
	coco_fill(buf, PARTS_OF, CPU);
	coco_fill(made, PARTS_OF, DEVICE);
	at = map(test, buf, PARTS_OF, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, at & 0xfff, (dma_addr_t)BEHIND);
	coco_device_writes(test, at, made, PARTS_OF);
	dma_sync_single_range_for_cpu(dev, at, row->offset, row->len, DMA_BIDIRECTIONAL);
	COCO_EXPECT_FILLED(test, buf, 0, row->offset, CPU);
	COCO_EXPECT_FILLED(test, buf + row->offset, row->offset, row->len, DEVICE);
	COCO_EXPECT_FILLED(test, buf + end, end, PARTS_OF - end, CPU);
	dma_unmap_single(dev, at, PARTS_OF, DMA_BIDIRECTIONAL);
	COCO_EXPECT_FILLED(test, buf, 0, PARTS_OF, DEVICE);
}

static void sync_for_device_finds_its_part_behind_an_offset(struct kunit *test)
{
	const struct part *row = test->param_value;
	const size_t end = row->offset + row->len;
	struct device *dev = coco_dma_dev(test);
	u8 *buf = (u8 *)coco_buffer(test, PARTS_OF + PAGE_SIZE) + BEHIND;
	u8 *seen = coco_buffer(test, PARTS_OF);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_keep_bits(test, 0xfff);
	coco_fill(buf, PARTS_OF, CPU);
	at = map(test, buf, PARTS_OF, DMA_TO_DEVICE);
	coco_fill(buf, PARTS_OF, DEVICE);
	dma_sync_single_range_for_device(dev, at, row->offset, row->len, DMA_TO_DEVICE);
	coco_device_reads(test, at, seen, PARTS_OF);
	dma_unmap_single(dev, at, PARTS_OF, DMA_TO_DEVICE);
	COCO_EXPECT_FILLED(test, seen, 0, row->offset, CPU);
	COCO_EXPECT_FILLED(test, seen + row->offset, row->offset, row->len, DEVICE);
	COCO_EXPECT_FILLED(test, seen + end, end, PARTS_OF - end, CPU);
}

/* What dma_max_mapping_size() promises can be had, from the worst offset on */
static void largest_mapping_leaves_room_for_the_offset(struct kunit *test)
{
	const struct mask_case *row = test->param_value;
	struct device *dev = coco_dma_dev(test);
	u8 *buf = (u8 *)coco_buffer(test, 2 * COCO_SEGMENT) + row->mask;
	u8 *seen = coco_buffer(test, COCO_SEGMENT);
	size_t largest;
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_keep_bits(test, row->mask);
	largest = dma_max_mapping_size(dev);
	KUNIT_ASSERT_GT(test, largest, (size_t)0);
	KUNIT_ASSERT_LE(test, largest, (size_t)COCO_SEGMENT);
	coco_fill(buf, largest, CPU);
	at = dma_map_single_attrs(dev, buf, largest, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	KUNIT_ASSERT_EQ_MSG(test, dma_mapping_error(dev, at), 0, "%zu bytes", largest);
	coco_device_reads(test, at, seen, largest);
	dma_unmap_single(dev, at, largest, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, at & row->mask, (dma_addr_t)virt_to_phys(buf) & row->mask);
	COCO_EXPECT_SAME(test, seen, buf, largest);
}

/* Drivers rely on it where nothing else is asked for.  An odd slot is in use before each */
static void mapping_of_a_page_starts_a_page(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 16 * PAGE_SIZE);
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	for (i = 1; i <= 16; i++) {
		dma_addr_t odd = map(test, buf, 1, DMA_TO_DEVICE);
		dma_addr_t at = map(test, buf + 16, i * PAGE_SIZE - 16 * (i > 1), DMA_TO_DEVICE);

		dma_unmap_single(dev, at, i * PAGE_SIZE - 16 * (i > 1), DMA_TO_DEVICE);
		dma_unmap_single(dev, odd, 1, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ_MSG(test, at & ~PAGE_MASK, (dma_addr_t)0, "%zu pages", i);
	}
}

/* Each with a filling of its own, which the device must find once all are mapped */
#define MANY	256

static void mappings_of_any_alignment_are_disjoint(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 4 * PAGE_SIZE), *seen = coco_buffer(test, 4 * PAGE_SIZE);
	dma_addr_t *at = kunit_kcalloc(test, MANY, sizeof(*at), GFP_KERNEL);
	unsigned int i, wrong = 0, refused = 0;

	KUNIT_ASSERT_NOT_NULL(test, at);
	COCO_NEEDS_BOUNCE(test);
	for (i = 0; i < MANY; i++) {
		u8 *start = buf + offsets[i % ARRAY_SIZE(offsets)] % PAGE_SIZE;

		coco_keep_bits(test, i % 5 ? masks[i % 5].mask : 0);
		coco_fill(start, sizes[i % 6], i + 1);
		at[i] = dma_map_single(dev, start, sizes[i % 6], DMA_TO_DEVICE);
		refused += !!dma_mapping_error(dev, at[i]);
	}
	for (i = 0; i < MANY && !refused; i++)
		wrong += !coco_device_finds(dev, at[i], seen, sizes[i % 6], i + 1);
	for (i = 0; i < MANY; i++) {
		if (dma_mapping_error(dev, at[i]))
			continue;
		coco_keep_bits(test, i % 5 ? masks[i % 5].mask : 0);
		dma_unmap_single(dev, at[i], sizes[i % 6], DMA_TO_DEVICE);
	}
	KUNIT_EXPECT_EQ(test, refused, 0u);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "mappings that another one overwrote");
}

#define GRAIN	SZ_64K

static void fragmented_pool_refuses_a_mapping_with_an_offset(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 2 * GRAIN);
	struct coco_maps *maps, *even, *odd;
	unsigned int middle;
	dma_addr_t at;
	int refused;

	COCO_NEEDS_BOUNCE(test);
	coco_hold_pool(test);
	coco_keep_bits(test, 0xfff);
	/* More than any pool of a machine of 1 GiB */
	maps = coco_map_all(test, buf, GRAIN, DMA_TO_DEVICE, SZ_1G / GRAIN);
	/* What is left beside them, slots of either kind, must not make a hole larger */
	even = coco_map_all(test, buf, COCO_SLOT, DMA_TO_DEVICE, SZ_1M / COCO_SLOT);
	odd = coco_map_all(test, buf + COCO_SLOT, COCO_SLOT, DMA_TO_DEVICE, SZ_1M / COCO_SLOT);
	middle = maps->n / 2;
	/* Two holes; the search for the next one starts behind the second, not at the pool's start */
	dma_unmap_single(dev, maps->at[middle - 4], GRAIN, DMA_TO_DEVICE);
	dma_unmap_single(dev, maps->at[middle], GRAIN, DMA_TO_DEVICE);
	at = dma_map_single(dev, buf, GRAIN, DMA_TO_DEVICE);
	dma_unmap_single(dev, at, GRAIN, DMA_TO_DEVICE);
	/* A slot more than each of them, from an odd one on */
	at = dma_map_single_attrs(dev, buf + COCO_SLOT, GRAIN, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	refused = dma_mapping_error(dev, at);
	maps->at[middle - 4] = maps->at[maps->n - 1];
	maps->at[middle] = maps->at[maps->n - 2];
	maps->n -= 2;
	coco_unmap_all(odd);
	coco_unmap_all(even);
	coco_unmap_all(maps);
	KUNIT_EXPECT_EQ(test, refused, -ENOMEM);
}

static struct kunit_suite swiotlb_align_suite = {
	.name = "swiotlb_align",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_align_cases,
};
kunit_test_suite(swiotlb_align_suite);

MODULE_DESCRIPTION("Streaming DMA for a device that wants bits of an address kept");
MODULE_LICENSE("GPL");
