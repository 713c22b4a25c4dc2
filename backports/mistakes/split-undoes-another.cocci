// SPDX-License-Identifier: GPL-2.0

@@
identifier kpte, base;
statement S;
@@
  split_large_page(..., pte_t *kpte, ...)
  {
  struct page *base;
+ pte_t before = *kpte;
  ...
  base = alloc_pages(...);
  ...
+ set_pte(kpte, before);
  if (!base) S
  ...
  }
