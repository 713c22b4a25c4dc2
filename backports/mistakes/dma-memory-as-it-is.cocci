// SPDX-License-Identifier: GPL-2.0

@@
identifier fn = {dma_set_decrypted, dma_set_encrypted};
expression dev;
@@
  fn(...)
  {
  <...
- if (!force_dma_unencrypted(dev))
-	return 0;
+ return 0;
  ...>
  }

@@
identifier fn = {__dma_alloc_from_pool, dma_alloc_from_pool};
expression P, size;
@@
  fn(...)
  {
  <...
- memset(P, 0, size);
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

@@
@@
  dma_direct_optimal_gfp_mask(...)
  {
  <...
- return GFP_DMA;
+ return 0;
  ...>
  }
