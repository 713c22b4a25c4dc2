/* SPDX-License-Identifier: GPL-2.0 */
/* Page states beyond what machine.h has: ranges, and entries of 2M. */
#ifndef PAGE_H
#define PAGE_H

#include "machine.h"

#define PAGES_IN_2M	(SIZE_2M / PAGE_SIZE)

bool page_all_ram(u64 gpa, u64 count);		/* count pages from gpa */
void page_split(u64 gpa);			/* the 2M entry there becomes 512 of 4K */
void page_convert(u64 gpa, u64 count, u8 flags);	/* as page_make_*, but the caller flushes */

#endif /* PAGE_H */
