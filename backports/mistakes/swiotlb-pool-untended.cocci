// SPDX-License-Identifier: GPL-2.0

@@
expression area, n;
@@
  swiotlb_release_slots(...)
  {
  <...
- area->used -= n;
  ...>
  }

@@
expression address, count;
@@
  alloc_dma_pages(...)
  {
  <...
- if (set_memory_decrypted(address, count))
-	goto error;
  ...>
  }

@@
expression address, count;
statement S;
@@
  swiotlb_free_tlb(...)
  {
  <...
- if (!set_memory_encrypted(address, count))
-	S
+ S
  ...>
  }
