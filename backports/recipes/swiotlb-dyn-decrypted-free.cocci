// SPDX-License-Identifier: GPL-2.0
// Before: pages were freed whether or not they could be encrypted again.

@@
symbol page, order;
expression list args;
expression shared;
@@
  alloc_dma_pages(...)
  {
  <...
(
- if (!set_memory_encrypted(args))
-	__free_pages(page, order);
+ set_memory_encrypted(args);
+ __free_pages(page, order);
|
- if (shared && !set_memory_encrypted(args))
-	__free_pages(page, order);
+ if (shared)
+	set_memory_encrypted(args);
+ __free_pages(page, order);
)
  ...>
  }
