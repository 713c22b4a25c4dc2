// SPDX-License-Identifier: GPL-2.0
/* A block of pages that are converted.  See block.h. */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/set_memory.h>
#include "block.h"
#include "kunit_choice.h"
#include "machine.h"
#include "pages.h"
#include "select.h"

#define ORDER		10
#define TRIES		64

static u8 *block;

u8 *coco_page(unsigned int i)
{
	return block + i * PAGE_SIZE;
}
EXPORT_SYMBOL_GPL(coco_page);

unsigned long coco_address(unsigned int i)
{
	return (unsigned long)coco_page(i);
}
EXPORT_SYMBOL_GPL(coco_address);

static bool maps_2m(const u8 *at)
{
	return coco_maps_large(at) && coco_maps_large(at + PMD_SIZE);
}

/* Earlier cases left split pages behind: look for a block that is still mapped by 2M pages */
static void find_large_block(void)
{
	static unsigned long tried[TRIES];
	unsigned int n = 0;

	while (!block && n < TRIES) {
		tried[n] = __get_free_pages(GFP_KERNEL | __GFP_NOWARN, ORDER);
		if (!tried[n])
			break;
		if (maps_2m((u8 *)tried[n]))
			block = (u8 *)tried[n];
		else
			n++;
	}
	while (n--)
		free_pages(tried[n], ORDER);
}

void coco_block_get(struct kunit *test, unsigned long technologies)
{
	COCO_NEEDS(test, technologies);
	block = (u8 *)__get_free_pages(GFP_KERNEL, ORDER);
	KUNIT_ASSERT_NOT_NULL(test, block);
}
EXPORT_SYMBOL_GPL(coco_block_get);

void coco_block_get_large(struct kunit *test, unsigned long technologies)
{
	COCO_NEEDS(test, technologies);
	find_large_block();
	KUNIT_ASSERT_NOT_NULL_MSG(test, block, "no 4M of memory mapped by 2M pages");
}
EXPORT_SYMBOL_GPL(coco_block_get_large);

void coco_decrypt(struct kunit *test, unsigned int first, unsigned int n)
{
	KUNIT_ASSERT_EQ(test, set_memory_decrypted(coco_address(first), n), 0);
}
EXPORT_SYMBOL_GPL(coco_decrypt);

void coco_encrypt(struct kunit *test, unsigned int first, unsigned int n)
{
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(coco_address(first), n), 0);
}
EXPORT_SYMBOL_GPL(coco_encrypt);

bool coco_has_states(void)
{
	return coco_machine() && COCO_PAGE_STATES & BIT(coco_technology());
}
EXPORT_SYMBOL_GPL(coco_has_states);

bool coco_state_is(const void *p, bool private)
{
	s64 state = coco_page_state(coco_gpa(p)) & (COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);

	return state == (private ? COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED : 0);
}
EXPORT_SYMBOL_GPL(coco_state_is);

/* Pages that are not private, one behind the other */
static unsigned int shared_run(unsigned int first)
{
	unsigned int i = first;

	while (i < COCO_BLOCK_PAGES && !coco_maps_private(coco_page(i)))
		i++;
	return i - first;
}

/* What cannot be made private again never goes back to the allocator */
void coco_block_end(struct kunit *test)
{
	unsigned int i, n;
	int error = 0;

	coco_case_end(test);
	if (!block)
		return;
	for (i = 0; i < COCO_BLOCK_PAGES && !error; i += n + 1) {
		n = shared_run(i);
		if (n)
			error = set_memory_encrypted(coco_address(i), n);
	}
	if (!error)
		free_pages(coco_address(0), ORDER);
	block = NULL;
}
EXPORT_SYMBOL_GPL(coco_block_end);
