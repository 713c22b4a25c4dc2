// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming DMA through the shared pool: what the device reads and writes, what
 * the CPU gets back, and that nothing else goes either way.
 *
 * Path:        dma_map_*(), dma_sync_*(), dma_unmap_*() -> dma_direct_map_page() ->
 *              swiotlb_tbl_map_single(), swiotlb_bounce()
 * Upstream:    ddbd89deb7d3 ("swiotlb: fix info leak with DMA_FROM_DEVICE"), aa6f8dcbab47
 *              ("swiotlb: rework "fix info leak with DMA_FROM_DEVICE""), 901c7280ca0d
 *              ("Reinstate some of "swiotlb: rework "fix info leak with DMA_FROM_DEVICE"""")
 *              CVE-2022-0854, CVE-2022-48853; 868c9ddc182b ("swiotlb: add overflow checks to
 *              swiotlb_bounce"); 16fc3cef33a0 ("swiotlb: don't modify orig_addr in
 *              swiotlb_tbl_sync_single"), 5f89468e2f06 ("swiotlb: manipulate orig_addr when
 *              tlb_addr has offset")
 * Without it:  what the pool held for one device ends up in memory that was mapped for
 *              another, or a part that is synchronised lands elsewhere.
 */
#include <linux/scatterlist.h>
#include "lib/dma_suite.h"

/* What a mapping is */
static void mapping_is_shared_and_the_buffer_is_not(struct kunit *test);
static void device_reads_what_the_cpu_wrote(struct kunit *test);
static void cpu_reads_what_the_device_wrote(struct kunit *test);
static void page_and_scatterlist_are_bounced_too(struct kunit *test);
/* ... and what it must not do */
static void buffer_for_the_device_is_not_written_back(struct kunit *test);
static void partial_device_write_leaves_the_rest_of_the_buffer(struct kunit *test);
static void device_sees_nothing_of_an_earlier_mapping(struct kunit *test);
static void skipped_sync_copies_nothing_back(struct kunit *test);
/* A part of a mapping, at each offset and in each direction */
static void sync_for_cpu_copies_its_part_only(struct kunit *test);
static void sync_for_device_copies_its_part_only(struct kunit *test);
static void sync_of_a_scatterlist_reaches_each_part(struct kunit *test);
static void sync_against_the_direction_copies_nothing(struct kunit *test);
static void sync_beyond_the_mapping_is_cut_off(struct kunit *test);
static void driver_is_told_to_sync(struct kunit *test);

#define LARGEST		COCO_SEGMENT

/* Seeds of fillings */
#define CPU	1
#define DEVICE	2

struct transfer {
	const char *name;
	size_t offset, len;		/* of the mapping, in its pages */
};

static const struct transfer transfers[] = {
	{ "one_byte", 0, 1 },
	{ "odd", 3, 61 },
	{ "slot_less_one", 0, COCO_SLOT - 1 },
	{ "slot", 0, COCO_SLOT },
	{ "slot_and_one", 0, COCO_SLOT + 1 },
	{ "page", 0, PAGE_SIZE },
	{ "page_from_the_middle", COCO_SLOT, PAGE_SIZE },
	{ "last_byte_of_a_page_and_the_next", PAGE_SIZE - 1, 2 },
	{ "many_pages", 0x123, 16 * PAGE_SIZE },
	{ "largest", 0, LARGEST },
};
KUNIT_ARRAY_PARAM_DESC(transfer, transfers, name);

/* Parts of a mapping of four pages: around slots, pages and both ends */
#define PARTS_OF	(4 * PAGE_SIZE)
static const struct transfer parts[] = {
	{ "first_byte", 0, 1 },
	{ "start", 0, 100 },
	{ "in_the_first_slot", 0x7f, 0x100 },
	{ "end_of_the_first_slot", COCO_SLOT - 4, 4 },
	{ "across_two_slots", COCO_SLOT - 4, 8 },
	{ "second_slot", COCO_SLOT, COCO_SLOT },
	{ "across_two_pages", PAGE_SIZE - 1, 2 },
	{ "in_the_second_page", PAGE_SIZE + 0x234, 0x345 },
	{ "across_many_slots", COCO_SLOT / 2, 3 * PAGE_SIZE },
	{ "last_byte", PARTS_OF - 1, 1 },
	{ "all", 0, PARTS_OF },
};
KUNIT_ARRAY_PARAM_DESC(part, parts, name);

static struct kunit_case swiotlb_cases[] = {
	KUNIT_CASE(mapping_is_shared_and_the_buffer_is_not),
	KUNIT_CASE_PARAM(device_reads_what_the_cpu_wrote, transfer_gen_params),
	KUNIT_CASE_PARAM(cpu_reads_what_the_device_wrote, transfer_gen_params),
	KUNIT_CASE(page_and_scatterlist_are_bounced_too),
	KUNIT_CASE(buffer_for_the_device_is_not_written_back),
	KUNIT_CASE(partial_device_write_leaves_the_rest_of_the_buffer),
	KUNIT_CASE(device_sees_nothing_of_an_earlier_mapping),
	KUNIT_CASE(skipped_sync_copies_nothing_back),
	KUNIT_CASE_PARAM(sync_for_cpu_copies_its_part_only, part_gen_params),
	KUNIT_CASE_PARAM(sync_for_device_copies_its_part_only, part_gen_params),
	KUNIT_CASE(sync_of_a_scatterlist_reaches_each_part),
	KUNIT_CASE(sync_against_the_direction_copies_nothing),
	KUNIT_CASE(sync_beyond_the_mapping_is_cut_off),
	KUNIT_CASE(driver_is_told_to_sync),
	{}
};

static dma_addr_t map(struct kunit *test, void *buf, size_t len, enum dma_data_direction dir)
{
	dma_addr_t at = dma_map_single(coco_dma_dev(test), buf, len, dir);

	KUNIT_ASSERT_EQ(test, dma_mapping_error(coco_dma_dev(test), at), 0);
	return at;
}

static void unmap(struct kunit *test, dma_addr_t at, size_t len, enum dma_data_direction dir)
{
	dma_unmap_single(coco_dma_dev(test), at, len, dir);
}

/* ---- what a mapping is ---- */

static void mapping_is_shared_and_the_buffer_is_not(struct kunit *test)
{
	const size_t len = 2 * PAGE_SIZE;
	struct device *dev = coco_dma_dev(test);
	void *buf = coco_buffer(test, len), *seen = coco_buffer(test, len);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(buf, len, CPU);
	at = map(test, buf, len, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, coco_bounced(dev, at, buf));
	KUNIT_EXPECT_EQ(test, coco_private_pages(at, len), 0u);
	if (coco_machine() && coco_technology() != COCO_NONE) {
		/* A device knows nothing of C-bit or shared bit */
		KUNIT_EXPECT_EQ(test, at >> coco_machine_cbit(), (dma_addr_t)0);
		KUNIT_EXPECT_EQ(test, coco_private_pages(virt_to_phys(buf), len), 2u);
		KUNIT_EXPECT_EQ(test, coco_host_read(virt_to_phys(buf), seen, PAGE_SIZE), (s64)0);
		KUNIT_EXPECT_NE(test, coco_first_difference(buf, seen, PAGE_SIZE), PAGE_SIZE);
	}
	unmap(test, at, len, DMA_BIDIRECTIONAL);
}

static void device_reads_what_the_cpu_wrote(struct kunit *test)
{
	const struct transfer *row = test->param_value;
	u8 *buf = coco_buffer(test, row->offset + row->len), *seen = coco_buffer(test, row->len);
	static const enum dma_data_direction to[] = { DMA_TO_DEVICE, DMA_BIDIRECTIONAL };
	dma_addr_t at;
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(buf, row->offset + row->len, CPU);
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		memset(seen, 0, row->len);
		at = map(test, buf + row->offset, row->len, to[i]);
		KUNIT_EXPECT_TRUE(test, coco_bounced(coco_dma_dev(test), at, buf + row->offset));
		KUNIT_EXPECT_EQ(test, coco_private_pages(at, row->len), 0u);
		coco_device_reads(test, at, seen, row->len);
		unmap(test, at, row->len, to[i]);
		COCO_EXPECT_SAME(test, seen, buf + row->offset, row->len);
	}
}

static void cpu_reads_what_the_device_wrote(struct kunit *test)
{
	const struct transfer *row = test->param_value;
	const size_t size = row->offset + row->len + 64;
	u8 *buf = coco_buffer(test, size), *made = coco_buffer(test, row->len);
	static const enum dma_data_direction from[] = { DMA_FROM_DEVICE, DMA_BIDIRECTIONAL };
	dma_addr_t at;
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(made, row->len, DEVICE);
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		coco_fill(buf, size, CPU);
		at = map(test, buf + row->offset, row->len, from[i]);
		coco_device_writes(test, at, made, row->len);
		COCO_EXPECT_FILLED(test, buf, 0, size, CPU);	/* not before it is told to */
		unmap(test, at, row->len, from[i]);
		COCO_EXPECT_FILLED(test, buf, 0, row->offset, CPU);
		COCO_EXPECT_SAME(test, buf + row->offset, made, row->len);
		COCO_EXPECT_FILLED(test, buf + row->offset + row->len, row->offset + row->len, 64,
				   CPU);
	}
}

/* A part of a page, and another page */
static void map_scatterlist(struct kunit *test, struct scatterlist sg[2], u8 *part, u8 *page)
{
	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], part, 0x800);
	sg_set_buf(&sg[1], page, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, dma_map_sg(coco_dma_dev(test), sg, 2, DMA_BIDIRECTIONAL), 2);
}

static void page_and_scatterlist_are_bounced_too(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 4 * PAGE_SIZE), *seen = coco_buffer(test, PAGE_SIZE);
	struct scatterlist sg[2];
	dma_addr_t at;
	int i;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(buf, 4 * PAGE_SIZE, CPU);
	/* An offset beyond the page is allowed */
	at = dma_map_page(dev, virt_to_page(buf), PAGE_SIZE + 8, 100, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	KUNIT_EXPECT_TRUE(test, coco_bounced(dev, at, buf + PAGE_SIZE + 8));
	coco_device_reads(test, at, seen, 100);
	dma_unmap_page(dev, at, 100, DMA_TO_DEVICE);
	COCO_EXPECT_SAME(test, seen, buf + PAGE_SIZE + 8, 100);

	map_scatterlist(test, sg, buf + 0x10, buf + 3 * PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_TRUE(test, coco_bounced(dev, sg_dma_address(&sg[i]), sg_virt(&sg[i])));
		coco_device_reads(test, sg_dma_address(&sg[i]), seen, sg_dma_len(&sg[i]));
		COCO_EXPECT_SAME(test, seen, sg_virt(&sg[i]), sg[i].length);
		coco_fill(seen, sg[i].length, DEVICE + i);
		coco_device_writes(test, sg_dma_address(&sg[i]), seen, sg[i].length);
	}
	dma_unmap_sg(dev, sg, 2, DMA_BIDIRECTIONAL);
	COCO_EXPECT_FILLED(test, sg_virt(&sg[0]), 0, sg[0].length, DEVICE);
	COCO_EXPECT_FILLED(test, sg_virt(&sg[1]), 0, sg[1].length, DEVICE + 1);
	COCO_EXPECT_FILLED(test, buf + PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE, CPU);
}

/* ---- what it must not do ---- */

static void buffer_for_the_device_is_not_written_back(struct kunit *test)
{
	u8 *buf = coco_buffer(test, PAGE_SIZE), *made = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(buf, PAGE_SIZE, CPU);
	coco_fill(made, PAGE_SIZE, DEVICE);
	at = map(test, buf, PAGE_SIZE, DMA_TO_DEVICE);
	coco_device_writes(test, at, made, PAGE_SIZE);
	unmap(test, at, PAGE_SIZE, DMA_TO_DEVICE);
	COCO_EXPECT_FILLED(test, buf, 0, PAGE_SIZE, CPU);
}

#define SALT	0x5a
#define GRAIN	SZ_64K

/*
 * Leave a byte of our own in every slot that is free: map all of the pool at once,
 * and with single slots what is left between large pieces.  The next search starts
 * just there, where the last one ended.
 */
static unsigned int salt_the_pool(struct kunit *test)
{
	void *salt = coco_buffer(test, GRAIN);
	struct coco_maps *pieces, *rest;
	unsigned int n;

	memset(salt, SALT, GRAIN);
	coco_hold_pool(test);
	pieces = coco_map_all(test, salt, GRAIN, DMA_TO_DEVICE, SZ_1G / GRAIN);
	rest = coco_map_all(test, salt, COCO_SLOT, DMA_TO_DEVICE, SZ_64M / COCO_SLOT);
	n = pieces->n;
	coco_unmap_all(rest);
	coco_unmap_all(pieces);
	return n;
}

static void partial_device_write_leaves_the_rest_of_the_buffer(struct kunit *test)
{
	static const unsigned long attrs[] = { 0, DMA_ATTR_SKIP_CPU_SYNC };
	struct device *dev = coco_dma_dev(test);
	const size_t half = PAGE_SIZE / 2;
	u8 *buf = coco_buffer(test, PAGE_SIZE), *made = coco_buffer(test, half);
	dma_addr_t at;
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	KUNIT_ASSERT_GT(test, salt_the_pool(test), 0u);
	coco_fill(made, half, DEVICE);
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		coco_fill(buf, PAGE_SIZE, CPU);
		at = dma_map_single_attrs(dev, buf, PAGE_SIZE, DMA_FROM_DEVICE, attrs[i]);
		KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
		coco_device_writes(test, at, made, half);
		unmap(test, at, PAGE_SIZE, DMA_FROM_DEVICE);
		COCO_EXPECT_SAME(test, buf, made, half);
		KUNIT_EXPECT_LT_MSG(test, coco_longest_run(buf, PAGE_SIZE, SALT), (size_t)8,
				    "bytes of an earlier mapping in the buffer");
		COCO_EXPECT_FILLED(test, buf + half, half, half, CPU);
	}
}

static void device_sees_nothing_of_an_earlier_mapping(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL,
	};
	u8 *buf = coco_buffer(test, PAGE_SIZE), *seen = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	KUNIT_ASSERT_GT(test, salt_the_pool(test), 0u);
	coco_fill(buf, PAGE_SIZE, CPU);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		at = map(test, buf, PAGE_SIZE, dirs[i]);
		coco_device_reads(test, at, seen, PAGE_SIZE);
		unmap(test, at, PAGE_SIZE, dirs[i]);
		KUNIT_EXPECT_LT_MSG(test, coco_longest_run(seen, PAGE_SIZE, SALT), (size_t)8,
				    "direction %d", dirs[i]);
	}
}

static void skipped_sync_copies_nothing_back(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, PAGE_SIZE), *made = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(buf, PAGE_SIZE, CPU);
	coco_fill(made, PAGE_SIZE, DEVICE);
	at = map(test, buf, PAGE_SIZE, DMA_FROM_DEVICE);
	coco_device_writes(test, at, made, PAGE_SIZE);
	dma_unmap_single_attrs(dev, at, PAGE_SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	COCO_EXPECT_FILLED(test, buf, 0, PAGE_SIZE, CPU);
}

/* ---- a part of a mapping ---- */

static void sync_for_cpu_copies_its_part_only(struct kunit *test)
{
	const struct transfer *row = test->param_value;
	static const enum dma_data_direction dirs[] = { DMA_FROM_DEVICE, DMA_BIDIRECTIONAL };
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, PARTS_OF), *made = coco_buffer(test, PARTS_OF);
	const size_t end = row->offset + row->len;
	dma_addr_t at;
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(made, PARTS_OF, DEVICE);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		coco_fill(buf, PARTS_OF, CPU);
		at = map(test, buf, PARTS_OF, dirs[i]);
		coco_device_writes(test, at, made, PARTS_OF);
		dma_sync_single_range_for_cpu(dev, at, row->offset, row->len, dirs[i]);
		COCO_EXPECT_FILLED(test, buf, 0, row->offset, CPU);
		COCO_EXPECT_FILLED(test, buf + row->offset, row->offset, row->len, DEVICE);
		COCO_EXPECT_FILLED(test, buf + end, end, PARTS_OF - end, CPU);
		unmap(test, at, PARTS_OF, dirs[i]);
	}
}

static void sync_for_device_copies_its_part_only(struct kunit *test)
{
	const struct transfer *row = test->param_value;
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_BIDIRECTIONAL };
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, PARTS_OF), *seen = coco_buffer(test, PARTS_OF);
	const size_t end = row->offset + row->len;
	dma_addr_t at;
	size_t i;

	COCO_NEEDS_BOUNCE(test);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		coco_fill(buf, PARTS_OF, CPU);
		at = map(test, buf, PARTS_OF, dirs[i]);
		coco_fill(buf, PARTS_OF, DEVICE);
		dma_sync_single_range_for_device(dev, at, row->offset, row->len, dirs[i]);
		coco_device_reads(test, at, seen, PARTS_OF);
		unmap(test, at, PARTS_OF, dirs[i]);
		COCO_EXPECT_FILLED(test, seen, 0, row->offset, CPU);
		COCO_EXPECT_FILLED(test, seen + row->offset, row->offset, row->len, DEVICE);
		COCO_EXPECT_FILLED(test, seen + end, end, PARTS_OF - end, CPU);
	}
}

static void sync_of_a_scatterlist_reaches_each_part(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 2 * PAGE_SIZE), *bytes = coco_buffer(test, PAGE_SIZE);
	struct scatterlist sg[2];
	int i;

	COCO_NEEDS_BOUNCE(test);
	map_scatterlist(test, sg, buf + 0x10, buf + PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		coco_fill(bytes, sg[i].length, DEVICE + i);
		coco_device_writes(test, sg_dma_address(&sg[i]), bytes, sg[i].length);
	}
	dma_sync_sg_for_cpu(dev, sg, 2, DMA_BIDIRECTIONAL);
	for (i = 0; i < 2; i++) {
		COCO_EXPECT_FILLED(test, sg_virt(&sg[i]), 0, sg[i].length, DEVICE + i);
		coco_fill(sg_virt(&sg[i]), sg[i].length, CPU + i);
	}
	dma_sync_sg_for_device(dev, sg, 2, DMA_BIDIRECTIONAL);
	for (i = 0; i < 2; i++) {
		coco_device_reads(test, sg_dma_address(&sg[i]), bytes, sg[i].length);
		COCO_EXPECT_FILLED(test, bytes, 0, sg[i].length, CPU + i);
	}
	dma_unmap_sg(dev, sg, 2, DMA_BIDIRECTIONAL);
}

static void sync_against_the_direction_copies_nothing(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, PAGE_SIZE), *other = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(other, PAGE_SIZE, DEVICE);
	coco_fill(buf, PAGE_SIZE, CPU);
	at = map(test, buf, PAGE_SIZE, DMA_TO_DEVICE);
	coco_device_writes(test, at, other, PAGE_SIZE);
	dma_sync_single_for_cpu(dev, at, PAGE_SIZE, DMA_TO_DEVICE);
	unmap(test, at, PAGE_SIZE, DMA_TO_DEVICE);
	COCO_EXPECT_FILLED(test, buf, 0, PAGE_SIZE, CPU);

	at = map(test, buf, PAGE_SIZE, DMA_FROM_DEVICE);
	coco_device_writes(test, at, other, PAGE_SIZE);
	dma_sync_single_for_device(dev, at, PAGE_SIZE, DMA_FROM_DEVICE);
	unmap(test, at, PAGE_SIZE, DMA_FROM_DEVICE);
	COCO_EXPECT_FILLED(test, buf, 0, PAGE_SIZE, DEVICE);
}

/* The kernel warns, once a boot: the case tolerates that */
static void sync_beyond_the_mapping_is_cut_off(struct kunit *test)
{
	const size_t len = 1024, beyond = COCO_SLOT;
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, PAGE_SIZE), *made = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_fill(buf, PAGE_SIZE, CPU);
	coco_fill(made, PAGE_SIZE, DEVICE);
	at = map(test, buf, len, DMA_BIDIRECTIONAL);
	/* The rest of the slot is no memory of anybody's */
	coco_device_writes(test, at, made, beyond);
	dma_sync_single_for_cpu(dev, at, beyond, DMA_BIDIRECTIONAL);
	COCO_EXPECT_FILLED(test, buf, 0, len, DEVICE);
	COCO_EXPECT_FILLED(test, buf + len, len, PAGE_SIZE - len, CPU);
	unmap(test, at, len, DMA_BIDIRECTIONAL);
}

/* One that asks, and is told that there is no need to, does not: its device sees old data */
#ifdef CC_HAVE_DMA_NEED_SYNC
static void driver_is_told_to_sync(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;
	bool told;

	COCO_NEEDS_BOUNCE(test);
	at = map(test, coco_buffer(test, PAGE_SIZE), PAGE_SIZE, DMA_BIDIRECTIONAL);
	told = dma_need_sync(dev, at);
	unmap(test, at, PAGE_SIZE, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, told);
}
#else
static void driver_is_told_to_sync(struct kunit *test)
{
	kunit_skip(test, "this kernel has no dma_need_sync()");
}
#endif

static struct kunit_suite swiotlb_suite = {
	.name = "swiotlb",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_cases,
};
kunit_test_suite(swiotlb_suite);

MODULE_DESCRIPTION("Streaming DMA through the shared pool");
MODULE_LICENSE("GPL");
