// SPDX-License-Identifier: GPL-2.0
/* A platform device of ours, and what it does on its bus. */
#include <linux/dma-direct.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/workqueue.h>
#include "dma.h"
#include "kunit_choice.h"
#include "machine.h"
#include "select.h"
#include "technology.h"

/* Kernels up to 5.6 leave dma_parms to the driver; our device has none */
static struct device_dma_parameters parameters;

/* coco_private_pages() was asked where there is no machine */
static bool not_looked_at;

int coco_dma_begin(struct kunit *test)
{
	struct platform_device *device;
	int rc;

	device = platform_device_register_simple("coco_dma", PLATFORM_DEVID_AUTO, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	if (!device->dev.dma_parms) {
		memset(&parameters, 0, sizeof(parameters));
		device->dev.dma_parms = &parameters;
	}
	rc = dma_coerce_mask_and_coherent(&device->dev, DMA_BIT_MASK(64));
	if (rc) {
		platform_device_unregister(device);
		return rc;
	}
	test->priv = device;
	return 0;
}
EXPORT_SYMBOL_GPL(coco_dma_begin);

/* ---- the pool ---- */

#ifdef CC_HAVE_DMA_MIN_ALIGN_MASK
void coco_keep_bits(struct kunit *test, unsigned int mask)
{
	dma_set_min_align_mask(coco_dma_dev(test), mask);
}
#else
void coco_keep_bits(struct kunit *test, unsigned int mask)
{
	kunit_skip(test, "this kernel has no dma_set_min_align_mask()");
}
#endif
EXPORT_SYMBOL_GPL(coco_keep_bits);

#ifdef CONFIG_SWIOTLB_DYNAMIC
/* Kernels themselves end its growth so, where somebody asked where it lies */
static struct io_tlb_mem *held;

void coco_hold_pool(struct kunit *test)
{
	struct io_tlb_mem *mem = coco_dma_dev(test)->dma_io_tlb_mem;

	if (held || !mem->can_grow)
		return;
	WRITE_ONCE(mem->can_grow, false);
	flush_work(&mem->dyn_alloc);
	held = mem;
}

static void let_pool_grow(void)
{
	if (held)
		WRITE_ONCE(held->can_grow, true);
	held = NULL;
}
#else
void coco_hold_pool(struct kunit *test)
{
}

static void let_pool_grow(void)
{
}
#endif
EXPORT_SYMBOL_GPL(coco_hold_pool);

void coco_dma_end(struct kunit *test)
{
	struct platform_device *device = test->priv;

	let_pool_grow();
	if (not_looked_at)
		pr_info("    # nobody looked whether its pages are private: no machine\n");
	not_looked_at = false;
	test->priv = NULL;
	if (device)
		platform_device_unregister(device);
	coco_case_end(test);
}
EXPORT_SYMBOL_GPL(coco_dma_end);

struct device *coco_dma_dev(struct kunit *test)
{
	struct platform_device *device = test->priv;

	return &device->dev;
}
EXPORT_SYMBOL_GPL(coco_dma_dev);

void *coco_buffer(struct kunit *test, size_t len)
{
	void *memory = kunit_kzalloc(test, len + PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	return PTR_ALIGN(memory, PAGE_SIZE);
}
EXPORT_SYMBOL_GPL(coco_buffer);

/* ---- the bus ---- */

static size_t up_to_page_end(dma_addr_t at, size_t len)
{
	return min_t(size_t, len, PAGE_SIZE - (at & ~PAGE_MASK));
}

static void *kernel_mapping(struct device *dev, dma_addr_t at)
{
	return phys_to_virt(dma_to_phys(dev, at));
}

static s64 device_reads(struct device *dev, dma_addr_t from, void *buf, size_t len)
{
	s64 error = 0;
	size_t part;

	if (!coco_machine()) {
		memcpy(buf, kernel_mapping(dev, from), len);
		return 0;
	}
	for (; len && !error; len -= part, from += part, buf += part) {
		part = up_to_page_end(from, len);
		error = coco_host_read(from, buf, part);
	}
	return error;
}

void coco_device_reads(struct kunit *test, dma_addr_t from, void *buf, size_t len)
{
	KUNIT_ASSERT_EQ(test, device_reads(coco_dma_dev(test), from, buf, len), (s64)0);
}
EXPORT_SYMBOL_GPL(coco_device_reads);

bool coco_device_finds(struct device *dev, dma_addr_t at, void *buf, size_t len, u32 seed)
{
	return !device_reads(dev, at, buf, len) && coco_first_wrong(buf, 0, len, seed) == len;
}
EXPORT_SYMBOL_GPL(coco_device_finds);

void coco_device_writes(struct kunit *test, dma_addr_t to, const void *buf, size_t len)
{
	size_t part;

	if (!coco_machine()) {
		memcpy(kernel_mapping(coco_dma_dev(test), to), buf, len);
		return;
	}
	for (; len; len -= part, to += part, buf += part) {
		part = up_to_page_end(to, len);
		KUNIT_ASSERT_EQ(test, coco_host_write(to, buf, part), (s64)0);
	}
}
EXPORT_SYMBOL_GPL(coco_device_writes);

unsigned int coco_private_pages(dma_addr_t start, size_t len)
{
	unsigned int n = 0;
	dma_addr_t at;
	s64 state;

	not_looked_at |= !coco_machine();
	if (coco_machine_personality() == COCO_NONE)
		return 0;
	for (at = start & PAGE_MASK; at < start + len; at += PAGE_SIZE) {
		state = coco_page_state(at);
		n += state < 0 || state & COCO_PAGE_PRIVATE;
	}
	return n;
}
EXPORT_SYMBOL_GPL(coco_private_pages);

bool coco_bounced(struct device *dev, dma_addr_t at, const void *buf)
{
	return dma_to_phys(dev, at) != virt_to_phys((void *)buf);
}
EXPORT_SYMBOL_GPL(coco_bounced);

bool coco_dma_bounces(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	void *buf = coco_buffer(test, COCO_SLOT);
	dma_addr_t at;
	bool bounced;

	at = dma_map_single(dev, buf, COCO_SLOT, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	bounced = coco_bounced(dev, at, buf);
	dma_unmap_single(dev, at, COCO_SLOT, DMA_TO_DEVICE);
	return bounced;
}
EXPORT_SYMBOL_GPL(coco_dma_bounces);

/* ---- many mappings ---- */

struct coco_maps *coco_map_all(struct kunit *test, void *buf, size_t len,
			       enum dma_data_direction dir, unsigned int most)
{
	struct coco_maps *maps = kunit_kzalloc(test, sizeof(*maps), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, maps);
	*maps = (struct coco_maps){ coco_dma_dev(test), buf, len, dir };
	maps->at = kunit_kcalloc(test, most, sizeof(*maps->at), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, maps->at);
	for (; maps->n < most; maps->n++) {
		dma_addr_t at = dma_map_single_attrs(maps->dev, buf, len, dir, DMA_ATTR_NO_WARN);

		if (dma_mapping_error(maps->dev, at))
			break;
		maps->at[maps->n] = at;
		cond_resched();
	}
	return maps;
}
EXPORT_SYMBOL_GPL(coco_map_all);

void coco_unmap_all(struct coco_maps *maps)
{
	while (maps->n) {
		dma_unmap_single(maps->dev, maps->at[--maps->n], maps->len, maps->dir);
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(coco_unmap_all);

/* ---- bytes that tell where they belong ---- */

/* Words of 2 bytes; odd factors: none of 65536 words is like another, nor one of another seed */
static u8 byte_at(size_t i, u32 seed)
{
	u16 word = (u16)(i / 2) * 40503u + (u16)seed * 0x9e37u;

	return word >> (i % 2 * 8);
}

void coco_fill(void *buf, size_t len, u32 seed)
{
	u8 *bytes = buf;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = byte_at(i, seed);
}
EXPORT_SYMBOL_GPL(coco_fill);

size_t coco_first_difference(const void *a, const void *b, size_t len)
{
	const u8 *left = a, *right = b;
	size_t i;

	for (i = 0; i < len && left[i] == right[i]; i++)
		;
	return i;
}
EXPORT_SYMBOL_GPL(coco_first_difference);

size_t coco_first_wrong(const void *buf, size_t start, size_t len, u32 seed)
{
	const u8 *bytes = buf;
	size_t i;

	for (i = 0; i < len && bytes[i] == byte_at(start + i, seed); i++)
		;
	return i;
}
EXPORT_SYMBOL_GPL(coco_first_wrong);

size_t coco_longest_run(const void *buf, size_t len, u8 byte)
{
	const u8 *bytes = buf;
	size_t i, run = 0, longest = 0;

	for (i = 0; i < len; i++) {
		run = bytes[i] == byte ? run + 1 : 0;
		longest = max(longest, run);
	}
	return longest;
}
EXPORT_SYMBOL_GPL(coco_longest_run);
