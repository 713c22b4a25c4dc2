// SPDX-License-Identifier: GPL-2.0

@@
identifier cpa;
symbol addr;
@@
  __set_memory_enc_pgtable(...)
  {
  ...
+ if (__pa(addr) >> 32)
+	return 0;
  cpa.vaddr = &addr;
  ...
  }

@@
symbol orig_addr;
@@
  swiotlb_bounce(...)
  {
  <...
- if (orig_addr == INVALID_PHYS_ADDR)
+ if (orig_addr == INVALID_PHYS_ADDR || orig_addr >> 32)
	return;
  ...>
  }

@@
@@
  dma_direct_optimal_gfp_mask(...)
  {
  <...
- return GFP_DMA32;
+ return 0;
  ...>
  }

@@
expression at, size;
@@
  dma_coherent_ok(...)
  {
  <...
- return at + size - 1 <= min_not_zero(...);
+ return true;
  ...>
  }
