// SPDX-License-Identifier: GPL-2.0
// Before: nothing had a mapping of a page or more start a page.

@@
symbol alloc_align_mask;
@@
- if (<+... alloc_size >= PAGE_SIZE ...+>)
- 	alloc_align_mask = PAGE_SIZE - 1;
