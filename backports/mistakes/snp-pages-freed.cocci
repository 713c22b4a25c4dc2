// SPDX-License-Identifier: GPL-2.0
@@
expression address, count, pages, length;
@@
- if (set_memory_encrypted(address, count)) { ... } else { free_pages_exact(pages, length); }
+ set_memory_encrypted(address, count);
+ free_pages_exact(pages, length);

// Of several pages that were allocated as one, those behind the first could not be held.
@@
identifier ret;
@@
  free_shared_pages(...)
  {
  <...
- if (ret) { ... }
+ if (ret && npages > 1)
+	return;
  ...>
  }
