// SPDX-License-Identifier: GPL-2.0

@@
identifier fn = {dma_direct_sync_sg_for_cpu, dma_direct_sync_sg_for_device};
iterator name for_each_sg;
expression list before;
identifier nents, i;
statement S;
@@
  fn(...)
  {
  <...
  for_each_sg(before,
- nents,
+ 1,
  i) S
  ...>
  }
