// SPDX-License-Identifier: GPL-2.0
// Before: nobody looked at whether the pool of the boot could be shared.  The same of a pool that
// comes late stays: no confidential guest is without one until then; and that of a device's own.

@@
identifier ret;
expression address, pages, pool;
@@
  swiotlb_update_mem_attributes(...)
  {
  <...
- int ret;
- ret = set_memory_decrypted(address, pages);
- if (ret) {
-	pr_warn(...);
-	swiotlb_mark_pool_used(pool);
- }
+ set_memory_decrypted(address, pages);
  ...>
  }
