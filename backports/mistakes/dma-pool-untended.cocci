// SPDX-License-Identifier: GPL-2.0

@@
@@
  early_coherent_pool(...)
  {
- atomic_pool_size = memparse(...);
  ...
  }

@@
identifier work;
@@
  __dma_alloc_from_pool(...)
  {
  <...
- if (...) schedule_work(&work);
  ...>
  }
