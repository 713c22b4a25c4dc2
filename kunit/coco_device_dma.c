// SPDX-License-Identifier: GPL-2.0
/*
 * A device that really reads and writes memory, and a driver that forgets to share it.
 *
 * Path:        dma_map_single(), dma_alloc_coherent() -> shared memory -> a PCI device;
 *              pci_iomap() -> its registers, which are shared too
 * Upstream:    c7753208a94c ("x86, swiotlb: Add memory encryption support"),
 *              c10f07aa27da ("dma/direct: Handle force decryption for DMA coherent buffers in
 *              common code")
 * Without it:  the device reads what the key makes of the bytes, or the host reads the bytes.
 *
 * The device is QEMU's "edu" (docs/specs/edu.rst): a buffer of 4K, and an engine that copies
 * between it and memory.  It reaches memory as any device does: never the private view.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/vmalloc.h>
#include "lib/coco_kunit.h"
#include "lib/dma.h"
#include "lib/pages.h"

static void registers_are_mapped_shared(struct kunit *test);
/* One row a length */
static void device_reads_what_was_mapped(struct kunit *test);
static void driver_reads_what_the_device_wrote(struct kunit *test);
static void coherent_memory_is_common_to_both(struct kunit *test);
/* A driver that forgets */
static void device_reads_no_memory_that_was_not_shared(struct kunit *test);
static void device_writes_no_memory_that_was_not_shared(struct kunit *test);
static void plain_guest_shares_all_its_memory(struct kunit *test);
static void shared_mapping_alone_is_a_breach(struct kunit *test);
static void shared_mapping_alone_shows_other_bytes(struct kunit *test);

struct length_case {
	const char *name;
	size_t len;
};

static const struct length_case length_cases[] = {
	{ "four_bytes", 4 },
	{ "sector", 512 },
	{ "more_than_a_slot", COCO_SLOT + 500 },
	{ "all_but_a_page", 4092 },
};
KUNIT_ARRAY_PARAM_DESC(length, length_cases, name);

static struct kunit_case device_dma_cases[] = {
	KUNIT_CASE(registers_are_mapped_shared),
	KUNIT_CASE_PARAM(device_reads_what_was_mapped, length_gen_params),
	KUNIT_CASE_PARAM(driver_reads_what_the_device_wrote, length_gen_params),
	KUNIT_CASE(coherent_memory_is_common_to_both),
	KUNIT_CASE(device_reads_no_memory_that_was_not_shared),
	KUNIT_CASE(device_writes_no_memory_that_was_not_shared),
	KUNIT_CASE(plain_guest_shares_all_its_memory),
	KUNIT_CASE(shared_mapping_alone_is_a_breach),
	KUNIT_CASE(shared_mapping_alone_shows_other_bytes),
	{}
};

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8
#define EDU_ID		0x00		/* 0xRRrr00ed */
#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	BIT(0)
#define EDU_TO_MEMORY	BIT(1)
#define EDU_BUFFER	0x40000
#define PATIENCE_MS	5000
#define SECRET		0x5ec2u
#define DATA		0xda7au

static struct pci_dev *edu;
static void __iomem *registers;

/* ---- the driver ---- */

static void forget_device(void)
{
	if (registers)
		pci_iounmap(edu, registers);
	registers = NULL;
	if (!edu)
		return;
	pci_clear_master(edu);
	pci_disable_device(edu);
	pci_dev_put(edu);
	edu = NULL;
}

static void find_device(struct kunit *test)
{
	edu = pci_get_device(EDU_VENDOR, EDU_DEVICE, NULL);
	if (!edu)
		kunit_skip(test, "needs QEMU's device edu");
	KUNIT_ASSERT_EQ(test, pci_enable_device(edu), 0);
	pci_set_master(edu);
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(&edu->dev, DMA_BIT_MASK(32)), 0);
	registers = pci_iomap(edu, 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, (__force void *)registers);
	KUNIT_ASSERT_EQ(test, readl(registers + EDU_ID) & 0xffff, 0xedu);
}

static void copy(struct kunit *test, u64 from, u64 to, size_t len, u32 direction)
{
	unsigned int waited;

	writeq(from, registers + EDU_SOURCE);
	writeq(to, registers + EDU_TARGET);
	writeq(len, registers + EDU_COUNT);
	writeq(EDU_START | direction, registers + EDU_COMMAND);
	for (waited = 0; waited < PATIENCE_MS; waited += 20) {
		if (!(readq(registers + EDU_COMMAND) & EDU_START))
			return;
		msleep(20);
	}
	KUNIT_FAIL(test, "the device does not come to an end");
}

static void device_reads(struct kunit *test, dma_addr_t at, size_t len)
{
	copy(test, at, EDU_BUFFER, len, 0);
}

static void device_writes(struct kunit *test, dma_addr_t at, size_t len)
{
	copy(test, EDU_BUFFER, at, len, EDU_TO_MEMORY);
}

static dma_addr_t map(struct kunit *test, u8 *bytes, size_t len, enum dma_data_direction dir)
{
	dma_addr_t at = dma_map_single(&edu->dev, bytes, len, dir);

	KUNIT_ASSERT_EQ(test, dma_mapping_error(&edu->dev, at), 0);
	return at;
}

/* What the device has in its buffer, by memory that is shared as it should be */
static void device_shows(struct kunit *test, u8 *bytes, size_t len)
{
	dma_addr_t at = map(test, bytes, len, DMA_FROM_DEVICE);

	device_writes(test, at, len);
	dma_unmap_single(&edu->dev, at, len, DMA_FROM_DEVICE);
}

static void device_gets(struct kunit *test, u8 *bytes, size_t len)
{
	dma_addr_t at = map(test, bytes, len, DMA_TO_DEVICE);

	device_reads(test, at, len);
	dma_unmap_single(&edu->dev, at, len, DMA_TO_DEVICE);
}

/* ---- as it should be ---- */

static void registers_are_mapped_shared(struct kunit *test)
{
	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	find_device(test);
	KUNIT_EXPECT_TRUE(test, coco_maps_shared((__force void *)registers));
}

static void device_reads_what_was_mapped(struct kunit *test)
{
	const struct length_case *c = test->param_value;
	u8 *out = coco_buffer(test, PAGE_SIZE), *in = coco_buffer(test, PAGE_SIZE);

	find_device(test);
	coco_fill(out, PAGE_SIZE, DATA);
	device_gets(test, out, c->len);
	device_shows(test, in, c->len);
	COCO_EXPECT_FILLED(test, in, 0, c->len, DATA);
}

static void driver_reads_what_the_device_wrote(struct kunit *test)
{
	const struct length_case *c = test->param_value;
	u8 *bytes = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;

	find_device(test);
	coco_fill(bytes, PAGE_SIZE, DATA);
	device_gets(test, bytes, c->len);
	coco_fill(bytes, PAGE_SIZE, DATA + 1);
	at = map(test, bytes, PAGE_SIZE, DMA_FROM_DEVICE);
	device_writes(test, at, c->len);
	dma_unmap_single(&edu->dev, at, PAGE_SIZE, DMA_FROM_DEVICE);
	COCO_EXPECT_FILLED(test, bytes, 0, c->len, DATA);
	COCO_EXPECT_FILLED(test, bytes + c->len, c->len, PAGE_SIZE - c->len, DATA + 1);
}

static void coherent_memory_is_common_to_both(struct kunit *test)
{
	const size_t half = PAGE_SIZE / 2;
	dma_addr_t at;
	u8 *common;

	find_device(test);
	common = dma_alloc_coherent(&edu->dev, PAGE_SIZE, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, common);
	KUNIT_EXPECT_EQ(test, coco_private_pages(at, PAGE_SIZE), 0u);
	coco_fill(common, half, DATA);
	device_reads(test, at, half);
	device_writes(test, at + half, half);
	COCO_EXPECT_FILLED(test, common + half, 0, half, DATA);
	dma_free_coherent(&edu->dev, PAGE_SIZE, common, at);
}

/* ---- a driver that forgets ---- */

/* A page with a secret, where the device could reach it */
static u8 *page_below_4g(struct kunit *test)
{
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | GFP_DMA32);

	KUNIT_ASSERT_NOT_NULL(test, page);
	coco_fill(page, PAGE_SIZE, SECRET);
	return page;
}

/* How many bytes the device reads of a page whose address it has by virt_to_phys() */
static size_t bytes_read_unshared(struct kunit *test, size_t len)
{
	u8 *seen = coco_buffer(test, PAGE_SIZE), *secret;
	size_t i, n = 0;

	find_device(test);
	secret = page_below_4g(test);
	coco_fill(seen, len, DATA);
	device_gets(test, seen, len);
	device_reads(test, virt_to_phys(secret), len);
	device_shows(test, seen, len);
	for (i = 0; i < len; i++)
		n += seen[i] == secret[i];
	free_page((unsigned long)secret);
	return n;
}

static void device_reads_no_memory_that_was_not_shared(struct kunit *test)
{
	const size_t len = 2048;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	/* Some are equal by chance: 8 of 2048 */
	KUNIT_EXPECT_LT(test, bytes_read_unshared(test, len), len / 32);
}

static void device_writes_no_memory_that_was_not_shared(struct kunit *test)
{
	const size_t len = 2048;
	u8 *bytes = coco_buffer(test, PAGE_SIZE), *secret;
	size_t wrong;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	find_device(test);
	secret = page_below_4g(test);
	coco_fill(bytes, len, DATA);
	device_gets(test, bytes, len);
	device_writes(test, virt_to_phys(secret), len);
	wrong = coco_first_wrong(secret, 0, PAGE_SIZE, SECRET);
	free_page((unsigned long)secret);
	KUNIT_EXPECT_EQ(test, wrong, (size_t)PAGE_SIZE);
}

/* Nobody notices there, which shows that the two above can fail */
static void plain_guest_shares_all_its_memory(struct kunit *test)
{
	const size_t len = 2048;

	COCO_NEEDS(test, COCO_ONLY(COCO_NONE));
	KUNIT_EXPECT_EQ(test, bytes_read_unshared(test, len), len);
}

/* A page with a secret; by a second mapping the page tables call it shared */
static struct page *page_mapped_shared(struct kunit *test, u64 **mapping)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	*(u64 *)page_address(page) = SECRET;
	*mapping = vmap(&page, 1, VM_MAP, pgprot_decrypted(PAGE_KERNEL));
	KUNIT_ASSERT_NOT_NULL(test, *mapping);
	return page;
}

/*
 * The page tables say shared, and nobody has asked for the page state change.  The page is
 * in an unknown state then, and goes to nobody.
 */
static void shared_mapping_alone_is_a_breach(struct kunit *test)
{
	u64 *mapping, got;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	COCO_NEEDS_MACHINE(test);
	page_mapped_shared(test, &mapping);
	KUNIT_ASSERT_EQ(test, coco_expect_breach(COCO_BREACH_PAGE, 1), (s64)0);
	got = READ_ONCE(*mapping);
	KUNIT_EXPECT_EQ_MSG(test, coco_expect_breach(COCO_BREACH_PAGE, 0), (s64)0,
			    "breaches that never came");
	KUNIT_EXPECT_NE(test, got, (u64)SECRET);
	vunmap(mapping);
}

/* ... where pages have no state: the other key, and nothing is lost */
static void shared_mapping_alone_shows_other_bytes(struct kunit *test)
{
	struct page *page;
	u64 *mapping;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV) | COCO_ONLY(COCO_SEV_ES));
	page = page_mapped_shared(test, &mapping);
	KUNIT_EXPECT_NE(test, READ_ONCE(*mapping), (u64)SECRET);
	vunmap(mapping);
	KUNIT_EXPECT_EQ(test, *(u64 *)page_address(page), (u64)SECRET);
	__free_page(page);
}

static void device_dma_end(struct kunit *test)
{
	forget_device();
	coco_case_end(test);
}

static struct kunit_suite device_dma_suite = {
	.name = "device_dma",
	.init = coco_case_begin,
	.exit = device_dma_end,
	.test_cases = device_dma_cases,
};
kunit_test_suite(device_dma_suite);

MODULE_DESCRIPTION("A device that really reads and writes memory, and a driver that forgets to share it");
MODULE_LICENSE("GPL");
