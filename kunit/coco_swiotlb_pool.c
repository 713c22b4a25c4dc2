// SPDX-License-Identifier: GPL-2.0
/*
 * The shared pool as a whole: how much of it there is, that it can run out and
 * recovers, and what it refuses.
 *
 * Path:        dma_map_single(), dma_map_sg() -> swiotlb_map() -> swiotlb_tbl_map_single(),
 *              swiotlb_find_slots(), swiotlb_release_slots()
 * Upstream:    e998879d4fb7 ("x86,swiotlb: Adjust SWIOTLB bounce buffer size for SEV guests")
 *              20347fca71a3 ("swiotlb: split up the global swiotlb lock"), 911655ab1dfb
 *              ("swiotlb: fix default_swiotlb_limit() for non-growable default pool"),
 *              d5090484b021 ("swiotlb: do not try to allocate a TLB bigger than MAX_ORDER
 *              pages")
 * Without it:  a guest that is out of slots stops for good, or gives a device an address that
 *              it cannot reach.
 */
#include <linux/completion.h>
#include <linux/kprobes.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/swiotlb.h>
#include <linux/workqueue.h>
#include "lib/dma_suite.h"
#include "lib/symbol.h"

static void default_pool_has_64_mib(struct kunit *test);
static void full_pool_refuses_and_recovers(struct kunit *test);
static void larger_than_the_largest_is_refused(struct kunit *test);
static void mapping_stays_inside_the_segment_boundary(struct kunit *test);
static void address_out_of_reach_is_refused_and_its_slots_released(struct kunit *test);
static void scatterlist_with_a_part_too_long_is_undone(struct kunit *test);
static void limit_of_a_pool_that_cannot_grow_is_its_end(struct kunit *test);
static void two_cpus_share_the_pool(struct kunit *test);
static void pool_of_the_default_size_grows_without_a_warning(struct kunit *test);

#define GRAIN	SZ_64K
#define ALL	(SZ_1G / GRAIN)		/* more than any pool of a machine of 1 GiB */

static struct kunit_case swiotlb_pool_cases[] = {
	KUNIT_CASE(default_pool_has_64_mib),
	KUNIT_CASE(full_pool_refuses_and_recovers),
	KUNIT_CASE(larger_than_the_largest_is_refused),
	KUNIT_CASE(mapping_stays_inside_the_segment_boundary),
	KUNIT_CASE(address_out_of_reach_is_refused_and_its_slots_released),
	KUNIT_CASE(scatterlist_with_a_part_too_long_is_undone),
	KUNIT_CASE(limit_of_a_pool_that_cannot_grow_is_its_end),
	KUNIT_CASE(two_cpus_share_the_pool),
	/* Last: what the pool grows by stays */
	KUNIT_CASE(pool_of_the_default_size_grows_without_a_warning),
	{}
};

/*
 * IO_TLB_DEFAULT_SIZE, also the least that a confidential guest adjusts it to.  One with more
 * than 1 GiB of memory takes 6% of it, up to the next power of two.
 */
static void default_pool_has_64_mib(struct kunit *test)
{
	unsigned long share = totalram_pages() * PAGE_SIZE / 100 * 6;
	void *buf = coco_buffer(test, GRAIN);
	struct coco_maps *maps;
	unsigned int n;

	COCO_NEEDS_FIXED_POOL(test);
	COCO_NEEDS_BOUNCE(test);
	maps = coco_map_all(test, buf, GRAIN, DMA_TO_DEVICE, ALL);
	n = maps->n;
	coco_unmap_all(maps);
	/* Drivers of the guest may hold some of it */
	KUNIT_EXPECT_LE(test, n, (unsigned int)(max_t(unsigned long, SZ_64M, roundup_pow_of_two(share)) / GRAIN));
	KUNIT_EXPECT_GE(test, n, (unsigned int)(SZ_32M / GRAIN));
}

static void full_pool_refuses_and_recovers(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, GRAIN), *seen = coco_buffer(test, PAGE_SIZE);
	struct coco_maps *maps;
	unsigned int round, n[3];
	dma_addr_t at;
	int refused;

	COCO_NEEDS_BOUNCE(test);
	coco_hold_pool(test);
	coco_fill(buf, PAGE_SIZE, 1);
	for (round = 0; round < 3; round++) {
		maps = coco_map_all(test, buf, GRAIN, DMA_TO_DEVICE, ALL);
		n[round] = maps->n;
		/* As a driver asks, and so that the kernel says of it what it says */
		at = dma_map_single(dev, buf, GRAIN, DMA_TO_DEVICE);
		refused = dma_mapping_error(dev, at);
		/* One comes back, and can be had again */
		if (maps->n)
			dma_unmap_single(dev, maps->at[--maps->n], GRAIN, DMA_TO_DEVICE);
		at = dma_map_single(dev, buf, PAGE_SIZE, DMA_TO_DEVICE);
		if (!dma_mapping_error(dev, at)) {
			coco_device_reads(test, at, seen, PAGE_SIZE);
			dma_unmap_single(dev, at, PAGE_SIZE, DMA_TO_DEVICE);
		}
		coco_unmap_all(maps);
		KUNIT_EXPECT_EQ(test, refused, -ENOMEM);
		COCO_EXPECT_FILLED(test, seen, 0, PAGE_SIZE, 1);
		memset(seen, 0, PAGE_SIZE);
	}
	/* The search goes on where it ended: in that segment one may fit less */
	KUNIT_EXPECT_GE(test, n[1] + 1, n[0]);
	KUNIT_EXPECT_GE(test, n[2] + 1, n[0]);
}

static void larger_than_the_largest_is_refused(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 2 * COCO_SEGMENT);
	size_t largest, more;
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	largest = dma_max_mapping_size(dev);
	KUNIT_ASSERT_EQ(test, largest, (size_t)COCO_SEGMENT);
	for (more = 1; more <= largest; more *= 4) {
		at = dma_map_single_attrs(dev, buf, largest + more, DMA_TO_DEVICE,
					  DMA_ATTR_NO_WARN);
		KUNIT_EXPECT_EQ_MSG(test, dma_mapping_error(dev, at), -ENOMEM, "%zu bytes",
				    largest + more);
	}
	at = dma_map_single(dev, buf, largest, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	dma_unmap_single(dev, at, largest, DMA_TO_DEVICE);
}

static void mapping_stays_inside_the_segment_boundary(struct kunit *test)
{
	const dma_addr_t segment = SZ_16K;
	const size_t len = 3 * PAGE_SIZE;
	struct device *dev = coco_dma_dev(test);
	void *buf = coco_buffer(test, len);
	unsigned int i, crossing = 0;
	struct coco_maps *maps;

	COCO_NEEDS_BOUNCE(test);
	dma_set_seg_boundary(dev, segment - 1);
	maps = coco_map_all(test, buf, len, DMA_TO_DEVICE, 64);
	for (i = 0; i < maps->n; i++)
		crossing += maps->at[i] / segment != (maps->at[i] + len - 1) / segment;
	i = maps->n;
	coco_unmap_all(maps);
	KUNIT_EXPECT_EQ(test, i, 64u);
	KUNIT_EXPECT_EQ(test, crossing, 0u);
}

/* The kernel warns, once a boot: the case tolerates that */
static void address_out_of_reach_is_refused_and_its_slots_released(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	void *buf = coco_buffer(test, GRAIN);
	unsigned int i, granted = 0;
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	if (!IS_ENABLED(CONFIG_ZONE_DMA))
		kunit_skip(test, "needs CONFIG_ZONE_DMA: no device has 24 bits without");
	at = dma_map_single(dev, buf, GRAIN, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	dma_unmap_single(dev, at, GRAIN, DMA_TO_DEVICE);
	if (at <= DMA_BIT_MASK(24))
		kunit_skip(test, "the pool is within the reach of every device");
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(24)), 0);
	/* More often than the pool has room */
	for (i = 0; i < 2 * SZ_64M / GRAIN; i++) {
		at = dma_map_single_attrs(dev, buf, GRAIN, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		granted += !dma_mapping_error(dev, at);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, granted, 0u);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	at = dma_map_single(dev, buf, GRAIN, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	dma_unmap_single(dev, at, GRAIN, DMA_TO_DEVICE);
}

/* Its first part is mapped already when the second is refused */
static void scatterlist_with_a_part_too_long_is_undone(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	size_t too_long;
	u8 *buf = coco_buffer(test, GRAIN), *second;
	unsigned int i, granted = 0;
	struct scatterlist sg[2];
	dma_addr_t at;

	COCO_NEEDS_BOUNCE(test);
	coco_hold_pool(test);
	too_long = dma_max_mapping_size(dev) + COCO_SLOT;
	second = coco_buffer(test, too_long);
	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], buf, GRAIN);
	sg_set_buf(&sg[1], second, too_long);
	/* More often than the pool has room */
	for (i = 0; i < 2 * SZ_64M / GRAIN; i++) {
		granted += dma_map_sg_attrs(dev, sg, 2, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		cond_resched();
	}
	at = dma_map_single(dev, buf, GRAIN, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, granted, 0u);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	dma_unmap_single(dev, at, GRAIN, DMA_TO_DEVICE);
}

/* What a driver is told of where its bounce buffers can be; no other pool can do else */
#if defined(CC_HAVE_DEFAULT_SWIOTLB_LIMIT) && defined(CONFIG_SWIOTLB_DYNAMIC)
static void __nocfi limit_of_a_pool_that_cannot_grow_is_its_end(struct kunit *test)
{
	typeof(default_swiotlb_limit) *limit;

	COCO_NEEDS_BOUNCE(test);
	limit = coco_need_symbol(test, "default_swiotlb_limit");
	coco_hold_pool(test);
	KUNIT_EXPECT_EQ(test, limit(), coco_dma_dev(test)->dma_io_tlb_mem->defpool.end - 1);
}
#else
static void limit_of_a_pool_that_cannot_grow_is_its_end(struct kunit *test)
{
	kunit_skip(test, "no default_swiotlb_limit() here, or no pool that could grow");
}
#endif

/* ---- two CPUs ---- */

#define ROUNDS	400
#define AT_ONCE	16

struct worker {
	struct work_struct work;
	struct device *dev;
	u32 seed;
	u8 *buf, *seen;
	unsigned int refused, wrong;
};

/* Mappings of a filling of its own, of which the device must see no other.  No check: see dma.h */
static void hammer(struct work_struct *work)
{
	struct worker *w = container_of(work, struct worker, work);
	struct device *dev = w->dev;
	dma_addr_t at[AT_ONCE];
	unsigned int round, i;
	size_t len;

	for (round = 0; round < ROUNDS; round++) {
		len = 100 + 37 * (round % 97);
		for (i = 0; i < AT_ONCE; i++)
			at[i] = dma_map_single(dev, w->buf, len, DMA_BIDIRECTIONAL);
		for (i = 0; i < AT_ONCE; i++) {
			if (dma_mapping_error(dev, at[i])) {
				w->refused++;
				continue;
			}
			w->wrong += !coco_device_finds(dev, at[i], w->seen, 64, w->seed);
			dma_unmap_single(dev, at[i], len, DMA_BIDIRECTIONAL);
		}
		w->wrong += coco_first_wrong(w->buf, 0, 64, w->seed) != 64;
	}
}

/* A CPU that waits gives its turn away in the machine: here in the middle of a mapping */
static int give_way(struct kprobe *probe, struct pt_regs *regs)
{
	cpu_relax();
	return 0;
}

static void two_cpus_share_the_pool(struct kunit *test)
{
	struct kprobe copy = { .symbol_name = "swiotlb_bounce", .pre_handler = give_way };
	struct worker *w = kunit_kcalloc(test, 2, sizeof(*w), GFP_KERNEL);
	unsigned int i, cpu = 0;
	bool probed;

	KUNIT_ASSERT_NOT_NULL(test, w);
	COCO_NEEDS_BOUNCE(test);
	COCO_NEEDS_TWO_CPUS(test);
	for (i = 0; i < 2; i++) {
		w[i].dev = coco_dma_dev(test);
		w[i].seed = i + 1;
		w[i].buf = coco_buffer(test, PAGE_SIZE);
		w[i].seen = coco_buffer(test, PAGE_SIZE);
		coco_fill(w[i].buf, PAGE_SIZE, w[i].seed);
		INIT_WORK(&w[i].work, hammer);
	}
	probed = !register_kprobe(&copy);	/* without it there are fewer meetings */
	for_each_online_cpu(i) {
		if (cpu < 2)
			schedule_work_on(i, &w[cpu++].work);
	}
	for (i = 0; i < 2; i++)
		flush_work(&w[i].work);
	if (probed)
		unregister_kprobe(&copy);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, w[i].refused, 0u);
		KUNIT_EXPECT_EQ(test, w[i].wrong, 0u);
	}
}

/* Its first size is more than the page allocator ever gives, and asking for so much a bug */
#ifdef CONFIG_SWIOTLB_DYNAMIC
static void pool_of_the_default_size_grows_without_a_warning(struct kunit *test)
{
	struct io_tlb_mem *mem = coco_dma_dev(test)->dma_io_tlb_mem;
	unsigned int all = mem->defpool.nslabs / (GRAIN / COCO_SLOT);
	struct coco_maps *maps;

	COCO_NEEDS_BOUNCE(test);
	maps = coco_map_all(test, coco_buffer(test, GRAIN), GRAIN, DMA_TO_DEVICE, all + 1);
	flush_work(&mem->dyn_alloc);
	coco_unmap_all(maps);
	KUNIT_EXPECT_GT(test, mem->nslabs, mem->defpool.nslabs);
}
#else
static void pool_of_the_default_size_grows_without_a_warning(struct kunit *test)
{
	kunit_skip(test, "the pool of this kernel does not grow");
}
#endif

static struct kunit_suite swiotlb_pool_suite = {
	.name = "swiotlb_pool",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_pool_cases,
};
kunit_test_suite(swiotlb_pool_suite);

MODULE_DESCRIPTION("The shared pool: its size, exhaustion and refusals");
MODULE_LICENSE("GPL");
