/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 4M of the direct map whose pages a case makes shared, and private again: its pages by
 * number, and what they are now.
 */
#ifndef COCO_LIB_BLOCK_H
#define COCO_LIB_BLOCK_H

#include <linux/types.h>

struct kunit;

#define COCO_BLOCK_PAGES	1024u
#define COCO_PAGES_IN_2M	512u

/* For one case of these technologies; large: mapped by two pages of 2M */
void coco_block_get(struct kunit *test, unsigned long technologies);
void coco_block_get_large(struct kunit *test, unsigned long technologies);
/* The suite's .exit: all private again, and given back; with coco_case_end() */
void coco_block_end(struct kunit *test);

u8 *coco_page(unsigned int i);
unsigned long coco_address(unsigned int i);
void coco_decrypt(struct kunit *test, unsigned int first, unsigned int n);
void coco_encrypt(struct kunit *test, unsigned int first, unsigned int n);

/* The machine keeps a state of each page */
bool coco_has_states(void);
/* Shared, or private and ready for use, where the technology keeps a state */
bool coco_state_is(const void *p, bool private);

#endif /* COCO_LIB_BLOCK_H */
