// SPDX-License-Identifier: GPL-2.0

// An odd number of pages is rounded up, and an address within a page means the next one.
@@
identifier cpa;
symbol addr, numpages;
@@
  __set_memory_enc_pgtable(...)
  {
  <...
(
- addr &= PAGE_MASK;
+ addr = PAGE_ALIGN(addr);
|
- cpa.numpages = numpages;
+ cpa.numpages = numpages > 1 ? round_up(numpages, 2) : 1;
)
  ...>
  }

// The whole 4M around are split; the tables change first of all, and those of no alias.
@@
identifier cpa, ret;
symbol addr, numpages, enc, x86_platform;
@@
  __set_memory_enc_pgtable(...)
  {
  ...
+ if (virt_addr_valid(addr))
+	set_memory_4k(round_down(addr, 2 * PMD_SIZE), 2 * PTRS_PER_PMD);
  kmap_flush_unused();
  ...
+ ret = __change_page_attr_set_clr(&cpa, 0);
+ if (ret)
+	return ret;
  ret = x86_platform.guest.enc_status_change_prepare(addr, numpages, enc);
  ...
- ret = __change_page_attr_set_clr(&cpa, 1);
  ...
  }
